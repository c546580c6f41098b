//! What the user is doing: screen, selection, filter, key map. No I/O; of the terminal it knows key and mouse events alone.

mod distribution;
mod options;
mod screen;
mod watched;

pub use distribution::{Bin, Distribution, PERCENTS, Percentile};
pub use options::{Charset, Options, Palette};
pub use screen::{SCREENS, Screen};
pub use watched::{Progress, Reaction, Watched};
