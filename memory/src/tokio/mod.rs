//! What tokio's own structures say: headers and vtables of tasks, lists of them, semaphores, channels, timers, runtimes. Layouts come
//! from types where there are types, and are checked by what they must satisfy. Nothing here knows where debug information comes from.

pub(crate) mod channel;
pub(crate) mod context;
pub(crate) mod copy;
pub(crate) mod header;
pub(crate) mod io;
pub(crate) mod names;
pub(crate) mod owned;
pub(crate) mod record;
pub(crate) mod runtime;
pub(crate) mod scan;
pub(crate) mod semaphore;
pub(crate) mod timers;
pub(crate) mod value;
pub(crate) mod version;
pub(crate) mod vtable;
