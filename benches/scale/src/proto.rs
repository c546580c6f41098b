//! Parts of messages that tasks and locks have in common.

use console_api::{
    Attribute, Field, Location, MetaId, Metadata, RegisterMetadata, field, metadata, register_metadata::NewMetadata,
};

/// The one description that all rows refer to.
pub(crate) const META: u64 = 1;

/// A field.
pub(crate) fn field(name: &str, value: field::Value) -> Field {
    Field { name: Some(field::Name::StrName(name.into())), value: Some(value), metadata_id: Some(MetaId { id: META }) }
}

/// An attribute without a unit.
pub(crate) fn attribute(name: &str, value: field::Value) -> Attribute {
    Attribute { field: Some(field(name, value)), unit: None }
}

/// A place in the source.
pub(crate) fn location(file: &str, line: u32) -> Location {
    Location { file: Some(file.into()), module_path: None, line: Some(line), column: Some(9) }
}

/// What rows refer to.
pub(crate) fn metadata() -> RegisterMetadata {
    let metadata = Metadata {
        name: "runtime.spawn".into(),
        target: "tokio::task".into(),
        module_path: String::new(),
        location: None,
        kind: metadata::Kind::Span.into(),
        level: metadata::Level::Trace.into(),
        field_names: ["kind", "task.name", "task.id", "size.bytes"].map(String::from).to_vec(),
    };
    RegisterMetadata { metadata: vec![NewMetadata { id: Some(MetaId { id: META }), metadata: Some(metadata) }] }
}
