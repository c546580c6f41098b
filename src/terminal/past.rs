//! The past that the loop can show: what keeps it, what plays it, and what writes it to a file.

use crate::{
    app::{Input, Tape},
    number::humanize_bytes,
    record::{self, History, Limits, Player, Seek, View, Viewer},
    session::Session,
    update::Event,
};
use std::{path::PathBuf, time::Instant};
use tokio::sync::oneshot;

/// What is kept of the past, and who shows it.
#[derive(Default)]
pub struct Past {
    history: Option<History>,
    viewer: Option<Viewer>,
    saving: Option<(PathBuf, oneshot::Receiver<Result<u64, record::Error>>)>,
}

impl Past {
    /// Nothing is kept.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Of the target with this name, from now on.
    pub fn kept(target: &str, began: Instant, limits: Limits) -> Self {
        let history = History::new(target, began, limits);
        let viewer = Viewer::of_history(&history);
        Self { history: Some(history), viewer: Some(viewer), saving: None }
    }

    /// A recording.
    pub fn recorded(player: Player) -> Self {
        Self { viewer: Some(Viewer::of_recording(player)), ..Self::default() }
    }

    /// What that is for the app.
    pub fn tape(&self) -> Tape {
        match (&self.history, &self.viewer) {
            (Some(history), _) => Tape::Kept(history.began()),
            (None, Some(_)) => Tape::Recording,
            (None, None) => Tape::Nothing,
        }
    }

    /// Something happened that `before` has yet to take in.
    pub(super) fn hear(&mut self, at: Instant, event: &Event, before: &Session) {
        if let Some(history) = &mut self.history {
            history.hear(at, event, before);
        }
    }

    /// The session has taken it in.
    pub(super) fn applied(&mut self, at: Instant, session: &Session) {
        if let Some(history) = &mut self.history {
            history.applied(at, session);
        }
    }

    pub(super) fn ask(&self, seek: Seek) {
        if let Some(viewer) = &self.viewer {
            viewer.ask(seek);
        }
    }

    /// Writes it to a file beside where the user is. What came of it is told by [`Past::next`].
    pub(super) fn save(&mut self) {
        // One that is being written has what this one would.
        let (Some(history), None) = (&self.history, &self.saving) else { return };
        let time = jiff::Timestamp::from_nanosecond(record::wall().into()).unwrap_or_default();
        let path = PathBuf::from(format!("holdup-{}.holdup", time.strftime("%Y%m%dT%H%M%SZ")));
        let told = history.save(&path);
        self.saving = Some((path, told));
    }

    /// What came of a request. It waits for ever where nothing was asked for; nothing is lost when it is not waited for to its end.
    pub(super) async fn next(&mut self) -> Input {
        let Self { viewer, saving, .. } = self;
        let view = async {
            match viewer {
                Some(viewer) => viewer.next().await,
                None => std::future::pending().await,
            }
        };
        let saved = async {
            match saving {
                Some((path, told)) => (path.clone(), told.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            view = view => {
                if view.is_none() {
                    self.viewer = None;
                }
                Input::Past(view.unwrap_or_else(|| View::Trouble("the past cannot be shown any more".to_owned())))
            }
            (path, told) = saved => {
                self.saving = None;
                Input::Told(match told {
                    Ok(Ok(bytes)) => format!("{}, {}: `holdup replay` shows it", path.display(), humanize_bytes(bytes)),
                    Ok(Err(error)) => format!("cannot write {}: {error}", path.display()),
                    Err(_) => "nothing was written: too much waits to be recorded; try again".to_owned(),
                })
            }
        }
    }
}
