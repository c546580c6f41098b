//! A session at any instant of a recording.

use super::{
    Error, Recording,
    message::{Begins, Recorded},
    nanos,
    segment::{self, Segment},
};
use crate::{diagnose::Settings, model::Retention, session::Session, update::Event};
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

/// Plays a recording.
pub struct Player {
    recording: Recording,
    loaded: Option<Loaded>,
    session: Session,
    moment: Moment,
    /// The event that comes next, in the segment that is loaded.
    next: usize,
    /// How often events were missing on the way.
    jumps: u64,
}

impl Player {
    /// At the beginning of a recording.
    pub fn new(recording: Recording) -> Result<Self, Error> {
        let session = Session::new(&Settings::default(), Retention::default());
        let moment = Moment { at: Duration::ZERO, wall: recording.header().wall };
        let mut player = Self { recording, loaded: None, session, moment, next: 0, jumps: 0 };
        player.begin_near(0)?;
        Ok(player)
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
        let is_near = self.moment.at <= to && self.loaded.as_ref().is_some_and(|loaded| loaded.number == wanted);
        if !is_near {
            self.begin_near(wanted)?;
        }
        while let Some(recorded) = self.peek()?
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
        if is_more
            && let Some(loaded) = &mut self.loaded
            && loaded.segment.is_cut
        {
            // What was read of it stands, and it has more by now.
            if let Some(segment) = self.recording.load(loaded.number)? {
                loaded.segment = segment;
            }
        }
        Ok(is_more)
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
        self.loaded = Some(Loaded { number, segment });
        self.next = 0;
        self.moment = Moment { at, wall };
        Ok(Found::State)
    }

    /// Whether a segment is the one that was written after another.
    fn is_next(&self, number: usize, later: usize) -> bool {
        let places = self.recording.places();
        let [before, after] = [number, later].map(|at| places.get(at).map(|place| place.head.number));
        before.is_some_and(|before| before.checked_add(1) == after)
    }

    /// The next event. Where a segment ends, the next one is loaded, and its state is taken where events are missing before it.
    fn peek(&mut self) -> Result<Option<&Recorded>, Error> {
        loop {
            let Some(loaded) = &self.loaded else { return Ok(None) };
            let (number, is_whole) = (loaded.number, !loaded.segment.is_cut && loaded.segment.unread == 0);
            if self.next < loaded.segment.events.len() {
                break;
            }
            let mut later = number + 1;
            let mut follows = is_whole && self.is_next(number, later);
            loop {
                if later >= self.recording.places().len() {
                    return Ok(None);
                }
                let session = self.session.clone();
                let moment = self.moment;
                if self.begin_at(later)? == Found::State {
                    if follows {
                        // It is the same, unless another version wrote it.
                        self.session = session;
                        self.moment = moment;
                    } else {
                        self.jumps += 1;
                    }
                    break;
                }
                if follows && let Some(segment) = self.recording.load(later)? {
                    self.loaded = Some(Loaded { number: later, segment });
                    self.next = 0;
                    break;
                }
                follows = false;
                later += 1;
            }
        }
        Ok(self.loaded.as_ref().and_then(|loaded| loaded.segment.events.get(self.next)))
    }
}
