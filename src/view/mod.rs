//! One file for each region of the screen: plain functions from app and model to a frame. Nothing here changes what it draws,
//! walks all of a list, or reads a clock: a view is given the rows that are visible, and the instant that it is.

pub mod bars;
pub mod numbers;
pub mod sparkline;
pub mod text;
pub mod theme;

pub use theme::Theme;
