//! From a stack that was copied to the functions on it: return addresses are found by the tables that compilers leave for
//! exceptions, and named by debug information. Linux on x86-64 and aarch64.
//!
//! Which way a datum goes: somebody copies registers and a stack ([`StackCopy`](copy::StackCopy)); [`unwind`] goes up in the copy
//! by what [`modules`] knows of the code that is loaded, and finds a frame pointer that nobody told by itself; [`symbolize`] names
//! the addresses, as [`frame`]s. Code that is looked at on the way is read through [`memory::Memory`]: it is this process's, or
//! another's. How a stack is copied, and of whom, is not known here.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub mod copy;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod debug_file;
pub mod frame;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod mapped;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub mod memory;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub mod modules;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod recover;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub mod symbolize;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod unit;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod units;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub mod unwind;
#[cfg(all(any(feature = "whole", test), target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod whole;
