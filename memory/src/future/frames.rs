//! Frames and chains, equal ones once: a million tasks that sleep in the same place share one.

use crate::{Chain, Frame, FrameKind, Place, Reach, debug::TypeId};
use rustc_hash::FxHashMap;
use std::{collections::hash_map::Entry, sync::Arc};

/// A frame's name and place, wherever it stands in a chain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FrameText {
    pub(crate) name: Arc<str>,
    pub(crate) kind: FrameKind,
    pub(crate) place: Option<Place>,
}

/// A frame of one walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Step {
    pub(crate) depth: u16,
    pub(crate) text: u32,
    pub(crate) reach: Reach,
}

/// Where a coroutine of a walk stands, or a future that is written by hand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) at: u64,
    pub(crate) ty: TypeId,
    pub(crate) step: Step,
}

/// All frames and chains that were seen.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    texts: Vec<FrameText>,
    by_text: FxHashMap<FrameText, u32>,
    by_steps: FxHashMap<Arc<[Step]>, u32>,
    chains: Vec<Arc<[Step]>>,
    /// Chains that nobody was told of.
    fresh: Vec<Arc<Chain>>,
}

impl Frames {
    /// The number of this frame.
    pub(crate) fn text(&mut self, text: FrameText) -> u32 {
        match self.by_text.entry(text) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let number = self.texts.len() as u32;
                self.texts.push(new.key().clone());
                *new.insert(number)
            }
        }
    }

    pub(crate) fn get(&self, text: u32) -> Option<&FrameText> {
        self.texts.get(text as usize)
    }

    /// The number of this chain.
    pub(crate) fn chain(&mut self, steps: &[Step]) -> u32 {
        if let Some(number) = self.by_steps.get(steps) {
            return *number;
        }
        let number = self.by_steps.len() as u32;
        let kept: Arc<[Step]> = steps.into();
        self.chains.push(Arc::clone(&kept));
        self.by_steps.insert(kept, number);
        let frames = steps.iter().filter_map(|step| {
            let text = self.texts.get(step.text as usize)?;
            Some(Frame {
                depth: step.depth,
                name: Arc::clone(&text.name),
                kind: text.kind,
                reach: step.reach,
                place: text.place.clone(),
            })
        });
        let chain = Arc::new(Chain { frames: frames.collect() });
        self.fresh.push(chain);
        number
    }

    /// The frames of this chain.
    pub(crate) fn steps(&self, chain: u32) -> Option<&[Step]> {
        self.chains.get(chain as usize).map(|steps| &**steps)
    }

    /// The chains that are new since this was asked last.
    pub(crate) fn fresh(&mut self) -> Vec<Arc<Chain>> {
        std::mem::take(&mut self.fresh)
    }
}
