//! Text and bytes as they may be shown: escaped, so that nothing in them steers a terminal, and cut.

use std::fmt::Write;

/// Of a longer text the start is told.
pub(super) const MOST_TEXT: usize = 120;
/// Of more bytes that are no text the first ones are told.
const MOST_BYTES: usize = 24;

/// Without control characters: of names that the target's debug information has.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(200).collect()
}

/// A text of `length` bytes of which these are the first; `None` where they are no text.
pub(super) fn quoted(bytes: &[u8], length: u64) -> Option<String> {
    let is_whole = bytes.len() as u64 == length;
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // It was cut within a character.
        Err(error) if error.error_len().is_none() && !is_whole => {
            std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let mut out = String::from("\"");
    out.extend(text.escape_debug());
    out.push('"');
    if !is_whole {
        let _ = write!(out, "… ({length} bytes)");
    }
    Some(out)
}

/// Bytes: as text where they are printable text, or else as numbers.
pub(super) fn bytes(first: &[u8], length: u64) -> String {
    let printable =
        |text: &str| text.chars().all(|letter| !letter.is_control() || matches!(letter, '\n' | '\r' | '\t'));
    let is_text = std::str::from_utf8(first).is_ok_and(printable);
    if let Some(text) = quoted(first, length).filter(|_| is_text && !first.is_empty()) {
        return format!("b{text}");
    }
    let mut out = String::from("[");
    for (at, byte) in first.iter().take(MOST_BYTES).enumerate() {
        let _ = write!(out, "{}{byte:02x}", if at == 0 { "" } else { " " });
    }
    if length > first.len().min(MOST_BYTES) as u64 {
        out.push_str(" …");
    }
    let _ = write!(out, "] ({length} bytes)");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_steers_a_terminal() {
        let told = quoted(b"a\x1b[2J\x07\"\xe2\x80\xae", 10).expect("a text");
        assert_eq!(told, "\"a\\u{1b}[2J\\u{7}\\\"\\u{202e}\"");
        assert!(plain("a\u{1b}b\n") == "ab");
    }

    #[test]
    fn what_is_cut_is_said_to_be() {
        assert_eq!(quoted("aé".as_bytes(), 9).as_deref(), Some("\"aé\"… (9 bytes)"));
        assert_eq!(quoted(&"aé".as_bytes()[..2], 9).as_deref(), Some("\"a\"… (9 bytes)"));
        assert_eq!(quoted(&"aé".as_bytes()[..2], 2), None);
        assert_eq!(bytes(&[0xff, 0xad], 2), "[ff ad] (2 bytes)");
        assert_eq!(bytes(b"GET /", 5), "b\"GET /\"");
        assert_eq!(bytes(&[0; 30], 90).matches("00").count(), 24);
    }
}
