//! Round trips of an echo.

use crate::target::Failure;
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

/// The p99 of round trips for so long.
pub(crate) fn p99(port: u16, time: Duration) -> Result<Duration, Failure> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    let mut took = Vec::new();
    let end = Instant::now() + time;
    let mut bytes = [7; 32];
    while Instant::now() < end {
        let began = Instant::now();
        stream.write_all(&bytes)?;
        stream.read_exact(&mut bytes)?;
        took.push(began.elapsed());
        // Bounded load: as a client that thinks.
        std::thread::sleep(Duration::from_micros(200));
    }
    took.sort_unstable();
    took.get(took.len() * 99 / 100).copied().ok_or_else(|| "no round trip".into())
}

/// The middle one.
pub(crate) fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or_default()
}
