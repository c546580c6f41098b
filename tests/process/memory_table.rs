//! The table of `docs/memory.md`: what the memory of the demo's server tells of each scenario.

use std::collections::{BTreeMap, BTreeSet};

const TABLE: &str = include_str!("../../docs/memory.md");

/// What the table says of a scenario: the lints that memory raises.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) always: BTreeSet<String>,
    /// Those that it raises where its looks fall so.
    pub(crate) by_chance: BTreeSet<String>,
}

/// What the table says of each scenario.
pub(crate) fn table() -> BTreeMap<&'static str, Row> {
    let start = TABLE.find("| scenario of the demo |").expect("the table");
    let rows = TABLE[start..].lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    let mut said = BTreeMap::new();
    for cells in cells {
        let [names, lints, reason] = cells[..] else { panic!("a row of the table has three cells: {cells:?}") };
        let mut row = Row::default();
        for lint in lints.split(", ").filter(|lint| *lint != "–") {
            let (lint, raised) = match lint.strip_suffix(" by chance") {
                Some(lint) => (lint, &mut row.by_chance),
                None => (lint, &mut row.always),
            };
            raised.insert(lint.trim_matches('`').to_owned());
        }
        assert!(!row.always.is_empty() || !reason.is_empty(), "it says no reason: {names}");
        for name in names.split(", ") {
            assert!(said.insert(name.trim_matches('`'), row.clone()).is_none(), "{name} twice");
        }
    }
    said
}
