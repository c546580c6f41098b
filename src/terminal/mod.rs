//! The real terminal: the guard that restores it, and the event loop.
