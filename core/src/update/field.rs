//! Named values, and what they are named by.

use super::MetaId;

/// A span's or event's static description.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NewMetadata {
    /// What tasks, resources and fields refer to it by.
    pub id: MetaId,
    /// Such as `runtime.spawn`.
    pub name: String,
    /// Such as `tokio::task`.
    pub target: String,
    /// The names that a field's index stands for.
    pub field_names: Vec<String>,
}

/// A named value attached to a task, a resource or an operation.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Field {
    /// Resolved where the name was sent as text; else the index into the metadata's names.
    pub name: FieldName,
    /// The value as sent.
    pub value: Value,
}

/// A field's name as sent.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum FieldName {
    /// In full.
    Text(String),
    /// As an index into `field_names` of this metadata.
    Index(MetaId, usize),
}

/// A field's value.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Value {
    /// A flag, such as a mutex's `locked`.
    Bool(bool),
    /// A count.
    U64(u64),
    /// A signed number.
    I64(i64),
    /// Text, or the debug form of anything else.
    Text(String),
}

/// A field with a unit.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Attribute {
    /// Name and value.
    pub field: Field,
    /// Such as `ms`.
    pub unit: Option<String>,
}
