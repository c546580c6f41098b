//! A subscriber with one filter for all of its layers, which lets nothing of tokio's through.

use std::{io, sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::sleep};

use super::{Ctx, Filter, Kind, Raised, Scenario};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "one-filter-for-all",
    kind: Kind::Trouble,
    says: "The service's subscriber has one filter, INFO, for all of its layers, and two tasks of it wait for each other's Mutex.",
    raises: Some("tells-nothing"),
    severity: Some("warning"),
    // It is a subscriber around the service's own, so that no filter of that is asked.
    from_agent: Some(&[Raised { lint: "deadlock", severity: "critical" }]),
    also: &["held-across-await"],
    tasks: &["filtered-ab", "filtered-ba"],
    lock: Some("Mutex"),
    file: file!(),
    within: Duration::from_secs(5),
    retention: Duration::from_secs(3600),
    filter: Filter::OneForAll,
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let (a, b) = (Arc::new(Mutex::new(0_u64)), Arc::new(Mutex::new(0_u64)));
    ctx.spawn("filtered-ab", both(Arc::clone(&a), Arc::clone(&b)))?;
    ctx.spawn("filtered-ba", both(b, a))
}

async fn both(first: Arc<Mutex<u64>>, second: Arc<Mutex<u64>>) {
    let from = first.lock().await;
    sleep(Duration::from_millis(100)).await;
    *second.lock().await += *from;
}
