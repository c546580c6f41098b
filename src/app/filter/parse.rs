//! How a filter is typed.
//!
//! ```text
//! conn "two words"                     words: in the name, the place, the kind, the fields, the spans, or as the id
//! name:conn loc:src/x.rs kind:blocking state:running id:17
//! kind:worker                          tokio's own workers, which are left out where nobody asks for them
//! loc="src/x.rs:7"                     spawned there, and not at line 70
//! span:request runtime:main            what an agent tells
//! lint:held-across-await lint:any
//! busy>50% idle<10ms polls>=1k load>20%
//! -name:conn !state:idle               not
//! ```

use super::{Amount, Comparison, Filter, Quantity, Sense, Term, Test};
use crate::{diagnose::lint_mask, model::TaskState, update::TaskKind};
use std::str::FromStr;

/// What is wrong with a filter as typed, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilterError(String);

const STATES: [TaskState; 4] = [TaskState::Running, TaskState::Scheduled, TaskState::Idle, TaskState::Ended];
const KINDS: [TaskKind; 6] =
    [TaskKind::Task, TaskKind::Local, TaskKind::Blocking, TaskKind::BlockOn, TaskKind::Other, TaskKind::Worker];

const QUANTITIES: [(&str, Quantity); 12] = [
    ("total", Quantity::Total),
    ("busy", Quantity::Busy),
    ("sched", Quantity::Scheduled),
    ("scheduled", Quantity::Scheduled),
    ("idle", Quantity::Idle),
    ("polls", Quantity::Polls),
    ("rate", Quantity::Rate),
    ("polls/s", Quantity::Rate),
    ("load", Quantity::Load),
    ("wakes", Quantity::Wakes),
    ("wakers", Quantity::Wakers),
    ("size", Quantity::Size),
];

impl Filter {
    /// Reads what was typed so far: the terms that can be read, and what is wrong with the first that cannot. A term that
    /// is still being typed leaves the others in force.
    pub fn read(typed: &str) -> (Self, Option<FilterError>) {
        let (mut terms, mut wrong) = (Vec::new(), None);
        for word in words(typed) {
            match term(&word) {
                Ok(term) => terms.push(term),
                Err(error) => wrong = wrong.or(Some(error)),
            }
        }
        (Self(terms), wrong)
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(typed: &str) -> Result<Self, Self::Err> {
        let (filter, wrong) = Self::read(typed);
        wrong.map_or(Ok(filter), Err)
    }
}

/// A word as typed: what stood before its first quote, and all of it.
struct Word {
    text: String,
    /// Where the quotes began; nothing after that is syntax.
    quoted: usize,
}

/// A quote that is still open reaches to the end.
fn words(typed: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut quote = false;
    for char in typed.chars() {
        if char == '"' {
            quote = !quote;
            let word = word.get_or_insert(Word { text: String::new(), quoted: usize::MAX });
            word.quoted = word.quoted.min(word.text.len());
        } else if char.is_whitespace() && !quote {
            words.extend(word.take());
        } else {
            word.get_or_insert(Word { text: String::new(), quoted: usize::MAX }).text.push(char);
        }
    }
    words.extend(word.take());
    words
}

fn term(word: &Word) -> Result<Term, FilterError> {
    let (sense, skip) =
        if word.quoted > 0 && word.text.starts_with(['-', '!']) { (Sense::MustNot, 1) } else { (Sense::Must, 0) };
    let meant = &word.text[skip..];
    if meant.is_empty() {
        return Err(FilterError(format!("{:?} needs something to leave out, such as -name:conn", word.text)));
    }
    let syntax = &meant[..meant.len().min(word.quoted.saturating_sub(skip))];
    let test = match syntax.find([':', '<', '>', '=']) {
        Some(at) if meant[at..].starts_with(':') => named(&meant[..at], &meant[at + 1..], meant)?,
        Some(at) => compared(meant, at)?,
        None => Test::word(meant),
    };
    Ok(Term { sense, test })
}

fn named(name: &str, value: &str, text: &str) -> Result<Test, FilterError> {
    // `Mutex::lock`, `src/x.rs:88`, `127.0.0.1:80` are words.
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !is_name || value.starts_with(':') {
        return Ok(Test::word(text));
    }
    let lower = value.to_lowercase();
    let needs = |example: &str| FilterError(format!("{name}: needs a value, such as {name}:{example}"));
    match name.to_ascii_lowercase().as_str() {
        "name" if lower.is_empty() => Err(needs("conn")),
        "name" => Ok(Test::Name(lower)),
        "loc" | "location" if lower.is_empty() => Err(needs("src/main.rs")),
        "loc" | "location" => Ok(Test::Location(lower)),
        "span" if lower.is_empty() => Err(needs("request")),
        "span" => Ok(Test::Span(lower)),
        "awaits" if lower.is_empty() => Err(needs("mutex")),
        "awaits" => Ok(Test::Awaits(lower)),
        "chain" if lower == "none" => Ok(Test::Chain(None)),
        "chain" => value.parse().map(|chain| Test::Chain(Some(chain))).map_err(|_| needs("17")),
        "runtime" if lower.is_empty() => Err(needs("main")),
        "runtime" => Ok(Test::Runtime(lower)),
        "state" => one_of("state", &lower, &STATES.map(|state| (state.name(), state))).map(Test::State),
        "kind" => one_of("kind", &lower, &KINDS.map(|kind| (kind.name(), kind))).map(Test::Kind),
        "lint" => lints(&lower).map(Test::Lint),
        "id" => value.parse().map(Test::Id).map_err(|_| needs("17")),
        other if QUANTITIES.iter().any(|&(known, _)| known == other) => {
            Err(FilterError(format!("{other} is compared, as in {other}>10 or {other}<=10")))
        }
        _ => Err(FilterError(format!(
            "there is no {name}:; there are name:, loc:, span:, awaits:, chain:, runtime:, state:, kind:, lint: and id:, and quotes for a word with a colon"
        ))),
    }
}

/// The one value that begins like that.
fn one_of<T: Copy>(name: &str, value: &str, known: &[(&str, T)]) -> Result<T, FilterError> {
    if let Some(&(_, exact)) = known.iter().find(|(known, _)| *known == value) {
        return Ok(exact);
    }
    let mut like = known.iter().filter(|(known, _)| known.starts_with(value));
    if let (Some(&(_, only)), None) = (like.next(), like.next()) {
        return Ok(only);
    }
    let names: Vec<&str> = known.iter().map(|&(known, _)| known).collect();
    Err(FilterError(format!("{name}: takes one of {}", names.join(", "))))
}

fn lints(value: &str) -> Result<u64, FilterError> {
    let mask = match value {
        "any" | "*" => lint_mask(|_| true),
        "" => 0,
        _ => lint_mask(|lint| lint.name.contains(value)),
    };
    if mask == 0 {
        return Err(FilterError("lint: takes a lint's name or a part of it, or any".into()));
    }
    Ok(mask)
}

fn compared(text: &str, at: usize) -> Result<Test, FilterError> {
    let (name, rest) = text.split_at(at);
    let operators = [
        (">=", Comparison::AtLeast),
        ("<=", Comparison::AtMost),
        (">", Comparison::More),
        ("<", Comparison::Less),
        ("=", Comparison::Equal),
    ];
    let Some((value, comparison)) =
        operators.into_iter().find_map(|(sign, comparison)| Some((rest.strip_prefix(sign)?, comparison)))
    else {
        return Ok(Test::word(text));
    };
    let lower = name.to_ascii_lowercase();
    if ["loc", "location"].contains(&lower.as_str()) && comparison == Comparison::Equal && !value.is_empty() {
        return Ok(Test::At(value.to_owned()));
    }
    let Some(&(_, quantity)) = QUANTITIES.iter().find(|&&(known, _)| known == lower) else {
        // A field is shown as `peer=10.0.0.1`, and can be looked for as that.
        if comparison == Comparison::Equal && !name.is_empty() {
            return Ok(Test::word(text));
        }
        let mut names: Vec<&str> = QUANTITIES.iter().map(|&(known, _)| known).collect();
        names.dedup();
        return Err(FilterError(format!("{name:?} cannot be compared; these can: {}", names.join(", "))));
    };
    let amount = amount(quantity, value).ok_or_else(|| {
        FilterError(format!("{lower} needs {}", example(quantity, &text[..text.len() - value.len()])))
    })?;
    Ok(Test::Measure(quantity, comparison, amount))
}

fn example(quantity: Quantity, so_far: &str) -> String {
    match quantity {
        Quantity::Total => format!("a time, such as {so_far}10s"),
        Quantity::Busy | Quantity::Scheduled | Quantity::Idle => {
            format!("a time or a share of the task's age, such as {so_far}10ms or {so_far}50%")
        }
        Quantity::Load => format!("a share, such as {so_far}50%"),
        _ => format!("a number, such as {so_far}1000 or {so_far}1k"),
    }
}

fn amount(quantity: Quantity, value: &str) -> Option<Amount> {
    let share =
        || Some(Amount::Share(value.strip_suffix('%')?.parse::<f64>().ok().filter(|share| share.is_finite())? / 100.0));
    let time = || humantime::parse_duration(value).ok().map(Amount::Time);
    match quantity {
        Quantity::Total => time(),
        Quantity::Busy | Quantity::Scheduled | Quantity::Idle => share().or_else(time),
        Quantity::Load => share(),
        Quantity::Polls | Quantity::Rate | Quantity::Wakes | Quantity::Wakers | Quantity::Size => {
            let (digits, unit) = match value.to_ascii_lowercase() {
                value if value.ends_with('k') => (value.trim_end_matches('k').to_owned(), 1e3),
                value if value.ends_with('m') => (value.trim_end_matches('m').to_owned(), 1e6),
                value => (value, 1.0),
            };
            let number: f64 = digits.parse().ok()?;
            (number.is_finite() && number >= 0.0).then_some(Amount::Number(number * unit))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(typed: &str) -> Result<Vec<Term>, String> {
        typed.parse::<Filter>().map(|filter| filter.0).map_err(|error| error.to_string())
    }

    fn one(typed: &str) -> Test {
        let terms = parse(typed).unwrap_or_else(|error| panic!("{typed}: {error}"));
        assert_eq!(terms.len(), 1, "{typed}");
        terms[0].test.clone()
    }

    #[test]
    fn what_can_be_typed() {
        use std::time::Duration;
        assert_eq!(one("17"), Test::Word { text: "17".into(), id: Some(17) });
        assert_eq!(one("Conn"), Test::Word { text: "conn".into(), id: None });
        assert_eq!(one("\"two words\""), Test::Word { text: "two words".into(), id: None });
        assert_eq!(one("\"name:x\""), Test::Word { text: "name:x".into(), id: None });
        assert_eq!(one("name:\"a b\""), Test::Name("a b".into()));
        assert_eq!(one("\"still open"), Test::Word { text: "still open".into(), id: None });
        assert_eq!(one("Mutex::lock"), Test::Word { text: "mutex::lock".into(), id: None });
        assert_eq!(one("src/x.rs:88"), Test::Word { text: "src/x.rs:88".into(), id: None });
        assert_eq!(one("peer=10.0.0.1"), Test::Word { text: "peer=10.0.0.1".into(), id: None });
        assert_eq!(one("loc:src/x.rs:88"), Test::Location("src/x.rs:88".into()));
        assert_eq!(one("awaits:Mutex"), Test::Awaits("mutex".into()));
        assert_eq!((one("chain:17"), one("chain:none")), (Test::Chain(Some(17)), Test::Chain(None)));
        assert_eq!(one("span:peer=10.0.0.1"), Test::Span("peer=10.0.0.1".into()));
        assert_eq!(one("runtime:Main"), Test::Runtime("main".into()));
        assert_eq!(one("state:r"), Test::State(TaskState::Running));
        assert_eq!(one("kind:block_on"), Test::Kind(TaskKind::BlockOn));
        assert_eq!(one("id:17"), Test::Id(17));
        assert_eq!(one("busy>50%"), Test::Measure(Quantity::Busy, Comparison::More, Amount::Share(0.5)));
        let ten = Amount::Time(Duration::from_millis(10));
        assert_eq!(one("sched<=10ms"), Test::Measure(Quantity::Scheduled, Comparison::AtMost, ten));
        assert_eq!(one("polls>=1.5k"), Test::Measure(Quantity::Polls, Comparison::AtLeast, Amount::Number(1_500.0)));
        let terms = parse("-name:a !b  c").unwrap();
        assert_eq!(
            terms.iter().map(|term| term.sense).collect::<Vec<_>>(),
            [Sense::MustNot, Sense::MustNot, Sense::Must]
        );
        assert!(parse("").unwrap().is_empty());
        assert_eq!(one("lint:held"), Test::Lint(lint_mask(|lint| lint.name == "held-across-await")));
    }

    #[test]
    fn what_cannot_and_what_is_said() {
        let table = [
            ("name:", "such as name:conn"),
            ("span:", "such as span:request"),
            ("runtime:", "such as runtime:main"),
            ("-", "something to leave out"),
            ("state:x", "running, scheduled, idle, ended"),
            ("state:", "takes one of"),
            ("kind:b", "blocking, block_on"),
            ("nope:x", "there is no nope:"),
            ("busy:5", "busy>10"),
            ("busy>", "such as busy>10ms or busy>50%"),
            ("polls>x", "such as polls>1000"),
            ("polls>-1", "a number"),
            ("polls>inf", "a number"),
            ("total>50%", "a time"),
            ("speed>3", "cannot be compared"),
            (">3", "cannot be compared"),
            ("lint:zzz", "a lint's name"),
            ("id:x", "id:17"),
        ];
        for (typed, said) in table {
            let error = parse(typed).map(|terms| panic!("{typed}: {terms:?}")).unwrap_err();
            assert!(error.contains(said), "{typed}: {error}");
        }
    }

    #[test]
    fn a_term_that_cannot_be_read_leaves_the_others_in_force() {
        let (filter, wrong) = Filter::read("name:conn busy>");
        assert_eq!(filter, "name:conn".parse().unwrap());
        assert!(wrong.is_some_and(|wrong| wrong.to_string().contains("busy needs")));
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_is_typed_panics(typed in "[-!\"a-z:<>=%0-9. ]{0,24}|\\PC{0,12}") {
            let _ = typed.parse::<Filter>();
        }
    }
}
