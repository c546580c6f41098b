//! Nothing but the echo.

use super::{Kind, Scenario};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "healthy",
    kind: Kind::Control,
    says: "Nothing but the echo service and its clients.",
    file: file!(),
    ..Scenario::BASE
};
