//! The shipped program in a real terminal, at the far end of a slow link: 1 Mbit/s and 200 ms. Real sockets on the loopback
//! interface, with a proxy between that takes its time. No test depends on how long anything takes, only on that it happens.
#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "not everything that a peer can do is done here")]
#[path = "wire/peer.rs"]
mod peer;
#[path = "wire/proxy.rs"]
mod proxy;
#[allow(dead_code, reason = "not everything that a shell can do is done here")]
#[path = "process/shell.rs"]
mod shell;

use console_api as api;
use peer::{Console, Peer};
use proxy::Slow;
use shell::Shell;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};
use tokio::sync::broadcast;

const LINK: Slow = Slow { bytes_per_second: 125_000, delay: Duration::from_millis(200) };

/// How often the target tells what changed.
const INTERVAL: Duration = Duration::from_millis(200);

/// Changed tasks in each update: several times as much as the link carries, and next to nothing.
const MUCH: usize = 750;
const LITTLE: usize = 3;

/// Updates that wait for the client at the target, which then gives up on it: a few minutes of them.
const PATIENT: usize = 1_024;

/// What the screen says above a list. The first line says it in few words, whatever lies over the list.
const BEHIND: &str = "Behind: the link delivers what the target said ";

/// A target with its slow link. It tells of changes for as long as it lives.
struct Target {
    link: Peer,
    changes: Arc<AtomicUsize>,
    _console: Peer,
}

impl Target {
    fn serve(tasks: usize) -> Self {
        let mut console = Console::new(vec![update(tasks, tasks)]);
        console.live = broadcast::channel(PATIENT).0;
        let changes = Arc::new(AtomicUsize::new(LITTLE));
        let (updates, alive) = (console.live.clone(), Arc::downgrade(&changes));
        std::thread::spawn(move || {
            while let Some(changed) = alive.upgrade().map(|changes| changes.load(Relaxed)) {
                // Nobody may have asked yet.
                let _ = updates.send(update(0, changed));
                std::thread::sleep(INTERVAL);
            }
        });
        let console = console.serve();
        Self { link: proxy::to(console.address, LINK), changes, _console: console }
    }

    fn url(&self) -> String {
        format!("http://{}", self.link.address)
    }

    /// From now on so many tasks change in each update.
    fn changes(&self, tasks: usize) {
        self.changes.store(tasks, Relaxed);
    }
}

/// An update at this instant that announces tasks and tells of changes.
fn update(new: usize, changed: usize) -> api::instrument::Update {
    let now = SystemTime::now();
    let at = |age: u64| Some((now - Duration::from_millis(age)).into());
    let stats = api::tasks::Stats {
        created_at: at(60_000),
        wakes: 12,
        last_wake: at(30),
        poll_stats: Some(api::PollStats {
            polls: 12,
            first_poll: at(59_000),
            last_poll_started: at(20),
            last_poll_ended: at(19),
            busy_time: Some(prost_types::Duration { seconds: 0, nanos: 5_000_000 }),
        }),
        ..api::tasks::Stats::default()
    };
    let task = |id: u64| api::tasks::Task {
        id: Some(id.into()),
        fields: vec![api::Field { metadata_id: None, name: Some("task.name".into()), value: Some("conn".into()) }],
        location: Some(api::Location { file: Some("src/far.rs".into()), line: Some(7), ..api::Location::default() }),
        ..api::tasks::Task::default()
    };
    api::instrument::Update {
        now: Some(now.into()),
        task_update: Some(api::tasks::TaskUpdate {
            new_tasks: (1..=new as u64).map(task).collect(),
            stats_update: (1..=changed as u64).map(|id| (id, stats)).collect(),
            dropped_events: 0,
        }),
        ..api::instrument::Update::default()
    }
}

/// The figure in the first line, such as `12.3 s behind` or `1 m 02 s behind`: seconds.
fn behind(screen: &str) -> Option<f64> {
    let (before, _) = screen.lines().next()?.split_once(" s behind")?;
    let mut words = before.split_whitespace().rev();
    let seconds: f64 = words.next()?.parse().ok()?;
    let minutes = words.next().filter(|word| *word == "m").and_then(|_| words.next()?.parse().ok());
    Some(minutes.unwrap_or(0.0) * 60.0 + seconds)
}

fn says_more_than(shell: &Shell, seconds: f64) -> f64 {
    let what = format!("behind by more than {seconds} s");
    shell.until(&what, |screen| behind(&screen.contents()).is_some_and(|figure| figure > seconds));
    behind(&shell.contents()).unwrap_or_default()
}

#[test]
fn a_first_state_is_drawn_as_it_streams_in_and_says_how_far_it_is() {
    // A minute of it: a machine that has other things to do has its first rows long before the end.
    let target = Target::serve(40_000);
    let mut shell = Shell::watching("", &target.url());
    shell.types("t");
    shell.until("rows while it loads", |screen| {
        let text = screen.contents();
        text.contains("src/far.rs:7") && text.contains("loading ")
    });
    shell.types("?");
    shell.until("an answer while it loads", |screen| {
        let text = screen.contents();
        text.contains("Keys") && text.contains("loading ")
    });
    shell.types("q");
    shell.shows("left=0");
}

#[test]
fn it_answers_keys_and_quits_while_it_says_by_how_much_it_is_behind() {
    let target = Target::serve(MUCH);
    let mut shell = Shell::watching("", &target.url());
    shell.shows("live");
    target.changes(MUCH);
    let early = says_more_than(&shell, 2.0);
    shell.shows(BEHIND);
    for (key, answer) in [("2", "Flags▾"), ("?", "Keys"), ("\u{1b}", ""), ("/conn", "filter  conn")] {
        shell.types(key);
        shell.until(answer, |screen| {
            let text = screen.contents();
            // An escape and what is typed before it was answered are one key.
            let answered = if answer.is_empty() { !text.contains("Keys") } else { text.contains(answer) };
            answered && behind(&text).is_some()
        });
    }
    says_more_than(&shell, early + 1.0);
    shell.types("\u{1b}");
    shell.hides("filter  conn");
    shell.types("q");
    shell.shows("left=0");
    shell.is_sane();
}

#[test]
fn when_it_has_caught_up_it_says_so_no_longer() {
    let target = Target::serve(MUCH);
    let mut shell = Shell::watching("", &target.url());
    shell.shows("live");
    target.changes(MUCH);
    says_more_than(&shell, 2.0);
    target.changes(LITTLE);
    shell.until("live", |screen| screen.contents().contains("live") && !screen.contents().contains(BEHIND));
    shell.types("q");
    shell.shows("left=0");
}
