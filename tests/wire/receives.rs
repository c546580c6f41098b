//! What it takes in, and in which pieces.

use super::*;

#[tokio::test]
async fn sixty_four_mebibytes_in_one_message() {
    let name = "n".repeat(64 * 1024);
    let large = tasks((1..=1024).map(|id| task(id, &name)).collect());
    let peer = Console::new(vec![large, three()]).serve();
    let mut link = link_to(peer.address);
    let (mut pages, mut seen, mut cut) = (0, Vec::new(), 0);
    loop {
        let page = update(&mut link).await;
        pages += 1;
        seen.extend(ids(&page));
        cut += page.issues.cut_text;
        if page.part == Part::Last {
            break;
        }
    }
    assert!(seen.into_iter().eq(1..=1024));
    assert_eq!(cut, 1024, "every name is cut");
    assert!(pages >= 60, "{pages} pages");
    assert_eq!(ids(&update(&mut link).await), [1, 2, 3]);
}

#[tokio::test]
async fn the_first_rows_before_the_message_is_complete_and_tells_how_far_it_is() {
    let (console, body) = raw::grpc();
    let peer = Peer::serve(console.routes());
    let mut link = link_to(peer.address);
    let message = raw::framed(&three());
    let total = message.len() as u64 - 5;
    let (start, end) = message.split_at(message.len() - 1);
    body.bytes(start.to_vec());

    let first = update(&mut link).await;
    assert_eq!((ids(&first), first.part), (vec![1, 2], Part::More));
    assert_eq!(first.now, Some(Stamp::from_nanos(1_000_000_000)));
    let progress = |received| Event::Progress { received, total };
    assert_eq!(next(&mut link).await, progress(total - 1));

    body.bytes(end.to_vec());
    let last = until(&mut link, |event| match event {
        Event::Update(update) => Some(update),
        event => {
            assert_eq!(event, progress(total - 1));
            None
        }
    });
    let last = last.await;
    assert_eq!((ids(&last), last.part), (vec![3], Part::Last));
    assert_eq!(next(&mut link).await, progress(total));
}

#[tokio::test]
async fn nothing_above_the_bound_and_says_which_flag_raises_it() {
    let peer = Console::new(vec![tasks(vec![task(1, &"n".repeat(4096))])]).serve();
    let bounded = Options { max_message: 1024, ..options() };
    let mut link = open(target(&peer.address.to_string()), bounded);
    let reason = lost(&mut link).await;
    assert!(reason.contains("is over the limit of"), "{reason}");
    assert!(reason.contains("--max-message"), "{reason}");
}

#[tokio::test]
async fn nonsense_and_counts_it() {
    let stats = api::tasks::Stats {
        created_at: Some(timestamp(-5)),
        scheduled_time: Some(prost_types::Duration { seconds: -1, nanos: -1 }),
        poll_stats: Some(api::PollStats {
            last_poll_started: Some(timestamp(i64::MAX)),
            busy_time: Some(prost_types::Duration { seconds: 0, nanos: i32::MAX }),
            ..api::PollStats::default()
        }),
        ..api::tasks::Stats::default()
    };
    let first = api::instrument::Update {
        now: Some(timestamp(100)),
        task_update: Some(api::tasks::TaskUpdate {
            // Without an id, twice the same one, and one that is told of and never announced.
            new_tasks: vec![api::tasks::Task::default(), task(1, "a"), task(1, "b")],
            stats_update: [(7, stats), (0, stats), (8, api::tasks::Stats::default())].into(),
            dropped_events: u64::MAX,
        }),
        resource_update: Some(api::resources::ResourceUpdate {
            new_poll_ops: vec![api::resources::PollOp::default()],
            dropped_events: 2,
            ..api::resources::ResourceUpdate::default()
        }),
        ..api::instrument::Update::default()
    };
    // Time goes backwards, and then is not told at all.
    let second = api::instrument::Update { now: Some(timestamp(50)), ..tasks(vec![task(1, "c")]) };
    let third = api::instrument::Update { now: None, ..three() };
    let peer = Console::new(vec![first, second, third]).serve();
    let mut link = link_to(peer.address);

    let told = update(&mut link).await;
    assert_eq!(ids(&told), [1, 1]);
    assert_eq!(told.task_stats.len(), 1);
    let (id, stats) = told.task_stats[0];
    assert_eq!((id, stats.created, stats.polls.last_started), (TaskId(7), None, None));
    assert_eq!((stats.scheduled, stats.polls.busy), (Duration::ZERO, Duration::ZERO));
    assert_eq!((told.dropped.tasks, told.dropped.resources), (u64::MAX, 2));
    assert_eq!(told.dropped.total(), u64::MAX);
    let expected = DecodeIssues { missing_id: 3, missing_field: 1, bad_time: 4, ..DecodeIssues::default() };
    assert_eq!(told.issues, expected);
    assert_eq!(update(&mut link).await.now, Some(Stamp::from_nanos(50_000_000_000)));
    assert_eq!(update(&mut link).await.now, None);
}

#[tokio::test]
async fn a_message_that_is_no_protobuf_and_goes_on_with_the_next() {
    let (console, body) = raw::grpc();
    let peer = Peer::serve(console.routes());
    let mut link = link_to(peer.address);
    body.bytes([&[0, 0, 0, 0, 4][..], &[0xff; 4]].concat());
    body.bytes(raw::framed(&three()));
    assert_eq!(update(&mut link).await.issues.malformed, 1);
    assert_eq!(ids(&update(&mut link).await), [1, 2, 3]);
}

#[tokio::test]
async fn no_more_than_is_taken() {
    let large = tasks((1..=16).map(|id| task(id, &"n".repeat(64 * 1024))).collect());
    let console = Console::new(vec![large; 64]);
    let peer = console.serve();
    let mut link = link_to(peer.address);
    reaches(&console.counts.subscribers, 1).await;
    let mut before = 0;
    let settled = async {
        loop {
            sleep(Duration::from_millis(300)).await;
            let sent = console.counts.sent.load(SeqCst);
            if sent > 0 && sent == before {
                return sent;
            }
            before = sent;
        }
    };
    let sent = timeout(PATIENCE, settled).await.expect("it stops sending");
    assert!(sent < 40, "{sent} updates of a mebibyte were sent and none was taken");
    let mut taken = 0;
    while taken < 64 * 16 {
        taken += update(&mut link).await.new_tasks.len();
    }
}
