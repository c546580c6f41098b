//! The agent as a service and its clients meet it. A process has one subscriber and one agent, so each case runs in a process of
//! its own: this very executable, once more, in a role.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod alone;
mod attach;
mod blind;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod captures;
mod causes;
mod clients;
mod compat;
mod disabled;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod harmless;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod hindered;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod large;
mod losses;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "no_metrics.rs"]
mod metrics;
mod process;
mod setup;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod symbols;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod trails;
mod watch;
mod wire;
