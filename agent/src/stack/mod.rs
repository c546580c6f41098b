//! The stack of a stalled thread: captured, unwound and symbolized, in three files.
