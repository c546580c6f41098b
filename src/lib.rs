//! holdup.
