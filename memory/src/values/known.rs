//! Types that are told otherwise than by their members: those of the standard library that people know by what they stand for, and
//! those whose insides nobody asks for.

use crate::debug::Type;

/// How a type is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Its name alone.
    Name,
    /// As its only member.
    Inside,
    /// `IpAddr`, `SocketAddr`: as what its variant has.
    Address,
    Vec,
    /// `String`, `PathBuf`: a vector of bytes that are text.
    Text,
    /// `Arc`, `Rc`.
    Shared,
    Duration,
    Instant,
    SystemTime,
    /// `Ipv4Addr`, `Ipv6Addr`.
    Octets,
    /// `SocketAddrV4`, `SocketAddrV6`.
    Socket,
    Uuid,
    /// A table or tree: how many are in it, by the member of this name.
    Counted(&'static str),
    /// `bytes::Bytes`: a pointer and a length.
    Slice,
}

const TABLE: &[(&str, &str, Known)] = &[
    ("alloc::string", "String", Known::Text),
    ("std::path", "PathBuf", Known::Text),
    ("std::ffi::os_str", "OsString", Known::Text),
    ("alloc::vec", "Vec", Known::Vec),
    ("alloc::sync", "Arc", Known::Shared),
    ("alloc::rc", "Rc", Known::Shared),
    ("core::time", "Duration", Known::Duration),
    ("std::time", "Instant", Known::Instant),
    ("std::time", "SystemTime", Known::SystemTime),
    ("tokio::time::instant", "Instant", Known::Instant),
    ("core::net::ip_addr", "Ipv4Addr", Known::Octets),
    ("core::net::ip_addr", "Ipv6Addr", Known::Octets),
    ("core::net::ip_addr", "IpAddr", Known::Address),
    ("core::net::socket_addr", "SocketAddr", Known::Address),
    ("core::net::socket_addr", "SocketAddrV4", Known::Socket),
    ("core::net::socket_addr", "SocketAddrV6", Known::Socket),
    ("core::pin", "Pin", Known::Inside),
    ("core::mem::manually_drop", "ManuallyDrop", Known::Inside),
    ("core::mem::maybe_dangling", "MaybeDangling", Known::Inside),
    ("core::cell", "Cell", Known::Inside),
    ("core::cell", "UnsafeCell", Known::Inside),
    ("core::cmp", "Reverse", Known::Inside),
    ("std::collections::hash::map", "HashMap", Known::Counted("items")),
    ("std::collections::hash::set", "HashSet", Known::Counted("items")),
    ("alloc::collections::btree::map", "BTreeMap", Known::Counted("length")),
    ("alloc::collections::btree::set", "BTreeSet", Known::Counted("length")),
    ("alloc::collections::vec_deque", "VecDeque", Known::Counted("len")),
    ("bytes::bytes", "Bytes", Known::Slice),
    ("bytes::bytes_mut", "BytesMut", Known::Slice),
    ("uuid", "Uuid", Known::Uuid),
];

/// Whose types are told by their names: what stands in them is theirs, and in motion.
const NAMES: &[&str] = &[
    "tokio",
    "tokio_util",
    "tokio_stream",
    "futures_util",
    "futures_core",
    "futures_channel",
    "hyper",
    "hyper_util",
    "h2",
    "tonic",
    "tower",
    "tracing",
    "tracing_core",
    "mio",
    "parking_lot",
    "lock_api",
];

/// How a structure is told, where it is not by its members.
pub(super) fn known(ty: &Type) -> Option<Known> {
    if let Some((.., known)) = TABLE.iter().find(|(space, name, _)| ty.is(space, name)) {
        return Some(*known);
    }
    let space = &*ty.space;
    let atomic = (space == "core::sync::atomic" && ty.name.starts_with("Atomic")) || space.starts_with("core::num::");
    if atomic {
        return Some(Known::Inside);
    }
    let quiet = ["std::sync", "std::thread", "core::task", "core::sync", "alloc::alloc", "std::sys", "core::ptr"];
    let root = space.split("::").next().unwrap_or_default();
    let named = NAMES.contains(&root) || quiet.iter().any(|quiet| space.starts_with(quiet));
    // A coroutine is a future, whoever wrote it.
    (!ty.is_coroutine() && (named || ty.name.starts_with("{closure"))).then_some(Known::Name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn what_stands_for_something_is_known() {
        let ty = |space: &str, name: &str| {
            let kind = crate::debug::Kind::Struct;
            let (space, name) = (Arc::from(space), Arc::from(name));
            Type { space, name, size: 8, kind, members: vec![], variants: None, params: vec![] }
        };
        assert_eq!(known(&ty("alloc::string", "String")), Some(Known::Text));
        assert_eq!(known(&ty("tokio::time::instant", "Instant")), Some(Known::Instant));
        assert_eq!(known(&ty("tokio::sync::mutex", "Mutex<u32>")), Some(Known::Name));
        assert_eq!(known(&ty("core::sync::atomic", "AtomicU64")), Some(Known::Inside));
        assert_eq!(known(&ty("orders", "Request")), None);
    }
}
