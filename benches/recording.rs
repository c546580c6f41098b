//! What a recording costs: an hour of it as a file, an instant of that, and its index made anew. The hour is a service at one update a second, whose
//! tasks are polled at random instants and for random times; nothing waits for it to pass.
//!
//! `cargo bench --bench recording`

mod service;

use holdup::{
    diagnose::Settings,
    model::Retention,
    number::{humanize, humanize_bytes},
    record::{Header, Player, Recorder, Recording, Writer},
    session::Session,
    update::{Begin, Event, TaskId, TaskStats, Update},
};
use service::{Named, at, first_state};
use std::{
    fs::{self, File},
    io::BufWriter,
    path::Path,
    time::{Duration, Instant},
};

const HOUR: u64 = 3_600;

/// Instants that are gone to, in no order.
const SEEKS: u64 = 200;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    for (tasks, changing) in
        [(10_000, Changing::OnePercent), (10_000, Changing::Nothing), (100_000, Changing::OnePercent)]
    {
        let path = folder.path().join(format!("{tasks}-{changing:?}.holdup"));
        let seconds = if tasks > 10_000 { 600 } else { HOUR };
        let recorded = record(&path, tasks, changing, seconds)?;
        println!(
            "{tasks} tasks, {changing:?}, {}: {} in {} segments; recorded in {} beside {} that the session took",
            humanize(Duration::from_secs(seconds)),
            humanize_bytes(fs::metadata(&path)?.len()),
            Recording::open(&path)?.segments().len(),
            humanize(recorded.recorder),
            humanize(recorded.session),
        );
        seek(&path, seconds)?;
        index(&path)?;
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Changing {
    OnePercent,
    Nothing,
}

/// The tasks of a service, and numbers that look random.
struct Tasks {
    stats: Vec<(TaskId, TaskStats)>,
    seed: u64,
}

impl Tasks {
    fn below(&mut self, bound: u64) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed % bound
    }

    /// What is told of one percent of them, any of them, after another second.
    fn next(&mut self, second: u64) -> Update {
        let mut task_stats = Vec::new();
        for _ in 0..self.stats.len() / 100 {
            let task = self.below(self.stats.len() as u64) as usize;
            let woken = at(second).plus(Duration::from_nanos(self.below(1_000_000_000)));
            let (waited, busy, more) = (self.below(200_000), 1_000 << self.below(12), 1 + self.below(40));
            let jitter = self.below(busy);
            let (id, stats) = &mut self.stats[task];
            stats.last_wake = Some(woken);
            stats.polls.last_started = Some(woken.plus(Duration::from_nanos(waited)));
            stats.polls.last_ended = Some(woken.plus(Duration::from_nanos(waited + busy + jitter)));
            stats.polls.count += more;
            stats.polls.busy += Duration::from_nanos((busy + jitter) * more);
            stats.scheduled += Duration::from_nanos(waited * more);
            stats.wakes += more;
            stats.waker_clones += more;
            stats.waker_drops += more;
            task_stats.push((*id, *stats));
        }
        Update { now: Some(at(second + 1)), task_stats, ..Update::default() }
    }
}

struct Took {
    recorder: Duration,
    session: Duration,
}

fn record(path: &Path, tasks: u64, changing: Changing, seconds: u64) -> Result<Took, Box<dyn std::error::Error>> {
    let mut writer = Writer::new(BufWriter::new(File::create(path)?), &Header::new("bench", 1))?;
    let (mut session, mut recorder) = (Session::new(&Settings::default(), Retention::default()), Recorder::new());
    let mut took = Took { recorder: Duration::ZERO, session: Duration::ZERO };
    let mut tell = |at: u64, event: Event| -> Result<(), Box<dyn std::error::Error>> {
        let (at, copy) = (Duration::from_secs(at), event.clone());
        let began = Instant::now();
        recorder.push(at, 1, copy, &session)?;
        took.recorder += began.elapsed();
        let began = Instant::now();
        session.apply(event);
        took.session += began.elapsed();
        let began = Instant::now();
        recorder.applied(at, &session)?;
        recorder.take(at)?.into_iter().try_for_each(|out| writer.put(out))?;
        took.recorder += began.elapsed();
        Ok(())
    };
    tell(0, Event::Begin(Box::new(Begin::console(1))))?;
    let first = first_state(tasks, Named::InGroups);
    let mut tasks = Tasks { stats: first.task_stats.clone(), seed: 0x9e37_79b9_7f4a_7c15 };
    tell(0, Event::Update(Box::new(first)))?;
    for second in 1..seconds {
        let update = match changing {
            Changing::OnePercent => tasks.next(second),
            Changing::Nothing => Update { now: Some(at(second + 1)), ..Update::default() },
        };
        tell(second, Event::Update(Box::new(update)))?;
    }
    recorder.end()?.into_iter().try_for_each(|out| writer.put(out))?;
    writer.finish()?;
    Ok(took)
}

fn seek(path: &Path, seconds: u64) -> Result<(), Box<dyn std::error::Error>> {
    let mut player = Player::new(Recording::open(path)?)?;
    let mut took = Vec::new();
    for turn in 0..SEEKS {
        let at = Duration::from_secs(turn * 7_919 % seconds);
        let began = Instant::now();
        player.seek(at)?;
        took.push(began.elapsed());
    }
    took.sort_unstable();
    let at = |percent: usize| humanize(took[(took.len() - 1) * percent / 100]);
    println!("  an instant of it: p50 {}, p99 {}", at(50), at(99));
    Ok(())
}

fn index(path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let bytes = fs::read(path)?;
    let cut = path.with_extension("cut");
    fs::write(&cut, &bytes[..bytes.len() - 1])?;
    let began = Instant::now();
    let recording = Recording::open(&cut)?;
    println!("  its {} segments without an index: {}", recording.segments().len(), humanize(began.elapsed()));
    Ok(())
}
