//! A small service with an agent: tasks, a lock that is held across an await while others wait for it, and a worker that stalls, again and again. It says
//! where its agent listens, and ends with its stdin.

use std::{io::Read, sync::Arc, thread, time::Duration};
use tokio::{sync::Mutex, task};

fn main() {
    let agent = holdup_agent::builder().address(([127, 0, 0, 1], 0).into()).try_init().expect("the agent starts");
    println!("http://{}", agent.address().expect("it listens"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let lock = Arc::new(Mutex::new(()));
    for name in ["keeper", "waiter"] {
        let lock = Arc::clone(&lock);
        let keeps = async move {
            loop {
                let _kept = lock.lock().await;
                tokio::time::sleep(Duration::from_millis(400)).await;
            }
        };
        let _runtime = runtime.enter();
        task::Builder::new().name(name).spawn(keeps).expect("a runtime");
    }
    let stalls = async {
        loop {
            thread::sleep(Duration::from_millis(1500));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    {
        let _runtime = runtime.enter();
        task::Builder::new().name("staller").spawn(stalls).expect("a runtime");
    }
    std::io::stdin().read_to_end(&mut Vec::new()).expect("stdin can be read");
    agent.shutdown();
    runtime.shutdown_background();
}
