//! A recording for others: the same session, of which it is seen what goes wrong and not what the program is. Names, fields, addresses, paths, messages of
//! panics and values are replaced by marks; the same text has the same mark, in this file alone.
//!
//! ```text
//! walk     what can be played of a recording
//! mask     a serializer that knows in which field each value stands
//! hide       what is put in the place of a value
//! rules        by its type and its field; what is not listed is hidden
//! text         paths, functions, addresses: part by part
//! words          what is kept
//! marks          what is put in the place of a text
//! ```
//!
//! What is hidden is played into a session of its own and recorded again, so that states, findings and marks of the time line are made of what was hidden
//! already.

mod hide;
mod marks;
mod mask;
mod rules;
#[cfg(test)]
mod tests;
mod text;
mod walk;
mod words;

use super::{Damage, Error, Header, Out, Recorder, Recording, Writer, message};
use crate::{
    session::Session,
    update::{Event, Part},
};
use hide::Hidden;
use mask::Mask;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    cell::RefCell,
    io::{self, Write},
};
use walk::{Step, walk};

/// What becomes of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The recorder's clock begins at zero, and the target's ten years later: what is older than the recording has room before it.
    FromZero,
    /// Both are kept.
    Kept,
}

/// What was shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shared {
    /// Complete updates.
    pub updates: u64,
    /// What was left out, since it is damaged.
    pub left_out: Damage,
}

/// Writes what may be seen of a recording, and says how much that was.
pub fn share<W: Write>(recording: &mut Recording, clock: Clock, to: W) -> Result<(W, Shared), Error> {
    let hidden = RefCell::new(Hidden::new(clock));
    walk(recording, |step| match step {
        Step::Begins(session) => {
            hidden.borrow_mut().tell(session.model().now());
            collect(&*session, &hidden)
        }
        Step::Event(recorded) => {
            if let Event::Update(update) = &recorded.event {
                hidden.borrow_mut().tell(update.now);
            }
            collect(&recorded.event, &hidden)
        }
    })?;
    hidden.borrow_mut().hide();

    let began = recording.header().wall;
    let wall = |wall: u64| if clock == Clock::Kept { wall } else { wall.saturating_sub(began) };
    let target = hidden.borrow_mut().target(&recording.header().target);
    let mut writer = Writer::new(to, &Header::new(&target, wall(began)))?;
    let mut recorder = Recorder::new();
    let mut session: Option<Session> = None;
    let mut updates = 0;
    walk(recording, |step| match step {
        Step::Begins(original) => {
            // Its names stand behind what refers to them.
            collect(&*original, &hidden)?;
            let seen = read(&masked(&*original, &hidden, Form::State)?)?;
            if session.replace(seen).is_some() {
                put(recorder.leave_out()?, &mut writer)?;
            }
            Ok(())
        }
        Step::Event(told) => {
            let Some(session) = &mut session else { return Ok(()) };
            let event: Event = read(&masked(&told.event, &hidden, Form::Event)?)?;
            updates += u64::from(matches!(&event, Event::Update(update) if update.part == Part::Last));
            recorder.push(told.at, wall(told.wall), event.clone(), session)?;
            session.apply(event);
            recorder.applied(told.at, session)?;
            put(recorder.take(told.at)?, &mut writer)
        }
    })?;
    put(recorder.end()?, &mut writer)?;
    Ok((writer.finish()?, Shared { updates, left_out: recording.damage() }))
}

fn put(out: Vec<Out>, writer: &mut Writer<impl Write>) -> Result<(), Error> {
    out.into_iter().try_for_each(|out| writer.put(out))
}

/// How something is written down meanwhile.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// With the names of fields: what is as most are is left out.
    Event,
    /// Without them.
    State,
}

/// Looks at what is in something, and writes it nowhere.
fn collect(value: &impl Serialize, hidden: &RefCell<Hidden>) -> Result<(), Error> {
    let mut nowhere = rmp_serde::Serializer::new(io::sink());
    Ok(erased_serde::serialize(value, Mask::new(&mut nowhere, hidden))?)
}

/// What may be seen of something.
fn masked(value: &impl Serialize, hidden: &RefCell<Hidden>, form: Form) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    match form {
        Form::Event => {
            let mut to = rmp_serde::Serializer::new(&mut bytes).with_struct_map();
            erased_serde::serialize(value, Mask::new(&mut to, hidden))?;
        }
        Form::State => {
            let mut to = rmp_serde::Serializer::new(&mut bytes);
            erased_serde::serialize(value, Mask::new(&mut to, hidden))?;
        }
    }
    Ok(bytes)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    message::read(bytes).ok_or(Error::Hiding)
}
