//! What the latest frame showed, so that a click means what stood under it, and a page is as long as it looked.

use crate::{
    app::{
        input::bindings::Action,
        screens::Screen,
        tasks::{columns::TaskColumn, groups::GroupKey},
    },
    diagnose::FindingId,
    update::{OpId, ResourceId, RuntimeId, TaskId, WorkerId},
};
use std::time::Duration;

/// A part of the screen, in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// The leftmost column.
    pub x: u16,
    /// The topmost row.
    pub y: u16,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Region {
    /// Whether a cell lies in it.
    pub fn contains(self, column: u16, row: u16) -> bool {
        let inside = |at: u16, from: u16, length: u16| at >= from && at - from < length;
        inside(column, self.x, self.width) && inside(row, self.y, self.height)
    }
}

/// What a click there means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HitArea {
    /// A tab.
    Tab(Screen),
    /// The head of a column of the task list.
    Head(TaskColumn),
    /// The head of a column of another list, counted as that list does.
    Column(usize),
    /// A row of a list.
    Row(RowId),
    /// What a key would do.
    Key(Action),
    /// An instant of the time line.
    Instant(Duration),
}

/// What a row of a list stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowId {
    /// A finding.
    Finding(FindingId),
    /// A step of a finding's story.
    Step(StepId),
    /// A task.
    Task(TaskId),
    /// Several tasks that have something in common.
    Group(GroupKey),
    /// A lock or another resource.
    Resource(ResourceId),
    /// An operation, and the task that it is of.
    Op(OpId),
    /// A worker.
    Worker(WorkerId),
    /// A line of a menu.
    Line(usize),
    /// A target among many, by its place.
    Target(usize),
    /// A finding of a target among many.
    FindingOf(usize, FindingId),
}

/// A step of a story: what it is about, and which of the steps about that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StepId {
    /// What it is about.
    pub about: StepAbout,
    /// How many stand before it that are about the same.
    pub turn: usize,
}

/// What a step of a story is about, by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepAbout {
    /// A task.
    Task(TaskId),
    /// A lock or another resource.
    Resource(ResourceId),
    /// A spawn location.
    Place,
    /// A runtime.
    Runtime(RuntimeId),
    /// A worker.
    Worker(WorkerId),
    /// Nothing that has an id.
    Nothing,
}

/// How soon what is shown will look different by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Pace {
    /// Not before something happens.
    #[default]
    Still,
    /// A second counts.
    Slow,
    /// A clock runs.
    Fast,
}

impl Pace {
    /// How long the frame stays true.
    pub fn period(self) -> Option<Duration> {
        match self {
            Self::Still => None,
            Self::Slow => Some(Duration::from_secs(1)),
            Self::Fast => Some(Duration::from_millis(125)),
        }
    }
}

/// The part of a list that was visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// The first row.
    pub offset: usize,
    /// How many rows there was room for.
    pub rows: usize,
}

/// What a frame showed.
#[derive(Debug, Clone, Default)]
pub struct LastFrame {
    hits: Vec<(Region, HitArea)>,
    /// The window onto the list, if a list was shown.
    pub window: Option<Window>,
    /// How far the text on top can be scrolled, if it can.
    pub scroll_most: usize,
    /// How soon it will look different by itself.
    pub pace: Pace,
}

impl LastFrame {
    /// Notes what a click somewhere means. What is noted later lies on top.
    pub fn hit(&mut self, region: Region, area: HitArea) {
        self.hits.push((region, area));
    }

    /// Lets nothing below be clicked: something lies over all of it.
    pub fn cover(&mut self) {
        self.hits.clear();
        self.window = None;
    }

    /// What a click there means.
    pub fn at(&self, column: u16, row: u16) -> Option<HitArea> {
        self.hits.iter().rev().find(|(region, _)| region.contains(column, row)).map(|&(_, area)| area)
    }

    /// Asks for another frame that soon.
    pub fn hurry(&mut self, pace: Pace) {
        self.pace = self.pace.max(pace);
    }
}
