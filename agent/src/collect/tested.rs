//! What the agent was tested with, and what it met that it does not know: the names by which tokio tells what happens are tokio's own, and may
//! change with any version.

use crate::collect::{
    Detail,
    callsite::{self, Site},
};
use parking_lot::Mutex;
use tracing_core::{Level, Metadata};

/// Minor versions of tokio; `tests/matrix.rs` holds them to its lock files.
const VERSIONS: [&str; 2] = ["1.47", "1.54"];

/// Unknown ones that are kept.
const MOST: usize = 64;

/// Tokio's callsites whose name, target or fields are none that the agent knows.
static UNKNOWN: Mutex<Vec<&'static Metadata<'static>>> = Mutex::new(Vec::new());

/// Looks at a callsite that is being registered, and at what it was taken for.
pub(super) fn look(metadata: &'static Metadata<'static>, site: Option<Site>) {
    if is_known(metadata, site) {
        return;
    }
    let mut unknown = UNKNOWN.lock();
    // They are registered again whenever interests change.
    if unknown.len() < MOST && !unknown.iter().any(|known| std::ptr::eq(*known, metadata)) {
        unknown.push(metadata);
    }
}

/// Whether it is nothing of tokio's, or has what is read of it.
fn is_known(metadata: &Metadata<'_>, site: Option<Site>) -> bool {
    let fields: &[&str] = match site {
        None => {
            let is_tokios = metadata.module_path().is_some_and(|module| module.starts_with("tokio::"));
            return !is_tokios || *metadata.level() != Level::TRACE;
        }
        Some(Site::Spawn) => &["task.id", "kind", "loc.file", "loc.line"],
        Some(Site::Resource) => &["concrete_type", "kind"],
        Some(Site::Op) => &["source"],
        Some(Site::Waker) => &["op", "task.id"],
        Some(Site::PollOp) => &["is_ready"],
        Some(_) => &[],
    };
    fields.iter().all(|field| metadata.fields().field(field).is_some())
}

/// What follows for what is told, as sentences, where tasks are seen at all.
pub(crate) fn limitations(detail: Detail) -> Vec<String> {
    let untested = callsite::tokio_version().and_then(untested);
    // The agent's own tasks are woken all the time.
    let no_wakers = (detail == Detail::Full && !callsite::is_registered(Site::Waker))
        .then(|| "tokio tells nothing of wakers under a name that this agent knows".to_owned());
    untested.into_iter().chain(unknown(&UNKNOWN.lock())).chain(no_wakers).collect()
}

fn unknown(unknown: &[&Metadata<'_>]) -> Option<String> {
    let first = unknown.first()?;
    let more = if unknown.len() == MOST { " or more" } else { "" };
    Some(format!(
        "{}{more} of the places at which tokio tells what happens are none that this agent knows, such as {:?} of {}: what is told there is not seen",
        unknown.len(),
        first.name(),
        first.target(),
    ))
}

fn untested(version: &str) -> Option<String> {
    let minor = version.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    let is_tested = VERSIONS.contains(&&*minor);
    (!is_tested).then(|| {
        let tested = VERSIONS.join(" and ");
        format!("tokio {version} is none of those that this agent was tested with ({tested}): what it tells may have changed, and not be seen")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_core::{Callsite, Interest, Kind, field::FieldSet, identify_callsite};

    #[test]
    fn a_version_that_was_not_tested_is_said() {
        assert_eq!(untested("1.54.1"), None);
        assert_eq!(untested("1.47.99"), None);
        let said = untested("1.61.0-rc.1").unwrap();
        assert!(said.contains("1.61.0-rc.1") && said.contains("1.47 and 1.54"), "{said}");
        assert!(untested("2").is_some());
    }

    struct Unregistered;

    impl Callsite for Unregistered {
        fn set_interest(&self, _: Interest) {}
        fn metadata(&self) -> &Metadata<'_> {
            &RENAMED
        }
    }

    const fn span(name: &'static str, module: &'static str, fields: &'static [&'static str]) -> Metadata<'static> {
        let fields = FieldSet::new(fields, identify_callsite!(&Unregistered));
        Metadata::new(name, "tokio::task", Level::TRACE, None, None, Some(module), fields, Kind::SPAN)
    }

    static RENAMED: Metadata<'static> = span("rt.spawn", "tokio::util::trace", &["task.id"]);
    static WITHOUT: Metadata<'static> =
        span("runtime.spawn", "tokio::util::trace", &["id", "kind", "loc.file", "loc.line"]);
    static WHOLE: Metadata<'static> =
        span("runtime.spawn", "tokio::util::trace", &["kind", "task.id", "loc.file", "loc.line"]);
    static THEIRS: Metadata<'static> = span("request", "orders::tokio", &[]);

    #[test]
    fn names_and_fields_that_are_none_that_are_read_are_said() {
        assert!(is_known(&THEIRS, None) && is_known(&WHOLE, Some(Site::Spawn)));
        assert!(!is_known(&RENAMED, None) && !is_known(&WITHOUT, Some(Site::Spawn)));
        let said = unknown(&[&RENAMED, &WITHOUT]).unwrap();
        assert!(said.starts_with("2 of the places") && said.contains("\"rt.spawn\" of tokio::task"), "{said}");
        assert_eq!(unknown(&[]), None);
    }
}
