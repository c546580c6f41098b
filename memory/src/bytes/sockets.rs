//! The sockets of a process, as the kernel tells of them: by `sock_diag`, which knows for how long a peer has been silent, else by the
//! tables in `/proc/PID/net`. Only those that are asked for are kept.

use super::{Socket, diag, proc};
use rustc_hash::FxHashMap;
use std::{fs, net::IpAddr, time::Duration};

/// More descriptors than these are not asked for at once.
const MOST: usize = 1 << 20;

/// The sockets among these descriptors of a process, whose folder in `/proc` this is.
pub(crate) fn of(folder: &str, descriptors: &[i32]) -> Vec<(i32, Socket)> {
    let inodes: Vec<(i32, u64)> = descriptors
        .iter()
        .take(MOST)
        .filter_map(|descriptor| Some((*descriptor, inode(&fs::read_link(format!("{folder}/fd/{descriptor}")).ok()?)?)))
        .collect();
    let mut wanted: FxHashMap<u64, Option<Socket>> = inodes.iter().map(|(_, inode)| (*inode, None)).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    diag::ask(folder, &mut wanted);
    if wanted.values().any(Option::is_none) {
        from_tables(folder, &mut wanted);
    }
    inodes.iter().filter_map(|(descriptor, inode)| Some((*descriptor, wanted.get(inode)?.clone()?))).collect()
}

/// The number of a socket that a descriptor leads to.
pub(crate) fn inode(link: &std::path::Path) -> Option<u64> {
    link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// Where these sockets of a process listen, each with its descriptor.
pub(crate) fn listening(folder: &str, inodes: &FxHashMap<u64, i32>) -> Vec<(i32, String)> {
    let mut found = Vec::new();
    for file in ["tcp", "tcp6"] {
        let text = proc::text(&format!("{folder}/net/{file}")).unwrap_or_default();
        found.extend(text.lines().skip(1).filter_map(|line| inet(line, "tcp")));
    }
    let text = proc::text(&format!("{folder}/net/unix")).unwrap_or_default();
    found.extend(text.lines().skip(1).filter_map(unix));
    let own = found.into_iter().filter(|(_, socket)| socket.state == "listen");
    own.filter_map(|(inode, socket)| Some((*inodes.get(&inode)?, socket.local))).collect()
}

/// Fills in what the tables have of those that are not known.
fn from_tables(folder: &str, wanted: &mut FxHashMap<u64, Option<Socket>>) {
    for (file, kind) in [("tcp", "tcp"), ("tcp6", "tcp"), ("udp", "udp"), ("udp6", "udp")] {
        let text = proc::text(&format!("{folder}/net/{file}")).unwrap_or_default();
        for (inode, socket) in text.lines().skip(1).filter_map(|line| inet(line, kind)) {
            fill(wanted, inode, socket);
        }
    }
    let text = proc::text(&format!("{folder}/net/unix")).unwrap_or_default();
    for (inode, socket) in text.lines().skip(1).filter_map(unix) {
        fill(wanted, inode, socket);
    }
}

fn fill(wanted: &mut FxHashMap<u64, Option<Socket>>, inode: u64, socket: Socket) {
    if let Some(room @ None) = wanted.get_mut(&inode) {
        *room = Some(socket);
    }
}

/// A line of `/proc/PID/net/tcp` or its like.
pub(crate) fn inet(line: &str, kind: &str) -> Option<(u64, Socket)> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let (local, peer) = (end(words.get(1)?)?, end(words.get(2)?)?);
    let state = u8::from_str_radix(words.get(3)?, 16).ok()?;
    let unread = u64::from_str_radix(words.get(4)?.split_once(':')?.1, 16).ok();
    let inode = words.get(9)?.parse().ok()?;
    Some((inode, socket(kind, local, peer, state, unread, None)))
}

/// An address and a port, as the tables write them: in the processor's order, word by word.
fn end(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| Some(u32::from_str_radix(address.get(8 * at..8 * at + 8)?, 16).ok()?.to_ne_bytes());
    let address = match address.len() {
        8 => IpAddr::from(word(0)?),
        32 => {
            let words = [word(0)?, word(1)?, word(2)?, word(3)?];
            let bytes: [u8; 16] = words.concat().try_into().ok()?;
            IpAddr::from(bytes)
        }
        _ => return None,
    };
    Some((address, port))
}

/// A line of `/proc/PID/net/unix`.
fn unix(line: &str) -> Option<(u64, Socket)> {
    let mut words = line.split_ascii_whitespace();
    let flags = u32::from_str_radix(words.nth(3)?, 16).ok()?;
    let (_, state, inode) = (words.next()?, words.next()?, words.next()?.parse().ok()?);
    let path = words.next().unwrap_or_default().to_owned();
    let state = match state {
        _ if flags & 0x1_0000 != 0 => "listen",
        "03" => "established",
        "02" => "connecting",
        _ => "unconnected",
    };
    Some((inode, Socket { kind: "unix".into(), local: path, state: state.into(), ..Socket::default() }))
}

/// A socket out of what either way tells.
pub(crate) fn socket(
    kind: &str,
    local: (IpAddr, u16),
    peer: (IpAddr, u16),
    state: u8,
    unread: Option<u64>,
    silent: Option<Duration>,
) -> Socket {
    let shown = |(address, port): (IpAddr, u16)| match address.to_canonical() {
        IpAddr::V4(address) => format!("{address}:{port}"),
        IpAddr::V6(address) => format!("[{address}]:{port}"),
    };
    let state = match (kind, state) {
        (_, 1) => "established",
        ("udp", _) => "unconnected",
        (_, 2) => "syn-sent",
        (_, 3 | 12) => "syn-received",
        (_, 4) => "fin-wait-1",
        (_, 5) => "fin-wait-2",
        (_, 6) => "time-wait",
        (_, 7) => "closed",
        (_, 8) => "close-wait",
        (_, 9) => "last-ack",
        (_, 10) => "listen",
        (_, 11) => "closing",
        _ => "",
    };
    let has_peer = peer.1 != 0 || !peer.0.is_unspecified();
    Socket {
        kind: kind.into(),
        local: shown(local),
        peer: if has_peer { shown(peer) } else { String::new() },
        state: state.into(),
        unread: unread.filter(|_| state != "listen"),
        // One that listens has no peer, and one that has ended hears nothing.
        silent: silent.filter(|_| matches!(state, "established" | "fin-wait-1" | "fin-wait-2" | "close-wait")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Write,
        net::{TcpListener, TcpStream, UdpSocket},
        os::{
            fd::AsRawFd,
            unix::net::{UnixListener, UnixStream},
        },
    };

    #[test]
    fn sockets_are_told_with_both_ends_and_how_long_the_peer_is_silent() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        client.write_all(b"hello").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let v6 = TcpListener::bind("[::1]:0");
        let folder = tempfile::tempdir().unwrap();
        let unix = UnixListener::bind(folder.path().join("s")).unwrap();
        let dialed = UnixStream::connect(folder.path().join("s")).unwrap();
        let file = tempfile::tempfile().unwrap();
        std::thread::sleep(Duration::from_millis(60));
        let mut wanted = vec![&listener as &dyn AsRawFd, &client, &server, &udp, &unix, &dialed, &file];
        wanted.extend(v6.as_ref().map(|v6| v6 as &dyn AsRawFd));
        let descriptors: Vec<i32> = wanted.iter().map(|socket| socket.as_raw_fd()).collect();
        let told: FxHashMap<i32, Socket> = of("/proc/self", &descriptors).into_iter().collect();
        assert_eq!(told.len(), descriptors.len() - 1);
        let (here, there) = (server.local_addr().unwrap().to_string(), server.peer_addr().unwrap().to_string());
        let server = &told[&server.as_raw_fd()];
        assert_eq!((&*server.kind, &*server.state), ("tcp", "established"));
        assert_eq!((&server.local, &server.peer, server.unread), (&here, &there, Some(5)));
        let silent = server.silent.unwrap();
        assert!(silent > Duration::from_millis(30) && silent < Duration::from_secs(5), "{silent:?}");
        let listens = &told[&listener.as_raw_fd()];
        assert_eq!((&*listens.state, &*listens.peer, listens.silent), ("listen", "", None));
        assert_eq!(told[&udp.as_raw_fd()].local, udp.local_addr().unwrap().to_string());
        assert_eq!(told[&udp.as_raw_fd()].kind, "udp");
        assert!(told[&unix.as_raw_fd()].local.ends_with("/s") && told[&unix.as_raw_fd()].state == "listen");
        assert_eq!(told[&dialed.as_raw_fd()].kind, "unix");
        if let Ok(v6) = v6 {
            assert_eq!(told[&v6.as_raw_fd()].local, v6.local_addr().unwrap().to_string());
        }
        // The tables tell the same, but for the silence.
        let inode = inode(&fs::read_link(format!("/proc/self/fd/{}", client.as_raw_fd())).unwrap()).unwrap();
        let mut wanted = FxHashMap::from_iter([(inode, None)]);
        from_tables("/proc/self", &mut wanted);
        let told = Socket { silent: None, ..told[&client.as_raw_fd()].clone() };
        assert_eq!(wanted[&inode].as_ref(), Some(&told));
    }

    #[test]
    fn lines_that_are_none_are_left_out() {
        assert_eq!(inet("  sl  local_address", "tcp"), None);
        assert_eq!(inet("0: 0100007F:ZZ 00000000:0000 0A 0:0 0 0 0 0 1", "tcp"), None);
        assert_eq!(inet("0: é100007F:1F90 00000000:0000 0A 0:0 0 0 0 0 1", "tcp"), None);
        assert_eq!(unix("ffff: 2 0"), None);
    }
}
