//! What a Tokio service links in to be seen by holdup: its tasks, locks, workers and stalls, at a cost that production can
//! afford.
//!
//! The parts, and which way a datum goes: [`collect`] runs on the service's own threads and writes what happens into slots
//! of memory; [`watchdog`] is a plain thread that looks at those slots and notices a poll that does not end; [`stack`] tells
//! where in the source such a thread is; [`serve`] reads all of it, on a thread and a runtime of its own, and answers the
//! console's `Instrument` service and holdup's `Diagnostics`. Nothing flows back: a service's thread never waits for
//! whoever watches it.

mod collect;
mod serve;
mod stack;
mod watchdog;
