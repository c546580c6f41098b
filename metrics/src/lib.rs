//! What holdup and its agent tell Prometheus: which metrics there are, what bounds their series, and how they are written and asked for.
//!
//! ```text
//! table     every metric: name, help, type, unit, labels, and who can tell it
//!   ledger    what of a target has a series of its own, for as long as the target lives
//!     sheet     one scrape of it: values by labels
//!       page      the same, whole
//!         format    pages as text: OpenMetrics 1.0, or Prometheus 0.0.4, as the request asks for
//!           http      one connection, one request
//! ```
//!
//! It reads no clock and knows nothing of where values come from. No value of a label is the number of a task.

#![forbid(unsafe_code)]

mod format;
pub mod http;
mod label;
mod ledger;
mod page;
mod sheet;
mod table;
mod write;

pub use format::Format;
pub use label::{OTHER, cut, location};
pub use ledger::{LOCATIONS, LOCKS, Ledger, RUNTIMES, SERIES, WORKERS};
pub use page::{Counts, Page, Target, Value};
pub use sheet::{Doublings, Sheet};
pub use table::{BOUNDS, Family, Label, Metric, Sources, TABLE, Type, markdown};
