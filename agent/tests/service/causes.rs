//! Why a task waits: who woke it, and whether its worker waits for a processor, as a client of `Watch` is told.

use crate::{
    attach::agent,
    clients::{Clients, block_on, next, until},
    process::{Roles, Service, until_stdin_ends},
};
use holdup_proto::v1::{Report, task_wakers::waker::Kind};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{runtime::Builder, sync::Notify, time::sleep};

pub(crate) const ROLES: Roles = &[("causes-wakes", wakes)];

/// One task wakes another, again and again; a timer wakes the one.
fn wakes() {
    let _agent = agent();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let notify = Arc::new(Notify::new());
    let theirs = Arc::clone(&notify);
    let named = |name| tokio::task::Builder::new().name(name);
    let fed = async move {
        loop {
            theirs.notified().await;
        }
    };
    let feeds = async move {
        loop {
            notify.notify_one();
            sleep(Duration::from_millis(5)).await;
        }
    };
    named("fed").spawn_on(fed, runtime.handle()).expect("a runtime");
    named("feeds").spawn_on(feeds, runtime.handle()).expect("a runtime");
    until_stdin_ends();
}

/// The ids of the tasks that have names, up to an update's end.
fn names(names: &mut HashMap<String, u64>, report: &Report) -> bool {
    names.extend(report.new_tasks.iter().map(|task| (task.name.clone(), task.id)));
    !report.more && names.contains_key("fed") && names.contains_key("feeds")
}

/// Who woke a task, as a page tells.
fn wakers(report: &Report, task: u64) -> Option<Vec<(Kind, u64)>> {
    let told = report.task_wakers.iter().find(|told| told.task_id == task)?;
    Some(told.wakers.iter().map(|waker| (waker.kind(), waker.task_id)).collect())
}

#[test]
fn who_woke_a_task_is_told_from_when_somebody_looks_at_it() {
    let mut service = Service::start("causes-wakes", &[]);
    let address = service.address();
    block_on(async {
        let mut clients = Clients::connect(address).await;
        let mut reports = clients.reports().await;
        let mut known = HashMap::new();
        until(&mut reports, |report| names(&mut known, report)).await;
        let (fed, feeds) = (known["fed"], known["feeds"]);
        for _ in 0..3 {
            let page = next(&mut reports).await;
            assert!(page.task_wakers.is_empty(), "nobody has asked: {:?}", page.task_wakers);
        }
        clients.watched_details(fed).await.expect("the task is there");
        let told = until(&mut reports, |report| wakers(report, fed).is_some_and(|told| !told.is_empty())).await;
        assert_eq!(wakers(&told, fed), Some(vec![(Kind::Task, feeds)]));
        clients.watched_details(feeds).await.expect("the task is there");
        let told = until(&mut reports, |report| wakers(report, feeds).is_some_and(|told| !told.is_empty())).await;
        assert_eq!(wakers(&told, feeds), Some(vec![(Kind::Runtime, 0)]));
    });
}

#[test]
fn in_lean_detail_nobody_is_told_to_wake_anybody() {
    let mut service = Service::start("causes-wakes", &[("HOLDUP_DETAIL", "lean")]);
    let address = service.address();
    block_on(async {
        let mut clients = Clients::connect(address).await;
        let mut reports = clients.reports().await;
        let mut known = HashMap::new();
        until(&mut reports, |report| names(&mut known, report)).await;
        clients.watched_details(known["fed"]).await.expect("the task is there");
        for _ in 0..6 {
            assert!(next(&mut reports).await.task_wakers.is_empty());
        }
    });
}

#[cfg(target_os = "linux")]
#[test]
fn how_long_workers_wait_for_a_processor_is_told_where_the_kernel_counts_it() {
    let own = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let counts = own.split_ascii_whitespace().any(|number| number != "0");
    let mut service = Service::start("causes-wakes", &[]);
    let address = service.address();
    block_on(async {
        let mut clients = Clients::connect(address).await;
        let mut reports = clients.reports().await;
        let is_told =
            |report: &Report| report.workers.len() == 2 && report.workers.iter().all(|worker| worker.thread.is_some());
        let told = until(&mut reports, is_told).await;
        assert!(told.workers.iter().all(|worker| worker.cpu_wait.is_some() == counts), "{told:?}");
        let waited = |report: &Report| -> Vec<(i64, i32)> {
            report.workers.iter().filter_map(|worker| worker.cpu_wait).map(|it| (it.seconds, it.nanos)).collect()
        };
        let later = until(&mut reports, |report| !report.more).await;
        assert!(waited(&told).iter().zip(waited(&later)).all(|(before, after)| *before <= after), "it only grows");
    });
}
