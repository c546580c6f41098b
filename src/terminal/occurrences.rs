//! What the real world has to say: keys, the mouse, resizes, signals, and panics elsewhere in the program.

use super::{Error, Occurrence, guard::PANICKED};
use crossterm::event::{Event, EventStream};
use futures::{Stream, StreamExt, stream};
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Everything that happens to the process or its terminal.
pub(super) fn real() -> Result<impl Stream<Item = io::Result<Occurrence>> + Unpin, Error> {
    let suspend = SignalKind::from_raw(signal_hook::consts::SIGTSTP);
    let proceed = SignalKind::from_raw(signal_hook::consts::SIGCONT);
    let signals = [
        heard(signal(SignalKind::terminate())?, Occurrence::Stop),
        heard(signal(SignalKind::hangup())?, Occurrence::Stop),
        heard(signal(SignalKind::interrupt())?, Occurrence::Stop),
        heard(signal(suspend)?, Occurrence::Suspend),
        heard(signal(proceed)?, Occurrence::Resume),
    ];
    let keys = EventStream::new().filter_map(async |event| match event {
        Ok(Event::Key(key)) => Some(Ok(Occurrence::Key(key))),
        Ok(Event::Mouse(mouse)) => Some(Ok(Occurrence::Mouse(mouse))),
        Ok(Event::Resize(..)) => Some(Ok(Occurrence::Redraw)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    });
    let panics = stream::once(async {
        PANICKED.notified().await;
        Ok(Occurrence::Panicked)
    });
    Ok(stream::select_all(signals.into_iter().chain([keys.boxed(), panics.boxed()])))
}

fn heard(signal: Signal, says: Occurrence) -> stream::BoxStream<'static, io::Result<Occurrence>> {
    stream::unfold(signal, move |mut signal: Signal| async move {
        signal.recv().await?;
        Some((Ok(says), signal))
    })
    .boxed()
}
