//! Last states of what was told to live, and whose slot was to be used again before its end was told: kept until the reader
//! asks for them. They are no more than were told to live.

use parking_lot::Mutex;

/// Those of one kind.
pub(crate) struct FinalStates<V>(Mutex<Vec<V>>);

impl<V> FinalStates<V> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Keeps one, where there is anything to tell.
    pub(crate) fn add(&self, last: Option<V>) {
        self.0.lock().extend(last);
    }

    /// All of them; they are not kept any longer.
    pub(crate) fn take(&self) -> Vec<V> {
        std::mem::take(&mut *self.0.lock())
    }
}
