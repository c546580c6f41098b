//! A real TCP echo server on Tokio whose troubles can be switched on one by one.
//!
//! It owns everything that a diagnosis is shown on and proved with: the echo service, its built-in load, the console that
//! it serves, and the [`scenarios()`]. It knows nothing of the client that watches it; what the two share are the lines that
//! [`Listening`] prints and parses, and the table of scenarios, which says of each what it does and what must be found.
//!
//! Threads: those named `demo-worker` poll the echo service and the troubles; `console` serves the console from a runtime of its
//! own, so that it answers while every worker is stuck; `load` plays the clients; and the calling thread waits for a
//! reason to stop. The last three are not instrumented, so that what a console shows is the service and nothing else.

mod announce;
mod args;
mod console;
mod echo;
mod error;
mod instrument;
mod keeps;
mod list;
mod load;
mod run;
mod scenarios;
mod silent;
mod stop;
mod switches;
mod unstable;
mod warm_up;

pub use announce::Listening;
pub use args::Args;
pub use error::Error;
pub use instrument::{Detail, Instrument, Instrumentation, Settings};
pub use run::run;
pub use scenarios::{Ctx, Filter, InLean, Kind, Processors, Raised, Scenario, scenario, scenarios};
pub use switches::Switch;
