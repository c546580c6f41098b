//! What there is for Prometheus where the agent was built without its feature `metrics`: words that say so.

use crate::{
    Error, access::Access, audit::Audit, missing::Missing, process::Process, settings::Settings, stalls::record::Stalls,
};
use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

pub(crate) fn open(_: &Access, _: &Audit) -> Result<Infallible, Error> {
    let reason = "this agent was built without metrics; build it with the feature `metrics` of holdup-agent";
    Err(Error::access("HOLDUP_METRICS", reason))
}

#[derive(Debug)]
pub(crate) enum Door {
    #[expect(dead_code, reason = "it is as the one that is served")]
    Open(Box<Infallible>),
    #[expect(dead_code, reason = "the same")]
    Later(Box<Access>, Audit),
    Shut,
}

pub(crate) struct Server;

impl Server {
    pub(crate) fn new(_: Door, _: &Settings, _: &Process, _: &Arc<Stalls>, _: &Arc<Missing>) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "it is as the one that serves")]
    pub(crate) fn address(&self) -> Arc<OnceLock<SocketAddr>> {
        Arc::default()
    }

    #[expect(clippy::unused_async, reason = "the same")]
    pub(crate) async fn run(self) {}
}
