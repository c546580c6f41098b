//! What an `Update` message of the console's service is made of: its sections, and the entries in them, each by its field number in
//! console-api's `instrument.proto`, `tasks.proto`, `resources.proto`, `async_ops.proto` and `common.proto`.

use super::{field, op, resource, task, time};
use crate::{
    source::codec::{
        read,
        walk::{Schema, Shape, Walker},
    },
    update::{Dropped, Part, Stamp, Update},
};
use console_api as api;
use prost::Message;

/// The console's format. One message is one update.
#[derive(Debug, Default)]
pub(in crate::source) struct Console;

/// A part of the message that holds entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Tasks,
    Resources,
    Ops,
    Metadata,
}

/// A part of a section that is decoded in one go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) enum Entry {
    Now,
    Task,
    TaskStats,
    Resource,
    ResourceStats,
    PollOp,
    Op,
    OpStats,
    Metadata,
}

/// One pair of a `map<uint64, V>`, as it is on the wire. prost collects pairs into a map; here they stay in order. What is
/// absent has its default: encoders leave an empty value out.
#[derive(Clone, PartialEq, Message)]
struct Pair<V: Message + Default + std::fmt::Debug> {
    #[prost(uint64, tag = "1")]
    key: u64,
    #[prost(message, required, tag = "2")]
    value: V,
}

impl Schema for Console {
    type Entry = Entry;

    const MAX_ENTRY: usize = 4 * 1024 * 1024;

    fn at(section: Option<u64>, number: u64) -> Shape<Entry> {
        if section.is_none() && Section::at(number).is_some() {
            return Shape::Section;
        }
        Entry::at(section.and_then(Section::at), number).map_or(Shape::Unknown, Shape::Entry)
    }

    fn number(&mut self, section: Option<u64>, number: u64, value: u64, page: &mut Update) {
        if let Some(section) = section.and_then(Section::at) {
            section.count(number, value, &mut page.dropped);
        }
    }

    fn decode(&mut self, entry: Entry, bytes: &[u8], now: &mut Option<Stamp>, page: &mut Update) {
        entry.decode(bytes, now, page);
    }

    fn end(&mut self, _: &mut Update) -> Part {
        Part::Last
    }
}

impl Section {
    /// The section with this number in an update.
    fn at(number: u64) -> Option<Self> {
        match number {
            2 => Some(Self::Tasks),
            3 => Some(Self::Resources),
            4 => Some(Self::Ops),
            5 => Some(Self::Metadata),
            _ => None,
        }
    }

    /// Adds up a number of this section if it is its count of dropped events.
    fn count(self, number: u64, value: u64, dropped: &mut Dropped) {
        let count = match (self, number) {
            (Self::Tasks, 4) => &mut dropped.tasks,
            (Self::Resources, 4) => &mut dropped.resources,
            (Self::Ops, 3) => &mut dropped.ops,
            _ => return,
        };
        *count = count.saturating_add(value);
    }
}

impl Entry {
    /// The entry with this number in a section, or in the update itself.
    fn at(section: Option<Section>, number: u64) -> Option<Self> {
        match (section, number) {
            (None, 1) => Some(Self::Now),
            (Some(Section::Tasks), 1) => Some(Self::Task),
            (Some(Section::Tasks), 3) => Some(Self::TaskStats),
            (Some(Section::Resources), 1) => Some(Self::Resource),
            (Some(Section::Resources), 2) => Some(Self::ResourceStats),
            (Some(Section::Resources), 3) => Some(Self::PollOp),
            (Some(Section::Ops), 1) => Some(Self::Op),
            (Some(Section::Ops), 2) => Some(Self::OpStats),
            (Some(Section::Metadata), 1) => Some(Self::Metadata),
            _ => None,
        }
    }

    /// Decodes the entry onto the page; the update's own time goes to `now`.
    fn decode(self, bytes: &[u8], now: &mut Option<Stamp>, page: &mut Update) {
        let issues = &mut page.issues;
        match self {
            Self::Now => {
                if let Some(at) = read(bytes, issues) {
                    *now = time::stamp(Some(at), issues);
                }
            }
            Self::Task => {
                let task = read(bytes, issues).and_then(|task| task::new_task(task, issues));
                page.new_tasks.extend(task);
            }
            Self::TaskStats => {
                let stats = read::<Pair<api::tasks::Stats>>(bytes, issues)
                    .and_then(|pair| task::task_stats(pair.key, pair.value, issues));
                page.task_stats.extend(stats);
            }
            Self::Resource => {
                let resource = read(bytes, issues).and_then(|new| resource::new_resource(new, issues));
                page.new_resources.extend(resource);
            }
            Self::ResourceStats => {
                let stats = read::<Pair<api::resources::Stats>>(bytes, issues)
                    .and_then(|pair| resource::resource_stats(pair.key, pair.value, issues));
                page.resource_stats.extend(stats);
            }
            Self::PollOp => {
                let poll = read(bytes, issues).and_then(|poll| resource::poll_op(&poll, issues));
                page.poll_ops.extend(poll);
            }
            Self::Op => {
                let op = read(bytes, issues).and_then(|op| op::new_op(op, issues));
                page.new_ops.extend(op);
            }
            Self::OpStats => {
                let stats = read::<Pair<api::async_ops::Stats>>(bytes, issues)
                    .and_then(|pair| op::op_stats(pair.key, pair.value, issues));
                page.op_stats.extend(stats);
            }
            Self::Metadata => {
                let metadata = read(bytes, issues).and_then(|new| field::new_metadata(new, issues));
                page.metadata.extend(metadata);
            }
        }
    }
}

/// One message of a console that is here as a whole → pages of an update. What of it cannot be used is counted in them.
pub fn decode(message: &[u8]) -> Vec<Update> {
    let (mut walker, mut pages) = (Walker::<Console>::default(), Vec::new());
    walker.begin(message.len());
    walker.feed(message, &mut pages);
    pages.push(walker.end());
    pages
}
