//! Channels: how full they are, which ends exist, who waits to receive. Each is read by the type that a frame has of it, since the
//! layout depends on what the channel is of.

use super::{header::word, semaphore::read_all};
use crate::{
    Channel,
    bytes::Bytes,
    debug::{TypeId, Types},
};
use rustc_hash::FxHashMap;

/// The bits of a oneshot's state.
const RX_TASK_SET: u64 = 1;
const VALUE_SENT: u64 = 2;
const CLOSED: u64 = 4;
/// A channel of more bytes than this is none; what it carries is elsewhere.
const LARGEST: u64 = 1 << 16;

/// What a channel is, and where things are in it.
#[derive(Debug, Clone)]
enum Layout {
    Mpsc {
        size: u64,
        waker: (u64, u64),
        senders: u64,
        weak: Option<u64>,
        tail: u64,
        index: u64,
        closed: u64,
        room: Option<Room>,
        unbounded: Option<u64>,
    },
    Oneshot {
        size: u64,
        state: u64,
        receiver: (u64, u64),
    },
    Watch {
        size: u64,
        senders: u64,
        receivers: u64,
    },
    Broadcast {
        size: u64,
        senders: u64,
        receivers: u64,
        closed: u64,
    },
    /// What an `Arc` of something leads to: how far before it that begins, and how many have to come together, if it is a barrier.
    Handed {
        before: u64,
        size: u64,
        strong: u64,
        weak: u64,
        parties: Option<u64>,
    },
}

/// The room of a bounded channel.
#[derive(Debug, Clone, Copy)]
struct Room {
    semaphore: u64,
    bound: u64,
}

/// A channel, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) kind: crate::ThingKind,
    pub(crate) channel: Channel,
    /// Whom the waker of the receiver leads to.
    pub(crate) receiver: Option<u64>,
    /// Where the semaphore is that gives room in it, and how many messages that is in all.
    pub(crate) room: Option<(u64, u64)>,
    /// How many messages were taken out of it, where it counts that: who waits for one has been polled since it was another number.
    pub(crate) taken: u64,
    /// How many could become ends that send.
    pub(crate) weak: u64,
}

impl State {
    fn new(kind: crate::ThingKind, channel: Channel) -> Self {
        Self { kind, channel, receiver: None, room: None, taken: 0, weak: 0 }
    }
}

/// The layouts of channels, each found once.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    layouts: FxHashMap<TypeId, Option<Layout>>,
}

impl Channels {
    /// Reads channels: where each is, and of which type.
    pub(crate) fn read(
        &mut self,
        wanted: &[(u64, TypeId)],
        types: &dyn Types,
        bytes: &dyn Bytes,
    ) -> Vec<Option<State>> {
        let mut by_size: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
        for (place, (_, ty)) in wanted.iter().enumerate() {
            let layout = self.layouts.entry(*ty).or_insert_with(|| Layout::new(*ty, types));
            if let Some(size) = layout.as_ref().and_then(|layout| usize::try_from(layout.size()).ok()) {
                by_size.entry(size).or_default().push(place);
            }
        }
        let mut found = vec![None; wanted.len()];
        for (size, places) in by_size {
            let begins = |(at, ty): &(u64, TypeId)| {
                let layout = self.layouts.get(ty).and_then(Option::as_ref);
                at.wrapping_sub(layout.map_or(0, Layout::before))
            };
            let at: Vec<u64> = places.iter().filter_map(|place| wanted.get(*place)).map(begins).collect();
            for (place, bytes) in places.into_iter().zip(read_all(bytes, &at, size)) {
                let Some(((at, ty), slot)) = wanted.get(place).zip(found.get_mut(place)) else { continue };
                let layout = self.layouts.get(ty).and_then(Option::as_ref);
                *slot = layout.zip(bytes).and_then(|(layout, bytes)| layout.parse(*at, &bytes));
            }
        }
        found
    }
}

impl Layout {
    fn new(ty: TypeId, types: &dyn Types) -> Option<Self> {
        let channel = types.ty(ty);
        let size = channel.size.min(LARGEST);
        let at = |path: &[&str]| types.path(ty, path).map(|found| found.0);
        let waker = |path: &[&str]| {
            let (at, ty) = types.path(ty, path)?;
            let (data, vtable) = types.waker(ty)?;
            Some((at + data, at + vtable))
        };
        if channel.is("tokio::sync::mpsc::chan", "Chan") {
            let (fields, fields_ty) = types.find(ty, &|ty| ty.is("tokio::sync::mpsc::chan", "RxFields"), 5)?;
            let (tx, tx_ty) = types.find(ty, &|ty| ty.is("tokio::sync::mpsc::list", "Tx"), 5)?;
            let (rx_waker, waker_ty) =
                types.find(ty, &|ty| ty.is("tokio::sync::task::atomic_waker", "AtomicWaker"), 4)?;
            let (waker_data, waker_vtable) = types.waker(waker_ty)?;
            let (gate, gate_ty) = types.path(ty, &["semaphore"])?;
            let bounded = types.ty(gate_ty).member("bound").map(|bound| gate + bound.at);
            let semaphore = types.find(gate_ty, &|ty| ty.is("tokio::sync::batch_semaphore", "Semaphore"), 4);
            let room = bounded.zip(semaphore).map(|(bound, found)| Room { semaphore: gate + found.0, bound });
            return Some(Self::Mpsc {
                size,
                waker: (rx_waker + waker_data, rx_waker + waker_vtable),
                senders: at(&["tx_count"])?,
                weak: at(&["tx_weak_count"]),
                tail: tx + types.path(tx_ty, &["tail_position"])?.0,
                index: fields + types.path(fields_ty, &["list", "index"])?.0,
                closed: fields + types.path(fields_ty, &["rx_closed"])?.0,
                unbounded: room.is_none().then_some(gate),
                room,
            });
        }
        if channel.is("tokio::sync::oneshot", "Inner") {
            // What is sent may be large, and is not read: only what stands before or behind it.
            let receiver = waker(&["rx_task"])?;
            let state = at(&["state"])?;
            return Some(Self::Oneshot { size: state.max(receiver.0).max(receiver.1) + 8, state, receiver });
        }
        if channel.is("tokio::sync::watch", "Shared") {
            let (senders, receivers) = (at(&["ref_count_tx"])?, at(&["ref_count_rx"])?);
            return Some(Self::Watch { size: senders.max(receivers) + 8, senders, receivers });
        }
        if channel.is("tokio::sync::broadcast", "Shared") {
            let (tail, tail_ty) = types.find(ty, &|ty| ty.is("tokio::sync::broadcast", "Tail"), 6)?;
            let tail_at = |name: &str| types.path(tail_ty, &[name]).map(|found| tail + found.0);
            return Some(Self::Broadcast {
                size,
                senders: at(&["num_tx"])?,
                receivers: tail_at("rx_cnt")?,
                closed: tail_at("closed")?,
            });
        }
        if channel.name.starts_with("ArcInner<") {
            let data = at(&["data"])?;
            let (strong, weak, parties) = (at(&["strong"])?, at(&["weak"])?, at(&["data", "n"]));
            let size = strong.max(weak).max(parties.unwrap_or(0)).checked_add(8)?;
            return Some(Self::Handed { before: data, size, strong, weak, parties });
        }
        None
    }

    /// How far before what names it that begins which is read.
    fn before(&self) -> u64 {
        if let Self::Handed { before, .. } = self { *before } else { 0 }
    }

    fn size(&self) -> u64 {
        let (Self::Mpsc { size, .. }
        | Self::Oneshot { size, .. }
        | Self::Watch { size, .. }
        | Self::Broadcast { size, .. }
        | Self::Handed { size, .. }) = self;
        (*size).min(LARGEST)
    }

    fn parse(&self, at: u64, bytes: &[u8]) -> Option<State> {
        let get = |at: u64| word(bytes, usize::try_from(at).ok()?);
        let bit = |at: u64| bytes.get(usize::try_from(at).ok()?).map(|byte| *byte != 0);
        let waker = |(data, vtable): (u64, u64)| get(vtable).filter(|vtable| *vtable != 0).and_then(|_| get(data));
        match self {
            Self::Mpsc { waker: rx, senders, weak, tail, index, closed, room, unbounded, .. } => {
                let messages = get(*tail)?.wrapping_sub(get(*index)?);
                let closed =
                    bit(*closed)? || unbounded.is_some_and(|gate| get(gate).is_some_and(|state| state & 1 != 0));
                let room = room.and_then(|room| Some((at.wrapping_add(room.semaphore), get(room.bound)?)));
                let channel = Channel {
                    messages: Some(messages),
                    bound: room.map(|room| room.1),
                    senders: get(*senders),
                    receivers: None,
                    closed: Some(closed),
                };
                Some(State {
                    receiver: waker(*rx),
                    room,
                    taken: get(*index)?,
                    weak: weak.and_then(get).unwrap_or(0),
                    ..State::new(crate::ThingKind::Mpsc, channel)
                })
            }
            Self::Oneshot { state, receiver, .. } => {
                let state = get(*state)?;
                let sent = u64::from(state & VALUE_SENT != 0);
                let channel = Channel {
                    messages: Some(sent),
                    bound: Some(1),
                    senders: None,
                    receivers: None,
                    closed: Some(state & CLOSED != 0),
                };
                let receiver = if state & RX_TASK_SET == 0 { None } else { get(receiver.0) };
                Some(State { receiver, ..State::new(crate::ThingKind::Oneshot, channel) })
            }
            Self::Watch { senders, receivers, .. } => {
                let channel = Channel { senders: get(*senders), receivers: get(*receivers), ..Channel::default() };
                Some(State::new(crate::ThingKind::Watch, channel))
            }
            Self::Broadcast { senders, receivers, closed, .. } => {
                let channel = Channel {
                    senders: get(*senders),
                    receivers: get(*receivers),
                    closed: bit(*closed),
                    ..Channel::default()
                };
                Some(State::new(crate::ThingKind::Broadcast, channel))
            }
            Self::Handed { strong, weak, parties, .. } => {
                let bound = parties.and_then(get);
                let kind = if parties.is_some() { crate::ThingKind::Barrier } else { crate::ThingKind::Notify };
                let channel = Channel { bound, senders: get(*strong), ..Channel::default() };
                // All that are strong are one weak one together.
                Some(State { weak: get(*weak)?.saturating_sub(1), ..State::new(kind, channel) })
            }
        }
    }
}
