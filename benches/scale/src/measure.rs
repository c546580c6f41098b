//! One client against one target.

use crate::{
    client::Client,
    events::Events,
    keys::{self, Keys},
    process::{Course, cpu, memory},
    screen::{Error, Terminal},
    serving::{Load, Target},
};
use std::{
    ffi::OsString,
    fmt,
    path::Path,
    time::{Duration, Instant},
};

/// Rows and columns of the terminal that clients are measured in.
pub(crate) const SIZE: (u16, u16) = (50, 200);

/// How long a client may take to show anything.
const PATIENCE: Duration = Duration::from_secs(180);

/// How often memory is looked at. Processor time is that of the same window: what looking costs is not the client's.
const SAMPLES: Duration = Duration::from_secs(5);

/// A window of this length says something about whether memory grows.
const LONG: Duration = Duration::from_secs(60);

/// How long to do what.
pub(crate) struct Schedule {
    /// After the first rows, before the window.
    pub settle: Duration,
    /// The window in which processor time and memory are measured.
    pub window: Duration,
    /// Keys of each kind, after the window.
    pub keys: usize,
}

/// What one client took.
pub(crate) struct Row {
    client: String,
    load: Load,
    cpu_percent: f64,
    course: Course,
    peak: u64,
    first_rows: Option<Duration>,
    /// Processor time and time until all tasks were counted.
    first_state: Option<(Duration, Duration)>,
    longest_event: Option<Duration>,
    keys: Keys,
}

impl Row {
    /// The columns.
    pub(crate) fn header() -> String {
        format!(
            "{:<13} {:>9} {:>6} {:>6} {:>7} {:>6} {:>6} {:>7} {:>8} {:>8} {:>10} {:>17} {:>9}  {:>20} {:>20} {:>20}",
            "client",
            "tasks",
            "change",
            "churn",
            "flagged",
            "locks",
            "page",
            "CPU",
            "RSS",
            "peak",
            "first rows",
            "first state CPU/s",
            "event max",
            "move p50/p99/max ms",
            "sort p50/p99/max ms",
            "filter p50/p99/max ms"
        )
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Option<Duration>| time.map_or("-".into(), |time| format!("{:.0} ms", time.as_secs_f64() * 1e3));
        let first_state = self
            .first_state
            .map_or("-".into(), |(cpu, time)| format!("{:.2}/{:.2}", cpu.as_secs_f64(), time.as_secs_f64()));
        write!(
            f,
            "{:<13} {:>9} {:>4} % {:>6} {:>5} % {:>6} {:>6} {:>5.1} % {:>4} MiB {:>4} MiB {:>10} {:>17} {:>9}  {:>20} {:>20} {:>20}",
            self.client,
            self.load.tasks,
            self.load.change,
            self.load.churn,
            self.load.flagged,
            self.load.locks,
            self.load.page.map_or("-".into(), |page| page.to_string()),
            self.cpu_percent,
            self.course.last() >> 20,
            self.peak >> 20,
            ms(self.first_rows),
            first_state,
            ms(self.longest_event),
            self.keys.moves,
            self.keys.sorts,
            self.keys.filters,
        )?;
        if self.course.span() >= LONG {
            write!(f, "\n  {}", self.course)?;
        }
        Ok(())
    }
}

/// Runs a client against a target, and measures it.
pub(crate) fn run(target: &Path, client: &Client, load: Load, schedule: &Schedule) -> Result<Row, Error> {
    let load = Load { page: client.page().or(load.page), ..load };
    let target = Target::start(target, &load)?;
    let events = Events::new()?;
    let mut args: Vec<OsString> = client.args.iter().map(Into::into).collect();
    args.extend(client.log_args(events.folder()));
    args.push(target.url.clone().into());
    let mut terminal = Terminal::start(&client.program, &args, SIZE)?;
    let pid = terminal.child().process_id().ok_or("the client has no process id")?;
    terminal.press("t")?;
    let begun = Instant::now();
    let shown = terminal.wait_for(PATIENCE, |screen| Client::has_rows(&screen.contents())).map(|time| begun + time);
    let sent = target.first_message();
    let first_rows = shown.zip(sent).map(|(shown, sent)| shown.saturating_duration_since(sent));
    let has_all = |screen: &vt100::Screen| client.has_all(&screen.contents(), &load);
    let first_state = match terminal.with_screen(has_all) {
        Some(_) => match terminal.wait_for(PATIENCE, |screen| has_all(screen) == Some(true)) {
            Some(_) => sent.map(|sent| cpu(pid).map(|cpu| (cpu, sent.elapsed()))).transpose()?,
            None => None,
        },
        None => None,
    };
    std::thread::sleep(schedule.settle);
    let (start, before) = (Instant::now(), cpu(pid)?);
    let course = Course::of(pid, schedule.window, SAMPLES)?;
    let used = cpu(pid)?.saturating_sub(before);
    let cpu_percent = used.as_secs_f64() / start.elapsed().as_secs_f64() * 100.0;
    let (_, peak) = memory(pid)?;
    let keys = keys::measure(&mut terminal, client, schedule.keys)?;
    let longest_event = events.longest()?;
    Ok(Row {
        client: client.name.clone(),
        load,
        cpu_percent,
        course,
        peak,
        first_rows,
        first_state,
        longest_event,
        keys,
    })
}
