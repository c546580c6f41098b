//! The crate that reads processes, held against processes that tell the truth of themselves.
//!
//! ```text
//! victims/   the programs, a workspace of their own         running   builds and starts them
//! truth      what they tell                                 compare   a look held against it
//! versions/  a program for each version of tokio
//! chains served stale motion hostile runtimes upheaval values versions    the tests
//! ```
//!
//! What is here takes two minutes from nothing; what takes longer is ignored unless it is asked for (`--ignored`).

#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

mod chains;
mod compare;
mod hostile;
mod motion;
mod running;
mod runtimes;
mod served;
mod stale;
mod truth;
mod upheaval;
mod values;
mod versions;
