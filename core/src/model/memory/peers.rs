//! Who is at the other end of a descriptor, as far as it tells tasks apart: those that wait for the same peer are one group, and so
//! are those that wait for the clients of one port, each of which has an address of its own.

use super::Memory;
use crate::update::look::Socket;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// So many peers are told apart. A program that connects to more of them is grouped by descriptor.
const PEERS_MOST: usize = 65_536;

/// Peers by number, and which descriptor leads to which. A number stands for the same peer for good.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Peers {
    names: Vec<Arc<str>>,
    numbers: FxHashMap<Arc<str>, u32>,
    of_descriptor: FxHashMap<i32, u32>,
}

impl Peers {
    /// The peer that a descriptor leads to.
    pub(super) fn of(&self, fd: i32) -> Option<u32> {
        self.of_descriptor.get(&fd).copied()
    }

    /// What a peer is called.
    pub(super) fn name(&self, peer: u32) -> &str {
        self.names.get(peer as usize).map_or("", |name| name)
    }

    fn number(&mut self, name: String) -> Option<u32> {
        if let Some(&known) = self.numbers.get(name.as_str()) {
            return Some(known);
        }
        let next = u32::try_from(self.names.len()).ok().filter(|_| self.names.len() < PEERS_MOST)?;
        let name: Arc<str> = name.into();
        self.names.push(name.clone());
        self.numbers.insert(name, next);
        Some(next)
    }
}

impl Memory {
    /// Takes in the sockets of a look: the descriptors that lead to somebody else than before.
    pub(super) fn learn_peers(&mut self, sockets: &[Socket]) -> FxHashSet<i32> {
        let port = |address: &str| address.rsplit_once(':').map(|(_, port)| port.to_owned());
        let served: FxHashMap<String, &str> = sockets
            .iter()
            .filter(|socket| socket.listens)
            .filter_map(|socket| Some((port(&socket.local)?, socket.local.as_str())))
            .collect();
        let mut now = FxHashMap::default();
        for socket in sockets.iter().filter(|socket| !socket.listens && !socket.peer.is_empty()) {
            let name = match port(&socket.local).and_then(|port| served.get(&port)) {
                Some(served) => format!("clients of {served}"),
                None => socket.peer.clone(),
            };
            if let Some(peer) = self.peers.number(name) {
                now.insert(socket.fd, peer);
            }
        }
        let before = std::mem::replace(&mut self.peers.of_descriptor, now);
        let now = &self.peers.of_descriptor;
        let fds = before.keys().chain(now.keys()).copied();
        fds.filter(|fd| before.get(fd) != now.get(fd)).collect()
    }
}
