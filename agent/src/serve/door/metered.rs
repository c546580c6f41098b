//! A connection of which no more is read than a client has reason to send: whoever sends more waits, and costs nothing meanwhile.

use super::{allowance::Allowance, hello::PREFACE};
use std::{
    future::Future as _,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// Bytes in a second, and at once: a client asks a few times, and then says now and then how much it has read. The smallest windows that clients of gRPC
/// have let 30 MiB of updates through in a second with that.
const READ: (u32, u32) = (16 << 10, 64 << 10);

#[derive(Debug)]
pub(super) struct Metered<I> {
    io: I,
    /// What was read already, and is to be read again.
    again: &'static [u8],
    allowance: Allowance,
    /// Whether the other side has said anything.
    heard: Arc<AtomicBool>,
    wait: Option<Pin<Box<Sleep>>>,
}

impl<I> Metered<I> {
    pub(super) fn new(io: I, heard: Arc<AtomicBool>) -> Self {
        Self { io, again: &[], allowance: Allowance::new(READ.0, READ.1), heard, wait: None }
    }

    /// Whoever reads next reads the preface once more.
    pub(super) fn with_preface(self) -> Self {
        Self { again: PREFACE, ..self }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Metered<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.again.is_empty() {
            let (now, later) = self.again.split_at(self.again.len().min(buf.remaining()));
            buf.put_slice(now);
            self.again = later;
            return Poll::Ready(Ok(()));
        }
        loop {
            if let Some(wait) = &mut self.wait {
                ready!(wait.as_mut().poll(cx));
                self.wait = None;
            }
            let Some(wait) = self.allowance.wait() else { break };
            self.wait = Some(Box::pin(sleep(wait)));
        }
        let most = self.allowance.left().min(buf.remaining());
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(most));
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        self.heard.fetch_or(read > 0, Ordering::Relaxed);
        self.allowance.take(read);
        buf.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Metered<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::AsyncReadExt as _,
        time::{Duration, Instant},
    };

    #[tokio::test(start_paused = true)]
    async fn of_one_that_sends_without_end_so_much_is_read_and_no_more() {
        let mut io = Metered::new(tokio::io::repeat(7), Arc::default());
        let mut buffer = vec![0; READ.1 as usize];
        let begun = Instant::now();
        io.read_exact(&mut buffer).await.expect("it never ends");
        assert!(begun.elapsed() < Duration::from_millis(1));
        buffer.truncate(READ.0 as usize);
        for _ in 0..10 {
            io.read_exact(&mut buffer).await.expect("it never ends");
        }
        let elapsed = begun.elapsed().as_secs_f64();
        assert!((9.9..10.1).contains(&elapsed), "ten seconds' worth in {elapsed} s");
    }

    #[tokio::test]
    async fn the_preface_is_read_again_in_pieces_of_any_size_before_the_rest() {
        let mut io = Metered::new(&b"rest"[..], Arc::default()).with_preface();
        let mut first = [0; 5];
        io.read_exact(&mut first).await.expect("it is there");
        let mut all = first.to_vec();
        io.read_to_end(&mut all).await.expect("it ends");
        assert_eq!(all, [PREFACE, b"rest"].concat());
    }
}
