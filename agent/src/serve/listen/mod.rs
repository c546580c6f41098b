//! Where clients come: a port of TCP, or a socket of the file system.

pub(crate) mod address_file;
#[cfg(unix)]
pub(crate) mod unix;

use super::door::{Arrived, Io, Listen, descriptors};
use crate::{
    Error,
    access::{Access, Address},
    forked::Listens,
};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

/// Something that is bound and listens. A child that is forked from here on has it closed.
#[derive(Debug)]
pub(crate) struct Listener {
    // Dropped before the socket is.
    in_children: Listens,
    bound: Bound,
}

#[derive(Debug)]
enum Bound {
    Tcp(std::net::TcpListener),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener, unix::Name),
}

/// Where that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Place {
    /// What a client of this machine is given to come here. An address that stands for all of them is no place to go.
    pub(crate) fn target(&self, access: &Access) -> String {
        match self {
            Self::Tcp(address) => {
                let scheme = if matches!(access.identity(), Ok(Some(_))) { "https" } else { "http" };
                let mut address = *address;
                match address.ip() {
                    IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
                    IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
                    _ => {}
                }
                format!("{scheme}://{address}")
            }
            Self::Unix(path) => format!("unix:{}", path.display()),
        }
    }
}

/// Where a connection comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Of TCP: the address that was connected to, and where from.
    Tcp { local: IpAddr, remote: SocketAddr },
    /// Of a socket: whose process it is, and whose the socket.
    Unix { user: u32, process: Option<i32>, owner: u32 },
}

/// Listens where the settings say, unless it is on a listener that there is already. What would let everybody in is not listened on.
pub(crate) fn open(access: &Access, listener: Option<std::net::TcpListener>) -> Result<Listener, Error> {
    if let Some(listener) = listener {
        access.check(listener.local_addr().map_err(Error::io("read the agent's address"))?)?;
        return Ok(Listener::tcp(listener));
    }
    match &access.address {
        Address::Tcp(address, _) => {
            let address = *address;
            access.check(address)?;
            let bound = std::net::TcpListener::bind(address);
            bound.map(Listener::tcp).map_err(|source| Error::Bind { address, source })
        }
        #[cfg(unix)]
        Address::Unix(path) => unix::bind(path).map(|(listener, name)| Listener::unix(listener, name)),
        #[cfg(not(unix))]
        Address::Unix(path) => {
            Err(Error::Socket { path: path.clone(), reason: "this system has no such sockets".to_owned() })
        }
    }
}

impl Listener {
    fn tcp(listener: std::net::TcpListener) -> Self {
        Self { in_children: Listens::on(&listener), bound: Bound::Tcp(listener) }
    }

    #[cfg(unix)]
    fn unix(listener: std::os::unix::net::UnixListener, name: unix::Name) -> Self {
        Self { in_children: Listens::on(&listener), bound: Bound::Unix(listener, name) }
    }

    pub(crate) fn place(&self) -> io::Result<Place> {
        match &self.bound {
            Bound::Tcp(listener) => listener.local_addr().map(Place::Tcp),
            #[cfg(unix)]
            Bound::Unix(_, name) => Ok(Place::Unix(name.path.clone())),
        }
    }

    pub(crate) fn set_nonblocking(&self) -> io::Result<()> {
        match &self.bound {
            Bound::Tcp(listener) => listener.set_nonblocking(true),
            #[cfg(unix)]
            Bound::Unix(listener, _) => listener.set_nonblocking(true),
        }
    }
}

/// The same on the runtime that serves.
#[derive(Debug)]
pub(crate) struct Listening {
    // Dropped before the socket is.
    _in_children: Listens,
    socket: Socket,
}

#[derive(Debug)]
enum Socket {
    Tcp(tokio::net::TcpListener),
    #[cfg(unix)]
    Unix(tokio::net::UnixListener, unix::Name),
}

impl Listening {
    pub(crate) fn new(Listener { in_children, bound }: Listener) -> io::Result<Self> {
        let socket = match bound {
            Bound::Tcp(listener) => Socket::Tcp(tokio::net::TcpListener::from_std(listener)?),
            #[cfg(unix)]
            Bound::Unix(listener, name) => Socket::Unix(tokio::net::UnixListener::from_std(listener)?, name),
        };
        Ok(Self { _in_children: in_children, socket })
    }
}

impl Listen for Listening {
    async fn accept(&mut self) -> io::Result<Arrived> {
        match &mut self.socket {
            Socket::Tcp(listener) => {
                let (io, remote) = listener.accept().await?;
                // What is written is written for somebody who waits for it. One that is gone already is noticed when it is read.
                let _ = io.set_nodelay(true);
                // Of one that is gone already some systems tell no address: it calls no agent by any.
                let local = io.local_addr().map_or(Ipv4Addr::UNSPECIFIED.into(), |local| local.ip());
                let descriptor = descriptors::number(&io);
                Ok(Arrived { io: Box::new(io) as Box<dyn Io>, descriptor, from: Origin::Tcp { local, remote } })
            }
            #[cfg(unix)]
            Socket::Unix(listener, name) => {
                let (io, _) = listener.accept().await?;
                let (peer, descriptor) = (io.peer_cred()?, descriptors::number(&io));
                let from = Origin::Unix { user: peer.uid(), process: peer.pid(), owner: name.owner };
                Ok(Arrived { io: Box::new(io) as Box<dyn Io>, descriptor, from })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_what_a_client_of_this_machine_is_given() {
        let plain = Access::default();
        let path = || Some(PathBuf::from("/x"));
        let tls = Access { certificate: path(), key: path(), ..Access::default() };
        let tcp = |address: &str| Place::Tcp(address.parse().unwrap());
        assert_eq!(tcp("127.0.0.1:40123").target(&plain), "http://127.0.0.1:40123");
        assert_eq!(tcp("0.0.0.0:40123").target(&tls), "https://127.0.0.1:40123");
        assert_eq!(tcp("[::]:40123").target(&plain), "http://[::1]:40123");
        assert_eq!(Place::Unix("/run/a.sock".into()).target(&tls), "unix:/run/a.sock");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_child_that_is_forked_before_it_is_served_has_it_closed() {
        use crate::forked;

        forked::look_out();
        let access = Access { address: Address::parse("127.0.0.1:0").expect("an address"), ..Access::default() };
        let listener = open(&access, None).expect("a port is free");
        let Bound::Tcp(socket) = &listener.bound else { panic!("{listener:?}") };
        assert!(!forked::child_has(socket));
        assert!(listener.place().is_ok(), "this process has it");
    }
}
