//! Pages, and tables in pages, that are made of the code: each is as the code has it. `HOLDUP_REGENERATE=1` writes them.

use super::source::{files, root};
use holdup::{
    diagnose::{LINTS, Lint},
    update::{Fact, Knows, look::Grade},
};
use std::{
    fmt::Write as _,
    fs,
    process::Command,
    sync::{Mutex, PoisonError},
};

/// A page is written by one test at a time.
static PAGES: Mutex<()> = Mutex::new(());

fn regenerates() -> bool {
    std::env::var_os("HOLDUP_REGENERATE").is_some()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The table of a page that begins with this line.
fn table_in<'a>(page: &'a str, head: &str) -> Option<&'a str> {
    let begin = page.find(&format!("\n{head}\n"))? + 1;
    let lines = page[begin..].split_inclusive('\n').take_while(|line| line.starts_with('|'));
    Some(&page[begin..begin + lines.map(str::len).sum::<usize>()])
}

/// The lints in the contents of the book.
fn lints_in(contents: &str) -> Option<&str> {
    let begin = contents.find("\n- [Lints](lints.md)\n")? + 1;
    let lines = contents[begin..].split_inclusive('\n').enumerate();
    let lines = lines.take_while(|(at, line)| *at == 0 || line.starts_with("  - ")).map(|(_, line)| line.len());
    Some(&contents[begin..begin + lines.sum::<usize>()])
}

/// A page has this table, and no other with its head.
fn has(path: &str, table: &str) {
    let head = table.lines().next().expect("a table has a head");
    is_part(path, |page| table_in(page, head), table);
}

/// A part of a page is this.
fn is_part(path: &str, part: impl for<'a> Fn(&'a str) -> Option<&'a str>, table: &str) {
    let _alone = PAGES.lock().unwrap_or_else(PoisonError::into_inner);
    let page = read(path);
    let there = part(&page).unwrap_or_else(|| panic!("{path} has no place for:\n{table}"));
    if there != table && regenerates() {
        fs::write(root().join(path), page.replace(there, table)).unwrap();
        return;
    }
    assert!(there == table, "{path} is to have (HOLDUP_REGENERATE=1 cargo test --test house made writes it):\n{table}");
}

/// What `holdup explain` prints.
fn explained(lint: &Lint) -> String {
    let told = Command::new(env!("CARGO_BIN_EXE_holdup")).args(["explain", lint.name]).output().expect("it runs");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    String::from_utf8(told.stdout).expect("it is text")
}

#[test]
fn the_page_of_a_lint_is_what_explain_prints() {
    let mut table = String::from("| lint | severity | what it says | thresholds |\n|---|---|---|---|\n");
    for lint in LINTS {
        let (path, text) = (format!("docs/lints/{}.md", lint.name), explained(lint));
        if regenerates() {
            fs::create_dir_all(root().join("docs/lints")).unwrap();
            fs::write(root().join(&path), &text).unwrap();
        }
        let there = read(&path);
        assert!(there == text, "{path} is not what `holdup explain {}` prints", lint.name);
        let severities: Vec<&str> = lint.severities.iter().map(|severity| severity.name()).collect();
        let (_, thresholds) = text.split_once("\n## Thresholds\n").expect("they are explained");
        let thresholds: Vec<&str> = thresholds
            .lines()
            .filter_map(|line| line.strip_prefix("- ")?.split_once(": ").map(|(value, _)| value))
            .collect();
        assert_eq!(thresholds.len(), lint.params.len(), "{}: {thresholds:?}", lint.name);
        let (name, summary) = (lint.name, lint.summary);
        let _ = writeln!(
            table,
            "| [`{name}`](lints/{name}.md) | {} | {summary} | {} |",
            severities.join(", "),
            if thresholds.is_empty() { "–".to_owned() } else { thresholds.join(", ") }
        );
    }
    let pages = files(&["docs/lints"], ".md");
    assert_eq!(pages.len(), LINTS.len(), "a page in docs/lints is of no lint");
    has("docs/lints.md", &table);
    let contents =
        LINTS.iter().map(|lint| format!("  - [{0}](lints/{0}.md)\n", lint.name)).collect::<Vec<_>>().concat();
    is_part("docs/SUMMARY.md", lints_in, &format!("- [Lints](lints.md)\n{contents}"));
}

/// The words in quotes between two marks of a text.
fn quoted<'a>(text: &'a str, begin: &str, end: &str) -> Vec<String> {
    let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("{begin} is not there"));
    let (inside, _): (&'a str, _) = rest.split_once(end).expect("it ends");
    inside.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Who can tell of a service, with what it knows.
struct Instruments {
    console: Knows,
    full: Knows,
    lean: Knows,
    hooked: Knows,
    typed: Knows,
    untyped: Knows,
}

impl Instruments {
    /// What an agent can tell stands in the agent.
    fn new() -> Self {
        let agent = read("agent/src/agent.rs");
        let lean = quoted(&agent, "let mut capabilities = vec![", "];");
        let full = quoted(&agent, "capabilities.extend([", "]);");
        assert!(lean.len() > 8 && full.len() > 2, "the agent's words were not read: {lean:?}, {full:?}");
        assert!(
            read("agent/src/serve/holdup/report.rs")
                .contains("*detail == Detail::Full || is_hooked()).then_some(\"scheduled\")")
        );
        let hooked = [&lean[..], &["scheduled".to_owned()]].concat();
        Self {
            console: Knows::console(),
            full: Knows::agent(&[&hooked[..], &full].concat()),
            lean: Knows::agent(&lean),
            hooked: Knows::agent(&hooked),
            typed: Knows::memory(Grade::Full),
            untyped: Knows::memory(Grade::Stripped),
        }
    }

    /// A row's cells: whether each knows what is asked for.
    fn cells(&self, knows: impl Fn(&Knows) -> bool) -> String {
        let word = |is: bool| if is { "yes" } else { "–" };
        let lean = match (knows(&self.lean), knows(&self.hooked)) {
            (false, true) => "with hooks",
            (is, _) => word(is),
        };
        let others = [&self.console, &self.full, &self.typed, &self.untyped].map(|one| word(knows(one)));
        [others[0], others[1], lean, others[2], others[3]].join(" | ")
    }
}

const COLUMNS: &str = "stock console-subscriber | agent, full | agent, lean | memory with types | memory without types";

/// What the code says of a fact.
fn meaning(of: Fact) -> String {
    let code = read("core/src/update/knows.rs");
    let lines: Vec<&str> = code.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| *line == format!("{of:?},")).expect("it is one of the enum");
    lines[at - 1].strip_prefix("/// ").expect("it is explained").trim_end_matches('.').to_owned()
}

#[test]
fn what_each_instrument_knows_is_in_the_page() {
    let instruments = Instruments::new();
    let mut facts = format!("| fact | what it is | {COLUMNS} |\n|---|---|---|---|---|---|---|\n");
    for fact in Fact::ALL {
        let cells = instruments.cells(|knows| knows.has(fact));
        let _ = writeln!(facts, "| `{}` | {} | {cells} |", fact.name(), meaning(fact));
    }
    has("docs/instruments.md", &facts);

    let mut lints = format!("| lint | needs | {COLUMNS} |\n|---|---|---|---|---|---|---|\n");
    for lint in LINTS {
        let needs: Vec<String> = lint.needs.iter().map(|fact| format!("`{}`", fact.name())).collect();
        let needs = if needs.is_empty() { "nothing".to_owned() } else { needs.join(", ") };
        let cells = instruments.cells(|knows| knows.facts().has_all(lint.needs));
        let _ = writeln!(lints, "| [`{0}`](lints/{0}.md) | {needs} | {cells} |", lint.name);
    }
    has("docs/instruments.md", &lints);
    assert!(lints.contains("| with hooks |") && lints.contains("| – | – | – |"), "they differ");
}

#[test]
fn what_each_instrument_says_of_what_it_does_not_know_is_in_the_page() {
    let instruments = Instruments::new();
    let named = [
        ("stock console-subscriber", &instruments.console),
        ("agent, full", &instruments.full),
        ("agent, lean", &instruments.lean),
        ("memory with types", &instruments.typed),
        ("memory of a stripped executable", &instruments.untyped),
    ];
    let mut table = String::from("| of | is not known | because |\n|---|---|---|\n");
    for (name, knows) in named {
        let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
        for (fact, why) in knows.missing() {
            let fact = format!("`{}`", fact.name());
            match reasons.iter_mut().find(|(known, _)| *known == why) {
                Some((_, facts)) => facts.push(fact),
                None => reasons.push((why, vec![fact])),
            }
        }
        for (why, facts) in reasons {
            let _ = writeln!(table, "| {name} | {} | {why} |", facts.join(", "));
        }
    }
    has("docs/instruments.md", &table);
}

#[test]
fn the_agent_s_settings_are_as_its_documentation_has_them() {
    let code = read("agent/src/lib.rs");
    let rows = code.lines().filter_map(|line| line.strip_prefix("//! ")).filter(|line| line.starts_with("| `HOLDUP_"));
    let mut table = String::from("| variable | default | what it is |\n|---|---|---|\n");
    for row in rows {
        let mut cells = row.trim_matches('|').splitn(3, '|').map(str::trim);
        let [name, default, what] = std::array::from_fn(|_| cells.next().expect("it has three cells"));
        // What it refers to is in the crate's documentation.
        let what = what.split("; see [").next().unwrap_or(what);
        let default = if default.is_empty() { "–" } else { default };
        let _ = writeln!(table, "| {name} | {default} | {what} |");
    }
    assert!(table.lines().count() > 25, "the agent's documentation was not read");
    has("docs/settings.md", &table);
}

#[test]
fn a_table_that_is_not_the_code_s_is_caught() {
    let page = "Words.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nMore.\n";
    assert_eq!(table_in(page, "| a | b |"), Some("| a | b |\n|---|---|\n| 1 | 2 |\n"));
    assert_eq!(table_in(page, "| a | c |"), None);
    let contents = "# S\n\n- [A](a.md)\n- [Lints](lints.md)\n  - [a](lints/a.md)\n- [B](b.md)\n";
    assert_eq!(lints_in(contents), Some("- [Lints](lints.md)\n  - [a](lints/a.md)\n"));
    assert_eq!(quoted("x vec![\"a\", \"b\"]; \"c\"", "vec![", "];"), ["a", "b"]);
}
