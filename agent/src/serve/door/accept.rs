//! Accepts one connection after the other, for as long as the process can spare it.

use super::{Arrived, Listen, allowance::Allowance, connection, descriptors, guests::Guests};
use crate::serve::gate::Gate;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;
use tonic::service::Routes;

/// Connections in a second, and at once. What comes faster waits in the kernel, and costs nothing there.
const PACE: (u32, u32) = (1_000, 128);

/// After a connection could not be accepted, or was closed since the process has too few descriptors left: both last for a while.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves whoever comes, up to `most` clients at once.
pub(in super::super) async fn serve(mut listener: impl Listen, most: usize, gate: Gate, routes: Routes) {
    let (gate, guests) = (Arc::new(gate), Guests::new(most));
    let mut pace = Allowance::new(PACE.0, PACE.1);
    loop {
        while let Some(wait) = pace.wait() {
            sleep(wait).await;
        }
        let room = guests.room().await;
        match listener.accept().await {
            Ok(Arrived { io, descriptor, from }) if descriptors::are_left(descriptor) => {
                pace.take(1);
                let guest = Arc::new(guests.arrive());
                let (came, gate, routes) = ((io, from), Arc::clone(&gate), routes.clone());
                tokio::spawn(async move {
                    connection::serve(came, guest, gate, routes).await;
                    drop(room);
                });
            }
            arrived => {
                // Its descriptor is the service's.
                drop(arrived);
                sleep(PAUSE).await;
            }
        }
    }
}
