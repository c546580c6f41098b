//! Who can never go on, on what looks at memory tell: sets that must be found, and those that only look like one.

use crate::{
    diagnose::Settings,
    model::Retention,
    session::Session,
    update::{
        Begin, Connection, Event, Place, Process, Stamp, Update,
        look::{
            Certainty, Chain, Channel, Claim, ClaimKind, Fate, Frame, FrameKind, Grade, Holder, Home, Interest, Kept,
            Queued, Reach, Role, Sleeps, SleepsFor, State, TaskKey, TaskLook, Thing, ThingId, ThingKind, Thread, Wait,
            WaitOn, Waiter, Who, Whole,
        },
    },
};
use std::{num::NonZeroU64, sync::Arc};

fn at(millis: u64) -> Stamp {
    Stamp::from_nanos(1_000_000_000_000 + millis * 1_000_000)
}

fn number(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).unwrap()
}

fn frame(depth: u16, name: &str, kind: FrameKind, reach: Reach) -> Frame {
    let place = Place { file: "src/app.rs".into(), line: u32::from(depth) + 1, column: 0 };
    Frame { depth, name: name.into(), kind, reach, place }
}

/// `f` awaits a leaf.
fn plain() -> Vec<Frame> {
    vec![frame(0, "app::f", FrameKind::Async, Reach::Polled), leaf(1, Reach::Polled)]
}

fn leaf(depth: u16, reach: Reach) -> Frame {
    frame(depth, "Acquire", FrameKind::Leaf, reach)
}

fn permits(of: u64, missing: u32) -> WaitOn {
    WaitOn::Permits { of: ThingId(of), wanted: 1, missing }
}

fn wait(frame: u16, on: WaitOn) -> Wait {
    Wait { frame, on, certainty: Certainty::Proven }
}

fn claim(frame: u16, of: u64, what: ClaimKind) -> Claim {
    Claim { frame, of: ThingId(of), what, local: "local".into() }
}

/// A program as looks find it.
#[derive(Default)]
struct Scene {
    chains: Vec<Arc<Chain>>,
    looks: Vec<(TaskKey, Arc<TaskLook>)>,
    things: Vec<Thing>,
    threads: Vec<Thread>,
    kept: Vec<Kept>,
}

impl Scene {
    fn task(&mut self, task: u64, frames: Vec<Frame>, waits: Vec<Wait>, claims: Vec<Claim>) -> &mut Self {
        let look = TaskLook {
            state: State::Idle,
            queued: Queued::Unknown,
            future: "app::f".into(),
            place: None,
            local: false,
            home: Home::Unknown,
            size: 64,
            references: 2,
            fate: Fate::default(),
            chain: Some(self.chains.len() as u32),
            unread: "".into(),
            waits: waits.into(),
            claims: claims.into(),
        };
        self.chains.push(Arc::new(Chain { frames }));
        self.looks.push((TaskKey::Number(number(task)), Arc::new(look)));
        self
    }

    fn thing(&mut self, id: u64, kind: ThingKind, holders: &[(u64, ClaimKind)], queue: &[u64]) -> &mut Self {
        let holder = |&(task, what): &(u64, ClaimKind)| Holder {
            who: Who::Task(number(task)),
            what,
            certainty: Certainty::Proven,
            place: Place::default(),
            local: "local".into(),
        };
        let total = matches!(kind, ThingKind::Mutex | ThingKind::OnceCell | ThingKind::Room).then_some(1);
        let channel = (!matches!(kind, ThingKind::Mutex | ThingKind::OnceCell)).then_some(Channel::default());
        self.things.push(Thing {
            id: ThingId(id),
            kind,
            ty: "".into(),
            names: vec!["it of app::f".into()],
            of: (kind == ThingKind::Room).then_some(ThingId(id - 1)),
            free: Some(0),
            total,
            held: total,
            channel,
            holders: holders.iter().map(holder).collect(),
            unseen: 0,
            perhaps: Vec::new(),
            doubt: "".into(),
            queue: queue.iter().map(|&task| Waiter { who: Who::Task(number(task)), wanted: 1, missing: 1 }).collect(),
            steady: true,
        });
        self
    }

    /// Some seconds of the same.
    fn watched(&self) -> Session {
        let mut session = Session::new(&Settings::default(), Retention::default());
        session.apply(Event::Begin(Box::new(Begin::memory(1, Process::default(), Grade::Full))));
        session.apply(Event::Connection(Connection::Live));
        for look in 0..6 {
            let (things, threads, kept) = (self.things.clone(), self.threads.clone(), self.kept.clone());
            let whole = Whole { things, threads, kept, ..Whole::default() };
            let mut update = Update { now: Some(at(look * 500)), look: Some(Box::new(whole)), ..Update::default() };
            if look == 0 {
                update.chains = self.chains.clone();
                update.task_looks = self.looks.clone();
            }
            session.apply(Event::Update(Box::new(update)));
        }
        session
    }

    /// The story of what a lint finds then, each step as deep as it stands.
    fn story(&self, lint: &str) -> Vec<String> {
        let session = self.watched();
        let found = session.engine().findings().find(|finding| finding.lint.name == lint);
        let steps = found.map(crate::diagnose::Finding::story).unwrap_or_default();
        steps.iter().map(|step| format!("{}{}", "  ".repeat(step.depth), step.in_words())).collect()
    }

    /// What is found above a note then, with how many are named as a part of it.
    fn found(&self) -> Vec<(&'static str, &'static str, usize)> {
        let session = self.watched();
        let findings = session.engine().findings().filter(|finding| finding.lint.name != "held-across-await");
        let row = |finding: &crate::diagnose::Finding| {
            let related = &finding.related;
            (finding.lint.name, finding.severity.name(), related.cycle.len() + related.tasks.len())
        };
        findings.map(row).collect()
    }
}

const GUARD: ClaimKind = ClaimKind::Permits(1);

/// Two tasks, each with a lock that the other waits for.
fn crossed() -> Scene {
    let mut scene = Scene::default();
    scene
        .task(1, plain(), vec![wait(1, permits(0x200, 1))], vec![claim(0, 0x100, GUARD)])
        .task(2, plain(), vec![wait(1, permits(0x100, 1))], vec![claim(0, 0x200, GUARD)])
        .thing(0x100, ThingKind::Mutex, &[(1, GUARD)], &[2])
        .thing(0x200, ThingKind::Mutex, &[(2, GUARD)], &[1]);
    scene
}

#[test]
fn a_story_goes_on_to_what_those_wait_for_who_keep_something() {
    let mut scene = Scene::default();
    let reads = WaitOn::Io { fd: None, interest: Interest::Read };
    scene
        .task(1, plain(), vec![wait(1, permits(0x101, 1))], vec![claim(0, 0x100, ClaimKind::Sender)])
        .task(2, plain(), vec![wait(1, permits(0x200, 1))], vec![claim(0, 0x100, ClaimKind::Receiver)])
        .task(3, plain(), vec![wait(1, WaitOn::Join(Some(number(4))))], vec![claim(0, 0x200, GUARD)])
        .task(4, plain(), vec![wait(1, reads)], vec![])
        .thing(0x100, ThingKind::Mpsc, &[(1, ClaimKind::Sender), (2, ClaimKind::Receiver)], &[])
        .thing(0x101, ThingKind::Room, &[], &[1])
        .thing(0x200, ThingKind::Mutex, &[(3, GUARD)], &[2]);
    for thing in &mut scene.things {
        thing.channel = thing.channel.map(|channel| Channel { messages: Some(1), ..channel });
    }
    assert_eq!(
        scene.story("channel-stuck"),
        [
            "room in an mpsc channel 2 it of app::f",
            "  task 2 app::f has the receiver, which would make it",
            "    waits for Mutex 3 it of app::f",
            "      task 3 app::f holds it for 2.50 s",
            "        waits for the end of task 4 app::f",
            "          task 4 app::f has not ended",
            "            waits for a descriptor readable",
            "  task 1 app::f waits for it for 2.50 s",
        ]
    );
}

/// Each of them waits for what all of them have: that is told once, and not again for each of the others.
#[test]
fn a_story_tells_nobody_twice() {
    let mut scene = Scene::default();
    let all: Vec<(u64, ClaimKind)> = (1..=4).map(|task| (task, GUARD)).collect();
    for task in 1..=4 {
        scene.task(task, plain(), vec![wait(1, permits(0x100, 1))], vec![claim(0, 0x100, GUARD)]);
    }
    scene.thing(0x100, ThingKind::Semaphore, &all, &[1, 2, 3, 4]);
    let likely = |holder: &mut Holder| holder.certainty = Certainty::Likely;
    scene.things[0].holders.iter_mut().for_each(likely);
    let mut story = vec!["Semaphore 1 it of app::f".to_owned()];
    for task in 1..=4 {
        story.push(format!("  task {task} app::f has permits of it"));
        story.push("    waits for Semaphore 1 it of app::f (above)".into());
    }
    story.extend((1..=4).map(|task| format!("  task {task} app::f waits for it for 2.50 s")));
    assert_eq!(scene.story("permits-gone"), story);
}

#[test]
fn two_locks_that_cross() {
    assert_eq!(crossed().found(), [("deadlock", "critical", 2)]);
}

#[test]
fn a_holder_who_is_only_likely_keeps_nobody() {
    let mut scene = crossed();
    scene.things[1].holders[0].certainty = Certainty::Likely;
    assert_eq!(scene.found(), []);
}

#[test]
fn who_has_a_timer_beside_is_stuck_unless_it_fires() {
    let mut scene = Scene::default();
    let frames = vec![
        frame(0, "app::f", FrameKind::Async, Reach::Polled),
        frame(1, "Timeout", FrameKind::Wrapper, Reach::Polled),
        leaf(2, Reach::Polled),
        leaf(2, Reach::Polled),
    ];
    let waits = vec![wait(2, permits(0x200, 1)), wait(3, WaitOn::Timer(at(60_000)))];
    scene
        .task(1, frames, waits, vec![claim(0, 0x100, GUARD)])
        .task(2, plain(), vec![wait(1, permits(0x100, 1))], vec![claim(0, 0x200, GUARD)])
        .thing(0x100, ThingKind::Mutex, &[(1, GUARD)], &[2])
        .thing(0x200, ThingKind::Mutex, &[(2, GUARD)], &[1]);
    assert_eq!(scene.found(), [("stuck-unless", "warning", 2)]);
}

#[test]
fn two_full_channels() {
    let mut scene = Scene::default();
    let (sender, receiver) = (ClaimKind::Sender, ClaimKind::Receiver);
    scene
        .task(1, plain(), vec![wait(1, permits(0x201, 1))], vec![claim(0, 0x100, receiver), claim(0, 0x200, sender)])
        .task(2, plain(), vec![wait(1, permits(0x101, 1))], vec![claim(0, 0x200, receiver), claim(0, 0x100, sender)])
        .thing(0x100, ThingKind::Mpsc, &[(1, receiver), (2, sender)], &[])
        .thing(0x101, ThingKind::Room, &[], &[2])
        .thing(0x200, ThingKind::Mpsc, &[(2, receiver), (1, sender)], &[])
        .thing(0x201, ThingKind::Room, &[], &[1]);
    for thing in scene.things.iter_mut().filter(|thing| thing.kind == ThingKind::Room) {
        thing.channel = Some(Channel { messages: Some(1), bound: Some(1), ..Channel::default() });
        thing.held = Some(0);
    }
    assert_eq!(scene.found(), [("deadlock", "critical", 2)]);
    // Nobody knows who receives of the one; of the other that is known, and what they do instead.
    scene.things[0].holders.remove(0);
    assert_eq!(scene.found(), [("channel-stuck", "warning", 0)]);
}

#[test]
fn who_waits_for_a_worker_and_keeps_the_sender_that_it_waits_for() {
    let mut scene = Scene::default();
    scene
        .task(1, plain(), vec![wait(1, WaitOn::Join(Some(number(2))))], vec![claim(0, 0x100, ClaimKind::Sender)])
        .task(2, plain(), vec![wait(1, WaitOn::Thing(ThingId(0x100)))], vec![claim(0, 0x100, ClaimKind::Receiver)])
        .thing(0x100, ThingKind::Mpsc, &[(1, ClaimKind::Sender), (2, ClaimKind::Receiver)], &[2]);
    assert_eq!(scene.found(), [("deadlock", "critical", 2)]);
    // Another sender is somewhere.
    scene.things[0].unseen = 1;
    assert_eq!(scene.found(), []);
}

/// A task that waits for a lock that a future of its own was given.
fn futurelock(reach: Reach) -> Scene {
    let mut scene = Scene::default();
    let frames = vec![
        frame(0, "app::f", FrameKind::Async, Reach::Polled),
        leaf(1, Reach::Polled),
        frame(1, "app::first", FrameKind::Async, reach),
        leaf(2, reach),
    ];
    scene.task(1, frames, vec![wait(1, permits(0x100, 1)), wait(3, permits(0x100, 0))], Vec::new()).thing(
        0x100,
        ThingKind::Mutex,
        &[(1, GUARD)],
        &[1],
    );
    scene
}

#[test]
fn a_lock_that_was_given_to_a_future_that_is_not_polled() {
    assert_eq!(futurelock(Reach::Held).found(), [("futurelock", "critical", 1)]);
}

#[test]
fn a_future_that_may_be_polled_accuses_nobody() {
    assert_eq!(futurelock(Reach::Maybe).found(), []);
}

/// A branch that sleeps sends by what the function around it has, and so does one that waits for a message which another branch borrows.
#[test]
fn a_branch_of_join_sends_by_what_is_around_it() {
    let mut scene = Scene::default();
    let frames = vec![
        frame(0, "app::f", FrameKind::Async, Reach::Polled),
        frame(1, "join!", FrameKind::Several, Reach::Polled),
        frame(2, "app::receives", FrameKind::Async, Reach::Polled),
        leaf(3, Reach::Polled),
        frame(2, "app::sends", FrameKind::Async, Reach::Polled),
        leaf(3, Reach::Polled),
    ];
    let (sender, receiver) = (ClaimKind::Sender, ClaimKind::Receiver);
    let waits = |other: WaitOn| vec![wait(3, WaitOn::Thing(ThingId(0x100))), wait(5, other)];
    let claims = vec![claim(0, 0x100, sender), claim(0, 0x100, receiver)];
    scene.task(1, frames.clone(), waits(WaitOn::Timer(at(60_000))), claims.clone()).thing(
        0x100,
        ThingKind::Mpsc,
        &[(1, sender), (1, receiver)],
        &[1],
    );
    assert_eq!(scene.found(), []);
    // The other branch waits for the same.
    scene.looks.clear();
    scene.chains.clear();
    scene.task(1, frames, waits(WaitOn::Thing(ThingId(0x100))), claims);
    assert_eq!(scene.found(), [("waits-for-itself", "warning", 1)]);
}

/// Who waits at a barrier, or for a notification, and has all handles to it; and one of them with a lock that the others want.
#[test]
fn who_waits_for_what_only_they_could_end() {
    let sender = ClaimKind::Sender;
    for kind in [ThingKind::Barrier, ThingKind::Notify] {
        let mut scene = Scene::default();
        let waits = || vec![wait(1, WaitOn::Thing(ThingId(0x100)))];
        scene
            .task(1, plain(), waits(), vec![claim(0, 0x100, sender)])
            .task(2, plain(), waits(), vec![claim(0, 0x100, sender)])
            .task(3, plain(), vec![wait(1, WaitOn::Join(Some(number(2))))], vec![])
            .thing(0x100, kind, &[(1, sender), (2, sender)], &[]);
        assert_eq!(scene.found(), [("abandoned-wait", "note", 2)]);
        // There is a handle that nobody was seen with.
        scene.things[0].unseen = 1;
        assert_eq!(scene.found(), []);
        scene.things[0].unseen = 0;
        scene.things[0].holders[1].certainty = Certainty::Likely;
        assert_eq!(scene.found(), []);
    }
    let mut scene = Scene::default();
    scene
        .task(
            1,
            plain(),
            vec![wait(1, WaitOn::Thing(ThingId(0x100)))],
            vec![claim(0, 0x100, sender), claim(0, 0x200, GUARD)],
        )
        .task(2, plain(), vec![wait(1, permits(0x200, 1))], vec![claim(0, 0x100, sender)])
        .thing(0x100, ThingKind::Barrier, &[(1, sender), (2, sender)], &[])
        .thing(0x200, ThingKind::Mutex, &[(1, GUARD)], &[2]);
    assert_eq!(scene.found(), [("deadlock", "critical", 2)]);
}

#[test]
fn a_branch_of_join_stands_for_itself() {
    let mut scene = Scene::default();
    let frames = |last: Vec<Frame>| {
        let mut frames = vec![
            frame(0, "app::f", FrameKind::Async, Reach::Polled),
            frame(1, "join!", FrameKind::Several, Reach::Polled),
            frame(2, "app::holds", FrameKind::Async, Reach::Polled),
            leaf(3, Reach::Polled),
        ];
        frames.extend(last);
        frames
    };
    let other = || vec![frame(2, "app::asks", FrameKind::Async, Reach::Polled), leaf(3, Reach::Polled)];
    // One branch has the lock and sleeps a while, the other waits for it.
    let waits = vec![wait(3, WaitOn::Timer(at(60_000))), wait(5, permits(0x100, 1))];
    scene.task(1, frames(other()), waits, vec![claim(2, 0x100, GUARD)]).thing(
        0x100,
        ThingKind::Mutex,
        &[(1, GUARD)],
        &[1],
    );
    assert_eq!(scene.found(), []);
    // One branch has the lock and waits for a second one, which the other has, which waits for the first.
    let mut scene = Scene::default();
    let waits = vec![wait(3, permits(0x200, 1)), wait(5, permits(0x100, 1))];
    scene
        .task(1, frames(other()), waits, vec![claim(2, 0x100, GUARD), claim(4, 0x200, GUARD)])
        .thing(0x100, ThingKind::Mutex, &[(1, GUARD)], &[1])
        .thing(0x200, ThingKind::Mutex, &[(1, GUARD)], &[1]);
    assert_eq!(scene.found().len(), 1);
}

/// A task with two waits in one queue: one that is polled, and one of a branch, or of a future that is kept.
fn twice(reach: Reach) -> Vec<Frame> {
    vec![
        frame(0, "app::f", FrameKind::Async, Reach::Polled),
        frame(1, "join!", FrameKind::Several, Reach::Polled),
        frame(2, "app::one", FrameKind::Async, Reach::Polled),
        leaf(3, Reach::Polled),
        frame(2, "app::other", FrameKind::Async, reach),
        leaf(3, reach),
    ]
}

#[test]
fn both_branches_wait_for_what_the_task_has() {
    for reach in [Reach::Polled, Reach::Held] {
        let mut scene = Scene::default();
        let waits = vec![wait(3, permits(0x100, 1)), wait(5, permits(0x100, 1))];
        scene.task(1, twice(reach), waits, vec![claim(0, 0x100, GUARD)]).thing(
            0x100,
            ThingKind::Mutex,
            &[(1, GUARD)],
            &[1, 1],
        );
        assert_eq!(scene.found(), [("deadlock", "critical", 1)], "{reach:?}");
        // One of the waits is in no queue: it may be over.
        scene.things[0].queue.pop();
        assert_eq!(scene.found(), [], "{reach:?}");
    }
}

#[test]
fn which_of_two_places_a_future_has_that_would_keep_what_it_is_given_is_not_known() {
    let mut scene = Scene::default();
    let waits = vec![wait(3, permits(0x100, 1)), wait(5, permits(0x100, 1))];
    scene
        .task(1, twice(Reach::Held), waits, Vec::new())
        .task(2, plain(), vec![wait(1, permits(0x100, 1))], Vec::new())
        // Who has it can go on.
        .task(3, plain(), vec![wait(1, WaitOn::Other)], vec![claim(0, 0x100, GUARD)])
        .thing(0x100, ThingKind::Mutex, &[(3, GUARD)], &[1, 2, 1]);
    assert_eq!(scene.found().iter().filter(|found| found.1 == "critical").count(), 0);
}

#[test]
fn a_reader_waits_behind_a_writer_that_its_own_task_keeps() {
    let mut scene = Scene::default();
    let all = u32::MAX >> 3;
    let ask = |wanted, missing| WaitOn::Permits { of: ThingId(0x100), wanted, missing };
    scene
        .task(1, twice(Reach::Held), vec![wait(3, ask(1, 1)), wait(5, ask(all, 1))], vec![claim(0, 0x100, GUARD)])
        .thing(0x100, ThingKind::RwLock, &[(1, GUARD)], &[1, 1]);
    let thing = &mut scene.things[0];
    (thing.total, thing.channel) = (Some(u64::from(all)), None);
    thing.queue[0].wanted = all;
    assert_eq!(scene.found(), [("futurelock", "critical", 1)]);
    // The reader came first.
    scene.things[0].queue.swap(0, 1);
    assert_eq!(scene.found(), []);
}

/// Task 1 has a lock, and waits for the end of any task of a set: the first waits for that lock, the other for something else.
fn waits_for_a_set(other: WaitOn) -> Scene {
    let set =
        vec![wait(1, WaitOn::JoinAny(2)), wait(1, WaitOn::JoinOneOf(number(2))), wait(1, WaitOn::JoinOneOf(number(3)))];
    let mut scene = Scene::default();
    scene
        .task(1, plain(), set, vec![claim(0, 0x100, GUARD)])
        .task(2, plain(), vec![wait(1, permits(0x100, 1))], vec![])
        .task(3, plain(), vec![wait(1, other)], vec![])
        .thing(0x100, ThingKind::Mutex, &[(1, GUARD)], &[2]);
    scene
}

#[test]
fn a_set_of_which_any_task_may_end() {
    assert_eq!(waits_for_a_set(WaitOn::Timer(at(0))).found(), []);
    assert_eq!(waits_for_a_set(WaitOn::Other).found(), []);
    let mut both = waits_for_a_set(permits(0x100, 1));
    both.things[0].queue.push(Waiter { who: Who::Task(number(3)), wanted: 1, missing: 1 });
    assert_eq!(both.found(), [("deadlock", "critical", 3)]);
    // Of a set of which not all are known nothing is said.
    let mut unknown = waits_for_a_set(permits(0x100, 1));
    unknown.things[0].queue.push(Waiter { who: Who::Task(number(3)), wanted: 1, missing: 1 });
    Arc::get_mut(&mut unknown.looks[0].1).unwrap().waits = Box::new([wait(1, WaitOn::JoinAny(2))]);
    assert_eq!(unknown.found(), []);
}

/// Task 1 sleeps with a lock of the standard library, and the thread of `LocalSet` 9 polls task 2, which sleeps for it.
fn asleep_for_a_guard(on: WaitOn) -> Scene {
    let mut scene = Scene::default();
    scene.task(1, plain(), vec![wait(1, on)], vec![claim(0, 0x100, GUARD)]).task(2, vec![], vec![], vec![]);
    scene.thing(0x100, ThingKind::Mutex, &[(1, GUARD)], &[2]);
    let thing = scene.things.last_mut().unwrap();
    (thing.kind, thing.perhaps) = (ThingKind::StdMutex, vec![Who::Task(number(2))]);
    thing.holders[0].certainty = Certainty::Likely;
    for (key, look) in &mut scene.looks {
        let look = Arc::get_mut(look).unwrap();
        look.home = Home::Set(ThingId(9));
        if *key == TaskKey::Number(number(2)) {
            (look.state, look.chain) = (State::Running, None);
        }
    }
    scene.threads.push(Thread {
        id: 7,
        state: 'S',
        cpu: Some(std::time::Duration::ZERO),
        role: Role::Other,
        polls: Some(number(2)),
        sleeps: Some(Sleeps { lock: SleepsFor::Mutex, at: Some(ThingId(0x100)) }),
        ..Thread::default()
    });
    scene.kept.push(Kept { home: Home::Set(ThingId(9)), threads: vec![7] });
    scene
}

#[test]
fn a_thread_that_sleeps_for_what_only_it_could_bring_about() {
    assert_eq!(asleep_for_a_guard(WaitOn::Timer(at(0))).found(), [("deadlock", "critical", 2)]);
    // Whatever the holder waits for, it is not polled.
    assert_eq!(asleep_for_a_guard(WaitOn::Other).found(), [("deadlock", "critical", 2)]);
    assert_eq!(asleep_for_a_guard(WaitOn::Join(Some(number(2)))).found(), [("deadlock", "critical", 2)]);
}

#[test]
fn a_thread_that_sleeps_while_another_could_poll_the_holder() {
    let mut scene = asleep_for_a_guard(WaitOn::Timer(at(0)));
    scene.kept.clear();
    assert_eq!(scene.found(), []);
    // Unless the holder waits for what runs on the thread.
    let mut scene = asleep_for_a_guard(WaitOn::Join(Some(number(2))));
    scene.kept.clear();
    assert_eq!(scene.found(), [("deadlock", "critical", 2)]);
}

#[test]
fn a_thread_that_sleeps_for_what_somebody_else_could_have() {
    let mut scene = asleep_for_a_guard(WaitOn::Timer(at(0)));
    scene.things[0].perhaps.clear();
    assert_eq!(scene.found(), []);
    // One who could have it, and goes on.
    let mut scene = asleep_for_a_guard(WaitOn::Timer(at(0)));
    scene.task(3, plain(), vec![wait(1, WaitOn::Timer(at(0)))], vec![]);
    scene.things[0].perhaps.push(Who::Task(number(3)));
    assert_eq!(scene.found(), []);
}

#[test]
fn a_thread_that_runs() {
    let mut scene = asleep_for_a_guard(WaitOn::Timer(at(0)));
    scene.threads[0].cpu = None;
    assert_eq!(scene.found(), []);
    let mut scene = asleep_for_a_guard(WaitOn::Timer(at(0)));
    scene.threads[0].sleeps = Some(Sleeps { lock: SleepsFor::ParkingLot, at: None });
    scene.things[0].queue.clear();
    assert_eq!(scene.found(), []);
}
