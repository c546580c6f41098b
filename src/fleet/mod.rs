//! Many targets at once: a session for each, fed by a task of its own, and what is told of each in a few lines.
//!
//! ```text
//! crew      the sessions, and who feeds them; one is lent to whoever shows it whole
//!   brief     what of one is told to all: where it stands, how much there is, its findings
//! ```
//!
//! Nobody waits for anybody: a target that never answers costs a task that sleeps.

mod brief;
mod crew;

pub use brief::{Brief, FINDINGS_MOST, Standing, Told};
pub use crew::{Crew, Loan};
