//! Fields and attributes: from what was sent to what a row keeps.

use super::{
    Attr, MetaId, Names, TaskKind,
    update::{Attribute, Field, FieldName, NewMetadata, Value},
};
use rustc_hash::FxHashMap;
use std::num::NonZeroU64;

/// The descriptions that the target registered.
#[derive(Debug, Clone, Default)]
pub(super) struct Descriptions(FxHashMap<MetaId, NewMetadata>);

impl Descriptions {
    /// Takes in a description, and says whether it is a new one.
    pub(super) fn register(&mut self, metadata: NewMetadata) -> bool {
        self.0.insert(metadata.id, metadata).is_none()
    }

    /// A field's name; empty where an index points nowhere.
    pub(super) fn field_name<'a>(&'a self, name: &'a FieldName) -> &'a str {
        match name {
            FieldName::Text(text) => text,
            FieldName::Index(meta, index) => {
                self.0.get(meta).and_then(|meta| meta.field_names.get(*index)).map_or("", String::as_str)
            }
        }
    }

    /// What a description's target is; empty where it was never registered.
    pub(super) fn target(&self, meta: MetaId) -> &str {
        self.0.get(&meta).map_or("", |meta| &meta.target)
    }

    /// The kind that a task's description implies, for old runtimes that do not send the field.
    pub(super) fn task_kind(&self, meta: MetaId) -> Option<TaskKind> {
        let meta = self.0.get(&meta)?;
        (meta.target == "tokio::task::blocking").then_some(TaskKind::Blocking)
    }
}

/// What a task's fields say, apart from those that nobody here knows.
#[derive(Debug, Clone, Default)]
pub(super) struct TaskFields {
    pub(super) name: String,
    pub(super) number: Option<NonZeroU64>,
    pub(super) kind: Option<TaskKind>,
    pub(super) size: u32,
    pub(super) original_size: u32,
    pub(super) extra: Vec<Field>,
}

impl TaskFields {
    pub(super) fn read(fields: Vec<Field>, descriptions: &Descriptions) -> Self {
        let mut read = Self::default();
        for field in fields {
            match (descriptions.field_name(&field.name), &field.value) {
                ("task.name", Value::Text(name)) => read.name.clone_from(name),
                ("task.id", &Value::U64(id)) => read.number = NonZeroU64::new(id),
                ("kind", Value::Text(kind)) => read.kind = Some(TaskKind::from_name(kind)),
                ("size.bytes", &Value::U64(size)) => read.size = u32::try_from(size).unwrap_or(u32::MAX),
                ("original_size.bytes", &Value::U64(size)) => {
                    read.original_size = u32::try_from(size).unwrap_or(u32::MAX);
                }
                _ => read.extra.push(field),
            }
        }
        read
    }
}

/// Takes in attributes, in the order of their names so that a screen stands still.
pub(super) fn attributes(sent: Vec<Attribute>, descriptions: &Descriptions, names: &mut Names) -> Vec<Attr> {
    let mut attributes: Vec<Attr> = sent
        .into_iter()
        .map(|attribute| Attr {
            name: names.intern(descriptions.field_name(&attribute.field.name)),
            value: attribute.field.value,
            unit: names.intern(attribute.unit.as_deref().unwrap_or_default()),
        })
        .collect();
    attributes.sort_by(|a, b| names.text(a.name).cmp(names.text(b.name)));
    attributes
}
