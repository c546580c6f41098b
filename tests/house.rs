//! The invariants of the house as tests. Each rule is also shown something that it must catch, so that none can pass for
//! having looked at nothing.

#[path = "house/book.rs"]
mod book;
#[path = "house/commands.rs"]
mod commands;
#[path = "house/dependencies.rs"]
mod dependencies;
#[path = "house/lexer.rs"]
mod lexer;
#[path = "house/made.rs"]
mod made;
#[path = "house/pages.rs"]
mod pages;
#[path = "house/rules.rs"]
mod rules;
#[path = "house/source.rs"]
mod source;

use source::{Source, files, root};
use std::fs;

/// Every file of the client, its agent and its demo server.
fn tree() -> Vec<Source> {
    let sources = files(
        &["core/src", "src", "agent/src", "metrics/src", "stack/src", "demo-server/src", "proto/src", "xtask/src"],
        ".rs",
    );
    assert!(sources.len() > 80, "the tree was not found");
    sources
}

/// The same with the crate that reads memory, which has rooms of its own.
fn tree_and_memory() -> Vec<Source> {
    let mut sources = tree();
    let memory = files(&["memory/src"], ".rs");
    assert!(memory.len() > 80, "the crate that reads memory was not found");
    sources.extend(memory);
    sources
}

fn holds(rule: fn(&Source) -> Vec<String>) {
    let wrong: Vec<String> = tree_and_memory().iter().filter(|source| !source.is_test()).flat_map(rule).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What a rule says of a file that was made up.
fn of(rule: fn(&Source) -> Vec<String>, path: &str, text: &str) -> Vec<String> {
    rule(&Source { path: path.into(), text: text.into() })
}

fn catches(rule: fn(&Source) -> Vec<String>, path: &str, text: &str) {
    assert!(!of(rule, path, text).is_empty(), "not caught in {path}: {text}");
}

fn allows(rule: fn(&Source) -> Vec<String>, path: &str, text: &str) {
    assert_eq!(of(rule, path, text), Vec::<String>::new(), "in {path}: {text}");
}

fn client(rule: fn(&Source) -> Vec<String>) {
    let wrong: Vec<String> = tree().iter().filter(|source| source.room().is_some()).flat_map(rule).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn only_the_wire_knows_its_formats() {
    client(rules::wire_formats);
    catches(rules::wire_formats, "core/src/model/x.rs", "use {std::fmt, tonic::{Status, transport}};");
    catches(rules::wire_formats, "src/app/x.rs", "fn f(at: prost_types::Timestamp) {}");
    catches(rules::wire_formats, "src/source/attachment.rs", "use tonic::Status;");
    catches(rules::wire_formats, "src/main.rs", "use console_api as api;");
    catches(rules::wire_formats, "src/cli/x.rs", "use tokio_rustls::rustls;");
    allows(rules::wire_formats, "src/source/wire/x.rs", "use tonic::Status;");
    allows(rules::wire_formats, "src/source/codec/console/x.rs", "use console_api as api;");
    allows(rules::wire_formats, "src/app/x.rs", "//! tonic\n#[cfg(test)]\nmod tests { use tonic::Status; }");
}

#[test]
fn only_the_source_of_memory_knows_its_reader() {
    client(rules::memory_reader);
    catches(rules::memory_reader, "core/src/model/x.rs", "use holdup_memory::Look;");
    allows(rules::memory_reader, "src/source/memory/convert/x.rs", "use holdup_memory as memory;");
}

#[test]
fn of_the_agent_only_the_server_knows_the_wire_formats() {
    holds(rules::agent_formats);
    catches(rules::agent_formats, "agent/src/read/view.rs", "use holdup_proto::v1;");
    catches(rules::agent_formats, "agent/src/access/x.rs", "use tokio_rustls::rustls;");
    allows(rules::agent_formats, "agent/src/serve/hub.rs", "use tonic::Status;");
    allows(rules::agent_formats, "src/source/wire/x.rs", "use tonic::Status;");
}

#[test]
fn only_the_view_and_the_terminal_know_the_screen() {
    client(rules::screen);
    catches(rules::screen, "src/app/x.rs", "use ratatui::style::Color;");
    catches(rules::screen, "src/cli/x.rs", "fn f() { ratatui::init(); }");
    allows(rules::screen, "src/view/x.rs", "use ratatui::Frame;");
    allows(rules::screen, "src/terminal/a/b.rs", "use ratatui::Terminal;");
}

#[test]
fn what_is_compared_is_of_no_clock_that_can_be_set() {
    client(rules::wall_clock);
    catches(rules::wall_clock, "src/app/x.rs", "use std::time::{Duration, SystemTime};");
    catches(rules::wall_clock, "src/view/x.rs", "fn f() { jiff::Timestamp::now(); }");
    catches(rules::wall_clock, "src/report/x.rs", "fn f() { jiff::Zoned::now(); }");
    allows(
        rules::wall_clock,
        "src/view/x.rs",
        "fn f() { jiff::Timestamp::from_second(1); std::time::Instant::now(); }",
    );
    allows(rules::wall_clock, "src/source/memory/clock.rs", "use std::time::SystemTime;");
}

#[test]
fn the_codec_does_no_io() {
    client(rules::codec);
    catches(rules::codec, "src/source/codec/x.rs", "use tokio::sync::mpsc;");
    catches(rules::codec, "src/source/codec/x.rs", "use {std::time::Instant, prost::Message};");
    catches(rules::codec, "src/source/codec/holdup/x.rs", "fn f(status: tonic::Status) {}");
    catches(rules::codec, "src/source/codec/x.rs", "fn f() { crate::source::wire::options() }");
    allows(rules::codec, "src/source/codec/x.rs", "use {prost::Message, std::time::Duration};");
    allows(rules::codec, "src/source/wire/x.rs", "use tokio::net::TcpStream;");
}

#[test]
fn the_model_and_the_diagnosis_are_pure() {
    client(rules::purity);
    catches(rules::purity, "core/src/model/x.rs", "use std::{fmt, fs::File};");
    catches(rules::purity, "core/src/diagnose/x.rs", "fn f() { std::thread::yield_now(); }");
    allows(rules::purity, "core/src/model/x.rs", "use std::time::Duration; // std::fs");
    allows(rules::purity, "src/source/wire/x.rs", "use std::fs;");

    let manifest: toml::Table = fs::read_to_string(root().join("core/Cargo.toml")).unwrap().parse().unwrap();
    let names: Vec<&str> = manifest["dependencies"].as_table().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["hashbrown", "humantime", "rustc-hash", "serde", "thiserror"],
        "what core needs reads no clock and does no I/O"
    );
}

#[test]
fn nothing_that_a_peer_sends_meets_a_panic() {
    client(rules::no_panics);
    catches(rules::no_panics, "src/source/wire/x.rs", "fn f(x: Option<u8>) -> u8 { x.unwrap() }");
    catches(rules::no_panics, "src/source/wire/x.rs", "fn f(x: Option<u8>) -> u8 { x\n.expect(\"a\") }");
    catches(rules::no_panics, "src/source/wire/x.rs", "fn f() { unreachable!(\"a\") }");
    catches(rules::no_panics, "core/src/diagnose/x.rs", "fn f() { assert!(true) }");
    allows(rules::no_panics, "src/source/wire/x.rs", "fn f(x: Option<u8>) -> u8 { x.unwrap_or_default() }");
    allows(rules::no_panics, "src/source/wire/x.rs", "#[cfg(test)]\nmod tests { fn f() { g().unwrap() } }");
    allows(rules::no_panics, "src/source/wire/x.rs", "/// Never `.unwrap()`.\nfn f() { \".unwrap()\"; }");
}

#[test]
fn no_room_names_one_that_comes_after_it() {
    holds(rules::order);
    catches(rules::order, "core/src/model/x.rs", "use crate::{diagnose::Lint};");
    catches(rules::order, "core/src/update/x.rs", "use crate::model::Model;");
    catches(rules::order, "src/source/x.rs", "use crate::model::Stamp;");
    catches(rules::order, "core/src/diagnose/lints/x.rs", "use crate::{diagnose::Lint, source};");
    catches(rules::order, "src/source/wire/x.rs", "fn f(_: crate::app::App) {}");
    catches(rules::order, "src/view/x.rs", "use crate::cli::Config;");
    catches(rules::order, "core/src/model/mod.rs", "use super::source::Event;");
    catches(rules::order, "core/src/model/a.rs", "use super::super::source::Event;");
    catches(rules::order, "src/attic/x.rs", "");
    catches(rules::order, "agent/src/collect/x.rs", "use crate::read::task;");
    catches(rules::order, "agent/src/slots/x.rs", "use super::super::collect::op;");
    catches(rules::order, "agent/src/stalls/x.rs", "use crate::{clock::Nanos, runtimes};");
    catches(rules::order, "agent/src/attic.rs", "");
    allows(rules::order, "agent/src/read/x.rs", "use crate::{collect::op, view::OpView};");
    allows(rules::order, "src/source/a/b.rs", "use super::super::transport; use crate::update::Stamp;");
    allows(rules::order, "src/app/x.rs", "use crate::{diagnose::Finding, model, update::Event};");
}

#[test]
fn no_file_is_too_long() {
    holds(rules::size);
    let long = "fn f() {}\n".repeat(601);
    catches(rules::size, "core/src/model/x.rs", &long);
    allows(rules::size, "core/src/model/x.rs", &format!("#[cfg(test)]\nmod tests {{\n{long}}}"));
    allows(rules::size, "proto/src/generated/x.rs", &long);
}

#[test]
fn words_that_do_not_belong_are_not_there() {
    let mut sources = tree();
    sources.extend(files(&["tests"], ".rs").into_iter().filter(|source| !source.path.contains("house")));
    sources.extend(files(&["core", "src", "demo-server", "proto", "docs"], ".md"));
    sources.extend(
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "Cargo.toml"].iter().filter_map(|path| {
            Some(Source { path: (*path).into(), text: fs::read_to_string(root().join(path)).ok()? })
        }),
    );
    let wrong: Vec<String> = sources.iter().flat_map(rules::words).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    for text in ["// TODO: later", "mod test_utils;", "struct TaskManager;", "/// A helper.", "\"/home/me/x\""] {
        catches(rules::words, "src/app/x.rs", text);
    }
    allows(rules::words, "src/app/x.rs", "/// It is managed; a utility, helpful.");
}

#[test]
fn what_a_service_links_in_starts_on_old_systems() {
    holds(rules::old_systems);
    catches(rules::old_systems, "agent/src/capture/x.rs", "fn f() { libc::gettid(); }");
    catches(rules::old_systems, "stack/src/x.rs", "use libc::{c_int, memfd_create};");
    allows(rules::old_systems, "agent/src/capture/x.rs", "fn f() { libc::syscall(libc::SYS_gettid); }");
    allows(rules::old_systems, "memory/src/x.rs", "fn f() { libc::gettid(); }");
}

/// Crates that need no unsafe code, each by its root: the compiler forbids it there. The others excuse it file by file.
const SAFE: [&str; 11] = [
    "benches/agent/src/main.rs",
    "benches/hostile/src/lib.rs",
    "benches/hostile/src/main.rs",
    "benches/memory/src/main.rs",
    "benches/scale/src/main.rs",
    "core/src/lib.rs",
    "metrics/src/lib.rs",
    "proto/src/lib.rs",
    "src/lib.rs",
    "src/main.rs",
    "xtask/src/main.rs",
];

#[test]
fn the_agent_s_times_go_by_no_clock_that_somebody_sets() {
    holds(rules::wall_clock_of_agent);
    catches(rules::wall_clock_of_agent, "agent/src/serve/time.rs", "fn f() { std::time::SystemTime::now(); }");
    catches(
        rules::wall_clock_of_agent,
        "agent/src/audit.rs",
        "use std::time::SystemTime;\nfn f() { SystemTime::now(); }",
    );
    allows(rules::wall_clock_of_agent, "agent/src/clock.rs", "fn f() { SystemTime::now(); }");
    allows(rules::wall_clock_of_agent, "agent/src/audit.rs", "fn f() { Instant::now(); }");
}

#[test]
fn unsafe_code_stands_where_memory_is_the_matter() {
    for path in SAFE {
        let text = fs::read_to_string(root().join(path)).unwrap();
        assert!(text.contains("\n#![forbid(unsafe_code)]\n"), "{path} does not forbid it");
    }
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    assert_eq!(manifest["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("deny"));
    let wrong: Vec<String> = tree_and_memory().iter().flat_map(rules::few_are_unsafe).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    for path in rules::UNSAFE {
        assert!(fs::read_to_string(root().join(path)).unwrap().contains("unsafe_code"), "{path} needs no excuse");
    }
    catches(rules::few_are_unsafe, "agent/src/read/x.rs", "#![allow(unsafe_code)]");
    allows(rules::few_are_unsafe, "stack/src/memory.rs", "#![allow(unsafe_code)]");
    allows(rules::few_are_unsafe, "core/src/lib.rs", "#![forbid(unsafe_code)]");
}

#[test]
fn the_demo_comes_with_its_feature_alone() {
    client(rules::demo);
    catches(rules::demo, "src/cli/x.rs", "fn f() { demo_server::scenarios(); }");
    allows(rules::demo, "src/cli/x.rs", "#[cfg(feature = \"demo\")] fn f() { demo_server::scenarios(); }");

    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let (dependencies, features) = (&manifest["dependencies"], &manifest["features"]);
    assert_eq!(dependencies["demo-server"]["optional"].as_bool(), Some(true));
    let demo: Vec<&str> = features["demo"].as_array().unwrap().iter().filter_map(toml::Value::as_str).collect();
    assert!(demo.contains(&"dep:demo-server"));
    assert!(dependencies.get("holdup-agent").is_none(), "the client never depends on the agent");
}

#[test]
fn every_lint_is_explained_and_in_the_readme() {
    let readme = fs::read_to_string(root().join("README.md")).ok();
    let mut names: Vec<String> = Vec::new();
    for lint in holdup::diagnose::LINTS {
        let file = lint.name.replace('-', "_");
        assert!(
            root().join(format!("core/src/diagnose/lints/{file}.rs")).exists(),
            "{}: a file is named for its lint",
            lint.name
        );
        assert!(lint.explanation.trim().len() > 200, "{}: an explanation", lint.name);
        assert!(!lint.advice.trim().is_empty() && !lint.severities.is_empty(), "{}", lint.name);
        if let Some(readme) = &readme {
            assert!(readme.contains(&format!("`{}`", lint.name)), "{}: not in README.md", lint.name);
        }
        names.push(file);
    }
    for source in files(&["core/src/diagnose/lints"], ".md") {
        let file = source.path.rsplit('/').next().unwrap().trim_end_matches(".md");
        assert!(names.iter().any(|name| name == file), "{}: of no lint", source.path);
    }
}

/// The examples of a page: the file that each is from, as the page names it last before, and its lines.
fn examples(page: &str) -> Vec<(String, Vec<String>)> {
    let (mut named, mut examples, mut open) = (String::new(), Vec::new(), None::<Vec<String>>);
    for line in page.lines().map(str::trim) {
        match &mut open {
            Some(lines) if line == "```" => {
                examples.push((named.clone(), std::mem::take(lines)));
                open = None;
            }
            Some(lines) => lines.push(line.to_owned()),
            None if line == "```rust" => open = Some(Vec::new()),
            None => {
                let is_code =
                    |part: &&str| std::path::Path::new(part).extension().is_some_and(|extension| extension == "rs");
                let paths = line.split('`').skip(1).step_by(2).filter(|part| part.contains('/')).filter(is_code);
                if let Some(path) = paths.last() {
                    path.clone_into(&mut named);
                }
            }
        }
    }
    examples
}

/// The first line of an example that its file does not have, in the example's order.
fn missing<'a>(example: &'a [String], file: &str) -> Option<&'a str> {
    let mut lines = file.lines().map(str::trim);
    let shown = example.iter().map(String::as_str).filter(|line| !line.is_empty() && *line != "// …");
    shown.into_iter().find(|wanted| !lines.any(|line| line == *wanted))
}

#[test]
fn what_contributing_shows_is_the_code_that_ships() {
    let page = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let examples = examples(&page);
    assert!(examples.len() >= 4, "a lint, a column in two files, a scenario: {examples:?}");
    for (path, example) in &examples {
        let file = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(missing(example, &file), None, "CONTRIBUTING.md shows a line that {path} does not have");
    }
    let shown: Vec<String> = ["fn a() {", "// …", "}"].map(str::to_owned).into();
    assert_eq!(missing(&shown, "fn a() {\n    b();\n}"), None);
    assert_eq!(missing(&shown, "}\nfn a() {"), Some("}"), "the order counts");
}

/// The paths that a page names between backticks, with groups spelled out: `a/{b,c}.rs` names `a/b.rs` and `a/c.rs`.
fn named_paths(page: &str) -> Vec<String> {
    let is_path = |text: &&str| {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-./{},".contains(letter);
        text.contains('/') && !text.starts_with('/') && text.chars().all(fits)
    };
    let is_file = |path: &str| {
        let extension = std::path::Path::new(path).extension();
        extension.is_some_and(|extension| {
            ["rs", "md", "toml", "proto", "json", "svg"].iter().any(|known| extension == *known)
        })
    };
    let quoted = page.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).filter(is_path);
    let spelled = quoted.flat_map(|text| match (text.split_once('{'), text.split_once('}')) {
        (Some((before, _)), Some((group, after))) => {
            let group = &group[before.len() + 1..];
            group.split(',').map(|part| format!("{before}{part}{after}")).collect()
        }
        _ => vec![text.to_owned()],
    });
    let begins_here = |path: &str| path.split('/').next().is_some_and(|first| find(first).is_some());
    spelled.filter(|path| is_file(path) || path.ends_with('/') || begins_here(path)).collect()
}

/// The file or folder that a page means by a path: of the workspace, or of one of its crates.
fn find(path: &str) -> Option<std::path::PathBuf> {
    let folders = ["", "src", "core/src", "agent/src", "metrics/src", "stack/src", "agent", "core/src/diagnose"];
    folders.iter().map(|folder| root().join(folder).join(path)).find(|path| path.exists())
}

#[test]
fn every_path_that_a_page_names_exists() {
    let mut paths = 0;
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let named = named_paths(&fs::read_to_string(root().join(page)).unwrap());
        let gone: Vec<&String> = named.iter().filter(|path| find(path).is_none()).collect();
        assert!(gone.is_empty(), "{page} names what is not there: {gone:?}");
        paths += named.len();
    }
    assert!(paths > 60, "the pages were not read: {paths}");
    let named = named_paths("`src/a.rs` and `core/{b,c}/`, `Instrument/Watch`, `/proc/self`, `attic/x.rs`");
    assert_eq!(named, ["src/a.rs", "core/b/", "core/c/", "attic/x.rs"]);
    assert!(find("attic/x.rs").is_none() && find("view/style/text.rs").is_some());
}

#[test]
fn every_dependency_has_its_reason() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, table) = page.split_once("## Dependencies").expect("a table of them");
    let mut count = 0;
    let mut manifests =
        files(&["core", "proto", "agent", "metrics", "stack", "demo-server", "benches", "xtask"], "Cargo.toml");
    manifests.push(Source { path: "Cargo.toml".into(), text: fs::read_to_string(root().join("Cargo.toml")).unwrap() });
    for manifest in manifests {
        let manifest: toml::Table = manifest.text.parse().unwrap_or_else(|error| panic!("{}: {error}", manifest.path));
        let of_target = manifest.get("target").and_then(toml::Value::as_table).into_iter().flatten();
        let tables = of_target.filter_map(|(_, target)| target.as_table()).chain([&manifest]);
        let kinds = tables.flat_map(|table| ["dependencies", "dev-dependencies"].map(|kind| table.get(kind)));
        for (name, how) in kinds.flatten().filter_map(toml::Value::as_table).flatten() {
            let is_own = how.get("path").is_some() || dependencies::of_the_workspace(name).is_some();
            assert!(is_own || table.contains(&format!("`{name}`")), "{name} has no reason");
            count += 1;
        }
    }
    assert!(count > 60, "the manifests were not read: {count}");
}
