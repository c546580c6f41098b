//! Which instant is shown: the present, one of the past of a live session, or one of a recording.

use super::{
    input::{bindings::Action, event::Effect},
    state::App,
};
use crate::{
    record::{Seek, TimeLine, View},
    session::Session,
    update::{Event, TaskId},
};
use std::time::{Duration, Instant};

/// How fast a recording can be played, in tenths.
const SPEEDS: [u32; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/// As it was.
const NORMAL: usize = 3;

/// Where what is shown comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tape {
    /// From a target, and nothing of its past is kept.
    #[default]
    Nothing,
    /// From a target, whose past is kept since then.
    Kept(Instant),
    /// From a recording.
    Recording,
}

/// An instant that is shown in place of the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// The display was stopped there. Nothing was played yet.
    Stopped(Duration),
    /// It was played up to there.
    Played(Duration),
}

/// Time passes in what is shown of a recording.
#[derive(Debug, Clone, Copy)]
struct Playing {
    since: Instant,
    from: Duration,
}

/// Which instant is shown.
#[derive(Debug, Default)]
pub struct Past {
    tape: Tape,
    shown: Option<Shown>,
    line: Option<Box<TimeLine>>,
    /// Whether the answer to a request is still welcome.
    is_awaited: bool,
    playing: Option<Playing>,
    speed: usize,
    /// When the time line was asked for last.
    asked: Option<Instant>,
}

const NO_PAST: &str = "no past is kept here: --history says for how long it is to be";

/// While the past is shown, the present goes on, and so does the time line.
const LINE_EVERY: Duration = Duration::from_secs(1);

impl Past {
    pub(super) fn new(tape: Tape) -> Self {
        // Its beginning is on the way.
        Self { tape, speed: NORMAL, is_awaited: tape == Tape::Recording, ..Self::default() }
    }

    /// The instant that is shown, since it began to be recorded; `None` while it is the present, or nothing was kept.
    pub fn shown(&self) -> Option<Duration> {
        self.shown.map(|(Shown::Stopped(at) | Shown::Played(at))| at)
    }

    /// How far the past goes, as far as that is known by now.
    pub fn line(&self) -> Option<&TimeLine> {
        self.line.as_deref()
    }

    /// Whether it is a recording.
    pub fn is_recording(&self) -> bool {
        self.tape == Tape::Recording
    }

    /// How long ago the instant was that is shown of a live session.
    pub fn ago(&self, at: Instant) -> Option<Duration> {
        match (self.tape, self.shown()) {
            (Tape::Kept(began), Some(shown)) => Some(at.saturating_duration_since(began).saturating_sub(shown)),
            _ => None,
        }
    }

    /// Where the present is on the time line.
    pub fn present(&self, at: Instant) -> Option<Duration> {
        match self.tape {
            Tape::Kept(began) => Some(at.saturating_duration_since(began)),
            Tape::Nothing | Tape::Recording => None,
        }
    }

    /// Whether time passes in the recording.
    pub fn is_playing(&self) -> bool {
        self.playing.is_some()
    }

    /// How fast a recording is played.
    pub fn speed(&self) -> f64 {
        f64::from(SPEEDS.get(self.speed).copied().unwrap_or(10)) / 10.0
    }

    fn position(&self, at: Instant) -> Option<Duration> {
        let Playing { since, from } = self.playing?;
        Some(from + at.saturating_duration_since(since).mul_f64(self.speed()))
    }

    /// The display was stopped. Whether there is a time line to ask for.
    pub(super) fn stop(&mut self, at: Instant) -> bool {
        if let Tape::Kept(began) = self.tape {
            self.shown.get_or_insert(Shown::Stopped(at.saturating_duration_since(began)));
        }
        matches!(self.tape, Tape::Kept(_))
    }

    /// The present is shown again.
    pub(super) fn leave(&mut self) {
        if !self.is_recording() {
            (self.shown, self.is_awaited) = (None, false);
        }
    }
}

impl App {
    /// Which instant is shown.
    pub fn past(&self) -> &Past {
        &self.past
    }

    /// What is to be done since time passes: a recording that is played goes on, and so does what happens while the past is shown.
    pub fn tick(&mut self, at: Instant) -> Option<Effect> {
        if let (Tape::Kept(_), Some(_)) = (self.past.tape, self.past.shown)
            && self.past.asked.is_none_or(|asked| at.saturating_duration_since(asked) >= LINE_EVERY)
        {
            self.past.asked = Some(at);
            return Some(Effect::Past(Seek::Line));
        }
        let position = self.past.position(at)?;
        let line = self.past.line()?;
        if position >= line.until && !line.is_open {
            self.past.playing = None;
            self.say("this is the end of the recording", at);
        }
        self.past.is_awaited = true;
        Some(Effect::Past(Seek::To(position)))
    }

    pub(super) fn travel(&mut self, action: Action, at: Instant) -> Vec<Effect> {
        if self.past.tape == Tape::Nothing {
            self.say(NO_PAST, at);
            return Vec::new();
        }
        let shown = self.past.shown;
        let here = self.past.shown();
        let seek = match action {
            Action::Play => return self.play(at),
            Action::Slower => return self.set_speed(self.past.speed.saturating_sub(1), at),
            Action::Faster => return self.set_speed(self.past.speed + 1, at),
            Action::Present => return self.show_the_present(at),
            Action::StepBack => match shown {
                // The first one is on the way.
                None if self.past.is_awaited => vec![Seek::By(-1)],
                None => vec![Seek::Latest(-1)],
                Some(Shown::Stopped(at)) => vec![Seek::To(at), Seek::By(-1)],
                Some(Shown::Played(_)) => vec![Seek::By(-1)],
            },
            Action::StepOn => match shown {
                None => return Vec::new(),
                Some(Shown::Stopped(at)) => vec![Seek::To(at), Seek::By(1)],
                Some(Shown::Played(_)) => vec![Seek::By(1)],
            },
            Action::PreviousMark => vec![Seek::Mark(here.unwrap_or(Duration::MAX), -1)],
            Action::NextMark => vec![Seek::Mark(here.unwrap_or(Duration::MAX), 1)],
            _ => return Vec::new(),
        };
        self.ask(seek)
    }

    pub(super) fn save_the_past(&mut self, at: Instant) -> Vec<Effect> {
        if self.past.tape == Tape::Nothing {
            self.say(NO_PAST, at);
            return Vec::new();
        }
        vec![Effect::Save]
    }

    /// To an instant of the time line.
    pub(super) fn show_instant(&mut self, to: Duration) -> Vec<Effect> {
        self.ask(vec![Seek::To(to)])
    }

    fn ask(&mut self, seeks: Vec<Seek>) -> Vec<Effect> {
        self.past.playing = None;
        self.past.is_awaited = true;
        seeks.into_iter().map(Effect::Past).collect()
    }

    fn play(&mut self, at: Instant) -> Vec<Effect> {
        if self.past.playing.take().is_some() {
            return Vec::new();
        }
        let (Some(shown), Some(line)) = (self.past.shown(), self.past.line()) else { return Vec::new() };
        let is_over = shown >= line.until && !line.is_open;
        let from = if is_over { line.from } else { shown };
        self.past.playing = Some(Playing { since: at, from });
        Vec::new()
    }

    fn set_speed(&mut self, speed: usize, at: Instant) -> Vec<Effect> {
        if let Some(from) = self.past.position(at) {
            self.past.playing = Some(Playing { since: at, from });
        }
        self.past.speed = speed.min(SPEEDS.len() - 1);
        self.say(format!("played at {}×", self.past.speed()), at);
        Vec::new()
    }

    fn show_the_present(&mut self, at: Instant) -> Vec<Effect> {
        if self.past.is_recording() {
            return self.ask(vec![Seek::Latest(0)]);
        }
        let epoch = self.epoch();
        self.past.leave();
        let scope = self.open.thaw();
        self.react(scope, epoch, at)
    }

    /// Takes in what came of a request.
    pub(super) fn look_back(&mut self, view: View, at: Instant) -> Vec<Effect> {
        match view {
            View::Line(line) => self.past.line = Some(line),
            View::Trouble(text) => {
                (self.past.playing, self.past.is_awaited) = (None, false);
                self.say(text, at);
            }
            View::Instant(session, moment) if self.past.is_awaited => return self.show(*session, moment.at, at),
            View::Instant(..) => {}
        }
        Vec::new()
    }

    fn show(&mut self, mut session: Session, shown: Duration, at: Instant) -> Vec<Effect> {
        let reason = "those of then were told only of tasks whose page was open".to_owned();
        session.apply(Event::DetailsUnavailable { task: TaskId::NONE, reason });
        let is_first = self.session().model().now().is_none();
        let epoch = self.epoch();
        let scope = self.open.show(session);
        self.past.shown = Some(Shown::Played(shown));
        let epoch = if is_first { self.epoch() } else { epoch };
        self.react(scope, epoch, at)
    }
}
