//! Tokens: where they are, how they are written, and whether one that is shown is one of them.

use super::{Rights, list};
use crate::Error;
use std::{fmt, fs, io, path::PathBuf};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

/// A token that is shorter could be found by trying.
const SHORTEST: usize = 16;

/// Text that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Where tokens are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Given(Secret),
    /// In this file, which nobody but its owner may read.
    File(PathBuf),
}

/// Tokens, and what whoever shows one may do. A line has one: the token, and behind it what it is good for, `watch` where that says nothing.
#[derive(Debug)]
pub(crate) struct Tokens(Vec<(Secret, Rights)>);

impl Token {
    /// Reads them.
    pub(crate) fn read(&self) -> Result<Tokens, Error> {
        let (text, place) = match self {
            Self::Given(secret) => (secret.0.clone(), "HOLDUP_TOKEN".to_owned()),
            Self::File(path) => (read_private(path)?, path.display().to_string()),
        };
        Tokens::parse(&text).map_err(|reason| Error::access(&place, reason))
    }

    /// The file, if they are in one.
    pub(crate) fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::Given(_) => None,
            Self::File(path) => Some(path),
        }
    }
}

impl Tokens {
    /// What is wrong is said without what is written there.
    fn parse(text: &str) -> Result<Self, &'static str> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let tokens: Vec<_> = lines.map(line).collect::<Result<_, _>>()?;
        if tokens.is_empty() {
            return Err("there is no token in it; make one with `openssl rand -hex 32`");
        }
        Ok(Self(tokens))
    }

    /// The number of the token that is shown, counted from 1, and what it is good for. How long this takes tells nothing but how long the
    /// tokens are.
    pub(crate) fn find(&self, shown: &[u8]) -> Option<(u32, Rights)> {
        let mut found = 0_u32;
        for (number, (token, _)) in (1..).zip(&self.0) {
            let is_it: Choice = token.0.as_bytes().ct_eq(shown);
            found.conditional_assign(&number, is_it);
        }
        let (_, rights) = self.0.get((found as usize).checked_sub(1)?)?;
        Some((found, *rights))
    }
}

fn line(line: &str) -> Result<(Secret, Rights), &'static str> {
    let (token, rights) = line.split_once(char::is_whitespace).unwrap_or((line, "watch"));
    if token.len() < SHORTEST || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("a token there is shorter than 16 characters, or has others than those of ASCII; make one with \
                    `openssl rand -hex 32`");
    }
    let rights =
        Rights::parse(list(rights)).ok_or("what a token there is good for is none of watch, capture and pause")?;
    Ok((Secret::new(token.to_owned()), rights))
}

/// Reads a file that nobody but its owner may read.
fn read_private(path: &PathBuf) -> Result<String, Error> {
    let failed = |error: io::Error| Error::access(&path.display().to_string(), &format!("it cannot be read ({error})"));
    let file = fs::File::open(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Of the file that was opened, and not of whatever is called so by now.
        if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
            let reason = format!("others than its owner may read it; type chmod 600 {}", path.display());
            return Err(Error::access(&path.display().to_string(), &reason));
        }
    }
    let bytes = super::read(file).map_err(failed)?;
    String::from_utf8(bytes).map_err(|error| failed(io::Error::other(error.utf8_error())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "0123456789abcdef";
    const SECOND: &str = "fedcba9876543210";
    const THIRD: &str = "00112233445566778899";

    #[test]
    fn each_line_is_a_token_with_what_it_is_good_for() {
        let tokens =
            Tokens::parse(&format!("# ours\n\n{FIRST}\n  {SECOND}\twatch, pause \n{THIRD} watch,capture")).unwrap();
        assert_eq!(tokens.find(FIRST.as_bytes()), Some((1, Rights::WATCH)));
        assert_eq!(tokens.find(SECOND.as_bytes()), Some((2, Rights::WATCH.and(Rights::PAUSE))));
        assert_eq!(tokens.find(THIRD.as_bytes()), Some((3, Rights::WATCH.and(Rights::CAPTURE))));
        for wrong in ["", "0", "0123456789abcde", "0123456789abcdeg", "0123456789abcdef0"] {
            assert_eq!(tokens.find(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_no_token_is_said_without_showing_it() {
        for (text, said) in [
            ("", "openssl rand"),
            ("# 0123456789abcdef", "there is no token"),
            ("hunter2", "shorter than 16"),
            ("0123456789abcdefé", "ASCII"),
            ("0123456789abcdef fly", "watch, capture and pause"),
        ] {
            let token = Token::Given(Secret::new(text.to_owned()));
            let error = token.read().unwrap_err().to_string();
            assert!(error.starts_with("HOLDUP_TOKEN: ") && error.contains(said), "{error}");
            assert!(!error.contains("hunter2") && !error.contains("0123456789"), "{error}");
        }
        assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "Secret(..)");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_has_no_tokens() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = std::env::temp_dir().join(format!("holdup-token-{}", std::process::id()));
        fs::write(&path, FIRST).unwrap();
        for (mode, is_private) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match Token::File(path.clone()).read() {
                Ok(tokens) => assert!(is_private && tokens.find(FIRST.as_bytes()).is_some(), "{mode:o}"),
                Err(error) => assert!(!is_private && error.to_string().contains("chmod 600 /"), "{mode:o}: {error}"),
            }
        }
        fs::remove_file(&path).unwrap();
    }
}
