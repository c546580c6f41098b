//! twice PATH: has a tokio, and loads the shared object at PATH, which has another.

use std::time::Duration;

async fn own_sleep(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

fn main() {
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        for _ in 0..3 {
            runtime.spawn(own_sleep(100_000));
        }
        runtime.block_on(own_sleep(200_000));
    });
    loader::load();
}
