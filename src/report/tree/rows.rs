//! Chains and things as plain data. Types, lines and ids alone: what frames hold is never told unasked.

use crate::{
    model::{Model, Task},
    report::location::Location,
    update::{
        Place, Stamp,
        look::{
            Chain, ClaimKind, FrameValues, Holder, Root, TaskLook, Thing, ThingId, Values, Variable, Wait, WaitOn, Who,
        },
    },
};
use serde::Serialize;

/// Of so many tasks of one chain the numbers are told.
const NUMBERS_MOST: usize = 16;

/// Equal chains.
#[derive(Debug, Serialize)]
pub struct ChainRow {
    /// How many tasks sleep like this.
    pub count: u64,
    /// Their numbers, the first ones.
    pub tasks: Vec<u64>,
    /// The thread, of a future that `block_on` runs.
    pub thread: Option<u32>,
    /// `idle`, `woken`, `running` or `complete`.
    pub state: &'static str,
    /// The future's type.
    pub future: String,
    /// The frames, from the outermost in.
    pub frames: Vec<ChainFrame>,
    /// What is waited for.
    pub waits: Vec<Awaited>,
    /// Why the chain is not known.
    pub unread: Option<String>,
    /// What the frames of the first of them hold; there only where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<ValuesRow>,
}

/// What frames hold.
#[derive(Debug, Serialize)]
pub struct ValuesRow {
    /// The number of the task.
    pub task: Option<u64>,
    /// The thread, of a future that `block_on` runs.
    pub thread: Option<u32>,
    /// Its frames that have variables, from the outermost in.
    pub frames: Vec<FrameValuesRow>,
    /// Why they are not known.
    pub unread: Option<String>,
}

/// What one frame holds.
#[derive(Debug, Serialize)]
pub struct FrameValuesRow {
    /// The frame.
    pub name: String,
    /// Where it awaits.
    pub location: Option<Location>,
    /// Its variables.
    pub variables: Vec<VariableRow>,
    /// How many more it has.
    pub left_out: usize,
}

/// A variable.
#[derive(Debug, Serialize)]
pub struct VariableRow {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: String,
    /// Its value, escaped and cut.
    pub value: String,
    /// Whether it owns memory: if it was moved or dropped, this is what is left of it.
    pub owns: bool,
}

/// A frame of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainFrame {
    /// How deep it stands.
    pub depth: u16,
    /// What it is.
    pub name: String,
    /// `async`, `several`, `wrapper`, `leaf` or `opaque`.
    pub kind: &'static str,
    /// `polled`, `held`, `disabled` or `maybe`.
    pub reach: &'static str,
    /// Where it awaits.
    pub location: Option<Location>,
    /// Whether it is the service's own code.
    pub service: bool,
    /// How far in it is drawn.
    #[serde(skip)]
    pub indent: u16,
}

/// Something that is waited for.
#[derive(Debug, Serialize)]
pub struct Awaited {
    /// The frame that waits, an index into the chain's.
    pub frame: u16,
    /// In words.
    pub what: String,
    /// The address of the lock or channel.
    pub thing: Option<String>,
    /// The task whose end is waited for.
    pub task: Option<u64>,
    /// In how many seconds, of a time; less than zero of one that has passed.
    pub due_seconds: Option<f64>,
    /// `proven`, `likely` or `sampled`.
    pub certainty: &'static str,
    /// Which thing.
    #[serde(skip)]
    pub id: Option<ThingId>,
}

/// A lock, a semaphore or a channel.
#[derive(Debug, Serialize)]
pub struct ThingRow {
    /// Its address.
    pub id: String,
    /// What it is.
    pub kind: &'static str,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: Option<String>,
    /// Who refers to it.
    pub names: Vec<String>,
    /// Permits that are free.
    pub free: Option<u64>,
    /// Permits in all.
    pub total: Option<u64>,
    /// Permits that somebody has.
    pub held: Option<u64>,
    /// Permits that are held and that no frame has.
    pub unseen: u64,
    /// Why it is not proven who has it.
    pub doubt: Option<String>,
    /// Messages inside.
    pub messages: Option<u64>,
    /// How many messages fit.
    pub room: Option<u64>,
    /// Who has it.
    pub holders: Vec<HolderRow>,
    /// The numbers of the tasks that wait, first served first; null for one that is none.
    pub queue: Vec<Option<u64>>,
    /// Whether two looks agree on this.
    pub steady: bool,
    /// What it is called.
    #[serde(skip)]
    pub label: String,
    /// Which.
    #[serde(skip)]
    pub key: ThingId,
}

/// Who has a thing.
#[derive(Debug, Serialize)]
pub struct HolderRow {
    /// What of it: `permits`, or an end of a channel, `sender` or `receiver`.
    pub has: &'static str,
    /// The task's number.
    pub task: Option<u64>,
    /// The thread, where its `block_on` future has it.
    pub thread: Option<u32>,
    /// `proven`, `likely` or `sampled`.
    pub certainty: &'static str,
    /// Where it sleeps meanwhile.
    pub location: Option<Location>,
    /// The local variable that has it.
    pub local: Option<String>,
    /// The task in words, and what it awaits.
    #[serde(skip)]
    pub words: String,
}

/// Something that could not be read.
#[derive(Debug, Serialize)]
pub struct UnreadRow {
    /// What.
    pub what: String,
    /// Why, and what would help.
    pub because: String,
}

pub(super) fn task_row(model: &Model, mut tasks: Vec<Task>, now: Stamp, values: &[Values]) -> ChainRow {
    tasks.sort_by_key(|task| task.display_id());
    let first = tasks.first();
    let look = first.and_then(|task| task.look());
    let chain = first.and_then(|task| model.chain_of(task));
    ChainRow {
        count: tasks.len() as u64,
        tasks: tasks.iter().take(NUMBERS_MOST).map(|task| task.display_id()).collect(),
        thread: None,
        state: look.map_or("idle", |look| look.state.name()),
        future: first.map_or_else(String::new, |task| model.task_name(task).to_owned()),
        frames: chain.map_or_else(Vec::new, |chain| frames(chain)),
        waits: look.map_or_else(Vec::new, |look| waits(model, look, now)),
        unread: look.and_then(|look| text(&look.unread)),
        values: first.and_then(|task| task.number()).and_then(|number| values_of(Who::Task(number), values)),
    }
}

fn waits(model: &Model, look: &TaskLook, now: Stamp) -> Vec<Awaited> {
    let row = |wait: &Wait| match wait.on {
        WaitOn::Other => Awaited { what: model.wait_of(look, wait.on, now), ..awaited(model, wait, now) },
        _ => awaited(model, wait, now),
    };
    look.waits.iter().filter(|wait| wait.is_whole()).map(row).collect()
}

pub(super) fn root_row(model: &Model, root: &Root, now: Stamp, values: &[Values]) -> ChainRow {
    let chain = root.chain.and_then(|chain| model.memory().chain(chain));
    ChainRow {
        count: 1,
        tasks: Vec::new(),
        thread: Some(root.thread),
        state: "idle",
        future: root.future.to_string(),
        frames: chain.map_or_else(Vec::new, |chain| frames(chain)),
        waits: root.waits.iter().filter(|wait| wait.is_whole()).map(|wait| awaited(model, wait, now)).collect(),
        unread: text(&root.unread),
        values: values_of(Who::Root(root.thread), values),
    }
}

fn values_of(who: Who, values: &[Values]) -> Option<ValuesRow> {
    values.iter().find(|values| values.of == who).map(values_row)
}

fn values_row(values: &Values) -> ValuesRow {
    let variable = |variable: &Variable| VariableRow {
        name: variable.name.to_string(),
        ty: variable.ty.to_string(),
        value: variable.value.to_string(),
        owns: variable.owns,
    };
    let frame = |frame: &FrameValues| FrameValuesRow {
        name: frame.name.to_string(),
        location: located(&frame.place),
        variables: frame.variables.iter().map(variable).collect(),
        left_out: frame.left_out,
    };
    ValuesRow {
        task: if let Who::Task(number) = values.of { Some(number.get()) } else { None },
        thread: if let Who::Root(thread) = values.of { Some(thread) } else { None },
        frames: values.frames.iter().map(frame).collect(),
        unread: text(&values.unread),
    }
}

pub(super) fn frames(chain: &Chain) -> Vec<ChainFrame> {
    let frame = |(frame, indent): (&crate::update::look::Frame, u16)| ChainFrame {
        indent,
        depth: frame.depth,
        name: frame.name.clone(),
        kind: frame.kind.name(),
        reach: frame.reach.name(),
        location: located(&frame.place),
        service: frame.is_of_service(),
    };
    chain.frames.iter().zip(chain.indents()).map(frame).collect()
}

pub(super) fn awaited(model: &Model, wait: &Wait, now: Stamp) -> Awaited {
    let thing = wait.on.thing();
    let due = |at: Stamp| if at > now { at.since(now).as_secs_f64() } else { -now.since(at).as_secs_f64() };
    Awaited {
        frame: wait.frame,
        what: match thing {
            Some(id) if !matches!(wait.on, WaitOn::Permits { missing: 0, .. }) => model.thing_in_words(id),
            _ => model.wait_in_words(wait.on, now),
        },
        thing: thing.map(address),
        task: if let WaitOn::Join(Some(number)) = wait.on { Some(number.get()) } else { None },
        due_seconds: if let WaitOn::Timer(at) = wait.on { Some(due(at)) } else { None },
        certainty: wait.certainty.name(),
        id: thing,
    }
}

pub(super) fn thing_row(model: &Model, thing: &Thing) -> ThingRow {
    let channel = thing.channel.unwrap_or_default();
    ThingRow {
        id: address(thing.id),
        kind: thing.kind.name(),
        ty: text(&thing.ty),
        names: thing.names.iter().map(ToString::to_string).collect(),
        free: thing.free,
        total: thing.total,
        held: thing.held,
        unseen: thing.unseen,
        doubt: text(&thing.doubt),
        messages: channel.messages,
        room: channel.bound,
        holders: thing.holders.iter().map(|holder| holder_row(model, holder)).collect(),
        queue: thing.queue.iter().map(|waiter| number(waiter.who)).collect(),
        steady: thing.steady,
        label: model.thing_in_words(thing.id),
        key: thing.id,
    }
}

fn holder_row(model: &Model, holder: &Holder) -> HolderRow {
    let who = match holder.who {
        Who::Task(number) => {
            let row = model.tasks().get(model.task_of_number(number));
            let name = row.map(|task| model.task_name(&task).to_owned()).unwrap_or_default();
            format!("task {number} {name}").trim_end().to_owned()
        }
        Who::Root(thread) => format!("the future of block_on on thread {thread}"),
        Who::Unknown => "somebody who is not known".into(),
    };
    HolderRow {
        has: match holder.what {
            ClaimKind::Permits(_) => "permits",
            ClaimKind::Sender => "sender",
            ClaimKind::Receiver => "receiver",
        },
        task: number(holder.who),
        thread: if let Who::Root(thread) = holder.who { Some(thread) } else { None },
        certainty: holder.certainty.name(),
        location: located(&holder.place),
        local: text(&holder.local),
        words: who,
    }
}

fn number(who: Who) -> Option<u64> {
    if let Who::Task(number) = who { Some(number.get()) } else { None }
}

fn address(id: ThingId) -> String {
    format!("{:#x}", id.0)
}

fn located(place: &Place) -> Option<Location> {
    (!place.file.is_empty())
        .then(|| Location { file: place.file.clone(), line: (place.line > 0).then_some(place.line) })
}

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
