//! What the real world has to say: keys, the mouse, resizes, signals, and panics elsewhere in the program.

use super::{Error, TerminalEvent, guard::PANICKED};
use crossterm::event::{Event, EventStream};
use futures::{Stream, StreamExt, stream};
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Everything that happens to the process or its terminal.
pub(super) fn real() -> Result<impl Stream<Item = io::Result<TerminalEvent>> + Unpin, Error> {
    let suspend = SignalKind::from_raw(signal_hook::consts::SIGTSTP);
    let proceed = SignalKind::from_raw(signal_hook::consts::SIGCONT);
    let signals = [
        heard(signal(SignalKind::terminate())?, TerminalEvent::Stop),
        heard(signal(SignalKind::hangup())?, TerminalEvent::Stop),
        heard(signal(SignalKind::interrupt())?, TerminalEvent::Stop),
        heard(signal(suspend)?, TerminalEvent::Suspend),
        heard(signal(proceed)?, TerminalEvent::Resume),
    ];
    let keys = EventStream::new().filter_map(async |event| match event {
        Ok(Event::Key(key)) => Some(Ok(TerminalEvent::Key(key))),
        Ok(Event::Mouse(mouse)) => Some(Ok(TerminalEvent::Mouse(mouse))),
        Ok(Event::Resize(..)) => Some(Ok(TerminalEvent::Redraw)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    });
    let panics = stream::once(async {
        PANICKED.notified().await;
        Ok(TerminalEvent::Panicked)
    });
    Ok(stream::select_all(signals.into_iter().chain([keys.boxed(), panics.boxed()])))
}

fn heard(signal: Signal, says: TerminalEvent) -> stream::BoxStream<'static, io::Result<TerminalEvent>> {
    stream::unfold(signal, move |mut signal: Signal| async move {
        signal.recv().await?;
        Some((Ok(says), signal))
    })
    .boxed()
}
