//! The rules of the house. Each takes one file and says what is wrong with it, in words; none is nothing.

use crate::source::Source;

/// The client's rooms, and for each the rooms whose names it may know. Data goes from the source to the terminal: whoever
/// comes later knows those before, and never the other way round.
const ROOMS: &[(&str, &[&str])] = &[
    ("packed", &[]),
    ("update", &["packed"]),
    ("model", &["packed", "update"]),
    ("diagnose", &["packed", "update", "model"]),
    ("session", &["update", "model", "diagnose"]),
    ("record", &["packed", "update", "model", "diagnose", "session"]),
    ("compare", &["update", "model", "diagnose", "session"]),
    ("source", &["update"]),
    ("fleet", &["update", "model", "diagnose", "session", "source"]),
    ("app", &["update", "model", "diagnose", "session", "record", "fleet"]),
    ("view", &["update", "model", "diagnose", "session", "record", "fleet", "app"]),
    ("report", &["update", "model", "diagnose", "session", "app", "view", "source", "compare"]),
    ("terminal", &["update", "model", "diagnose", "session", "record", "source", "fleet", "app", "view"]),
    ("export", &["update", "model", "diagnose", "session", "record", "source"]),
    ("mcp", &["diagnose"]),
    ("cli", &OF_CLI),
];

const OF_CLI: [&str; 13] = [
    "update", "model", "diagnose", "session", "record", "compare", "source", "app", "view", "terminal", "report",
    "export", "mcp",
];

/// The same of the agent, from what its threads write to what a service calls.
const ROOMS_OF_AGENT: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("access", &["error"]),
    ("audit", &[]),
    ("missing", &[]),
    ("settings", &["error", "access"]),
    ("clock", &[]),
    ("process", &[]),
    ("standstills", &["clock"]),
    ("capture", &["clock"]),
    ("view", &["clock", "capture"]),
    ("slots", &["view"]),
    ("collect", &["clock", "capture", "view", "slots"]),
    ("read", &["clock", "capture", "view", "slots", "collect"]),
    ("panics", &["clock", "view", "collect", "read"]),
    ("forked", &["collect"]),
    ("runtimes", &["clock", "standstills", "collect"]),
    ("stalls", &["missing", "clock", "standstills", "capture", "collect"]),
    ("text", &["clock", "process", "settings", "capture", "view", "collect", "read", "runtimes", "stalls"]),
    ("alarms", &["clock", "standstills", "capture", "view", "read", "runtimes", "stalls", "text"]),
    (
        "metrics",
        &["clock", "process", "settings", "standstills", "view", "collect", "read", "panics", "runtimes", "stalls"],
    ),
    ("on_signal", &["settings", "collect", "stalls", "text"]),
    ("serve", &SERVED),
    ("agent", &SERVED_AND_SERVER),
    ("builder", &["error", "access", "missing", "settings", "runtimes", "alarms", "agent"]),
];

const SERVED: [&str; 18] = [
    "error",
    "access",
    "audit",
    "missing",
    "settings",
    "clock",
    "process",
    "standstills",
    "capture",
    "view",
    "slots",
    "collect",
    "read",
    "panics",
    "forked",
    "runtimes",
    "stalls",
    "metrics",
];

const SERVED_AND_SERVER: [&str; 18] = [
    "error",
    "access",
    "audit",
    "missing",
    "settings",
    "clock",
    "process",
    "capture",
    "collect",
    "read",
    "panics",
    "forked",
    "runtimes",
    "stalls",
    "text",
    "alarms",
    "on_signal",
    "serve",
];

fn is_in(source: &Source, rooms: &[&str]) -> bool {
    source.room().is_some_and(|room| rooms.contains(&room))
}

fn said(source: &Source, what: impl std::fmt::Display) -> String {
    format!("{}: {what}", source.path)
}

/// Names of crates that only the files below these folders may know.
fn crates(source: &Source, crates: &[&str], folders: &[&str]) -> Vec<String> {
    if folders.iter().any(|folder| source.path.starts_with(folder)) {
        return Vec::new();
    }
    let named = source.paths().into_iter().filter(|path| crates.contains(&path[0].as_str()));
    named.map(|path| said(source, format!("names {}; only {} may", path.join("::"), folders.join(" and ")))).collect()
}

/// The wire formats, and what makes the wire secure, are named where they are read and written alone.
pub(crate) fn wire_formats(source: &Source) -> Vec<String> {
    let formats = [
        "tonic",
        "tonic_prost",
        "prost",
        "prost_types",
        "console_api",
        "holdup_proto",
        "tokio_rustls",
        "rustls_native_certs",
        "opentelemetry_proto",
    ];
    // A target's wire comes in through the one, and OTLP goes out through the other.
    crates(source, &formats, &["src/source/codec/", "src/source/wire/", "src/export/otlp/"])
}

/// What reads a process is named where looks become updates alone.
pub(crate) fn memory_reader(source: &Source) -> Vec<String> {
    crates(source, &["holdup_memory"], &["src/source/memory/"])
}

/// What takes messages apart does no I/O, knows no clock and no runtime, and is not told how messages come.
pub(crate) fn codec(source: &Source) -> Vec<String> {
    if !source.path.starts_with("src/source/codec/") {
        return Vec::new();
    }
    let crates = ["tokio", "tonic", "tower", "hyper_util", "futures"];
    let rooms = ["wire", "attachment", "target"];
    let is_outside = |path: &Vec<String>| {
        let at = |index: usize| path.get(index).map_or("", String::as_str);
        crates.contains(&at(0)) || is_io(path) || at(0) == "crate" && at(1) == "source" && rooms.contains(&at(2))
    };
    source
        .paths()
        .into_iter()
        .filter(is_outside)
        .map(|path| said(source, format!("names {}", path.join("::"))))
        .collect()
}

/// A path of the standard library that leads out of the process or to its clock.
fn is_io(path: &[String]) -> bool {
    let at = |index: usize| path.get(index).map_or("", String::as_str);
    let is_clock = at(1) == "time" && ["Instant", "SystemTime"].contains(&at(2));
    at(0) == "std" && (is_clock || ["fs", "io", "net", "env", "process", "thread"].contains(&at(1)))
}

/// Of the agent, `serve` alone names the wire formats, and what makes the wire secure.
pub(crate) fn agent_formats(source: &Source) -> Vec<String> {
    if !source.path.starts_with("agent/src/") || source.path.starts_with("agent/src/serve/") {
        return Vec::new();
    }
    let formats = ["tonic", "prost", "prost_types", "console_api", "holdup_proto", "tokio_rustls"];
    let named = source.paths().into_iter().filter(|path| formats.contains(&path[0].as_str()));
    named.map(|path| said(source, format!("names {}; only agent/src/serve may", path.join("::")))).collect()
}

/// The screen is named in `view` and `terminal` alone.
pub(crate) fn screen(source: &Source) -> Vec<String> {
    crates(source, &["ratatui", "ratatui_core"], &["src/view/", "src/terminal/"])
}

/// The wall clock may be set at any time: what is compared with anything is the target's time, or passed on a monotonic clock. The date is
/// read where memory begins to be read that has none, for the name of a log, and to say when something was recorded.
pub(crate) fn wall_clock(source: &Source) -> Vec<String> {
    const MAY: [&str; 3] = ["src/source/memory/clock.rs", "src/cli/log.rs", "src/record/clock.rs"];
    let is_one = |path: &Vec<String>| {
        let has = |name: &str| path.iter().any(|part| part == name);
        has("SystemTime") || has("UnixTime") || has("Timestamp") && has("now") || has("Zoned") && has("now")
    };
    let paths = source.paths().into_iter().filter(|path| !MAY.contains(&source.path.as_str()) && is_one(path));
    paths.map(|path| said(source, format!("names {}: the wall clock may be set", path.join("::")))).collect()
}

/// What is pure does no I/O. That it knows no runtime is its manifest's to say, and that it reads no clock clippy's.
pub(crate) fn purity(source: &Source) -> Vec<String> {
    if !source.path.starts_with("core/") {
        return Vec::new();
    }
    let impure = source.paths().into_iter().filter(|path| is_io(path));
    impure.map(|path| said(source, format!("names {}", path.join("::")))).collect()
}

/// Nothing that a peer sends may end the program: no panic is written down where its data is handled. In `core` the lints that
/// its `lib.rs` denies see to all but assertions.
pub(crate) fn no_panics(source: &Source) -> Vec<String> {
    let in_core = source.path.starts_with("core/");
    if !in_core && !is_in(source, &["source"]) {
        return Vec::new();
    }
    let tokens = source.tokens();
    let at = |index: usize| tokens.get(index).map_or("", String::as_str);
    let mut wrong = Vec::new();
    for index in 0..tokens.len() {
        let method = at(index) == "." && ["unwrap", "expect", "unwrap_err", "expect_err"].contains(&at(index + 1));
        if method && at(index + 2) == "(" {
            wrong.push(said(source, format!("calls {}", at(index + 1))));
        }
        let panics = ["panic", "unreachable", "todo", "unimplemented", "assert", "assert_eq", "assert_ne"];
        if panics.contains(&at(index)) && at(index + 1) == "!" && at(index + 2) != "=" {
            wrong.push(said(source, format!("calls {}!", at(index))));
        }
    }
    wrong
}

/// A room knows those that stand before it, and nothing of those that stand after it.
pub(crate) fn order(source: &Source) -> Vec<String> {
    let (rooms, room) = match (source.room(), source.agents_room()) {
        (Some(room), _) => (ROOMS, room),
        (None, Some(room)) => (ROOMS_OF_AGENT, room),
        (None, None) => return Vec::new(),
    };
    let Some((_, known)) = rooms.iter().find(|(name, _)| *name == room) else {
        return vec![said(source, format!("{room} is no room of the house"))];
    };
    let mut wrong = Vec::new();
    for path in source.paths() {
        let climbs = path.iter().take_while(|part| *part == "super").count();
        let named = match path[0].as_str() {
            "crate" | "holdup" => path.get(1),
            "super" if climbs >= source.depth() => path.get(climbs),
            _ => continue,
        };
        let Some(named) = named.filter(|named| rooms.iter().any(|(name, _)| name == named)) else { continue };
        if named != room && !known.contains(&named.as_str()) {
            wrong.push(said(source, format!("{room} names {}", path.join("::"))));
        }
    }
    wrong
}

/// Functions of glibc that came after 2.17.
const NEWER: &str = include_str!("newer_than_glibc_2_17.txt");

/// What a service links in starts where Rust itself does, on glibc 2.17: a newer function keeps the whole service from starting there.
pub(crate) fn old_systems(source: &Source) -> Vec<String> {
    if !["agent/", "stack/", "proto/"].iter().any(|linked| source.path.starts_with(linked)) {
        return Vec::new();
    }
    let is_newer = |path: &Vec<String>| {
        path[0] == "libc" && NEWER.lines().any(|name| path.last().is_some_and(|last| last == name))
    };
    let newer = source.paths().into_iter().filter(is_newer);
    newer.map(|path| said(source, format!("names {}, which glibc has not had for long", path.join("::")))).collect()
}

/// The agent asks the wall clock where time begins, when the process began, and for what a person reads: nothing that it tells of goes by a
/// clock that somebody sets.
pub(crate) fn wall_clock_of_agent(source: &Source) -> Vec<String> {
    const MAY: [&str; 3] = ["agent/src/clock.rs", "agent/src/process.rs", "agent/src/text/mod.rs"];
    if !source.path.starts_with("agent/src/") || MAY.contains(&&*source.path) {
        return Vec::new();
    }
    let asks = |path: &Vec<String>| path.iter().rev().take(2).eq(["now", "SystemTime"]);
    source.paths().into_iter().filter(asks).map(|path| said(source, format!("calls {}", path.join("::")))).collect()
}

/// The files in which memory, stacks and what the system shares by pointers are the matter; with why, each says itself.
pub(crate) const UNSAFE: [&str; 16] = [
    "agent/src/capture/running.rs",
    "agent/src/capture/sleeping.rs",
    "agent/src/capture/stress.rs",
    "agent/src/clock.rs",
    "agent/src/collect/subscriber.rs",
    "agent/src/collect/threads.rs",
    "agent/src/forked.rs",
    "agent/src/slots/barrier.rs",
    "agent/src/standstills.rs",
    "demo-server/src/scenarios/vfork.rs",
    "memory/src/bytes/image.rs",
    "memory/src/bytes/mapped.rs",
    "stack/src/debug_file.rs",
    "stack/src/mapped.rs",
    "stack/src/memory.rs",
    "stack/src/modules.rs",
];

/// Unsafe code stands in few files. The whole text counts, tests too.
pub(crate) fn few_are_unsafe(source: &Source) -> Vec<String> {
    let excused = source.text.contains("unsafe_code") && !source.text.contains("forbid(unsafe_code)");
    if excused && !UNSAFE.contains(&&*source.path) && !source.is_test() {
        vec![said(source, "uses unsafe code")]
    } else {
        Vec::new()
    }
}

/// A file does one thing.
pub(crate) fn size(source: &Source) -> Vec<String> {
    const MOST: usize = 600;
    let lines = source.lines();
    let counts = !source.is_test() && !source.is_generated() && lines > MOST;
    if counts { vec![said(source, format!("{lines} lines, over {MOST}"))] } else { Vec::new() }
}

/// Names that say nothing, work that is not done, and paths of somebody's machine.
pub(crate) fn words(source: &Source) -> Vec<String> {
    const MARKS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];
    const NAMES: [&str; 5] = ["helper", "helpers", "utils", "manager", "misc"];
    const HOMES: [&str; 3] = ["/home/", "/Users/", "/root/"];
    let mut wrong = Vec::new();
    for (index, line) in source.text.lines().take(source.lines()).enumerate() {
        let parts = || line.split(|letter: char| !letter.is_alphanumeric());
        let named = parts().find(|word| MARKS.contains(word) || NAMES.contains(&word.to_ascii_lowercase().as_str()));
        let camel = NAMES
            .iter()
            .map(|name| name[..1].to_ascii_uppercase() + &name[1..])
            .find(|name| parts().any(|word| word.len() > name.len() && word.ends_with(name.as_str())));
        let home = HOMES.iter().find(|home| line.contains(*home)).map(|home| (*home).to_owned());
        for word in named.map(str::to_owned).into_iter().chain(camel).chain(home) {
            wrong.push(format!("{}:{}: {word:?}", source.path, index + 1));
        }
    }
    wrong
}

/// The demo server is named only behind the feature that brings it.
pub(crate) fn demo(source: &Source) -> Vec<String> {
    let tokens = source.tokens();
    let names = source.paths().iter().any(|path| path[0] == "demo_server");
    let gated = tokens.windows(7).any(|seven| {
        let words: Vec<&str> = seven.iter().map(String::as_str).collect();
        words[..5] == ["cfg", "(", "feature", "=", "\"demo\""] || words[..4] == ["cfg_attr", "(", "feature", "="]
    });
    // A file of its own may be gated where it is declared.
    let is_own = source.path.starts_with("src/cli/demo/");
    if names && !gated && !is_own {
        vec![said(source, "names demo_server without the feature `demo`")]
    } else {
        Vec::new()
    }
}
