//! What the agent can be told, each setting once: its variable in the environment, its default and how it is read.
//!
//! Only `init()` and `Builder::from_env` read the environment; everything else is handed a [`Settings`].

use std::{env, path::PathBuf, time::Duration};

use crate::{
    Error,
    access::{self, Access, Address, Secret},
};

/// How much is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Detail {
    /// Everything: tasks, wakers, resources, async operations, exact locks, spans, workers and stalls.
    #[default]
    Full,
    /// What production can always afford: polls, busy, scheduled and idle time of each task, workers, stalls, and locks;
    /// no waker operations.
    Lean,
    /// Nothing: no thread, no port, no subscriber but the service's own.
    Off,
}

impl Detail {
    /// The word for it, in settings and on the screen.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Lean => "lean",
            Self::Off => "off",
        }
    }
}

/// Of which threads the stack is captured that are stalled, or of which a client asks who may, on systems where that can be done. Unless it is [`Off`](Self::Off), a thread also copies
/// its own stack now and then, when it acquires a lock that others wait for or that was held across an await.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Stacks {
    /// Of threads that sleep in the kernel, and of threads that run: those are interrupted by a signal for a moment.
    #[default]
    All,
    /// Of threads that sleep in the kernel: no thread is interrupted.
    Asleep,
    /// Of none: a stall still says which task it is, and what the thread does in the kernel; a lock, who holds it and since when.
    Off,
}

/// A signal at which the agent writes everything that it knows as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// `SIGHUP`.
    Hup,
    /// `SIGQUIT`, as of the keyboard's control and backslash.
    Quit,
    /// `SIGUSR1`.
    Usr1,
    /// `SIGUSR2`.
    Usr2,
}

impl Signal {
    const ALL: [Self; 4] = [Self::Hup, Self::Quit, Self::Usr1, Self::Usr2];

    /// The word for it, in settings.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Hup => "hup",
            Self::Quit => "quit",
            Self::Usr1 => "usr1",
            Self::Usr2 => "usr2",
        }
    }
}

/// With less memory than this there is no use in an agent.
pub(crate) const LEAST_MEMORY: usize = 8 << 20;

/// In less than this no past of any service has room.
pub(crate) const LEAST_HISTORY: usize = 1 << 20;

/// More clients than anybody has use for: each is told everything.
pub(crate) const MOST_CLIENTS: usize = 1_000;

/// What is told of the service's own words: the values of its spans' fields, and the messages of its panics. They may say who its users are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Fields {
    /// All of it.
    #[default]
    All,
    /// The names of fields. A value, and a message, stands as left out, unless it is allowed by name.
    Names,
    /// How many fields there are.
    None,
}

impl Fields {
    const ALL: [Self; 3] = [Self::All, Self::Names, Self::None];

    /// The word for it, in settings.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Names => "names",
            Self::None => "none",
        }
    }
}

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Where to listen, and who may look.
    pub(crate) access: Access,
    /// The file that says where it listens then; nothing for none.
    pub(crate) address_file: Option<PathBuf>,
    pub(crate) detail: Detail,
    pub(crate) fields: Fields,
    /// The fields that are told all the same; `panic.message` stands for the messages of panics.
    pub(crate) fields_allowed: Vec<String>,
    /// What the service calls itself; nothing for the file name of the executable.
    pub(crate) name: Option<String>,
    /// How long what has ended is kept for clients that attach later.
    pub(crate) retention: Duration,
    /// How many bytes of what has ended are kept, whatever its age.
    pub(crate) retention_bytes: usize,
    /// How many bytes the agent may take in all.
    pub(crate) memory: usize,
    /// How much of one processor the agent's threads may use together, in thousandths.
    pub(crate) cpu: u32,
    /// How long a poll may take before it is a stall.
    pub(crate) stall_threshold: Duration,
    pub(crate) stacks: Stacks,
    /// How often changes are sent to the clients.
    pub(crate) publish_interval: Duration,
    /// How many clients there may be at once.
    pub(crate) clients: usize,
    /// After how long the agent itself tells of a poll that keeps its worker; nothing for never.
    pub(crate) alarms: Option<Duration>,
    /// How many bytes of the past are kept; nothing for none.
    pub(crate) history: Option<usize>,
    /// The folder to which that is written when something critical lasts; nothing for none.
    pub(crate) history_dir: Option<PathBuf>,
    /// Where Prometheus asks for metrics, an address of TCP; nothing for nowhere.
    pub(crate) metrics: Option<Address>,
    /// At which signal everything that is known is written as text; nothing for none.
    pub(crate) state_signal: Option<Signal>,
    /// To which file; nothing for stderr.
    pub(crate) state_file: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access: Access::default(),
            address_file: None,
            detail: Detail::Full,
            fields: Fields::All,
            fields_allowed: Vec::new(),
            name: None,
            retention: Duration::from_secs(600),
            retention_bytes: 16 << 20,
            memory: 64 << 20,
            cpu: 50,
            stall_threshold: Duration::from_millis(100),
            stacks: Stacks::All,
            // A quarter of the console's second: durations on the screen are as of the last update, and an update costs
            // what has changed, and nothing while nobody watches.
            publish_interval: Duration::from_millis(250),
            clients: 16,
            alarms: None,
            history: None,
            history_dir: None,
            metrics: None,
            state_signal: None,
            state_file: None,
        }
    }
}

/// One environment variable.
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    /// What it is when it is not set, as one would set it. Only the documentation reads it, and a test that compares it
    /// with what [`Settings::default`] has.
    #[cfg_attr(not(test), expect(dead_code, reason = "documentation, which a test keeps true"))]
    pub(crate) default: &'static str,
    /// What it takes, as a phrase with an example.
    expected: &'static str,
    set: fn(&mut Settings, &str) -> Option<()>,
}

const PATH: &str = "the path of a file, such as /var/tmp/orders.txt";

/// Every variable. The documentation of the crate has the same table, and a test compares the two.
pub(crate) const VARIABLES: &[Variable] = &[
    Variable {
        name: "HOLDUP_ADDR",
        default: "127.0.0.1:6669",
        expected: "an IP address and a port, such as 127.0.0.1:6669 (port 0 picks a free one), with ,insecure behind it where everybody who \
                   reaches it may watch; or unix: and a path, such as unix:/run/orders/holdup.sock (an abstract socket has no owner)",
        set: |settings, text| Address::parse(text).map(|address| settings.access.address = address),
    },
    Variable {
        name: "HOLDUP_ADDR_FILE",
        default: "",
        expected: PATH,
        set: |settings, text| {
            settings.address_file = path(text);
            Some(())
        },
    },
    Variable {
        name: "HOLDUP_HOSTS",
        default: "",
        expected: "names, such as orders.internal,10.0.0.5",
        set: |settings, text| {
            settings.access.hosts = access::list(text).map(str::to_owned).collect();
            Some(())
        },
    },
    Variable {
        name: "HOLDUP_TOKEN_FILE",
        default: "",
        expected: PATH,
        set: |settings, text| {
            settings.access.token_file = path(text);
            Some(())
        },
    },
    Variable {
        name: "HOLDUP_TOKEN",
        default: "",
        // What it has is not looked at here, where it would be shown if it was wrong.
        expected: "a token",
        set: |settings, text| {
            settings.access.token = (!text.is_empty()).then(|| Secret::new(text.to_owned()));
            Some(())
        },
    },
    Variable {
        name: "HOLDUP_TLS_CERT",
        default: "",
        expected: PATH,
        set: |settings, text| {
            settings.access.certificate = path(text);
            Some(())
        },
    },
    Variable {
        name: "HOLDUP_TLS_KEY",
        default: "",
        expected: PATH,
        set: |settings, text| {
            settings.access.key = path(text);
            Some(())
        },
    },
    Variable {
        name: "HOLDUP_TLS_CLIENT_CA",
        default: "",
        expected: PATH,
        set: |settings, text| {
            settings.access.client_ca = path(text);
            Some(())
        },
    },
    Variable {
        name: "HOLDUP_TLS_REVOKED",
        default: "",
        expected: PATH,
        set: |settings, text| {
            settings.access.revoked = path(text);
            Some(())
        },
    },
    Variable {
        name: "HOLDUP_TLS_CLIENT_NAMES",
        default: "",
        expected: "names with what each may do, such as ops.example=watch+pause,ci.example",
        set: |settings, text| access::client_names(text).map(|names| settings.access.client_names = names),
    },
    Variable {
        name: "HOLDUP_DETAIL",
        default: "full",
        expected: "one of full, lean and off",
        set: |settings, text| {
            let known = [Detail::Full, Detail::Lean, Detail::Off];
            known.into_iter().find(|detail| detail.word() == text).map(|detail| settings.detail = detail)
        },
    },
    Variable {
        name: "HOLDUP_FIELDS",
        default: "all",
        expected: "one of all, names and none",
        set: |settings, text| {
            Fields::ALL.into_iter().find(|fields| fields.word() == text).map(|fields| settings.fields = fields)
        },
    },
    Variable {
        name: "HOLDUP_FIELDS_ALLOW",
        default: "",
        expected: "names of fields, such as route,panic.message",
        set: |settings, text| {
            settings.fields_allowed = access::list(text).map(str::to_owned).collect();
            Some(())
        },
    },
    Variable {
        name: "HOLDUP_NAME",
        default: "",
        expected: "a name for this service, such as orders",
        set: |settings, text| {
            settings.name = (!text.is_empty()).then(|| text.to_owned());
            Some(())
        },
    },
    Variable {
        name: "HOLDUP_RETENTION",
        default: "10min",
        expected: "a duration, such as 90s, 10min or 1h",
        set: |settings, text| duration(text).map(|retention| settings.retention = retention),
    },
    Variable {
        name: "HOLDUP_RETENTION_BYTES",
        default: "16MiB",
        expected: "a number of bytes, such as 65536, 512KiB or 16MiB",
        set: |settings, text| bytes(text).map(|bytes| settings.retention_bytes = bytes),
    },
    Variable {
        name: "HOLDUP_MEMORY",
        default: "64MiB",
        expected: "a number of bytes from 8MiB on, such as 64MiB",
        set: |settings, text| bytes(text).filter(|bytes| *bytes >= LEAST_MEMORY).map(|bytes| settings.memory = bytes),
    },
    Variable {
        name: "HOLDUP_CPU",
        default: "5%",
        expected: "a share of one processor from 0.1% to 100%, such as 5%",
        set: |settings, text| percent(text).map(|share| settings.cpu = share),
    },
    Variable {
        name: "HOLDUP_STALL_THRESHOLD",
        default: "100ms",
        expected: "a duration of 1ms or more, such as 100ms",
        set: |settings, text| interval(text).map(|threshold| settings.stall_threshold = threshold),
    },
    Variable {
        name: "HOLDUP_STACKS",
        default: "all",
        expected: "one of all, asleep and off",
        set: |settings, text| {
            settings.stacks = match text {
                "all" => Stacks::All,
                "asleep" => Stacks::Asleep,
                "off" => Stacks::Off,
                _ => return None,
            };
            Some(())
        },
    },
    Variable {
        name: "HOLDUP_PUBLISH_INTERVAL",
        default: "250ms",
        expected: "a duration of 1ms or more, such as 250ms",
        set: |settings, text| interval(text).map(|interval| settings.publish_interval = interval),
    },
    Variable {
        name: "HOLDUP_CLIENTS",
        default: "16",
        expected: "a number from 1 to 1000, such as 16",
        set: |settings, text| {
            let clients = text.parse().ok().filter(|clients| (1..=MOST_CLIENTS).contains(clients));
            clients.map(|clients| settings.clients = clients)
        },
    },
    Variable {
        name: "HOLDUP_ALARMS",
        default: "off",
        expected: "off, or a duration of 1ms or more, such as 5s",
        set: |settings, text| {
            settings.alarms = if text == "off" { None } else { Some(interval(text)?) };
            Some(())
        },
    },
    Variable {
        name: "HOLDUP_HISTORY",
        default: "off",
        expected: "off, or a number of bytes from 1MiB on, such as 64MiB",
        set: |settings, text| {
            let enough = |text| bytes(text).filter(|bytes| *bytes >= LEAST_HISTORY);
            settings.history = if text == "off" { None } else { Some(enough(text)?) };
            Some(())
        },
    },
    Variable {
        name: "HOLDUP_HISTORY_DIR",
        default: "",
        expected: "the path of a folder, such as /var/lib/orders/past",
        set: |settings, text| {
            settings.history_dir = path(text);
            Some(())
        },
    },
    Variable {
        name: "HOLDUP_METRICS",
        default: "off",
        expected: "off, or an IP address and a port, such as 127.0.0.1:9669, with ,insecure behind it where everybody who reaches it may read",
        set: |settings, text| {
            let of_tcp = |text| Address::parse(text).filter(|address| matches!(address, Address::Tcp(..)));
            settings.metrics = if text == "off" { None } else { Some(of_tcp(text)?) };
            Some(())
        },
    },
    Variable {
        name: "HOLDUP_STATE_SIGNAL",
        default: "off",
        expected: "one of hup, quit, usr1, usr2 and off",
        set: |settings, text| {
            let known = || Signal::ALL.into_iter().find(|signal| signal.word() == text);
            settings.state_signal = if text == "off" { None } else { Some(known()?) };
            Some(())
        },
    },
    Variable {
        name: "HOLDUP_STATE_FILE",
        default: "",
        expected: PATH,
        set: |settings, text| {
            settings.state_file = path(text);
            Some(())
        },
    },
];

/// Whether a variable says who may look, or at what: where such a one is not understood, nobody may.
pub(crate) fn guards(variable: &str) -> bool {
    const GUARDS: [&str; 6] =
        ["HOLDUP_ADDR", "HOLDUP_HOSTS", "HOLDUP_TOKEN", "HOLDUP_TLS", "HOLDUP_FIELDS", "HOLDUP_DETAIL"];
    GUARDS.iter().any(|guard| variable.starts_with(guard))
}

impl Settings {
    /// Replaces what the environment has a variable for. What has a value that it cannot have stays as it is, and is told.
    pub(crate) fn read_environment(&mut self) -> Vec<Error> {
        // What is not Unicode is no value of any setting; with the replacement it can be shown.
        let set = |variable: &Variable| self.set(variable, &env::var_os(variable.name)?.to_string_lossy()).err();
        VARIABLES.iter().filter_map(set).collect()
    }

    fn set(&mut self, variable: &Variable, value: &str) -> Result<(), Error> {
        let Variable { name, expected, .. } = *variable;
        (variable.set)(self, value.trim()).ok_or_else(|| Error::Variable { name, value: value.to_owned(), expected })
    }
}

/// A path; nothing is none.
fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| text.into())
}

fn duration(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok()
}

/// A duration that something can be repeated after.
fn interval(text: &str) -> Option<Duration> {
    duration(text).filter(|interval| *interval >= Duration::from_millis(1))
}

/// A share as people write it, in thousandths.
fn percent(text: &str) -> Option<u32> {
    let percent: f64 = text.strip_suffix('%')?.trim().parse().ok()?;
    (0.1..=100.0).contains(&percent).then_some((percent * 10.0).round() as u32)
}

fn bytes(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit = match text[digits.len()..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    digits.parse::<usize>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests;
