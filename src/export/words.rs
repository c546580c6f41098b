//! What stands in labels: places and runtimes as metrics name them, and labels of a list that would be taken for our own.

use crate::{
    model::{Model, PlaceId},
    update::RuntimeId,
};
use holdup_metrics::{OTHER, TABLE, location};

/// The label that says whose a series is.
pub(super) const TARGET: &str = "target";

/// Of histograms alone.
const BOUND: &str = "le";

/// A place, as an agent's own listener names it.
pub(super) fn place_label(model: &Model, place: PlaceId) -> String {
    let place = model.place(place);
    if place.file.is_empty() {
        return OTHER.to_owned();
    }
    let told = location(&place.file, place.line);
    told.strip_suffix(":0").map_or_else(|| told.clone(), str::to_owned)
}

/// A runtime's name, or its number in words; of one that is gone the number.
pub(super) fn runtime_label(model: &Model, id: RuntimeId) -> String {
    model.agent().runtime(id).map_or_else(|| format!("runtime {}", id.0), crate::model::Runtime::label)
}

/// The labels of all series of a target. One of a list that would be taken for our own has `exported_` before its name, as Prometheus has it; which of two of one name
/// stays is the list's first.
pub(super) fn of_target(target: &str, listed: &[(String, String)]) -> Vec<(String, String)> {
    let is_ours = |name: &str| {
        let mut own = TABLE.iter().flat_map(|family| family.labels).map(|label| label.word());
        name == TARGET || name == BOUND || own.any(|own| own == name)
    };
    let mut labels = vec![(TARGET.to_owned(), target.to_owned())];
    for (name, value) in listed {
        let name = if is_ours(name) { format!("exported_{name}") } else { name.clone() };
        if labels.iter().all(|(known, _)| *known != name) {
            labels.push((name, holdup_metrics::cut(value).into_owned()));
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_a_list_are_never_taken_for_our_own() {
        let listed = [("env", "prod"), ("lint", "x"), ("target", "y\n"), ("exported_target", "z"), ("le", "1")];
        let listed = listed.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let labels = of_target("http://a:1", &listed);
        let labels: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (&**name, &**value)).collect();
        let expected = [
            ("target", "http://a:1"),
            ("env", "prod"),
            ("exported_lint", "x"),
            ("exported_target", "y\u{fffd}"),
            ("exported_le", "1"),
        ];
        assert_eq!(labels, expected);
    }
}
