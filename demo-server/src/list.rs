//! `--list`: the scenarios as a table.

use std::io::{self, Write};

use crate::{Kind, Scenario, scenarios};

/// Prints every scenario: its name, the finding that it must raise, and what it does.
pub(crate) fn print() -> io::Result<()> {
    match write(&mut io::stdout().lock()) {
        // Whoever reads it, `head` for one, has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn write(out: &mut impl Write) -> io::Result<()> {
    let name_width = width(|scenario| scenario.name.len());
    let lint_width = width(|scenario| raises(scenario).len());
    let kinds =
        [(Kind::Trouble, "Troubles"), (Kind::Control, "Controls"), (Kind::Untold, "Troubles that memory alone tells")];
    for (kind, title) in kinds {
        writeln!(out, "{title}")?;
        for scenario in scenarios().iter().filter(|scenario| scenario.kind == kind) {
            let (name, lint, says) = (scenario.name, raises(scenario), scenario.says);
            writeln!(out, "  {name:name_width$}  {lint:lint_width$}  {says}")?;
        }
        writeln!(out)?;
    }
    writeln!(
        out,
        "`all` is every trouble at once that leaves a processor to others. The second column is the finding that must be raised; after a + what only the agent can tell."
    )?;
    out.flush()
}

fn raises(scenario: &Scenario) -> String {
    let from_agent = scenario.from_agent.into_iter().flatten().map(|raised| format!("+{}", raised.lint));
    let words: Vec<String> = scenario.raises.map(str::to_owned).into_iter().chain(from_agent).collect();
    if words.is_empty() { "-".to_owned() } else { words.join(" ") }
}

fn width(of: impl Fn(&Scenario) -> usize) -> usize {
    scenarios().iter().map(of).max().unwrap_or(0)
}
