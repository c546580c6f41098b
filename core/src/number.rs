//! Numbers as people read them: durations, sizes, counts. Below everything.

use std::time::Duration;

/// A duration with its unit, three digits at most before it gets coarser: `850 ns`, `1.20 ms`, `3.42 s`, `2 m 05 s`, `3 h 07 m`.
pub fn humanize(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => {
            let nanos = duration.subsec_nanos();
            match nanos {
                0..=999 => format!("{nanos} ns"),
                1_000..=999_999 => short(f64::from(nanos) / 1e3, "µs"),
                _ => short(f64::from(nanos) / 1e6, "ms"),
            }
        }
        1..=59 => short(duration.as_secs_f64(), "s"),
        60..=3_599 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        3_600..=86_399 => format!("{} h {:02} m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// Three digits, cut rather than rounded up: `999.9 ms` must not read as `1000 ms`.
fn short(value: f64, unit: &str) -> String {
    if value < 10.0 {
        format!("{:.2} {unit}", (value * 100.0).floor() / 100.0)
    } else if value < 100.0 {
        format!("{:.1} {unit}", (value * 10.0).floor() / 10.0)
    } else {
        format!("{:.0} {unit}", value.floor())
    }
}

/// A size with its unit.
pub fn humanize_bytes(bytes: u64) -> String {
    match bytes {
        0..=1_023 => format!("{bytes} B"),
        1_024..=1_048_575 => short(bytes as f64 / 1_024.0, "KiB"),
        1_048_576..=1_073_741_823 => short(bytes as f64 / 1_048_576.0, "MiB"),
        _ => short(bytes as f64 / 1_073_741_824.0, "GiB"),
    }
}

/// A count in full, with its thousands apart: `12,003`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number in words: `1st`, `2nd`, `11th`.
pub fn ordinal(number: u64) -> String {
    let suffix = match (number % 10, number % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

/// A count with its noun: `1 task`, `3 tasks`, `1,204 tasks`.
pub fn plural(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{} {noun}s", grouped(count)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_their_unit_and_never_round_up_into_the_next() {
        let cases = [
            (Duration::from_nanos(850), "850 ns"),
            (Duration::from_nanos(1_200), "1.20 µs"),
            (Duration::from_micros(999_999), "999 ms"),
            (Duration::from_millis(3_420), "3.42 s"),
            (Duration::from_secs(125), "2 m 05 s"),
            (Duration::from_secs(11_220), "3 h 07 m"),
            (Duration::from_secs(200_000), "2 d 07 h"),
        ];
        for (duration, words) in cases {
            assert_eq!(humanize(duration), words);
        }
        assert_eq!(humanize_bytes(1_536), "1.50 KiB");
        assert_eq!(
            [1, 2, 3, 4, 11, 12, 21, 113].map(ordinal),
            ["1st", "2nd", "3rd", "4th", "11th", "12th", "21st", "113th"]
        );
    }
}
