//! One function on a stack.

use std::sync::Arc;

/// One function on a stack. An inlined one shares its address with the one that it was inlined into, which comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Demangled, without hash; empty where it is not known.
    pub function: Arc<str>,
    /// The source file, empty where it is not known.
    pub file: Arc<str>,
    /// From 1; 0 where it is not known.
    pub line: u32,
    /// From 1; 0 where it is not known.
    pub column: u32,
    /// In the process, not in the file.
    pub address: u64,
    /// In this process's executable, as it was linked: the instruction, or the call that is under way. 0 of one in a library, or
    /// in another process.
    pub offset: u64,
    /// The file name of the executable or library that holds the address; empty where none does.
    pub module: Arc<str>,
    /// Whether the compiler inlined it into the next one.
    pub inlined: bool,
}
