//! Many tasks that end at once, in the same panic.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::sleep;

use super::{Ctx, Kind, Raised, Scenario};
use crate::unstable::spawn_named;

/// Tasks that find the mutex poisoned.
const VICTIMS: usize = 1_000;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "panics-by-the-hundred",
    kind: Kind::Trouble,
    says: "A task panics with a std::sync::Mutex in its hands, and a thousand others end at once by unwrapping the poisoned lock.",
    from_agent: Some(&[Raised { lint: "panicked", severity: "warning" }]),
    tasks: &["finds-it-poisoned"],
    file: file!(),
    within: Duration::from_secs(4),
    // A thousand ended tasks would fill the first message.
    retention: Duration::from_secs(6),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let service = ctx.service().clone();
    ctx.spawn("poisons", async move {
        sleep(Duration::from_secs(1)).await;
        let numbers = Arc::new(Mutex::new(Vec::<u64>::new()));
        let poisoning = Arc::clone(&numbers);
        let first = async move {
            let mut numbers = poisoning.lock().unwrap();
            numbers.push(1);
            panic!("the demo was asked for a poisoned lock");
        };
        if spawn_named(&service, "poisons-it", first).is_err() {
            return;
        }
        sleep(Duration::from_millis(50)).await;
        for _ in 0..VICTIMS {
            let numbers = Arc::clone(&numbers);
            let victim = async move { numbers.lock().unwrap().push(1) };
            if spawn_named(&service, "finds-it-poisoned", victim).is_err() {
                return;
            }
        }
    })
}
