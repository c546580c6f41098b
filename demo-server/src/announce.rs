//! The lines on stdout that say where the server listens, written by the server and read by whoever started it.

use std::{
    fmt,
    io::{self, Write},
    net::SocketAddr,
    str::FromStr,
};

const ECHO: &str = "echo listening on ";
const CONSOLE: &str = "console listening on http://";

/// One line of the server's stdout: a service and the address that it is bound to, port 0 already resolved.
///
/// `Display` writes the line without its end, `FromStr` reads it back; anything else on a line is an error of `()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listening {
    /// The echo service: plain TCP.
    Echo(SocketAddr),
    /// The console: gRPC over HTTP/2, in the clear.
    Console(SocketAddr),
}

impl Listening {
    /// Prints the line and flushes it, since the reader at the other end of a pipe waits for it.
    pub(crate) fn print(self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{self}")?;
        out.flush()
    }
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Echo(addr) => write!(f, "{ECHO}{addr}"),
            Self::Console(addr) => write!(f, "{CONSOLE}{addr}"),
        }
    }
}

impl FromStr for Listening {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let line = line.trim_end();
        let addr = |text: &str| text.parse().map_err(|_| ());
        if let Some(text) = line.strip_prefix(ECHO) {
            addr(text).map(Self::Echo)
        } else if let Some(text) = line.strip_prefix(CONSOLE) {
            addr(text).map(Self::Console)
        } else {
            Err(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_printed_is_read_back() {
        for line in [
            Listening::Echo(([127, 0, 0, 1], 8080).into()),
            Listening::Console(([127, 0, 0, 1], 6669).into()),
            Listening::Console("[::1]:1".parse().unwrap()),
        ] {
            assert_eq!(format!("{line}\n").parse(), Ok(line));
        }
    }

    #[test]
    fn other_lines_are_not_taken_for_one() {
        for line in ["", "echo listening on", "echo listening on nowhere", "console listening on 127.0.0.1:1"] {
            assert_eq!(line.parse::<Listening>(), Err(()), "{line:?}");
        }
    }
}
