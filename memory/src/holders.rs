//! Who has what, counted before anybody is named. Permits prove that somebody has them, not who: a guard that was dropped keeps its
//! bytes. A holder is *proven* when the claims add up to exactly what is held and nothing that was not read could hold it; anything
//! less is likely, and more claims than permits are nobody's.

use crate::{Basis, ClaimKind, Holder, Place, Thing, ThingKind, Who};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// A claim on a thing.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub(crate) who: Who,
    pub(crate) permits: u32,
    pub(crate) place: Option<Place>,
    /// What the frame is that has it.
    pub(crate) function: Arc<str>,
    pub(crate) local: Arc<str>,
    /// Likely where it may be what is left of something that was freed.
    pub(crate) basis: Basis,
    /// Where in which type it stands.
    pub(crate) site: Site,
}

/// A place in a type: of which copy, which frame, where in it.
pub(crate) type Site = (u16, u32, u64);

/// Those who were given permits and have not been polled since.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assigned {
    pub(crate) who: Who,
    pub(crate) permits: u64,
    /// Likely where what was given them is kept and not polled: it may have been dropped, and its bytes left.
    pub(crate) basis: Basis,
    pub(crate) given: Given,
}

/// How much of what somebody asked for they were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    /// A part: they stand in the queue for the rest, and are told there.
    Part,
    Whole,
}

/// What could have a thing beside what was read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Others {
    /// Something, in words; `None` where nothing could.
    pub(crate) unread: Option<Arc<str>>,
    /// Who that is, where all of it is on threads that sleep for a lock.
    pub(crate) asleep: Vec<Who>,
}

impl Others {
    /// Anybody, for this reason.
    pub(crate) fn unknown(why: &str) -> Self {
        Self { unread: Some(why.into()), asleep: Vec::new() }
    }
}

/// Places that once had bytes of a guard while all permits were free: what stands there may be left over, in any task of this build.
#[derive(Debug, Default)]
pub(crate) struct Droppable(FxHashSet<Site>);

/// Names the holders of a thing, of which `free` and `total` are known as far as they can be. `others` are who else could have it that
/// was not read.
pub(crate) fn name(
    thing: &mut Thing,
    claims: &[Claimed],
    assigned: &[Assigned],
    others: Others,
    droppable: &mut Droppable,
) {
    let given = |basis| -> u64 {
        assigned.iter().filter(|assigned| assigned.basis == basis).fold(0, |sum, one| sum.saturating_add(one.permits))
    };
    let (given, perhaps) = (given(Basis::Proven), given(Basis::Likely));
    // What a channel's room lacks are its messages, and what somebody has reserved.
    let inside = match thing.kind {
        ThingKind::Room => thing.channel.and_then(|channel| channel.messages).unwrap_or(0),
        _ => 0,
    };
    let lacks = thing.total.zip(thing.free).map(|(total, free)| total.saturating_sub(free));
    let held = lacks.map(|lacks| lacks.saturating_sub(given).saturating_sub(inside));
    thing.held = held;
    if held == Some(0) {
        droppable.0.extend(claims.iter().map(|claim| claim.site));
    }
    // Nobody has more than is held: a guard for writing that became one for reading keeps its bytes.
    let can_be = |claim: &&Claimed| held.is_none_or(|held| held == 0 || u64::from(claim.permits) <= held);
    let claims = claims.iter().filter(|claim| !droppable.0.contains(&claim.site)).filter(can_be);
    let mut claims: Vec<&Claimed> = claims.collect();
    let sum =
        |claims: &[&Claimed]| claims.iter().map(|claim| u64::from(claim.permits)).fold(perhaps, u64::saturating_add);
    if held.is_none_or(|held| sum(&claims) > held) {
        let all = claims.clone();
        claims.retain(|claim| !was_moved(claim, &all));
    }
    let claimed = sum(&claims);
    let holder = |claim: &Claimed, basis| Holder {
        who: claim.who,
        what: ClaimKind::Permits(claim.permits),
        basis,
        place: claim.place.clone(),
        local: Arc::clone(&claim.local),
    };
    // Of what is kept and not polled nothing says that it was not dropped, but that nobody else can have what it was given.
    let sure = claims.iter().all(|claim| claim.basis == Basis::Proven);
    let doubt: Option<Arc<str>> = match held {
        None => Some("it does not count the permits that are out".into()),
        Some(held) if claimed > held => {
            Some("more frames have a guard of it than are out, so that some are left over".into())
        }
        Some(held) if claimed < held => Some("frames that were read have fewer guards of it than are out".into()),
        Some(_) if !sure => Some("what has it may be left over from something that was freed".into()),
        Some(_) => others.unread,
    };
    // It is one of these, whichever it is: each was read, or sleeps.
    let is_counted = held.is_some_and(|held| held > 0 && claimed == held) && sure;
    let is_only_one = is_tokio_mutex(thing) && held == Some(1) && claimed == 0 && others.asleep.len() == 1;
    thing.perhaps = if is_counted || is_only_one { others.asleep } else { Vec::new() };
    let basis = if doubt.is_none() { Basis::Proven } else { Basis::Likely };
    // Of more than can be some are left over, and nothing says which.
    let fit = held.is_none_or(|held| claimed <= held);
    thing.holders = claims.iter().filter(|_| fit).map(|claim| holder(claim, basis)).collect();
    thing.doubt = doubt.filter(|_| held.map_or(!claims.is_empty(), |held| held > 0)).unwrap_or_default();
    thing.unseen = held.map_or(0, |held| if claimed > held { held } else { held - claimed });
    let believed = |assigned: &&Assigned| {
        assigned.given == Given::Whole
            && assigned.permits > 0
            && (assigned.basis == Basis::Proven || held.is_none_or(|held| claimed <= held))
    };
    thing.holders.extend(assigned.iter().filter(believed).map(|assigned| Holder {
        who: assigned.who,
        what: ClaimKind::Permits(u32::try_from(assigned.permits).unwrap_or(u32::MAX)),
        basis: assigned.basis.max(if held.is_some() { basis } else { Basis::Likely }),
        place: None,
        local: Arc::from(""),
    }));
}

/// Whether one alone can have it, and waits for it as a task does.
fn is_tokio_mutex(thing: &Thing) -> bool {
    thing.total == Some(1) && matches!(thing.kind, ThingKind::Mutex | ThingKind::OnceCell)
}

/// Whether it is what a `match` looked at, which was moved into a variable of the arm: the bytes are the same, and whose they are, too.
fn was_moved(claim: &Claimed, all: &[&Claimed]) -> bool {
    let is_temporary = |claim: &Claimed| claim.local.starts_with("__");
    let is_same = |other: &Claimed| {
        let (frame, its) = ((claim.site.0, claim.site.1), (other.site.0, other.site.1));
        other.who == claim.who && frame == its && other.permits == claim.permits
    };
    is_temporary(claim) && all.iter().any(|other| !is_temporary(other) && is_same(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutex(free: u64) -> Thing {
        Thing {
            at: 8,
            kind: ThingKind::Mutex,
            ty: "Mutex<u8>".into(),
            names: Vec::new(),
            of: None,
            free: Some(free),
            total: Some(1),
            held: None,
            channel: None,
            holders: Vec::new(),
            unseen: 0,
            perhaps: Vec::new(),
            doubt: "".into(),
            queue: Vec::new(),
            steady: false,
        }
    }

    fn open() -> Others {
        Others::unknown("a job")
    }

    fn claim(task: u64, site: u64) -> Claimed {
        let (who, local) = (Who::Task(task), "guard".into());
        Claimed { who, permits: 1, place: None, function: "f".into(), local, basis: Basis::Proven, site: (0, 1, site) }
    }

    fn holders(thing: &Thing) -> Vec<(Who, Basis)> {
        thing.holders.iter().map(|holder| (holder.who, holder.basis)).collect()
    }

    #[test]
    fn claims_that_add_up_are_proven_only_where_all_was_read() {
        let mut droppable = Droppable::default();
        let mut thing = mutex(0);
        name(&mut thing, &[claim(1, 0)], &[], Others::default(), &mut droppable);
        assert_eq!(holders(&thing), [(Who::Task(1), Basis::Proven)]);
        name(&mut thing, &[claim(1, 0)], &[], open(), &mut droppable);
        assert_eq!((holders(&thing), &*thing.doubt), (vec![(Who::Task(1), Basis::Likely)], "a job"));
    }

    #[test]
    fn what_may_have_been_freed_proves_nothing() {
        let mut thing = mutex(0);
        let freed = Claimed { basis: Basis::Likely, ..claim(1, 0) };
        name(&mut thing, &[freed], &[], Others::default(), &mut Droppable::default());
        assert_eq!(holders(&thing), [(Who::Task(1), Basis::Likely)]);
    }

    #[test]
    fn more_claims_than_permits_are_nobodys() {
        let mut thing = mutex(0);
        name(&mut thing, &[claim(1, 0), claim(2, 0)], &[], Others::default(), &mut Droppable::default());
        assert_eq!((holders(&thing), thing.unseen), (vec![], 1));
    }

    #[test]
    fn what_a_match_looked_at_is_in_its_arm() {
        let looked_at = Claimed { local: "__1".into(), ..claim(1, 8) };
        let mut thing = mutex(0);
        name(&mut thing, &[looked_at.clone(), claim(1, 0)], &[], Others::default(), &mut Droppable::default());
        assert_eq!((holders(&thing), thing.unseen), (vec![(Who::Task(1), Basis::Proven)], 0));
        name(&mut thing, &[looked_at.clone(), claim(2, 0)], &[], Others::default(), &mut Droppable::default());
        assert_eq!((holders(&thing), thing.unseen), (vec![], 1));
        name(&mut thing, &[looked_at], &[], Others::default(), &mut Droppable::default());
        assert_eq!(holders(&thing), [(Who::Task(1), Basis::Proven)]);
    }

    #[test]
    fn nobody_has_more_than_is_held() {
        let mut thing = Thing { kind: ThingKind::RwLock, total: Some(8), ..mutex(7) };
        let writes = Claimed { permits: 8, ..claim(1, 8) };
        name(&mut thing, &[writes, claim(1, 0)], &[], Others::default(), &mut Droppable::default());
        assert_eq!((holders(&thing), thing.unseen), (vec![(Who::Task(1), Basis::Proven)], 0));
    }

    #[test]
    fn messages_have_room_that_nobody_reserved() {
        let channel = Some(crate::Channel { messages: Some(2), ..crate::Channel::default() });
        let mut thing = Thing { kind: ThingKind::Room, total: Some(4), channel, ..mutex(1) };
        name(&mut thing, &[claim(1, 0)], &[], open(), &mut Droppable::default());
        assert_eq!((thing.held, holders(&thing)), (Some(1), vec![(Who::Task(1), Basis::Likely)]));
    }

    #[test]
    fn a_guard_beside_free_permits_was_dropped_and_its_place_is_no_claim_any_more() {
        let mut droppable = Droppable::default();
        let mut thing = mutex(1);
        name(&mut thing, &[claim(1, 0)], &[], Others::default(), &mut droppable);
        assert_eq!((holders(&thing), thing.held), (vec![], Some(0)));
        let mut other = mutex(0);
        name(&mut other, &[claim(2, 0)], &[], Others::default(), &mut droppable);
        assert_eq!((holders(&other), other.unseen), (vec![], 1));
    }

    #[test]
    fn who_was_given_the_permit_has_it() {
        let mut thing = mutex(0);
        let given = [Assigned { who: Who::Task(3), permits: 1, basis: Basis::Proven, given: Given::Whole }];
        name(&mut thing, &[], &given, open(), &mut Droppable::default());
        assert_eq!((holders(&thing), thing.held, thing.unseen), (vec![(Who::Task(3), Basis::Proven)], Some(0), 0));
    }

    #[test]
    fn a_lock_future_that_is_kept_may_have_been_dropped() {
        let mut thing = mutex(0);
        let kept = [Assigned { who: Who::Task(3), permits: 1, basis: Basis::Likely, given: Given::Whole }];
        name(&mut thing, &[], &kept, open(), &mut Droppable::default());
        assert_eq!((holders(&thing), thing.held), (vec![(Who::Task(3), Basis::Likely)], Some(1)));
        // It was not, where nobody else can have what it was given.
        name(&mut thing, &[], &kept, Others::default(), &mut Droppable::default());
        assert_eq!((holders(&thing), thing.held), (vec![(Who::Task(3), Basis::Proven)], Some(1)));
        name(&mut thing, &[claim(1, 0)], &kept, Others::default(), &mut Droppable::default());
        assert_eq!((holders(&thing), thing.unseen), (vec![], 1));
    }

    #[test]
    fn what_only_those_can_have_who_sleep_is_one_of_theirs() {
        let asleep = Others { unread: Some("task 9".into()), asleep: vec![Who::Task(9)] };
        let mut thing = mutex(0);
        name(&mut thing, &[claim(1, 0)], &[], asleep.clone(), &mut Droppable::default());
        assert_eq!((holders(&thing), thing.perhaps), (vec![(Who::Task(1), Basis::Likely)], vec![Who::Task(9)]));
        // Of one that has no guard in a frame.
        let mut thing = mutex(0);
        name(&mut thing, &[], &[], asleep.clone(), &mut Droppable::default());
        assert_eq!((holders(&thing), thing.perhaps), (vec![], vec![Who::Task(9)]));
        // A thread that waits for it may have forgotten it.
        let mut thing = Thing { kind: ThingKind::StdMutex, ..mutex(0) };
        name(&mut thing, &[], &[], asleep.clone(), &mut Droppable::default());
        assert_eq!((holders(&thing), thing.perhaps), (vec![], vec![]));
        let mut thing = mutex(0);
        name(&mut thing, &[claim(1, 0), claim(2, 0)], &[], asleep, &mut Droppable::default());
        assert_eq!((holders(&thing), thing.perhaps), (vec![], vec![]));
    }

    #[test]
    fn a_semaphore_without_a_total_has_likely_holders() {
        let mut thing = Thing { kind: ThingKind::Semaphore, total: None, ..mutex(0) };
        name(&mut thing, &[claim(1, 0)], &[], Others::default(), &mut Droppable::default());
        assert_eq!((holders(&thing), thing.held), (vec![(Who::Task(1), Basis::Likely)], None));
    }
}
