use super::*;
use crate::{
    source::codec::{
        console::{Console, field, op, resource, task},
        time,
    },
    update::{DecodeIssues, TaskId},
};
use console_api as api;
use proptest::{collection::vec, option, prelude::*};
use prost::Message;

/// The pages of a message that arrives in chunks of this size.
fn pages(message: &[u8], chunk: usize) -> Vec<Update> {
    let mut walker = Walker::<Console>::default();
    let mut pages = Vec::new();
    walker.begin(message.len());
    for chunk in message.chunks(chunk) {
        walker.feed(chunk, &mut pages);
        assert!(walker.pending.len() <= Console::MAX_ENTRY + 20);
    }
    pages.push(walker.end());
    pages
}

/// All pages as one, with the states in the order of their ids: a map has none on the wire.
fn joined(pages: Vec<Update>) -> Update {
    let mut whole = Update::default();
    for page in pages {
        whole.now = page.now;
        whole.metadata.extend(page.metadata);
        whole.new_tasks.extend(page.new_tasks);
        whole.task_stats.extend(page.task_stats);
        whole.new_resources.extend(page.new_resources);
        whole.resource_stats.extend(page.resource_stats);
        whole.new_ops.extend(page.new_ops);
        whole.op_stats.extend(page.op_stats);
        whole.poll_ops.extend(page.poll_ops);
        whole.dropped.tasks += page.dropped.tasks;
        whole.dropped.resources += page.dropped.resources;
        whole.dropped.ops += page.dropped.ops;
        whole.issues.add(page.issues);
    }
    whole.task_stats.sort_by_key(|(id, _)| *id);
    whole.resource_stats.sort_by_key(|(id, _)| *id);
    whole.op_stats.sort_by_key(|(id, _)| *id);
    whole
}

/// The same, from the message as prost reads it: the oracle.
fn decoded(update: api::instrument::Update) -> Update {
    let mut whole = Update::default();
    let issues = &mut whole.issues;
    whole.now = time::stamp(update.now, issues);
    if let Some(tasks) = update.task_update {
        let new = tasks.new_tasks.into_iter();
        whole.new_tasks = new.filter_map(|new| task::new_task(new, issues)).collect();
        let stats = tasks.stats_update.into_iter();
        whole.task_stats = stats.filter_map(|(id, stats)| task::task_stats(id, stats, issues)).collect();
        whole.dropped.tasks = tasks.dropped_events;
    }
    if let Some(resources) = update.resource_update {
        let new = resources.new_resources.into_iter();
        whole.new_resources = new.filter_map(|new| resource::new_resource(new, issues)).collect();
        let stats = resources.stats_update.into_iter();
        whole.resource_stats = stats.filter_map(|(id, stats)| resource::resource_stats(id, stats, issues)).collect();
        let polls = resources.new_poll_ops.iter();
        whole.poll_ops = polls.filter_map(|poll| resource::poll_op(poll, issues)).collect();
        whole.dropped.resources = resources.dropped_events;
    }
    if let Some(ops) = update.async_op_update {
        let new = ops.new_async_ops.into_iter();
        whole.new_ops = new.filter_map(|new| op::new_op(new, issues)).collect();
        let stats = ops.stats_update.into_iter();
        whole.op_stats = stats.filter_map(|(id, stats)| op::op_stats(id, stats, issues)).collect();
        whole.dropped.ops = ops.dropped_events;
    }
    if let Some(new) = update.new_metadata {
        let new = new.metadata.into_iter();
        whole.metadata = new.filter_map(|new| field::new_metadata(new, issues)).collect();
    }
    joined(vec![whole])
}

fn id() -> impl Strategy<Value = Option<api::Id>> {
    option::of(any::<u64>().prop_map(|id| api::Id { id: id % 5 }))
}

fn time() -> impl Strategy<Value = Option<prost_types::Timestamp>> {
    option::of((any::<i64>(), any::<i32>()).prop_map(|(seconds, nanos)| prost_types::Timestamp { seconds, nanos }))
}

fn length() -> impl Strategy<Value = Option<prost_types::Duration>> {
    option::of((any::<i64>(), any::<i32>()).prop_map(|(seconds, nanos)| prost_types::Duration { seconds, nanos }))
}

fn field() -> impl Strategy<Value = api::Field> {
    let name = option::of(prop_oneof![
        ".{0,8}".prop_map(api::field::Name::StrName),
        any::<u64>().prop_map(api::field::Name::NameIdx),
    ]);
    let value = option::of(prop_oneof![
        ".{0,8}".prop_map(api::field::Value::StrVal),
        ".{0,8}".prop_map(api::field::Value::DebugVal),
        any::<u64>().prop_map(api::field::Value::U64Val),
        any::<i64>().prop_map(api::field::Value::I64Val),
        any::<bool>().prop_map(api::field::Value::BoolVal),
    ]);
    let metadata = option::of(any::<u64>().prop_map(|id| api::MetaId { id }));
    (name, value, metadata).prop_map(|(name, value, metadata_id)| api::Field { metadata_id, name, value })
}

fn polls() -> impl Strategy<Value = Option<api::PollStats>> {
    option::of((any::<u64>(), time(), time(), time(), length()).prop_map(
        |(polls, first_poll, last_poll_started, last_poll_ended, busy_time)| api::PollStats {
            polls,
            first_poll,
            last_poll_started,
            last_poll_ended,
            busy_time,
        },
    ))
}

fn tasks() -> impl Strategy<Value = api::tasks::TaskUpdate> {
    let task = (id(), vec(field(), 0..3), any::<i32>()).prop_map(|(id, fields, kind)| api::tasks::Task {
        id,
        fields,
        kind,
        ..api::tasks::Task::default()
    });
    let stats = (time(), time(), polls(), length(), any::<u64>()).prop_map(
        |(created_at, dropped_at, poll_stats, scheduled_time, wakes)| api::tasks::Stats {
            created_at,
            dropped_at,
            poll_stats,
            scheduled_time,
            wakes,
            ..api::tasks::Stats::default()
        },
    );
    let stats = proptest::collection::hash_map(0..9_u64, stats, 0..4);
    (vec(task, 0..4), stats, any::<u64>()).prop_map(|(new_tasks, stats_update, dropped_events)| {
        api::tasks::TaskUpdate { new_tasks, stats_update, dropped_events }
    })
}

fn resources() -> impl Strategy<Value = api::resources::ResourceUpdate> {
    let resource = (id(), ".{0,8}", any::<i32>()).prop_map(|(id, concrete_type, kind)| api::resources::Resource {
        id,
        concrete_type,
        kind: Some(api::resources::resource::Kind { kind: Some(api::resources::resource::kind::Kind::Known(kind)) }),
        ..api::resources::Resource::default()
    });
    let attribute = option::of(field()).prop_map(|field| api::Attribute { field, unit: Some("ms".to_owned()) });
    let stats = (time(), vec(attribute, 0..3)).prop_map(|(created_at, attributes)| api::resources::Stats {
        created_at,
        attributes,
        ..api::resources::Stats::default()
    });
    let poll = (id(), id(), any::<bool>()).prop_map(|(resource_id, task_id, is_ready)| api::resources::PollOp {
        resource_id,
        task_id,
        is_ready,
        ..api::resources::PollOp::default()
    });
    let stats = proptest::collection::hash_map(0..9_u64, stats, 0..4);
    (vec(resource, 0..4), stats, vec(poll, 0..4), any::<u64>()).prop_map(
        |(new_resources, stats_update, new_poll_ops, dropped_events)| api::resources::ResourceUpdate {
            new_resources,
            stats_update,
            new_poll_ops,
            dropped_events,
        },
    )
}

fn ops() -> impl Strategy<Value = api::async_ops::AsyncOpUpdate> {
    let op = (id(), id(), ".{0,8}").prop_map(|(id, resource_id, source)| api::async_ops::AsyncOp {
        id,
        resource_id,
        source,
        ..api::async_ops::AsyncOp::default()
    });
    let stats = (time(), id(), polls()).prop_map(|(created_at, task_id, poll_stats)| api::async_ops::Stats {
        created_at,
        task_id,
        poll_stats,
        ..api::async_ops::Stats::default()
    });
    let stats = proptest::collection::hash_map(0..9_u64, stats, 0..4);
    (vec(op, 0..4), stats, any::<u64>()).prop_map(|(new_async_ops, stats_update, dropped_events)| {
        api::async_ops::AsyncOpUpdate { new_async_ops, stats_update, dropped_events }
    })
}

fn metadata() -> impl Strategy<Value = api::RegisterMetadata> {
    let inner = (".{0,8}", vec(".{0,8}", 0..3)).prop_map(|(name, field_names)| api::Metadata {
        name,
        field_names,
        ..api::Metadata::default()
    });
    let new = (option::of(0..5_u64), option::of(inner)).prop_map(|(id, metadata)| {
        api::register_metadata::NewMetadata { id: id.map(|id| api::MetaId { id }), metadata }
    });
    vec(new, 0..4).prop_map(|metadata| api::RegisterMetadata { metadata })
}

fn update() -> impl Strategy<Value = api::instrument::Update> {
    let parts = (option::of(tasks()), option::of(resources()), option::of(ops()), option::of(metadata()));
    (time(), parts).prop_map(|(now, (task_update, resource_update, async_op_update, new_metadata))| {
        api::instrument::Update { now, task_update, resource_update, async_op_update, new_metadata }
    })
}

proptest! {
    #[test]
    fn any_message_in_any_pieces_is_what_prost_reads(update in update(), chunk in 1_usize..200) {
        let message = update.encode_to_vec();
        prop_assert_eq!(joined(pages(&message, chunk)), decoded(update));
    }

    #[test]
    fn any_bytes_are_walked_to_their_end(message in vec(any::<u8>(), 0..300), chunk in 1_usize..50) {
        let pages = pages(&message, chunk);
        prop_assert_eq!(pages.last().map(|page| page.part), Some(Part::Last));
    }

    #[test]
    fn a_message_with_a_flipped_bit_is_walked_to_its_end(
        update in update(), at in any::<prop::sample::Index>(), bit in 0..8_u8, chunk in 1_usize..50,
    ) {
        let mut message = update.encode_to_vec();
        if !message.is_empty() {
            let at = at.index(message.len());
            message[at] ^= 1 << bit;
        }
        prop_assert_eq!(pages(&message, chunk).last().map(|page| page.part), Some(Part::Last));
    }
}

fn of_tasks(new_tasks: Vec<api::tasks::Task>) -> Vec<u8> {
    let tasks = api::tasks::TaskUpdate { new_tasks, ..api::tasks::TaskUpdate::default() };
    let update = api::instrument::Update {
        now: Some(prost_types::Timestamp { seconds: 7, nanos: 0 }),
        task_update: Some(tasks),
        ..api::instrument::Update::default()
    };
    update.encode_to_vec()
}

fn task(id: u64, name: &str) -> api::tasks::Task {
    let field = api::Field { metadata_id: None, name: Some("task.name".into()), value: Some(name.into()) };
    api::tasks::Task { id: Some(id.into()), fields: vec![field], ..api::tasks::Task::default() }
}

#[test]
fn a_large_message_comes_in_pages_with_the_same_time() {
    let message = of_tasks((1..=10_000).map(|id| task(id, "x")).collect());
    let pages = pages(&message, 16 * 1024);
    let shape: Vec<_> = pages.iter().map(|page| (page.new_tasks.len(), page.part)).collect();
    // The update's own time is an entry as well.
    assert_eq!(shape[..2], [(1023, Part::More), (1024, Part::More)]);
    assert_eq!((shape.len(), shape[9]), (10, (785, Part::Last)));
    assert!(pages.iter().all(|page| page.now == Some(Stamp::from_nanos(7_000_000_000))));
    let ids = pages.iter().flat_map(|page| &page.new_tasks).map(|task| task.id);
    assert!(ids.eq((1..=10_000).map(TaskId)));
}

#[test]
fn a_page_ends_early_when_its_entries_are_large() {
    let name = "x".repeat(300_000);
    let message = of_tasks((1..=10).map(|id| task(id, &name)).collect());
    let sizes: Vec<_> = pages(&message, 16 * 1024).iter().map(|page| page.new_tasks.len()).collect();
    assert_eq!(sizes, [4, 4, 2]);
}

#[test]
fn a_page_can_be_had_before_it_is_full() {
    let message = of_tasks(vec![task(1, "a"), task(2, "b")]);
    let mut walker = Walker::<Console>::default();
    let mut pages = Vec::new();
    walker.begin(message.len());
    assert_eq!(walker.flush(), None);
    walker.feed(&message[..message.len() - 1], &mut pages);
    let first = walker.flush().expect("a page");
    assert_eq!((first.new_tasks.len(), first.part), (1, Part::More));
    walker.feed(&message[message.len() - 1..], &mut pages);
    let last = walker.end();
    assert_eq!((last.new_tasks.len(), last.part, last.now), (1, Part::Last, first.now));
    assert!(pages.is_empty());
}

#[test]
fn an_entry_over_the_bound_is_skipped_and_its_neighbours_are_kept() {
    let message = of_tasks(vec![task(1, "a"), task(2, &"x".repeat(Console::MAX_ENTRY)), task(3, "c")]);
    let whole = joined(pages(&message, 16 * 1024));
    let ids: Vec<_> = whole.new_tasks.iter().map(|task| task.id.0).collect();
    assert_eq!(ids, [1, 3]);
    assert_eq!(whole.issues, DecodeIssues { too_large: 1, ..DecodeIssues::default() });
}

#[test]
fn an_entry_that_is_not_protobuf_is_counted_and_its_neighbours_are_kept() {
    let mut message = of_tasks(vec![task(1, "a"), task(2, "bad"), task(3, "c")]);
    let at = message.windows(3).position(|window| window == b"bad").expect("the name");
    message[at] = 0xff;
    let whole = joined(pages(&message, 7));
    let ids: Vec<_> = whole.new_tasks.iter().map(|task| task.id.0).collect();
    assert_eq!((ids, whole.issues.malformed), (vec![1, 3], 1));
}

#[test]
fn a_walker_starts_anew_with_each_message() {
    let mut walker = Walker::<Console>::default();
    let mut pages = Vec::new();
    walker.begin(100);
    walker.feed(&[0xff; 100], &mut pages);
    assert_eq!(walker.end().issues.malformed, 1);
    let message = of_tasks(vec![task(1, "a")]);
    walker.begin(message.len());
    walker.feed(&message, &mut pages);
    let last = walker.end();
    assert_eq!((last.new_tasks.len(), last.issues), (1, DecodeIssues::default()));
}
