//! Tasks as a look tells them.

use crate::{
    Claim, Place, Task, TaskState,
    bytes::Bytes,
    round::{Found, Known},
    tokio::{
        copy::Kind,
        header::{uint, word},
    },
    workers::Workers,
};
use std::sync::Arc;

pub(super) fn task(workers: &Workers, at: u64, known: &Known, waits: Vec<crate::Wait>, bytes: &dyn Bytes) -> Task {
    let state = known.state;
    let woken = state.notified() || workers.deferred.contains(&at);
    Task {
        number: known.number,
        address: at,
        runtime: workers.by_scheduler.get(&known.scheduler()).copied(),
        local: known.ty().kind == Kind::Local,
        set: workers.sets_of.get(&known.scheduler()).copied(),
        state: if state.running() {
            TaskState::Running
        } else if state.complete() {
            TaskState::Complete
        } else if woken {
            TaskState::Woken
        } else {
            TaskState::Idle
        },
        queued: workers.queued.get(&at).copied().filter(|_| woken && !state.running()).unwrap_or_default(),
        cancelled: state.cancelled(),
        references: u32::try_from(state.references()).unwrap_or(u32::MAX),
        join_interest: state.join_interest(),
        future: Arc::clone(&known.ty().name),
        defined: known.ty().defined.clone(),
        spawned: place(known.spawned, bytes),
        size: u32::try_from(known.ty().size).unwrap_or(u32::MAX),
        chain: known.found.chain.filter(|_| !known.moving),
        unread: match known.moving {
            true if state.running() => Arc::from("it runs, and only the stack of its thread tells where"),
            true => Arc::from("it moved while it was read"),
            false => known.found.unread(),
        },
        waits: waits.into(),
        claims: claims(&known.found),
        panicked: known.found.panicked,
    }
}

pub(super) fn claims(found: &Found) -> Box<[Claim]> {
    let claims = found.claims().iter();
    claims
        .map(|claim| Claim { frame: claim.frame, of: claim.of, what: claim.what, local: Arc::clone(&claim.local) })
        .collect()
}

/// A place in source code, as the compiler leaves it for panics: a text, a line, a column. It is believed if it reads as one.
fn place(at: u64, bytes: &dyn Bytes) -> Option<Place> {
    const LONGEST: u64 = 4096;
    let mut location = [0; 24];
    if !bytes.read(at, &mut location) {
        return None;
    }
    let (text, length) = (word(&location, 0)?, word(&location, 8)?);
    let line = u32::try_from(uint(&location, 16, 4)?).ok().filter(|line| (1..1 << 24).contains(line))?;
    let mut file = vec![0; usize::try_from(length).ok().filter(|_| length <= LONGEST)?];
    let read = bytes.read(text, &mut file);
    let file =
        String::from_utf8(file).ok().filter(|file| read && file.contains(".rs") && !file.contains(char::is_control))?;
    Some(Place { file: file.into(), line })
}
