//! Who may look, as it is set: where the agent listens, what clients have to show there, and what each may do then.

mod rights;
mod token;

pub(crate) use rights::Rights;
pub(crate) use token::{Secret, Token, Tokens};

use crate::Error;
use std::{
    fs,
    io::{self, Read as _},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

/// More than any file of tokens or certificates has.
const FILE_MOST: u64 = 1 << 20;

/// All that a file has. One that never ends would take the service's memory.
pub(crate) fn read(file: fs::File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file.take(FILE_MOST + 1).read_to_end(&mut bytes)? as u64 > FILE_MOST {
        return Err(io::Error::other("it has more than 1 MiB"));
    }
    Ok(bytes)
}

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp(SocketAddr, Exposure),
    /// A socket of the file system, absolute.
    Unix(PathBuf),
}

/// Whether others than this machine's own may come without showing anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exposure {
    /// Where other machines can come, clients must show who they are.
    Guarded,
    /// Everybody who reaches it may watch.
    Insecure,
}

impl Address {
    /// Reads what a user sets: `127.0.0.1:6669`, `0.0.0.0:6669,insecure`, `unix:/run/orders/holdup.sock`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            // One that begins with another character is none of the file system: it has neither owner nor mode.
            let is_file = path.starts_with('/') && path.len() > 1 && !path.contains('\0');
            return is_file.then(|| Self::Unix(path.into()));
        }
        match text.split_once(',') {
            None => Some(Self::Tcp(text.parse().ok()?, Exposure::Guarded)),
            Some((address, word)) if word.trim() == "insecure" => {
                Some(Self::Tcp(address.trim().parse().ok()?, Exposure::Insecure))
            }
            Some(_) => None,
        }
    }
}

/// What is set of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) address: Address,
    /// Names by which clients may call the agent, beside those of loopback and the address itself.
    pub(crate) hosts: Vec<String>,
    /// What clients have to show with every call; a file stands before what is given.
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) token: Option<Secret>,
    /// The agent's certificate with those between it and its authority, and its key: PEM files.
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    /// Who signs the certificates that clients have to show: a PEM file.
    pub(crate) client_ca: Option<PathBuf>,
    /// Which of those were taken back: a PEM file of revocation lists.
    pub(crate) revoked: Option<PathBuf>,
    /// The names that such a certificate may have, and what each may do; none for every name, which may watch.
    pub(crate) client_names: Vec<(String, Rights)>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            address: Address::Tcp((Ipv4Addr::LOCALHOST, 6669).into(), Exposure::Guarded),
            hosts: Vec::new(),
            token_file: None,
            token: None,
            certificate: None,
            key: None,
            client_ca: None,
            revoked: None,
            client_names: Vec::new(),
        }
    }
}

impl Access {
    /// The certificate and its key, where there are any.
    pub(crate) fn identity(&self) -> Result<Option<(&Path, &Path)>, Error> {
        match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
            (None, None) if self.client_ca.is_some() => Err(Error::access(
                "HOLDUP_TLS_CLIENT_CA",
                "clients show certificates by TLS alone; set HOLDUP_TLS_CERT and HOLDUP_TLS_KEY, too",
            )),
            (None, None) => Ok(None),
            (Some(_), None) => {
                Err(Error::access("HOLDUP_TLS_CERT", "a certificate needs its key; set HOLDUP_TLS_KEY, too"))
            }
            (None, Some(_)) => {
                Err(Error::access("HOLDUP_TLS_KEY", "a key needs its certificate; set HOLDUP_TLS_CERT, too"))
            }
        }
    }

    /// Where the tokens are that clients may show, if they have to show one.
    pub(crate) fn token(&self) -> Option<Token> {
        let given = || self.token.clone().map(Token::Given);
        self.token_file.clone().map(Token::File).or_else(given)
    }

    /// Whether all of it is as it may be, for an agent that listens at this address of TCP.
    pub(crate) fn check(&self, address: SocketAddr) -> Result<(), Error> {
        let is_secure = self.identity()?.is_some();
        if self.client_ca.is_none() && !self.client_names.is_empty() {
            let reason = "names are those of certificates; say who signs them by HOLDUP_TLS_CLIENT_CA";
            return Err(Error::access("HOLDUP_TLS_CLIENT_NAMES", reason));
        }
        if self.client_ca.is_none() && self.revoked.is_some() {
            let reason = "certificates of clients are taken back; say who signs them by HOLDUP_TLS_CLIENT_CA";
            return Err(Error::access("HOLDUP_TLS_REVOKED", reason));
        }
        let asks = self.token().is_some() || self.client_ca.is_some();
        let is_insecure = matches!(self.address, Address::Tcp(_, Exposure::Insecure));
        let is_here = address.ip().to_canonical().is_loopback();
        if is_here || is_insecure || is_secure && asks { Ok(()) } else { Err(Error::Exposed { address }) }
    }
}

/// Names, each with what it may do: `ops.example=watch+pause,ci.example`.
pub(crate) fn client_names(text: &str) -> Option<Vec<(String, Rights)>> {
    list(text)
        .map(|entry| {
            let (name, rights) = entry.split_once('=').map_or((entry, "watch"), |(name, rights)| (name, rights));
            let name = name.trim();
            let is_name = !name.is_empty() && !name.contains(char::is_whitespace);
            is_name.then_some(())?;
            Some((name.to_owned(), Rights::parse(rights.split('+'))?))
        })
        .collect()
}

/// The entries of a list that commas separate.
pub(crate) fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let tcp = |address: &str, exposure| Some(Address::Tcp(address.parse().unwrap(), exposure));
        assert_eq!(Address::parse("[::1]:0"), tcp("[::1]:0", Exposure::Guarded));
        assert_eq!(Address::parse("0.0.0.0:6669,insecure"), tcp("0.0.0.0:6669", Exposure::Insecure));
        assert_eq!(Address::parse("0.0.0.0:6669, insecure"), tcp("0.0.0.0:6669", Exposure::Insecure));
        let unix = Some(Address::Unix("/run/a.sock".into()));
        assert_eq!(Address::parse("unix:/run/a.sock"), unix);
        assert_eq!(Address::parse("unix:///run/a.sock"), unix);
        for wrong in [
            "",
            "6669",
            "localhost:6669",
            "0.0.0.0:6669,secure",
            "unix:",
            "unix:@a",
            "unix:\0a",
            "unix:run/a",
            "unix:/",
        ] {
            assert_eq!(Address::parse(wrong), None, "{wrong}");
        }
    }

    fn check(access: &Access, address: &str) -> Result<(), String> {
        access.check(address.parse().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn other_machines_come_by_tls_and_with_something_to_show_or_where_it_is_said_that_anybody_may() {
        let path = || Some(PathBuf::from("/x"));
        let plain = Access::default();
        for here in ["127.0.0.1:1", "127.8.8.8:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert_eq!(check(&plain, here), Ok(()), "{here}");
        }
        let token = Access { token_file: path(), ..Access::default() };
        let tls = Access { certificate: path(), key: path(), ..Access::default() };
        for exposed in [&plain, &token, &tls] {
            for there in ["0.0.0.0:1", "10.0.0.1:1", "[::]:1"] {
                let said = check(exposed, there).unwrap_err();
                assert!(
                    said.contains(there) && said.contains("insecure") && said.contains("HOLDUP_TLS_CERT"),
                    "{said}"
                );
            }
        }
        let insecure = Address::parse("0.0.0.0:1,insecure").unwrap();
        for access in [
            Access { token_file: path(), ..tls.clone() },
            Access { token: Some(Secret::new("x".to_owned())), ..tls.clone() },
            Access { client_ca: path(), ..tls.clone() },
            Access { address: insecure, ..Access::default() },
        ] {
            assert_eq!(check(&access, "0.0.0.0:1"), Ok(()), "{access:?}");
        }
    }

    #[test]
    fn what_belongs_together_is_asked_for() {
        let path = || Some(PathBuf::from("/x"));
        for (access, said) in [
            (Access { certificate: path(), ..Access::default() }, "set HOLDUP_TLS_KEY"),
            (Access { key: path(), ..Access::default() }, "set HOLDUP_TLS_CERT"),
            (Access { client_ca: path(), ..Access::default() }, "set HOLDUP_TLS_CERT and HOLDUP_TLS_KEY"),
            (Access { revoked: path(), ..Access::default() }, "HOLDUP_TLS_CLIENT_CA"),
            (Access { client_names: client_names("a").unwrap(), ..Access::default() }, "HOLDUP_TLS_CLIENT_CA"),
        ] {
            let error = check(&access, "127.0.0.1:1").unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn names_have_rights() {
        let names = client_names("ops.example=watch+pause, ci.example").unwrap();
        let pause = Rights::WATCH.and(Rights::PAUSE);
        assert_eq!(names, [("ops.example".to_owned(), pause), ("ci.example".to_owned(), Rights::WATCH)]);
        let names = client_names("ops.example=watch+capture").unwrap();
        assert_eq!(names, [("ops.example".to_owned(), Rights::WATCH.and(Rights::CAPTURE))]);
        assert_eq!(client_names("").unwrap(), []);
        for wrong in ["=watch", "a b", "a=", "a=watch+fly", "a=watch+capture+"] {
            assert_eq!(client_names(wrong), None, "{wrong}");
        }
    }
}
