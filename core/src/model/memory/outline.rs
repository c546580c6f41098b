//! What is left of what memory told, where there is no room for all of it: what belongs to a few tasks and locks, and the threads.

use super::Memory;
use crate::{
    model::Task,
    update::{
        ResourceId,
        look::{Chain, Root, ThingId, Wait, WaitOn, Whole},
    },
};
use rustc_hash::FxHashSet;
use std::sync::Arc;

impl Memory {
    /// The same with what belongs to these rows alone.
    pub(in crate::model) fn outline(&self, tasks: &[Task], resources: &FxHashSet<ResourceId>) -> Self {
        let looks = || tasks.iter().filter_map(|task| task.look());
        let roots: &[Root] = self.whole.as_ref().map_or(&[], |whole| &whole.roots);
        let chains: FxHashSet<u32> =
            looks().filter_map(|look| look.chain).chain(roots.iter().filter_map(|root| root.chain)).collect();
        let waits = || looks().flat_map(|look| &look.waits).chain(roots.iter().flat_map(|root| &root.waits));
        let claims = || looks().flat_map(|look| &look.claims).chain(roots.iter().flat_map(|root| &root.claims));
        let of_rows = resources
            .iter()
            .filter_map(|id| self.joins.thing_of(*id).or(self.rows.contains_key(id).then_some(ThingId(id.0))));
        let things: FxHashSet<ThingId> =
            waits().filter_map(|wait| wait.on.thing()).chain(claims().map(|claim| claim.of)).chain(of_rows).collect();
        let fds: FxHashSet<i32> = waits().filter_map(fd).collect();
        let mut outline = Self {
            knows: self.knows.clone(),
            mode: self.mode,
            whole: self.whole.as_deref().map(|whole| Arc::new(only(whole, &things, &fds))),
            summary: Arc::clone(&self.summary),
            now: self.now,
            looked: self.looked.clone(),
            joins: self.joins.only(resources),
            rows: self.rows.iter().filter(|(id, _)| resources.contains(id)).map(|(id, looks)| (*id, *looks)).collect(),
            slept: self.slept.clone(),
            ..Self::default()
        };
        let last = chains.iter().max().map_or(0, |last| *last as usize + 1);
        let empty = Arc::<Chain>::default();
        for (number, chain) in (0_u32..).zip(self.chains.iter().take(last)) {
            outline.learn(Arc::clone(if chains.contains(&number) { chain } else { &empty }));
        }
        for (number, id) in tasks.iter().filter_map(|task| Some((task.number()?, task.id()))) {
            outline.learn_number(Some(number), id);
        }
        outline
    }
}

fn fd(wait: &Wait) -> Option<i32> {
    if let WaitOn::Io { fd, .. } = wait.on { fd } else { None }
}

fn only(whole: &Whole, things: &FxHashSet<ThingId>, fds: &FxHashSet<i32>) -> Whole {
    Whole {
        things: whole.things.iter().filter(|thing| things.contains(&thing.id)).cloned().collect(),
        threads: whole.threads.clone(),
        roots: whole.roots.clone(),
        jobs: Vec::new(),
        sets: whole.sets.clone(),
        kept: whole.kept.clone(),
        sockets: whole.sockets.iter().filter(|socket| fds.contains(&socket.fd)).cloned().collect(),
        unread: whole.unread.clone(),
        state: whole.state,
        cost: whole.cost,
    }
}
