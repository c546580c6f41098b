//! The works: how each is called, and what it may cost.

use crate::{
    done::{self, Host},
    mode::{Mode, Reader},
};
use clap::ValueEnum;

/// Something that a service does much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    /// A million tasks that do nothing.
    Spawn,
    /// 64 tasks that yield.
    Yield,
    /// 16 tasks that yield while they hold one mutex.
    Mutex,
    /// A million read guards of one lock, ten at once.
    Readers,
    /// The same, ten thousand at once.
    ManyReaders,
    /// 8 tasks that send to one bounded channel.
    Channel,
    /// 64 connections that are echoed to.
    Echo,
    /// A hundred million records of `tracing` that the service's own log leaves out.
    Disabled,
    /// The same of the crate `log`.
    DisabledLog,
    /// The same as [`Work::Spawn`] while holdup is attached.
    SpawnHoldup,
    /// While tokio-console is.
    SpawnConsole,
    /// While a client is attached that reads nothing.
    SpawnUnread,
    /// The same as [`Work::Yield`] while holdup is attached.
    YieldHoldup,
    /// While tokio-console is.
    YieldConsole,
    /// Tasks that wait for ever.
    Idle,
    /// Ten thousand tasks, of which one in a hundred does something each second: what the agent's threads take.
    Changing,
    /// Short tasks at a known rate, while a client is attached.
    Flood,
    /// Many idle tasks, and a client that comes then.
    FirstState,
    /// The same for tokio-console.
    FirstStateConsole,
    /// Short tasks flat out: memory.
    Churn,
    /// The same while a client is attached.
    ChurnWatched,
    /// Stalls, and when a client hears of them.
    Stall,
    /// The same, until it has the stack.
    StallStack,
}

impl Work {
    /// How it is called in the table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Spawn => "spawn 1 M empty tasks",
            Self::Yield => "yield (64 tasks × 200,000)",
            Self::Mutex => "contended Mutex, yield while held (16×50,000)",
            Self::Readers => "RwLock::read, 1 M, 10 at once",
            Self::ManyReaders => "RwLock::read, 1 M, 10,000 at once",
            Self::Channel => "mpsc, capacity 64, 8 producers, 1 M",
            Self::Echo => "TCP echo, 64 connections",
            Self::Disabled => "trace! and debug! below the log's level, 100 M",
            Self::DisabledLog => "log::debug! below the log's level, 100 M",
            Self::SpawnHoldup => "spawn 1 M, holdup attached",
            Self::SpawnConsole => "spawn 1 M, tokio-console attached",
            Self::SpawnUnread => "spawn 1 M, a client that reads nothing",
            Self::YieldHoldup => "yield, holdup attached",
            Self::YieldConsole => "yield, tokio-console attached",
            Self::Idle => "memory for each live idle task",
            Self::Changing => "10,000 tasks, 1 % a second: agent's CPU, RSS",
            Self::Flood => "lost at 100,000 spawns/s; age of the oldest",
            Self::FirstState => "100,000 idle tasks: first state complete",
            Self::FirstStateConsole => "the same, by the console's service",
            Self::Churn => "RSS after 60 s of spawning flat out",
            Self::ChurnWatched => "RSS, the same with a client attached",
            Self::Stall => "stall, threshold to client: median / worst",
            Self::StallStack => "stall, threshold to stack: median / worst",
        }
    }

    /// What it may be in full detail, in lean, with a past, and asked for metrics.
    pub(crate) fn at_most(self) -> [&'static str; 4] {
        match self {
            Self::Spawn => ["1.6", "1.4", "", ""],
            Self::Yield => ["2.2", "1.8", "", ""],
            Self::Readers
            | Self::ManyReaders
            | Self::Disabled
            | Self::DisabledLog
            | Self::SpawnHoldup
            | Self::SpawnConsole
            | Self::SpawnUnread
            | Self::YieldHoldup
            | Self::YieldConsole => ["", "", "", ""],
            Self::Mutex => ["3.5", "2.2", "", ""],
            Self::Channel => ["3.5", "1.8", "", ""],
            Self::Echo => ["1.02", "1.01", "1.02", "1.02"],
            Self::Idle => ["+1 KB", "+600 B", "", ""],
            Self::Changing => ["", "", "full + 1 %", ""],
            Self::Flood => ["0", "0", "", ""],
            Self::FirstState | Self::FirstStateConsole => ["0.5 s", "0.5 s", "", ""],
            Self::Churn | Self::ChurnWatched => ["150 MiB", "100 MiB", "full + 72 MiB", ""],
            Self::Stall | Self::StallStack => ["250 ms", "250 ms", "", ""],
        }
    }

    /// Its word on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether it is measured from outside of the service, once.
    pub(crate) fn is_watched(self) -> bool {
        use Work::{Changing, Churn, ChurnWatched, FirstState, FirstStateConsole, Flood, Stall, StallStack};
        matches!(self, Changing | Flood | FirstState | FirstStateConsole | Churn | ChurnWatched | Stall | StallStack)
    }

    /// Whether it is timed while somebody is attached, where there is somebody to attach to.
    pub(crate) fn is_attended(self) -> bool {
        use Work::{SpawnConsole, SpawnHoldup, SpawnUnread, YieldConsole, YieldHoldup};
        matches!(self, SpawnHoldup | SpawnConsole | SpawnUnread | YieldHoldup | YieldConsole)
    }

    /// Who is attached.
    pub(crate) fn reader(self, mode: Mode) -> Reader {
        match self {
            Self::SpawnConsole | Self::YieldConsole | Self::FirstStateConsole => Reader::Console,
            _ => mode.holdup_reads(),
        }
    }

    /// Whether there is anything to measure in a mode.
    pub(crate) fn is_for(self, mode: Mode) -> bool {
        match self {
            Self::Echo => true,
            Self::Spawn | Self::Yield | Self::Mutex | Self::Readers | Self::ManyReaders | Self::Channel
                if mode == Mode::Deaf =>
            {
                true
            }
            _ if mode == Mode::Deaf => false,
            // Their memory is compared with that of a service without a past, or whom nobody asks for metrics.
            Self::Changing | Self::Churn => mode != Mode::Bare,
            // Nobody attaches for a past or for metrics: all others are what they are without.
            _ if matches!(mode, Mode::Past | Mode::Scraped) => false,
            Self::Flood | Self::FirstState | Self::FirstStateConsole | Self::ChurnWatched => {
                !matches!(mode, Mode::Bare | Mode::Plain)
            }
            Self::Stall | Self::StallStack => mode.is_agent(),
            _ => true,
        }
    }

    /// Whether it is memory that is measured, in bytes for each task, and not seconds.
    pub(crate) fn is_memory(self) -> bool {
        self == Self::Idle
    }

    /// What is done, by the name that it has in [`done`].
    pub(crate) fn done(self) -> &'static str {
        match self {
            Self::Spawn | Self::SpawnHoldup | Self::SpawnConsole | Self::SpawnUnread => "spawn",
            Self::Yield | Self::YieldHoldup | Self::YieldConsole => "yield",
            Self::Mutex => "mutex",
            Self::Readers => "readers",
            Self::ManyReaders => "many-readers",
            Self::Channel => "channel",
            Self::Echo => "echo",
            Self::Disabled => "disabled",
            Self::DisabledLog => "disabled-log",
            Self::Idle => "idle",
            Self::Changing
            | Self::Flood
            | Self::FirstState
            | Self::FirstStateConsole
            | Self::Churn
            | Self::ChurnWatched
            | Self::Stall
            | Self::StallStack => "",
        }
    }

    /// What the service has of its own meanwhile.
    pub(crate) fn host(self) -> Host {
        Host::of(self.done())
    }

    /// Does it, and returns what it took.
    pub(crate) fn run(self, scale: usize) -> f64 {
        done::by_name(self.done(), scale).unwrap_or_default()
    }
}
