//! What there is of the [past that the agent keeps](crate) where it was built without its feature `history`: words that say so.

use crate::{
    missing::Part,
    serve::{holdup::report::Description, hub::Command},
    settings::Settings,
};
use futures::stream::Empty;
use holdup_proto::v1::HistoryPiece;
use tokio::sync::mpsc;
use tonic::Status;

const NONE: &str = "this agent keeps no past: it was built without its feature `history`";

#[derive(Debug, Clone, Default)]
pub(crate) struct History;

pub(crate) type Pieces = Empty<Result<HistoryPiece, Status>>;

pub(crate) struct Keeper;

impl History {
    pub(crate) fn start(settings: &Settings, description: &Description) -> (Self, Keeper) {
        if settings.history.is_some() {
            description.missing.note(Part::History, &NONE);
        }
        (Self, Keeper)
    }

    #[expect(clippy::unused_async, reason = "it is as the one that keeps a past")]
    pub(crate) async fn fetch(&self) -> Result<Pieces, Status> {
        Err(Status::failed_precondition(NONE))
    }

    #[expect(clippy::unused_self, reason = "the same")]
    pub(crate) fn critical(&self, _: &'static str) {}
}

impl Keeper {
    #[expect(clippy::unused_async, reason = "the same")]
    pub(crate) async fn run(self, _: mpsc::Sender<Command>) {}
}
