//! What it does on command.

use super::*;

#[tokio::test]
async fn to_pause_and_resume_the_target() {
    let console = Console::new(vec![three()]);
    let peer = console.serve();
    let mut link = link_to(peer.address);
    assert_eq!(told(&mut link).await, Temporality::Live);
    command(&link, Command::PauseTarget).await;
    assert_eq!(told(&mut link).await, Temporality::Paused);
    command(&link, Command::ResumeTarget).await;
    assert_eq!(told(&mut link).await, Temporality::Live);
    assert_eq!(console.counts.paused.load(SeqCst), 1);
    assert_eq!(console.counts.resumed.load(SeqCst), 1);
}

#[tokio::test]
async fn without_letting_a_slow_call_hold_up_updates() {
    let mut console = Console::new(vec![three()]);
    console.pause = PauseCall::NeverAnswered;
    let peer = console.serve();
    let mut link = link_to(peer.address);
    update(&mut link).await;
    command(&link, Command::PauseTarget).await;
    reaches(&console.counts.paused, 1).await;
    console.live.send(tasks(vec![task(4, "d")])).expect("a subscriber");
    assert_eq!(ids(&update(&mut link).await), [4]);
}

#[tokio::test]
async fn and_says_when_it_could_not() {
    let mut console = Console::new(vec![three()]);
    console.pause = PauseCall::NeverAnswered;
    let peer = console.serve();
    let impatient = Options { answer_timeout: Duration::from_millis(500), ..options() };
    let mut link = open(target(&peer.address.to_string()), impatient);
    update(&mut link).await;
    command(&link, Command::PauseTarget).await;
    let failed = until(&mut link, |event| match event {
        Event::CommandFailed { command, reason } => Some((command, reason)),
        _ => None,
    });
    let (failed, reason) = failed.await;
    assert_eq!(failed, Command::PauseTarget);
    assert_eq!(reason, "no answer within 0.5 s");
}

#[tokio::test]
async fn to_watch_one_task_at_a_time() {
    use hdrhistogram::serialization::{Serializer, V2Serializer};
    let mut console = Console::new(vec![three()]);
    let mut histogram = hdrhistogram::Histogram::<u64>::new_with_max(1_000, 2).expect("bounds");
    histogram.record_n(100, 3).expect("within bounds");
    V2Serializer::new().serialize(&histogram, &mut console.histogram).expect("a vector takes everything");
    let peer = console.serve();
    let mut link = link_to(peer.address);
    update(&mut link).await;

    for id in [1, 2] {
        command(&link, Command::WatchTask(TaskId(id))).await;
        let details = until(&mut link, |event| match event {
            Event::Details(details) => Some(details),
            _ => None,
        });
        let details = details.await;
        assert_eq!(details.task, TaskId(id));
        let polls = details.poll_times.expect("a histogram");
        assert_eq!(polls.buckets, [(100, 3)]);
        reaches(&console.counts.details, 1).await;
    }
    command(&link, Command::UnwatchTask).await;
    reaches(&console.counts.details, 0).await;

    command(&link, Command::WatchTask(TaskId(100))).await;
    let unavailable = until(&mut link, |event| match event {
        Event::DetailsUnavailable { task, reason } => Some((task, reason)),
        _ => None,
    });
    let (task, reason) = unavailable.await;
    assert_eq!(task, TaskId(100));
    assert!(reason.contains("does not know this task"), "{reason}");
}

#[tokio::test]
async fn to_catch_up_a_live_target_and_tells_how_often() {
    let console = Console::new(vec![three()]);
    let peer = console.serve();
    let mut link = link_to(peer.address);
    assert_eq!(told(&mut link).await, Temporality::Live);
    for _ in 0..10 {
        command(&link, Command::CatchUp).await;
    }
    let sent = until(&mut link, |event| match event {
        Event::CatchUp { sent } => Some(sent),
        _ => None,
    });
    assert_eq!(sent.await, 1, "ten at once are one");
    reaches(&console.counts.resumed, 1).await;
}

#[tokio::test]
async fn to_catch_up_only_where_it_is_allowed_and_harmless() {
    let mut silent = Console::new(vec![three()]);
    silent.state = StateCall::Unimplemented;
    let talking = Console::new(vec![three()]);
    let forbidden = Options { catch_up: CatchUp::Forbidden, ..options() };
    for (console, options) in [(silent, options()), (talking, forbidden)] {
        let peer = console.serve();
        let mut link = open(target(&peer.address.to_string()), options);
        update(&mut link).await;
        command(&link, Command::CatchUp).await;
        // Commands are carried out in order: when this one is, the one before has been.
        command(&link, Command::PauseTarget).await;
        reaches(&console.counts.paused, 1).await;
        assert_eq!(console.counts.resumed.load(SeqCst), 0);
    }
}

/// A link to an agent that says this when it is asked for stacks.
async fn asks_for_stacks(said: Result<(), tonic::Status>) -> (Console, Peer, Link) {
    let mut console = Console::new(vec![three()]);
    console.agent = Some(agent(&["tasks", "captures"]));
    let now = Some(timestamp(9));
    let stack = v1::Stack { limitation: "none".into(), ..v1::Stack::default() };
    let running = v1::worker_stack::Doing::Running.into();
    let told = v1::WorkerStack { worker: 2, doing: running, at: now, stack: Some(stack), ..v1::WorkerStack::default() };
    console.reports = Reports::Lasting(vec![v1::Report { now, worker_stacks: vec![told], ..v1::Report::default() }]);
    console.captures = said;
    let peer = console.serve();
    let mut link = link_to(peer.address);
    let update = update(&mut link).await;
    let [told] = &update.worker_stacks[..] else { panic!("{update:?}") };
    assert_eq!((told.id.index, told.doing, told.stack.is_some()), (2, Doing::Running, true));
    command(&link, Command::CaptureStacks).await;
    (console, peer, link)
}

#[tokio::test]
async fn to_have_stacks_captured_by_an_agent() {
    let (console, _peer, link) = asks_for_stacks(Ok(())).await;
    reaches(&console.counts.captures, 1).await;
    command(&link, Command::CaptureStacks).await;
    reaches(&console.counts.captures, 2).await;
}

#[tokio::test]
async fn and_says_why_an_agent_captures_none_and_what_would_help() {
    use tonic::Status;
    for (said, reason) in [
        (
            Status::permission_denied("this takes the right to capture"),
            "no right to capture: a token needs `watch,capture`",
        ),
        (Status::unimplemented("what is that?"), "agent is older than this client"),
        (Status::resource_exhausted("stacks were asked for less than a second ago"), "less than a second ago"),
        (Status::failed_precondition("stacks are switched off"), "stacks are switched off"),
        (Status::internal("oops"), "oops (internal error)"),
    ] {
        let (_console, _peer, mut link) = asks_for_stacks(Err(said)).await;
        let failed = until(&mut link, |event| match event {
            Event::CommandFailed { command, reason } => Some((command, reason)),
            _ => None,
        });
        let (failed, told) = failed.await;
        assert_eq!(failed, Command::CaptureStacks);
        assert!(told.contains(reason), "{told}");
    }
}

#[tokio::test]
async fn to_ask_no_console_for_stacks() {
    let console = Console::new(vec![three()]);
    let peer = console.serve();
    let mut link = link_to(peer.address);
    update(&mut link).await;
    command(&link, Command::CaptureStacks).await;
    let reason = until(&mut link, |event| match event {
        Event::CommandFailed { command: Command::CaptureStacks, reason } => Some(reason),
        _ => None,
    });
    assert!(reason.await.contains("holdup's agent"));
    assert_eq!(console.counts.captures.load(SeqCst), 0);
}

#[tokio::test]
async fn to_end_when_nobody_listens() {
    let console = Console::new(vec![three()]);
    let peer = console.serve();
    let mut link = link_to(peer.address);
    update(&mut link).await;
    assert_eq!(console.counts.subscribers.load(SeqCst), 1);
    drop(link);
    reaches(&console.counts.subscribers, 0).await;
}
