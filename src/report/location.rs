//! A place in the service's source, as plain data of the JSON.

use serde::Serialize;

/// A place in the service's source.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub file: String,
    /// From 1.
    pub line: Option<u32>,
}

/// A place as findings write it: `file:line`, or a file alone, or that it is not known.
pub(super) fn location(place: &str) -> Option<Location> {
    if place.is_empty() || place == crate::update::Place::default().to_string() {
        return None;
    }
    let with_line = place.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
    Some(match with_line {
        Some((file, line)) => Location { file: file.to_owned(), line: Some(line) },
        None => Location { file: place.to_owned(), line: None },
    })
}
