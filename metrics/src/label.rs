//! What may stand in a label: text that others chose, bounded, and places without what names the machine that they were built on.

use std::borrow::Cow;

/// What stands for all that have no series of their own.
pub const OTHER: &str = "other";

/// Bytes of a value at the most.
const MOST: usize = 128;

/// A value as it is told: no longer than 128 bytes, cut between two characters, and without anything that moves a terminal's cursor.
pub fn cut(value: &str) -> Cow<'_, str> {
    let end = (0..=MOST.min(value.len())).rev().find(|end| value.is_char_boundary(*end)).unwrap_or(0);
    let value = &value[..end];
    if !value.contains(char::is_control) {
        return Cow::Borrowed(value);
    }
    // The character that stands for one that cannot be shown has three bytes.
    let mut shown = String::with_capacity(MOST);
    for letter in value.chars() {
        let letter = if letter.is_control() { '\u{fffd}' } else { letter };
        if shown.len() + letter.len_utf8() > MOST {
            break;
        }
        shown.push(letter);
    }
    Cow::Owned(shown)
}

/// A place in the source as `src/main.rs:7`. A file of a dependency begins with `<cargo>/`, one of the standard library with `<rust>/`, as on
/// holdup's screens, and another absolute path with the folder of its crate.
pub fn location(file: &str, line: u32) -> String {
    format!("{}:{line}", shorten(&file.replace('\\', "/")))
}

fn shorten(file: &str) -> Cow<'_, str> {
    for marker in ["/registry/src/", "/git/checkouts/"] {
        if let Some((_, inside)) = file.split_once(marker).and_then(|(_, rest)| rest.split_once('/')) {
            return format!("<cargo>/{inside}").into();
        }
    }
    let is_rust = file.starts_with("/rustc/") || file.contains("/rustlib/src/rust/library/");
    if let Some((_, inside)) = file.split_once("/library/").filter(|_| is_rust) {
        return format!("<rust>/{inside}").into();
    }
    let is_absolute = file.starts_with('/') || file.as_bytes().get(1) == Some(&b':');
    let of_crate = ["/src/", "/tests/", "/examples/", "/benches/"].iter().filter_map(|part| file.rfind(part)).max();
    match of_crate.filter(|_| is_absolute) {
        Some(at) => file[file[..at].rfind('/').map_or(0, |slash| slash + 1)..].into(),
        // Of what is nobody's usual folder, the name has to do.
        None if is_absolute => file.rsplit('/').next().unwrap_or(file).into(),
        None => file.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_cut_between_two_characters() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(""), "");
        let long = cut(&format!("x{}", "é".repeat(100))).into_owned();
        assert_eq!((long.len(), long.chars().count()), (127, 64));
        assert_eq!(cut(&"y".repeat(200)).len(), 128);
        assert_eq!(cut("a\u{1b}[2J\nb"), "a\u{fffd}[2J\u{fffd}b");
        assert!(cut(&"\u{7}".repeat(200)).len() <= MOST);
    }

    #[test]
    fn places_are_told_without_the_machine_that_they_were_built_on() {
        let told = |file: &str| location(file, 7);
        assert_eq!(told("src/main.rs"), "src/main.rs:7");
        assert_eq!(told(r"crates\db\src\pool.rs"), "crates/db/src/pool.rs:7");
        assert_eq!(told("/x/.cargo/registry/src/index-1f/hyper-1.0/src/a.rs"), "<cargo>/hyper-1.0/src/a.rs:7");
        assert_eq!(told("/x/.cargo/git/checkouts/db-1f/3a/src/a.rs"), "<cargo>/3a/src/a.rs:7");
        assert_eq!(told("/rustc/59807616e1/library/std/src/thread/mod.rs"), "<rust>/std/src/thread/mod.rs:7");
        assert_eq!(told("/srv/orders/crates/db/src/pool/mod.rs"), "db/src/pool/mod.rs:7");
        assert_eq!(told("/srv/orders/tests/all.rs"), "orders/tests/all.rs:7");
        assert_eq!(told(r"C:\orders\src\main.rs"), "orders/src/main.rs:7");
        assert_eq!(told("/srv/made/by/build.rs"), "build.rs:7");
    }
}
