//! One client and what it has yet to be told. Pages are made when the network asks for one, so that a slow client gets fewer
//! and newer ones, and never makes anybody wait; none is made ahead.

use futures::{Stream, task::AtomicWaker};
use parking_lot::Mutex;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;
use tonic::Status;

/// After this long without asking for the next page a client is one that does not read. The slowest of links takes less for a page.
pub(super) const LAPSE: Duration = Duration::from_secs(30);

/// The same where memory is short. Over a slow link one that does read may take longer; it is then told of what it does not know before what it does.
pub(super) const LAPSE_EARLY: Duration = Duration::from_secs(2);

/// What a client is sent of one task, or of the temporality: messages that wait to be sent.
pub(super) type Messages<M> = tokio_stream::wrappers::ReceiverStream<Result<M, Status>>;

/// Something of which pages can be made.
pub(crate) trait Pages: Send + 'static {
    type Page: Send + 'static;

    /// The next page; `None` when there is nothing to say.
    fn next(&mut self) -> Option<Self::Page>;

    /// Bytes that are kept so that the client can be told.
    fn kept(&self) -> usize;

    /// Bytes of the list of what is to be told.
    fn listed(&self) -> usize;

    /// Lets go of what is [kept](Self::kept): what the client will not be told is counted.
    fn cut(&mut self);

    /// The client does not read: nothing is to be kept until the next page is asked for, which begins with everything.
    fn lapse(&mut self);
}

/// A client as the hub sees it.
#[derive(Debug)]
pub(super) struct Subscription<P>(Arc<Shared<P>>);

/// What the client reads.
#[derive(Debug)]
pub(crate) struct PageStream<P> {
    shared: Arc<Shared<P>>,
    turn: Turn,
}

#[derive(Debug)]
struct Shared<P> {
    inner: Mutex<Inner<P>>,
    more: AtomicWaker,
}

#[derive(Debug)]
struct Inner<P> {
    pages: P,
    reader: Reader,
}

/// What the client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// It has read all that there was.
    Waits,
    /// It was given a page then, or there was something for it, and it has not asked since.
    Reads(Instant),
    /// It has not asked for so long that nothing is kept for it.
    Lapsed,
}

/// Between two pages of a large state, others have their turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Own,
    Others,
}

/// Begins to send: the subscription, and what the client reads.
pub(super) fn start<P: Pages>(pages: P) -> (Subscription<P>, PageStream<P>) {
    let inner = Mutex::new(Inner { pages, reader: Reader::Reads(Instant::now()) });
    let shared = Arc::new(Shared { inner, more: AtomicWaker::new() });
    (Subscription(Arc::clone(&shared)), PageStream { shared, turn: Turn::Own })
}

impl<P: Pages> Stream for PageStream<P> {
    type Item = Result<P::Page, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.turn == Turn::Others {
            self.turn = Turn::Own;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.shared.more.register(cx.waker());
        let page = {
            let mut inner = self.shared.inner.lock();
            let page = inner.pages.next();
            inner.reader = if page.is_some() { Reader::Reads(Instant::now()) } else { Reader::Waits };
            page
        };
        match page {
            Some(page) => {
                self.turn = Turn::Others;
                Poll::Ready(Some(Ok(page)))
            }
            None => Poll::Pending,
        }
    }
}

impl<P: Pages> Subscription<P> {
    /// Whether the client is still there.
    pub(super) fn is_alive(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Notes what the client is to be told with the next round.
    pub(super) fn note(&self, note: impl FnOnce(&mut P)) {
        note(&mut self.0.inner.lock().pages);
    }

    /// Notes the same, and has it told as soon as the network asks.
    pub(super) fn tell(&self, note: impl FnOnce(&mut P)) {
        self.note(note);
        self.0.more.wake();
    }
}

/// A client of whatever service, as to what it takes.
pub(super) trait Client {
    /// Bytes that are kept for it. Of one that had read all that there was before this round there are none: what the round has brought is not what it is behind with.
    fn kept(&self) -> usize;

    /// The same with the list of what is to be told.
    fn weight(&self) -> usize;

    /// Lets go of what is kept for it.
    fn cut(&self);

    /// Keeps nothing more for it if it has not read for so long.
    fn lapse_if_unread(&self, lasting: Duration);

    /// Keeps nothing more for it in any case: it is told everything when it reads again.
    fn lapse(&self);

    /// A round is over. What there is for one that had read all is what it is behind with, from now on.
    fn looked_at(&self);
}

impl<P: Pages> Client for Subscription<P> {
    fn kept(&self) -> usize {
        let inner = self.0.inner.lock();
        if inner.reader == Reader::Waits { 0 } else { inner.pages.kept() }
    }

    fn weight(&self) -> usize {
        let inner = self.0.inner.lock();
        if inner.reader == Reader::Waits { 0 } else { inner.pages.kept() + inner.pages.listed() }
    }

    fn cut(&self) {
        self.0.inner.lock().pages.cut();
    }

    fn lapse_if_unread(&self, lasting: Duration) {
        let mut inner = self.0.inner.lock();
        if matches!(inner.reader, Reader::Reads(since) if since.elapsed() >= lasting) {
            inner.reader = Reader::Lapsed;
            inner.pages.lapse();
        }
    }

    fn lapse(&self) {
        let mut inner = self.0.inner.lock();
        inner.reader = Reader::Lapsed;
        inner.pages.lapse();
    }

    fn looked_at(&self) {
        let mut inner = self.0.inner.lock();
        if inner.reader == Reader::Waits && inner.pages.kept() + inner.pages.listed() > 0 {
            inner.reader = Reader::Reads(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{FutureExt as _, StreamExt as _};
    use tokio::time::advance;

    /// Counts up as long as there is something to say.
    #[derive(Debug, Default)]
    struct Numbers {
        said: u32,
        to_say: u32,
        lapses: u32,
    }

    impl Pages for Numbers {
        type Page = u32;

        fn next(&mut self) -> Option<u32> {
            self.to_say = self.to_say.checked_sub(1)?;
            self.said += 1;
            Some(self.said)
        }

        fn kept(&self) -> usize {
            self.to_say as usize
        }

        fn listed(&self) -> usize {
            0
        }

        fn cut(&mut self) {
            self.to_say = 0;
        }

        fn lapse(&mut self) {
            self.lapses += 1;
        }
    }

    fn lapses(client: &Subscription<Numbers>) -> u32 {
        client.0.inner.lock().pages.lapses
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_is_made_when_it_is_asked_for_and_told_of_when_there_is_one() {
        let (client, mut stream) = start(Numbers::default());
        assert!(stream.next().now_or_never().is_none(), "there is nothing to say");
        client.note(|pages| pages.to_say = 2);
        assert_eq!(client.0.inner.lock().pages.to_say, 2, "nothing is made ahead");
        assert_eq!(client.kept(), 0, "it is not behind");
        let reads =
            tokio::spawn(
                async move { [stream.next().await, stream.next().await].map(Option::unwrap).map(Result::unwrap) },
            );
        client.tell(|_| ());
        assert_eq!(reads.await.expect("it does not panic"), [1, 2]);
        assert!(!client.is_alive(), "its stream is dropped");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_has_read_all_there_was_does_not_lapse_and_one_that_reads_nothing_does_once() {
        let (client, mut stream) = start(Numbers { to_say: 1, ..Numbers::default() });
        assert_eq!(client.kept(), 1);
        advance(LAPSE / 2).await;
        client.lapse_if_unread(LAPSE);
        assert_eq!(lapses(&client), 0);
        advance(LAPSE).await;
        client.lapse_if_unread(LAPSE);
        client.lapse_if_unread(LAPSE);
        assert_eq!(lapses(&client), 1);
        client.lapse();
        assert_eq!(lapses(&client), 2, "whether it reads or not");
        assert!(stream.next().await.is_some());
        while stream.next().now_or_never().is_some() {}
        assert!(stream.next().now_or_never().is_none(), "all is read");
        advance(LAPSE * 10).await;
        client.looked_at();
        client.lapse_if_unread(LAPSE);
        assert_eq!(lapses(&client), 2);
        client.note(|pages| pages.to_say = 3);
        assert_eq!(client.kept(), 0, "it could not ask for it yet");
        client.looked_at();
        assert_eq!(client.kept(), 3, "it could by now");
    }
}
