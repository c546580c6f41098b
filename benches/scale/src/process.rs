//! What the system tells of a process: processor time and memory.

use crate::screen::Error;
use std::{
    fmt,
    time::{Duration, Instant},
};

/// Processor time of a process so far.
pub(crate) fn cpu(pid: u32) -> Result<Duration, Error> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit_once(')').ok_or("no process name in stat")?.1;
    let field = |index: usize| after_name.split_whitespace().nth(index).and_then(|field| field.parse::<u64>().ok());
    // Fields 14 and 15 of proc_pid_stat(5), in ticks of a hundredth of a second.
    let ticks = field(11).zip(field(12)).map(|(user, system)| user + system).ok_or("no times in stat")?;
    Ok(Duration::from_millis(ticks * 10))
}

/// Resident memory of a process, now and at its peak, in bytes.
pub(crate) fn memory(pid: u32) -> Result<(u64, u64), Error> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    let (rss, peak) = kib("VmRSS:").zip(kib("VmHWM:")).ok_or("no memory in status")?;
    Ok((rss << 10, peak << 10))
}

/// Resident memory over a time.
pub(crate) struct Course {
    samples: Vec<(Duration, u64)>,
}

impl Course {
    /// Watches a process for a time, and looks so often.
    pub(crate) fn of(pid: u32, window: Duration, every: Duration) -> Result<Self, Error> {
        let begun = Instant::now();
        let mut samples = Vec::new();
        loop {
            samples.push((begun.elapsed(), memory(pid)?.0));
            let Some(left) = window.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) else {
                return Ok(Self { samples });
            };
            std::thread::sleep(left.min(every));
        }
    }

    /// Bytes at the end.
    pub(crate) fn last(&self) -> u64 {
        self.samples.last().map_or(0, |&(_, bytes)| bytes)
    }

    /// How long it was watched.
    pub(crate) fn span(&self) -> Duration {
        self.samples.last().map_or(Duration::ZERO, |&(at, _)| at)
    }

    /// Bytes that it grows by each second: the slope of the line that fits best.
    fn slope(&self) -> f64 {
        let count = self.samples.len() as f64;
        let points = || self.samples.iter().map(|&(at, bytes)| (at.as_secs_f64(), bytes as f64));
        let (x, y) = points().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
        let above = points().map(|point| (point.0 - x) * (point.1 - y)).sum::<f64>();
        let below = points().map(|point| (point.0 - x).powi(2)).sum::<f64>();
        if below > 0.0 { above / below } else { 0.0 }
    }
}

impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let at = |share: usize| self.samples.get((self.samples.len() - 1) * share / 4).map_or(0, |&(_, bytes)| bytes);
        let most = self.samples.iter().map(|&(_, bytes)| bytes).max().unwrap_or(0);
        write!(
            f,
            "memory over {:.0} s, by quarters: {:.1} {:.1} {:.1} {:.1} {:.1} MiB; most {:.1} MiB; {:+.3} MiB a minute",
            self.span().as_secs_f64(),
            mib(at(0)),
            mib(at(1)),
            mib(at(2)),
            mib(at(3)),
            mib(at(4)),
            mib(most),
            self.slope() * 60.0 / f64::from(1 << 20),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(bytes: impl Fn(u64) -> u64) -> Course {
        Course { samples: (0..=120).map(|at| (Duration::from_secs(at * 5), bytes(at))).collect() }
    }

    #[test]
    fn the_slope_tells_growth_from_flatness() {
        let said = course(|at| (50 << 20) + ((at % 3) << 10)).to_string();
        assert_eq!(
            said,
            "memory over 600 s, by quarters: 50.0 50.0 50.0 50.0 50.0 MiB; most 50.0 MiB; +0.000 MiB a minute"
        );
        let said = course(|at| (50 << 20) + (at << 20) / 12).to_string();
        assert!(said.ends_with("50.0 52.5 55.0 57.5 60.0 MiB; most 60.0 MiB; +1.000 MiB a minute"), "{said}");
    }
}
