//! Programs in which bytes lie: nobody is named as proven who has nothing, and no circle is seen where there is none. In the control
//! of each, which has the same bytes and means them, the holder is proven, and two who wait for each other are a circle; where a type of
//! the program keeps guards of such a lock, the holder is likely.

use crate::{
    compare,
    running::{Victim, Way, built},
};
use holdup_memory::{Basis, ClaimKind, WaitOn, Wants, Who};
use std::{collections::BTreeSet, time::Duration};

fn start(name: &str, more: &[&str]) -> Victim {
    let arguments: Vec<&str> = std::iter::once(&name).chain(more).copied().collect();
    Victim::start_file(&built(Way::profile("release")).join("stale"), &arguments)
}

/// Several looks, by one reader: what is suspected once must not become certain by being seen again.
fn lies(name: &str) {
    let mut victim = start(name, &[]);
    let truth = victim.truth();
    let mut reader = victim.reader();
    let mut chains = Vec::new();
    for round in 0..4 {
        let look = reader.look(&Wants::default()).unwrap();
        chains.extend(look.chains.iter().cloned());
        let said = compare::holders(&look, &truth);
        eprintln!("{name}, look {round}: {said:?}");
        assert!(said.wrong.is_empty(), "{name}: {:#?}\n{:#?}", said.wrong, look.things);
        assert_eq!(said.circle, None, "{name}: no deadlock is there");
        if round == 0 {
            compare::chains(&look, &chains, &truth).assert_nothing_wrong(name);
        }
        std::thread::sleep(Duration::from_millis(30));
    }
    assert_eq!(truth, victim.truth(), "it does not stand still");
}

/// How the one who has something is named in a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Proven,
    /// Something of the program could have it as well: a type that keeps guards where no walk goes, or one that was dropped. Room of a
    /// channel that was reserved is never more than that.
    Likely,
    /// A guard behind an `Arc` is nobody's.
    Nobody,
}

/// Who has something is named, and two who wait for each other are seen to: as far as nothing else could have it.
fn control(name: &str, named: Named) {
    let mut victim = start(name, &["control"]);
    let truth = victim.truth();
    let mut reader = victim.reader();
    reader.look(&Wants::default()).unwrap();
    std::thread::sleep(Duration::from_millis(30));
    let look = reader.look(&Wants::default()).unwrap();
    let said = compare::holders(&look, &truth);
    assert!(said.wrong.is_empty(), "{name}: {:#?}", said.wrong);
    assert!(!truth.holds.is_empty(), "{name}: nobody has anything");
    for hold in &truth.holds {
        let is =
            |all: &BTreeSet<(u64, Who)>| all.iter().any(|(at, who)| Some(*who) == hold.who && hold.what.is_at(*at));
        let how = match (is(&said.proven), is(&said.likely)) {
            (true, _) => Named::Proven,
            (false, true) => Named::Likely,
            (false, false) => Named::Nobody,
        };
        assert_eq!(how, named, "{name}: {hold:?}: {:#?}", look.things);
    }
    // Each of a pair waits for the other; one alone for itself, or for a future of its own.
    let alone = name.starts_with("self") || name == "acquire";
    let closed = named == Named::Proven && (name.starts_with("pair") || alone);
    let round = said.circle.as_ref().map(Vec::len);
    assert_eq!(round, closed.then_some(if name.starts_with("pair") { 2 } else { 1 }), "{name}: {said:?}");
    for thing in &look.things {
        let proven = thing.holders.iter().any(|holder| holder.basis == Basis::Proven);
        assert!(thing.steady || !proven || thing.queue.is_empty(), "{name}: two looks agree on {thing:?}");
    }
}

macro_rules! victims {
    ($($(#[$attribute:meta])* $name:ident: $case:literal, $named:ident;)*) => {$(
        mod $name {
            #[test]
            $(#[$attribute])*
            fn lies() {
                super::lies($case);
            }

            #[test]
            fn control() {
                super::control($case, super::Named::$named);
            }
        }
    )*};
}

victims! {
    self_job: "self-job", Proven;
    self_running: "self-running", Proven;
    self_in_place: "self-in-place", Proven;
    self_idle: "self-idle", Proven;
    self_map: "self-map", Likely;
    self_channel: "self-channel", Likely;
    self_output: "self-output", Likely;
    self_static: "self-static", Likely;
    self_thread: "self-thread", Likely;
    pair_jobs: "pair-jobs", Proven;
    pair_map: "pair-map", Likely;
    pair_span: "pair-span", Proven;
    boxed: "box", Proven;
    acquire: "acquire", Proven;
    part: "part", Proven;
    downgrade: "downgrade", Proven;
    readers: "readers", Proven;
    room: "room", Likely;
    arc: "arc", Nobody;
    forget: "forget", Proven;
}

/// Ends of channels that were moved into a child are the child's.
#[test]
fn ends() {
    lies("ends");
    let mut victim = start("ends", &["control"]);
    let truth = victim.truth();
    let said = compare::holders(&victim.look(), &truth);
    assert!(said.wrong.is_empty(), "{:#?}", said.wrong);
    for hold in &truth.holds {
        let named = said.proven.iter().chain(&said.likely);
        let named = named.clone().any(|(at, who)| Some(*who) == hold.who && hold.what.is_at(*at));
        assert!(named, "{hold:?} is not named: {said:#?}");
    }
}

/// A handle that was moved into a child is no wait of the parent's.
#[test]
fn handle() {
    lies("handle");
    let mut victim = start("handle", &["control"]);
    let (truth, look) = (victim.truth(), victim.look());
    compare::chains(&look, &look.chains, &truth).assert_nothing_wrong("handle, control");
    let joins =
        look.changed.iter().flat_map(|task| &task.waits).filter(|wait| matches!(wait.what, WaitOn::Join { .. }));
    assert_eq!(joins.map(|wait| wait.basis).collect::<Vec<_>>(), [Basis::Proven]);
}

/// In the control all branches stay on, and the lock is held as usual.
#[test]
fn switched_on() {
    control("disabled", Named::Proven);
}

/// What a branch that is switched off waits for is no wait, and what its future was given is held by the task itself.
#[test]
fn futurelock() {
    let mut victim = start("disabled", &[]);
    let truth = victim.truth();
    let look = victim.look();
    let hold = &truth.holds[0];
    let thing = look.things.iter().find(|thing| hold.what.is_at(thing.at)).expect("the lock is seen");
    let who: Vec<Who> = thing.holders.iter().map(|holder| holder.who).collect();
    assert_eq!(who, [hold.who.unwrap()], "{thing:#?}");
    assert!(thing.holders.iter().all(|holder| holder.what == ClaimKind::Permits(1)));
    assert_eq!(thing.queue.iter().map(|waiter| waiter.who).collect::<Vec<_>>(), who, "it waits for itself");
}
