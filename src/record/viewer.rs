//! A recording, or the past of a session, played by a thread of its own: whoever looks at an instant has it a little later, and need not wait for it.

use super::{
    Error, History, Keeps, Mark, Moment, Player,
    history::{Kept, Said},
    nanos,
    player::Origin,
};
use crate::session::Session;
use std::{
    fmt,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel},
    thread,
    time::Duration,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How often it is looked for what was written since.
const FOLLOWED_EVERY: Duration = Duration::from_secs(1);

/// What is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seek {
    /// Nothing else: how far the past goes by now.
    Line,
    /// The first instant of which something is known.
    First,
    /// An instant.
    To(Duration),
    /// So many steps on from what is shown, or back where it is negative.
    By(i64),
    /// The latest step, and so many from there.
    Latest(i64),
    /// What happened so many marks after an instant, or before it where it is negative.
    Mark(Duration, i64),
}

/// How far the past goes, and what happened in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimeLine {
    /// From when on, since it began to be recorded.
    pub from: Duration,
    /// Until when.
    pub until: Duration,
    /// Stretches in between of which nothing is known.
    pub gaps: Vec<(Duration, Duration)>,
    /// Stretches of which no more is kept than what was found, what that names, and sums.
    pub outlined: Vec<(Duration, Duration)>,
    /// What happened.
    pub marks: Vec<Mark>,
    /// When it was, by the recorder's wall clock: instants of the recording, and what the clock said then.
    pub walls: Vec<(Duration, u64)>,
    /// Whether it is still written.
    pub is_open: bool,
    /// How many bytes of it there are.
    pub bytes: u64,
    /// Why there is not more of it.
    pub why: Option<String>,
}

impl TimeLine {
    /// When what happened so many marks after an instant was, or before it where it is negative. Marks of one instant count as one.
    fn mark(&self, from: Duration, by: i64) -> Option<Duration> {
        let mut instants: Vec<u64> = self.marks.iter().map(|mark| mark.at).collect();
        instants.sort_unstable();
        instants.dedup();
        let from = nanos(from);
        let nth = usize::try_from(by.unsigned_abs()).ok()?;
        let at = if by < 0 {
            instants.partition_point(|at| *at < from).checked_sub(nth)?
        } else {
            instants.partition_point(|at| *at <= from) + nth.checked_sub(1)?
        };
        // What the ring has let go of cannot be shown.
        let at = Duration::from_nanos(*instants.get(at)?);
        (at >= self.from).then_some(at)
    }

    /// What the recorder's wall clock said, in nanoseconds since the Unix epoch.
    pub fn wall_at(&self, at: Duration) -> u64 {
        let before = self.walls.iter().rev().find(|(then, _)| *then <= at).or(self.walls.first());
        before.map_or(0, |(then, wall)| {
            wall.saturating_add(nanos(at.saturating_sub(*then))).saturating_sub(nanos(then.saturating_sub(at)))
        })
    }
}

/// What came of a request.
pub enum View {
    /// An instant.
    Instant(Box<Session>, Moment),
    /// The time line as it is by now.
    Line(Box<TimeLine>),
    /// It cannot be shown, and why.
    Trouble(String),
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instant(_, moment) => f.debug_tuple("Instant").field(moment).finish_non_exhaustive(),
            Self::Line(line) => f.debug_tuple("Line").field(line).finish(),
            Self::Trouble(text) => f.debug_tuple("Trouble").field(text).finish(),
        }
    }
}

/// Plays what is asked for.
pub struct Viewer {
    to: Sender<Seek>,
    views: UnboundedReceiver<View>,
}

impl Viewer {
    /// Of a recording.
    pub fn of_recording(player: Player) -> Self {
        Self::begin(Playing { of: Of::Recording, player: Some(player.with_checkpoints()), line: TimeLine::default() })
    }

    /// Of the past of a session.
    pub fn of_history(history: &History) -> Self {
        Self::begin(Playing { of: Of::History(history.sender()), player: None, line: TimeLine::default() })
    }

    /// Asks for something. Of many requests at once the last ones count.
    pub fn ask(&self, seek: Seek) {
        // Where nobody plays any more nothing comes.
        let _ = self.to.send(seek);
    }

    /// What came of it; `None` when nothing will come any more.
    pub async fn next(&mut self) -> Option<View> {
        self.views.recv().await
    }

    fn begin(playing: Playing) -> Self {
        let (to, from) = channel();
        let (tell, views) = unbounded_channel();
        let spawned = thread::Builder::new().name("holdup-viewer".into()).spawn(move || playing.run(&from, &tell));
        if let Err(error) = spawned {
            tracing::warn!(%error, "the past cannot be shown");
        }
        Self { to, views }
    }
}

/// What is played.
enum Of {
    History(SyncSender<Said>),
    Recording,
}

struct Playing {
    of: Of,
    player: Option<Player>,
    line: TimeLine,
}

/// Requests, put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Line,
    Instant(Origin, i64),
    Mark(Duration, i64),
}

impl Wanted {
    fn and(self, seek: Seek) -> Self {
        match (self, seek) {
            (wanted, Seek::Line) => wanted,
            (_, Seek::First) => Self::Instant(Origin::First, 0),
            (_, Seek::To(at)) => Self::Instant(Origin::At(at), 0),
            (_, Seek::Latest(by)) => Self::Instant(Origin::End, by),
            (Self::Mark(from, before), Seek::Mark(_, by)) => Self::Mark(from, before.saturating_add(by)),
            (_, Seek::Mark(from, by)) => Self::Mark(from, by),
            (Self::Line | Self::Mark(..), Seek::By(by)) => Self::Instant(Origin::Here, by),
            (Self::Instant(origin, before), Seek::By(by)) => Self::Instant(origin, before.saturating_add(by)),
        }
    }
}

impl Playing {
    fn run(mut self, from: &Receiver<Seek>, tell: &UnboundedSender<View>) {
        loop {
            let first = match from.recv_timeout(FOLLOWED_EVERY) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) if self.is_followed() => Seek::Line,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let wanted = from.try_iter().fold(Wanted::Line.and(first), Wanted::and);
            let result = self.play(wanted, tell);
            let told = result.map_or_else(|error| tell.send(View::Trouble(error.to_string())), Ok);
            if told.is_err() {
                return;
            }
        }
    }

    /// Whether it grows by itself, so that nobody needs to ask for that.
    fn is_followed(&self) -> bool {
        matches!(self.of, Of::Recording) && self.player.as_ref().is_some_and(|player| !player.recording().is_closed())
    }

    fn play(&mut self, wanted: Wanted, tell: &UnboundedSender<View>) -> Result<(), Error> {
        let news = self.refresh()?;
        let Some(player) = &mut self.player else {
            if wanted != Wanted::Line {
                let why = news.why.unwrap_or_else(|| "there is no past yet".into());
                let _ = tell.send(View::Trouble(why));
            }
            return Ok(());
        };
        if news.is_more {
            let line = time_line(player, news.why)?;
            if line != self.line {
                self.line = line.clone();
                let _ = tell.send(View::Line(Box::new(line)));
            }
        }
        match wanted {
            Wanted::Line => return Ok(()),
            Wanted::Instant(origin, by) => player.visit(origin, by)?,
            Wanted::Mark(from, by) => {
                let Some(at) = self.line.mark(from, by) else {
                    let where_to = if by < 0 { "before" } else { "after" };
                    let _ = tell.send(View::Trouble(format!("no finding began or ended {where_to} that")));
                    return Ok(());
                };
                player.visit(Origin::At(at), 0)?;
            }
        }
        let _ = tell.send(View::Instant(Box::new(player.session().clone()), player.moment()));
        Ok(())
    }

    /// Looks for what came since.
    fn refresh(&mut self) -> Result<News, Error> {
        let Of::History(history) = &self.of else {
            let is_first = self.line == TimeLine::default();
            let is_more = self.player.as_mut().map_or(Ok(false), Player::refresh)?;
            return Ok(News { is_more: is_more || is_first, why: None });
        };
        let (tell, told) = sync_channel(1);
        // Where the thread is gone, what there was is still shown.
        let _ = history.send(Said::Look(tell));
        let Ok(Kept { recording, why }) = told.recv() else { return Ok(News { is_more: false, why: None }) };
        match &mut self.player {
            _ if recording.segments().len() == 0 => self.player = None,
            Some(player) => player.replace(recording)?,
            None => self.player = Some(Player::new(recording)?.with_checkpoints()),
        }
        Ok(News { is_more: true, why })
    }
}

/// What came since it was looked.
struct News {
    is_more: bool,
    /// Why there is not more, where the past says so.
    why: Option<String>,
}

fn time_line(player: &mut Player, why: Option<String>) -> Result<TimeLine, Error> {
    let (from, until) = player.span()?;
    let recording = player.recording();
    let mut line =
        TimeLine { from, until, is_open: !recording.is_closed(), bytes: recording.size(), why, ..TimeLine::default() };
    let mut before: Option<(u64, Option<u64>)> = None;
    let mut outlined = None;
    for (head, tail) in recording.segments() {
        let at = Duration::from_nanos(head.at);
        line.outlined.extend(outlined.take().map(|from| (from, at)));
        if head.keeps == Keeps::Outline {
            outlined = Some(at);
        }
        line.walls.push((Duration::from_nanos(head.at), head.wall));
        line.marks.extend(tail.into_iter().flat_map(|tail| tail.marks.iter().cloned()));
        if let Some((number, Some(ended))) = before
            && (Some(head.number) != number.checked_add(1) || head.keeps == Keeps::Outline)
        {
            line.gaps.push((Duration::from_nanos(ended), at));
        }
        before = (head.keeps == Keeps::All).then(|| (head.number, tail.map(|tail| tail.until)));
    }
    line.outlined.extend(outlined.map(|from| (from, until)));
    Ok(line)
}
