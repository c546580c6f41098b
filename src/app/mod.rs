//! What the user is doing: screen, selection, filter, key map. No I/O; of the terminal it knows key and mouse events alone.

mod watched;

pub use watched::{Progress, Reaction, Watched};
