//! An agent that was built without TLS.

use super::Certificate;
use crate::{Error, access::Access, serve::door::Io};
use std::{convert::Infallible, io};

#[derive(Debug)]
pub(super) struct Tls(Infallible);

impl Tls {
    /// Settings that ask for it are an error.
    pub(super) fn new(access: &Access) -> Result<Option<Self>, Error> {
        match access.identity()? {
            None => Ok(None),
            Some(_) => Err(Error::access(
                "HOLDUP_TLS_CERT",
                "this agent was built without TLS; build it with the feature `tls` of holdup-agent",
            )),
        }
    }

    #[expect(clippy::unused_async, reason = "the same as where there is TLS")]
    pub(super) async fn enter(
        &self,
        _: Box<dyn Io>,
        _: impl FnOnce(Error),
    ) -> Result<(Box<dyn Io>, Certificate), (io::Error, Box<dyn Io>)> {
        match self.0 {}
    }
}
