//! What a recording and the past look like on the screens, at 80×24 and at 200×50. The pictures are under `tests/snapshots/`.

mod stage;
mod support;

use holdup::{
    app::{App, Charset, Input, Options, Tape},
    diagnose::Settings,
    model::Retention,
    record::{Header, Player, Recorder, Recording, Seek, TimeLine, View, Viewer, Writer},
    session::Session,
    update::{Begin, Connection, Event},
};
use insta::assert_snapshot;
use stage::{Stage, options};
use std::{
    io::Cursor,
    time::{Duration, Instant},
};
use support::service::{Service, Take};

const SIZES: [(u16, u16); 2] = [(80, 24), (200, 50)];

/// The clock at the beginning of what is recorded: 2026-01-01 12:00:00 UTC, as the service has it.
const BEGAN: u64 = 1_767_268_800_000_000_000;

/// A service in which one task comes to wait for another's lock, and its recording: an event each second.
fn events() -> Vec<Event> {
    let mut service = Service::new();
    let (holder, waiter) =
        (service.spawn("holder", "src/orders.rs:10:5"), service.spawn("waiter", "src/orders.rs:20:5"));
    let lock = service.mutex("src/state.rs:4:9");
    let mut events = vec![Event::Begin(Box::new(Begin::console(1))), Event::Connection(Connection::Live)];
    let mut tell = |service: &mut Service| events.push(Event::Update(Box::new(service.publish())));
    tell(service.pass(1_000));
    tell(service.pass(1_000));
    service.start(holder).take(holder, lock, Take::Lock).end(holder);
    service.start(waiter).ask(waiter, lock, Take::Lock);
    service.end(waiter);
    for _ in 0..8 {
        tell(service.pass(1_000));
    }
    events
}

fn recorded(events: &[Event]) -> Player {
    let mut session = Session::new(&Settings::default(), Retention::default());
    let (mut recorder, mut writer) = (Recorder::new(), Writer::new(Vec::new(), &Header::new("orders", BEGAN)).unwrap());
    for (second, event) in events.iter().enumerate() {
        let at = Duration::from_secs(second as u64);
        let wall = BEGAN + at.as_nanos() as u64;
        recorder.push(at, wall, event.clone(), &session).unwrap();
        session.apply(event.clone());
        recorder.applied(at, &session).unwrap();
        recorder.take(at).unwrap().into_iter().for_each(|out| writer.put(out).unwrap());
    }
    recorder.end().unwrap().into_iter().for_each(|out| writer.put(out).unwrap());
    Player::new(Recording::read_from(Cursor::new(writer.finish().unwrap())).unwrap()).unwrap()
}

/// The screens, with a recording on them at an instant.
fn showing(size: (u16, u16), options: Options, seek: Seek) -> Stage {
    let mut stage = Stage::new(size.0, size.1, options.clone());
    stage.app = App::new("orders.holdup", options).with_past(Tape::Recording);
    let mut viewer = Viewer::of_recording(recorded(&events()));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    stage.keys("f");
    viewer.ask(seek);
    loop {
        let view = runtime.block_on(viewer.next()).expect("somebody who plays");
        let is_last = !matches!(view, View::Line(_));
        stage.app.update(Input::Past(view), Instant::now());
        if is_last {
            break;
        }
    }
    stage.keys("f");
    stage
}

#[test]
fn a_recording() {
    for size in SIZES {
        let named = |name: &str| format!("{name}_{}x{}", size.0, size.1);
        assert_snapshot!(named("recording_begins"), showing(size, options(), Seek::To(Duration::from_secs(2))).text());
        let mut stage = showing(size, options(), Seek::Latest(0));
        assert_snapshot!(named("recording_ends"), stage.text());
        stage.keys("t");
        assert_snapshot!(named("recording_tasks"), stage.text());
    }
    let ascii = Options { charset: Charset::Ascii, ..options() };
    assert_snapshot!("recording_ascii", showing((80, 24), ascii, Seek::Latest(0)).text());
}

/// Whoever looks at the past does not see by it that the present is not there any more.
#[test]
fn while_the_past_is_shown_a_link_that_is_lost_is_told() {
    let mut stage = Stage::new(200, 50, options());
    let now = Instant::now();
    stage.app = App::new("orders", options()).with_past(Tape::Kept(now));
    stage.hear(events()).keys("space");
    let line = TimeLine { until: Duration::from_secs(12), walls: vec![(Duration::ZERO, BEGAN)], ..TimeLine::default() };
    stage.app.update(Input::Past(View::Line(Box::new(line))), now);
    stage.pass(Duration::from_secs(1)).shows(&["past ‖"]);
    stage.lose("the connection ended", Duration::from_secs(10));
    stage.shows(&["The past: ", "meanwhile the connection ended; next try in", "retry in"]);
}
