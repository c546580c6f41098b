//! What the user is doing: screen, selection, filter, key map. No I/O; of the terminal it knows key and mouse events alone.
//!
//! [`App::update`] takes an [`Input`] and tells the [`Effect`]s that it has outside. [`App::prepare`] comes before a frame is drawn, and
//! [`App::shown`] after it. Nothing here knows what anything looks like.

mod act;
mod bindings;
mod briefs;
mod copy;
mod cursor;
mod distribution;
mod filter;
mod filter_parse;
mod finding_lines;
mod flags;
mod input;
mod keys;
mod labels;
mod layers;
mod line;
mod lock_detail;
mod lock_rows;
mod moves;
mod options;
mod order;
mod places;
mod ranking;
mod resource_rows;
mod row_list;
mod screen;
mod shown;
mod sorted;
mod state;
mod survey;
mod task_columns;
mod task_detail;
mod task_list;
mod update;
mod wait_tree;
mod watched;
mod worker_detail;
mod worker_rows;

pub use act::sortable;
pub use bindings::{Action, BINDINGS, Binding, Place, offers};
pub use briefs::{Brief, Briefs};
pub use copy::{measure, subject};
pub use cursor::{Cursor, Rows};
pub use distribution::{Bin, Distribution, PERCENTS, Percentile};
pub use filter::{Filter, Memo, field};
pub use filter_parse::FilterError;
pub use finding_lines::FindingLine;
pub use flags::{Flag, Flags};
pub use input::{Effect, Input};
pub use keys::Key;
pub use labels::{holder_label, lock_label, span_label, task_label, task_name, task_short};
pub use layers::{Body, Layer, Page, PageSubject, Question, Scroll};
pub use line::Line;
pub use lock_detail::{HoldPlaces, LockDetail, PersonColumn, PersonRow, Role, lock_people};
pub use lock_rows::{LockColumn, LockRow, lock_rows};
pub use options::{Charset, Options, Palette};
pub use order::{Direction, Order};
pub use places::{PLACE_COLUMNS, PlaceColumn, Places, Sums};
pub use resource_rows::{
    OpColumn, OpRow, ResourceColumn, ResourceDetail, ResourceRow, Stage, Visibility, attributes, op_rows, resource_rows,
};
pub use row_list::{ListRow, RowList};
pub use screen::{SCREENS, Screen};
pub use shown::{Pace, Region, RowId, Shown, Spot, Window};
pub use state::App;
pub use survey::Source;
pub use task_columns::{Ages, Align, ColumnSpec, Compares, TASK_COLUMNS, TaskColumn, Width};
pub use task_detail::{AwaitedOp, HeldLock, Histograms, Presence, TaskDetail, Times};
pub use task_list::{Listing, TaskList, TaskRows};
pub use wait_tree::{More, Node, TreeLine};
pub use watched::{Progress, Reaction, Watched};
pub use worker_detail::{StallLine, WorkerDetail};
pub use worker_rows::{Doing, WorkerColumn, WorkerRow, worker_rows, workers_load};
