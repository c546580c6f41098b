//! Whether two sides differ by more than each does by itself.
//!
//! Each side is a handful of windows. A side's typical value is the median of its windows, and how far those differ by themselves is the distance of
//! their quartiles. Two sides differ where their medians are further apart than either's quartiles, by a share of what it was before, and by more than
//! an amount that nobody would notice. A share of what was counted must besides be further off than chance would have it: windows may be alike and the
//! few that they count fall out so all the same. A value that is known to lie between two bounds is as far from another as the nearer bounds are.

/// A value as exactly as it is known: between these two, which are equal for one that was counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// It is no less.
    pub least: f64,
    /// It is no more.
    pub most: f64,
}

impl Sample {
    /// A value that is known.
    pub fn exact(value: f64) -> Self {
        Self { least: value, most: value }
    }
}

/// What is typical of a side's windows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Typical {
    /// The median is no less.
    pub least: f64,
    /// The median is no more.
    pub most: f64,
    /// How far the quartiles are apart.
    pub spread: f64,
    /// How far it may be off by chance, as a standard error; zero where that is not known but by the windows.
    pub chance: f64,
}

/// By so many standard errors chance hardly ever differs: less than once in ten thousand times.
const BEYOND_CHANCE: f64 = 4.0;

impl Typical {
    /// Of windows; `None` where there are none.
    pub fn of(samples: &[Sample]) -> Option<Self> {
        let sorted = |of: fn(&Sample) -> f64| {
            let mut values: Vec<f64> = samples.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let (least, most) = (sorted(|sample| sample.least), sorted(|sample| sample.most));
        let distance = |values: &[f64]| Some(quantile(values, 0.75)? - quantile(values, 0.25)?);
        Some(Self {
            least: quantile(&least, 0.5)?,
            most: quantile(&most, 0.5)?,
            spread: distance(&least)?.max(distance(&most)?),
            chance: 0.0,
        })
    }

    /// The same, where it is the share of those that were so of all that were counted.
    pub(super) fn counted(self, so: u64, all: u64) -> Self {
        // One more of either kind: of none that were so it is not certain that there never are any.
        let all = all as f64 + 2.0;
        let share = (so as f64 + 1.0) / all;
        Self { chance: (share * (1.0 - share) / all).sqrt(), ..self }
    }
}

/// A quantile of sorted values, between two of them in proportion.
fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let at = sorted.len().checked_sub(1)? as f64 * part;
    let (below, above) = (sorted.get(at.floor() as usize)?, sorted.get(at.ceil() as usize)?);
    Some(below + (above - below) * at.fract())
}

/// How a side lies to the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// As it was, as far as can be told.
    Same,
    /// It is more.
    Up,
    /// It is less.
    Down,
}

/// By how much at least two sides must differ.
#[derive(Debug, Clone, Copy)]
pub(super) struct Least {
    /// A share of what it was.
    pub(super) share: f64,
    /// An amount.
    pub(super) amount: f64,
}

/// How one side lies to the one before.
pub(super) fn step(before: &Typical, after: &Typical, least: Least) -> Step {
    let noise = before.spread.max(after.spread).max(BEYOND_CHANCE * before.chance.hypot(after.chance));
    let is_enough =
        |distance: f64, was: f64| distance > noise && distance > least.share * was && distance > least.amount;
    if is_enough(after.least - before.most, before.most) {
        Step::Up
    } else if is_enough(before.least - after.most, before.least) {
        Step::Down
    } else {
        Step::Same
    }
}
