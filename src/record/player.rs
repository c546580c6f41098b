//! A session at any instant of a recording.

use super::{
    Error, Recording,
    file::Place,
    message::{Begins, Keeps, Recorded},
    nanos,
    segment::{self, Segment},
};
use crate::{
    diagnose::Settings,
    model::Retention,
    session::Session,
    update::{Event, Part},
};
use std::time::Duration;

/// An instant of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Since the recording began.
    pub at: Duration,
    /// By the recorder's wall clock, in nanoseconds since the Unix epoch.
    pub wall: u64,
}

/// What of a recording is in memory.
struct Loaded {
    number: usize,
    segment: Segment,
}

/// What a segment begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// A state that can be read.
    State,
    /// One that another version wrote.
    OfAnother,
    /// Nothing that can be believed.
    Damaged,
}

/// How far it was played: up to an event of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cursor {
    /// The segment, as the recording has them.
    number: usize,
    /// The event that comes next.
    next: usize,
}

/// The session as it was at an event of the segment that is loaded.
struct Checkpoint {
    next: usize,
    moment: Moment,
    session: Session,
}

/// An event of a segment that shows another instant: a complete update, or news of the connection.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// The event that comes after it.
    next: usize,
    at: Duration,
}

/// From where steps are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Where it is.
    Here,
    /// The first step at which something is known of the target.
    First,
    /// The last step until then.
    At(Duration),
    /// The end, which is behind the last step.
    End,
}

/// All checkpoints of a segment are to take no more than this, if each shared nothing with the others.
const CHECKPOINTS: usize = 64 << 20;

/// As many as these are enough, however small they are.
const MOST_CHECKPOINTS: usize = 16;

/// Plays a recording.
pub struct Player {
    recording: Recording,
    loaded: Option<Loaded>,
    session: Session,
    moment: Moment,
    /// The event that comes next, in the segment that is loaded.
    next: usize,
    /// From which the way back begins, and how many there may be.
    checkpoints: Vec<Checkpoint>,
    most_checkpoints: usize,
    /// The steps of the segment that was looked at last.
    steps: Option<(usize, Vec<Step>)>,
    /// How often events were missing on the way.
    jumps: u64,
}

impl Player {
    /// At the beginning of a recording.
    pub fn new(recording: Recording) -> Result<Self, Error> {
        let session = Session::new(&Settings::default(), Retention::default());
        let moment = Moment { at: Duration::ZERO, wall: recording.header().wall };
        let mut player = Self {
            recording,
            loaded: None,
            session,
            moment,
            next: 0,
            checkpoints: Vec::new(),
            most_checkpoints: 0,
            steps: None,
            jumps: 0,
        };
        player.begin_near(0)?;
        Ok(player)
    }

    /// For whoever goes back and forth: the way back is short, and takes memory.
    pub(super) fn with_checkpoints(mut self) -> Self {
        self.most_checkpoints = MOST_CHECKPOINTS;
        self
    }

    /// What is played.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    /// The session as it was.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// When that was.
    pub fn moment(&self) -> Moment {
        self.moment
    }

    /// When the first event came, and the last one as far as it is known.
    pub fn span(&mut self) -> Result<(Duration, Duration), Error> {
        let places = self.recording.places();
        let (Some(first), Some(last)) = (places.first(), places.last()) else { return Err(Error::Nothing) };
        let (first, tail, begins) = (first.head.at, last.tail.as_ref().map(|tail| tail.until), last.head.at);
        let until = if let Some(until) = tail {
            Duration::from_nanos(until)
        } else {
            let segment = self.recording.load(self.recording.places().len() - 1)?;
            let last = segment.and_then(|segment| segment.events.last().map(|recorded| recorded.at));
            last.unwrap_or(Duration::from_nanos(begins))
        };
        Ok((Duration::from_nanos(first), until))
    }

    /// How late it was by the recorder's wall clock.
    pub fn wall_at(&self, at: Duration) -> u64 {
        let places = self.recording.places();
        let before = places.iter().rev().find(|place| place.head.at <= nanos(at));
        let head = before.or(places.first()).map(|place| &place.head);
        head.map_or(0, |head| head.wall.saturating_add(nanos(at).saturating_sub(head.at)))
    }

    /// When it was so late by the recorder's wall clock.
    pub fn at_wall(&self, wall: u64) -> Duration {
        let places = self.recording.places();
        let before = places.iter().rev().find(|place| place.head.wall <= wall);
        let head = before.or(places.first()).map(|place| &place.head);
        head.map_or(Duration::ZERO, |head| {
            let since = i128::from(wall) - i128::from(head.wall) + i128::from(head.at);
            Duration::from_nanos(u64::try_from(since).unwrap_or(0))
        })
    }

    /// How often the session went on from a later state, since events were missing on the way.
    pub fn jumps(&self) -> u64 {
        self.jumps
    }

    /// Takes in the next event, and tells when it came and what it was. `None` at the end.
    pub fn step(&mut self) -> Result<Option<Event>, Error> {
        let Some(Recorded { at, wall, event }) = self.peek()?.cloned() else { return Ok(None) };
        self.next += 1;
        self.moment = Moment { at, wall };
        self.session.apply(event.clone());
        self.keep_checkpoint();
        Ok(Some(event))
    }

    /// When the next event comes.
    pub fn next_at(&mut self) -> Result<Option<Duration>, Error> {
        Ok(self.peek()?.map(|recorded| recorded.at))
    }

    /// To an instant: what came until then was taken in, and nothing that came later.
    pub fn seek(&mut self, to: Duration) -> Result<(), Error> {
        let places = self.recording.places();
        let wanted = places.partition_point(|place| place.head.at <= nanos(to)).saturating_sub(1);
        self.begin_before(wanted, |moment, _| moment.at <= to)?;
        // Never beyond: the state of a later segment is one of later.
        while let Some(recorded) = self.peek_within(wanted)?
            && recorded.at <= to
        {
            self.step()?;
        }
        self.moment.wall = self.moment.wall.saturating_add(nanos(to.saturating_sub(self.moment.at)));
        self.moment.at = to.max(self.moment.at);
        Ok(())
    }

    /// Looks for what was written since; whether there is more.
    pub fn refresh(&mut self) -> Result<bool, Error> {
        let is_more = self.recording.refresh()?;
        if is_more {
            self.reload()?;
        }
        Ok(is_more)
    }

    /// Goes so many steps on, or back where it is negative; at either end it stays there.
    pub(super) fn visit(&mut self, from: Origin, by: i64) -> Result<(), Error> {
        let last = self.recording.places().len().saturating_sub(1);
        let (mut cursor, mut by) = match from {
            Origin::First => {
                self.go_to_the_first()?;
                (self.cursor().unwrap_or(Cursor { number: 0, next: 0 }), by)
            }
            Origin::Here => (self.cursor().unwrap_or(Cursor { number: 0, next: 0 }), by),
            Origin::At(at) => (self.locate(at)?, by),
            Origin::End => (Cursor { number: last, next: usize::MAX }, by.min(0).saturating_sub(1)),
        };
        while by != 0 {
            let left = usize::try_from(by.unsigned_abs()).unwrap_or(usize::MAX);
            let steps = self.steps(cursor.number)?;
            if by < 0 {
                let before = steps.partition_point(|step| step.next < cursor.next);
                if let Some(at) = before.checked_sub(left) {
                    cursor.next = steps.get(at).map_or(0, |step| step.next);
                    break;
                }
                if cursor.number == 0 {
                    cursor.next = 0;
                    if !self.begins_anew() {
                        break;
                    }
                    // There is nothing to see before the first step.
                    by = 1;
                    continue;
                }
                by += before as i64;
                cursor = Cursor { number: cursor.number - 1, next: usize::MAX };
            } else {
                let after = steps.partition_point(|step| step.next <= cursor.next);
                if let Some(step) = steps.get(after.saturating_add(left - 1)) {
                    cursor.next = step.next;
                    break;
                }
                if cursor.number >= last {
                    cursor.next = steps.last().map_or(cursor.next, |step| step.next.max(cursor.next));
                    break;
                }
                by -= (steps.len() - after) as i64;
                cursor = Cursor { number: cursor.number + 1, next: 0 };
            }
        }
        self.go(cursor)
    }

    /// To the first step at which something is known of the target; to the last one, where nothing ever was.
    fn go_to_the_first(&mut self) -> Result<(), Error> {
        self.visit(Origin::At(Duration::ZERO), 0)?;
        while self.session.model().attached().is_none() {
            let before = self.cursor();
            self.visit(Origin::Here, 1)?;
            if self.cursor() == before {
                break;
            }
        }
        Ok(())
    }

    /// There is more of what is played, or less: segments are known by when they began.
    pub(super) fn replace(&mut self, recording: Recording) -> Result<(), Error> {
        let which = |place: &Place| (place.head.at, place.head.keeps);
        let loaded = self.loaded.as_ref().and_then(|loaded| self.recording.places().get(loaded.number).map(which));
        self.recording = recording;
        self.steps = None;
        let is_same = |place: &Place| Some(which(place)) == loaded;
        match (self.recording.places().iter().position(is_same), &mut self.loaded) {
            (Some(at), Some(loaded)) => {
                loaded.number = at;
                self.reload()?;
            }
            _ => self.loaded = None,
        }
        Ok(())
    }

    /// Reads more of the segment that was read as far as it was there.
    fn reload(&mut self) -> Result<(), Error> {
        let Some(loaded) = self.loaded.as_mut().filter(|loaded| loaded.segment.is_cut) else { return Ok(()) };
        // What was read of it stands.
        if let Some(segment) = self.recording.load(loaded.number)? {
            loaded.segment = segment;
        }
        self.steps = None;
        Ok(())
    }

    fn begins_anew(&self) -> bool {
        self.recording.places().first().is_some_and(|place| place.head.begins == Begins::Anew)
    }

    fn cursor(&self) -> Option<Cursor> {
        Some(Cursor { number: self.loaded.as_ref()?.number, next: self.next })
    }

    /// The last step until then.
    fn locate(&mut self, at: Duration) -> Result<Cursor, Error> {
        let places = self.recording.places();
        let mut number = places.partition_point(|place| place.head.at <= nanos(at)).saturating_sub(1);
        // What is damaged shows what was before it.
        while number > 0 && self.steps(number)?.is_empty() {
            number -= 1;
        }
        let next = self.steps(number)?.iter().rev().find(|step| step.at <= at).map_or(0, |step| step.next);
        Ok(Cursor { number, next })
    }

    /// The steps of a segment; none where it is damaged.
    fn steps(&mut self, number: usize) -> Result<&[Step], Error> {
        if self.steps.as_ref().is_none_or(|(known, _)| *known != number) {
            let steps = match &self.loaded {
                Some(loaded) if loaded.number == number => steps(&loaded.segment),
                _ => self.recording.load(number)?.as_ref().map_or_else(Vec::new, steps),
            };
            self.steps = Some((number, steps));
        }
        Ok(self.steps.as_ref().map_or(&[], |(_, steps)| steps))
    }

    /// Plays up to there.
    fn go(&mut self, to: Cursor) -> Result<(), Error> {
        self.begin_before(to.number, |_, next| next <= to.next)?;
        while self.cursor().is_some_and(|cursor| cursor < to) && self.peek_within(to.number)?.is_some() {
            self.step()?;
        }
        Ok(())
    }

    /// To where playing begins, for whoever wants to be in that segment: where it is, a checkpoint, or the segment's beginning.
    fn begin_before(&mut self, number: usize, is_before: impl Fn(&Moment, usize) -> bool) -> Result<(), Error> {
        if self.cursor().is_none_or(|cursor| cursor.number != number) {
            return self.begin_near(number);
        }
        let is_here = is_before(&self.moment, self.next);
        let mut checkpoints = self.checkpoints.iter().rev();
        let nearest = checkpoints.find(|checkpoint| is_before(&checkpoint.moment, checkpoint.next));
        match nearest {
            Some(checkpoint) if !is_here || checkpoint.next > self.next => {
                self.session = checkpoint.session.clone();
                self.moment = checkpoint.moment;
                self.next = checkpoint.next;
                Ok(())
            }
            _ if is_here => Ok(()),
            _ => self.begin_near(number),
        }
    }

    /// Keeps the session as it is now, where that is worth its memory.
    fn keep_checkpoint(&mut self) {
        let Some(loaded) = self.loaded.as_ref().filter(|_| self.most_checkpoints > 0) else { return };
        let most = (CHECKPOINTS / self.session.model().bytes().max(1)).clamp(1, self.most_checkpoints);
        let every = loaded.segment.events.len().div_ceil(most).max(1);
        let is_known = self.checkpoints.last().is_some_and(|last| last.next >= self.next);
        if self.next.is_multiple_of(every) && !is_known {
            let (next, moment, session) = (self.next, self.moment, self.session.clone());
            self.checkpoints.push(Checkpoint { next, moment, session });
        }
    }

    fn enter(&mut self, number: usize, segment: Segment) {
        self.loaded = Some(Loaded { number, segment });
        self.next = 0;
        self.checkpoints.clear();
        self.keep_checkpoint();
    }

    /// The beginning of a segment, or of the nearest one before it whose state can be read; where there is none, of the first one after it.
    fn begin_near(&mut self, wanted: usize) -> Result<(), Error> {
        let mut found = Found::Damaged;
        for number in (0..=wanted).rev() {
            found = self.begin_at(number)?;
            if found == Found::State {
                return Ok(());
            }
        }
        match found {
            Found::OfAnother => Err(Error::OtherState(self.recording.header().version.clone())),
            _ => self.begin_after(wanted),
        }
    }

    fn begin_after(&mut self, number: usize) -> Result<(), Error> {
        for later in number + 1..self.recording.places().len() {
            if self.begin_at(later)? == Found::State {
                return Ok(());
            }
        }
        Err(Error::Nothing)
    }

    /// The beginning of a segment, if its state can be read.
    fn begin_at(&mut self, number: usize) -> Result<Found, Error> {
        let Some(place) = self.recording.places().get(number) else { return Ok(Found::Damaged) };
        let (begins, at, wall) = (place.head.begins, Duration::from_nanos(place.head.at), place.head.wall);
        let Some(segment) = self.recording.load(number)? else { return Ok(Found::Damaged) };
        let session = segment::session(&segment.state, begins).or_else(|| {
            let is_anew = begins == Begins::Anew;
            is_anew.then(|| Session::new(&Settings::default(), Retention::default()))
        });
        let Some(session) = session else { return Ok(Found::OfAnother) };
        self.session = session;
        self.moment = Moment { at, wall };
        self.enter(number, segment);
        Ok(Found::State)
    }

    /// Whether a segment is the one that was written after another.
    fn is_next(&self, number: usize, later: usize) -> bool {
        let places = self.recording.places();
        let [before, after] = [number, later]
            .map(|at| places.get(at).filter(|place| place.head.keeps == Keeps::All).map(|place| place.head.number));
        after.is_some() && before.is_some_and(|before| before.checked_add(1) == after)
    }

    /// The next event. Where a segment ends, the next one is loaded, and its state is taken where events are missing before it.
    fn peek(&mut self) -> Result<Option<&Recorded>, Error> {
        self.peek_within(usize::MAX)
    }

    /// The same, up to the end of this segment.
    fn peek_within(&mut self, last: usize) -> Result<Option<&Recorded>, Error> {
        loop {
            let Some(loaded) = &self.loaded else { return Ok(None) };
            if self.next < loaded.segment.events.len() {
                break;
            }
            let is_whole = !loaded.segment.is_cut && loaded.segment.unread == 0;
            let number = loaded.number;
            let mut later = number + 1;
            let mut follows = is_whole && self.is_next(number, later);
            loop {
                if later >= self.recording.places().len() || later > last {
                    return Ok(None);
                }
                // Its state is the one that it has come to.
                if follows && let Some(segment) = self.recording.load(later)? {
                    self.enter(later, segment);
                    break;
                }
                if self.begin_at(later)? == Found::State {
                    self.jumps += 1;
                    break;
                }
                follows = false;
                later += 1;
            }
        }
        Ok(self.loaded.as_ref().and_then(|loaded| loaded.segment.events.get(self.next)))
    }
}

fn steps(segment: &Segment) -> Vec<Step> {
    let events = segment.events.iter().enumerate();
    let shows_another = |event: &Event| match event {
        Event::Update(update) => update.part == Part::Last,
        Event::Connection(_) => true,
        _ => false,
    };
    let steps = events.filter(|(_, recorded)| shows_another(&recorded.event));
    steps.map(|(at, recorded)| Step { next: at + 1, at: recorded.at }).collect()
}
