//! What the debug information of an object tells: types with their layouts, functions, thread-locals, vtables. It may come from
//! the object itself, from beside it, from a twin, or from a layout that was made of it. Nothing here reads the process.
//!
//! ```text
//! locate     which file has it            build_id   and whether it belongs to the object
//! dwarf      an index of it, and types when they are asked for
//! layout     the same out of a file of megabytes         cache   kept for the next look
//! symbols    names of functions, where there are no types
//! twin       types of another build, by name
//! lines      the line where a macro is used
//! ```

mod types;

pub use types::{Encoding, Index, Kind, Member, Type, TypeId, Variant, VariantPart};
