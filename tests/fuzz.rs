//! Bytes that nobody wrote, the same from run to run, given to what reads what a target sends and what a user types: it comes to an end in bounded
//! time and memory, and nothing panics. `HOLDUP_FUZZ=600` goes on for ten minutes each; the targets of `fuzz/` do the same with what libFuzzer finds.

#[path = "../src/source/codec/tests/console.rs"]
mod console;
#[path = "../memory/tests/damage/mod.rs"]
mod damage;
#[path = "../src/source/codec/tests/play.rs"]
mod play;
#[path = "../fuzz/bodies/recorded.rs"]
mod recorded;
#[path = "support/service.rs"]
mod service;
#[path = "../fuzz/bodies/typed.rs"]
mod typed;
#[path = "../fuzz/bodies/updates.rs"]
mod updates;

// What plays a service names it by the crate that it is part of.
use holdup::update;

use holdup::{
    diagnose::Settings,
    model::Retention,
    record::{Error, Header, Recorder, Writer},
    session::Session,
};

use proptest::{collection::vec, strategy::Strategy as _, strategy::ValueTree as _, test_runner::TestRunner};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    time::Duration,
};
use update::{Begin, Event, Process, Update};

/// Nothing that is read here has more than this, with all that is made of it.
const MOST: usize = 64 << 20;

struct Counting;

thread_local! {
    /// What a thread has allocated and not given back, and the most that it was.
    static ALLOCATED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

#[expect(unsafe_code, reason = "an allocator is unsafe to implement; this one hands everything on to the system's")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (now, most) = ALLOCATED.get();
        let now = now.wrapping_add(layout.size());
        ALLOCATED.set((now, most.max(now)));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let (now, most) = ALLOCATED.get();
        ALLOCATED.set((now.saturating_sub(layout.size()), most));
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The same, which must not take much memory.
fn bounded(read: fn(&[u8])) -> impl Fn(&[u8]) {
    move |bytes| {
        let (before, _) = ALLOCATED.get();
        ALLOCATED.set((before, before));
        read(bytes);
        let most = ALLOCATED.get().1 - before;
        assert!(most < MOST, "{most} bytes were taken for {}", bytes.len());
    }
}

/// What services at random tell, as messages.
fn messages(told: fn(&[play::Step]) -> Vec<Update>, encode: fn(&Update) -> Vec<u8>) -> Vec<Vec<u8>> {
    let mut runner = TestRunner::deterministic();
    let mut services = vec![];
    for _ in 0..6 {
        let steps = vec(play::step(), 20..120).new_tree(&mut runner).expect("steps").current();
        services.extend(told(&steps).iter().map(encode));
    }
    assert!(services.len() > 50, "{}", services.len());
    services
}

fn texts(corpus: &[&str]) -> Vec<Vec<u8>> {
    corpus.iter().map(|text| text.as_bytes().to_vec()).collect()
}

#[test]
fn what_a_console_may_send_is_taken_in() {
    damage::frames(&messages(play::updates, console::encode), bounded(updates::console));
}

#[test]
fn what_an_agent_may_send_is_taken_in() {
    damage::frames(&messages(play::told, holdup::source::encode), bounded(updates::holdup));
}

#[test]
fn any_filter_is_read() {
    let corpus = [
        "conn \"two words\"",
        "name:conn loc:src/x.rs kind:blocking state:running id:17",
        "kind:worker loc=\"src/x.rs:7\" span:request runtime:main lint:held-across-await lint:any",
        "busy>50% idle<10ms polls>=1k load>20% total<=1h30m size=2KiB polls/s>1e3",
        "-name:conn !state:idle -\"a:b\" awaits:mutex chain:3 chain:none",
        "İ ß ﬁ 名前:値 \u{202e}x\u{0}",
    ];
    damage::mix(&texts(&corpus), bounded(typed::filter));
}

#[test]
fn any_configuration_file_is_read() {
    let every_key = include_str!("snapshots/cli__gen_config.snap").splitn(3, "---\n").last().unwrap_or_default();
    let changed = include_str!("snapshots/cli__gen_config_changed.snap").splitn(3, "---\n").last().unwrap_or_default();
    let others = "max-memory = '1TiB'\nretain-for = 'none'\n[lints]\ndeadlock.lasts = \"99999999999y\"\n[lints.task-leak]\nlive = -1\n\
                  [lints.self-wakes]\nshare = nan\n[screen]\npalette = 256\n[credentials]\ntoken-file = '/'";
    damage::mix(&texts(&[every_key, changed, others]), bounded(typed::config));
}

#[test]
fn any_address_is_read() {
    let corpus = [
        "localhost",
        "http://127.0.0.1:6669/",
        "https://orders.internal:443",
        "[fe80::1%eth0]:6669",
        "unix:///run/orders/holdup.sock",
        "unix:/run/a",
        "file://localhost/run/a.sock",
        "pid:4242",
        "4294967296",
        "name:orders",
        "core:core.4242",
        "HTTP://[::ffff:1.2.3.4]:65535#é?",
    ];
    damage::mix(&texts(&corpus), bounded(typed::target));
}

/// Recordings of services at random.
fn recordings() -> Vec<Vec<u8>> {
    let mut runner = TestRunner::deterministic();
    let record = |updates: Vec<Update>| -> Result<Vec<u8>, Error> {
        let mut session = Session::new(&Settings::default(), Retention::default());
        let mut recorder = Recorder::new();
        let mut writer = Writer::new(Vec::new(), &Header::new("localhost", 1))?;
        let begin = Event::Begin(Box::new(Begin::agent(1, Process::default())));
        let events = [begin].into_iter().chain(updates.into_iter().map(|update| Event::Update(Box::new(update))));
        for (number, event) in events.enumerate() {
            let at = Duration::from_millis(number as u64 * 300);
            recorder.push(at, 1, event.clone(), &session)?;
            session.apply(event);
            recorder.applied(at, &session)?;
            let out = if number % 7 == 3 { recorder.end()? } else { recorder.take(at)? };
            out.into_iter().try_for_each(|out| writer.put(out))?;
        }
        recorder.end()?.into_iter().try_for_each(|out| writer.put(out))?;
        writer.finish()
    };
    let mut services = || {
        let steps = vec(play::step(), 20..120).new_tree(&mut runner).expect("steps").current();
        record(play::told(&steps)).expect("a recording")
    };
    (0..4).map(|_| services()).collect()
}

#[test]
fn any_recording_is_read() {
    damage::mix(&recordings(), bounded(recorded::recording));
}

#[test]
fn whatever_is_packed_in_a_recording_is_read() {
    let unpack = |recording: &Vec<u8>| zstd::decode_all(recording.as_slice()).expect("zstd");
    damage::mix(&recordings().iter().map(unpack).collect::<Vec<_>>(), bounded(recorded::segment));
}

#[test]
fn any_token_and_certificate_are_read() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let both = format!("{certificate}{key}");
    damage::mix(&texts(&["0123456789abcdef\n", &certificate, &key, &both]), bounded(typed::credentials));
}
