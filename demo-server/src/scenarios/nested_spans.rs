//! Tasks that work inside of the service's own spans.

use std::{io, time::Duration};

use tokio::time::sleep;
use tracing::{Instrument, info_span};

use super::{Ctx, Kind, Scenario};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "nested-spans",
    kind: Kind::Control,
    says: "Three tasks answer requests inside of a span request, and each queries a table inside of a span query.",
    tasks: &["answers-requests"],
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    for peer in ["alice", "bob", "carol"] {
        let requests = async move {
            for number in 0_u64.. {
                let query = async {
                    sleep(Duration::from_millis(150)).await;
                };
                query.instrument(info_span!("query", table = "orders", number)).await;
                sleep(Duration::from_millis(50)).await;
            }
        };
        ctx.spawn("answers-requests", requests.instrument(info_span!("request", peer)))?;
    }
    Ok(())
}
