//! What the user is doing: screen, selection, filter, key map. No I/O; of the terminal it knows key and mouse events alone.
//!
//! [`App::update`] takes an [`Input`] and tells the [`Effect`]s that it has outside. [`App::prepare`] comes before a frame is drawn, and
//! [`App::shown`] after it. Nothing here knows what anything looks like.

pub(crate) mod act;
pub(crate) mod clipboard;
pub(crate) mod filter;
pub(crate) mod findings;
pub(crate) mod fleet;
pub(crate) mod frame;
pub(crate) mod histogram;
pub(crate) mod input;
pub(crate) mod labels;
pub(crate) mod layer;
pub(crate) mod list;
pub(crate) mod locks;
pub(crate) mod open_session;
pub(crate) mod options;
pub(crate) mod page;
pub(crate) mod panel;
pub(crate) mod panels;
pub(crate) mod past;
pub(crate) mod resources;
pub(crate) mod screens;
pub(crate) mod scroll;
pub(crate) mod state;
pub(crate) mod tasks;
pub(crate) mod tour;
pub(crate) mod update;
pub(crate) mod workers;

pub use act::sortable;
pub use clipboard::{measure, subject};
pub use filter::parse::FilterError;
pub use filter::{Cache, Cx, Filter, field};
pub use findings::lines::FindingLine;
pub use findings::page::{FindingDetail, FindingPage, Listed};
pub use findings::panel::FindingList;
pub use fleet::{FindingAt, Fleet, FleetEffect, FleetScreen, Over};
pub use frame::{HitArea, LastFrame, Pace, Region, RowId, StepAbout, StepId, Window};
pub use histogram::{Bin, Distribution, PERCENTS, Percentile};
pub use input::bindings::{Action, BINDINGS, Binding, Context, offers};
pub use input::event::{Effect, Input};
pub use input::key::Key;
pub use input::line::Line;
pub use labels::{holder_label, lock_label, span_label, task_label, task_name, task_short};
pub use layer::{Layer, Question};
pub use list::column::{Align, ColumnSpec, Direction, Width};
pub use list::cursor::{Cursor, Rows};
pub use list::panel::ListPanel;
pub use list::rows::{ListRow, RowList};
pub use locks::list::{LockColumn, LockRow, lock_rows};
pub use locks::page::{HoldPlaces, LockDetail, LockUserColumn, LockUserRow, Role, lock_users};
pub use locks::panel::LockPage;
pub use locks::wait_tree::{Node, TreeLine};
pub use options::{Charset, Options, Palette, StackForm};
pub use page::Page;
pub use panel::PageSubject;
pub use panels::Panels;
pub use past::{Past, Tape};
pub use resources::list::{
    OpColumn, OpRow, ResourceColumn, ResourceDetail, ResourceRow, Stage, Visibility, attributes, op_rows, resource_rows,
};
pub use resources::panel::ResourcePage;
pub use screens::{SCREENS, Screen, ScreenSpec};
pub use scroll::Scroll;
pub use state::App;
pub use tasks::columns::{Ages, Compares, TASK_COLUMNS, TaskColumn};

pub use tasks::groups::{GROUP_COLUMNS, GroupBy, GroupColumn, GroupKey, Groups, Sums};
pub use tasks::list::{Listing, TaskList, TaskRows};
pub use tasks::order::Order;
pub use tasks::page::{AwaitedOp, HeldLock, Histograms, Presence, TaskDetail, Times};
pub use tasks::panel::TaskPage;
pub use tasks::scan::Source;
pub use tour::{STOPS, Stop, Tour};
pub use workers::list::{WorkerColumn, WorkerRow, WorkerState, worker_rows, workers_load};
pub use workers::page::{StallLine, WorkerDetail};
pub use workers::panel::WorkerPage;
