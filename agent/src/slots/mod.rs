//! Memory that never moves, and its reuse: slots in which one thread writes while others read, which of them were written, and
//! which are free. Nothing here waits for anybody but for the lock on the free ones.
//!
//! It knows nothing of tasks and locks: what a slot holds is its user's.
//!
//! # Invariants
//!
//! Cited by their numbers where something relies on one. Those on single words are asserted in debug builds, and [`lifetime`], [`delivery`] and
//! [`bitmap`] are run by loom in every order (`agent/tests/loom.rs`).
//!
//! - **I1, one place.** The index of a slot is at any time in one place: in a [`FreeList`](free_list::FreeList) or a thread's cache of it, in a
//!   [`Free`](stages::Free), a [`Newborn`](stages::Newborn) or an [`Ended`](stages::Ended), or with the handles of its user. So only one thread begins a user.
//! - **I2, busy without handles.** BUSY is set by `begin` and cleared by `publish`, on one thread. Meanwhile there are no handles, and whoever reads passes
//!   the slot over. Handles never reach the bit above them.
//! - **I3, a handle keeps its user.** Whoever clones or drops a handle has one. While there is any, the stamp's users do not change; whoever has the
//!   only one is alone with the word.
//! - **I4, whole reads.** What was read between a look at the lifetime and a second one that found the same user is all that user's: writes of the next user
//!   follow its BUSY by a release fence, and the second look follows the reads by an acquire fence. Each word is whole by itself; two words of one user
//!   may be of different moments. A reader that slept while exactly all stamps of a slot went by would be fooled: 2³⁶ users, of a resource 2²⁰.
//! - **I5, no write stays untold.** Who writes a slot looks at its mark afterwards and sets it; the reader takes the mark, passes [`barrier::heavy`], and
//!   reads then. So each write is seen in this round, or its mark is left for the next one.
//! - **I6, one writer.** Words to which is added without a locked instruction have one writer at a time: those of a poll the thread that
//!   polls, which the runtime hands on in order, and those of a newborn its thread. What anybody may write is added to by one.
//! - **I7, one fate.** The end of each user is told or counted as lost, and never both: a single exchange in [`delivery`] decides, on a word that has the
//!   user's stamp.
//! - **I8, never gone.** A chunk is made once, in order, its marks before its slots, and is never moved or freed. A slot that was found once can always be read.

pub(crate) mod arena;
mod atomics;
pub(crate) mod barrier;
mod bitmap;
pub(crate) mod budget;
pub(crate) mod delivery;
pub(crate) mod doublings;
pub(crate) mod final_states;
pub(crate) mod free_list;
pub(crate) mod histogram;
pub(crate) mod id;
pub(crate) mod intern;
pub(crate) mod lifetime;
pub(crate) mod round;
pub(crate) mod stages;
pub(crate) mod word;
