//! The rows of the table: what each measures, and its bounds.

use crate::{
    echo::{median, p99},
    target::{Failure, Target, built, cpu, debug_information, own},
    wide,
};
use clap::ValueEnum;
use holdup_memory::{Basis, Look, Options, Reader, Wants, Who, bytes, debug::Debug};
use std::{
    collections::HashSet,
    path::Path,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Row {
    /// The time for which the target is stopped, and what a look makes present in it.
    Footprint,
    /// Holders that are named and have nothing.
    FalseNames,
    /// The echo in a target that is looked at.
    Echo,
    /// From nothing to chains, with 50 MB of debug information.
    FirstChains,
    /// The same with 1 GB.
    FirstChainsLarge,
    /// A layout of 1 GB of debug information.
    Layout,
    /// A grab of 100,000 tasks.
    Grab,
    /// From nothing to a deadlock that two looks agree on.
    Deadlock,
    /// 100,000 tasks.
    HundredThousand,
    /// 1,000,000 tasks.
    Million,
    /// What a client takes at 2 Hz.
    Cpu,
}

impl Row {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Footprint => "target stopped for; pages made present",
            Self::FalseNames => "false names in task reads of the victims that lie",
            Self::Echo => "echo's p99 in a target of 100,000 tasks that is looked at, ratio",
            Self::FirstChains => "first chains, 50 MB of debug information, nothing kept / kept",
            Self::FirstChainsLarge => "first chains, 1 GB: the same; memory of the reader",
            Self::Layout => "a layout of 1 GB of debug information",
            Self::Grab => "a grab of 100,000 tasks",
            Self::Deadlock => "attach to a deadlock that is confirmed, 10,000 tasks",
            Self::HundredThousand => "100,000 tasks: first look, a round with 1 % changed",
            Self::Million => "1,000,000 tasks: the same; memory of the reader",
            Self::Cpu => "CPU at 2 Hz, 10,000 tasks, 1 % changed",
        }
    }

    /// At most, and the aim.
    pub(crate) fn bounds(self) -> [&'static str; 2] {
        match self {
            Self::Footprint => ["0; 0", "0; 0"],
            Self::FalseNames => ["0 in 10 million", "0"],
            Self::Echo => ["1.05", "1.00"],
            Self::FirstChains => ["1 s / 0.3 s", "0.3 s / 0.1 s"],
            Self::FirstChainsLarge => ["15 s / 1 s; 400 MiB", "5 s / 0.3 s; 200 MiB"],
            Self::Layout => ["30 MB", "10 MB"],
            Self::Grab => ["2 s", "1 s"],
            Self::Deadlock => ["2.5 s", "1.5 s"],
            Self::HundredThousand => ["1 s, 100 ms", "0.3 s, 30 ms"],
            Self::Million => ["8 s, 1 s; 600 MiB", "3 s, 200 ms; 300 MiB"],
            Self::Cpu => ["5 %", "1 %"],
        }
    }

    /// Measures it, or one of so many parts of it; the large program has so many services.
    pub(crate) fn measure(self, parts: u64, services: u64) -> Result<String, Failure> {
        match self {
            Self::Footprint => footprint(100_000 / parts),
            Self::FalseNames => false_names(10_000_000 / parts / parts),
            Self::Echo => echo(100_000 / parts, 10 / parts.min(3)),
            Self::FirstChains => first_chains(&wide::built(SOME)?),
            Self::FirstChainsLarge => first_chains(&wide::built(services)?),
            Self::Layout => layout(&wide::built(services)?),
            Self::Grab => grab(100_000 / parts),
            Self::Deadlock => deadlock(10_000 / parts),
            Self::HundredThousand => rounds(100_000 / parts),
            Self::Million => rounds(1_000_000 / parts),
            Self::Cpu => at_two_hertz(10_000 / parts, Duration::from_secs(20 / parts.min(4))),
        }
    }
}

fn many(tasks: u64, churn: u64) -> Result<Target, Failure> {
    Target::start("victim", &["many", &tasks.to_string(), &churn.to_string()])
}

fn reader(target: &Target) -> Result<Reader, Failure> {
    Ok(Reader::open(target.pid(), &Options::default())?)
}

fn look(reader: &mut Reader) -> Result<Look, Failure> {
    let mut look = reader.look(&Wants::default())?;
    // A million tasks are told by several looks. A client has made something else of them by then.
    while look.untold > 0 {
        look = reader.look(&Wants::default())?;
    }
    Ok(look)
}

fn footprint(tasks: u64) -> Result<String, Failure> {
    let target = many(tasks, 0)?;
    let before = target.present()?;
    let mut reader = reader(&target)?;
    let mut stopped = Duration::ZERO;
    for _ in 0..3 {
        stopped += look(&mut reader)?.cost.stopped;
    }
    let after = target.present()?;
    Ok(format!("{stopped:?}; {}", after.saturating_sub(before)))
}

fn false_names(reads: u64) -> Result<String, Failure> {
    const CASES: [&str; 20] = [
        "self-job",
        "self-running",
        "self-in-place",
        "self-map",
        "self-channel",
        "self-output",
        "self-static",
        "self-thread",
        "pair-jobs",
        "pair-map",
        "box",
        "acquire",
        "disabled",
        "ends",
        "arc",
        "part",
        "downgrade",
        "readers",
        "room",
        "forget",
    ];
    /// Of each case in one program, so that a look reads hundreds of tasks.
    const COPIES: &str = "100";
    let (mut read, mut wrong) = (0, 0);
    for case in CASES {
        let mut target = Target::start("stale", &[case, "lie", COPIES])?;
        let truth = target.truth()?;
        let holders: HashSet<u64> =
            truth.iter().map(String::as_str).filter(|line| line.contains("\"hold\"")).filter_map(holder).collect();
        let holds = |who: Who| matches!(who, Who::Task(number) if holders.contains(&number));
        let mut its = 0;
        while its < reads / CASES.len() as u64 {
            // Each look is a first one: what a reader has learnt by then must not be what saves it.
            let mut reader = reader(&target)?;
            for _ in 0..50 {
                let look = look(&mut reader)?;
                its += look.tasks as u64;
                let named = look.things.iter().flat_map(|thing| &thing.holders);
                wrong += named.filter(|holder| holder.basis == Basis::Proven && !holds(holder.who)).count();
            }
        }
        read += its;
    }
    Ok(format!("{wrong} in {read}"))
}

/// The task of a line of the truth.
fn holder(line: &str) -> Option<u64> {
    let rest = line.split_once("\"task\":")?.1;
    rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

fn echo(tasks: u64, seconds: u64) -> Result<String, Failure> {
    const TURNS: usize = 5;
    let mut target = many(tasks, 0)?;
    let port = target.port()?;
    let mut reader = reader(&target)?;
    look(&mut reader)?;
    let time = Duration::from_secs(seconds);
    let (mut alone, mut watched) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        alone.push(p99(port, time)?);
        let ends = AtomicBool::new(false);
        let measured = thread::scope(|scope| {
            scope.spawn(|| {
                while !ends.load(Relaxed) {
                    if look(&mut reader).is_err() {
                        break;
                    }
                    thread::sleep(Duration::from_millis(500));
                }
            });
            let measured = p99(port, time).map_err(|error| error.to_string());
            ends.store(true, Relaxed);
            measured
        });
        watched.push(measured?);
    }
    let (alone, watched) = (median(alone), median(watched));
    Ok(format!("{:.2} ({watched:.0?} to {alone:.0?})", watched.as_secs_f64() / alone.as_secs_f64()))
}

/// So many services have somewhat more than 50 MB of debug information.
const SOME: u64 = 40;

fn first_chains(program: &Path) -> Result<String, Failure> {
    let target = Target::of(program, &[])?;
    let time = || -> Result<Duration, Failure> {
        let began = Instant::now();
        let mut reader = reader(&target)?;
        let look = look(&mut reader)?;
        let took = began.elapsed();
        let chains = look.changed.iter().filter(|task| task.chain.is_some()).count();
        if chains == 0 { Err("no chains".into()) } else { Ok(took) }
    };
    let nothing_kept = time()?;
    wait_for_what_is_kept();
    let kept = time()?;
    let most = own("VmHWM")? >> 10;
    Ok(format!("{nothing_kept:.0?} / {kept:.0?}; {most} MiB at most ({} MB)", debug_information(program)? >> 20))
}

/// What is kept for the next look is written beside the looks; where there is little debug information, nothing is.
fn wait_for_what_is_kept() {
    let Some(folder) = std::env::var_os("XDG_CACHE_HOME").map(|folder| Path::new(&folder).join("holdup")) else {
        return;
    };
    let began = Instant::now();
    loop {
        let names = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let names = names
            .filter(|name| name.as_encoded_bytes().ends_with(b".layout") || name.as_encoded_bytes().starts_with(b"."));
        let (under_way, done): (Vec<_>, Vec<_>) = names.partition(|name| name.as_encoded_bytes().starts_with(b"."));
        let most = if under_way.is_empty() { Duration::from_secs(20) } else { Duration::from_secs(300) };
        if !done.is_empty() || began.elapsed() > most {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn layout(program: &Path) -> Result<String, Failure> {
    let to = program.with_extension("layout");
    let began = Instant::now();
    let written = Debug::open(program)?.write_layout(&to)?;
    let took = began.elapsed();
    std::fs::remove_file(&to)?;
    let size = written.bytes as f64 / 1e6;
    Ok(format!("{size:.1} MB of {} in {took:.1?}", debug_information(program)? >> 20))
}

fn grab(tasks: u64) -> Result<String, Failure> {
    let target = many(tasks, 0)?;
    let to = built()?.join(format!("../grab-{}", std::process::id()));
    let began = Instant::now();
    let grabbed = bytes::grab::grab(&bytes::Live::open(target.pid())?, &to, u64::MAX);
    let took = began.elapsed();
    let read = grabbed.map(|_| ()).map_err(Failure::from).and_then(|()| {
        let look = look(&mut Reader::core(&to, &Options::default())?)?;
        if look.tasks as u64 >= tasks {
            Ok(std::fs::metadata(&to)?.len() >> 20)
        } else {
            Err("tasks are missing".into())
        }
    });
    let _ = std::fs::remove_file(&to);
    Ok(format!("{took:.2?}, {} MiB", read?))
}

fn deadlock(tasks: u64) -> Result<String, Failure> {
    let target = many(tasks, tasks / 50)?;
    let began = Instant::now();
    let mut reader = reader(&target)?;
    while began.elapsed() < Duration::from_secs(30) {
        let look = look(&mut reader)?;
        let closed = look.things.iter().filter(|thing| {
            let proven = thing.holders.iter().any(|holder| holder.basis == Basis::Proven);
            thing.steady && proven && !thing.queue.is_empty()
        });
        if closed.count() >= 2 {
            return Ok(format!("{:.0?}", began.elapsed()));
        }
        thread::sleep(Duration::from_millis(50));
    }
    Err("no two looks agree on it".into())
}

fn rounds(tasks: u64) -> Result<String, Failure> {
    // At 2 Hz, 1 % that has changed in a round is 2 % a second.
    let target = many(tasks, tasks / 50)?;
    let began = Instant::now();
    let mut reader = reader(&target)?;
    look(&mut reader)?;
    let first = began.elapsed();
    let mut rounds = Vec::new();
    for _ in 0..10 {
        thread::sleep(Duration::from_millis(500));
        let began = Instant::now();
        look(&mut reader)?;
        rounds.push(began.elapsed());
    }
    Ok(format!("{first:.0?}, {:.0?}; {} MiB", median(rounds), own("VmHWM")? >> 10))
}

fn at_two_hertz(tasks: u64, time: Duration) -> Result<String, Failure> {
    let target = many(tasks, tasks / 50)?;
    let mut reader = reader(&target)?;
    look(&mut reader)?;
    let (began, before) = (Instant::now(), cpu()?);
    while began.elapsed() < time {
        thread::sleep(Duration::from_millis(500));
        look(&mut reader)?;
    }
    let used = (cpu()? - before) as f64 / 100.0;
    Ok(format!("{:.1} %", used * 100.0 / began.elapsed().as_secs_f64()))
}
