//! What the frames of one task have, read by itself: its cell, what its walk reads, and its cell once more. Of a root the same, by the
//! bytes of its future on its thread's stack.

use super::{Tools, values};
use crate::{
    FrameValues,
    bytes::Bytes,
    debug::TypeId,
    future::{frames::Frames, planner::Plans, view::View, walk::Walker},
    round::Known,
    tokio::{
        copy::Copy,
        header::{HEADER, Header, uint, word},
    },
};
use std::{sync::Arc, time::Duration};

/// How often a task that moves is read again.
const TRIES: usize = 3;
/// A larger future is on no stack.
const MOST_BYTES: usize = 8 << 20;

/// What a task is read with.
pub(crate) struct Sources<'a> {
    pub(crate) bytes: &'a dyn Bytes,
    pub(crate) copy: &'a Copy,
    pub(crate) plans: &'a mut Plans,
    pub(crate) frames: &'a mut Frames,
    /// The process's monotonic clock.
    pub(crate) now: Duration,
}

/// The values of the future that a thread runs by itself, which stands here; or why they are not known.
pub(crate) fn root(at: u64, ty: TypeId, sources: &mut Sources<'_>) -> Result<Vec<FrameValues>, Arc<str>> {
    let size = usize::try_from(sources.copy.debug.ty(ty).size).ok().filter(|size| *size <= MOST_BYTES);
    let size = size.ok_or_else(|| Arc::from("it is too large"))?;
    let (mut before, mut after) = (vec![0; size], vec![0; size]);
    for _ in 0..TRIES {
        if !sources.bytes.read(at, &mut before) {
            return Err(Arc::from("its thread's stack cannot be read"));
        }
        let (told, wrong) = walked(at, &before, at, ty, sources);
        if sources.bytes.read(at, &mut after) && before == after {
            return wrong.map_or(Ok(told), Err);
        }
    }
    Err(Arc::from("it moved while it was read"))
}

/// What the frames have of the future that stands here, within what was read from `start` on; and what is wrong with it.
fn walked(
    start: u64,
    cell: &[u8],
    at: u64,
    ty: TypeId,
    sources: &mut Sources<'_>,
) -> (Vec<FrameValues>, Option<Arc<str>>) {
    let copy = sources.copy;
    let dynamic = |vtable: u64| copy.dynamic(vtable);
    let mut view = View::new(sources.bytes, start, cell);
    let mut standing = Vec::new();
    let seen =
        Walker { plans: sources.plans, frames: sources.frames, dynamic: &dynamic, standing: Some(&mut standing) }
            .future(&mut view, at, ty);
    let tools = Tools { debug: &copy.debug, dynamic: &dynamic, frames: sources.frames, now: sources.now };
    (values(&standing, &mut view, &tools), seen.wrong)
}

/// The values, or why they are not known.
pub(crate) fn task(at: u64, known: &Known, sources: &mut Sources<'_>) -> Result<Vec<FrameValues>, Arc<str>> {
    let mut why = Arc::from("it moved while it was read");
    for _ in 0..TRIES {
        match once(at, known, sources) {
            Ok(Some(frames)) => return Ok(frames),
            Ok(None) => {}
            Err(said) => why = said,
        }
    }
    Err(why)
}

/// `None`: it moved.
fn once(at: u64, known: &Known, sources: &mut Sources<'_>) -> Result<Option<Vec<FrameValues>>, Arc<str>> {
    let Some(stage) = &known.ty().stage else { return Err(Arc::clone(&known.ty().unread)) };
    let size = usize::try_from(known.ty().size).map_err(|_| Arc::from("it is too large"))?;
    let (mut cell, mut again) = (vec![0; size], vec![0; size]);
    let gone = || Arc::from("it is not there any more");
    if !sources.bytes.read(at, &mut cell) {
        return Err(gone());
    }
    let header = Header::parse(&cell).filter(|header| header.vtable == known.ty().vtable.at).ok_or_else(gone)?;
    if number(known, &cell) != Some(known.number) {
        return Err(gone());
    }
    let (place, width) = stage.discriminant;
    let stands = usize::try_from(place).ok().and_then(|place| uint(&cell, place, usize::from(width)));
    let is_running = stands.is_some_and(|value| stage.running.iter().any(|(from, to)| (*from..=*to).contains(&value)));
    if header.state.complete() {
        return Err(Arc::from("it has ended"));
    }
    if header.state.running() || !is_running {
        return Err(Arc::from("it is being polled: what its frames have is in motion"));
    }
    let (told, wrong) = walked(at, &cell, at.saturating_add(stage.at), stage.future, sources);
    if !sources.bytes.read(at, &mut again) || !is_same(known, &cell, &again) {
        return Ok(None);
    }
    wrong.map_or(Ok(Some(told)), Err)
}

fn number(known: &Known, cell: &[u8]) -> Option<u64> {
    word(cell, usize::try_from(known.ty().vtable.id).ok()?)
}

/// Whether the task did not move: what others write is not in that.
fn is_same(known: &Known, before: &[u8], after: &[u8]) -> bool {
    let motion = |cell: &[u8]| Header::parse(cell).map(|header| header.state.motion());
    let trailer = usize::try_from(known.ty().vtable.trailer).unwrap_or(usize::MAX);
    let own = |cell: &[u8]| cell.get(HEADER..trailer.min(cell.len())).map(<[u8]>::to_vec);
    motion(before) == motion(after) && own(before) == own(after)
}
