//! Nothing but the echo.

use std::time::Duration;

use super::{Kind, Scenario};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "healthy",
    kind: Kind::Control,
    says: "Nothing but the echo service and its clients.",
    file: file!(),
    retention: Duration::from_secs(3600),
    ..Scenario::BASE
};
