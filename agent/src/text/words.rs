//! What is called how, in text.

use crate::{
    read::changes,
    view::{Location, Owner, TaskView},
};
use std::{
    fmt::{self, Display, Write as _},
    time::Duration,
};

/// Text that somebody else chose, without anything that moves a terminal's cursor.
pub(crate) fn plain(text: &str) -> impl Display + '_ {
    Plain(text)
}

struct Plain<'a>(&'a str);

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| {
            if letter.is_control() { write!(f, "{}", letter.escape_default()) } else { f.write_char(letter) }
        })
    }
}

/// A time span, in three digits or so.
pub(crate) fn span(span: Duration) -> String {
    /// From here on seconds are enough.
    const LONG: Duration = Duration::from_secs(100);
    match span {
        Duration::ZERO => "0s".into(),
        long if long >= LONG => humantime::format_duration(Duration::from_secs(long.as_secs())).to_string(),
        short => format!("{short:.2?}"),
    }
}

/// A place in the source; that it is not known where it is not.
pub(crate) fn place(location: Option<&Location>) -> String {
    location.map_or_else(|| "an unknown place".into(), |at| format!("{}:{}", plain(at.file), at.line))
}

/// A task, by tokio's number, its name if it has one, and where it was spawned.
pub(crate) fn task(view: &TaskView) -> String {
    let name = view.name.as_ref().map_or_else(String::new, |name| format!(" {}", plain(name)));
    format!("{} {}{name} ({})", view.kind.as_str(), view.tokio_id, place(view.location))
}

/// The same by its id; 0 for none.
pub(crate) fn task_of(id: u64) -> String {
    match changes::task(id) {
        Some(view) => task(&view),
        None if id == 0 => "no task".into(),
        None => "a task that is no longer known".into(),
    }
}

/// Whoever has a lock.
pub(crate) fn owner(owner: &Owner) -> String {
    match owner {
        Owner::Task(id) => task_of(*id),
        Owner::Thread { tid, name } => format!("thread {} (tid {tid})", plain(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_chose_moves_no_cursor() {
        assert_eq!(plain("a\u{1b}[2Jb\nü").to_string(), "a\\u{1b}[2Jb\\nü");
    }

    #[test]
    fn spans_are_short() {
        let said = |millis| span(Duration::from_millis(millis));
        assert_eq!([said(0), said(12), said(3_421), said(7_263_421)], ["0s", "12.00ms", "3.42s", "2h 1m 3s"]);
    }
}
