//! What is around every screen: header, tabs, banner, footer, and what lies on top.

pub(crate) mod banner;
pub(crate) mod empty;
pub(crate) mod footer;
pub(crate) mod header;
pub(crate) mod overlay;
pub(crate) mod tabs;
pub(crate) mod time_line;
pub(crate) mod tour;
pub(crate) mod unseen;
