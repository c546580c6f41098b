//! Recordings of a service that is played by hand, some of them damaged.

use super::*;
use crate::{
    record::{Header, Recorder, Recording, Writer},
    update::{Begin, Connection, Event, Process},
};
use std::{io::Cursor, time::Duration};

#[path = "../../../tests/support/service.rs"]
#[expect(clippy::duplicate_mod, reason = "no room is to know another's tests")]
mod service;

use service::{Service, at};

/// Where tasks are spawned, one in each segment.
const PLACES: [&str; 5] = ["src/a.rs:1", "src/b.rs:2", "src/c.rs:3", "src/d.rs:4", "src/e.rs:5"];

/// So many updates a segment has, one a second.
const UPDATES: u64 = 4;

fn new_session() -> Session {
    Session::new(&Settings::default(), Retention::default())
}

/// A service in which another task is spawned in each segment, and polled twenty times a second from then on, for a millisecond each time.
fn recorded() -> Vec<u8> {
    polled_for(1)
}

/// The same with polls of so many milliseconds.
fn polled_for(millis: u64) -> Vec<u8> {
    let (mut session, mut recorder, mut service) = (new_session(), Recorder::new(), Service::new());
    let mut writer = Writer::new(Vec::new(), &Header::new("localhost", 1)).unwrap();
    let mut tasks = Vec::new();
    for second in 0..PLACES.len() as u64 * UPDATES {
        if second % UPDATES == 1 {
            tasks.push(service.spawn("", PLACES[(second / UPDATES) as usize]));
        }
        for &task in &tasks {
            for _ in 0..20 {
                service.poll(task, millis);
            }
        }
        let rest = at((second + 1) * 1_000).since(service.now());
        service.pass_micros(u64::try_from(rest.as_micros()).unwrap());
        let begin = [Event::Begin(Box::new(Begin::agent(1, Process::default()))), Event::Connection(Connection::Live)];
        let begin = begin.into_iter().filter(|_| second == 0);
        for event in begin.chain([Event::Update(Box::new(service.publish()))]) {
            let at = Duration::from_secs(second);
            recorder.push(at, 1, event.clone(), &session).unwrap();
            session.apply(event);
            recorder.applied(at, &session).unwrap();
        }
        if second % UPDATES == UPDATES - 1 {
            recorder.end().unwrap().into_iter().for_each(|out| writer.put(out).unwrap());
        }
    }
    writer.finish().unwrap()
}

/// The same with a bit of one segment turned over.
fn damaged(segment: usize) -> Vec<u8> {
    const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    let mut bytes = recorded();
    let begins = bytes.windows(4).enumerate().filter(|(_, bytes)| *bytes == ZSTD).map(|(at, _)| at);
    let begins: Vec<usize> = begins.collect();
    assert_eq!(begins.len(), PLACES.len());
    bytes[begins[segment] + 40] ^= 0x10;
    bytes
}

fn side(bytes: Vec<u8>) -> Side {
    let mut player = Player::new(Recording::read_from(Cursor::new(bytes)).unwrap()).unwrap();
    played(&mut player, &Settings::default(), Retention::default()).unwrap().unwrap()
}

/// The locations that are seen, and how many polls were counted at each.
fn seen(bytes: Vec<u8>) -> Vec<(String, u64)> {
    let side = side(bytes);
    let seen = side.locations.iter().map(|location| (location.place.to_string(), location.polls));
    let mut seen: Vec<_> = seen.collect();
    seen.sort();
    seen
}

#[test]
fn what_comes_after_damage_goes_on_from_the_state_after_it() {
    let whole = seen(recorded());
    assert_eq!(whole.iter().map(|(place, _)| place.as_str()).collect::<Vec<_>>(), PLACES);
    for segment in 0..PLACES.len() {
        let seen = seen(damaged(segment));
        let is_last = segment == PLACES.len() - 1;
        let known: Vec<_> = seen.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(known, PLACES[..PLACES.len() - usize::from(is_last)], "without {segment}");
        // What happened where nothing is known is no part of what was counted.
        for ((place, polls), (_, all)) in seen.iter().zip(&whole) {
            assert!(polls <= all, "{place}, without {segment}: {polls} of {all}");
        }
        assert!(seen[0].1 < whole[0].1, "without {segment}: {seen:?}, and {whole:?} in all");
    }
}

#[test]
fn a_measure_that_is_worse_is_a_failure_unless_nothing_is_to_be() {
    let [short, long] = [1, 2].map(|millis| side(polled_for(millis)));
    let thresholds = Thresholds::default();
    let outcomes = |before: &Side, after: &Side| {
        let comparison = Comparison::new(before, after, &thresholds);
        let all = [FailOn::Note, FailOn::Warning, FailOn::Critical, FailOn::Never];
        all.map(|fail_on| {
            let sides = [("before", before), ("after", after)].map(|(target, side)| NamedSide { target, side });
            outcome(&DiffReport::new(sides, &comparison, &thresholds, |severity| fail_on.fails(severity)), fail_on)
        })
    };
    assert_eq!(outcomes(&short, &long), [Outcome::Found, Outcome::Found, Outcome::Found, Outcome::Done]);
    assert_eq!(outcomes(&long, &short), [Outcome::Done; 4]);
}
