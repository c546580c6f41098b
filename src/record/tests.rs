use super::{
    Error, Header, MarkKind, Player, Recorder, Recording, Writer, frame, message, nanos, segment,
    segment::{Extent, unpack_within},
};
use crate::{
    diagnose::Settings,
    model::Retention,
    session::Session,
    update::{Begin, Connection, Event, Process, Stamp},
};
use proptest::{collection::vec, prelude::*, strategy::ValueTree as _};
use std::{io::Cursor, time::Duration};

#[path = "../source/codec/tests/play.rs"]
#[expect(
    dead_code,
    clippy::duplicate_mod,
    reason = "other tests use the rest of it, and no room is to know another's tests"
)]
mod play;
#[path = "../../tests/support/service.rs"]
#[expect(clippy::duplicate_mod, reason = "no room is to know another's tests")]
mod service;

mod past;

/// Events, each with its time.
pub(super) type Told = Vec<(Duration, Event)>;

fn told(steps: &[play::Step]) -> Told {
    let process = Process { capabilities: vec!["stalls".into(), "locks".into()], ..Process::default() };
    let begin = [Event::Begin(Box::new(Begin::agent(1, process))), Event::Connection(Connection::Live)];
    let updates = play::told(steps).into_iter().map(|update| Event::Update(Box::new(update)));
    begin
        .into_iter()
        .chain(updates)
        .enumerate()
        .map(|(at, event)| (Duration::from_millis(at as u64 * 400), event))
        .collect()
}

/// What a service at random tells.
pub(super) fn told_at_random(steps: std::ops::Range<usize>) -> impl Strategy<Value = Told> {
    vec(play::step(), steps).prop_map(|steps| told(&steps))
}

/// What a service tells in which nothing happens, and so many updates of it.
pub(super) fn told_of_nothing(updates: usize) -> Told {
    told(&vec![play::Step::Publish; updates])
}

pub(super) fn wall(at: Duration) -> u64 {
    1_767_268_800_000_000_000 + nanos(at)
}

/// All that is said of a session, in the order in which it is said.
fn said(session: &Session) -> Vec<String> {
    let model = session.model();
    let now = model.now().unwrap_or(Stamp::MIN);
    let findings = session.engine().findings().map(|finding| format!("{finding:?}"));
    let tasks = model.tasks().iter().map(|task| {
        let (id, name, stats) = (task.id(), model.task_name(&task), task.stats());
        let more: Vec<_> = model.extra_fields(&task).map(|(name, value)| format!("{name}={value:?}")).collect();
        let place = model.place(task.place());
        format!(
            "{id} {name} {stats:?} {:?} {} {} {place:?} {more:?}",
            task.state(),
            task.poll_rate(now),
            task.load(now)
        )
    });
    let locks = model.locks().map(|(resource, lock)| format!("{resource:?} {lock:?} {:?}", model.waiters(resource.id)));
    let agent = model.agent();
    let workers = agent.workers().iter().map(|worker| format!("{worker:?}"));
    let rest = format!("{:?} {:?} {:?} {:?}", model.health(), model.counts(), model.bytes(), model.standstills());
    findings.chain(tasks).chain(locks).chain(workers).chain([rest, format!("{:?}", session.status())]).collect()
}

fn new_session() -> Session {
    Session::new(&Settings::default(), Retention::default())
}

/// Records events, with a new segment after each of these. What was said after each event, and the bytes.
pub(super) fn record(events: &Told, ends: &[usize]) -> (Vec<Vec<String>>, Vec<u8>) {
    let mut session = new_session();
    let mut recorder = Recorder::new();
    let mut writer = Writer::new(Vec::new(), &Header::new("127.0.0.1:6669", wall(Duration::ZERO))).unwrap();
    let mut lived = Vec::new();
    for (number, (at, event)) in events.iter().enumerate() {
        recorder.push(*at, wall(*at), event.clone(), &session).unwrap();
        session.apply(event.clone());
        recorder.applied(*at, &session).unwrap();
        let out = if ends.contains(&number) { recorder.end() } else { recorder.take(*at) };
        out.unwrap().into_iter().for_each(|out| writer.put(out).unwrap());
        lived.push(said(&session));
    }
    recorder.end().unwrap().into_iter().for_each(|out| writer.put(out).unwrap());
    (lived, writer.finish().unwrap())
}

fn open(bytes: &[u8]) -> Result<Recording, Error> {
    Recording::read_from(Cursor::new(bytes.to_vec()))
}

/// All that is said after each event.
fn play(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut player = Player::new(open(bytes).unwrap()).unwrap();
    let mut all = Vec::new();
    while player.step().unwrap().is_some() {
        all.push(said(player.session()));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_replay_says_at_each_event_what_the_session_said(
        steps in vec(play::step(), 1..120),
        ends in vec(0_usize..60, 0..6),
        seeks in vec(any::<prop::sample::Index>(), 1..12),
    ) {
        let events = told(&steps);
        let (lived, bytes) = record(&events, &ends);
        let played = play(&bytes);
        prop_assert_eq!(played.len(), lived.len());
        for (played, lived) in played.iter().zip(&lived) {
            prop_assert_eq!(played, lived);
        }
        let mut player = Player::new(open(&bytes).unwrap()).unwrap();
        for seek in seeks {
            let at = seek.index(events.len());
            player.seek(events[at].0 + Duration::from_millis(200)).unwrap();
            prop_assert_eq!(&said(player.session()), &lived[at]);
            prop_assert_eq!(player.moment().wall, wall(events[at].0 + Duration::from_millis(200)));
        }
    }

    #[test]
    fn what_is_cut_off_opens_up_to_the_cut(
        steps in vec(play::step(), 20..60),
        ends in vec(0_usize..30, 0..3),
        cut in any::<prop::sample::Index>(),
    ) {
        let events = told(&steps);
        let (lived, bytes) = record(&events, &ends);
        let cut = cut.index(bytes.len());
        match open(&bytes[..cut]).and_then(Player::new) {
            Err(error) => prop_assert!(matches!(error, Error::NoRecording | Error::Nothing), "{}", error),
            Ok(player) => {
                prop_assert!(!player.recording().is_closed());
                let played = play(&bytes[..cut]);
                prop_assert!(played.len() <= lived.len());
                for (played, lived) in played.iter().zip(&lived) {
                    prop_assert_eq!(played, lived);
                }
            }
        }
    }

    #[test]
    fn what_is_damaged_is_left_out_and_counted(
        steps in vec(play::step(), 20..60),
        ends in vec(0_usize..30, 1..5),
        damaged in vec((any::<prop::sample::Index>(), 0_u8..8), 1..4),
    ) {
        let (_, mut bytes) = record(&told(&steps), &ends);
        for (at, bit) in &damaged {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        let Ok(mut player) = open(&bytes).and_then(Player::new) else { return Ok(()) };
        while let Ok(Some(_)) = player.step() {
            said(player.session());
        }
        let _ = player.seek(Duration::from_secs(3));
        said(player.session());
    }
}

#[test]
fn a_segment_that_is_damaged_costs_no_other() {
    let steps: Vec<play::Step> = (0..40).map(|_| play::Step::Publish).collect();
    let events = told(&steps);
    let (lived, mut bytes) = record(&events, &[9, 19]);
    let recording = open(&bytes).unwrap();
    assert!(recording.is_closed());
    assert_eq!(recording.segments().len(), 3);
    // In the middle of the second one.
    let (from, to) = (find(&bytes, 1), find(&bytes, 2));
    bytes[usize::midpoint(from, to)] ^= 0x55;
    let mut player = Player::new(open(&bytes).unwrap()).unwrap();
    let mut count = 0;
    while player.step().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, events.len() - 10);
    assert_eq!(player.recording().damage().segments, 1);
    assert_eq!(said(player.session()), *lived.last().unwrap());
    // The same without an index, which is looked for from the end.
    bytes.pop();
    let recording = open(&bytes).unwrap();
    assert!(!recording.is_closed());
    assert_eq!(recording.segments().len(), 3);
    // A head that is damaged takes its segment out of the list. What comes after that does not follow what comes before it.
    let (lived, mut bytes) = record(&events, &[9, 19]);
    bytes.pop();
    let head = find(&bytes, 1);
    bytes[head + 10] ^= 0x55;
    let mut player = Player::new(open(&bytes).unwrap()).unwrap();
    while player.step().unwrap().is_some() {}
    assert_eq!((player.recording().segments().len(), player.jumps()), (2, 1));
    assert_eq!(said(player.session()), *lived.last().unwrap());
}

/// The index of a file that is not as it was written is none of it any more.
#[test]
fn a_byte_that_is_lost_costs_no_more_with_the_index_than_without_it() {
    let events = told_of_nothing(40);
    let (_, bytes) = record(&events, &[9, 19]);
    let whole = play(&bytes).len();
    let (first, second) = (find(&bytes, 1), find(&bytes, 2));
    for lost in [first - 1, first + 9, usize::midpoint(first, second), second - 3] {
        let mut with = bytes.clone();
        with.remove(lost);
        let (played, damage) = (play(&with), open(&with).unwrap().damage());
        let mut without = with.clone();
        without.pop();
        assert!(played == play(&without) && damage.segments == open(&without).unwrap().damage().segments, "{lost}");
        assert!(played.len() >= whole - 11, "{lost}: {} of {whole}", played.len());
    }
}

#[test]
fn of_recordings_one_after_another_in_a_file_the_first_is_shown_and_the_rest_is_counted() {
    let (_, first) = record(&told_of_nothing(20), &[9]);
    let (_, second) = record(&told_of_nothing(40), &[9, 19, 29]);
    let header = |target: &str| frame::write(frame::Kind::Header, &Header::new(target, wall(Duration::ZERO))).unwrap();
    let (own, other) = (header("127.0.0.1:6669"), header("127.0.0.1:7669"));
    let of_another = [&other, second.strip_prefix(own.as_slice()).unwrap()].concat();
    assert!(open(&of_another).unwrap().is_closed());
    let both = [first.as_slice(), &of_another].concat();
    let recording = open(&both).unwrap();
    let heads = |recording: &Recording| recording.segments().map(|(head, _)| head.clone()).collect::<Vec<_>>();
    assert_eq!(heads(&recording), heads(&open(&first).unwrap()));
    assert_eq!((recording.damage().bytes, recording.is_closed()), (second.len() as u64, true));
    assert_eq!(play(&both), play(&first));
}

/// Where the head of a segment begins.
pub(super) fn find(bytes: &[u8], number: usize) -> usize {
    let magic = (frame::Kind::Head as u32).to_le_bytes();
    bytes.windows(4).enumerate().filter(|(_, window)| *window == magic).nth(number).unwrap().0
}

#[test]
fn zstd_reads_it_and_finds_it_intact() {
    let steps: Vec<play::Step> = (0..10).map(|_| play::Step::Publish).collect();
    let (_, bytes) = record(&told(&steps), &[3, 7]);
    let unpacked = zstd::decode_all(bytes.as_slice()).unwrap();
    let mut rest = unpacked.as_slice();
    let mut messages = 0;
    while message::pop(&mut rest).is_some() {
        messages += 1;
    }
    assert_eq!((messages, rest), (13 + 3, [].as_slice()), "each event, and three states");
}

#[test]
fn what_began_and_ended_is_marked() {
    let events = told(&[play::Step::Publish]);
    let (_, bytes) = record(&events, &[]);
    let recording = open(&bytes).unwrap();
    let marks: Vec<_> = recording.segments().filter_map(|(_, tail)| tail).flat_map(|tail| &tail.marks).collect();
    assert!(marks.iter().all(|mark| mark.kind != MarkKind::Restart), "{marks:?}");
    let again = Event::Begin(Box::new(Begin::console(2)));
    let (_, bytes) = record(&events.into_iter().chain([(Duration::from_secs(9), again)]).collect(), &[]);
    let recording = open(&bytes).unwrap();
    let restarts = recording.segments().filter_map(|(_, tail)| tail).flat_map(|tail| &tail.marks);
    assert_eq!(
        restarts.filter(|mark| mark.kind == MarkKind::Restart).map(|mark| mark.at).collect::<Vec<_>>(),
        [9_000_000_000]
    );
}

#[test]
fn what_is_no_recording_and_what_is_newer_is_said() {
    assert!(matches!(open(b"").err(), Some(Error::NoRecording)));
    assert!(matches!(
        open(b"no recording, but as long as one would be at its beginning").err(),
        Some(Error::NoRecording)
    ));
    let newer = Header { format: 7, ..Header::new("x", 1) };
    let bytes = frame::write(frame::Kind::Header, &newer).unwrap();
    let error = open(&bytes).err().unwrap();
    assert!(error.to_string().contains("format 7") && error.to_string().contains("newer"), "{error}");
}

#[test]
fn what_unpacks_to_too_much_is_cut() {
    let zeros = zstd::encode_all(vec![0_u8; 8 << 20].as_slice(), 3).unwrap();
    assert!(zeros.len() < 4_096);
    let segment = unpack_within(&zeros, Extent::Whole, 1 << 20).unwrap();
    assert!(segment.is_cut && segment.events.is_empty());
    assert!(segment::session(&segment.state, super::Begins::Anew).is_none());
}

/// What this version reads must be what its number says. Where this fails, what is in a session has changed: raise [`Session::STATE`], and write the
/// file anew with `HOLDUP_REGENERATE=1`.
#[test]
fn a_state_has_the_form_that_its_number_says() {
    let path = format!("{}/tests/fixtures/recording/state-{}.msgpack", env!("CARGO_MANIFEST_DIR"), Session::STATE);
    if std::env::var_os("HOLDUP_REGENERATE").is_some() {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let steps = vec(play::step(), 300).new_tree(&mut runner).unwrap().current();
        let mut session = new_session();
        for (_, event) in told(&steps) {
            session.apply(event);
        }
        std::fs::write(&path, message::state(&session).unwrap()).unwrap();
    }
    let written = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let session: Session = message::read(&written).expect("a session");
    assert!(session.model().tasks().len() > 3 && session.model().locks().count() == 3);
    assert_eq!(said(&message::read(&message::state(&session).unwrap()).unwrap()), said(&session));
}
