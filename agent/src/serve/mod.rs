//! Two gRPC services on one port, from a thread and a runtime of their own: the console's `Instrument`, and holdup's
//! `Diagnostics`. It answers while every worker of the service is blocked, for it needs nothing of theirs: what is collected
//! is read without waiting for whoever writes it.
//!
//! A client is a [`subscription`](super::subscription); what it is to be told is noted there by the one [`hub`](super::hub), and told in pages as the network takes
//! them. How many may come in is the [`door`]'s business, where from that of [`listen`], and who the [`gate`]'s. Only this room names tonic.
//! Beside it [`metrics`] has a listener of its own, for Prometheus.

mod backlog;
mod console;
mod door;
mod gate;
#[cfg(feature = "history")]
pub(crate) mod history;
#[cfg(not(feature = "history"))]
#[path = "no_history.rs"]
pub(crate) mod history;
pub(crate) mod holdup;
mod hub;
pub(crate) mod listen;
#[cfg(feature = "metrics")]
pub(crate) mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "no_metrics.rs"]
pub(crate) mod metrics;
mod pace;
pub(crate) mod server;
mod subscription;
mod time;
