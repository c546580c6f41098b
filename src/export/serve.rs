//! Where Prometheus asks: who may, and what there is.

use super::{Reach, keeping::Keeping};
use holdup_metrics::{
    Format,
    http::{self, Answer, Answers, HeaderMap, Refused, Uri},
};
use std::{net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    task::{block_in_place, spawn},
    time::sleep,
};

/// After a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves whoever asks, for good.
pub(super) async fn serve(listener: TcpListener, reach: Reach, keeping: Arc<Keeping>) {
    let room = Arc::new(Semaphore::new(http::CONNECTIONS));
    // It is never closed.
    while let Ok(place) = Arc::clone(&room).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let asked = Asked { reach, keeping: Arc::clone(&keeping) };
                spawn(async move {
                    http::converse(stream, &asked).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                sleep(PAUSE).await;
            }
        }
    }
}

/// One who asks.
struct Asked {
    reach: Reach,
    keeping: Arc<Keeping>,
}

impl Answers for Asked {
    fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
        let named = uri.host().or_else(|| headers.get("host").and_then(|host| host.to_str().ok())).unwrap_or_default();
        if self.reach == Reach::Anyone || is_here(named) {
            return Ok(());
        }
        // A page in somebody's browser may have a name of its own lead here.
        Err(Refused::Forbidden(format!("{named:?} is no name of this machine's own; ask for localhost, or by address")))
    }

    fn answer(&self, path: &str, format: Format) -> Answer {
        match path {
            // What targets tell meanwhile is taken in by other threads.
            "/metrics" => Answer::Metrics(format, block_in_place(|| self.keeping.text(format)).into()),
            "/-/healthy" => Answer::Well("healthy"),
            "/-/ready" if self.keeping.is_ready() => Answer::Well("ready"),
            "/-/ready" => Answer::NotNow("not every target was tried yet"),
            _ => Answer::Nowhere,
        }
    }
}

/// Whether somebody asks for this machine by `localhost` or by an address. Who names nobody is no browser.
fn is_here(named: &str) -> bool {
    let host = match named.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => named.split_once(':').map_or(named, |(host, _)| host),
    };
    host.is_empty() || host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_asked_by_address_or_as_localhost() {
        for here in ["127.0.0.1:9670", "127.0.0.1", "[::1]:9670", "LocalHost:9670", "localhost", ""] {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in ["evil.example:9670", "evil.example", "localhost.evil.example", "127.0.0.1.evil:1"] {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
    }
}
