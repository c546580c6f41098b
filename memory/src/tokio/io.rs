//! Tokio's record of a descriptor that it watches: whom reading and writing would wake.

use super::{header::word, semaphore::read_all};
use crate::{
    bytes::Bytes,
    debug::{Index, Types},
};

const RECORD: &str = "tokio::runtime::io::scheduled_io::ScheduledIo";

/// Where things are in a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    size: usize,
    reader: (u64, u64),
    writer: (u64, u64),
    readiness: Option<u64>,
}

/// Whom a descriptor's readiness wakes, beside those that wait in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Wakers {
    pub(crate) reader: Option<u64>,
    pub(crate) writer: Option<u64>,
    /// The word that is another with each event.
    pub(crate) readiness: u64,
}

impl Layout {
    pub(crate) fn new(types: &dyn Types, index: &Index) -> Option<Self> {
        let record = *index.named.get(RECORD)?;
        let size = usize::try_from(types.ty(record).size).ok().filter(|size| *size <= 4096)?;
        let (waiters, waiters_ty) =
            types.find(record, &|ty| ty.is("tokio::runtime::io::scheduled_io", "Waiters"), 8)?;
        let waker = |name: &str| {
            let (at, ty) = types.path(waiters_ty, &[name])?;
            let (data, vtable) = types.waker(ty)?;
            Some((waiters + at + data, waiters + at + vtable))
        };
        let readiness = types.path(record, &["readiness"]).map(|found| found.0);
        Some(Self { size, reader: waker("reader")?, writer: waker("writer")?, readiness })
    }

    pub(crate) fn read(&self, records: &[u64], bytes: &dyn Bytes) -> Vec<Option<Wakers>> {
        let parse = |bytes: Vec<u8>| {
            let get = |at: u64| word(&bytes, usize::try_from(at).ok()?);
            let waker = |(data, vtable)| get(vtable).filter(|vtable| *vtable != 0).and_then(|_| get(data));
            let readiness = self.readiness.and_then(get).unwrap_or(0);
            Wakers { reader: waker(self.reader), writer: waker(self.writer), readiness }
        };
        read_all(bytes, records, self.size).into_iter().map(|bytes| bytes.map(parse)).collect()
    }
}
