//! The list of resources, and the list of the operations on one: rows, and the columns that they can be sorted by.

use crate::{
    app::{
        filter::field,
        frame::RowId,
        list::column::{Align, ColumnSpec, Direction, Width},
        list::rows::ListRow,
    },
    model::{Attr, Model, Op, Outcome, PlaceId, Sym},
    update::{OpId, ResourceId, Stamp, TaskId},
};
use std::{cmp::Ordering, time::Duration};

/// One resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceRow {
    /// Its id.
    pub id: ResourceId,
    /// What it is known by.
    pub number: u64,
    /// The number of what it is a part of.
    pub parent: Option<u64>,
    /// Such as `Sync` or `timer`.
    pub kind: Sym,
    /// Its age, or its whole life; `None` where it is not told.
    pub total: Option<Duration>,
    /// The module of the runtime that it comes from.
    pub target: Sym,
    /// Such as `Mutex`.
    pub concrete_type: Sym,
    /// Whether somebody wrote it down.
    pub visibility: Visibility,
    /// Where it was made.
    pub place: PlaceId,
    /// Whether it still exists.
    pub gone: bool,
}

/// Whether the service's author wrote a resource down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Visibility {
    /// They did.
    Public,
    /// It is a part of another.
    Internal,
}

/// A column of the list of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResourceColumn {
    /// Its number.
    Id,
    /// What it is a part of.
    Parent,
    /// Such as `Sync`.
    Kind,
    /// Its age.
    Total,
    /// The module that it comes from.
    Target,
    /// Such as `Mutex`.
    Type,
    /// Public or internal.
    Visibility,
    /// Where it was made.
    Location,
    /// Its state.
    Attributes,
}

impl ListRow for ResourceRow {
    type Id = ResourceId;
    type Column = ResourceColumn;

    const COLUMNS: &'static [ColumnSpec<ResourceColumn>] = &[
        ColumnSpec::new(ResourceColumn::Id, "ID", Align::Right, Width::Whole(3, 10), 0),
        ColumnSpec::new(ResourceColumn::Parent, "Parent", Align::Right, Width::Fit(6, 10), 3),
        ColumnSpec::new(ResourceColumn::Kind, "Kind", Align::Left, Width::Fit(5, 12), 2),
        ColumnSpec::new(ResourceColumn::Total, "Total", Align::Right, Width::Fixed(7), 0),
        ColumnSpec::new(ResourceColumn::Target, "Target", Align::Left, Width::Fit(8, 24), 5),
        ColumnSpec::new(ResourceColumn::Type, "Type", Align::Left, Width::Fit(6, 20), 0),
        ColumnSpec::new(ResourceColumn::Visibility, "Vis", Align::Left, Width::Fixed(4), 4),
        ColumnSpec::new(ResourceColumn::Location, "Location", Align::Left, Width::Fit(12, 40), 0),
        ColumnSpec::new(ResourceColumn::Attributes, "Attributes", Align::Left, Width::Fill(22, 60), 1),
    ];

    /// The oldest first, as they were made.
    const ORDER: (ResourceColumn, Direction) = (ResourceColumn::Total, Direction::Descending);

    fn id(&self) -> ResourceId {
        self.id
    }
    fn row(id: ResourceId) -> RowId {
        RowId::Resource(id)
    }
    fn of_row(row: RowId) -> Option<ResourceId> {
        if let RowId::Resource(id) = row { Some(id) } else { None }
    }

    fn text(&self, column: ResourceColumn, model: &Model) -> Option<String> {
        (column == ResourceColumn::Attributes)
            .then(|| model.resources().get(self.id).map_or_else(String::new, |row| attributes(model, &row.attributes)))
    }

    fn compare(&self, other: &Self, column: ResourceColumn, model: &Model) -> Ordering {
        match column {
            ResourceColumn::Id => self.number.cmp(&other.number),
            ResourceColumn::Parent => self.parent.cmp(&other.parent),
            ResourceColumn::Kind => texts(model, self.kind, other.kind),
            ResourceColumn::Total => self.total.cmp(&other.total),
            ResourceColumn::Target => texts(model, self.target, other.target),
            ResourceColumn::Type => texts(model, self.concrete_type, other.concrete_type),
            ResourceColumn::Visibility => self.visibility.cmp(&other.visibility),
            ResourceColumn::Location => places(model, self.place, other.place),
            ResourceColumn::Attributes => self.text(column, model).cmp(&other.text(column, model)),
        }
    }
}

impl ResourceRow {
    /// One resource's row; `None` where there is no such resource.
    pub fn of(model: &Model, id: ResourceId, now: Stamp) -> Option<Self> {
        let resource = model.resources().get(id)?;
        Some(Self {
            id,
            number: resource.number.into(),
            parent: resource.parent.map(|parent| model.resource_number(parent)),
            kind: resource.kind,
            total: resource.created.map(|created| resource.dropped.unwrap_or(now).since(created)),
            target: resource.target,
            concrete_type: resource.concrete_type,
            visibility: if resource.internal { Visibility::Internal } else { Visibility::Public },
            place: resource.place,
            gone: resource.dropped.is_some(),
        })
    }
}

/// Every resource, in no order.
pub fn resource_rows(model: &Model, now: Stamp) -> Vec<ResourceRow> {
    model.resources().iter().filter_map(|(_, resource)| ResourceRow::of(model, resource.id, now)).collect()
}

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpRow {
    /// Its id.
    pub id: OpId,
    /// What it is a part of.
    pub parent: Option<OpId>,
    /// Who polled it last.
    pub task: Option<TaskId>,
    /// The method.
    pub source: Sym,
    /// Its age, or its whole life; `None` where it is not told.
    pub total: Option<Duration>,
    /// Time inside its polls.
    pub busy: Duration,
    /// The rest.
    pub idle: Option<Duration>,
    /// Its polls.
    pub polls: u64,
    /// Where it stands.
    pub stage: Stage,
}

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// A task waits on it.
    Waiting,
    /// It was made, and not polled.
    Made,
    /// It has what it asked for.
    Done,
    /// It was dropped, and is not known to have had it.
    Dropped,
}

impl Stage {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Made => "made",
            Self::Done => "done",
            Self::Dropped => "dropped",
        }
    }
}

/// A column of the list of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OpColumn {
    /// The instrumentation's id.
    Id,
    /// What it is a part of.
    Parent,
    /// Where it stands.
    Stage,
    /// Who polled it last.
    Task,
    /// The method.
    Source,
    /// Its age.
    Total,
    /// Time inside its polls.
    Busy,
    /// The rest.
    Idle,
    /// Its polls.
    Polls,
    /// Its state.
    Attributes,
}

impl ListRow for OpRow {
    type Id = OpId;
    type Column = OpColumn;

    const COLUMNS: &'static [ColumnSpec<OpColumn>] = &[
        ColumnSpec::new(OpColumn::Id, "ID", Align::Right, Width::Whole(3, 10), 0),
        ColumnSpec::new(OpColumn::Parent, "Parent", Align::Right, Width::Fit(6, 10), 3),
        ColumnSpec::new(OpColumn::Stage, "State", Align::Left, Width::Fixed(9), 4),
        ColumnSpec::new(OpColumn::Task, "Task", Align::Left, Width::Fit(8, 30), 0),
        ColumnSpec::new(OpColumn::Source, "Source", Align::Left, Width::Fit(12, 24), 0),
        ColumnSpec::new(OpColumn::Total, "Total", Align::Right, Width::Fixed(7), 0),
        ColumnSpec::new(OpColumn::Busy, "Busy", Align::Right, Width::Fixed(7), 2),
        ColumnSpec::new(OpColumn::Idle, "Idle", Align::Right, Width::Fixed(7), 0),
        ColumnSpec::new(OpColumn::Polls, "Polls", Align::Right, Width::Fixed(6), 0),
        ColumnSpec::new(OpColumn::Attributes, "Attributes", Align::Left, Width::Fill(22, 60), 1),
    ];

    /// Those that have lasted longest first.
    const ORDER: (OpColumn, Direction) = (OpColumn::Total, Direction::Descending);

    fn id(&self) -> OpId {
        self.id
    }
    fn row(id: OpId) -> RowId {
        RowId::Op(id)
    }
    fn of_row(row: RowId) -> Option<OpId> {
        if let RowId::Op(id) = row { Some(id) } else { None }
    }

    fn text(&self, column: OpColumn, model: &Model) -> Option<String> {
        (column == OpColumn::Attributes)
            .then(|| model.ops().get(self.id).map_or_else(String::new, |row| attributes(model, &row.attributes)))
    }

    fn compare(&self, other: &Self, column: OpColumn, model: &Model) -> Ordering {
        match column {
            OpColumn::Id => self.id.cmp(&other.id),
            OpColumn::Parent => self.parent.cmp(&other.parent),
            OpColumn::Stage => self.stage.cmp(&other.stage),
            OpColumn::Task => {
                let name = |row: &Self| {
                    let task = row.task?;
                    Some((model.tasks().get(task).map(|task| model.task_name(&task)), task))
                };
                name(self).cmp(&name(other))
            }
            OpColumn::Source => texts(model, self.source, other.source),
            OpColumn::Total => self.total.cmp(&other.total),
            OpColumn::Busy => self.busy.cmp(&other.busy),
            OpColumn::Idle => self.idle.cmp(&other.idle),
            OpColumn::Polls => self.polls.cmp(&other.polls),
            OpColumn::Attributes => self.text(column, model).cmp(&other.text(column, model)),
        }
    }
}

/// The operations on a resource, and on the parts of it, in no order.
pub fn op_rows(model: &Model, resource: ResourceId, now: Stamp) -> Vec<OpRow> {
    let Some(row) = model.resources().get(resource) else { return Vec::new() };
    let parts = row.parts.iter().filter_map(|&part| model.resources().get(part));
    let ops = std::iter::once(row).chain(parts).flat_map(|resource| model.ops_on(resource));
    ops.map(|op| op_row(op, now)).collect()
}

fn op_row(op: &Op, now: Stamp) -> OpRow {
    let total = op.created.map(|created| op.dropped.unwrap_or(now).since(created));
    let stage = match (op.outcome, op.dropped) {
        (Outcome::Complete, _) => Stage::Done,
        (Outcome::Pending, Some(_)) => Stage::Dropped,
        (Outcome::Pending, None) if op.is_waiting() => Stage::Waiting,
        (Outcome::Pending, None) => Stage::Made,
    };
    OpRow {
        id: op.id,
        parent: op.parent,
        task: op.task,
        source: op.source,
        total,
        busy: op.polls.busy,
        idle: total.map(|total| total.saturating_sub(op.polls.busy)),
        polls: op.polls.count,
        stage,
    }
}

/// What a resource's page says above its list of operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceDetail {
    /// As in the list.
    pub row: ResourceRow,
    /// What it is a part of, in words.
    pub parent: Option<String>,
    /// What its parts are, in words; at most a few.
    pub parts: Vec<String>,
    /// Its attributes, each as `name=value`.
    pub attributes: Vec<String>,
}

/// A page names at most this many parts, and this many attributes.
const PARTS: usize = 16;

impl ResourceDetail {
    /// A resource as it is; `None` where there is none of that id, or no longer.
    pub fn of(model: &Model, id: ResourceId, now: Stamp) -> Option<Self> {
        let resource = model.resources().get(id)?;
        let label = |id: ResourceId| match model.resources().get(id) {
            Some(resource) => format!("{} {id}", model.text(resource.concrete_type)),
            None => format!("{id}"),
        };
        Some(Self {
            row: ResourceRow::of(model, id, now)?,
            parent: resource.parent.map(label),
            parts: resource.parts.iter().take(PARTS).map(|&part| label(part)).collect(),
            attributes: resource.attributes.iter().take(PARTS).map(|attr| attribute(model, attr)).collect(),
        })
    }
}

/// Attributes in one line.
pub fn attributes(model: &Model, attributes: &[Attr]) -> String {
    let texts: Vec<String> = attributes.iter().take(PARTS).map(|attr| attribute(model, attr)).collect();
    texts.join(" ")
}

fn attribute(model: &Model, attr: &Attr) -> String {
    let unit = model.text(attr.unit);
    field(model.text(attr.name), &attr.value) + unit
}

fn texts(model: &Model, a: Sym, b: Sym) -> Ordering {
    if a == b { Ordering::Equal } else { model.text(a).cmp(model.text(b)) }
}

fn places(model: &Model, a: PlaceId, b: PlaceId) -> Ordering {
    let place = |id: PlaceId| {
        let place = model.place(id);
        (&place.file, place.line, place.column)
    };
    if a == b { Ordering::Equal } else { place(a).cmp(&place(b)) }
}
