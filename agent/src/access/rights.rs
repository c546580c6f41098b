//! What somebody may do.

/// Rights that somebody has. Looking and acting are different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Rights(u8);

/// The words for them, in settings.
const WORDS: [(&str, Rights); 2] = [("watch", Rights::WATCH), ("pause", Rights::PAUSE)];

impl Rights {
    pub(crate) const NONE: Self = Self(0);
    /// To see what is told.
    pub(crate) const WATCH: Self = Self(1);
    /// To stop and resume what every client of the console is told.
    pub(crate) const PAUSE: Self = Self(2);

    /// Reads words. Nobody has a right who has none.
    pub(crate) fn parse<'a>(words: impl Iterator<Item = &'a str>) -> Option<Self> {
        let rights = words.map(str::trim).try_fold(Self::NONE, |rights, word| {
            WORDS.into_iter().find(|(known, _)| *known == word).map(|(_, right)| rights.and(right))
        })?;
        (rights != Self::NONE).then_some(rights)
    }

    /// These and others.
    pub(crate) const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub(crate) const fn have(self, needed: Self) -> bool {
        self.0 & needed.0 == needed.0
    }

    /// The word for one right.
    pub(crate) fn word(self) -> &'static str {
        WORDS.into_iter().find(|(_, right)| *right == self).map_or("", |(word, _)| word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_right_is_not_the_other() {
        let both = Rights::parse("watch,pause".split(',')).unwrap();
        assert_eq!(both, Rights::WATCH.and(Rights::PAUSE));
        assert!(both.have(Rights::PAUSE) && both.have(Rights::WATCH));
        assert!(!Rights::WATCH.have(Rights::PAUSE) && !Rights::PAUSE.have(Rights::WATCH));
        assert!(!Rights::NONE.have(Rights::WATCH));
        assert_eq!((Rights::WATCH.word(), Rights::PAUSE.word()), ("watch", "pause"));
        for wrong in ["", "Watch", "watch,", "watch,fly"] {
            assert_eq!(Rights::parse(wrong.split(',')), None, "{wrong}");
        }
    }
}
