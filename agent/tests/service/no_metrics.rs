//! An agent without its feature `metrics` says that it has none where somebody asks for them.

use crate::{
    process::{Roles, play, say},
    setup::free,
};

pub(crate) const ROLES: Roles = &[("no-metrics", no_metrics)];

fn no_metrics() {
    let agent = holdup_agent::builder().from_env().address(free()).init();
    say(agent.address().is_some());
    say(format_args!("{:?}", agent.missing()));
}

#[test]
fn it_is_said_that_there_are_none() {
    let said = play("no-metrics", &[("HOLDUP_METRICS", "127.0.0.1:0")]);
    assert_eq!(said[0], "true");
    assert!(said[1].contains("HOLDUP_METRICS") && said[1].contains("feature `metrics`"), "{said:?}");
    assert_eq!(play("no-metrics", &[])[1], "[]");
}
