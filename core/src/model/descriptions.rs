//! Fields and attributes: from what was sent to what a row keeps.

use super::{Attr, Names};
use crate::update::{Attribute, Field, FieldName, MetaId, NewMetadata, NewTask, TaskKind};
use rustc_hash::FxHashMap;

/// The descriptions that the target registered.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
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

    /// Reads a task's fields whose names are told by index.
    pub(super) fn resolve(&self, new: &mut NewTask) {
        let is_indexed = |field: &Field| matches!(field.name, FieldName::Index(..));
        if !new.fields.iter().any(is_indexed) {
            return;
        }
        for field in std::mem::take(&mut new.fields) {
            let name = self.field_name(&field.name).to_owned();
            new.read(&name, field);
        }
    }

    /// Whether a description is here.
    pub(super) fn has(&self, meta: MetaId) -> bool {
        self.0.contains_key(&meta)
    }

    /// Whether a description that is not here may say more of a task.
    pub(super) fn lacks(&self, new: &NewTask) -> bool {
        let is_missing = |field: &Field| matches!(field.name, FieldName::Index(meta, _) if !self.has(meta));
        let of_kind = new.kind.is_none() && new.metadata.is_some_and(|meta| !self.has(meta));
        of_kind || new.fields.iter().any(is_missing)
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
