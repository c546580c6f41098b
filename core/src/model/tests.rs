//! What the model makes of updates: by hand-played services, and by updates that no service would send.

#[path = "../../../tests/support/service.rs"]
mod service;

mod claims;
mod exact;
mod holders;
mod memory;
mod order;
