//! What the model makes of updates: by hand-played services, and by updates that no service would send.

#[path = "../../../tests/support/service.rs"]
pub(crate) mod service;

mod claims;
mod exact;
mod holders;
mod memory;
pub(crate) mod order;
