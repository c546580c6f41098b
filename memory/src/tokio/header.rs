//! A task's header and what of it is the same in every version: the state word, the link in a queue, the vtable, the list's id.

/// Bytes of a header that every version has, at these places.
pub(crate) const HEADER: usize = 32;
const RUNNING: u64 = 1;
const COMPLETE: u64 = 2;
const NOTIFIED: u64 = 4;
const JOIN_INTEREST: u64 = 8;
const JOIN_WAKER: u64 = 16;
const CANCELLED: u64 = 32;
const REFERENCE: u32 = 6;
/// More references than this has nobody; such a word is no state.
const MOST_REFERENCES: u64 = 1 << 24;
/// Higher ids of a list has nobody.
const MOST_OWNERS: u64 = 1 << 32;

/// A task's state word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State(pub(crate) u64);

impl State {
    pub(crate) fn running(self) -> bool {
        self.0 & RUNNING != 0
    }

    pub(crate) fn complete(self) -> bool {
        self.0 & COMPLETE != 0
    }

    pub(crate) fn notified(self) -> bool {
        self.0 & NOTIFIED != 0
    }

    pub(crate) fn join_interest(self) -> bool {
        self.0 & JOIN_INTEREST != 0
    }

    pub(crate) fn join_waker(self) -> bool {
        self.0 & JOIN_WAKER != 0
    }

    pub(crate) fn cancelled(self) -> bool {
        self.0 & CANCELLED != 0
    }

    pub(crate) fn references(self) -> u64 {
        self.0 >> REFERENCE
    }

    /// What changes when a task is polled, ends or is cancelled. References and wakes are not in it: others write those.
    pub(crate) fn motion(self) -> u64 {
        self.0 & (RUNNING | COMPLETE | CANCELLED)
    }

    /// Whether a task can be in this state.
    pub(crate) fn plausible(self) -> bool {
        let references = self.references();
        (1..=MOST_REFERENCES).contains(&references) && self.0 & (RUNNING | COMPLETE) != RUNNING | COMPLETE
    }
}

/// A header, as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) state: State,
    /// The next task in a queue.
    pub(crate) queue_next: u64,
    pub(crate) vtable: u64,
    /// The list that it is in; 0: in none.
    pub(crate) owner: u64,
}

impl Header {
    /// From the first bytes of a cell.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            state: State(word(bytes, 0)?),
            queue_next: word(bytes, 8)?,
            vtable: word(bytes, 16)?,
            owner: word(bytes, 24)?,
        })
    }

    /// Whether it can be one at all.
    pub(crate) fn plausible(&self) -> bool {
        self.state.plausible() && self.owner <= MOST_OWNERS && self.queue_next.is_multiple_of(8)
    }
}

/// The word at this place.
pub(crate) fn word(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// The number of this many bytes at this place.
pub(crate) fn uint(bytes: &[u8], at: usize, size: usize) -> Option<u128> {
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    let mut number = [0; 16];
    number.get_mut(..size)?.copy_from_slice(bytes);
    Some(u128::from_le_bytes(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_as_tokio_writes_them() {
        let born = State(3 << REFERENCE | JOIN_INTEREST | NOTIFIED);
        assert!(born.plausible() && born.notified() && born.join_interest() && !born.running());
        assert_eq!(born.references(), 3);
        assert!(!State(3).plausible() && !State(1 << REFERENCE | 3).plausible() && !State(u64::MAX).plausible());
        assert_eq!(born.motion(), State(9 << REFERENCE).motion());
        assert_ne!(born.motion(), State(3 << REFERENCE | RUNNING).motion());
    }

    #[test]
    fn bytes_that_are_no_header() {
        assert_eq!(Header::parse(&[0; 31]), None);
        assert!(!Header::parse(&[0xff; 32]).unwrap().plausible());
        assert_eq!(uint(&[1, 2, 3], 1, 2), Some(0x0302));
        assert_eq!(uint(&[1, 2, 3], 2, 2), None);
        assert_eq!(uint(&[0; 64], 0, 17), None);
    }
}
