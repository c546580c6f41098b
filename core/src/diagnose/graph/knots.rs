//! What remains: sets of those who wait for one another, and the order to tell each in. Whoever waits for one of a set and is none of it is
//! held up by it, and no part of it.

use super::{Actor, Awaited, Graph, Keeps, Queued, Way};
use crate::update::{ResourceId, Stamp};
use rustc_hash::{FxHashMap, FxHashSet};
use std::{collections::VecDeque, time::Duration};

/// Of those who keep somebody so many are gone through.
const KEEPERS_MOST: usize = 32;

/// From so many of a set a way round is looked for.
const STARTS_MOST: usize = 32;

/// Those who wait for one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::diagnose) struct Knot {
    /// A way round, in order: each waits for what the next one keeps, and the last for what the first does.
    pub(in crate::diagnose) links: Vec<Link>,
    /// All that they wait for from one another.
    pub(in crate::diagnose) awaits: Vec<Awaited>,
    /// Others of them.
    pub(in crate::diagnose) others: Vec<Actor>,
    /// Who is held up by them, and is none of them.
    pub(in crate::diagnose) behind: Vec<Actor>,
    /// What would get one of them on, for whom that is left out: by the number of the wait.
    pub(in crate::diagnose) escapes: Vec<(Actor, u16)>,
    /// Since when it stands at the earliest, and until when that is known.
    pub(in crate::diagnose) since: Stamp,
    pub(in crate::diagnose) seen: Stamp,
}

/// One who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::diagnose) struct Link {
    pub(in crate::diagnose) who: Actor,
    /// For what.
    pub(in crate::diagnose) awaited: Awaited,
    /// In which frame.
    pub(in crate::diagnose) frame: u16,
    /// How the next one keeps it.
    pub(in crate::diagnose) kept: Keeps,
    /// Since when they wait.
    pub(in crate::diagnose) since: Stamp,
    /// Since when the next one has it.
    pub(in crate::diagnose) kept_since: Stamp,
}

/// From one who waits to one who keeps them.
#[derive(Debug, Clone, Copy)]
struct Edge {
    to: usize,
    /// What is waited for; `None` from a whole to its own part.
    link: Option<Link>,
    since: Stamp,
    seen: Stamp,
}

impl Graph {
    /// The sets that have stood for so long.
    pub(in crate::diagnose) fn knots(&self, least: Duration) -> Vec<Knot> {
        let stuck: Vec<usize> = (0..self.nodes.len()).filter(|&at| !self.goes_on(at)).collect();
        if stuck.is_empty() {
            return Vec::new();
        }
        let lasts = |edge: &Edge| edge.seen.since(edge.since) >= least;
        let places = self.places();
        let edges: FxHashMap<usize, Vec<Edge>> =
            stuck.iter().map(|&at| (at, self.edges(at, &places).into_iter().filter(lasts).collect())).collect();
        let mut knots: Vec<Knot> = Vec::new();
        let mut told: FxHashSet<usize> = FxHashSet::default();
        for set in strongly_connected(&stuck, &edges) {
            let within: FxHashSet<usize> = set.iter().copied().collect();
            if let Some(knot) = self.knot(&set, &within, &edges) {
                told.extend(within);
                knots.push(knot);
            }
        }
        self.tell_behind(&mut knots, &stuck, &told, &edges);
        knots.sort_by_key(|knot| (knot.since, knot.links.first().map(|link| link.who)));
        knots
    }

    /// How much each wants who stands in a queue, and who stands before them.
    fn places(&self) -> FxHashMap<(ResourceId, usize), (u64, Option<Queued>)> {
        let mut places = FxHashMap::default();
        for (&id, thing) in &self.things {
            let mut before = None;
            for queued in &thing.queue {
                places.insert((id, queued.node), (queued.wanted, before));
                before = Some(*queued);
            }
        }
        places
    }

    /// Who keeps one who waits.
    fn edges(&self, at: usize, places: &FxHashMap<(ResourceId, usize), (u64, Option<Queued>)>) -> Vec<Edge> {
        let Some(node) = self.nodes.get(at) else { return Vec::new() };
        let now = self.now.unwrap_or(node.since);
        let mut edges = Vec::new();
        for way in &node.ways {
            let (awaited, frame) = match *way {
                Way::Part(part) => {
                    if !self.goes_on(part) {
                        edges.push(Edge { to: part, link: None, since: node.since, seen: now });
                    }
                    continue;
                }
                Way::For(awaited, frame) => (awaited, frame),
            };
            let mut keep = |to: usize, kept: Keeps, (from, until): (Stamp, Stamp)| {
                if self.goes_on(to) {
                    return;
                }
                let (who, since) = (node.actor, node.since);
                let link = Some(Link { who, awaited, frame, kept, since, kept_since: from });
                edges.push(Edge { to, link, since: from.max(since), seen: until });
            };
            match awaited {
                Awaited::End(actor) => {
                    if let Some(&to) = self.actors.get(&actor) {
                        let since = self.nodes.get(to).map_or(node.since, |ends| ends.since);
                        keep(to, Keeps::Ends, (since, now));
                    }
                }
                Awaited::Poll(first, count) => {
                    if let Some(&to) = self.pollers.get(&(first, count)) {
                        let since = self.nodes.get(to).map_or(node.since, |sleeps| sleeps.since);
                        keep(to, Keeps::Thread, (since, now));
                    }
                }
                Awaited::Message(id) => {
                    let kept = self.things.get(&id).map_or(&[][..], |thing| &thing.kept);
                    for kept in kept.iter().filter(|kept| kept.keeps == Keeps::Sends).take(KEEPERS_MOST) {
                        keep(kept.node, kept.keeps, kept.known);
                    }
                }
                Awaited::Permits(id) => {
                    let Some(thing) = self.things.get(&id) else { continue };
                    // For whom there is enough only those before them are in the way.
                    if let Some(&(wanted, Some(before))) = places.get(&(id, at))
                        && thing.pool >= wanted
                    {
                        let since = self.nodes.get(before.node).map_or(node.since, |ahead| ahead.since);
                        keep(before.node, before.keeps, (since, now));
                        continue;
                    }
                    let has = |keeps: Keeps| matches!(keeps, Keeps::Has | Keeps::HasUnpolled);
                    for kept in thing.kept.iter().filter(|kept| has(kept.keeps)).take(KEEPERS_MOST) {
                        keep(kept.node, kept.keeps, kept.known);
                    }
                    // Who receives would make room.
                    let channel = thing.channel.and_then(|channel| self.things.get(&channel));
                    let receives = channel.map_or(&[][..], |channel| &channel.kept);
                    for kept in receives.iter().filter(|kept| kept.keeps == Keeps::Receives) {
                        keep(kept.node, kept.keeps, kept.known);
                    }
                }
            }
        }
        edges
    }

    /// What is to be told of a set, if it is one that waits for itself.
    fn knot(&self, set: &[usize], within: &FxHashSet<usize>, edges: &FxHashMap<usize, Vec<Edge>>) -> Option<Knot> {
        let ways_on = |at: &usize| edges.get(at).into_iter().flatten().filter(|edge| within.contains(&edge.to)).count();
        // Where each leads to one other, there is one way around, from wherever it begins.
        let starts = if set.iter().all(|at| ways_on(at) == 1) { 1 } else { STARTS_MOST };
        let rounds = set.iter().take(starts).filter_map(|&start| shortest_round(start, within, edges));
        // That one has an end itself of what they listen to says least of a set.
        let is_own_end = |round: &[Edge]| matches!(round, [Edge { link: Some(Link { kept: Keeps::Sends, .. }), .. }]);
        let round = rounds.min_by_key(|round| (is_own_end(round), round.len()))?;
        let since = round.iter().map(|edge| edge.since).max()?;
        let seen = round.iter().map(|edge| edge.seen).min()?;
        let mut links: Vec<Link> = round.iter().filter_map(|edge| edge.link).collect();
        // The story begins with the one who had theirs first: the one before waits for it.
        let before = |at: usize| (at + links.len() - 1) % links.len().max(1);
        let first =
            (0..links.len()).min_by_key(|&at| links.get(before(at)).map(|link| (link.kept_since, link.awaited)));
        links.rotate_left(first.unwrap_or(0));
        let named: FxHashSet<Actor> = links.iter().map(|link| link.who).collect();
        let is_somebody = |at: &&usize| !self.pollers.values().any(|poller| poller == *at);
        let mut others: Vec<Actor> =
            set.iter().filter(is_somebody).filter_map(|&at| self.nodes.get(at)).map(|node| node.actor).collect();
        others.sort_unstable();
        others.dedup();
        others.retain(|actor| !named.contains(actor));
        let inner = set.iter().filter_map(|at| edges.get(at)).flatten().filter(|edge| within.contains(&edge.to));
        let mut awaits: Vec<Awaited> = inner.filter_map(|edge| Some(edge.link?.awaited)).collect();
        awaits.sort_unstable();
        awaits.dedup();
        let escapes = set.iter().filter_map(|&at| self.nodes.get(at));
        let escapes = escapes.flat_map(|node| node.escapes.iter().map(|&wait| (node.actor, wait))).collect();
        Some(Knot { links, awaits, others, behind: Vec::new(), escapes, since, seen })
    }

    /// Whom each set holds up.
    fn tell_behind(
        &self,
        knots: &mut [Knot],
        stuck: &[usize],
        told: &FxHashSet<usize>,
        edges: &FxHashMap<usize, Vec<Edge>>,
    ) {
        let mut keeps: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
        for &at in stuck.iter().filter(|at| !told.contains(at)) {
            for edge in edges.get(&at).into_iter().flatten() {
                keeps.entry(edge.to).or_default().push(at);
            }
        }
        for knot in knots {
            let members: FxHashSet<Actor> =
                knot.links.iter().map(|link| link.who).chain(knot.others.iter().copied()).collect();
            let mut todo: Vec<usize> = told
                .iter()
                .copied()
                .filter(|&at| self.nodes.get(at).is_some_and(|it| members.contains(&it.actor)))
                .collect();
            let mut seen: FxHashSet<usize> = FxHashSet::default();
            while let Some(at) = todo.pop() {
                let held_up = keeps.get(&at).into_iter().flatten().copied();
                todo.extend(held_up.filter(|&at| seen.insert(at)));
            }
            let mut behind: Vec<Actor> =
                seen.into_iter().filter_map(|at| self.nodes.get(at)).map(|it| it.actor).collect();
            behind.sort_unstable();
            behind.dedup();
            behind.retain(|actor| !members.contains(actor));
            knot.behind = behind;
        }
    }
}

/// The shortest way from one back to themselves.
fn shortest_round(start: usize, within: &FxHashSet<usize>, edges: &FxHashMap<usize, Vec<Edge>>) -> Option<Vec<Edge>> {
    let mut came_by: FxHashMap<usize, (usize, Edge)> = FxHashMap::default();
    let mut todo = VecDeque::from([start]);
    while let Some(at) = todo.pop_front() {
        for edge in edges.get(&at).into_iter().flatten().filter(|edge| within.contains(&edge.to)) {
            if edge.to == start {
                let mut round = vec![*edge];
                let mut back = at;
                while back != start {
                    let (from, edge) = came_by.get(&back)?;
                    round.push(*edge);
                    back = *from;
                }
                round.reverse();
                return Some(round);
            }
            came_by.entry(edge.to).or_insert_with(|| {
                todo.push_back(edge.to);
                (at, *edge)
            });
        }
    }
    None
}

/// The sets of which each member leads to each other, by Tarjan's algorithm.
fn strongly_connected(nodes: &[usize], edges: &FxHashMap<usize, Vec<Edge>>) -> Vec<Vec<usize>> {
    #[derive(Debug, Clone, Copy)]
    struct Seen {
        index: usize,
        low: usize,
        open: bool,
    }
    let mut seen: FxHashMap<usize, Seen> = FxHashMap::default();
    let (mut stack, mut sets) = (Vec::new(), Vec::new());
    for &start in nodes {
        if seen.contains_key(&start) {
            continue;
        }
        let mut path: Vec<(usize, usize)> = Vec::new();
        let mut enter = Some(start);
        loop {
            if let Some(at) = enter.take() {
                let index = seen.len();
                seen.insert(at, Seen { index, low: index, open: true });
                stack.push(at);
                path.push((at, 0));
            }
            let Some((at, next)) = path.last_mut() else { break };
            let at = *at;
            if let Some(edge) = edges.get(&at).and_then(|edges| edges.get(*next)) {
                *next += 1;
                match seen.get(&edge.to).copied() {
                    None => enter = Some(edge.to),
                    Some(to) if to.open => {
                        if let Some(here) = seen.get_mut(&at) {
                            here.low = here.low.min(to.index);
                        }
                    }
                    Some(_) => {}
                }
                continue;
            }
            path.pop();
            let Some(here) = seen.get(&at).copied() else { continue };
            if let Some(above) = path.last().and_then(|(above, _)| seen.get_mut(above)) {
                above.low = above.low.min(here.low);
            }
            if here.low == here.index {
                let mut set = Vec::new();
                while let Some(member) = stack.pop() {
                    if let Some(member) = seen.get_mut(&member) {
                        member.open = false;
                    }
                    set.push(member);
                    if member == at {
                        break;
                    }
                }
                sets.push(set);
            }
        }
    }
    sets
}

impl Knot {
    /// Everybody of it.
    pub(in crate::diagnose) fn members(&self) -> impl Iterator<Item = Actor> {
        self.links.iter().map(|link| link.who).chain(self.others.iter().copied())
    }
}
