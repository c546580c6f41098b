//! What the real world has to say: keys, the mouse, resizes, signals, and panics elsewhere in the program.

use super::{Error, TerminalEvent, guard::PANICKED};
use crossterm::event::{Event, EventStream, poll, read};
use futures::{Stream, StreamExt, stream};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{mpsc, oneshot},
};

/// Keys that wait to be taken. What is beyond them waits in the terminal.
const KEYS: usize = 1_024;

/// How long the terminal is waited for at a time: it is waited for again.
const LISTEN: Duration = Duration::from_secs(3_600);

/// Everything that happens to the process or its terminal.
pub(super) fn real(
    told: oneshot::Receiver<String>,
) -> Result<impl Stream<Item = io::Result<TerminalEvent>> + Unpin, Error> {
    let suspend = SignalKind::from_raw(signal_hook::consts::SIGTSTP);
    let proceed = SignalKind::from_raw(signal_hook::consts::SIGCONT);
    let others = [
        heard(signal(suspend)?, TerminalEvent::Suspend),
        heard(signal(proceed)?, TerminalEvent::Resume),
        heard(signal(SignalKind::window_change())?, TerminalEvent::Redraw),
    ];
    let mut signals = Vec::from(others);
    for end in ends() {
        signals.push(heard(signal(end)?, TerminalEvent::Stop));
    }
    let keys = keyboard()?;
    let panics = stream::once(async {
        PANICKED.notified().await;
        Ok(TerminalEvent::Panicked)
    });
    let told = stream::once(told).filter_map(async |told| Some(Ok(TerminalEvent::Told(told.ok()?))));
    Ok(stream::select_all(signals.into_iter().chain([keys.boxed(), panics.boxed(), told.boxed()])))
}

/// What ends a process that does not listen, and would leave the terminal as it is.
fn ends() -> [SignalKind; 7] {
    [
        SignalKind::terminate(),
        SignalKind::hangup(),
        SignalKind::interrupt(),
        SignalKind::quit(),
        SignalKind::alarm(),
        SignalKind::user_defined1(),
        SignalKind::user_defined2(),
    ]
}

/// Ends the thread that reads the terminal: what is typed from then on is for the shell.
struct Listening {
    is_over: Arc<AtomicBool>,
    /// Where it is dropped, whoever waits for the terminal waits no more.
    _wakes: EventStream,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
    }
}

/// What the terminal says, read by a thread of its own: a sequence of which only the beginning has come keeps whoever reads it.
fn keyboard() -> io::Result<impl Stream<Item = io::Result<TerminalEvent>> + Unpin> {
    let (sender, mut keys) = mpsc::channel(KEYS);
    let is_over = Arc::new(AtomicBool::new(false));
    let listening = Listening { is_over: Arc::clone(&is_over), _wakes: EventStream::new() };
    let listen = move || {
        while !is_over.load(Ordering::Acquire) {
            let event = match poll(LISTEN) {
                Ok(false) => continue,
                Ok(true) => read(),
                Err(error) => Err(error),
            };
            let event = match event {
                Ok(Event::Key(key)) => Ok(TerminalEvent::Key(key)),
                Ok(Event::Paste(text)) => Ok(TerminalEvent::Paste(text)),
                Ok(Event::Mouse(mouse)) => Ok(TerminalEvent::Mouse(mouse)),
                // Of its size a signal tells.
                Ok(_) => continue,
                Err(error) => Err(error),
            };
            let is_last = event.is_err();
            if sender.blocking_send(event).is_err() || is_last {
                return;
            }
        }
    };
    thread::Builder::new().name("keyboard".into()).spawn(listen)?;
    Ok(stream::poll_fn(move |cx| {
        let _ends_with_this = &listening;
        keys.poll_recv(cx)
    }))
}

fn heard(signal: Signal, says: TerminalEvent) -> stream::BoxStream<'static, io::Result<TerminalEvent>> {
    stream::unfold((signal, says), async |(mut signal, says)| {
        signal.recv().await?;
        Some((Ok(says.clone()), (signal, says)))
    })
    .boxed()
}
