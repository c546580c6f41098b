//! `holdup explain`: a lint in words, from its table entry and its Markdown.

use super::generate;
use crate::diagnose::{LINTS, Lint};
use std::fmt::Write;

/// All lints, one line each.
pub(super) fn list() -> String {
    let width = LINTS.iter().map(|lint| lint.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for lint in LINTS {
        let _ = writeln!(out, "{:width$}  {:24}  {}", lint.name, severities(lint), lint.summary);
    }
    out += "\n`holdup explain LINT` says what it means, how to confirm it and how to fix it.\n";
    out
}

/// One lint: what it is, its explanation, and its thresholds.
pub(super) fn one(lint: &Lint) -> String {
    let mut out = format!("# {}\n\n{}\n\nSeverity: {}.\n\n", lint.name, lint.summary, severities(lint));
    out += lint.explanation.trim();
    out += "\n\n## Thresholds\n\n";
    for param in lint.params {
        let _ = writeln!(out, "- `{}` = `{}`: {}", param.name, bare(&generate::value(param.default)), param.help);
    }
    match lint.params.first() {
        Some(param) => {
            let (lint, name, value) = (lint.name, param.name, generate::value(param.default));
            let _ = writeln!(out, "\nChange one with `--set {lint}.{name}={}`, or in holdup.toml:\n", bare(&value));
            let _ = writeln!(out, "    [lints.{lint}]\n    {name} = {value}");
        }
        None => out += "None.\n",
    }
    let _ = writeln!(out, "\nSwitch it off with `--allow {}`.", lint.name);
    out
}

/// As typed on the command line, without a file's quotes.
fn bare(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn severities(lint: &Lint) -> String {
    lint.severities.iter().map(|severity| severity.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lint_is_listed_and_explained_with_all_that_can_be_set() {
        let list = list();
        for lint in LINTS {
            assert!(list.contains(lint.name));
            let text = one(lint);
            for param in lint.params {
                assert!(text.contains(&format!("- `{}` = ", param.name)), "{text}");
            }
            for heading in
                ["What it means", "How to confirm it", "How to fix it", "Example", "Never fires for", "Cannot see"]
            {
                assert!(text.contains(&format!("\n## {heading}\n")), "{}: no section {heading:?}", lint.name);
            }
            assert!(text.contains("```rust"), "{}: an example", lint.name);
        }
    }
}
