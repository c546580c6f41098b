//! Two gRPC services on one port, from a thread and a runtime of their own: the console's `Instrument`, and holdup's
//! `Diagnostics`. It answers while every worker of the service is blocked, for it needs nothing of theirs: what is collected
//! is read without waiting for whoever writes it.
//!
//! A client is a [`subscription`](super::subscription); what it is to be told is noted there by the one [`hub`](super::hub), and told in pages as the network takes
//! them. Who may come in, and how many, is the [`door`]'s business. Only this room names tonic.

mod backlog;
mod console;
mod door;
pub(crate) mod holdup;
mod hub;
pub(crate) mod server;
mod subscription;
mod time;
