//! Names, fields, attributes and places.

use crate::{
    source::codec::{
        required,
        text::{items, text},
    },
    update::{Attribute, DecodeIssues, Field, FieldName, MetaId, NewMetadata, SourcePlace, Value},
};
use console_api as api;

/// The description of a span or an event.
pub(in crate::source::codec) fn new_metadata(
    new: api::register_metadata::NewMetadata,
    issues: &mut DecodeIssues,
) -> Option<NewMetadata> {
    let id = required(new.id.map(|id| id.id), issues)?;
    let Some(metadata) = new.metadata else {
        issues.missing_field += 1;
        return None;
    };
    Some(NewMetadata {
        id: MetaId(id),
        name: text(metadata.name, issues),
        target: text(metadata.target, issues),
        field_names: items(metadata.field_names, issues).map(|name| text(name, issues)).collect(),
    })
}

pub(super) fn fields(fields: Vec<api::Field>, issues: &mut DecodeIssues) -> Vec<Field> {
    items(fields, issues).filter_map(|one| field(one, issues)).collect()
}

pub(super) fn attributes(attributes: Vec<api::Attribute>, issues: &mut DecodeIssues) -> Vec<Attribute> {
    items(attributes, issues)
        .filter_map(|attribute| {
            let Some(one) = attribute.field else {
                issues.missing_field += 1;
                return None;
            };
            Some(Attribute { field: field(one, issues)?, unit: attribute.unit.map(|unit| text(unit, issues)) })
        })
        .collect()
}

fn field(field: api::Field, issues: &mut DecodeIssues) -> Option<Field> {
    let (Some(name), Some(value)) = (field.name, field.value) else {
        issues.missing_field += 1;
        return None;
    };
    let name = match name {
        api::field::Name::StrName(name) => FieldName::Text(text(name, issues)),
        api::field::Name::NameIdx(index) => {
            let metadata = required(field.metadata_id.map(|id| id.id), issues)?;
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            FieldName::Index(MetaId(metadata), index)
        }
    };
    let value = match value {
        api::field::Value::BoolVal(value) => Value::Bool(value),
        api::field::Value::U64Val(value) => Value::U64(value),
        api::field::Value::I64Val(value) => Value::I64(value),
        api::field::Value::StrVal(value) | api::field::Value::DebugVal(value) => Value::Text(text(value, issues)),
    };
    Some(Field { name, value })
}

/// A place, where a file is told. A module path alone is no place that a user can open.
pub(super) fn place(location: Option<api::Location>, issues: &mut DecodeIssues) -> Option<SourcePlace> {
    let location = location?;
    Some(SourcePlace {
        file: text(location.file?, issues),
        line: location.line.unwrap_or(0),
        column: location.column.unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::codec::text::MAX_ITEMS;

    #[test]
    fn fields_past_the_bound_are_counted() {
        let mut issues = DecodeIssues::default();
        let one = api::Field {
            metadata_id: None,
            name: Some(api::field::Name::StrName("n".to_owned())),
            value: Some(api::field::Value::BoolVal(true)),
        };
        let kept = fields(vec![one; MAX_ITEMS + 3], &mut issues);
        assert_eq!((kept.len(), issues.cut_text), (MAX_ITEMS, 3));
    }

    #[test]
    fn a_field_needs_a_name_and_a_value_and_an_index_needs_its_metadata() {
        let mut issues = DecodeIssues::default();
        let nameless = api::Field { metadata_id: None, name: None, value: Some(7_u64.into()) };
        let empty = api::Field { metadata_id: None, name: Some("x".into()), value: None };
        let lost =
            api::Field { metadata_id: None, name: Some(api::field::Name::NameIdx(3)), value: Some(7_u64.into()) };
        let found = api::Field { metadata_id: Some(api::MetaId { id: 9 }), ..lost.clone() };
        let kept = fields(vec![nameless, empty, lost, found], &mut issues);
        assert_eq!(kept, [Field { name: FieldName::Index(MetaId(9), 3), value: Value::U64(7) }]);
        assert_eq!((issues.missing_field, issues.missing_id), (2, 1));
    }
}
