//! Sides that are made up: the rule by itself, and sessions of services that are played by hand.

use super::{
    rule::{Least, Sample, Step, Typical, step},
    *,
};
use crate::{
    diagnose::Settings,
    model::Retention,
    session::Session,
    update::{
        Begin, Connection, Event, LockStats, PollStats, Process, ResourceId, SourcePlace, SpawnTimes, Stamp, TaskId,
    },
};
use std::time::Duration;

#[path = "../../tests/support/service.rs"]
#[expect(clippy::duplicate_mod, reason = "no room is to know another's tests")]
mod service;

use service::{Service, Take, at};

// ---- the rule ----

fn exact(values: &[f64]) -> Typical {
    Typical::of(&values.iter().map(|value| Sample::exact(*value)).collect::<Vec<_>>()).unwrap()
}

const LEAST_TOLD: Least = Least { share: 0.1, amount: 0.01 };

#[test]
fn a_side_is_its_median_and_the_distance_of_its_quartiles() {
    let ten = exact(&[9.0, 1.0, 3.0, 2.0, 5.0, 4.0, 7.0, 6.0, 10.0, 8.0]);
    assert_eq!((ten.least, ten.most, ten.spread), (5.5, 5.5, 4.5));
    assert_eq!(Typical::of(&[]), None);
}

#[test]
fn what_differs_by_more_than_noise_a_share_and_an_amount_is_told() {
    let of = |before: &[f64], after: &[f64]| step(&exact(before), &exact(after), LEAST_TOLD);
    assert_eq!(of(&[1.0; 10], &[1.2; 10]), Step::Up);
    assert_eq!(of(&[1.2; 10], &[1.0; 10]), Step::Down);
    assert_eq!(of(&[1.0; 10], &[1.0; 10]), Step::Same);
    // A tenth of what it was, and no more.
    assert_eq!(of(&[1.0; 10], &[1.09; 10]), Step::Same);
    // Twice as much of next to nothing.
    assert_eq!(of(&[0.005; 10], &[0.012; 10]), Step::Same);
    // From nothing there is no share.
    assert_eq!(of(&[0.0; 10], &[0.02; 10]), Step::Up);
    // One side goes up and down by as much by itself, whichever it is.
    let noisy = [0.9, 1.5, 0.8, 1.4, 1.0, 1.6, 0.7, 1.3, 1.0, 1.5];
    assert_eq!(of(&noisy, &[1.5; 10]), Step::Same);
    assert_eq!(of(&[1.5; 10], &noisy), Step::Same);
    assert_eq!(of(&noisy, &[3.0; 10]), Step::Up);
    // One window that is out of place is none of the quartiles' business.
    let once = [1.0, 1.0, 1.0, 1.0, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0];
    assert_eq!(of(&[1.0; 10], &once), Step::Same);
    assert_eq!(of(&once, &[1.2; 10]), Step::Up);
}

#[test]
fn a_share_of_what_was_counted_differs_by_more_than_chance_would_have_it() {
    let of = |share: f64, so: u64, all: u64| exact(&[share; 10]).counted(so, all);
    // Forty of 2,000 and seventy: windows that are alike do not make that certain.
    assert_eq!(step(&of(0.02, 40, 2_000), &of(0.035, 70, 2_000), LEAST_TOLD), Step::Same);
    assert_eq!(step(&of(0.035, 70, 2_000), &of(0.02, 40, 2_000), LEAST_TOLD), Step::Same);
    assert_eq!(step(&of(0.02, 40, 2_000), &of(0.05, 100, 2_000), LEAST_TOLD), Step::Up);
    // Of ten times as many it is.
    assert_eq!(step(&of(0.02, 400, 20_000), &of(0.035, 700, 20_000), LEAST_TOLD), Step::Up);
    // None of a hundred may be one of twenty.
    assert_eq!(step(&of(0.0, 0, 100), &of(0.05, 5, 100), LEAST_TOLD), Step::Same);
    assert_eq!(step(&of(0.0, 0, 100), &of(0.3, 30, 100), LEAST_TOLD), Step::Up);
}

#[test]
fn what_is_known_by_bounds_differs_where_these_do() {
    let between = |least, most| Typical::of(&[Sample { least, most }; 10]).unwrap();
    let least = Least { share: 0.1, amount: 1e-4 };
    let [one, next, third] = [(512e-6, 1024e-6), (1024e-6, 2048e-6), (2048e-6, 4096e-6)].map(|(a, b)| between(a, b));
    // 1.02 ms may have become 1.03 ms.
    assert_eq!(step(&one, &next, least), Step::Same);
    assert_eq!(step(&one, &third, least), Step::Up);
    assert_eq!(step(&third, &one, least), Step::Down);
    // Eight times as much of what nobody would notice.
    assert_eq!(step(&between(2e-6, 4e-6), &between(16e-6, 32e-6), least), Step::Same);
    let unbounded = between(2147.0, f64::MAX);
    assert_eq!((step(&third, &unbounded, least), step(&unbounded, &third, least)), (Step::Up, Step::Down));
    assert_eq!(step(&unbounded, &unbounded, least), Step::Same);
}

// ---- sides ----

fn agent() -> Begin {
    let capabilities = ["stalls", "wakers", "spawn-times"].map(String::from).into();
    Begin::agent(1, Process { capabilities, ..Process::default() })
}

/// Ten windows of a second each, of a service in which this happens in each second; what is returned is told of lengths.
fn side(begin: Begin, happens: impl FnMut(&mut Service, u64) -> Vec<SpawnTimes>) -> Side {
    played(begin, 10, happens)
}

fn played(begin: Begin, seconds: u64, mut happens: impl FnMut(&mut Service, u64) -> Vec<SpawnTimes>) -> Side {
    let mut session = Session::new(&Settings::default(), Retention::default());
    let (mut service, mut watching) = (Service::new(), Watching::new(Duration::from_secs(1)));
    for event in [Event::Begin(Box::new(begin)), Event::Connection(Connection::Live)] {
        tell(&mut session, &mut watching, 0, event);
    }
    for second in 0..=seconds {
        let spawn_times = happens(&mut service, second);
        let rest = at((second + 1) * 1_000).since(service.now());
        service.pass_micros(u64::try_from(rest.as_micros()).unwrap());
        let mut update = service.publish();
        update.spawn_times = spawn_times;
        tell(&mut session, &mut watching, second, Event::Update(Box::new(update)));
    }
    watching.finish(&session).expect("updates were complete")
}

fn tell(session: &mut Session, watching: &mut Watching, second: u64, event: Event) {
    let heard = Heard::of(&event);
    session.apply(event);
    watching.take(Duration::from_secs(second), heard, session);
}

/// A task that is polled so often a second, for so many milliseconds.
fn polled(times: u64, millis: u64, name: &'static str, place: &'static str) -> Side {
    let mut task = None;
    side(agent(), |service, _| {
        let task = *task.get_or_insert_with(|| service.spawn(name, place));
        for _ in 0..times {
            service.poll(task, millis).pass(1);
        }
        Vec::new()
    })
}

fn compared(before: &Side, after: &Side) -> Comparison {
    Comparison::new(before, after, &Thresholds::default())
}

fn verdicts(place: &ComparedPlace) -> Vec<(&'static str, Verdict)> {
    place.metrics.iter().map(|compared| (compared.metric.name(), compared.verdict)).collect()
}

fn of(place: &ComparedPlace, metric: Metric) -> Compared {
    *place.metrics.iter().find(|compared| compared.metric == metric).expect("it is compared")
}

const HERE: &str = "src/orders.rs:30";

#[test]
fn longer_polls_are_worse_and_more_of_them_are_another_load() {
    let (before, longer) = (polled(40, 5, "", HERE), polled(40, 6, "", HERE));
    assert_eq!((before.windows, before.locations.len()), (10, 1));
    assert!((before.seconds - 10.0).abs() < 1e-6, "{}", before.seconds);
    let comparison = compared(&before, &longer);
    let place = &comparison.locations[0];
    assert_eq!((place.place.to_string().as_str(), place.place.column), (HERE, 5));
    assert_eq!(
        verdicts(place)[..4],
        [
            ("tasks", Verdict::Same),
            ("polls", Verdict::Same),
            ("busy", Verdict::Worse),
            ("poll-p50", Verdict::TooLittle)
        ]
    );
    let busy = of(place, Metric::Busy);
    let shares =
        [busy.before, busy.after].map(|side| side.typical().map(|typical| (typical.least * 1e6).round() / 1e6));
    assert_eq!(shares, [Some(0.2), Some(0.24)]);
    assert!(comparison.is_worse(|_| false) && comparison.told() == 1);
    let back = compared(&longer, &before);
    assert_eq!(back.locations[0].verdict(), Verdict::Better);
    assert!(!back.is_worse(|_| true));
    let more = compared(&before, &polled(50, 4, "", HERE));
    assert_eq!(verdicts(&more.locations[0])[1..3], [("polls", Verdict::Differs), ("busy", Verdict::Same)]);
    assert!(!more.is_worse(|_| true));
    let same = compared(&before, &polled(40, 5, "", HERE));
    assert_eq!((same.told(), same.is_worse(|_| true)), (0, false));
    // Whoever wants to hear of less, is told less.
    let half = Thresholds { share: 0.5, ..Thresholds::default() };
    assert_eq!(Comparison::new(&before, &longer, &half).told(), 0);
}

#[test]
fn few_polls_and_few_windows_are_too_little() {
    let few = compared(&polled(9, 10, "", HERE), &polled(9, 90, "", HERE));
    assert_eq!(verdicts(&few.locations[0])[1..3], [("polls", Verdict::TooLittle), ("busy", Verdict::TooLittle)]);
    let short = played(agent(), 8, |service, second| {
        let task = if second == 0 { service.spawn("", HERE) } else { service.task_ids()[0] };
        for _ in 0..30 {
            service.poll(task, 20).pass(1);
        }
        Vec::new()
    });
    assert_eq!(short.windows, 8);
    let comparison = compared(&polled(40, 5, "", HERE), &short);
    assert!(verdicts(&comparison.locations[0]).iter().all(|(_, verdict)| *verdict == Verdict::TooLittle));
    let elsewhere = compared(&polled(40, 5, "", "src/other.rs:1"), &short);
    assert_eq!(elsewhere.told(), 0, "who was not watched for long enough may have missed it");
}

#[test]
fn a_location_whose_line_has_moved_is_known_by_its_name_if_no_other_has_it() {
    let before = polled(40, 5, "charges", HERE);
    let moved = compared(&before, &polled(40, 6, "charges", "src/orders.rs:41"));
    assert_eq!(moved.locations.len(), 1);
    let Joined::Moved(from) = &moved.locations[0].joined else { panic!("{moved:#?}") };
    assert_eq!((from.to_string().as_str(), moved.locations[0].verdict()), (HERE, Verdict::Worse));
    for after in [polled(40, 5, "", "src/orders.rs:41"), polled(40, 5, "charges", "src/bills.rs:30")] {
        let comparison = compared(&before, &after);
        let joined: Vec<_> = comparison.locations.iter().map(|place| place.joined.name()).collect();
        assert_eq!((joined.len(), comparison.told()), (2, 2), "{joined:?}");
        assert!(joined.contains(&"new") && joined.contains(&"gone"), "{joined:?}");
        assert!(!comparison.is_worse(|_| true), "what is new is told, and not judged");
    }
    // Two that go by one name: which of them it was nobody knows.
    let mut tasks = Vec::new();
    let two = side(agent(), |service, second| {
        if second == 0 {
            tasks = ["src/orders.rs:41", "src/orders.rs:52"].map(|place| service.spawn("charges", place)).into();
        }
        for &task in tasks.iter().cycle().take(40) {
            service.poll(task, 5).pass(1);
        }
        Vec::new()
    });
    assert_eq!(compared(&before, &two).locations.len(), 3);
    // And one whose tasks each have another name has none.
    let mut numbered = Vec::new();
    let several = side(agent(), |service, second| {
        if second == 0 {
            numbered = ["charges", "charges-2"].map(|name| service.spawn(name, HERE)).into();
        }
        for &task in numbered.iter().cycle().take(40) {
            service.poll(task, 5).pass(1);
        }
        Vec::new()
    });
    assert_eq!(several.locations[0].name, "");
}

/// Lengths of all polls and waits so far, of 40 a second, each in one doubling.
fn lengths(second: u64, poll: usize, wait: usize) -> Vec<SpawnTimes> {
    let count = |doubling| {
        let mut counts = vec![0; doubling + 1];
        counts[doubling] = 40 * (second + 1);
        counts
    };
    let (file, line) = HERE.rsplit_once(':').unwrap();
    let place = Some(SourcePlace { file: file.into(), line: line.parse().unwrap(), column: 5 });
    vec![SpawnTimes { place, polls: count(poll), waits: count(wait) }]
}

fn with_lengths(begin: Begin, poll: usize, wait: usize) -> Side {
    side(begin, |service, second| {
        if second == 0 {
            service.spawn("", HERE);
        }
        lengths(second, poll, wait)
    })
}

#[test]
fn percentiles_come_from_lengths_that_are_told_and_from_nothing_else() {
    let before = with_lengths(agent(), 10, 3);
    assert_eq!(before.locations[0].lengths, [400, 400], "those of the ten windows");
    let comparison = compared(&before, &with_lengths(agent(), 12, 3));
    let place = &comparison.locations[0];
    let median = of(place, Metric::PollMedian);
    let bounds = |side: Measured| side.typical().map(|typical| (typical.least, typical.most, typical.spread));
    assert_eq!(bounds(median.before), Some((512e-6, 1024e-6, 0.0)));
    assert_eq!(bounds(median.after), Some((2048e-6, 4096e-6, 0.0)));
    assert_eq!((median.verdict, of(place, Metric::WaitLong).verdict), (Verdict::Worse, Verdict::Same));
    assert_eq!(compared(&before, &with_lengths(agent(), 11, 3)).told(), 0, "it may have been next to nothing");
    // Who tells no waits knows none, and a console knows neither.
    let lean = Process { capabilities: vec!["spawn-times".into()], ..Process::default() };
    let lean = compared(&before, &with_lengths(Begin::agent(1, lean), 10, 0));
    assert_eq!(of(&lean.locations[0], Metric::PollLong).verdict, Verdict::Same);
    assert_eq!(of(&lean.locations[0], Metric::WaitLong).verdict, Verdict::NotKnown);
    let console = compared(&before, &with_lengths(Begin::console(1), 10, 3));
    let median = of(&console.locations[0], Metric::PollMedian);
    assert_eq!(median.verdict, Verdict::NotKnown);
    assert!(median.why_not().unwrap().contains("agent"), "{median:?}");
}

#[test]
fn a_poll_that_goes_on_for_windows_is_busy_in_each() {
    let side = side(agent(), |service, second| {
        let task = if second == 0 { service.spawn("", HERE) } else { service.task_ids()[0] };
        if second == 1 {
            for _ in 0..120 {
                service.poll(task, 1);
            }
            service.pass_micros(1).start(task);
        } else if second % 5 == 0 && second > 0 {
            service.end(task).pass_micros(1).start(task);
        }
        Vec::new()
    });
    let shares: Vec<f64> =
        side.locations[0].samples[2].iter().map(|sample| (sample.least * 1e3).round() / 1e3).collect();
    assert_eq!(shares, [1.0; 10], "a second in each second");
}

#[test]
fn another_process_is_never_mixed_with_the_one_before() {
    let mut session = Session::new(&Settings::default(), Retention::default());
    let mut watching = Watching::new(Duration::from_secs(1));
    let mut second = 0;
    for process in 0..2 {
        let mut service = Service::new();
        // The second one has done less in all than the first one has.
        let before = if process == 0 { 50_000 } else { 100 };
        tell(&mut session, &mut watching, second, Event::Begin(Box::new(agent())));
        let task = service.spawn("", HERE);
        service.poll(task, 10);
        service.task(task).polls.count = before;
        for _ in 0..6 {
            for _ in 0..20 {
                service.poll(task, 10).pass(1);
            }
            service.pass(1_000 - 20 * 11);
            tell(&mut session, &mut watching, second, Event::Update(Box::new(service.publish())));
            second += 1;
        }
    }
    let side = watching.finish(&session).unwrap();
    let place = &side.locations[0];
    assert_eq!((side.locations.len(), place.polls), (1, 200), "five seconds of each");
    assert!(place.samples[1].iter().all(|polls| (polls.least - 20.0).abs() < 0.5), "{:?}", place.samples[1]);
}

#[test]
fn locks_are_compared_by_where_they_are_made() {
    let contended = |every: u64| {
        let (mut lock, mut tasks) = (None, Vec::new());
        side(Begin::console(1), move |service, second| {
            let lock = *lock.get_or_insert_with(|| service.mutex("src/orders.rs:12"));
            if second == 0 {
                tasks = (0..2).map(|_| service.spawn("", HERE)).collect();
            }
            for turn in 0..30 {
                if turn % every == 0 {
                    take_in_turn(service, tasks[0], tasks[1], lock);
                } else {
                    take_alone(service, tasks[0], lock);
                }
            }
            Vec::new()
        })
    };
    let (rarely, often) = (contended(10), contended(2));
    assert_eq!((rarely.locks.len(), rarely.locks[0].kind, rarely.locks[0].place.line), (1, "Mutex", 12));
    assert!(rarely.locks[0].acquisitions >= 300, "{:?}", rarely.locks[0]);
    let comparison = compared(&rarely, &often);
    let lock = &comparison.locks[0];
    assert_eq!(of(lock, Metric::Contended).verdict, Verdict::Worse, "{lock:#?}");
    assert_eq!(lock.name, "Mutex");
    assert_eq!(compared(&rarely, &contended(10)).locks[0].verdict(), Verdict::Same);
}

/// One takes a lock, and nobody else wants it.
fn take_alone(service: &mut Service, task: TaskId, lock: ResourceId) {
    service.start(task).take(task, lock, Take::Lock).end(task);
    service.start(task).release(lock, Take::Lock).end(task).pass(2);
}

/// One takes a lock, and another one has to wait for it.
fn take_in_turn(service: &mut Service, first: TaskId, second: TaskId, lock: ResourceId) {
    service.start(first).take(first, lock, Take::Lock).end(first);
    service.start(second).ask(second, lock, Take::Lock);
    service.end(second).pass(3);
    service.start(first).release(lock, Take::Lock).end(first);
    service.start(second).report_taken(lock, Take::Lock).release(lock, Take::Lock).end(second);
    service.pass(2);
}

#[test]
fn numbers_that_add_up_to_more_than_there_is_are_as_large_as_there_is() {
    let mut session = Session::new(&Settings::default(), Retention::default());
    let [mut watching, mut for_ever] = [Duration::from_secs(1), Duration::MAX].map(Watching::new);
    let mut service = Service::new();
    let can = ["locks", "spawn-times"].map(String::from).into();
    let begin = Begin::agent(1, Process { capabilities: can, ..Process::default() });
    tell(&mut session, &mut watching, 0, Event::Begin(Box::new(begin)));
    let tasks: Vec<TaskId> = (0..12).map(|_| service.spawn("", HERE)).collect();
    let locks = [(); 2].map(|()| service.mutex("src/orders.rs:12"));
    for second in 0..=20 {
        // From nothing to all that there is in each second window.
        let (number, busy) = if second % 2 == 1 { (u64::MAX, Duration::MAX) } else { (0, Duration::ZERO) };
        for &task in &tasks {
            let polls = &mut service.task(task).polls;
            *polls = PollStats { count: number, busy, last_started: Some(Stamp::MIN), last_ended: None };
        }
        let mut update = service.pass(1_000).publish();
        let lock = |lock| LockStats { acquisitions: number, contended: number, ..LockStats::new(lock) };
        update.locks = locks.map(lock).into();
        let place = lengths(0, 0, 0).remove(0).place;
        update.spawn_times = vec![SpawnTimes { place, polls: vec![number, 1, number], waits: vec![number; 40] }];
        tell(&mut session, &mut watching, second, Event::Update(Box::new(update)));
        for_ever.take(Duration::from_secs(second), Heard::Update, &session);
    }
    let side = watching.finish(&session).unwrap();
    assert_eq!((side.windows, side.locations[0].polls, side.locks[0].acquisitions), (10, u64::MAX, u64::MAX));
    assert_eq!(side.locations[0].lengths[0], u64::MAX);
    assert_eq!(compared(&side, &side).told(), 0);
    assert_eq!(for_ever.finish(&session).unwrap().windows, 0);
}

// ---- findings ----

/// A task that was polled once, and that somebody has a waker of.
fn spawned_once(service: &mut Service, second: u64, place: &str) -> TaskId {
    if second > 0 {
        return service.task_ids()[0];
    }
    let task = service.spawn("charges", place);
    service.start(task).keep_waker(task).pass(1).end(task);
    task
}

/// A task that keeps its worker from some second on, in a side of ten windows.
fn stuck_from(from: u64) -> Side {
    side(agent(), move |service, second| {
        let task = spawned_once(service, second, HERE);
        if second == from {
            service.start(task);
        }
        Vec::new()
    })
}

#[test]
fn findings_that_are_new_or_gone_are_told_and_those_of_a_moment_are_not() {
    let (healthy, stuck) = (stuck_from(99), stuck_from(3));
    let of = |comparison: &Comparison| -> Vec<(&str, FindingChange, [usize; 2])> {
        comparison.findings.iter().map(|finding| (finding.lint, finding.change, finding.windows)).collect()
    };
    let comparison = compared(&healthy, &stuck);
    let new = comparison.findings.iter().find(|finding| finding.lint == "never-yields").expect("it is found");
    assert_eq!((new.change, new.at.as_str(), new.severity), (FindingChange::New, HERE, Severity::Critical));
    assert!(new.windows[0] == 0 && new.windows[1] > 5, "{new:?}");
    assert!(comparison.is_worse(|severity| severity >= Severity::Warning));
    assert!(!comparison.is_worse(|_| false), "none is bad enough");
    let gone = compared(&stuck, &healthy);
    assert!(of(&gone).iter().any(|(lint, change, _)| (*lint, *change) == ("never-yields", FindingChange::Gone)));
    assert!(!gone.is_worse(|_| true));
    assert!(of(&compared(&stuck, &stuck_from(4))).iter().all(|(_, change, _)| *change == FindingChange::Same));
    // Found in two windows, in the middle: what lasts is known up to the update before.
    let moment = side(agent(), |service, second| {
        let task = spawned_once(service, second, HERE);
        match second {
            4 => _ = service.start(task),
            7 => _ = service.end(task),
            _ => {}
        }
        Vec::new()
    });
    let comparison = compared(&healthy, &moment);
    let all = of(&comparison);
    assert!(
        all.iter().any(|(lint, change, _)| (*lint, *change) == ("never-yields", FindingChange::TooLittle)),
        "{all:?}"
    );
}

#[test]
fn a_finding_goes_where_its_location_has_moved() {
    let stuck_at = |place: &'static str| {
        side(agent(), move |service, second| {
            let task = spawned_once(service, second, place);
            if second == 3 {
                service.start(task);
            }
            Vec::new()
        })
    };
    let comparison = compared(&stuck_at(HERE), &stuck_at("src/orders.rs:41"));
    let changes: Vec<_> = comparison.findings.iter().map(|finding| (finding.lint, finding.change)).collect();
    assert!(!changes.is_empty() && changes.iter().all(|(_, change)| *change == FindingChange::Same), "{changes:?}");
}
