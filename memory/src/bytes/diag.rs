//! `sock_diag`: what the kernel tells of sockets, and of TCP connections how long ago something came.
//!
//! It tells of the network that the one who asks is in. For a process in another one, a thread that is made for it goes there, where
//! that is allowed.

use super::{Socket, sockets::socket};
use nix::{
    sched::{CloneFlags, setns},
    sys::{
        socket::{
            AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, setsockopt, socket as open,
            sockopt::ReceiveTimeout,
        },
        time::TimeVal,
    },
};
use rustc_hash::FxHashMap;
use std::{
    fs::{self, File},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::fd::{AsRawFd, OwnedFd},
    time::Duration,
};

type Wanted = FxHashMap<u64, Option<Socket>>;

const DUMP: u16 = 0x301;
const BY_FAMILY: u16 = 20;
const ERROR: u16 = 2;
const DONE: u16 = 3;
const HEADER: usize = 16;
/// Of a message on a socket, before its attributes.
const MESSAGE: usize = 72;
const INFO: u16 = 2;
/// An answer that goes on for longer is left.
const MOST_ANSWERS: usize = 1 << 16;

/// Fills in what the kernel tells of these sockets, by their numbers; of those that it does not tell of, nothing.
pub(crate) fn ask(folder: &str, wanted: &mut Wanted) {
    let network = |folder: &str| fs::read_link(format!("{folder}/ns/net")).ok();
    let theirs = network(folder);
    if theirs.is_none() || theirs == network("/proc/self") {
        ask_here(wanted);
        return;
    }
    let Ok(network) = File::open(format!("{folder}/ns/net")) else { return };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            if setns(&network, CloneFlags::CLONE_NEWNET).is_ok() {
                ask_here(wanted);
            }
        });
    });
}

fn ask_here(wanted: &mut Wanted) {
    let flags = SockFlag::SOCK_CLOEXEC;
    let Ok(link) = open(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkSockDiag) else { return };
    let _ = setsockopt(&link, ReceiveTimeout, &TimeVal::new(1, 0));
    for (family, protocol, kind) in [(2, 6, "tcp"), (10, 6, "tcp"), (2, 17, "udp"), (10, 17, "udp")] {
        if wanted.values().all(Option::is_some) || dump(&link, family, protocol, kind, wanted).is_none() {
            return;
        }
    }
}

/// Asks for all sockets of a kind, and keeps those that are wanted.
fn dump(link: &OwnedFd, family: u8, protocol: u8, kind: &str, wanted: &mut Wanted) -> Option<()> {
    send(link.as_raw_fd(), &request(family, protocol), MsgFlags::empty()).ok()?;
    let mut buffer = vec![0; 1 << 16];
    for _ in 0..MOST_ANSWERS {
        let len = recv(link.as_raw_fd(), &mut buffer, MsgFlags::empty()).ok().filter(|len| *len > 0)?;
        if take(buffer.get(..len)?, kind, wanted) == Rest::Ends {
            return Some(());
        }
    }
    None
}

fn request(family: u8, protocol: u8) -> Vec<u8> {
    let mut request = Vec::with_capacity(HEADER + 56);
    request.extend((HEADER as u32 + 56).to_ne_bytes());
    request.extend([BY_FAMILY, DUMP].into_iter().flat_map(u16::to_ne_bytes));
    request.extend([0; 8]);
    request.extend([family, protocol, 1 << (INFO - 1), 0]);
    // Sockets in every state.
    request.extend(u32::MAX.to_ne_bytes());
    request.resize(HEADER + 56, 0);
    request
}

/// Whether more is to come.
#[derive(Debug, PartialEq, Eq)]
enum Rest {
    Comes,
    Ends,
}

/// Takes an answer apart.
fn take(answer: &[u8], kind: &str, wanted: &mut Wanted) -> Rest {
    let mut rest = answer;
    while let (Some(len), Some(what)) = (number::<4>(rest, 0), number::<2>(rest, 4)) {
        let Some(message) = rest.get(HEADER..len as usize) else { return Rest::Ends };
        match what as u16 {
            DONE | ERROR => return Rest::Ends,
            BY_FAMILY => {
                if let Some((inode, socket)) = read(message, kind)
                    && let Some(room) = wanted.get_mut(&inode)
                {
                    *room = Some(socket);
                }
            }
            _ => {}
        }
        rest = rest.get((len as usize).next_multiple_of(4)..).unwrap_or_default();
    }
    Rest::Comes
}

/// What a message says of a socket, and its number.
fn read(message: &[u8], kind: &str) -> Option<(u64, Socket)> {
    let (family, state) = (*message.first()?, *message.get(1)?);
    let port = |at: usize| Some(u16::from_be_bytes(message.get(at..at + 2)?.try_into().ok()?));
    let address = |at: usize| -> Option<IpAddr> {
        if family == 2 {
            let bytes: [u8; 4] = message.get(at..at + 4)?.try_into().ok()?;
            Some(Ipv4Addr::from(bytes).into())
        } else {
            let bytes: [u8; 16] = message.get(at..at + 16)?.try_into().ok()?;
            Some(Ipv6Addr::from(bytes).into())
        }
    };
    let (local, peer) = ((address(8)?, port(4)?), (address(24)?, port(6)?));
    let (unread, inode) = (number::<4>(message, 56)?, number::<4>(message, MESSAGE - 4)?);
    // Milliseconds since something came: a field of what TCP tells.
    let silent =
        attribute(message.get(MESSAGE..)?, INFO).filter(|_| kind == "tcp").and_then(|info| number::<4>(info, 52));
    Some((inode, socket(kind, local, peer, state, Some(unread), silent.map(Duration::from_millis))))
}

fn attribute(attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut rest = attributes;
    loop {
        let (len, kind) = (number::<2>(rest, 0)? as usize, number::<2>(rest, 2)? as u16);
        let value = rest.get(4..len)?;
        if kind == wanted {
            return Some(value);
        }
        rest = rest.get(len.next_multiple_of(4)..)?;
    }
}

/// A number of so many bytes, in the processor's order.
fn number<const LEN: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let mut word = [0; 8];
    let from = bytes.get(at..at.checked_add(LEN)?)?;
    let room = if cfg!(target_endian = "little") { word.get_mut(..LEN)? } else { word.get_mut(8 - LEN..)? };
    room.copy_from_slice(from);
    Some(u64::from_ne_bytes(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn whatever_the_answer_is_it_is_read(noise in proptest::collection::vec(0_u8.., 0..400), len in 0_u32..400) {
            let mut answer = [len.to_ne_bytes(), [20, 0, 0, 0]].concat();
            answer.extend(noise);
            let _ = take(&answer, "tcp", &mut Wanted::default());
            let _ = read(&answer, "tcp");
        }
    }
}
