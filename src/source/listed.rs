//! Lists of targets, as files have them: one in each line, or Prometheus' `file_sd` as JSON, which is told by how it begins.

use super::{ParseTargetError, Target, bounded};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

/// Of more targets than this a list is a mistake.
const MOST: usize = 1_000;

/// A target of a list, with what the list says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTarget {
    /// Where it is.
    pub target: Target,
    /// Names and values of labels, by name. Each name is one that Prometheus takes, and no two are the same.
    pub labels: Vec<(String, String)>,
}

/// Why a list is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// There is no file that can be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It is not text.
    #[error("it is not UTF-8")]
    NotText,
    /// A line is no target.
    #[error("line {line}: {source}")]
    Target {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        source: ParseTargetError,
    },
    /// It is JSON and no `file_sd`.
    #[error("line {line}, column {column}: {reason}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A target stands in it twice.
    #[error("{0} stands in it twice")]
    Twice(Target),
    /// It is too long.
    #[error("it has more than {MOST} targets")]
    TooMany,
}

/// Reads a list of a file, of 1 MiB at the most.
pub fn read_list(path: &Path) -> Result<Vec<ListedTarget>, ListError> {
    let read = bounded::open_file(path).and_then(bounded::read_bounded);
    let bytes = read.map_err(|error| ListError::Unreadable(error.to_string()))?;
    parse_list(&bytes)
}

/// Reads a list. An empty one has no targets.
pub fn parse_list(bytes: &[u8]) -> Result<Vec<ListedTarget>, ListError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ListError::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let listed = if is_json(text) { of_json(text)? } else { of_lines(text)? };
    if listed.len() > MOST {
        return Err(ListError::TooMany);
    }
    let mut seen = HashSet::new();
    match listed.iter().find(|listed| !seen.insert(listed.target.to_string())) {
        Some(again) => Err(ListError::Twice(again.target.clone())),
        None => Ok(listed),
    }
}

/// A target may begin with a bracket as well, that of an IPv6 address.
fn is_json(text: &str) -> bool {
    let inside = text.trim_start().strip_prefix('[').map(str::trim_start);
    inside.is_some_and(|inside| inside.is_empty() || inside.starts_with(['{', ']', '"']))
}

fn of_lines(text: &str) -> Result<Vec<ListedTarget>, ListError> {
    let without_comment = |line: &'_ str| line.split_once('#').map_or(line.len(), |(target, _)| target.len());
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line[..without_comment(line)].trim()));
    lines
        .filter(|(_, target)| !target.is_empty())
        .map(|(line, target)| match target.parse() {
            Ok(target) => Ok(ListedTarget { target, labels: Vec::new() }),
            Err(source) => Err(ListError::Target { line, source }),
        })
        .collect()
}

fn of_json(text: &str) -> Result<Vec<ListedTarget>, ListError> {
    let groups: Vec<Group> = serde_json::from_str(text).map_err(|error| ListError::Json {
        line: error.line(),
        column: error.column(),
        // The error says where at its end, which the list says at its beginning.
        reason: error
            .to_string()
            .rsplit_once(" at line ")
            .map_or_else(|| error.to_string(), |(what, _)| what.to_owned()),
    })?;
    let of_group = |Group { targets, labels }: Group| {
        let is_for_others = |name: &Name| name.0.starts_with("__");
        let labels: Vec<(String, String)> =
            labels.into_iter().filter(|(name, _)| !is_for_others(name)).map(|(name, value)| (name.0, value)).collect();
        targets.into_iter().map(move |target| ListedTarget { target: target.0, labels: labels.clone() })
    };
    Ok(groups.into_iter().flat_map(of_group).collect())
}

/// As Prometheus has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    targets: Vec<Typed>,
    #[serde(default)]
    labels: BTreeMap<Name, String>,
}

struct Typed(Target);

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let typed = String::deserialize(from)?;
        typed.parse().map(Self).map_err(|error| D::Error::custom(format_args!("target {typed:?}: {error}")))
    }
}

/// A label's name: letters, digits and `_`, and no digit first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        let mut letters = name.bytes();
        let first = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
        if first && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_') {
            return Ok(Self(name));
        }
        Err(D::Error::custom(format_args!(
            "label {name:?}: its name is to have letters, digits and _ alone, and no digit first"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Vec<(String, Vec<(String, String)>)> {
        let listed = parse_list(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
        listed.into_iter().map(|listed| (listed.target.to_string(), listed.labels)).collect()
    }

    fn refused(text: &str) -> String {
        parse_list(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_list_has_a_target_in_each_line() {
        let text =
            "# those of the shop\norders:6669   # the first\n\n  4242\r\nunix:///run/x.sock\nname:orders\n[::1]:7\n";
        let targets: Vec<String> = listed(text).into_iter().map(|(target, _)| target).collect();
        assert_eq!(targets, ["http://orders:6669", "pid:4242", "unix:///run/x.sock", "name:orders", "http://[::1]:7"]);
        assert_eq!(listed("[::1]:7\n")[0].0, "http://[::1]:7");
        assert!(listed("").is_empty() && listed("# nobody\n").is_empty() && listed("[]").is_empty());
    }

    #[test]
    fn file_sd_is_told_by_how_it_begins_and_keeps_its_labels() {
        let text = r#" [
            {"targets": ["a:1", "4242"], "labels": {"env": "prod", "__meta_zone": "x", "_team": "shop"}},
            {"targets": ["b:1"]}
        ]"#;
        let labels = vec![("_team".to_owned(), "shop".to_owned()), ("env".to_owned(), "prod".to_owned())];
        let expected = [("http://a:1", labels.clone()), ("pid:4242", labels), ("http://b:1", Vec::new())];
        assert_eq!(listed(text), expected.map(|(target, labels)| (target.to_owned(), labels)));
        assert_eq!(listed("\u{feff}[{\"targets\":[]}]"), []);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        assert!(refused("a:1\n\nb:0\n").starts_with("line 3: \"0\" is not a port"), "{}", refused("a:1\n\nb:0\n"));
        let json = "[\n  {\"targets\": [\"a:1\",\n    \"b:0\"]}\n]";
        assert!(refused(json).starts_with("line 3, column "), "{}", refused(json));
        assert!(refused(json).contains("target \"b:0\": \"0\" is not a port"), "{}", refused(json));
        for (text, said) in [
            ("[{\"targets\": [\"a:1\"], \"label\": {}}]", "unknown field `label`"),
            ("[{\"targets\": [\"a:1\"], \"labels\": {\"a-b\": \"x\"}}]", "label \"a-b\": its name is"),
            ("[{\"targets\": [\"a:1\"], \"labels\": {\"1a\": \"x\"}}]", "label \"1a\": its name is"),
            ("[{\"targets\": [\"a:1\"], \"labels\": {\"\": \"x\"}}]", "label \"\": its name is"),
            ("[{\"targets\": [\"a:1\"], \"labels\": {\"é\": \"x\"}}]", "label \"é\": its name is"),
            ("[{\"labels\": {}}]", "missing field `targets`"),
            ("[\"a:1\"]", "line 1, column"),
            ("[", "line 1, column"),
            ("a:1\nhttp://a:1/\n", "http://a:1 stands in it twice"),
        ] {
            assert!(refused(text).contains(said), "{text}: {}", refused(text));
        }
        assert_eq!(parse_list(b"a:1\n\xff").unwrap_err(), ListError::NotText);
        let many = (0..=MOST).map(|at| format!("host-{at}")).collect::<Vec<_>>().join("\n");
        assert_eq!(parse_list(many.as_bytes()).unwrap_err(), ListError::TooMany);
        assert!(matches!(read_list(Path::new("/nonexistent/list")), Err(ListError::Unreadable(_))));
    }
}
