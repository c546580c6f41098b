//! What was lost before it could be told, and what could not be used of what came.

/// Something that the agent could not keep or tell.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Loss {
    /// Kebab-case, such as `finished-tasks`.
    pub kind: String,
    /// How many since the process began.
    pub count: u64,
}

/// A count of events that the target dropped before they reached its own collector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Dropped {
    /// Spawns.
    pub tasks: u64,
    /// Resource creations.
    pub resources: u64,
    /// Operations and their polls.
    pub ops: u64,
}

impl Dropped {
    /// All kinds together, saturating.
    pub fn total(self) -> u64 {
        self.tasks.saturating_add(self.resources).saturating_add(self.ops)
    }
}

/// What a message held that could not be used: the parts are skipped and counted, never guessed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DecodeIssues {
    /// Entries without the id that says what they are about.
    pub missing_id: u64,
    /// Entries without a field that the format requires (statistics, a creation time).
    pub missing_field: u64,
    /// Times and durations that are negative or out of range.
    pub bad_time: u64,
    /// Names and values cut to the client's bounds.
    pub cut_text: u64,
    /// Entries larger than the client's bound for one entry, skipped unread.
    pub too_large: u64,
    /// Bytes that are not the wire format: the entry that they are in, or the rest of the message, is lost.
    pub malformed: u64,
}

impl DecodeIssues {
    /// All kinds together.
    pub fn total(self) -> u64 {
        self.missing_id + self.missing_field + self.bad_time + self.cut_text + self.too_large + self.malformed
    }

    /// Adds another message's issues to these.
    pub fn add(&mut self, other: DecodeIssues) {
        self.missing_id += other.missing_id;
        self.missing_field += other.missing_field;
        self.bad_time += other.bad_time;
        self.cut_text += other.cut_text;
        self.too_large += other.too_large;
        self.malformed += other.malformed;
    }
}
