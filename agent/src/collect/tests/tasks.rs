//! Tasks, as the runtime tells of them.

use super::*;
use crate::read::spawn_times::TimesBySpawn;
use std::{sync::Arc, time::Duration};
use tracing::Instrument as _;

fn task(id: u64) -> TaskView {
    changes::task(id).expect("the task is known")
}

#[test]
fn a_task_from_its_birth_to_its_end() {
    current_thread().block_on(async {
        let root = me();
        let spawned = tokio::spawn(async {
            tokio::task::yield_now().await;
            std::thread::sleep(Duration::from_millis(5));
            me()
        });
        let line = line!() - 5;
        let tokio_id = spawned.id().to_string();
        let view = task(spawned.await.expect("it ends"));
        assert_eq!((view.kind, view.parent), (TaskKind::Task, root));
        assert_eq!(view.tokio_id.to_string(), tokio_id);
        let location = view.location.expect("it was spawned somewhere");
        assert_eq!((location.file, location.line), (file!(), line));
        assert_eq!(view.polls.count, 3, "two, and the drop of the future");
        assert!(view.polls.busy >= Duration::from_millis(5), "{view:?}");
        assert_eq!((view.wakes.wakes, view.wakes.self_wakes), (1, 0), "who yields is woken after its poll");
        assert_eq!(view.wakes.clones, view.wakes.drops, "{view:?}");
        assert!(view.created <= view.polls.first.expect("it was polled"));
        assert!(view.polls.last_ended <= view.dropped);
        assert!(view.dropped.is_some());
        assert_eq!(task(root).kind, TaskKind::BlockOn);
        assert_eq!(task(root).runtime, view.runtime);
        assert_ne!(view.runtime, 0);
        let histograms = changes::histograms(view.id).expect("it is kept for a while");
        assert_eq!(histograms.polls.buckets.iter().map(|bucket| bucket.count).sum::<u64>(), 3);
    });
}

#[test]
fn names_kinds_and_sizes() {
    current_thread().block_on(async {
        #[expect(clippy::large_stack_arrays, reason = "a future that is large")]
        let large = [0_u8; 1 << 15];
        let named = tokio::task::Builder::new()
            .name("a name that is longer than sixteen bytes")
            .spawn(async move { (me(), large.len()) })
            .expect("it is spawned");
        let view = task(named.await.expect("it ends").0);
        assert_eq!(view.name.as_deref(), Some("a name that is longer than sixteen bytes"));
        assert!(view.original_size.is_some_and(|size| size > 1 << 15), "{view:?}");
        let view = task(tokio::task::spawn_blocking(me).await.expect("it ends"));
        assert_eq!((view.kind, view.name), (TaskKind::Blocking, None));
        assert!(view.function.is_some_and(|function| function.contains("me")), "{:?}", view.function);
        let set = tokio::task::LocalSet::new();
        let local = set.run_until(async { tokio::task::spawn_local(async { me() }).await });
        assert_eq!(task(local.await.expect("it ends")).kind, TaskKind::Local);
    });
}

#[test]
fn a_poll_that_is_under_way_is_seen_from_outside() {
    let runtime = multi_thread(1);
    let (tell, told) = std::sync::mpsc::channel();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let task_handle = runtime.spawn(async move {
        tell.send(me()).expect("somebody listens");
        wait.recv().expect("it is told");
    });
    let id = told.recv().expect("it runs");
    let polled =
        crate::collect::threads::all().into_iter().filter_map(|thread| thread.polling()).find(|poll| poll.task == id);
    let polled = polled.expect("its thread says so");
    let view = task(id);
    assert_eq!(view.polls.last_started, Some(polled.since));
    assert_eq!(view.polls.last_ended, None);
    go_on.send(()).expect("it waits");
    runtime.block_on(task_handle).expect("it ends");
}

#[test]
fn spans_of_the_service_do_not_see_those_of_the_runtime() {
    current_thread().block_on(async {
        let span = tracing::info_span!("request");
        let outer = span.id();
        let inside = async move {
            let mutex = Mutex::new(0);
            let _guard = mutex.lock().await;
            assert_eq!(tracing::Span::current().id(), outer);
            tokio::spawn(async { tracing::Span::current().id() }).await.expect("it ends")
        };
        assert_eq!(inside.instrument(span).await, None, "a task does not inherit a span");
    });
}

#[test]
fn changes_tell_each_thing_once_and_what_was_overwritten() {
    let runtime = current_thread();
    let mut changes = changes::Changes::take().expect("nobody else takes it in these tests");
    assert!(changes::Changes::take().is_none());
    changes.begin().tasks(&mut |_| {});
    let (id, handle) = runtime.block_on(async {
        let handle = tokio::spawn(async {
            tokio::task::yield_now().await;
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        let mut newest = 0;
        changes::tasks(&mut |task| {
            if task.tokio_id.to_string() == handle.id().to_string() {
                newest = task.id;
            }
        });
        (newest, handle)
    });
    let mut told = |id: u64| {
        let mut views = Vec::new();
        changes.begin().tasks(&mut |change| match change {
            Change::Now(view) if view.id == id => views.push(view),
            _ => {}
        });
        views
    };
    assert_eq!(told(id).len(), 1);
    assert_eq!(told(id).len(), 0, "nothing has changed since");
    runtime.block_on(async { tokio::task::yield_now().await });
    assert_eq!(told(id).len(), 1, "it was polled once more");
    handle.abort();
    runtime.block_on(async { drop(handle.await) });
    let ended = told(id);
    assert!(ended[0].dropped.is_some());
}

/// The service's own spans around a task: names, with their fields.
fn context(id: u64) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    changes::spans(&mut |view| {
        if view.task == id {
            let field = |(name, value): &(&str, Arc<str>)| format!("{name}={value}");
            let fields = |span: &SpanView| span.fields.iter().map(field).collect::<Vec<_>>().join(" ");
            found = view.spans.iter().map(|span| (span.name, fields(span))).collect();
        }
    });
    found
}

#[test]
fn the_services_own_spans_around_a_task() {
    current_thread().block_on(async {
        let (tell, told) = tokio::sync::oneshot::channel();
        let (go_on, wait) = tokio::sync::oneshot::channel::<()>();
        let request = tracing::info_span!("request", path = "/a", status = tracing::field::Empty);
        let query = tracing::info_span!(parent: &request, "query", rows = 7);
        let work = async move {
            let id = me();
            async {
                tell.send(id).expect("somebody listens");
                wait.await.expect("it is told");
            }
            .instrument(query)
            .await;
            std::future::pending::<()>().await;
        };
        let task = tokio::spawn(work.instrument(request.clone()));
        let id = told.await.expect("it runs");
        assert_eq!(context(id), [("request", "path=/a".to_owned()), ("query", "rows=7".to_owned())]);
        request.record("status", 200);
        assert_eq!(context(id)[0], ("request", "path=/a status=200".to_owned()));
        go_on.send(()).expect("it waits");
        tokio::task::yield_now().await;
        // Its last poll was inside of both, and it waits inside of one: what counts is the poll.
        assert_eq!(context(id).len(), 2);
        task.abort();
        assert!(task.await.is_err());
        assert_eq!(context(id), []);
        assert_eq!(context(me()), []);
    });
}

#[test]
fn how_long_polls_took_is_counted_by_spawn_location_also_of_tasks_and_threads_that_have_ended() {
    let runtime = multi_thread(2);
    let spawn = || {
        tokio::spawn(async {
            std::thread::sleep(Duration::from_millis(3));
            tokio::task::yield_now().await;
        })
    };
    let line = line!() - 5;
    let mut times = TimesBySpawn::default();
    let mut here = || {
        let all = times.changed();
        let is_here = |location: &Location| (location.file, location.line) == (file!(), line);
        all.into_iter().find(|(_, times)| times.location.is_some_and(is_here)).map(|(_, times)| times.counted)
    };
    assert_eq!(here(), None);
    runtime.block_on(async {
        for _ in 0..3 {
            spawn().await.expect("it ends");
        }
    });
    drop(runtime);
    let counted = here().expect("they are counted");
    // Two polls, and the drop of the future, for which nobody was woken.
    assert_eq!((counted.polls.iter().sum::<u64>(), counted.waits.iter().sum::<u64>()), (9, 3), "{counted:?}");
    // From 2 to 4 ms, or above.
    assert_eq!(counted.polls[12..].iter().sum::<u64>(), 3, "{counted:?}");
    assert_eq!(here(), None, "nothing is new");
}
