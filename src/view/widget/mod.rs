//! What several screens are made of. Nothing here knows which.

pub(crate) mod bars;
pub(crate) mod facts;
pub(crate) mod markdown;
pub(crate) mod pane;
pub(crate) mod sparkline;
pub(crate) mod stack;
pub(crate) mod table;
pub(crate) mod tree;
pub(crate) mod wrap;
