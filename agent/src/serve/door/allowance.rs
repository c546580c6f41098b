//! How much there may be of something in a second, and at once.

use std::time::Duration;
use tokio::time::Instant;

/// What is waited for at the least, so that a wait is worth its timer.
const SHORTEST: Duration = Duration::from_millis(5);

/// So many in a second; what was not used is kept, up to a limit.
#[derive(Debug)]
pub(in crate::serve) struct Allowance {
    per_second: u32,
    most: u32,
    left: f64,
    as_of: Instant,
}

impl Allowance {
    /// At first there is as much as there can be.
    pub(in crate::serve) fn new(per_second: u32, most: u32) -> Self {
        Self { per_second, most, left: most.into(), as_of: Instant::now() }
    }

    /// How many there may be now.
    pub(super) fn left(&mut self) -> usize {
        let now = Instant::now();
        let more = (now - self.as_of).as_secs_f64() * f64::from(self.per_second);
        self.as_of = now;
        self.left = (self.left + more).min(self.most.into());
        self.left as usize
    }

    /// How long there is none; `None` when there is.
    pub(in crate::serve) fn wait(&mut self) -> Option<Duration> {
        (self.left() == 0).then(|| Duration::from_secs_f64(1.0 / f64::from(self.per_second)).max(SHORTEST))
    }

    /// Notes that so many were used.
    pub(in crate::serve) fn take(&mut self, used: usize) {
        self.left -= used as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn there_is_as_much_as_is_kept_and_then_as_much_as_comes() {
        let mut allowance = Allowance::new(100, 20);
        assert_eq!((allowance.left(), allowance.wait()), (20, None));
        allowance.take(20);
        assert_eq!(allowance.wait(), Some(Duration::from_millis(10)));
        advance(Duration::from_millis(50)).await;
        assert_eq!((allowance.left(), allowance.wait()), (5, None));
        advance(Duration::from_secs(60)).await;
        assert_eq!(allowance.left(), 20, "no more than is kept");
    }
}
