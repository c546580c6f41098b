//! What is kept of a session where there is no room for all of it: what was found, with its evidence, the tasks and locks that this names, and sums of
//! all others.

use super::Session;
use crate::model::Rest;

/// What is kept of a session, whose sums are yet to be made.
#[derive(Clone)]
pub struct Outlining {
    session: Session,
    rest: Rest,
}

impl Session {
    /// What is kept of it as it is now. It takes as long as there are findings, however many tasks there are.
    pub fn outline(&self) -> Outlining {
        let (mut engine, named) = self.engine.outline();
        let model = self.model.outline(&named);
        engine.name_again(&model);
        let mut session = Self { model, engine, status: self.status.clone(), retention: self.retention };
        session.forget_values();
        Outlining { session, rest: self.model.rest() }
    }
}

impl Outlining {
    /// Makes the sums. It takes as long as there are tasks.
    pub fn finish(self) -> Session {
        let Self { mut session, rest } = self;
        session.model.sum(&rest);
        session
    }
}
