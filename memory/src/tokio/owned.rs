//! The lists of a runtime's tasks, from whose heads new ones are found: a task is put in front when it is spawned.

use super::{
    copy::TaskType,
    header::{HEADER, Header, word},
    semaphore::read_all,
    value::Value,
};
use crate::bytes::Bytes;
use std::sync::Arc;

/// More new tasks than this in one look are left to a sweep.
const MOST: usize = 50_000;

/// The lists of a runtime.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lists {
    /// Where the first task of each is named.
    heads: Vec<u64>,
    /// Where their tasks are counted.
    count: Option<u64>,
}

impl Lists {
    /// The lists of the runtime, or of the `LocalSet`, that this handle leads to.
    pub(crate) fn new(handle: Value<'_>) -> Self {
        let owned = handle.find("tokio::runtime::task::list", "OwnedTasks");
        let count = owned.and_then(|owned| owned.path(&["list", "count"])).map(|count| count.at);
        let lists = owned.and_then(|owned| owned.path(&["list", "lists"])).and_then(Value::elements);
        let mut heads: Vec<u64> =
            lists.into_iter().flatten().filter_map(|list| list.having("head")).map(|head| head.at).collect();
        if let Some(local) = handle.find("tokio::runtime::task::list", "LocalOwnedTasks") {
            heads.extend(local.having("head").map(|head| head.at));
        }
        Self { heads, count }
    }

    /// How many tasks they count, where they do.
    pub(crate) fn count(&self, bytes: &dyn Bytes) -> Option<u64> {
        bytes.word(self.count?)
    }

    /// The tasks in front of those that are known, all lists one step at a time. `None` where there are more than can be followed.
    pub(crate) fn fresh(
        &self,
        bytes: &dyn Bytes,
        kind: &dyn Fn(u64) -> Option<Arc<TaskType>>,
        known: &dyn Fn(u64, u64) -> bool,
    ) -> Option<Vec<(u64, Header)>> {
        let words = |at: &[u64]| -> Vec<u64> {
            read_all(bytes, at, 8)
                .into_iter()
                .map(|bytes| bytes.and_then(|bytes| word(&bytes, 0)).unwrap_or(0))
                .collect()
        };
        let mut found = Vec::new();
        let mut next = words(&self.heads);
        next.retain(|header| *header != 0);
        while !next.is_empty() {
            let headers = read_all(bytes, &next, HEADER);
            let read: Vec<(u64, Header, Arc<TaskType>)> = next
                .iter()
                .zip(headers)
                .filter_map(|(at, bytes)| {
                    let header = Header::parse(&bytes?).filter(Header::plausible)?;
                    Some((*at, header, kind(header.vtable)?))
                })
                .collect();
            let numbers = words(&read.iter().map(|(at, _, ty)| at.wrapping_add(ty.vtable.id)).collect::<Vec<_>>());
            let links: Vec<u64> =
                read.iter().map(|(at, _, ty)| ty.owned.map_or(0, |owned| at.wrapping_add(owned + 8))).collect();
            let after = words(&links);
            next = Vec::new();
            for (((at, header, _), number), after) in read.into_iter().zip(numbers).zip(after) {
                if known(at, number) {
                    continue;
                }
                found.push((at, header));
                if after != 0 {
                    next.push(after);
                }
            }
            if found.len() > MOST {
                return None;
            }
        }
        Some(found)
    }
}
