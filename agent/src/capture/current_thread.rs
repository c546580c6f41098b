//! The stack of the thread that asks for it: copied at once, into memory made beforehand and at a bounded rate, unwound and
//! named later on the reader's thread. Off until it is switched on, and for good when a stack turns out to be unreadable.

use crate::{capture::Stack, clock::Nanos};

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) use linux::{StackBuffer, is_on, switch_off, switch_on};

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod linux {
    use crate::{
        capture::{
            Stack,
            buffer::{STACK_BYTES, Snapshot},
            rate::{Bound, Rate},
            sleeping,
            worker::Reader,
        },
        clock::Nanos,
    };
    use parking_lot::Mutex;
    use std::{
        sync::{
            OnceLock,
            atomic::{AtomicBool, Ordering},
        },
        time::Duration,
    };

    /// Copies that exist at once: no more than leave room for those of stalled threads at the reader.
    const BUFFERS: usize = 4;

    /// In the whole process. A copy costs its thread some ten microseconds.
    const BOUND: Bound = Bound { every: Duration::from_millis(20), burst: 10 };

    struct Copier {
        reader: Reader,
        #[expect(clippy::vec_box, reason = "the reader takes boxes and gives them back")]
        spare: Mutex<Vec<Box<Snapshot>>>,
        rate: Rate,
    }

    static COPIER: OnceLock<Copier> = OnceLock::new();
    static ON: AtomicBool = AtomicBool::new(false);

    /// From here on stacks may be asked for. Where no thread can be started to read them, it stays off. That thread
    /// calls `begin` first.
    pub(crate) fn switch_on(begin: fn()) {
        let Ok(reader) = Reader::shared(begin) else { return };
        COPIER.get_or_init(|| {
            let spare = (0..BUFFERS).map(|_| Box::new(Snapshot::new(STACK_BYTES))).collect();
            Copier { reader, spare: Mutex::new(spare), rate: Rate::new() }
        });
        ON.store(true, Ordering::Release);
    }

    /// From here on they may not.
    pub(crate) fn switch_off() {
        ON.store(false, Ordering::Release);
    }

    /// Whether stacks may be asked for.
    pub(crate) fn is_on() -> bool {
        ON.load(Ordering::Acquire)
    }

    fn copier() -> Option<&'static Copier> {
        is_on().then(|| COPIER.get())?
    }

    fn give_back(copy: Box<Snapshot>) {
        if let Some(copier) = COPIER.get() {
            copier.spare.lock().push(copy);
        }
    }

    /// Memory for one copy, which goes back when this is dropped.
    #[derive(Debug)]
    pub(crate) struct StackBuffer(Option<Box<Snapshot>>);

    impl StackBuffer {
        /// `None` while it is switched off, when all are in use, and beyond the rate.
        pub(crate) fn take(now: Nanos) -> Option<Self> {
            let copier = copier()?;
            let buffer = Self(Some(copier.spare.lock().pop()?));
            copier.rate.allows(now, BOUND).then_some(buffer)
        }

        /// Copies the calling thread's stack, in place of what was copied before. False when that cannot be done.
        pub(crate) fn fill(&mut self) -> bool {
            let filled = self.0.as_mut().is_some_and(|copy| sleeping::here(copy).is_ok());
            if !filled {
                ON.store(false, Ordering::Release);
            }
            filled
        }

        /// Has what was copied read, and handed over on the reader's thread. It is dropped when too many wait to be read.
        pub(crate) fn read(mut self, done: impl FnOnce(Stack) + Send + 'static) {
            let (Some(copy), Some(copier)) = (self.0.take(), COPIER.get()) else { return };
            let read = copier.reader.read(copy, |stack, copy| {
                give_back(copy);
                done(stack);
            });
            if let Err(copy) = read {
                give_back(copy);
            }
        }
    }

    impl Drop for StackBuffer {
        fn drop(&mut self) {
            if let Some(copy) = self.0.take() {
                give_back(copy);
            }
        }
    }
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod nowhere {

    /// On other systems there are no stacks.
    pub(crate) fn switch_on(_: fn()) {}

    pub(crate) fn switch_off() {}

    pub(crate) fn is_on() -> bool {
        false
    }

    /// There is none.
    #[derive(Debug)]
    pub(crate) enum StackBuffer {}

    impl StackBuffer {
        pub(crate) fn take(_: Nanos) -> Option<Self> {
            None
        }

        pub(crate) fn fill(&mut self) -> bool {
            match *self {}
        }

        pub(crate) fn read(self, _: impl FnOnce(Stack) + Send + 'static) {
            match self {}
        }
    }
}
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(crate) use nowhere::{StackBuffer, is_on, switch_off, switch_on};

/// Copies of one buffer in a row.
const MOST_COPIES: u32 = 16;

/// A copy that is made again and again: the last one counts.
#[derive(Debug)]
pub(crate) struct StackCopy {
    buffer: StackBuffer,
    copies: u32,
}

impl StackCopy {
    /// Memory for it; `None` as for [`StackBuffer::take`].
    pub(crate) fn take(now: Nanos) -> Option<Self> {
        Some(Self { buffer: StackBuffer::take(now)?, copies: 0 })
    }

    /// One copy more, in place of the one before.
    pub(crate) fn more(mut self) -> Option<Self> {
        self.copies += 1;
        (self.copies <= MOST_COPIES && self.buffer.fill()).then_some(self)
    }

    /// Has the last copy read, see [`StackBuffer::read`].
    pub(crate) fn read(self, done: impl FnOnce(Stack) + Send + 'static) {
        self.buffer.read(done);
    }
}
