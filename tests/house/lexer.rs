//! Rust's tokens, as far as the house rules need them: names, marks of one character, and literals whole. Comments are left
//! out, so that what they speak of is not taken for code.

/// The tokens of a file.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let end = end_of_token(&letters, at);
        let is_comment = letters[at] == '/' && letters.get(at + 1).is_some_and(|next| "/*".contains(*next));
        if !letters[at].is_whitespace() && !is_comment {
            tokens.push(letters[at..end].iter().collect());
        }
        at = end;
    }
    tokens
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn end_of_token(letters: &[char], at: usize) -> usize {
    let next = letters.get(at + 1).copied().unwrap_or('\n');
    match letters[at] {
        '/' if next == '/' => position(letters, at, |letter| letter == '\n'),
        '/' if next == '*' => end_of_comment(letters, at),
        '"' => end_of_text(letters, at + 1),
        '\'' => end_of_quote(letters, at),
        letter if is_word(letter) => {
            let end = position(letters, at, |letter| !is_word(letter));
            let prefix: String = letters[at..end].iter().collect();
            match (prefix.as_str(), letters.get(end)) {
                ("b" | "c", Some('"')) => end_of_text(letters, end + 1),
                ("b", Some('\'')) => end_of_quote(letters, end),
                ("r" | "br" | "cr", Some('"' | '#')) => end_of_raw(letters, end).unwrap_or(end),
                _ => end,
            }
        }
        _ => at + 1,
    }
}

fn position(letters: &[char], from: usize, ends: impl Fn(char) -> bool) -> usize {
    (from..letters.len()).find(|&at| ends(letters[at])).unwrap_or(letters.len())
}

/// Comments of this kind stand inside each other.
fn end_of_comment(letters: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at + 1 < letters.len() {
        match (letters[at], letters[at + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    letters.len()
}

fn end_of_text(letters: &[char], mut at: usize) -> usize {
    while at < letters.len() {
        match letters[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    letters.len()
}

/// A character, or a lifetime: that has no second quote after its first letter.
fn end_of_quote(letters: &[char], at: usize) -> usize {
    match (letters.get(at + 1), letters.get(at + 2)) {
        (Some('\\'), _) => position(letters, at + 3, |letter| letter == '\'') + 1,
        (Some(_), Some('\'')) => at + 3,
        _ => position(letters, at + 1, |letter| !is_word(letter)),
    }
}

/// After `r`: marks, a quote, and the same again the other way round. `None` for a raw name.
fn end_of_raw(letters: &[char], at: usize) -> Option<usize> {
    let open = position(letters, at, |letter| letter != '#');
    if letters.get(open) != Some(&'"') {
        return None;
    }
    let marks = open - at;
    let closes = |quote: &usize| {
        letters[*quote] == '"'
            && letters[quote + 1..].iter().take(marks).filter(|letter| **letter == '#').count() == marks
    };
    Some((open + 1..letters.len()).find(closes).map_or(letters.len(), |quote| quote + 1 + marks))
}

#[test]
fn comments_are_left_out_and_literals_are_whole() {
    let table: [(&str, &[&str]); 9] = [
        ("a.unwrap() // b", &["a", ".", "unwrap", "(", ")"]),
        ("a /* b /* c */ d */ e", &["a", "e"]),
        ("\"// a \\\" b\" c", &["\"// a \\\" b\"", "c"]),
        ("r#\"a \" b\"# c", &["r#\"a \" b\"#", "c"]),
        ("r\"\\\" a", &["r\"\\\"", "a"]),
        ("'\"' 'a '\\'' '\\u{fe}'", &["'\"'", "'a", "'\\''", "'\\u{fe}'"]),
        ("&'static str", &["&", "'static", "str"]),
        ("b'x' b\"y\" r#fn", &["b'x'", "b\"y\"", "r", "#", "fn"]),
        ("std::fs", &["std", ":", ":", "fs"]),
    ];
    for (text, wanted) in table {
        assert_eq!(tokens(text), wanted, "{text}");
    }
}
