//! A source file as the house rules see it: its tokens and paths without comments and without its tests.

use crate::lexer;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// One file of the workspace.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the workspace's root, with `/` between its parts.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below these folders whose name ends so.
pub(crate) fn files(folders: &[&str], ends: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in folders {
        walk(&root().join(folder), &mut paths);
    }
    let mut sources: Vec<Source> = paths
        .into_iter()
        .filter(|path| path.to_string_lossy().ends_with(ends))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let path = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            Source { path, text }
        })
        .collect();
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && name != "snapshots" {
                walk(&path, found);
            }
        } else {
            found.push(path);
        }
    }
}

impl Source {
    /// The room that the file is in; `None` outside of the client's rooms.
    pub(crate) fn room(&self) -> Option<&str> {
        self.path
            .strip_prefix("core/")
            .unwrap_or(&self.path)
            .strip_prefix("src/")?
            .split_once('/')
            .map(|(room, _)| room)
    }

    /// Whether the whole file is there for tests.
    pub(crate) fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/") || self.path.starts_with("tests/")
    }

    /// Whether it was written by a program.
    pub(crate) fn is_generated(&self) -> bool {
        self.path.contains("/generated/")
    }

    /// Names, marks and literals in their order, without comments, and without what is compiled for tests alone.
    pub(crate) fn tokens(&self) -> Vec<String> {
        if self.is_test() {
            return Vec::new();
        }
        without_tests(&lexer::tokens(&self.text))
    }

    /// Every path that is named, with the groups of `use` spelled out: `use a::{b, c::d}` names `a::b` and `a::c::d`.
    pub(crate) fn paths(&self) -> Vec<Vec<String>> {
        paths(&self.tokens())
    }

    /// How many lines there are before the tests begin, which stand at the end.
    pub(crate) fn lines(&self) -> usize {
        let lines: Vec<&str> = self.text.lines().collect();
        lines
            .windows(2)
            .position(|two| two[0].trim() == "#[cfg(test)]" && two[1].trim_start().starts_with("mod "))
            .unwrap_or(lines.len())
    }

    /// The room of the agent that the file is in, or that it is.
    pub(crate) fn agents_room(&self) -> Option<&str> {
        let room = self.path.strip_prefix("agent/src/")?.split('/').next()?;
        Some(room.strip_suffix(".rs").unwrap_or(room)).filter(|room| *room != "lib")
    }

    /// How deep the file's module lies below the crate: 1 for a room.
    pub(crate) fn depth(&self) -> usize {
        let in_crate = self.path.split_once("src/").map_or(self.path.as_str(), |(_, inside)| inside);
        let parts = in_crate.split('/').count();
        if self.path.ends_with("/mod.rs") { parts - 1 } else { parts }
    }
}

/// The index just after the group that opens at `open`.
pub(crate) fn after_group(tokens: &[String], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "(" | "{" | "[" => depth += 1,
            ")" | "}" | "]" => {
                depth -= 1;
                if depth == 0 {
                    return index + 1;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

fn without_tests(tokens: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_attribute = tokens[at] == "#" && tokens.get(at + 1).is_some_and(|next| next == "[");
        if is_attribute {
            let end = after_group(tokens, at + 1);
            let attribute = &tokens[at + 2..end - 1];
            let has = |word: &str| attribute.iter().any(|token| token == word);
            if attribute.first().is_some_and(|name| name == "cfg") && has("test") && !has("not") {
                at = after_item(tokens, end);
                continue;
            }
        }
        kept.push(tokens[at].clone());
        at += 1;
    }
    kept
}

/// The index after the item that begins at `at`: after its `;` or its braces.
fn after_item(tokens: &[String], mut at: usize) -> usize {
    while at < tokens.len() {
        match tokens[at].as_str() {
            ";" => return at + 1,
            "{" => return after_group(tokens, at),
            "(" | "[" => at = after_group(tokens, at),
            _ => at += 1,
        }
    }
    at
}

fn is_name(token: &str) -> bool {
    token.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_')
}

fn paths(tokens: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if is_name(&tokens[at]) {
            at = path(tokens, at, &[], &mut found);
        } else {
            at += 1;
        }
    }
    found
}

fn is_separator(tokens: &[String], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token == ":") && tokens.get(at + 1).is_some_and(|token| token == ":")
}

/// Reads the path that begins at `at`; returns the index after it.
fn path(tokens: &[String], mut at: usize, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut segments = before.to_vec();
    loop {
        segments.push(tokens[at].clone());
        at += 1;
        if !is_separator(tokens, at) {
            break;
        }
        match tokens.get(at + 2) {
            Some(next) if is_name(next) => at += 2,
            Some(next) if next == "{" => {
                let end = after_group(tokens, at + 2);
                let mut inside = at + 3;
                while inside + 1 < end {
                    if is_name(&tokens[inside]) {
                        inside = path(tokens, inside, &segments, found);
                        // The name after `as` is no path.
                        if tokens[inside] == "as" {
                            inside += 2;
                        }
                    } else {
                        inside += 1;
                    }
                }
                return end;
            }
            _ => break,
        }
    }
    found.push(segments);
    at
}
