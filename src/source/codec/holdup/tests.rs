use super::*;
use crate::{
    source::codec::walk::{Schema, Walker},
    update::{
        Access, Across, Attribute, Cause, DecodeIssues, Doing, Dropped, Field, FieldName, Flavor, Frame, Holder,
        LockStats, Loss, MetaId, NewMetadata, NewOp, NewResource, NewTask, OpId, OpStats, Panic, Part, Permits, Place,
        PollOp, PollStats, Readiness, ResourceId, ResourceStats, RuntimeId, RuntimeStats, SourcePlace, Span,
        SpawnTimes, Stack, Stall, Stamp, Standstill, Taken, TaskFacts, TaskId, TaskKind, TaskStats, TaskWakers, Thread,
        Update, Value, Verdict, VerdictKind, Waiting, Waking, WokenBy, WorkerId, WorkerStack, WorkerStats,
    },
};
use holdup_proto::v1 as proto;
use proptest::{collection::vec, option, prelude::*};
use prost::Message as _;
use std::{num::NonZeroU64, sync::Arc, time::Duration};

fn at(seconds: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds, nanos: 0 }
}

/// One message in chunks of this size, as one update.
fn read_in(message: &[u8], chunk: usize) -> Update {
    let (mut walker, mut pages) = (Walker::<Holdup>::default(), Vec::new());
    walker.begin(message.len());
    for chunk in message.chunks(chunk) {
        walker.feed(chunk, &mut pages);
    }
    pages.push(walker.end());
    joined(pages)
}

fn joined(pages: Vec<Update>) -> Update {
    let mut whole = Update::default();
    for page in pages {
        (whole.now, whole.part) = (page.now, page.part);
        whole.metadata.extend(page.metadata);
        whole.new_tasks.extend(page.new_tasks);
        whole.task_stats.extend(page.task_stats);
        whole.new_resources.extend(page.new_resources);
        whole.resource_stats.extend(page.resource_stats);
        whole.new_ops.extend(page.new_ops);
        whole.op_stats.extend(page.op_stats);
        whole.poll_ops.extend(page.poll_ops);
        whole.gone_tasks.extend(page.gone_tasks);
        whole.gone_resources.extend(page.gone_resources);
        whole.gone_ops.extend(page.gone_ops);
        whole.task_facts.extend(page.task_facts);
        whole.task_spans.extend(page.task_spans);
        whole.task_wakers.extend(page.task_wakers);
        whole.spawn_times.extend(page.spawn_times);
        whole.locks.extend(page.locks);
        whole.gone_locks.extend(page.gone_locks);
        whole.stalls.extend(page.stalls);
        whole.worker_stacks.extend(page.worker_stacks);
        whole.standstills.extend(page.standstills);
        whole.panics.extend(page.panics);
        whole.dropped.tasks += page.dropped.tasks;
        whole.dropped.resources += page.dropped.resources;
        whole.dropped.ops += page.dropped.ops;
        // Nothing that is whole stands before the last page.
        assert!(whole.runtimes.is_none() && whole.workers.is_none() && whole.losses.is_none());
        (whole.runtimes, whole.workers, whole.losses) = (page.runtimes, page.workers, page.losses);
        whole.told_every = page.told_every;
        whole.issues.add(page.issues);
    }
    whole
}

fn read(message: &[u8]) -> Update {
    read_in(message, message.len().max(1))
}

#[test]
fn a_message_is_read_field_by_field_and_what_is_whole_waits_for_the_last_one() {
    let worker = proto::Worker { runtime_id: 1, index: 3, polling: 17, ..proto::Worker::default() };
    let first = proto::Report {
        now: Some(at(5)),
        more: true,
        workers: vec![worker],
        dropped_locks: vec![7, 300],
        ..proto::Report::default()
    };
    let mut walker = Walker::<Holdup>::default();
    let mut take = |sent: &proto::Report| {
        let (bytes, mut pages) = (sent.encode_to_vec(), Vec::new());
        walker.begin(bytes.len());
        walker.feed(&bytes, &mut pages);
        assert!(pages.is_empty());
        walker.end()
    };
    let page = take(&first);
    assert_eq!((page.part, page.workers), (Part::More, None));
    assert_eq!(page.now.map(Stamp::nanos), Some(5_000_000_000));
    assert_eq!(page.gone_locks.iter().map(|id| id.0).collect::<Vec<_>>(), [7, 300]);
    assert_eq!(page.issues, DecodeIssues::default());
    let wholes = vec![proto::Whole::Losses.into()];
    let last = take(&proto::Report { now: Some(at(5)), wholes, ..proto::Report::default() });
    assert_eq!((last.part, last.workers.map(|workers| workers.len())), (Part::Last, Some(1)));
    assert_eq!((last.losses, last.runtimes), (Some(Vec::new()), None), "none are told, and not told");
    // The next update begins with nothing of this one.
    assert_eq!(take(&proto::Report::default()).workers, None);
}

#[test]
fn what_waits_for_an_end_that_never_comes_is_bounded() {
    let (mut walker, mut issues) = (Walker::<Holdup>::default(), 0);
    let mut take = |more| {
        let sent = proto::Report {
            more,
            runtimes: vec![proto::Runtime::default(); 1_000],
            workers: vec![proto::Worker::default(); 1_000],
            losses: (0..1_000).map(|kind| proto::Loss { kind: format!("{kind}"), count: 1 }).collect(),
            ..proto::Report::default()
        };
        let (bytes, mut pages) = (sent.encode_to_vec(), Vec::new());
        walker.begin(bytes.len());
        walker.feed(&bytes, &mut pages);
        pages.push(walker.end());
        issues += pages.iter().map(|page| page.issues.total()).sum::<u64>();
        pages.pop().unwrap()
    };
    for _ in 0..20 {
        assert_eq!(take(true).part, Part::More);
    }
    let last = take(false);
    let kept =
        [last.runtimes.map(|all| all.len()), last.workers.map(|all| all.len()), last.losses.map(|all| all.len())];
    assert_eq!(kept, [schema::MOST_RUNTIMES, schema::MOST_RUNTIMES, schema::MOST_LOSSES].map(Some));
    let all = kept.iter().flatten().sum::<usize>() as u64;
    assert_eq!(issues, 21 * 3_000 - all, "what was left out is counted");
}

#[test]
fn a_broken_entry_costs_itself_alone() {
    // A worker that is no message, and after it a loss that is one.
    let mut bytes = vec![0x22, 0x02, 0xff, 0xff];
    let loss = proto::Loss { kind: "finished-tasks".into(), count: 3 };
    bytes.extend(proto::Report { losses: vec![loss], ..proto::Report::default() }.encode_to_vec());
    let update = read(&bytes);
    assert_eq!((update.losses.map(|losses| losses.len()), update.issues.malformed), (Some(1), 1));
    // A length that leads past the end.
    bytes.extend([0x2a, 0x7f, 0x00]);
    assert_eq!(read(&bytes).issues.malformed, 2);
}

#[test]
fn an_entry_that_is_too_large_is_skipped() {
    let loss = proto::Loss { kind: "x".repeat(Holdup::MAX_ENTRY), count: 3 };
    let update = read(&proto::Report { losses: vec![loss], ..proto::Report::default() }.encode_to_vec());
    assert_eq!((update.losses, update.issues.too_large), (None, 1));
}

fn id() -> impl Strategy<Value = u64> {
    1..u64::MAX
}

fn stamp() -> impl Strategy<Value = Stamp> {
    (1..u64::MAX).prop_map(Stamp::from_nanos)
}

fn time() -> impl Strategy<Value = Duration> {
    any::<u64>().prop_map(Duration::from_nanos)
}

fn text() -> impl Strategy<Value = String> {
    "[a-z値]{0,6}"
}

fn task() -> impl Strategy<Value = TaskId> {
    id().prop_map(TaskId)
}

fn place() -> impl Strategy<Value = SourcePlace> {
    (text(), any::<u32>(), any::<u32>()).prop_map(|(file, line, column)| SourcePlace { file, line, column })
}

fn field() -> impl Strategy<Value = Field> {
    let name = prop_oneof![
        text().prop_map(FieldName::Text),
        (any::<u64>(), any::<usize>()).prop_map(|(meta, index)| FieldName::Index(MetaId(meta), index)),
    ];
    let value = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<u64>().prop_map(Value::U64),
        any::<i64>().prop_map(Value::I64),
        text().prop_map(Value::Text),
    ];
    (name, value).prop_map(|(name, value)| Field { name, value })
}

fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
    vec((field(), option::of(text())).prop_map(|(field, unit)| Attribute { field, unit }), 0..3)
}

fn polls() -> impl Strategy<Value = PollStats> {
    (any::<u64>(), option::of(stamp()), option::of(stamp()), time())
        .prop_map(|(count, last_started, last_ended, busy)| PollStats { count, last_started, last_ended, busy })
}

fn new_task() -> impl Strategy<Value = NewTask> {
    let kinds = [TaskKind::Task, TaskKind::Local, TaskKind::Blocking, TaskKind::BlockOn, TaskKind::Other];
    let sizes = (any::<u32>(), any::<u32>());
    let kind = option::of(proptest::sample::select(kinds.to_vec()));
    (task(), option::of(any::<u64>()), any::<u64>(), text(), kind, sizes, vec(field(), 0..3), option::of(place()))
        .prop_map(|(id, meta, number, name, kind, (size, original_size), fields, place)| {
            let (metadata, number) = (meta.map(MetaId), NonZeroU64::new(number));
            NewTask { id, metadata, number, name, kind, size, original_size, fields, place }
        })
}

fn task_stats() -> impl Strategy<Value = (TaskId, TaskStats)> {
    let stamps = (option::of(stamp()), option::of(stamp()), option::of(stamp()));
    (task(), stamps, polls(), time(), any::<[u64; 4]>()).prop_map(|(id, stamps, polls, scheduled, counts)| {
        let (created, dropped, last_wake) = stamps;
        let [wakes, self_wakes, waker_clones, waker_drops] = counts;
        let stats =
            TaskStats { created, dropped, last_wake, polls, scheduled, wakes, self_wakes, waker_clones, waker_drops };
        (id, stats)
    })
}

fn stack() -> impl Strategy<Value = Arc<Stack>> {
    let frame = (text(), place(), text(), any::<[u64; 2]>()).prop_map(|(function, place, module, at)| {
        let [address, offset] = at;
        Frame { function, place: Place::from(place), module, address, offset }
    });
    let build_id = vec(any::<u8>(), 0..21);
    (vec(frame, 0..3), any::<bool>(), option::of(stamp()), text(), build_id).prop_map(
        |(frames, approximate, captured, limitation, executable)| {
            Arc::new(Stack { frames, approximate, captured, limitation, executable })
        },
    )
}

fn thread() -> impl Strategy<Value = Thread> {
    (any::<u32>(), text()).prop_map(|(tid, name)| Thread { tid, name })
}

fn access() -> impl Strategy<Value = Access> {
    any::<bool>().prop_map(|shared| if shared { Access::Shared } else { Access::Exclusive })
}

fn lock() -> impl Strategy<Value = LockStats> {
    let who = (option::of(task()), option::of(thread()), access(), stamp());
    let holder = (who, any::<bool>(), option::of(stack()), option::of(stack())).prop_map(
        |((task, thread, access, since), slept, acquired_at, suspended_at)| {
            let across = if slept { Across::Await } else { Across::SamePoll };
            Holder { task, thread, access, since, across, acquired_at, suspended_at }
        },
    );
    let waiter = (any::<u64>(), option::of(task()), access(), option::of(stamp()))
        .prop_map(|(op, task, access, since)| Waiting { op: OpId(op), task, access, since });
    let times = (time(), time(), vec(any::<u64>(), 0..5));
    (id(), vec(holder, 0..3), vec(waiter, 0..3), any::<[u64; 5]>(), times).prop_map(
        |(id, holders, waiters, counts, (across_longest, longest_hold, hold_times))| {
            let [more_waiters, acquisitions, contended, across_count, unknown_holders] = counts;
            LockStats {
                id: ResourceId(id),
                holders,
                waiters,
                more_waiters,
                acquisitions,
                contended,
                across_count,
                across_longest,
                hold_times,
                longest_hold,
                unknown_holders,
            }
        },
    )
}

fn stall() -> impl Strategy<Value = Stall> {
    let causes = [Cause::Unknown, Cause::Running, Cause::SystemCall, Cause::Lock, Cause::Sleep, Cause::Device];
    let causes = [&causes[..], &[Cause::Starved, Cause::Child]].concat();
    let whose = (any::<u64>(), any::<u64>(), option::of(any::<u32>()), option::of(thread()), option::of(task()));
    let when = (stamp(), option::of(stamp()), time(), any::<u64>());
    (whose, when, proptest::sample::select(causes), [text(), text(), text()], option::of(stack())).prop_map(
        |((id, runtime, worker, thread, task), (since, ended, on_cpu, queued), cause, texts, stack)| {
            let runtime = RuntimeId(runtime);
            let [system_call, kernel_function, limitation] = texts;
            Stall {
                id,
                runtime,
                worker: worker.map(|index| WorkerId { runtime, index }),
                thread,
                task,
                since,
                ended,
                cause,
                system_call,
                kernel_function,
                on_cpu,
                queued,
                stack,
                limitation,
            }
        },
    )
}

fn worker_stack() -> impl Strategy<Value = WorkerStack> {
    let doing = [Doing::Unknown, Doing::Parked, Doing::Running, Doing::Sleeping];
    let whose = (any::<u64>(), any::<u32>(), option::of(thread()), option::of(task()));
    (whose, proptest::sample::select(doing.to_vec()), stamp(), option::of(stack())).prop_map(
        |((runtime, index, thread, task), doing, at, stack)| {
            let id = WorkerId { runtime: RuntimeId(runtime), index };
            WorkerStack { id, thread, doing, task, at, stack }
        },
    )
}

fn runtime() -> impl Strategy<Value = RuntimeStats> {
    let kinds = [
        VerdictKind::AllWorkersStuck,
        VerdictKind::DriverBlocked,
        VerdictKind::QueuedWhileIdle,
        VerdictKind::BlockingPoolFull,
    ];
    let verdict = (proptest::sample::select(kinds.to_vec()), option::of(stamp()))
        .prop_map(|(kind, since)| Verdict { kind, since });
    let flavor = option::of(any::<bool>());
    let driven = (option::of(any::<bool>()), option::of(time()));
    (text(), flavor, any::<u32>(), any::<[u64; 10]>(), vec(verdict, 0..3), driven).prop_map(
        |(name, flavor, workers, counts, verdicts, (driven, driver_gap))| RuntimeStats {
            id: RuntimeId(counts[0]),
            name,
            flavor: flavor.map(|many| if many { Flavor::MultiThread } else { Flavor::CurrentThread }),
            workers: workers.into(),
            alive_tasks: counts[1],
            global_queue: counts[2],
            blocking_threads: counts[3],
            idle_blocking_threads: counts[4],
            blocking_queue: counts[5],
            io_registered: counts[6],
            io_ready: counts[7],
            remote_schedules: counts[8],
            budget_yields: counts[9],
            verdicts,
            driven,
            driver_gap,
            ..RuntimeStats::default()
        },
    )
}

fn worker() -> impl Strategy<Value = WorkerStats> {
    let waits = option::of(time());
    (any::<u32>(), option::of(thread()), option::of(task()), option::of(stamp()), time(), any::<[u64; 9]>(), waits)
        .prop_map(|(index, thread, polling, polling_since, busy, counts, cpu_wait)| WorkerStats {
            tick: None,
            id: WorkerId { runtime: RuntimeId(counts[0]), index },
            thread,
            polling,
            polling_since,
            busy,
            queue: counts[1],
            polls: counts[2],
            parks: counts[3],
            steals: counts[4],
            steal_operations: counts[5],
            overflows: counts[6],
            local_schedules: counts[7],
            noops: counts[8],
            cpu_wait,
        })
}

fn wakers() -> impl Strategy<Value = TaskWakers> {
    let by = prop_oneof![task().prop_map(WokenBy::Task), Just(WokenBy::Runtime), Just(WokenBy::Outside)];
    let waking = (by, any::<u64>(), option::of(stamp())).prop_map(|(by, count, last)| Waking { by, count, last });
    (option::of(stamp()), vec(waking, 0..4), any::<u64>()).prop_map(|(since, wakers, others)| TaskWakers {
        since,
        wakers,
        others,
    })
}

/// Tasks, resources and operations, and what only a console tells.
fn rows() -> impl Strategy<Value = Update> {
    let resource = (
        id(),
        option::of(any::<u64>()),
        option::of(id()),
        [text(), text(), text()],
        option::of(place()),
        any::<bool>(),
    )
        .prop_map(|(id, meta, parent, [kind, concrete_type, target], place, internal)| NewResource {
            id: ResourceId(id),
            metadata: meta.map(MetaId),
            parent: parent.map(ResourceId),
            kind,
            concrete_type,
            target,
            place,
            internal,
        });
    let taken = (option::of(task()), any::<u64>(), stamp());
    let taken = taken.prop_map(|(task, permits, since)| Taken { task, permits, since });
    let permits = (any::<u64>(), vec(taken, 0..3), any::<bool>(), vec(option::of(task()), 0..3), option::of(stamp()));
    let permits = permits.prop_map(|(first, taken, known, givers, returned)| {
        Box::new(Permits { first, taken, known, givers, returned })
    });
    let resource_stats = (id(), option::of(stamp()), option::of(stamp()), attributes(), option::of(permits)).prop_map(
        |(id, created, dropped, attributes, permits)| {
            (ResourceId(id), ResourceStats { created, dropped, attributes, permits })
        },
    );
    let op = (id(), option::of(id()), option::of(id()), text()).prop_map(|(id, parent, resource, source)| NewOp {
        id: OpId(id),
        parent: parent.map(OpId),
        resource: resource.map(ResourceId),
        source,
    });
    let op_stats = (id(), option::of(stamp()), option::of(stamp()), option::of(task()), polls(), attributes())
        .prop_map(|(id, created, dropped, task, polls, attributes)| {
            (OpId(id), OpStats { created, dropped, task, polls, attributes })
        });
    let poll_op =
        (id(), option::of(id()), option::of(task()), any::<bool>()).prop_map(|(resource, op, task, ready)| PollOp {
            resource: ResourceId(resource),
            op: op.map(OpId),
            task,
            readiness: if ready { Readiness::Ready } else { Readiness::Pending },
        });
    let metadata = (id(), text(), text(), vec(text(), 0..3)).prop_map(|(id, name, target, field_names)| NewMetadata {
        id: MetaId(id),
        name,
        target,
        field_names,
    });
    let tasks = (vec(new_task(), 0..3), vec(task_stats(), 0..3));
    let resources = (vec(resource, 0..3), vec(resource_stats, 0..3));
    let ops = (vec(op, 0..3), vec(op_stats, 0..3), vec(poll_op, 0..3));
    let rest = (vec(metadata, 0..2), any::<[u64; 3]>(), [vec(id(), 0..3), vec(id(), 0..3), vec(id(), 0..3)]);
    (tasks, resources, ops, rest).prop_map(|(tasks, resources, ops, (metadata, dropped, gone))| {
        let [tasks_dropped, resources_dropped, ops_dropped] = dropped;
        let [gone_tasks, gone_resources, gone_ops] = gone;
        Update {
            new_tasks: tasks.0,
            task_stats: tasks.1,
            new_resources: resources.0,
            resource_stats: resources.1,
            new_ops: ops.0,
            op_stats: ops.1,
            poll_ops: ops.2,
            metadata,
            dropped: Dropped { tasks: tasks_dropped, resources: resources_dropped, ops: ops_dropped },
            gone_tasks: gone_tasks.into_iter().map(TaskId).collect(),
            gone_resources: gone_resources.into_iter().map(ResourceId).collect(),
            gone_ops: gone_ops.into_iter().map(OpId).collect(),
            ..Update::default()
        }
    })
}

/// Any update at all.
fn update() -> impl Strategy<Value = Update> {
    let span = (text(), vec((text(), text()), 0..3)).prop_map(|(name, fields)| Span { name, fields });
    let panic = (task(), text(), place(), stamp(), text(), option::of(place())).prop_map(
        |(task, message, place, at, task_name, spawned_at)| Panic { task, message, place, at, task_name, spawned_at },
    );
    let facts = (task(), option::of(task()), option::of(id()))
        .prop_map(|(task, parent, runtime)| (task, TaskFacts { parent, runtime: runtime.map(RuntimeId) }));
    let loss = (text(), any::<u64>()).prop_map(|(kind, count)| Loss { kind, count });
    let every = option::of((1..u64::MAX).prop_map(Duration::from_millis));
    let wholes =
        (option::of(vec(runtime(), 0..3)), option::of(vec(worker(), 0..3)), option::of(vec(loss, 0..3)), every);
    let standstill = (stamp(), stamp()).prop_map(|(from, to)| Standstill { from, to });
    let stalls = (vec(stall(), 0..2), vec(standstill, 0..3), vec(worker_stack(), 0..3));
    let told = (vec(lock(), 0..3), vec(id(), 0..3), stalls, vec(panic, 0..2), vec(facts, 0..3));
    let times = (option::of(place()), vec(any::<u64>(), 0..4), vec(any::<u64>(), 0..4));
    let times = times.prop_map(|(place, polls, waits)| SpawnTimes { place, polls, waits });
    let spans = (vec((task(), vec(span, 0..3)), 0..3), vec((task(), wakers()), 0..3), vec(times, 0..3));
    (rows(), told, spans, wholes, option::of(stamp()), any::<bool>()).prop_map(
        |(
            rows,
            (locks, gone, (stalls, standstills, worker_stacks), panics, task_facts),
            (task_spans, task_wakers, spawn_times),
            wholes,
            now,
            more,
        )| {
            let update = Update {
                now,
                locks,
                gone_locks: gone.into_iter().map(ResourceId).collect(),
                stalls,
                standstills,
                worker_stacks,
                panics,
                task_facts,
                task_spans,
                task_wakers,
                spawn_times,
                ..rows
            };
            // What is whole is on the last page alone.
            if more {
                return Update { part: Part::More, ..update };
            }
            let (runtimes, workers, losses, told_every) = wholes;
            Update { runtimes, workers, losses, told_every, ..update }
        },
    )
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_again(update in update(), chunk in 1_usize..300) {
        let told = read_in(&encode(&update), chunk);
        // A time that is not told is counted, and not made up.
        let issues = DecodeIssues { missing_field: 0, ..told.issues };
        prop_assert_eq!(issues, DecodeIssues::default());
        prop_assert_eq!(Update { issues, ..told }, update);
    }

    #[test]
    fn nothing_that_is_sent_panics(bytes in vec(any::<u8>(), 0..400)) {
        read(&bytes);
    }

    #[test]
    fn nothing_that_almost_is_a_message_panics(update in update(), cut in 0_usize..2_000, flip in 0_usize..2_000, bit in 0_u8..8) {
        let mut bytes = encode(&update);
        bytes.truncate(cut.max(1).min(bytes.len()));
        if !bytes.is_empty() {
            let flip = flip % bytes.len();
            bytes[flip] ^= 1 << bit;
        }
        for page in super::decode(&bytes) {
            // Times that no clock tells, and ids of nothing, are for the model to bear.
            prop_assert!(page.new_tasks.iter().all(|task| task.id != TaskId::NONE));
        }
    }
}
