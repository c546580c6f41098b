//! Where a target is: what a user may type, and what it means.

use std::{
    fmt,
    net::Ipv6Addr,
    path::{Path, PathBuf},
    str::FromStr,
};

/// The port that `console-subscriber` listens on unless it is told otherwise.
pub const DEFAULT_PORT: u16 = 6669;

/// Where a target is. `Display` gives the form that parses back to the same target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A host and a port. No TLS.
    Tcp {
        /// A DNS name or an address; an IPv6 address stands without its brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// The same by TLS.
    Tls {
        /// A DNS name or an address, as of [`Tcp`](Self::Tcp).
        host: String,
        /// The port.
        port: u16,
    },
    /// A Unix domain socket on this machine.
    Unix(PathBuf),
    /// A process of this machine: its memory is read.
    Pid(u32),
    /// The only process of this machine that is called so.
    Name(String),
    /// What was kept of a process that has ended: a core file or a grab.
    Core(PathBuf),
    /// What `holdup record` wrote of one.
    Recording(PathBuf),
}

/// What is wrong with a target as typed, and what to type instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseTargetError {
    /// Nothing was typed.
    #[error("the target is empty; type a host, such as localhost, or http://127.0.0.1:{DEFAULT_PORT}")]
    Empty,
    /// A scheme that is none of ours.
    #[error("{0:?} is not a scheme that can be connected to; type http://host:port, https://host:port or unix:///path")]
    Scheme(String),
    /// A host that cannot be one.
    #[error("{0:?} is not a host; type a name such as localhost, an address such as 10.0.0.1, or [::1]")]
    Host(String),
    /// An IPv6 address whose port cannot be told apart.
    #[error("an IPv6 address needs brackets; type [{0}] or [ADDRESS]:{DEFAULT_PORT}")]
    Brackets(String),
    /// A port that cannot be one.
    #[error("{0:?} is not a port; type a number from 1 to 65535, such as {DEFAULT_PORT}")]
    Port(String),
    /// Something follows the port.
    #[error("a target ends with its port, but {0:?} follows; type http://host:port")]
    Rest(String),
    /// Who the client is stands in it.
    #[error(
        "who this client is does not belong in a target; type http://host:port, and give the token by --token-file"
    )]
    Credentials,
    /// A file, of which it is not said what it is.
    #[error(
        "{0:?} is a path, and what is there is not said; type unix:///path for a socket, core:FILE for a core file or a grab, and replay:FILE \
         for a recording or the folder of its pieces; a name that ends in .holdup is a recording, too"
    )]
    Path(String),
    /// A process id that cannot be one.
    #[error("{0:?} is not a process; type its id, as in 4242, or its name, as in name:orders; `holdup ps` lists them")]
    Process(String),
    /// A core file without a name.
    #[error("type the core file, as in core:core.4242")]
    Core,
    /// A recording without a name.
    #[error("type the recording's file, as in replay:orders.holdup")]
    Recording,
    /// A socket that is not on this machine, or a path that is not absolute.
    #[error("a socket's path is absolute and on this machine; type unix:///path instead of {0:?}")]
    Socket(String),
}

impl Target {
    /// Whether it is looked at and says nothing of its own accord.
    pub fn is_read(&self) -> bool {
        matches!(self, Self::Pid(_) | Self::Name(_) | Self::Core(_))
    }

    /// The target without its scheme, for where room is scarce: `host:port`, or the socket's path.
    pub fn short(&self) -> String {
        match self {
            Self::Tcp { host, port } | Self::Tls { host, port } if host.contains(':') => format!("[{host}]:{port}"),
            Self::Tcp { host, port } | Self::Tls { host, port } => format!("{host}:{port}"),
            Self::Unix(path) | Self::Core(path) | Self::Recording(path) => path.display().to_string(),
            Self::Pid(pid) => format!("pid {pid}"),
            Self::Name(name) => name.clone(),
        }
    }
}

impl Default for Target {
    /// Where `console-subscriber` listens unless it is told otherwise.
    fn default() -> Self {
        Self::Tcp { host: "127.0.0.1".to_owned(), port: DEFAULT_PORT }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { .. } => write!(f, "http://{}", self.short()),
            Self::Tls { .. } => write!(f, "https://{}", self.short()),
            Self::Unix(_) => write!(f, "unix://{}", self.short()),
            Self::Pid(pid) => write!(f, "pid:{pid}"),
            Self::Name(name) => write!(f, "name:{name}"),
            Self::Core(path) => write!(f, "core:{}", path.display()),
            Self::Recording(path) => write!(f, "replay:{}", path.display()),
        }
    }
}

impl FromStr for Target {
    type Err = ParseTargetError;

    fn from_str(typed: &str) -> Result<Self, Self::Err> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Err(ParseTargetError::Empty);
        }
        if let Some(target) = process(typed) {
            return target;
        }
        if typed.ends_with(".holdup") && !typed.contains("://") {
            return Ok(Self::Recording(PathBuf::from(typed)));
        }
        if typed.starts_with(['/', '.', '~']) {
            return Err(ParseTargetError::Path(typed.to_owned()));
        }
        if let Some(path) = typed.strip_prefix("unix:").filter(|path| !path.starts_with("//")) {
            return socket(typed, path);
        }
        match typed.split_once("://") {
            // Whatever it is instead of a host, it may be there.
            None => host_and_port(typed).map(tcp).map_err(|error| {
                if Path::new(typed).exists() { ParseTargetError::Path(typed.to_owned()) } else { error }
            }),
            Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
                "http" => host_and_port(rest.strip_suffix('/').unwrap_or(rest)).map(tcp),
                "https" => host_and_port(rest.strip_suffix('/').unwrap_or(rest)).map(tls),
                "unix" | "file" => socket(typed, rest),
                _ => Err(ParseTargetError::Scheme(scheme.to_owned())),
            },
        }
    }
}

/// A process, or what was kept of one; `None` for what is neither. No host is a number alone.
fn process(typed: &str) -> Option<Result<Target, ParseTargetError>> {
    if typed.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(pid(typed));
    }
    let (scheme, rest) = typed.split_once(':').filter(|(_, rest)| !rest.starts_with("//"))?;
    match scheme {
        "pid" => Some(pid(rest)),
        "name" if rest.is_empty() => Some(Err(ParseTargetError::Process(typed.to_owned()))),
        "name" => Some(Ok(Target::Name(rest.to_owned()))),
        "core" if rest.is_empty() => Some(Err(ParseTargetError::Core)),
        "core" => Some(Ok(Target::Core(PathBuf::from(rest)))),
        "replay" if rest.is_empty() => Some(Err(ParseTargetError::Recording)),
        "replay" => Some(Ok(Target::Recording(PathBuf::from(rest)))),
        _ => None,
    }
}

fn pid(text: &str) -> Result<Target, ParseTargetError> {
    let pid = text.parse::<u32>().ok().filter(|&pid| pid > 0 && text.bytes().all(|byte| byte.is_ascii_digit()));
    pid.map(Target::Pid).ok_or_else(|| ParseTargetError::Process(text.to_owned()))
}

/// `localhost` stands for this machine as it does in a `file` URL, which is how tokio-console writes a socket.
fn socket(typed: &str, rest: &str) -> Result<Target, ParseTargetError> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if path.len() < 2 || !path.starts_with('/') {
        return Err(ParseTargetError::Socket(typed.to_owned()));
    }
    Ok(Target::Unix(PathBuf::from(path)))
}

fn tcp((host, port): (String, u16)) -> Target {
    Target::Tcp { host, port }
}

fn tls((host, port): (String, u16)) -> Target {
    Target::Tls { host, port }
}

fn host_and_port(text: &str) -> Result<(String, u16), ParseTargetError> {
    // Before anything of it is said again: a password may be in it.
    if text.contains('@') {
        return Err(ParseTargetError::Credentials);
    }
    let (authority, rest) = match text.find(['/', '?', '#']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    if !rest.is_empty() {
        return Err(ParseTargetError::Rest(rest.to_owned()));
    }
    if let Some(inside) = authority.strip_prefix('[') {
        let Some((host, port)) = inside.split_once(']') else {
            return Err(ParseTargetError::Host(authority.to_owned()));
        };
        if !is_ipv6(host) {
            return Err(ParseTargetError::Host(authority.to_owned()));
        }
        let port = match port.strip_prefix(':') {
            Some(port) => parse_port(port)?,
            None if port.is_empty() => DEFAULT_PORT,
            None => return Err(ParseTargetError::Rest(port.to_owned())),
        };
        return Ok((host.to_owned(), port));
    }
    if authority.matches(':').count() > 1 {
        return Err(ParseTargetError::Brackets(authority.to_owned()));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, parse_port(port)?),
        None => (authority, DEFAULT_PORT),
    };
    let is_host_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_host_byte) {
        return Err(ParseTargetError::Host(host.to_owned()));
    }
    Ok((host.to_owned(), port))
}

/// An address, perhaps with the zone that a link-local one needs: `fe80::1%eth0`.
fn is_ipv6(host: &str) -> bool {
    let (address, zone) = host.split_once('%').unwrap_or((host, "0"));
    let is_zone_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    address.parse::<Ipv6Addr>().is_ok() && !zone.is_empty() && zone.bytes().all(is_zone_byte)
}

fn parse_port(text: &str) -> Result<u16, ParseTargetError> {
    match text.parse::<u16>() {
        Ok(port) if port > 0 && text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(port),
        _ => Err(ParseTargetError::Port(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_typed() {
        let table = [
            ("http://127.0.0.1:6669", "http://127.0.0.1:6669"),
            ("http://127.0.0.1:6669/", "http://127.0.0.1:6669"),
            ("HTTP://Example.COM:80", "http://Example.COM:80"),
            ("https://example.com:7000/", "https://example.com:7000"),
            ("HTTPS://[::1]", "https://[::1]:6669"),
            ("example.com:7000", "http://example.com:7000"),
            ("10.0.0.1:7000", "http://10.0.0.1:7000"),
            ("localhost", "http://localhost:6669"),
            ("my_service-1.internal", "http://my_service-1.internal:6669"),
            (" localhost ", "http://localhost:6669"),
            ("[::1]:7000", "http://[::1]:7000"),
            ("[::1]", "http://[::1]:6669"),
            ("http://[::1]:6669", "http://[::1]:6669"),
            ("http://[fe80::1%eth0]:6669", "http://[fe80::1%eth0]:6669"),
            ("unix:///run/app.sock", "unix:///run/app.sock"),
            ("unix:/run/app.sock", "unix:///run/app.sock"),
            ("unix://localhost/run/app.sock", "unix:///run/app.sock"),
            ("file:///run/app.sock", "unix:///run/app.sock"),
            ("file://localhost/run/app.sock", "unix:///run/app.sock"),
            ("4242", "pid:4242"),
            ("pid:4242", "pid:4242"),
            ("name:orders", "name:orders"),
            ("core:core.4242", "core:core.4242"),
            ("core:/tmp/a.grab", "core:/tmp/a.grab"),
            ("replay:/tmp/a.holdup", "replay:/tmp/a.holdup"),
            ("./a.holdup", "replay:./a.holdup"),
            ("logs/a.holdup", "replay:logs/a.holdup"),
            ("a.holdup", "replay:a.holdup"),
            ("http://pid:4242", "http://pid:4242"),
        ];
        for (typed, means) in table {
            let target: Target = typed.parse().unwrap_or_else(|error| panic!("{typed}: {error}"));
            assert_eq!(target.to_string(), means, "{typed}");
            assert_eq!(means.parse(), Ok(target), "{typed} round-trips");
        }
        assert_eq!(Target::default().to_string(), "http://127.0.0.1:6669");
    }

    #[test]
    fn what_may_not_be_typed_and_what_is_said() {
        let table = [
            ("", "the target is empty"),
            ("https://host:x", "is not a port"),
            ("https://host:6669/metrics", "\"/metrics\" follows"),
            ("vsock://2:6669", "\"vsock\" is not a scheme"),
            ("ftp://host", "type http://host:port"),
            ("http://", "is not a host"),
            ("host name", "is not a host"),
            ("user@host:1", "does not belong in a target"),
            ("http://user:secret@host:6669", "give the token by --token-file"),
            ("https://user:sec/ret@host", "type http://host:port"),
            ("host:", "\"\" is not a port"),
            ("host:0", "from 1 to 65535"),
            ("host:65536", "\"65536\" is not a port"),
            ("host:+80", "is not a port"),
            ("host:http", "is not a port"),
            ("::1", "type [::1]"),
            ("::1:6669", "needs brackets"),
            ("[::1", "is not a host"),
            ("[::1]6669", "ends with its port"),
            ("[localhost]:6669", "is not a host"),
            ("[fe80::1%]:6669", "is not a host"),
            ("http://host:6669/metrics", "\"/metrics\" follows"),
            ("http://host:6669?x", "\"?x\" follows"),
            ("0", "type its id, as in 4242"),
            ("99999999999", "type its id"),
            ("pid:x", "holdup ps"),
            ("name:", "is not a process"),
            ("core:", "type the core file"),
            ("replay:", "type the recording's file"),
            ("/run/app.sock", "type unix:///path"),
            ("./app.sock", "type unix:///path"),
            ("/tmp/a.grab", "core:FILE for a core file or a grab"),
            ("/tmp/recordings/", "replay:FILE for a recording or the folder"),
            ("src/cli", "is a path, and what is there is not said"),
            ("nowhere/cli", "\"/cli\" follows"),
            ("unix://", "path is absolute"),
            ("unix:@app", "path is absolute"),
            ("unix:///", "path is absolute"),
            ("file://other/run/app.sock", "on this machine"),
            ("unix://app.sock", "path is absolute"),
        ];
        for (typed, said) in table {
            let error = match typed.parse::<Target>() {
                Ok(target) => panic!("{typed} means {target}"),
                Err(error) => error.to_string(),
            };
            assert!(error.contains(said) && !error.contains("secret"), "{typed}: {error}");
        }
    }

    #[test]
    fn the_short_form_has_no_scheme() {
        assert_eq!("http://[::1]:1".parse().map(|t: Target| t.short()), Ok("[::1]:1".to_owned()));
        assert_eq!("host".parse().map(|t: Target| t.short()), Ok("host:6669".to_owned()));
        assert_eq!("unix:///a/b".parse().map(|t: Target| t.short()), Ok("/a/b".to_owned()));
    }
}
