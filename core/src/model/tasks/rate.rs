//! What counters that are only ever told as totals say about the recent past. Nothing here is touched while its task is
//! silent: a value is brought up to date when the next report comes, or when it is looked at.

use crate::update::Stamp;
use std::time::Duration;

/// A counter's growth per second.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub struct Rate {
    mark_at: Stamp,
    mark: u64,
    latest: u64,
    per_second: f32,
}

/// How long a measured rate stands before the time since then is averaged in.
const RATE_SPAN: Duration = Duration::from_secs(1);

impl Rate {
    /// A rate of zero.
    pub fn new(now: Stamp) -> Self {
        Self { mark_at: now, mark: 0, latest: 0, per_second: 0.0 }
    }

    /// Sets where the counter stands, as history.
    pub fn start(&mut self, count: u64, now: Stamp) {
        *self = Self { mark_at: now, mark: count, latest: count, per_second: 0.0 };
    }

    /// Takes in where the counter stands now.
    pub fn observe(&mut self, count: u64, now: Stamp) {
        self.latest = count;
        let span = now.since(self.mark_at);
        if span >= RATE_SPAN {
            self.per_second = (count.saturating_sub(self.mark) as f64 / span.as_secs_f64()) as f32;
            self.mark = count;
            self.mark_at = now;
        }
    }

    /// The rate at `now`: the last measured one, until twice its span has passed without a report.
    pub fn per_second(&self, now: Stamp) -> f64 {
        let span = now.since(self.mark_at);
        if span < RATE_SPAN * 2 {
            return f64::from(self.per_second);
        }
        self.latest.saturating_sub(self.mark) as f64 / span.as_secs_f64()
    }
}

/// How many seconds a [`Spark`] remembers.
pub const SPARK_SECONDS: usize = 10;

const BUCKET: u64 = 1_000_000_000;

/// The busy share of each of the last [`SPARK_SECONDS`] seconds.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub struct Spark {
    /// Shares in 1/255, the newest last, as of `second`.
    shares: [u8; SPARK_SECONDS],
    /// The second, since the epoch, that the newest share is for.
    second: u32,
    /// Total busy time when last reported, in nanoseconds.
    busy: u64,
}

impl Spark {
    /// No history.
    pub fn new(now: Stamp) -> Self {
        Self { shares: [0; SPARK_SECONDS], second: now.seconds(), busy: 0 }
    }

    /// Sets where busy time stands, as history.
    pub fn start(&mut self, busy: u64, now: Stamp) {
        *self = Self { busy, ..Self::new(now) };
    }

    /// Takes in where busy time stands at `now`. What is more than the present second can hold was spent in the ones
    /// before it: a long poll is reported only when it ends.
    pub fn observe(&mut self, busy: u64, now: Stamp) {
        self.shares = self.shifted(now.seconds());
        self.second = self.second.max(now.seconds());
        fill(&mut self.shares, busy.saturating_sub(self.busy), now);
        self.busy = busy;
    }

    /// The shares up to `now`, from 0 to 1, oldest first, with a poll in progress since `running_since` filled in.
    pub fn shares(&self, running_since: Option<Stamp>, now: Stamp) -> [f32; SPARK_SECONDS] {
        let shares = match running_since {
            Some(since) => self.filled(since, now),
            None => self.shifted(now.seconds()),
        };
        shares.map(|share| f32::from(share) / 255.0)
    }

    /// The mean of the shares up to `now`, from 0 to 1, with a poll in progress since `running_since` filled in.
    pub fn mean(&self, running_since: Option<Stamp>, now: Stamp) -> f64 {
        let sum = |shares: &[u8]| shares.iter().map(|&share| u32::from(share)).sum::<u32>();
        let sum = match running_since {
            Some(since) => sum(&self.filled(since, now)),
            None => sum(&self.shares[self.shift(now.seconds())..]),
        };
        f64::from(sum) / f64::from(255 * SPARK_SECONDS as u32)
    }

    fn filled(&self, since: Stamp, now: Stamp) -> [u8; SPARK_SECONDS] {
        let mut shares = self.shifted(now.seconds());
        fill(&mut shares, crate::update::nanos(now.since(since)), now);
        shares
    }

    /// How many of the shares are too old in a second.
    fn shift(&self, second: u32) -> usize {
        (second.saturating_sub(self.second) as usize).min(SPARK_SECONDS)
    }

    fn shifted(&self, second: u32) -> [u8; SPARK_SECONDS] {
        let mut shares = self.shares;
        let by = self.shift(second);
        shares.rotate_left(by);
        shares[SPARK_SECONDS - by..].fill(0);
        shares
    }
}

/// Adds busy time that ended at `now`, newest second first.
fn fill(shares: &mut [u8; SPARK_SECONDS], mut busy: u64, now: Stamp) {
    let mut room = now.nanos() % BUCKET;
    for share in shares.iter_mut().rev() {
        let here = busy.min(room);
        *share = share.saturating_add((here * 255).div_ceil(BUCKET) as u8);
        busy -= here;
        if busy == 0 {
            return;
        }
        room = BUCKET;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Stamp {
        Stamp::from_nanos(1_000_000_000_000 + millis * 1_000_000)
    }

    #[test]
    fn a_rate_falls_when_reports_stop() {
        let mut rate = Rate::new(at(0));
        rate.observe(100, at(1_000));
        assert!((rate.per_second(at(1_500)) - 100.0).abs() < 0.1);
        assert!(rate.per_second(at(10_000)) < 1.0);
    }

    #[test]
    fn history_is_not_a_rate() {
        let mut rate = Rate::new(at(0));
        rate.start(1_000_000, at(0));
        rate.observe(1_000_010, at(1_000));
        assert!((rate.per_second(at(1_000)) - 10.0).abs() < 0.1);
    }

    #[test]
    fn a_long_poll_fills_the_seconds_that_it_took() {
        let mut spark = Spark::new(at(0));
        spark.observe(2_500_000_000, at(4_500));
        let shares = spark.shares(None, at(4_500));
        let newest: Vec<f32> = shares.iter().rev().take(4).map(|share| (share * 10.0).round() / 10.0).collect();
        assert_eq!(newest, [0.5, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn a_poll_in_progress_is_drawn_before_it_is_reported() {
        let spark = Spark::new(at(0));
        let shares = spark.shares(Some(at(1_000)), at(2_500));
        assert!(shares[SPARK_SECONDS - 2] > 0.99 && (shares[SPARK_SECONDS - 1] - 0.5).abs() < 0.01);
        assert!(spark.shares(None, at(2_500)).iter().all(|share| share.abs() < f32::EPSILON));
    }
}
