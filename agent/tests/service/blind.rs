//! What an agent says of itself where it does not see all, or tells it seldom.

use crate::{
    clients::{Clients, block_on, until},
    process::{Roles, Service, say, until_stdin_ends, until_told},
    setup::free,
};
use std::time::Duration;

pub(crate) const ROLES: Roles =
    &[("blind-elsewhere", elsewhere), ("blind-busy", busy), ("blind-hooked", hooked), ("blind-late", late)];

/// The agent's part is installed on one thread only: the one that serves hears nothing.
fn elsewhere() {
    let builder = holdup_agent::builder().address(free());
    let _here = tracing::subscriber::set_default(builder.wrap(tracing_subscriber::registry()));
    let agent = builder.init();
    say(agent.address().expect("it listens"));
    until_stdin_ends();
}

/// All of many tasks change between any two rounds.
fn busy() {
    let agent = holdup_agent::builder().from_env().address(free()).try_init().expect("it starts");
    say(agent.address().expect("it listens"));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    for _ in 0..5_000 {
        runtime.spawn(async {
            loop {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
    }
    until_stdin_ends();
    runtime.shutdown_background();
}

/// A panic hook that is set after the agent's, and calls it or not.
fn hooked() {
    let agent = holdup_agent::builder().address(free()).init();
    say(agent.address().expect("it listens"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let panics = || assert!(runtime.block_on(runtime.spawn(async { panic!("on purpose") })).is_err());
    let agents = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    panics();
    say("one is untold");
    until_told();
    std::panic::set_hook(agents);
    panics();
    say("all are told");
    until_stdin_ends();
}

/// It is started when there are tasks already, in a runtime that it meets at its next task.
fn late() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    let older: Vec<_> = (0..20).map(|_| runtime.spawn(std::future::pending::<()>())).collect();
    let agent = holdup_agent::builder().address(free()).init();
    say(agent.address().expect("it listens"));
    let younger: Vec<_> = (0..30).map(|_| runtime.spawn(tokio::task::yield_now())).collect();
    let _lives = runtime.spawn(std::future::pending::<()>());
    for task in younger {
        runtime.block_on(task).expect("it ends");
    }
    // What has just ended may still be among tokio's.
    std::thread::sleep(Duration::from_millis(50));
    say("some are older");
    until_told();
    older.iter().for_each(tokio::task::JoinHandle::abort);
    for task in older {
        assert!(runtime.block_on(task).is_err());
    }
    say("none is");
    until_stdin_ends();
}

#[test]
fn an_agent_that_hears_of_no_task_says_so() {
    let mut service = Service::start("blind-elsewhere", &[]);
    let address = service.address();
    block_on(async {
        let described = Clients::connect(address).await.describe().await;
        let deaf = described.limitations.iter().any(|it| it.contains("nothing that tokio tells arrives"));
        assert!(deaf, "{:?}", described.limitations);
    });
}

#[test]
fn an_agent_that_may_use_little_of_a_processor_tells_less_often_and_says_so() {
    let mut service = Service::start("blind-busy", &[("HOLDUP_CPU", "0.1%")]);
    let address = service.address();
    block_on(async {
        let mut reports = Clients::connect(address).await.reports().await;
        let report = until(&mut reports, |report| report.told_every_ms > 0).await;
        assert!(report.told_every_ms > 250, "{}", report.told_every_ms);
    });
}

#[test]
fn a_panic_hook_that_keeps_the_agent_out_is_said() {
    let mut service = Service::start("blind-hooked", &[]);
    let address = service.address();
    let describe = || block_on(async { Clients::connect(address).await.describe().await.limitations });
    assert_eq!(service.hear(), "one is untold");
    let said = describe();
    assert!(said.iter().any(|it| it.starts_with("a task was ended by a panic")), "{said:?}");
    service.tell();
    assert_eq!(service.hear(), "all are told");
    let said = describe();
    assert!(said.iter().all(|it| !it.contains("panic")), "{said:?}");
}

#[test]
fn tasks_that_are_older_than_the_agent_are_counted() {
    let mut service = Service::start("blind-late", &[]);
    let address = service.address();
    assert_eq!(service.hear(), "some are older");
    block_on(async {
        let mut clients = Clients::connect(address).await;
        let said = clients.describe().await.limitations;
        assert!(said.iter().any(|it| it.starts_with("at least 20 tasks that live are not seen")), "{said:?}");
        service.tell();
        assert_eq!(service.hear(), "none is");
        // They are counted once in a second at the most.
        while clients.describe().await.limitations.iter().any(|it| it.contains("not seen")) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
}
