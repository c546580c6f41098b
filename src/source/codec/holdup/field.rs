//! Named values, what they are named by, and places.

use crate::{
    source::codec::{required, text},
    update::{Attribute, DecodeIssues, Field, FieldName, MetaId, NewMetadata, SourcePlace, Value},
};
use holdup_proto::v1 as proto;

/// The description of a span or an event.
pub(super) fn metadata(new: proto::Metadata, issues: &mut DecodeIssues) -> Option<NewMetadata> {
    Some(NewMetadata {
        id: MetaId(required(Some(new.id), issues)?),
        name: text::text(new.name, issues),
        target: text::text(new.target, issues),
        field_names: text::items(new.field_names, issues).map(|name| text::text(name, issues)).collect(),
    })
}

pub(super) fn encode_metadata(new: &NewMetadata) -> proto::Metadata {
    proto::Metadata {
        id: new.id.0,
        name: new.name.clone(),
        target: new.target.clone(),
        field_names: new.field_names.clone(),
    }
}

pub(super) fn attributes(attributes: Vec<proto::Attribute>, issues: &mut DecodeIssues) -> Vec<Attribute> {
    let attribute = |one: proto::Attribute, issues: &mut DecodeIssues| {
        let Some(told) = one.field else {
            issues.missing_field += 1;
            return None;
        };
        Some(Attribute { field: field(told, issues)?, unit: one.unit.map(|unit| text::text(unit, issues)) })
    };
    text::items(attributes, issues).filter_map(|one| attribute(one, issues)).collect()
}

pub(super) fn encode_attribute(attribute: &Attribute) -> proto::Attribute {
    proto::Attribute { field: Some(encode_field(&attribute.field)), unit: attribute.unit.clone() }
}

pub(super) fn field(field: proto::Field, issues: &mut DecodeIssues) -> Option<Field> {
    let (Some(name), Some(value)) = (field.name, field.value) else {
        issues.missing_field += 1;
        return None;
    };
    let name = match name {
        proto::field::Name::Text(name) => FieldName::Text(text::text(name, issues)),
        proto::field::Name::Index(at) => {
            FieldName::Index(MetaId(at.metadata), usize::try_from(at.index).unwrap_or(usize::MAX))
        }
    };
    let value = match value {
        proto::field::Value::BoolValue(value) => Value::Bool(value),
        proto::field::Value::U64Value(value) => Value::U64(value),
        proto::field::Value::I64Value(value) => Value::I64(value),
        proto::field::Value::TextValue(value) => Value::Text(text::text(value, issues)),
    };
    Some(Field { name, value })
}

pub(super) fn encode_field(field: &Field) -> proto::Field {
    let name = match &field.name {
        FieldName::Text(name) => proto::field::Name::Text(name.clone()),
        FieldName::Index(metadata, index) => {
            proto::field::Name::Index(proto::field::Index { metadata: metadata.0, index: *index as u64 })
        }
    };
    let value = match &field.value {
        Value::Bool(value) => proto::field::Value::BoolValue(*value),
        Value::U64(value) => proto::field::Value::U64Value(*value),
        Value::I64(value) => proto::field::Value::I64Value(*value),
        Value::Text(value) => proto::field::Value::TextValue(value.clone()),
    };
    proto::Field { name: Some(name), value: Some(value) }
}

pub(super) fn place(location: Option<proto::Location>, issues: &mut DecodeIssues) -> Option<SourcePlace> {
    let location = location?;
    Some(SourcePlace { file: text::text(location.file, issues), line: location.line, column: location.column })
}

pub(super) fn encode_place(place: &SourcePlace) -> proto::Location {
    proto::Location { file: place.file.clone(), line: place.line, column: place.column }
}
