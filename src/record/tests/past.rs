//! Going back and forth, in recordings and in the past of a session that goes on.

use super::{
    super::{
        Clock, Header, History, Keeps, Limits, Mark, MarkKind, Moment, Out, Recorder, Seek, SegmentHead, SegmentTail,
        TimeLine, View, Viewer, Writer, player::Origin, share,
    },
    Told, new_session, open, play, record, said, service, told, wall,
};
use crate::{
    record::{Error, Player, Recording},
    session::Session,
    update::{
        Access, Across, Begin, Event, Holder, LockStats, NewResource, NewTask, OpId, Part, PollStats, Process,
        ResourceId, SourcePlace, TaskId, TaskStats, Update, Waiting,
        look::{Values, Who},
    },
};
use proptest::{collection::vec, prelude::*};
use std::{
    fs,
    time::{Duration, Instant},
};

/// Which events show another instant.
fn steps(events: &Told) -> Vec<usize> {
    let is_step = |event: &Event| match event {
        Event::Update(update) => update.part == Part::Last,
        Event::Connection(_) => true,
        _ => false,
    };
    (0..events.len()).filter(|&at| is_step(&events[at].1)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn steps_back_and_forth_show_what_was_said_then(
        acts in vec(play::step(), 1..80),
        ends in vec(0_usize..60, 0..6),
        walk in vec((any::<bool>(), -4_i64..5), 1..24),
    ) {
        let events = told(&acts);
        let (lived, bytes) = record(&events, &ends);
        let steps = steps(&events);
        let mut player = Player::new(open(&bytes).unwrap()).unwrap().with_checkpoints();
        player.visit(Origin::End, 0).unwrap();
        let mut at = steps.len() - 1;
        for (is_from_end, by) in walk {
            let (origin, from) = if is_from_end { (Origin::End, steps.len() - 1) } else { (Origin::Here, at) };
            let by = if is_from_end { -by.abs() } else { by };
            player.visit(origin, by).unwrap();
            at = usize::try_from(from as i64 + by).unwrap_or(0).min(steps.len() - 1);
            prop_assert_eq!(&said(player.session()), &lived[steps[at]], "step {} of {}", at, steps.len());
            let moment = player.moment();
            prop_assert_eq!(moment, Moment { at: events[steps[at]].0, wall: wall(events[steps[at]].0) });
        }
    }
}

/// A session that goes on, with its past.
struct Living {
    session: Session,
    history: History,
    began: Instant,
    events: Told,
    lived: Vec<Vec<String>>,
}

impl Living {
    fn new(limits: Limits) -> Self {
        let began = Instant::now();
        let history = History::new("127.0.0.1:6669", began, limits);
        Self { session: new_session(), history, began, events: Vec::new(), lived: Vec::new() }
    }

    fn hear(&mut self, at: Duration, event: &Event) {
        self.history.hear(self.began + at, event, &self.session);
        self.session.apply(event.clone());
        self.history.applied(self.began + at, &self.session);
    }

    fn live(&mut self, events: &Told) {
        for (at, event) in events {
            self.hear(*at, event);
            self.events.push((*at, event.clone()));
            self.lived.push(said(&self.session));
        }
    }

    /// What was said at the last step until then.
    fn said_at(&self, at: Duration) -> &[String] {
        let step = steps(&self.events).into_iter().rev().find(|&step| self.events[step].0 <= at);
        &self.lived[step.unwrap()]
    }
}

const MINUTES: Limits = Limits { lasts: Duration::from_secs(600), bytes: 64 << 20 };

/// An instant, or why there is none.
type Shown = Result<(Box<Session>, Moment), String>;

/// What the viewer shows, and how far the past goes, if that was told.
fn shown(viewer: &mut Viewer, seeks: &[Seek]) -> (Shown, Option<TimeLine>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut line = None;
    runtime.block_on(async {
        for seek in seeks {
            viewer.ask(*seek);
        }
        let patience = Duration::from_secs(60);
        loop {
            match tokio::time::timeout(patience, viewer.next()).await.expect("an answer").expect("somebody who plays") {
                View::Line(told) => line = Some(*told),
                View::Instant(session, moment) => break (Ok((session, moment)), line),
                View::Trouble(text) => break (Err(text), line),
            }
        }
    })
}

#[test]
fn the_past_of_a_session_is_what_it_was() {
    let acts: Vec<play::Step> = (0..120).map(|_| play::Step::Publish).collect();
    let events = told(&acts);
    let mut living = Living::new(MINUTES);
    let mut viewer = Viewer::of_history(&living.history);
    assert_eq!(shown(&mut viewer, &[Seek::Latest(-1)]).0.err().as_deref(), Some("there is no past yet"));
    living.live(&events[..60].to_vec());
    let (view, line) = shown(&mut viewer, &[Seek::Latest(-3)]);
    let (session, moment) = view.unwrap();
    assert_eq!(said(&session), living.said_at(moment.at));
    assert_eq!(moment.at, events[56].0, "three before the latest");
    let line = line.expect("how far it goes");
    assert_eq!((line.until, line.is_open), (events[59].0, true));
    // It goes on meanwhile, and there is another segment.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("past.holdup");
    living.history.save(&file).blocking_recv().unwrap().unwrap();
    living.live(&events[60..].to_vec());
    for seeks in [
        vec![Seek::By(1)],
        vec![Seek::By(-20)],
        vec![Seek::By(-1), Seek::By(-1)],
        vec![Seek::To(events[80].0), Seek::By(-1)],
        vec![Seek::To(events[61].0), Seek::By(-10)],
        vec![Seek::Latest(0)],
    ] {
        let (session, moment) = shown(&mut viewer, &seeks).0.unwrap();
        assert_eq!(said(&session), living.said_at(moment.at), "{seeks:?}");
    }
    assert_eq!(shown(&mut viewer, &[Seek::Latest(0)]).0.unwrap().1.at, events.last().unwrap().0);
    // What was written is a recording like any other.
    let mut player = Player::new(Recording::open(&file).unwrap()).unwrap();
    assert!(player.recording().is_closed());
    player.seek(events[40].0).unwrap();
    assert_eq!(said(player.session()), living.said_at(events[40].0));
    let again = living.history.save(&file).blocking_recv().unwrap();
    assert!(matches!(again, Err(Error::Io(_))), "what is there is not written over: {again:?}");
}

/// An update about one task in a hundred, whose numbers nobody can foresee.
fn one_percent(told: &mut [(TaskId, TaskStats)], second: u64) -> Update {
    let mut seed = second.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    let mut task_stats = Vec::new();
    for _ in 0..told.len() / 100 {
        let (id, stats) = &mut told[next(told.len() as u64) as usize];
        let woken = service::at(second * 1_000).plus(Duration::from_nanos(next(1_000_000_000)));
        let (busy, more) = (1_000 + next(1 << 20), 1 + next(40));
        stats.last_wake = Some(woken);
        stats.polls.last_started = Some(woken);
        stats.polls.last_ended = Some(woken.plus(Duration::from_nanos(busy)));
        stats.polls.count += more;
        stats.polls.busy += Duration::from_nanos(busy * more);
        stats.wakes += more;
        task_stats.push((*id, *stats));
    }
    Update { now: Some(service::at(second * 1_000)), task_stats, ..Update::default() }
}

/// A hundredth of what has to fit: 100,000 tasks of which 1 % change each second, ten minutes, and 64 MiB. `benches/recording` has all of it.
#[test]
fn ten_minutes_fit_and_what_does_not_goes_from_the_oldest_on() {
    let mut first = Update { now: Some(service::at(0)), ..Update::default() };
    for number in 1..=1_000 {
        first.new_tasks.push(NewTask::new(TaskId(number)));
        first.task_stats.push((TaskId(number), TaskStats::default()));
    }
    let mut told = first.task_stats.clone();
    let mut fits = Living::new(Limits { bytes: (64 << 20) / 100, ..MINUTES });
    let mut scarce = Living::new(Limits { lasts: Duration::from_secs(120), ..MINUTES });
    let events = [Event::Begin(Box::new(Begin::console(1))), Event::Update(Box::new(first))];
    let updates = (1..600).map(|second| Event::Update(Box::new(one_percent(&mut told, second))));
    for (second, event) in events.into_iter().chain(updates).enumerate() {
        let at = Duration::from_secs(second as u64);
        fits.hear(at, &event);
        scarce.hear(at, &event);
        // The threads that keep it are no further behind than this.
        if second % 50 == 49 {
            for living in [&fits, &scarce] {
                let view = shown(&mut Viewer::of_history(&living.history), &[Seek::Latest(0)]).0;
                assert_eq!(view.unwrap().1.at, at);
            }
        }
    }
    let (view, line) = shown(&mut Viewer::of_history(&fits.history), &[Seek::To(Duration::ZERO)]);
    let (session, moment) = view.unwrap();
    assert_eq!((moment.at, session.model().tasks().len()), (Duration::from_secs(2), 1_000), "its beginning is there");
    let line = line.unwrap();
    assert_eq!((line.until, line.gaps.len(), &line.why), (Duration::from_secs(600), 0, &None));
    assert!(line.walls.len() < 12, "a segment has as much of events as its state takes: {} segments", line.walls.len());
    // The other one has the end of it, and says what it has.
    let (view, line) = shown(&mut Viewer::of_history(&scarce.history), &[Seek::To(Duration::ZERO)]);
    let (_, moment) = view.unwrap();
    let line = line.unwrap();
    let lasts = line.until.saturating_sub(line.from);
    assert!(lasts >= Duration::from_secs(120), "what is younger stays: {lasts:?}");
    assert!(line.from > Duration::from_secs(2), "the first segment went as a whole");
    assert_eq!(moment.at, line.from);
    // There is no room for another state beside this one, nor for an outline.
    let mut none = Living::new(Limits { bytes: 4 << 10, ..MINUTES });
    fits.session.clone_into(&mut none.session);
    none.hear(Duration::from_secs(601), &Event::Update(Box::new(one_percent(&mut told, 601))));
    let (view, _) = shown(&mut Viewer::of_history(&none.history), &[Seek::Latest(0)]);
    assert!(view.err().unwrap().contains("too large for all of its past"));
}

#[test]
fn the_pieces_of_a_recording_are_one_and_what_is_missing_between_them_is_a_gap() {
    let acts: Vec<play::Step> = (0..40).map(|_| play::Step::Publish).collect();
    let events = told(&acts);
    let (lived, bytes) = record(&events, &[9, 19, 29]);
    let folder = tempfile::tempdir().unwrap();
    let magic = (super::frame::Kind::Head as u32).to_le_bytes();
    let heads: Vec<usize> = (0..bytes.len() - 4).filter(|&at| bytes[at..at + 4] == magic).collect();
    let header = &bytes[..heads[0]];
    let piece = |number: usize| [header, &bytes[heads[number]..heads[number + 1]]].concat();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("b.holdup", &piece(0));
    write("a.holdup", &piece(1));
    write("c.holdup", &piece(2));
    write("other.txt", b"not one");
    let whole = Player::new(Recording::open(folder.path()).unwrap()).unwrap();
    assert_eq!(whole.recording().segments().map(|(head, _)| head.number).collect::<Vec<_>>(), [0, 1, 2]);
    let mut viewer = Viewer::of_recording(whole);
    let (view, line) = shown(&mut viewer, &[Seek::Latest(0)]);
    assert_eq!(said(&view.unwrap().0), lived[29]);
    assert_eq!(line.unwrap().gaps, []);
    fs::remove_file(folder.path().join("a.holdup")).unwrap();
    let mut viewer = Viewer::of_recording(Player::new(Recording::open(folder.path()).unwrap()).unwrap());
    let (view, line) = shown(&mut viewer, &[Seek::To(events[25].0)]);
    assert_eq!(said(&view.unwrap().0), lived[25], "a state is there to go on from");
    assert_eq!(line.unwrap().gaps, [(events[9].0, events[20].0)]);
    let (_, other) = record(&told(&[play::Step::Publish]), &[]);
    let (_, another) = record(&events, &[]);
    write("d.holdup", &other);
    write("e.holdup", &another);
    let other = super::Header::new("elsewhere", 7);
    write("f.holdup", &super::frame::write(super::frame::Kind::Header, &other).unwrap());
    assert!(matches!(Recording::open(folder.path()).err(), Some(Error::Several)));
}

#[test]
fn a_clock_that_is_set_is_marked_and_one_that_is_heard_late_is_not() {
    let told =
        |second: u64| Event::Update(Box::new(Update { now: Some(service::at(second * 1_000)), ..Update::default() }));
    let begin = Event::Begin(Box::new(Begin::console(1)));
    let marked = |events: &[(u64, u64)]| {
        let updates = events.iter().map(|(at, second)| (Duration::from_secs(*at), told(*second)));
        let events = [(Duration::ZERO, begin.clone())].into_iter().chain(updates).collect();
        let (_, bytes) = record(&events, &[]);
        let recording = open(&bytes).unwrap();
        let tails = recording.segments().filter_map(|(_, tail)| tail);
        let marks = tails.flat_map(|tail| tail.marks.iter()).filter(|mark| matches!(mark.kind, MarkKind::ClockSet(_)));
        marks.map(|mark| (mark.at / 1_000_000_000, mark.kind.clone())).collect::<Vec<_>>()
    };
    assert_eq!(marked(&[(1, 1), (2, 2), (3, 3), (4, 4)]), []);
    // The link stood still for a minute, and then told of all of it at once.
    assert_eq!(marked(&[(1, 1), (2, 2), (62, 3), (62, 20), (62, 61), (63, 63)]), []);
    let hour = 3_600_000_000_000;
    assert_eq!(marked(&[(1, 1), (2, 3_602), (3, 3_603)]), [(2, MarkKind::ClockSet(hour))]);
    assert_eq!(marked(&[(1, 3_601), (2, 2), (3, 3)]), [(2, MarkKind::ClockSet(1_000_000_000 - hour))]);
}

/// What is told of a task that was polled once, and sleeps.
fn asleep() -> TaskStats {
    let then = Some(service::at(0));
    let polls = PollStats { count: 1, last_started: then, last_ended: then, busy: Duration::ZERO };
    TaskStats { created: then, waker_clones: 1, polls, ..TaskStats::default() }
}

/// Tasks of one place, and a lock that one of them holds from the third second on while another waits: for ever, or for half a minute.
fn told_of_a_lock(tasks: u64, until: u64, seconds: u64) -> Told {
    let second = |second: u64| service::at(second * 1_000);
    let place = Some(SourcePlace { file: "src/a.rs".into(), line: 1, column: 1 });
    let lock = NewResource {
        id: ResourceId(1),
        metadata: None,
        parent: None,
        kind: "Sync".into(),
        concrete_type: "Mutex".into(),
        target: "tokio::sync::mutex".into(),
        place: place.clone(),
        internal: false,
    };
    let mut first = Update { now: Some(second(0)), new_resources: vec![lock], ..Update::default() };
    for number in 1..=tasks {
        first.new_tasks.push(NewTask { place: place.clone(), ..NewTask::new(TaskId(number)) });
        first.task_stats.push((TaskId(number), asleep()));
    }
    let held = |now: u64| {
        let is_held = (3..until).contains(&now);
        let holder = is_held.then(|| Holder {
            task: Some(TaskId(5)),
            thread: None,
            access: Access::Exclusive,
            since: second(3),
            across: Across::Await,
            acquired_at: None,
            suspended_at: None,
        });
        let waiting = Waiting { op: OpId(1), task: Some(TaskId(6)), access: Access::Exclusive, since: Some(second(3)) };
        let waiters = is_held.then_some(waiting).into_iter().collect();
        let holders = holder.into_iter().collect();
        let across_count = u64::from(now >= 3);
        let lock = LockStats { across_count, holders, waiters, ..LockStats::new(ResourceId(1)) };
        Event::Update(Box::new(Update { now: Some(second(now)), locks: vec![lock], ..Update::default() }))
    };
    let process = Process { capabilities: vec!["locks".into(), "wakers".into()], ..Process::default() };
    let begin = [Event::Begin(Box::new(Begin::agent(1, process))), Event::Update(Box::new(first))];
    let events = begin.into_iter().chain((2..seconds).map(held));
    events.enumerate().map(|(at, event)| (Duration::from_secs(at as u64), event)).collect()
}

fn findings(session: &Session) -> Vec<String> {
    session.engine().findings().map(|finding| format!("{finding:?}")).collect()
}

#[test]
fn of_what_is_too_large_it_is_kept_what_was_found_and_when() {
    const TASKS: u64 = 8_000;
    let events = told_of_a_lock(TASKS, 33, 90);
    let mut living = Living::new(Limits { lasts: Duration::from_secs(100), bytes: 200 << 10 });
    let mut lived = Vec::new();
    for (at, event) in &events {
        living.hear(*at, event);
        lived.push(findings(&living.session));
    }
    let mut viewer = Viewer::of_history(&living.history);
    let (view, line) = shown(&mut viewer, &[Seek::Latest(0)]);
    let (latest, line) = (view.unwrap(), line.unwrap());
    assert!(line.why.as_deref().unwrap().contains("too large for all of its past"), "{:?}", line.why);
    let second = Duration::from_secs;
    let starts: Vec<u64> = line.outlined.iter().map(|(from, _)| from.as_secs()).collect();
    assert_eq!(starts, [10, 20, 30, 40, 50, 60, 70, 80]);
    assert!(line.outlined.windows(2).all(|pair| pair[0].1 == pair[1].0), "they are one stretch: {:?}", line.outlined);
    assert!(line.gaps.is_empty(), "{:?}", line.gaps);
    assert_eq!(latest.1.at, second(80));
    // Each is what was so before the event of that instant, and says that it is not all.
    for (seeks, at) in [(vec![Seek::To(second(25))], 20), (vec![Seek::By(1)], 30), (vec![Seek::By(-2)], 10)] {
        let (session, moment) = shown(&mut viewer, &seeks).0.unwrap();
        assert_eq!(moment.at, second(at));
        assert_eq!(findings(&session), lived[at as usize - 1], "{at}");
        let model = session.model();
        assert_eq!((model.counts().live, model.tasks().len()), (TASKS as usize, 2));
        let sums: Vec<u64> = model.outlined().unwrap().sums().map(|(_, sums)| sums.live).collect();
        assert_eq!(sums, [TASKS]);
    }
    // When it began and ended is known to the second.
    let held = |begins: bool| {
        let marks = line.marks.iter().filter(|mark| match &mark.kind {
            MarkKind::Begins(mark) => begins && mark.lint == "held-across-await",
            MarkKind::Ends(mark) => !begins && mark.lint == "held-across-await",
            _ => false,
        });
        marks.map(|mark| mark.at / 1_000_000_000).collect::<Vec<_>>()
    };
    let is_found = |at: usize| {
        lived[at].iter().any(|finding| finding.contains("held-across-await") && finding.contains("status: Active"))
    };
    let begins = (0..lived.len()).find(|&at| is_found(at)).unwrap();
    let ends = (begins..lived.len()).find(|&at| !is_found(at)).unwrap();
    assert_eq!((held(true), held(false)), (vec![begins as u64], vec![ends as u64]));
    // It can be written, and read.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("past.holdup");
    living.history.save(&file).blocking_recv().unwrap().unwrap();
    for path in [file.as_path(), folder.path()] {
        let mut player = Player::new(Recording::open(path).unwrap()).unwrap();
        assert_eq!(player.recording().segments().len(), 8);
        player.seek(second(47)).unwrap();
        assert_eq!(findings(player.session()), lived[39]);
        assert!(player.session().model().outlined().is_some());
    }
    // And shared: there is as much, under other names.
    let (bytes, _) = share(&mut Recording::open(&file).unwrap(), Clock::FromZero, Vec::new()).unwrap();
    let mut player = Player::new(open(&bytes).unwrap()).unwrap();
    assert!(player.recording().segments().all(|(head, _)| head.keeps == Keeps::Outline));
    player.seek(second(47)).unwrap();
    let model = player.session().model();
    let sums: Vec<_> = model.outlined().unwrap().sums().collect();
    assert_eq!((model.counts().live, sums.len(), sums[0].1.live), (TASKS as usize, 1, TASKS));
    assert_eq!(player.session().engine().findings().count(), lived[39].len());
    // The whole name: another one may well end as it does.
    assert!(!model.place(sums[0].0).to_string().starts_with("src/a.rs"), "{}", model.place(sums[0].0));
}

#[test]
fn beyond_what_fits_it_is_kept_what_was_found() {
    const TASKS: u64 = 500;
    let events = told_of_a_lock(TASKS, 33, 240);
    let mut living = Living::new(Limits { lasts: Duration::from_secs(400), bytes: 128 << 10 });
    let mut lived = Vec::new();
    let mut told: Vec<_> = (1..=TASKS).map(|number| (TaskId(number), asleep())).collect();
    let mut viewer = Viewer::of_history(&living.history);
    for (second, (at, event)) in events.iter().enumerate() {
        living.hear(*at, event);
        if second > 1 {
            for part in 0..5 {
                let mut more = one_percent(&mut told, second as u64 * 5 + part);
                more.now = Some(service::at(second as u64 * 1_000));
                living.hear(*at, &Event::Update(Box::new(more)));
            }
            // The thread is never far behind.
            if second % 5 == 4 {
                shown(&mut viewer, &[Seek::Latest(0)]).0.unwrap();
            }
        }
        lived.push(findings(&living.session));
    }
    let (_, line) = shown(&mut Viewer::of_history(&living.history), &[Seek::Latest(0)]);
    let line = line.unwrap();
    let (first, last) = (line.outlined.first().unwrap(), line.outlined.last().unwrap());
    assert!(first.0 <= Duration::from_secs(20), "the oldest of all is an outline: {:?}", line.outlined);
    assert!(last.1 < Duration::from_secs(235), "the latest is whole: {:?}", line.outlined);
    assert_eq!(line.why, None);
    let (session, moment) = shown(&mut viewer, &[Seek::To(first.0 + Duration::from_secs(5))]).0.unwrap();
    assert_eq!(moment.at, first.0);
    assert_eq!(findings(&session), lived[first.0.as_secs() as usize - 1]);
    let (session, _) = shown(&mut viewer, &[Seek::Latest(0)]).0.unwrap();
    assert_eq!((session.model().tasks().len(), session.model().outlined().is_none()), (TASKS as usize, true));
    // From one to the other, step by step.
    let (session, moment) = shown(&mut viewer, &[Seek::To(last.0)]).0.unwrap();
    assert!(session.model().outlined().is_some() && moment.at == last.0, "{moment:?} {last:?}");
    let (session, _) = shown(&mut viewer, &[Seek::By(1)]).0.unwrap();
    assert!(session.model().outlined().is_none());
}

/// What a file says of itself may be anything.
#[test]
fn clocks_and_numbers_that_nobody_has_are_shown_as_they_are() {
    const FAR: u64 = u64::MAX;
    for (number, at, clock, until) in
        [(FAR, FAR, FAR, 0), (FAR, 0, FAR, FAR), (0, FAR, 0, FAR), (FAR - 1, 1, 1, FAR), (7, FAR, 7, 7)]
    {
        let (mut session, mut recorder) = (new_session(), Recorder::new());
        let mut writer = Writer::new(Vec::new(), &Header::new("x", clock)).unwrap();
        let mut put = |out: Vec<Out>, number: u64| {
            for out in out {
                let out = match out {
                    Out::Begin(head) => Out::Begin(SegmentHead { number, at, wall: clock, ..head }),
                    Out::End(tail) => {
                        let marks = vec![
                            Mark { at, kind: MarkKind::ClockSet(i64::MIN) },
                            Mark { at: until, kind: MarkKind::Restart },
                        ];
                        Out::End(SegmentTail { until, marks, ..tail })
                    }
                    bytes @ Out::Bytes(_) => bytes,
                };
                writer.put(out).unwrap();
            }
        };
        for (turn, (then, event)) in told(&[play::Step::Publish; 12]).into_iter().enumerate() {
            let then = if turn % 2 == 0 { Duration::from_nanos(at) } else { then };
            recorder.push(then, clock, event.clone(), &session).unwrap();
            session.apply(event);
            if turn == 6 {
                put(recorder.end().unwrap(), number);
            }
        }
        put(recorder.end().unwrap(), number.wrapping_add(2));
        let bytes = writer.finish().unwrap();
        let mut viewer = Viewer::of_recording(Player::new(open(&bytes).unwrap()).unwrap());
        let far = Duration::from_nanos(FAR);
        for seek in [
            Seek::Latest(0),
            Seek::By(-3),
            Seek::By(i64::MIN),
            Seek::By(i64::MAX),
            Seek::To(far),
            Seek::To(Duration::MAX),
            Seek::To(Duration::ZERO),
            Seek::Mark(Duration::ZERO, i64::MAX),
            Seek::Mark(far, i64::MIN),
            Seek::Mark(far, -1),
            Seek::Latest(i64::MIN),
        ] {
            // Whether there is such an instant or not: there is an answer.
            let (_, line) = shown(&mut viewer, &[seek]);
            if let Some(line) = line {
                assert!(line.wall_at(line.from) <= line.wall_at(Duration::MAX), "{:?}", line.walls);
            }
        }
        let mut player = Player::new(open(&bytes).unwrap()).unwrap();
        let asked = [0, clock, FAR].map(|wall| player.at_wall(wall));
        for at in [asked.as_slice(), &[far, Duration::MAX]].concat() {
            player.wall_at(at);
            player.seek(at).unwrap();
        }
    }
}

/// What variables hold may be secret, and is asked for to be looked at once.
#[test]
fn what_variables_hold_is_in_no_past() {
    let secret = "hunter2";
    let values = Event::Values(Box::new(Values { of: Who::Root(7), frames: Vec::new(), unread: secret.into() }));
    let mut living = Living::new(MINUTES);
    let events = told(&[play::Step::Publish; 12]);
    living.live(&events[..6].to_vec());
    living.live(&vec![(events[5].0, values.clone())]);
    assert!(living.session.status().values.is_some());
    let folder = tempfile::tempdir().unwrap();
    // A segment that begins while they are shown has them no more than one that goes on.
    for file in ["a", "b"].map(|name| folder.path().join(name)) {
        living.history.save(&file).blocking_recv().unwrap().unwrap();
        living.live(&events[6..].to_vec());
        let mut player = Player::new(Recording::open(&file).unwrap()).unwrap();
        while let Some(event) = player.step().unwrap() {
            assert!(!matches!(event, Event::Values(_)));
            assert_eq!(player.session().status().values, None);
        }
    }
}

/// No state comes in the midst of an update, so that the segment before it would never end.
#[test]
fn an_update_that_goes_on_for_ever_is_not_kept_for_ever() {
    let mut living = Living::new(Limits { bytes: 256 << 10, ..MINUTES });
    living.live(&told(&[play::Step::Publish; 4]));
    let mut viewer = Viewer::of_history(&living.history);
    assert!(shown(&mut viewer, &[Seek::Latest(0)]).0.is_ok());
    let mut seed = 1_u64;
    let mut noise = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        TaskId((seed >> 20).max(1))
    };
    let mut bytes = 0;
    for page in 0..400_u64 {
        let gone_tasks = (0..500).map(|_| noise()).collect();
        let update = Update { part: Part::More, gone_tasks, ..Update::default() };
        living.hear(Duration::from_secs(10 + page), &Event::Update(Box::new(update)));
        if page % 50 == 49 {
            let (_, line) = shown(&mut viewer, &[Seek::Latest(0)]);
            bytes = line.map_or(bytes, |line| line.bytes.max(bytes));
        }
    }
    assert!(bytes <= 512 << 10, "{bytes}");
    let (session, _) = shown(&mut viewer, &[Seek::Latest(0)]).0.unwrap();
    assert!(session.model().outlined().is_some(), "nothing of it is kept but what was found before it");
}

#[test]
fn what_cannot_be_written_ends_no_past() {
    let mut living = Living::new(MINUTES);
    let folder = tempfile::tempdir().unwrap();
    let none = living.history.save(&folder.path().join("none")).blocking_recv().unwrap();
    assert!(matches!(none, Err(Error::NothingKept)));
    let events = told(&[play::Step::Publish; 30]);
    living.live(&events[..10].to_vec());
    let failed = living.history.save(&folder.path().join("there is/none")).blocking_recv().unwrap();
    assert!(matches!(failed, Err(Error::Io(_))));
    living.live(&events[10..].to_vec());
    let (view, line) = shown(&mut Viewer::of_history(&living.history), &[Seek::Latest(0)]);
    assert_eq!(view.unwrap().1.at, events.last().unwrap().0);
    assert!(line.unwrap().gaps.is_empty(), "what was before it is kept, too");
}

#[test]
fn a_recording_opens_where_something_is_known() {
    let events = told(&[play::Step::Publish; 4]);
    let (lived, bytes) = record(&events, &[]);
    let mut viewer = Viewer::of_recording(Player::new(open(&bytes).unwrap()).unwrap());
    let (session, moment) = shown(&mut viewer, &[Seek::First]).0.unwrap();
    assert_eq!((moment.at, &said(&session)), (events[2].0, &lived[2]), "what came before is the connection");
    assert_eq!(shown(&mut viewer, &[Seek::By(1)]).0.unwrap().1.at, events[3].0);
}
