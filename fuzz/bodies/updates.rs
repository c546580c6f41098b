// What is done with bytes that may be messages of a target, one after the other in the frames of gRPC: a session takes them in, is asked
// for what is shown of it, and is compared with itself. Fuzz targets and a test share it.

use holdup::{
    app::{Cache, Cx, Filter},
    compare::{Comparison, Heard, Thresholds, Watching},
    diagnose::{LINTS, Settings},
    model::Retention,
    report::{End, Observation, Report, Totals},
    session::Session,
    source::{self, Begin, Event, Process, Target},
    update::Update,
};
use std::time::Duration;

/// More than a test's updates have, so that both is done: keeping, and letting go.
const MOST: usize = 20;

/// What passes from one update to the next.
const UPDATE: Duration = Duration::from_millis(300);

/// Of a console.
pub(crate) fn console(bytes: &[u8]) {
    tell(Begin::console(1), source::decode_console, bytes);
}

/// Of an agent that can tell everything.
pub(crate) fn holdup(bytes: &[u8]) {
    let can = ["tasks", "wakers", "driver-turns", "permits", "scheduled", "stalls", "spawn-times"];
    let process = Process { capabilities: can.map(String::from).into(), ..Process::default() };
    tell(Begin::agent(1, process), source::decode, bytes);
}

fn tell(begin: Begin, decode: fn(&[u8]) -> Vec<Update>, mut bytes: &[u8]) {
    let mut settings = Settings::default();
    for lint in LINTS {
        let known = settings.enable(lint.name);
        assert!(known.is_ok(), "{}", lint.name);
    }
    let retention = Retention { keep: Some(Duration::from_secs(2)), most: MOST, ..Retention::default() };
    let mut session = Session::new(&settings, retention);
    session.apply(Event::Begin(Box::new(begin)));
    // Each update is a window, of which there are ten at most.
    let mut watching = Watching::new(UPDATE);
    let mut at = Duration::ZERO;
    while let Some((&[_, a, b, c, d], rest)) = bytes.split_first_chunk() {
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let (message, rest) = rest.split_at(length.min(rest.len()));
        for update in decode(message) {
            session.apply(Event::Update(Box::new(update)));
            watching.take(at, Heard::Update, &session);
            at += UPDATE;
        }
        bytes = rest;
    }
    if let Some(side) = watching.finish(&session) {
        Comparison::new(&side, &side, &Thresholds::default()).told();
    }
    look(session);
}

/// All that is said of it as text and as JSON, and which tasks a filter lets through.
fn look(mut session: Session) {
    session.describe_all();
    let Some(now) = session.now(Duration::from_millis(300)) else { return };
    let (filter, _) = Filter::read("-name:conn loc:src busy<90% polls>=0 request");
    let cx = Cx { model: session.model(), engine: session.engine(), now };
    let mut cache = Cache::default();
    for task in session.model().tasks().iter() {
        filter.matches(&cx, &mut cache, &task);
    }
    let observed = Observation {
        start: session.model().attached().unwrap_or(now),
        end_at: now,
        values: Vec::new(),
        elapsed: Duration::from_secs(1),
        end: End::Elapsed,
        totals: Totals::default(),
        session,
    };
    Report::new(&Target::default(), &observed).to_json();
}
