//! A target as a resource, and words as attributes.

use crate::export::whose::Whose;
use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value::Value},
    resource::v1::Resource,
};

/// The names that OpenTelemetry has for a place in the source.
const FILE: &str = "code.file.path";
const LINE: &str = "code.line.number";

/// A target's process. What it calls itself is its service; where it does not say, the target is.
pub(super) fn resource(target: &str, labels: &[(String, String)], whose: Option<&Whose>) -> Resource {
    let said = |of: fn(&Whose) -> &String| whose.map(of).filter(|word| !word.is_empty());
    let mut attributes = vec![
        text("service.name", said(|whose| &whose.service).map_or(target, String::as_str)),
        text("service.instance.id", said(|whose| &whose.boot).map_or(target, String::as_str)),
        text("holdup.target", target),
    ];
    if let Some(whose) = whose {
        attributes.extend(whose.pid.map(|pid| number("process.pid", pid.into())));
        attributes.push(text("holdup.instrument", whose.instrument));
        if !whose.tokio.is_empty() {
            attributes.push(text("tokio.version", &whose.tokio));
        }
    }
    for (name, value) in labels {
        if attributes.iter().all(|known| known.key != *name) {
            attributes.push(text(name, value));
        }
    }
    Resource { attributes, ..Resource::default() }
}

/// This program.
pub(super) fn own() -> Resource {
    let attributes = vec![
        text("service.name", "holdup-export"),
        text("service.version", env!("CARGO_PKG_VERSION")),
        number("process.pid", std::process::id().into()),
    ];
    Resource { attributes, ..Resource::default() }
}

pub(super) fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

pub(super) fn number(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

pub(super) fn seconds(key: &str, value: f64) -> KeyValue {
    attribute(key, Value::DoubleValue(value))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// A place, as `src/main.rs:7`, or a file alone, or none.
pub(super) fn place(place: &str) -> impl Iterator<Item = KeyValue> {
    let with_line = place.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
    let (file, line) = with_line.map_or((place, None), |(file, line)| (file, Some(line)));
    let file = Some(file).filter(|file| !file.is_empty()).map(|file| text(FILE, file));
    file.into_iter().chain(line.map(|line| number(LINE, line)))
}
