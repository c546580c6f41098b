mod canary;
mod sample;

use super::{Clock, Shared, share};
use crate::{
    diagnose::Settings,
    model::Retention,
    record::{
        Begins, Damage, Error, Header, Player, Recorder, Recording, Writer,
        tests::{Told, find, record, told_at_random, told_of_nothing, wall},
    },
    session::Session,
    update::Event,
};
use canary::{Canaries, number, plant};
use proptest::{collection::vec, prelude::*, strategy::ValueTree as _};
use std::{io::Cursor, time::Duration};

fn new_session() -> Session {
    Session::new(&Settings::default(), Retention::default())
}

fn open(bytes: &[u8]) -> Recording {
    Recording::read_from(Cursor::new(bytes.to_vec())).unwrap()
}

/// Events as a recording that goes on from a session, which it leaves as it is then.
fn recorded(target: &str, session: &mut Session, events: &[Event]) -> Vec<u8> {
    let mut recorder = Recorder::new();
    let mut writer = Writer::new(Vec::new(), &Header::new(target, wall(Duration::ZERO))).unwrap();
    for (number, event) in events.iter().enumerate() {
        let at = Duration::from_millis(number as u64 * 400);
        recorder.push(at, wall(at), event.clone(), session).unwrap();
        session.apply(event.clone());
        recorder.applied(at, session).unwrap();
    }
    recorder.end().unwrap().into_iter().for_each(|out| writer.put(out).unwrap());
    writer.finish().unwrap()
}

fn shared(bytes: &[u8], clock: Clock) -> (Vec<u8>, Shared) {
    share(&mut open(bytes), clock, Vec::new()).unwrap()
}

/// All that stands in a file, compressed or not.
fn unpacked(bytes: &[u8]) -> Vec<u8> {
    [bytes.to_vec(), zstd::decode_all(bytes).unwrap()].concat()
}

/// What is wrong with a target, without a word of whose it is.
fn judged(session: &Session) -> Vec<String> {
    let model = session.model();
    let Some(now) = model.now() else { return Vec::new() };
    let ago = |stamp| (now.since(stamp), model.now().map(|now| stamp.since(now)));
    let findings = session.engine().findings().map(|finding| {
        let related = &finding.related;
        format!(
            "{} {} {:?} {:?} {:?} {:?} {:?} {} {} {} {} {}",
            finding.lint.name,
            finding.severity,
            finding.status,
            finding.confidence,
            ago(finding.since),
            ago(finding.first_seen),
            ago(finding.last_seen),
            finding.episodes,
            finding.evidence.len(),
            related.waiters_total,
            related.cycle.len(),
            related.tasks_total,
        )
    });
    let tasks = model.tasks().iter().map(|task| {
        let stats = task.stats();
        let (load, rate) = (task.load(now), task.poll_rate(now));
        format!("{} {:?} {:?} {load} {rate} {:?}", task.id(), task.state(), stats.polls.busy, stats.created.map(ago))
    });
    let rest = format!("{:?} {:?} {:?}", model.counts(), session.engine().tally(), model.locks().count());
    findings.chain(tasks).chain([rest]).collect()
}

/// What is judged after each event, and when it came.
fn played(bytes: &[u8]) -> Vec<(Duration, Vec<String>)> {
    let mut player = Player::new(open(bytes)).unwrap();
    let mut all = Vec::new();
    while player.step().unwrap().is_some() {
        all.push((player.moment().at, judged(player.session())));
    }
    all
}

fn assert_alike(original: &[u8], clock: Clock) -> Shared {
    let (bytes, said) = shared(original, clock);
    let (then, now) = (played(original), played(&bytes));
    assert_eq!(now.len(), then.len());
    for (now, then) in now.iter().zip(&then) {
        assert_eq!(now, then);
    }
    said
}

fn always_the_same() -> Told {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    told_at_random(200..201).new_tree(&mut runner).unwrap().current()
}

/// Without its first segment.
fn without_beginning(events: &Told, end: usize) -> Vec<u8> {
    let mut session = new_session();
    for (_, event) in &events[..=end] {
        session.apply(event.clone());
    }
    let events: Vec<Event> = events[end + 1..].iter().map(|(_, event)| event.clone()).collect();
    recorded("127.0.0.1:6669", &mut session, &events)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_is_wrong_is_the_same_at_each_event(
        events in told_at_random(20..120),
        ends in vec(0_usize..60, 0..6),
        from in any::<prop::sample::Index>(),
    ) {
        let (_, bytes) = record(&events, &ends);
        for clock in [Clock::FromZero, Clock::Kept] {
            assert_alike(&bytes, clock);
        }
        let cut = without_beginning(&events, 2 + from.index(events.len() - 3));
        assert_alike(&cut, Clock::FromZero);
    }

    #[test]
    fn what_is_damaged_is_left_out_and_nothing_of_it_is_taken_for_whole(
        events in told_at_random(60..120),
        ends in vec(0_usize..20, 2..5),
        damaged in vec((any::<prop::sample::Index>(), 0_u8..8), 1..4),
    ) {
        let (_, mut bytes) = record(&events, &ends);
        for (at, bit) in &damaged {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        let Ok(mut recording) = Recording::read_from(Cursor::new(bytes.clone())) else { return Ok(()) };
        match share(&mut recording, Clock::FromZero, Vec::new()) {
            Ok(_) => {
                assert_alike(&bytes, Clock::FromZero);
            }
            Err(error) => prop_assert!(matches!(error, Error::Nothing | Error::OtherState(_)), "{}", error),
        }
    }
}

#[test]
fn a_damaged_segment_is_said_to_be_left_out() {
    let (_, mut bytes) = record(&told_of_nothing(40), &[9, 19]);
    assert_eq!(assert_alike(&bytes, Clock::FromZero), Shared { updates: 41, left_out: Damage::default() });
    let (from, to) = (find(&bytes, 1), find(&bytes, 2));
    bytes[usize::midpoint(from, to)] ^= 0x55;
    let said = assert_alike(&bytes, Clock::FromZero);
    assert_eq!(said, Shared { updates: 31, left_out: Damage { segments: 1, ..Damage::default() } });
}

#[test]
fn a_session_that_goes_on_goes_on_alike() {
    let events = always_the_same();
    let bytes = without_beginning(&events, events.len() / 2);
    assert!(matches!(open(&bytes).segments().next().unwrap().0.begins, Begins::With(_)));
    assert_alike(&bytes, Clock::FromZero);
    assert!(played(&bytes).iter().any(|(_, judged)| judged.iter().any(|line| line.contains("Active"))));
}

#[test]
fn a_target_of_every_kind_is_judged_alike() {
    let events = [sample::events(), sample::ends()].concat();
    let bytes = recorded("own-host:6669", &mut new_session(), &events);
    assert_alike(&bytes, Clock::FromZero);
    let mut session = new_session();
    for event in sample::events() {
        session.apply(event);
    }
    let bytes = recorded("own-host:6669", &mut session, &[sample::events(), sample::ends()].concat());
    assert_alike(&bytes, Clock::FromZero);
}

/// Texts as they come: alone, in paths, functions, sentences, addresses, and as numbers in a name.
const FORMS: [fn(&str) -> String; 9] = [
    |canary| canary.to_owned(),
    |canary| format!("/srv/{canary}/src/{canary}.rs"),
    |canary| format!("<cargo>/{canary}-1.0.0/src/{canary}.rs"),
    |canary| format!("own::{canary}::Of<{canary}, tokio::task::Core<{canary}::{{closure#0}}>>::poll"),
    |canary| format!("{canary} of own::{canary} at src/{canary}.rs:41"),
    |canary| format!("it is «{canary}»: ask {canary}@example, \"{canary}\""),
    |canary| format!("{canary}.example:6669"),
    |canary| format!("finished-{canary}"),
    |canary| {
        let number = number(canary);
        format!("own::session#{number}(10.{number}.3:{number}; {number})")
    },
];

#[test]
fn nothing_that_names_the_program_is_in_what_is_shared() {
    for form in FORMS {
        let mut canaries = Canaries::default();
        let target = form(&canaries.another());
        let events: Vec<Event> = sample::events().iter().map(|event| plant(event, form, &mut canaries)).collect();
        assert!(canaries.count() > 200, "{} were planted", canaries.count());
        let mut session = new_session();
        let bytes = recorded(&target, &mut session, &events);
        let found = canaries.found(&unpacked(&bytes));
        assert_eq!(found.len(), canaries.count(), "all of them are in the recording");
        assert_eq!(canaries.found(&unpacked(&shared(&bytes, Clock::FromZero).0)), Vec::<String>::new());
        assert_eq!(canaries.found(&unpacked(&shared(&bytes, Clock::Kept).0)), Vec::<String>::new());
        // What is in a state, findings with all their words included.
        let bytes = recorded(&target, &mut session, &sample::ends());
        assert!(canaries.found(&unpacked(&bytes)).len() > 50, "many of them are in the state");
        assert_eq!(canaries.found(&unpacked(&shared(&bytes, Clock::FromZero).0)), Vec::<String>::new());
    }
}

#[test]
fn a_crate_of_the_programs_own_may_be_called_as_a_published_one() {
    let called = |event: &Event| -> Event {
        let json = serde_json::to_string(event).unwrap();
        serde_json::from_str(&json.replace("own::serve", "http::charge_vip")).unwrap()
    };
    let mut session = new_session();
    let whole = recorded("x", &mut session, &sample::events().iter().map(called).collect::<Vec<_>>());
    let goes_on = recorded("x", &mut session, &sample::ends());
    for (bytes, which) in [(whole, "whole"), (goes_on, "goes on")] {
        let seen = unpacked(&shared(&bytes, Clock::FromZero).0);
        for (text, is_seen) in [("charge_vip", false), ("http::", false), ("tokio::runtime::park::Inner::park", true)] {
            let has = |all: &[u8]| all.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(has(&unpacked(&bytes)), "{text} is in the recording, {which}");
            assert_eq!(has(&seen), is_seen, "{text}, {which}");
        }
    }
}

/// Whether a number stands anywhere, as bytes in either order or as text.
fn has(haystack: &[u8], number: u64, length: usize) -> bool {
    let big = number.to_be_bytes()[8 - length..].to_vec();
    let little: Vec<u8> = big.iter().rev().copied().collect();
    let texts = [number.to_string().into_bytes(), format!("{number:x}").into_bytes()];
    [big, little].iter().chain(&texts).any(|needle| haystack.windows(needle.len()).any(|window| window == needle))
}

#[test]
fn no_number_that_names_something_is_in_what_is_shared() {
    let ids = [sample::PID, sample::TID, sample::OTHER_TID].map(|id| (u64::from(id), 4));
    let wide = [sample::THING, sample::ROOM, sample::META, sample::CODE, sample::OFFSET, sample::VALUE];
    let build = (u64::from_be_bytes(sample::BUILD.map(|byte| byte)), 8);
    let numbers: Vec<(u64, usize)> = ids.into_iter().chain(wide.map(|number| (number, 8))).collect();
    let mut session = new_session();
    let whole = recorded("x", &mut session, &sample::events());
    let goes_on = recorded("x", &mut session, &sample::ends());
    let (original, state) = (unpacked(&whole), unpacked(&goes_on));
    for (number, length) in &numbers {
        assert!(has(&original, *number, *length), "{number:x} is in the recording");
    }
    assert!(has(&state, sample::TID.into(), 4) && has(&state, sample::THING, 8));
    for (bytes, which) in [(whole, "whole"), (goes_on, "goes on")] {
        let seen = unpacked(&shared(&bytes, Clock::Kept).0);
        for (number, length) in numbers.iter().chain([&build]) {
            assert!(!has(&seen, *number, *length), "{number:x} is in what is shared, {which}");
        }
        // Bytes above 127 have a byte before them each.
        let spread: Vec<u8> = sample::BUILD.iter().flat_map(|byte| [0xcc, *byte]).collect();
        assert!(original.windows(spread.len()).any(|window| window == spread), "it is in the recording");
        assert!(!seen.windows(spread.len()).any(|window| window == spread), "{which}");
    }
}

/// Whether there is an instant of that hour: nanoseconds in eight bytes, or seconds in four after what says that they are.
fn tells_the_time(haystack: &[u8]) -> bool {
    const HOUR: u64 = 3_600_000_000_000;
    let is_near = |nanos: u64| nanos.abs_diff(sample::NOW) < HOUR;
    let nanos = haystack.windows(8).any(|window| is_near(u64::from_be_bytes(window.try_into().unwrap())));
    let seconds = haystack.windows(5).any(|window| {
        let seconds = u32::from_be_bytes(window[1..].try_into().unwrap());
        window[0] == 0xce && is_near(u64::from(seconds).saturating_mul(1_000_000_000))
    });
    nanos || seconds
}

#[test]
fn what_is_shared_does_not_say_when_it_was_unless_it_is_to() {
    let mut session = new_session();
    let whole = recorded("x", &mut session, &sample::events());
    let goes_on = recorded("x", &mut session, &sample::ends());
    for bytes in [whole, goes_on] {
        assert!(tells_the_time(&unpacked(&bytes)));
        let kept = shared(&bytes, Clock::Kept).0;
        assert!(tells_the_time(&unpacked(&kept)));
        let zero = shared(&bytes, Clock::FromZero).0;
        assert!(!tells_the_time(&unpacked(&zero)));
        let [mut original, mut kept, mut zero] = [bytes, kept, zero].map(|bytes| Player::new(open(&bytes)).unwrap());
        for player in [&mut original, &mut kept, &mut zero] {
            player.seek(Duration::from_secs(2)).unwrap();
        }
        assert_eq!(kept.moment(), original.moment());
        assert_eq!((zero.moment().at, zero.moment().wall), (original.moment().at, 2_000_000_000));
        assert_eq!(zero.recording().header().wall, 0);
        let now = |player: &Player| player.session().model().now().unwrap();
        assert_eq!(now(&kept), now(&original));
        assert_eq!(now(&zero).seconds() / (24 * 60 * 60), 3_652, "ten years after zero");
        assert_eq!(now(&zero).nanos() % 1_000_000_000, now(&original).nanos() % 1_000_000_000);
    }
}

#[test]
fn what_an_agent_can_tell_is_kept_and_other_words_for_it_are_not() {
    let bytes = recorded("x", &mut new_session(), &sample::events());
    let mut player = Player::new(open(&shared(&bytes, Clock::FromZero).0)).unwrap();
    let mut can = Vec::new();
    while let Some(event) = player.step().unwrap() {
        if let Event::Begin(begin) = event {
            can.push(begin.process.map(|process| process.capabilities).unwrap_or_default());
        }
    }
    assert_eq!(can[0][..6], ["tasks", "locks", "stalls", "permits", "captures", "spawn-times"]);
    assert!(can[0][6].starts_with("ability-"), "{can:?}");
}

#[test]
fn two_of_one_recording_have_no_mark_in_common() {
    let bytes = recorded("own-host:6669", &mut new_session(), &sample::events());
    let [one, other] = [(); 2].map(|()| open(&shared(&bytes, Clock::FromZero).0).header().target.clone());
    assert!(one.starts_with("target-") && other.starts_with("target-"));
    assert_ne!(one, other);
}

/// Every number that stays as it is, by type and field. One that is new here names nothing of the machine, of the process's memory or of its users, and
/// is no instant: see `rules::number`. It is written anew with `HOLDUP_REGENERATE=1`.
#[test]
fn the_numbers_that_are_kept_are_these() {
    let hidden = std::cell::RefCell::new(super::Hidden::new(Clock::FromZero));
    let mut session = new_session();
    for event in [sample::events(), sample::events(), sample::ends()].concat() {
        super::collect(&event, &hidden).unwrap();
        session.apply(event);
        super::collect(&session, &hidden).unwrap();
    }
    for (_, event) in always_the_same() {
        super::collect(&event, &hidden).unwrap();
        session.apply(event);
    }
    super::collect(&session, &hidden).unwrap();
    let kept: Vec<String> = hidden.borrow().kept.iter().map(|(ty, field)| format!("{ty}.{field}\n")).collect();
    let kept = kept.concat();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/record/share/tests/kept_numbers.txt");
    if std::env::var_os("HOLDUP_REGENERATE").is_some() {
        std::fs::write(path, &kept).unwrap();
    }
    assert_eq!(kept, std::fs::read_to_string(path).unwrap());
}
