//! A session on the record: its events as they came, with states of it in between from which any instant is reached. The same bytes are a file and the
//! past of a live session.
//!
//! ```text
//! message   an event with its time, or a session, as bytes and back        (rows: of tasks' numbers, what differs; unpack: the way back)
//!   segment   a state and the events after it: one frame of zstd
//!     recorder  events in, bytes out; when it is time for another segment
//!       writer    … as a file
//!     file      where a file's segments are, whatever became of it          (frame: where each part ends)
//!       player    a session at any instant of it
//!       history     the last minutes of a session that goes on             (outlines: what is kept where all does not fit)
//!         viewer      both from a thread of their own, for those who must not wait
//!       share     the same without what names the program
//! ```
//!
//! `docs/recording.md` has the format. Nothing here panics over what it reads: what cannot be used is left out, and counted.

mod clock;
mod file;
mod frame;
mod history;
mod marks;
mod message;
mod outlines;
mod player;
mod recorder;
mod rows;
mod segment;
mod share;
#[cfg(test)]
mod tests;
mod unpack;
mod viewer;
mod writer;

pub use clock::wall;
pub use file::{Damage, Recording};
pub use history::{History, Limits};
pub use message::{Begins, FindingMark, Header, Keeps, Mark, MarkKind, SegmentHead, SegmentTail};
pub use player::{Moment, Player};
pub use recorder::{Out, Recorder};
pub use share::{Clock, Shared, share};
pub use viewer::{Seek, TimeLine, View, Viewer};
pub use writer::Writer;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Why a recording cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system says no.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("it is no recording of holdup's: it does not begin as one does; `holdup record` makes them")]
    NoRecording,
    /// It is one of several files.
    #[error("{}: {error}", .path.display())]
    Piece {
        /// Which.
        path: PathBuf,
        /// Why it cannot be read.
        error: Box<Error>,
    },
    /// More than one.
    #[error("these are files of more than one recording; name those of one")]
    Several,
    /// Another version's format.
    #[error(
        "it is of format {0}, and this holdup reads up to {max}; open it with the version that recorded it, or a newer one",
        max = message::FORMAT
    )]
    Newer(u32),
    /// Nothing in it can be shown.
    #[error("nothing can be read in it: it was cut off before its first state was complete, or that is damaged")]
    Nothing,
    /// There is no past to write.
    #[error("nothing of the past is kept: no update has come yet, or the target is too large for a past")]
    NothingKept,
    /// It begins in the middle, and only the version that wrote it knows what was before.
    #[error("it begins in the middle of a session, with a state that holdup {0} wrote; open it with that version")]
    OtherState(String),
    /// What is to be hidden of it is of a form that is not known. It does not happen.
    #[error("what names the program in it cannot be hidden, so that nothing of it is shared")]
    Hiding,
    /// What is to be written has no form. It does not happen.
    #[error("it cannot be written down: {0}")]
    Form(#[from] rmp_serde::encode::Error),
}

impl Error {
    /// The same with the file that it is of.
    fn of(self, path: &Path) -> Self {
        Self::Piece { path: path.to_owned(), error: Box::new(self) }
    }
}

/// A duration in whole nanoseconds.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
