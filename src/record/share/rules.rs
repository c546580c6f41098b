//! What becomes of each text and each number, by the type and the field that it stands in. Whatever text is not listed here is replaced as a whole, so
//! that one which is added later is hidden until somebody lists it.

/// What becomes of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// It is replaced as a whole, by a mark after this word.
    Whole(&'static str),
    /// A name: Tokio's own are kept.
    Name,
    /// Of a path what is published is kept.
    Path,
    /// A path and its line.
    Place,
    /// A function or a type: of it what is published is kept.
    Function,
    /// A function and its place.
    Frame,
    /// Of an address that it is the same.
    Address,
    /// A version.
    Version,
    /// The file of a module.
    Module,
    /// What the kernel calls it.
    Kernel,
    /// A kind of loss.
    Loss,
    /// What an agent can tell, or in which detail.
    Ability,
    /// The name of a lint.
    Lint,
    /// The name of a threshold.
    Threshold,
    /// Why something is not known: the program's own words.
    Reason,
    /// The value of a field: kept where the field is Tokio's, and the value a name of its.
    Value,
    /// One of the program's own words, which its type can have alone.
    Word,
}

pub(super) fn text(ty: &str, field: &str) -> Text {
    match (ty, field) {
        ("NewMetadata", "name" | "target" | "field_names")
        | ("FieldName", "Text")
        | ("Attribute", "unit")
        | ("NewTask" | "KnownTask" | "Process" | "RuntimeStats" | "Thread" | "TaskRef" | "RuntimeRef", "name")
        | ("NewResource", "kind" | "concrete_type" | "target")
        | ("NewOp", "source")
        | ("Names", "texts")
        | ("Panic", "task_name")
        | ("CycleStep", "waits_in")
        | ("WorkerRef", "runtime" | "thread") => Text::Name,
        ("Process", "detail" | "capabilities") => Text::Ability,
        ("Value", "Text") => Text::Value,
        ("SourcePlace" | "Place", "file") | ("Places", "by_source") | ("Process", "executable") | ("Root", "0") => {
            Text::Path
        }
        ("TaskRef" | "LockRef", "place") | ("Subject", "Place") | ("JobTable", "0") => Text::Place,
        ("Frame", "name" | "function")
        | ("FrameValues", "name")
        | ("Variable", "name" | "ty")
        | ("TaskLook" | "Root", "future")
        | ("Job", "closure")
        | ("Claim" | "Holder", "local")
        | ("Thing", "ty" | "names") => Text::Function,
        ("CycleStep", "acquired_at" | "waits_at") | ("Keeper", "at") => Text::Frame,
        ("Socket", "local" | "peer") | ("Peers", "names" | "numbers") => Text::Address,
        ("Process", "agent_version" | "tokio_version") => Text::Version,
        ("Frame", "module") => Text::Module,
        ("Stall", "system_call" | "kernel_function") | ("Thread", "waits_in") => Text::Kernel,
        ("Loss", "kind") => Text::Loss,
        ("Finding" | "LintState", "lint") => Text::Lint,
        ("Values", "0") => Text::Threshold,
        ("Knows", "missing") => Text::Reason,
        ("Evidence", "name") | ("TaskRef" | "LockRef", "kind") | ("StackRef", "what") | ("Keeper", "does") => {
            Text::Word
        }
        ("Process", "boot_id") => Text::Whole("boot"),
        ("Panic", "message") => Text::Whole("panic"),
        ("Span", _) => Text::Whole("span"),
        ("Variable", "value") => Text::Whole("value"),
        _ => Text::Whole("text"),
    }
}

/// What becomes of a number. Most say how many, how long or where in a table, and are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    /// It is kept.
    Kept,
    /// It names something of the machine or of the process's memory: another number names it.
    Names(Named),
    /// A resource, which is named by an address where memory alone tells of it.
    Resource,
    /// Nanoseconds since the Unix epoch.
    Nanos,
    /// Seconds since the Unix epoch.
    Seconds,
    /// The value of a field.
    Value,
}

/// What a number is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Named {
    /// A process or a thread.
    Thread,
    /// Something at an address.
    Thing,
    /// A description, by its address.
    Description,
    /// Code.
    Code,
}

impl Named {
    pub(super) const ALL: [Self; 4] = [Self::Thread, Self::Thing, Self::Description, Self::Code];

    /// The numbers that are given begin here, and each is so much larger than the one before. What had been larger is larger still: lists are in that
    /// order.
    pub(super) fn numbered(self) -> (u64, u64) {
        match self {
            Self::Thread | Self::Description => (1, 1),
            // As large as addresses are: what is numbered from 1 is never taken for one.
            Self::Thing => (0x1000_0000_0000, 0x40),
            Self::Code => (0x1000, 0x10),
        }
    }
}

pub(super) fn number(ty: &str, field: &str) -> Number {
    match (ty, field) {
        ("Stamp", "0") => Number::Nanos,
        ("Spark", "second") | ("Lane", "newest") => Number::Seconds,
        ("Process", "pid")
        | ("Thread", "tid" | "id")
        | ("Root" | "Job", "thread")
        | ("Who" | "Actor", "Root")
        | ("Owner", "Thread")
        | ("Kept" | "Counted", "threads")
        | ("Memory", "slept")
        | ("AwaitedRef", "Poll") => Number::Names(Named::Thread),
        ("ThingId", "0") => Number::Names(Named::Thing),
        ("ResourceId", "0") | ("LockRef", "number") => Number::Resource,
        ("MetaId", "0") => Number::Names(Named::Description),
        ("Frame", "address" | "offset") => Number::Names(Named::Code),
        ("Value", _) => Number::Value,
        _ => Number::Kept,
    }
}

/// Bytes that are numbers, each by itself. Others may be text, and are left out.
pub(super) fn are_numbers(ty: &str, field: &str) -> bool {
    matches!((ty, field), ("Spark", "shares"))
}

/// Letters that the kernel says. Others are replaced.
pub(super) fn is_letter_of_kernel(ty: &str, field: &str) -> bool {
    matches!((ty, field), ("Thread", "state"))
}
