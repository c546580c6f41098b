//! Locks: what is known of each, who holds it and who waits for it; told by an agent, or inferred from the console's format.

mod certainty;
mod exact;
mod held;
mod ids;
mod infer;
mod lock;
mod unknown;

pub use certainty::Sighting;
pub(super) use ids::LockIds;
pub use lock::{Acquire, AcrossAwait, Basis, HOLD_BUCKETS, Hold, HoldTimes, Lock, LockKind, LockState};
pub use unknown::Unknown;
