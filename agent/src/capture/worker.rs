//! Unwinds and names captured stacks, on a thread of its own: to name one is to go through parts of the executable's debug
//! information, and whoever captures stacks cannot wait for that.

use crate::capture::{Stack, buffer::Snapshot};
use holdup_stack::{memory::OwnMemory, symbolize::Symbols, unwind::Unwinder};
use parking_lot::Mutex;
use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

/// Copies that may wait.
const QUEUE: usize = 8;

/// Bytes of names that are kept, so that what stalls again and again is looked up once.
const NAMES: usize = 1 << 20;

/// Reads copies of stacks, in the order in which they come.
#[derive(Clone)]
pub(crate) struct Reader {
    jobs: SyncSender<Job>,
}

struct Job {
    stack: Box<Snapshot>,
    done: Box<dyn FnOnce(Stack, Box<Snapshot>) + Send>,
}

/// What unwinding and naming need, on one thread.
struct Tables {
    unwinder: Unwinder,
    symbols: Symbols,
    /// Its build id, once it was looked up.
    executable: Option<Arc<[u8]>>,
}

impl Reader {
    /// The one of this process: what it has read, it need not read again for another. Its thread starts when it is first asked
    /// for, and stays; it calls `begin` first.
    pub(crate) fn shared(begin: fn()) -> io::Result<Self> {
        static SHARED: Mutex<Option<Reader>> = Mutex::new(None);
        let mut shared = SHARED.lock();
        if let Some(reader) = &*shared {
            return Ok(reader.clone());
        }
        let (jobs, queue) = sync_channel(QUEUE);
        thread::Builder::new().name("holdup-stacks".into()).spawn(move || work(&queue, begin))?;
        Ok(shared.insert(Self { jobs }).clone())
    }

    /// Reads a copy, and hands over the stack and the copy's memory. Never waits: gives the copy back when too many wait already.
    pub(crate) fn read(
        &self,
        stack: Box<Snapshot>,
        done: impl FnOnce(Stack, Box<Snapshot>) + Send + 'static,
    ) -> Result<(), Box<Snapshot>> {
        self.jobs.try_send(Job { stack, done: Box::new(done) }).map_err(|error| match error {
            TrySendError::Full(job) | TrySendError::Disconnected(job) => job.stack,
        })
    }
}

fn work(queue: &Receiver<Job>, begin: fn()) {
    begin();
    let mut tables = Tables::new();
    while let Ok(Job { stack, done }) = queue.recv() {
        done(tables.read(&stack), stack);
    }
}

impl Tables {
    fn new() -> Self {
        Self { unwinder: Unwinder::new(), symbols: Symbols::within(NAMES), executable: None }
    }

    /// Unwinds a copy and names its frames.
    fn read(&mut self, stack: &Snapshot) -> Stack {
        let trace = self.unwinder.unwind(stack.copied(), &OwnMemory);
        Stack {
            frames: self.symbols.name(&trace.addresses, self.unwinder.modules()),
            approximate: trace.approximate,
            captured_at: stack.at(),
            executable: self.executable.get_or_insert_with(|| self.unwinder.modules().executable().into()).clone(),
            limitation: trace.limitation.into(),
        }
    }
}
