//! Whom those who wait for a descriptor are connected to, and for how long these have been silent.

use crate::{Socket, bytes::Bytes, future::raw::RawOn, things::Party};
use rustc_hash::FxHashMap;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// How long an answer is good for: to ask for thousands of sockets takes tens of milliseconds.
const GOOD_FOR: Duration = Duration::from_secs(2);
/// More than these are not asked for.
const MOST: usize = 20_000;

/// The answer of last time.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    asked: Option<Instant>,
    descriptors: BTreeSet<i32>,
    sockets: Vec<(i32, Socket)>,
}

impl Peers {
    /// The sockets that these wait for, and those among `others`; `records` has the descriptors of tokio's own records of them.
    pub(crate) fn of(
        &mut self,
        parties: &[Party<'_>],
        records: &FxHashMap<u64, i32>,
        others: impl Iterator<Item = i32>,
        bytes: &dyn Bytes,
    ) -> Vec<(i32, Socket)> {
        let waits = parties.iter().flat_map(|party| &party.found.waits);
        let descriptors = waits.filter_map(|wait| match &wait.on {
            RawOn::Io { record, fd, .. } => fd.or_else(|| records.get(record).copied()),
            _ => None,
        });
        let descriptors: BTreeSet<i32> = descriptors.chain(others).take(MOST).collect();
        let is_new = !descriptors.is_subset(&self.descriptors);
        if is_new || self.asked.is_none_or(|asked| asked.elapsed() >= GOOD_FOR) {
            let wanted: Vec<i32> = descriptors.iter().copied().collect();
            self.sockets = bytes.sockets(&wanted);
            (self.asked, self.descriptors) = (Some(Instant::now()), descriptors);
        } else {
            self.sockets.retain(|(descriptor, _)| descriptors.contains(descriptor));
            self.descriptors = descriptors;
        }
        self.sockets.clone()
    }
}
