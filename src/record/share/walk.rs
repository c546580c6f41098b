//! What can be played of a recording, in its order: a state wherever one is needed, and the events after it.

use crate::{
    diagnose::Settings,
    model::Retention,
    record::{
        Error, Recording,
        message::{Begins, Recorded},
        segment::{self, Segment},
    },
    session::Session,
};

/// What is played.
pub(super) enum Step<'a> {
    /// The session that goes on: the first one, or another where events are missing.
    Begins(Box<Session>),
    /// What happens next.
    Event(&'a Recorded),
}

/// Goes through a recording as a player does.
pub(super) fn walk(recording: &mut Recording, mut take: impl FnMut(Step) -> Result<(), Error>) -> Result<(), Error> {
    // The segment that the next one goes on from, if it is whole.
    let mut before: Option<u64> = None;
    let mut has_begun = false;
    let mut of_another = false;
    for at in 0..recording.places().len() {
        let Some((number, begins)) = recording.places().get(at).map(|place| (place.head.number, place.head.begins))
        else {
            continue;
        };
        let Some(segment) = recording.load(at)? else {
            before = None;
            continue;
        };
        if before.and_then(|before| before.checked_add(1)) != Some(number) {
            let Some(session) = session(&segment, begins) else {
                of_another = true;
                before = None;
                continue;
            };
            has_begun = true;
            take(Step::Begins(Box::new(session)))?;
        }
        for recorded in &segment.events {
            take(Step::Event(recorded))?;
        }
        before = (!segment.is_cut && segment.unread == 0).then_some(number);
    }
    match (has_begun, of_another) {
        (true, _) => Ok(()),
        (false, true) => Err(Error::OtherState(recording.header().version.clone())),
        (false, false) => Err(Error::Nothing),
    }
}

/// What a segment begins with; `None` where that cannot be read.
fn session(segment: &Segment, begins: Begins) -> Option<Session> {
    let anew = || (begins == Begins::Anew).then(|| Session::new(&Settings::default(), Retention::default()));
    segment::session(&segment.state, begins).or_else(anew)
}
