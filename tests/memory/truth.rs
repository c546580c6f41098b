//! What a victim tells of itself.

use holdup_memory::Who;
use serde_json::Value;
use std::collections::BTreeMap;

/// All of it.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Truth {
    /// By who awaits, in the order in which they began to.
    pub(crate) frames: BTreeMap<Who, Vec<Frame>>,
    pub(crate) holds: Vec<Hold>,
    pub(crate) facts: BTreeMap<String, String>,
    /// Each way through the functions at the end of which a task has ever slept.
    pub(crate) paths: Vec<String>,
}

/// An async function that sleeps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    /// No two are the same, however often it goes on.
    pub(crate) id: u64,
    pub(crate) function: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    /// It is kept, and not polled any more.
    pub(crate) held: bool,
    pub(crate) waits: Vec<What>,
}

/// What is waited for, or had.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct What {
    pub(crate) kind: String,
    pub(crate) near: Vec<u64>,
    pub(crate) within: u64,
    pub(crate) number: u64,
    pub(crate) other: String,
}

/// Somebody has something; nobody who can be named where `who` is `None`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hold {
    pub(crate) id: u64,
    pub(crate) who: Option<Who>,
    pub(crate) what: What,
    pub(crate) local: String,
}

impl What {
    /// Whether this address is one of it.
    pub(crate) fn is_at(&self, at: u64) -> bool {
        self.near.iter().any(|near| (*near..near.saturating_add(self.within)).contains(&at))
    }

    fn parse(value: &Value) -> Self {
        Self {
            kind: text(&value["kind"]),
            near: value["near"].as_array().unwrap().iter().map(number).collect(),
            within: number(&value["within"]),
            number: number(&value["number"]),
            other: text(&value["other"]),
        }
    }
}

impl Truth {
    pub(crate) fn parse(lines: &[String]) -> Self {
        let mut truth = Self::default();
        for line in lines {
            let value: Value = serde_json::from_str(line).unwrap();
            let who = match (value["task"].as_u64(), value["thread"].as_u64()) {
                (Some(task), _) => Some(Who::Task(task)),
                (_, Some(thread)) => Some(Who::Root(u32::try_from(thread).unwrap())),
                _ => None,
            };
            if let Some(id) = value["frame"].as_u64() {
                let waits = value["waits"].as_array().unwrap().iter().map(What::parse).collect();
                truth.frames.entry(who.unwrap()).or_default().push(Frame {
                    id,
                    function: text(&value["function"]),
                    file: text(&value["file"]),
                    line: u32::try_from(number(&value["line"])).unwrap(),
                    held: value["held"] == true,
                    waits,
                });
            } else if let Some(id) = value["hold"].as_u64() {
                let what = What::parse(&value["what"]);
                truth.holds.push(Hold { id, who, what, local: text(&value["local"]) });
            } else if let Some(path) = value["path"].as_str() {
                truth.paths.push(path.into());
            } else {
                truth.facts.insert(text(&value["fact"]), text(&value["value"]));
            }
        }
        truth
    }

    /// Whether somebody waits for the thing at this address.
    pub(crate) fn waits(&self, who: Who, at: u64) -> bool {
        self.frames
            .get(&who)
            .is_some_and(|frames| frames.iter().flat_map(|frame| &frame.waits).any(|what| what.is_at(at)))
    }

    /// The facts whose names begin so, as numbers.
    pub(crate) fn numbers(&self, name: &str) -> Vec<u64> {
        self.facts
            .iter()
            .filter(|(fact, _)| fact.starts_with(name))
            .filter_map(|(_, value)| value.parse().ok())
            .collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().into()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}
