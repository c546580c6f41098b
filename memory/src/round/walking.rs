//! A task gone through: from the stage of its cell down its future, and what of that is kept.

use super::{
    Tools,
    cells::{Group, Outside, hash, number},
};
use crate::{
    future::{
        frames::Frames,
        planner::Plans,
        view::View,
        walk::{Hint, RawClaim, RawWait, Walked, Walker},
    },
    tokio::{
        copy::{Copy, OTHERWISE},
        header::Header,
    },
};
use std::sync::Arc;

/// What a walk found, kept until it is walked again.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) chain: Option<u32>,
    pub(crate) waits: Box<[RawWait]>,
    pub(crate) claims: Box<[RawClaim]>,
    pub(crate) aliases: Box<[u64]>,
    pub(crate) opaque: u32,
    pub(crate) unread: Arc<str>,
    pub(crate) panicked: bool,
}

/// Goes through a task's future, and says what was read of it outside of its cell.
pub(super) fn walk(
    at: u64,
    group: &Group,
    cell: &[u8],
    header: &Header,
    tools: &mut Tools<'_>,
) -> (Found, Box<[Outside]>) {
    let nothing = |unread: &str| (Found { unread: Arc::from(unread), ..Found::default() }, Box::default());
    let ty = &group.ty;
    let Some(stage) = &ty.stage else {
        return (Found { unread: Arc::clone(&ty.unread), ..Found::default() }, Box::default());
    };
    let read = |place: (u64, u8)| number(cell, place);
    let within = |values: &[(u128, u128)], value| values.iter().any(|(from, to)| (*from..=*to).contains(&value));
    let Some(value) = read(stage.discriminant) else { return nothing("its stage cannot be read") };
    if header.state.complete() || within(&stage.finished, value) {
        let panicked = within(&stage.finished, value)
            && stage.panicked.as_ref().is_some_and(|panicked| {
                panicked.checks.iter().all(|(at, width, values)| {
                    let otherwise = width & OTHERWISE != 0;
                    read((*at, width & !OTHERWISE)).is_some_and(|value| within(values, value) != otherwise)
                })
            });
        return (Found { panicked, ..Found::default() }, Box::default());
    }
    if !within(&stage.running, value) || header.state.running() {
        return nothing("it is being polled");
    }
    let (Some(plans), Some(copy)) =
        (tools.plans.get_mut(usize::from(group.copy)), tools.copies.get(usize::from(group.copy)))
    else {
        return nothing(&ty.unread);
    };
    let mut view = View::new(tools.bytes, at, cell);
    let dynamic = |vtable: u64| copy.dynamic(vtable);
    let mut walker = Walker { plans, frames: tools.frames, dynamic: &dynamic, standing: None };
    let seen = walker.future(&mut view, at.wrapping_add(stage.at), stage.future);
    let outside = view
        .footprint()
        .into_iter()
        .map(|(at, bytes)| Outside { at, len: bytes.len() as u32, hash: hash(&bytes) })
        .collect();
    (found(seen, group.copy, tools.frames, tools.hints), outside)
}

/// What is kept of a walk.
pub(crate) fn found(walked: Walked, copy: u16, frames: &mut Frames, hints: &mut dyn FnMut(u16, Hint)) -> Found {
    for hint in walked.hints {
        hints(copy, hint);
    }
    if let Some(wrong) = walked.wrong {
        return Found { unread: wrong, ..Found::default() };
    }
    Found {
        chain: Some(frames.chain(&walked.steps)),
        waits: walked.waits.into(),
        claims: walked.claims.into(),
        aliases: walked.aliases.into(),
        opaque: walked.opaque,
        unread: Arc::default(),
        panicked: false,
    }
}

/// The plans of each copy.
pub(crate) fn plans(copies: &[Copy]) -> Vec<Plans> {
    copies.iter().map(|copy| Plans::new(Arc::clone(&copy.debug))).collect()
}
