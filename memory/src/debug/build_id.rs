//! A build id: what a linker writes into an object and its debug information alike, so that it is seen whether they belong together.

use std::{fmt, sync::Arc};

/// The name of one build.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BuildId(Arc<[u8]>);

impl BuildId {
    /// From its bytes. Linkers write 8 to 20; nobody writes none, or more than 64.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (!bytes.is_empty() && bytes.len() <= 64).then(|| Self(bytes.into()))
    }

    /// From hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.len().is_multiple_of(2) {
            return None;
        }
        let digits = text.as_bytes().chunks(2);
        let bytes = digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        Self::new(&bytes.collect::<Option<Vec<_>>>()?)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The first byte and the others, in hexadecimal: how directories of debug information are laid out.
    pub(super) fn parted(&self) -> (String, String) {
        let text = self.to_string();
        let (first, others) = text.split_at_checked(2).unwrap_or((&text, ""));
        (first.to_owned(), others.to_owned())
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(to, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_bytes() {
        let id = BuildId::parse("00ff3c").unwrap();
        assert_eq!(id.bytes(), [0, 0xff, 0x3c]);
        assert_eq!(id.to_string(), "00ff3c");
        for wrong in ["", "0", "0g", "é"] {
            assert_eq!(BuildId::parse(wrong), None, "{wrong}");
        }
    }
}
