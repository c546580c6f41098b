//! Something at a place, as it was measured on both sides.

use super::{
    ComparedPlace, WINDOWS,
    join::{Joined, Pair, Placed},
    metric::{Compared, Measured, Metric, Thresholds},
    watching::Side,
};

/// Something at a place that was watched.
pub(super) trait Watched: Placed {
    /// What is measured of it.
    const METRICS: &'static [Metric];

    /// What it is called; empty where that is not known.
    fn name(&self) -> &str;

    /// The measure of this number.
    fn measured(&self, metric: usize, side: &Side) -> Measured;

    /// Whether so much happened there that its absence says something.
    fn is_much(&self, side: &Side) -> bool;
}

pub(super) fn compare<T: Watched>(pair: &Pair<T>, sides: [&Side; 2], thresholds: &Thresholds) -> ComparedPlace {
    let [before, after] = sides;
    let metrics = match (pair.before, pair.after) {
        (Some(was), Some(is)) => (0..)
            .zip(T::METRICS)
            .map(|(at, metric)| Compared::new(*metric, was.measured(at, before), is.measured(at, after), thresholds))
            .collect(),
        _ => Vec::new(),
    };
    let joined = pair.joined();
    let (one, side) = if joined == Joined::Gone { (pair.before, before) } else { (pair.after, after) };
    // One that is there on one side alone says something where both were watched for long enough.
    let is_long = sides.iter().all(|side| side.windows >= WINDOWS);
    ComparedPlace {
        place: one.map(|one| one.place().clone()).unwrap_or_default(),
        name: one.map(|one| one.name().to_owned()).unwrap_or_default(),
        joined,
        is_enough: is_long && one.is_some_and(|one| one.is_much(side)),
        metrics,
    }
}
