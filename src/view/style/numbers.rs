//! Numbers as columns show them: short, with their unit, and no wider than their column.

pub(crate) use crate::number::grouped;

use super::theme::Theme;
use std::time::Duration;

/// The widest that [`duration`] gets.
pub(crate) const DURATION_WIDTH: u16 = 7;

/// The widest that [`count`] gets.
pub(crate) const COUNT_WIDTH: u16 = 6;

/// A duration in at most seven columns: `850 ns`, `1.20 µs`, `3.42 s`, `2m05s`, `23h07m`, `2d07h`.
pub(crate) fn duration(duration: Duration, theme: &Theme) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => match duration.subsec_nanos() {
            nanos @ 0..=999 => format!("{nanos} ns"),
            nanos @ 1_000..=999_999 => short(f64::from(nanos) / 1e3, &format!("{}s", theme.symbols().micro)),
            nanos => short(f64::from(nanos) / 1e6, "ms"),
        },
        1..=59 => short(duration.as_secs_f64(), "s"),
        60..=3_599 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3_600..=86_399 => format!("{}h{:02}m", seconds / 3_600, seconds % 3_600 / 60),
        86_400..=8_639_999 => format!("{}d{:02}h", seconds / 86_400, seconds % 86_400 / 3_600),
        _ => format!("{}d", (seconds / 86_400).min(999_999)),
    }
}

/// Three digits, cut rather than rounded up: `999.9 ms` must not read as `1000 ms`.
fn short(value: f64, unit: &str) -> String {
    let (scale, digits) = match value {
        ..10.0 => (100.0, 2),
        10.0..100.0 => (10.0, 1),
        _ => (1.0, 0),
    };
    format!("{:.digits$} {unit}", (value * scale).floor() / scale)
}

/// A count in at most six columns: `0`, `9_999` as `9999`, `12.3k`, `4.56M`.
pub(crate) fn count(count: u64) -> String {
    const UNITS: [(u64, &str); 5] =
        [(1_000, "k"), (1_000_000, "M"), (1_000_000_000, "G"), (1_000_000_000_000, "T"), (1_000_000_000_000_000, "P")];
    if count < 10_000 {
        return count.to_string();
    }
    let (unit, name) = UNITS.into_iter().rev().find(|&(unit, _)| count >= unit).unwrap_or((1, ""));
    let value = count as f64 / unit as f64;
    let (scale, digits) = match value {
        ..10.0 => (100.0, 2),
        10.0..100.0 => (10.0, 1),
        _ => (1.0, 0),
    };
    format!("{:.digits$}{name}", (value * scale).floor() / scale)
}

/// A rate in at most six columns: `0`, `0.4`, `12`, `12.3k`.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second < 0.05 {
        "0".into()
    } else if per_second < 10.0 {
        format!("{per_second:.1}")
    } else {
        count(per_second.round() as u64)
    }
}

/// A share from 0 to 1 as a percentage in at most four columns. What is not nothing does not read as nothing, and what is
/// not all does not read as all.
pub(crate) fn percent(share: f64) -> String {
    let percent = share.clamp(0.0, 1.0) * 100.0;
    if percent > 0.0 && percent < 1.0 {
        "<1%".into()
    } else if percent < 100.0 {
        format!("{}%", percent.floor())
    } else {
        "100%".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn durations_and_counts_in_columns() {
        let theme = Theme::default();
        let cases = [
            (Duration::ZERO, "0 ns"),
            (Duration::from_nanos(1_200), "1.20 µs"),
            (Duration::from_micros(999_999), "999 ms"),
            (Duration::from_millis(3_420), "3.42 s"),
            (Duration::from_secs(125), "2m05s"),
            (Duration::from_secs(83_220), "23h07m"),
            (Duration::from_secs(200_000), "2d07h"),
            (Duration::from_secs(86_400 * 1_234), "1234d"),
        ];
        for (given, shown) in cases {
            assert_eq!(duration(given, &theme), shown);
        }
        assert_eq!([0, 9_999, 12_345, 4_567_890, u64::MAX].map(count), ["0", "9999", "12.3k", "4.56M", "18446P"]);
        assert_eq!([0.0, 0.4, 12.3, 45_678.0].map(rate), ["0", "0.4", "12", "45.6k"]);
        assert_eq!([0.0, 0.001, 0.5, 0.999, 1.0].map(percent), ["0%", "<1%", "50%", "99%", "100%"]);
        assert_eq!([0, 999, 1_000, 12_003, 1_234_567].map(grouped), ["0", "999", "1,000", "12,003", "1,234,567"]);
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_its_column(nanos: u64, value: u64) {
            let theme = Theme::default();
            prop_assert!(duration(Duration::from_nanos(nanos), &theme).width() <= DURATION_WIDTH as usize);
            prop_assert!(count(value).width() <= COUNT_WIDTH as usize);
            prop_assert!(rate(value as f64).width() <= COUNT_WIDTH as usize);
        }
    }
}
