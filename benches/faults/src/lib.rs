//! What the fault run and the soak share: a proxy that does harm to what passes through it, a client that keeps what it is told, and children
//! that end with whoever started them.

mod child;
mod client;
mod proxy;
mod rows;
mod secrets;

pub use child::{Child, Seen};
pub use client::Client;
pub use proxy::{Changed, Fault, Proxy};
pub use rows::{Key, Row, Rows, rows};
pub use secrets::Secrets;
