//! Lists whatever they show: the cursor, lists that are made anew, and long ones that stay sorted.

pub(crate) mod column;
pub(crate) mod cursor;
pub(crate) mod panel;
pub(crate) mod rows;
pub(crate) mod sorted;
