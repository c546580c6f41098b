//! What a thread's `CONTEXT` says: which task it polls, for which runtime, as which worker.

use super::value::Value;
use crate::{
    bytes::Bytes,
    debug::{Debug, TypeId, Types},
};

/// Where tokio keeps what is local to a thread.
const CONTEXT: &str = "tokio::runtime::context::CONTEXT";
/// More tasks that have yielded are not looked at.
const MOST_DEFERRED: u64 = 65_536;

/// The variable, in an object's thread-local block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variable {
    at: u64,
    ty: TypeId,
    /// Where the standard library says whether it was made: a byte that is 0 until then.
    made: Option<u64>,
}

/// What a thread is to tokio.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Context {
    /// Tokio's own number of the thread, by which it knows whose a `LocalSet` is.
    pub(crate) thread: Option<u64>,
    /// The task that it polls, or the job that it runs.
    pub(crate) task: Option<u64>,
    /// Where the handle stands of the runtime that it is in.
    pub(crate) runtime: Option<u64>,
    /// Whether it is inside of `block_on`, or a worker.
    pub(crate) entered: bool,
    /// Whether the thread has used tokio at all.
    pub(crate) used: bool,
    pub(crate) worker: Option<Worker>,
}

/// The worker that a thread is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Worker {
    pub(crate) index: u64,
    pub(crate) tick: Option<u64>,
    /// Whether it has its core. Without one while it polls, it has handed its work over.
    pub(crate) has_core: bool,
    /// The header of the task that comes next.
    pub(crate) next: Option<u64>,
    /// The headers of tasks that have yielded.
    pub(crate) deferred: Vec<u64>,
}

impl Variable {
    pub(crate) fn find(debug: &Debug) -> Option<Self> {
        let (at, whole) = debug.index().thread_local(CONTEXT)?;
        let (inner, ty) = debug.find(whole, &|ty| ty.is("tokio::runtime::context", "Context"), 8)?;
        let made = debug.path(whole, &["state"]).and_then(|(state, _)| at.checked_add(state));
        Some(Self { at: at.checked_add(inner)?, ty, made })
    }

    /// Reads it in the thread whose block begins here. The handle's value is told as well.
    pub(crate) fn read<'a>(
        self,
        block: u64,
        debug: &'a Debug,
        bytes: &'a dyn Bytes,
    ) -> Option<(Context, Option<Value<'a>>)> {
        let value = Value::new(debug, bytes, block.checked_add(self.at)?, self.ty);
        let number = |name: &str| value.path(&[name]).and_then(option).and_then(Value::number);
        let (task, thread) = (number("current_task_id"), number("thread_id"));
        let handle =
            value.path(&["current"]).and_then(|current| current.find_option("tokio::runtime::scheduler", "Handle"));
        let handle = handle.and_then(Value::variant).and_then(|(_, arc)| arc.path(&["__0"])?.target());
        let entered = value
            .path(&["runtime"])
            .and_then(|entered| entered.find("tokio::runtime::context::runtime", "EnterRuntime"));
        let entered = entered.and_then(Value::variant).is_some_and(|(name, _)| &*name == "Entered");
        let mut byte = [0];
        let read = self.made.and_then(|made| block.checked_add(made)).is_none_or(|at| bytes.read(at, &mut byte));
        let used = self.made.is_none() || !read || byte != [0];
        let mut context = Context {
            thread: thread.filter(|thread| *thread != 0),
            task: task.filter(|task| *task != 0),
            runtime: handle.map(|handle| handle.at),
            entered,
            used,
            worker: None,
        };
        let scheduler = value.path(&["scheduler"]).and_then(Value::target).and_then(Value::variant);
        if let Some((_, scheduler)) = scheduler {
            let scheduler = scheduler.path(&["__0"])?;
            context.worker = Some(worker(scheduler, bytes));
            let own = scheduler.path(&["worker"]).and_then(Value::target).and_then(|worker| worker.path(&["handle"]));
            let own = own.or_else(|| scheduler.path(&["handle"])).and_then(Value::target);
            context.runtime = own.map(|handle| handle.at).or(context.runtime);
            return Some((context, own.or(handle)));
        }
        Some((context, handle))
    }
}

fn worker(scheduler: Value<'_>, bytes: &dyn Bytes) -> Worker {
    let index =
        scheduler.path(&["worker"]).and_then(Value::target).and_then(|worker| worker.path(&["index"])?.number());
    let core =
        scheduler.path(&["core"]).and_then(|cell| cell.path(&["value"])).and_then(option).and_then(Value::target);
    let next = core.and_then(|core| core.path(&["lifo_slot"])).and_then(|slot| bytes.word(slot.at));
    Worker {
        index: index.unwrap_or(0),
        tick: core.and_then(|core| core.path(&["tick"])?.number()),
        has_core: core.is_some(),
        next: next.filter(|next| *next != 0),
        deferred: deferred(scheduler, bytes).unwrap_or_default(),
    }
}

/// The wakers of tasks that have yielded: each leads to a header.
fn deferred(scheduler: Value<'_>, bytes: &dyn Bytes) -> Option<Vec<u64>> {
    let list = scheduler.path(&["defer", "deferred"])?.find("alloc::vec", "Vec")?;
    let count = list.path(&["len"])?.number()?.min(MOST_DEFERRED);
    let start = list.buffer()?;
    let (data, size) = (list.waker_of_element()?, 16);
    let at = |index: u64| start.checked_add(index.checked_mul(size)?)?.checked_add(data);
    Some((0..count).filter_map(|index| bytes.word(at(index)?)).collect())
}

/// What an option has, wherever in a cell it is.
fn option(value: Value<'_>) -> Option<Value<'_>> {
    value.find("core::option", "Option")?.some()
}
