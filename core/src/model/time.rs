//! Time as the target tells it.

pub use crate::update::{Stamp, nanos};
