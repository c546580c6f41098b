//! Chance, for what must not fall into step with others: how long to wait before a try, and between two looks.

use rand::{SeedableRng as _, rngs::StdRng};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// Numbers by chance. They begin with what maps are keyed by: the standard library has that of the system by itself, also where there is no `/dev`.
pub(super) fn chance() -> StdRng {
    StdRng::seed_from_u64(RandomState::new().build_hasher().finish())
}
