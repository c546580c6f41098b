//! A task gone through: from the stage of its cell down its future, and what of that is kept.

use super::{
    Tools,
    cells::{Group, Outside, hash, number},
};
use crate::{
    debug::TypeId,
    future::{
        frames::Frames,
        planner::Plans,
        raw::{Hint, RawClaim, RawWait, Walked},
        view::View,
        walk::Walker,
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
    /// What most tasks have nothing of.
    rare: Option<Box<Rare>>,
    pub(crate) panicked: bool,
}

#[derive(Debug, Default)]
struct Rare {
    claims: Box<[RawClaim]>,
    aliases: Box<[u64]>,
    unread: Arc<str>,
    opaque: Box<[Option<TypeId>]>,
    outside: Box<[Outside]>,
}

impl Found {
    /// Nothing, for this reason.
    pub(crate) fn nothing(why: impl Into<Arc<str>>) -> Self {
        Self { rare: Some(Box::new(Rare { unread: why.into(), ..Rare::default() })), ..Self::default() }
    }

    pub(crate) fn claims(&self) -> &[RawClaim] {
        self.rare.as_ref().map_or(&[], |rare| &rare.claims)
    }

    /// Addresses at which a waker leads there, beside a header.
    pub(crate) fn aliases(&self) -> &[u64] {
        self.rare.as_ref().map_or(&[], |rare| &rare.aliases)
    }

    /// What was not gone into: values of these types, or of one that is not known.
    pub(crate) fn opaque(&self) -> &[Option<TypeId>] {
        self.rare.as_ref().map_or(&[], |rare| &rare.opaque)
    }

    /// Why no more is known.
    pub(crate) fn unread(&self) -> Arc<str> {
        self.rare.as_ref().map(|rare| Arc::clone(&rare.unread)).unwrap_or_default()
    }

    /// What else its walk read than its cell: where, and what was there.
    pub(super) fn outside(&self) -> &[Outside] {
        self.rare.as_ref().map_or(&[], |rare| &rare.outside)
    }

    /// These lead there as well.
    pub(crate) fn alias(&mut self, also: impl IntoIterator<Item = u64>) {
        let rare = self.rare.get_or_insert_default();
        rare.aliases = rare.aliases.iter().copied().chain(also).collect();
    }
}

/// Goes through a task's future, and says what was read of it outside of its cell.
pub(super) fn walk(at: u64, group: &Group, cell: &[u8], header: &Header, tools: &mut Tools<'_>) -> Found {
    let nothing = |unread: &str| Found::nothing(unread);
    let ty = &group.ty;
    let Some(stage) = &ty.stage else {
        return Found::nothing(Arc::clone(&ty.unread));
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
        return Found { panicked, ..Found::default() };
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
    let mut found = found(seen, group.copy, tools.frames, tools.hints);
    let outside = view.footprint();
    if !outside.is_empty() {
        let outside = outside.iter().map(|(at, bytes)| Outside { at: *at, len: bytes.len() as u32, hash: hash(bytes) });
        found.rare.get_or_insert_default().outside = outside.collect();
    }
    found
}

/// What is kept of a walk.
pub(crate) fn found(walked: Walked, copy: u16, frames: &mut Frames, hints: &mut dyn FnMut(u16, Hint)) -> Found {
    for hint in walked.hints {
        hints(copy, hint);
    }
    if let Some(wrong) = walked.wrong {
        return Found::nothing(wrong);
    }
    let (claims, aliases, opaque) = (walked.claims, walked.aliases, walked.opaque);
    let is_rare = !(claims.is_empty() && aliases.is_empty() && opaque.is_empty());
    let (claims, aliases, opaque) = (claims.into(), aliases.into(), opaque.into());
    let rare = is_rare.then(|| Box::new(Rare { claims, aliases, opaque, ..Rare::default() }));
    let chain = Some(frames.chain(&walked.steps));
    Found { chain, waits: walked.waits.into(), rare, panicked: false }
}

/// The plans of each copy.
pub(crate) fn plans(copies: &[Copy]) -> Vec<Plans> {
    copies.iter().map(|copy| Plans::new(Arc::clone(&copy.debug))).collect()
}
