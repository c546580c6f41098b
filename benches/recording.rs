//! What a recording costs: an hour of it as a file, an instant of that, and its index made anew; and what the past of a live session does: how much of ten
//! minutes fits, how long each update has to wait for it, and how long a step takes. The service has one update a second, and its tasks are polled at random
//! instants and for random times; nothing waits for it to pass.
//!
//! `cargo bench --bench recording`

mod service;

use holdup::{
    diagnose::Settings,
    model::Retention,
    number::{humanize, humanize_bytes},
    record::{Header, History, Limits, Player, Recorder, Recording, Seek, View, Viewer, Writer},
    session::Session,
    update::{Begin, Event, TaskId, TaskStats, Update},
};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
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
        seek(&path, seconds, Cache::Warm)?;
        seek(&path, seconds, Cache::Cold)?;
        index(&path)?;
    }
    for tasks in [10_000, 100_000, 1_000_000] {
        past(tasks)?;
    }
    Ok(())
}

/// As the live view keeps it.
const LIMITS: Limits = Limits { lasts: Duration::from_secs(600), bytes: 64 << 20 };

/// Ten minutes of the past of a session, and steps in it.
fn past(tasks: u64) -> Result<(), Box<dyn std::error::Error>> {
    let began = Instant::now();
    let mut history = History::new("bench", began, LIMITS);
    let mut session = Session::new(&Settings::default(), Retention::default());
    let (mut heard, mut taken) = (Vec::new(), Vec::new());
    let mut tell = |second: u64, event: Event| {
        let at = began + Duration::from_secs(second);
        let noting = Instant::now();
        history.hear(at, &event, &session);
        let noted = noting.elapsed();
        let taking = Instant::now();
        session.apply(event);
        taken.push(taking.elapsed());
        let noting = Instant::now();
        history.applied(at, &session);
        heard.push(noted + noting.elapsed());
    };
    tell(0, Event::Begin(Box::new(Begin::console(1))));
    let first = first_state(tasks, Named::InGroups);
    let mut changing = Tasks { stats: first.task_stats.clone(), seed: 0x9e37_79b9_7f4a_7c15 };
    tell(0, Event::Update(Box::new(first)));
    for second in 1..600 {
        tell(second, Event::Update(Box::new(changing.next(second))));
    }
    // The first state is not the past's to note.
    let longest = |took: &[Duration]| humanize(took.iter().skip(2).max().copied().unwrap_or_default());
    println!(
        "{tasks} tasks, OnePercent, the past of 10 m: an update waits {} for it at most, and takes {} at most",
        longest(&heard),
        longest(&taken)
    );
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut viewer = Viewer::of_history(&history);
    let mut show = |seek: Seek| {
        let asked = Instant::now();
        viewer.ask(seek);
        let mut line = None;
        loop {
            match runtime.block_on(viewer.next()) {
                Some(View::Line(told)) => line = Some(told),
                Some(View::Instant(..)) => return Ok((asked.elapsed(), line)),
                Some(View::Trouble(text)) => return Err(text),
                None => return Err("nobody plays".to_owned()),
            }
        }
    };
    let (first, line) = show(Seek::Latest(-1))?;
    let line = line.ok_or("no time line")?;
    println!(
        "  kept: {} of it in {} segments, {} of which are outlines, {}",
        humanize(line.until.saturating_sub(line.from)),
        line.walls.len(),
        line.outlined.len(),
        humanize_bytes(line.bytes)
    );
    let mut steps = Vec::new();
    for _ in 0..40 {
        steps.push(show(Seek::By(-1))?.0);
    }
    let mut instants = Vec::new();
    for turn in 0..40 {
        instants.push(show(Seek::To(Duration::from_secs(turn * 7_919 % 600)))?.0);
    }
    let (steps, instants) = (percentiles(steps), percentiles(instants));
    println!("  the first step {}; one back {steps}; to an instant {instants}", humanize(first));
    Ok(())
}

fn percentiles(mut took: Vec<Duration>) -> String {
    took.sort_unstable();
    let at = |percent: usize| humanize(took[(took.len() - 1) * percent / 100]);
    format!("p50 {}, p99 {}", at(50), at(99))
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

/// Whether the file's bytes are in memory when an instant is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cache {
    Warm,
    Cold,
}

fn seek(path: &Path, seconds: u64, cache: Cache) -> Result<(), Box<dyn std::error::Error>> {
    let file = File::open(path)?;
    // What is not written yet cannot be let go of.
    file.sync_all()?;
    let mut player = Player::new(Recording::open(path)?)?;
    let mut took = Vec::new();
    for turn in 0..SEEKS {
        let at = Duration::from_secs(turn * 7_919 % seconds);
        if cache == Cache::Cold {
            posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
        }
        let began = Instant::now();
        player.seek(at)?;
        took.push(began.elapsed());
    }
    println!("  an instant of it, cache {cache:?}: {}", percentiles(took));
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
