//! What somebody may do.

/// Rights that somebody has. Looking and acting are different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Rights(u8);

/// The words for them, in settings.
const WORDS: [(&str, Rights); 3] = [("watch", Rights::WATCH), ("capture", Rights::CAPTURE), ("pause", Rights::PAUSE)];

impl Rights {
    pub(crate) const NONE: Self = Self(0);
    /// To see what is told.
    pub(crate) const WATCH: Self = Self(1);
    /// To have captured what the workers are doing now, for which those that run are interrupted for a moment.
    pub(crate) const CAPTURE: Self = Self(2);
    /// To stop and resume what every client of the console is told.
    pub(crate) const PAUSE: Self = Self(4);

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
        let each = [("watch", Rights::WATCH), ("capture", Rights::CAPTURE), ("pause", Rights::PAUSE)];
        for (word, right) in each {
            assert_eq!((right.word(), Rights::parse([word].into_iter())), (word, Some(right)));
            for (_, other) in each {
                assert_eq!(right.have(other), right == other, "{word}");
            }
            assert!(!Rights::NONE.have(right));
        }
        let all = Rights::parse("watch, capture,pause".split(',')).unwrap();
        assert_eq!(all, Rights::WATCH.and(Rights::CAPTURE).and(Rights::PAUSE));
        assert!(each.into_iter().all(|(_, right)| all.have(right)));
        let some = Rights::parse("watch,capture".split(',')).unwrap();
        assert!(some.have(Rights::WATCH) && some.have(Rights::CAPTURE) && !some.have(Rights::PAUSE));
        for wrong in ["", "Watch", "watch,", "watch,fly", "captures", "watch+capture"] {
            assert_eq!(Rights::parse(wrong.split(',')), None, "{wrong}");
        }
    }
}
