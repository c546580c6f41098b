//! How it connects.

use super::*;

#[tokio::test]
async fn and_tells_it_in_order() {
    let peer = Console::new(vec![three()]).serve();
    let mut link = link_to(peer.address);
    let connecting = Connection::Connecting { attempt: 1 };
    assert_eq!(next(&mut link).await, Event::Connection(connecting));
    let begun = Begin::console(1);
    assert_eq!(next(&mut link).await, Event::Begin(Box::new(begun)));
    assert_eq!(next(&mut link).await, Event::Connection(Connection::Live));
    let update = update(&mut link).await;
    assert_eq!((ids(&update), update.part), (vec![1, 2, 3], Part::Last));
    assert_eq!(update.now, Some(Stamp::from_nanos(1_000_000_000)));
    assert_eq!(update.issues, DecodeIssues::default());
}

#[tokio::test]
async fn by_name() {
    let peer = Console::new(vec![three()]).serve();
    let named = target(&format!("http://localhost:{}", peer.address.port()));
    let mut link = open(named, options());
    assert_eq!(ids(&update(&mut link).await), [1, 2, 3]);
}

#[tokio::test]
async fn through_a_unix_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("console.sock");
    let socket = target(&format!("unix://{}", path.display()));
    let mut link = open(socket, options());
    let reason = lost(&mut link).await;
    assert!(reason.starts_with("there is no socket at /"), "{reason}");
    let _peer = Peer::serve_unix(&path, Console::new(vec![three()]).routes());
    assert_eq!(ids(&update(&mut link).await), [1, 2, 3]);
}

#[tokio::test]
async fn to_an_agent_and_learns_its_process() {
    let mut console = Console::new(vec![three()]);
    console.agent = Some(agent(&["tasks", "stacks"]));
    console.reports = Reports::Lasting(Vec::new());
    let peer = console.serve();
    let mut link = link_to(peer.address);
    let session = session(&mut link).await;
    assert_eq!(session.protocol, Protocol::Agent);
    let process = session.process.expect("an agent describes its process");
    assert_eq!((process.boot_id.as_str(), process.pid), ("cafe", 4242));
    assert_eq!(process.name, "echo-demo");
    assert_eq!(process.capabilities, ["tasks", "stacks"]);
}

#[tokio::test]
async fn to_an_agent_by_its_own_stream_alone() {
    let mut console = Console::new(vec![three()]);
    console.agent = Some(agent(&["tasks"]));
    let worker = v1::Worker { runtime_id: 7, index: 2, polling: 3, ..v1::Worker::default() };
    let stall = v1::Stall { id: 5, since: Some(timestamp(4)), worker: Some(2), ..v1::Stall::default() };
    let task = v1::NewTask { id: 9, number: 21, name: "nine".into(), ..v1::NewTask::default() };
    let rows = v1::Report { now: Some(timestamp(9)), more: true, new_tasks: vec![task], ..v1::Report::default() };
    let first = v1::Report { now: Some(timestamp(9)), more: true, stalls: vec![stall], ..v1::Report::default() };
    // Tiny entries that say nothing cost a count each, and hold nothing up.
    let locks = vec![v1::Lock::default(); 1_000];
    let last = v1::Report { now: Some(timestamp(9)), workers: vec![worker], locks, ..v1::Report::default() };
    console.reports = Reports::Lasting(vec![rows, first, last]);
    let peer = console.serve();
    let mut link = link_to(peer.address);
    let mut updates: Vec<Update> = Vec::new();
    while updates.last().is_none_or(|update| update.part == Part::More) {
        if let Event::Update(update) = next(&mut link).await {
            updates.push(*update);
        }
    }
    let [rows, first, last] = updates.try_into().expect("three");
    assert_eq!((rows.new_tasks[0].name.as_str(), rows.new_tasks[0].number.map(u64::from)), ("nine", Some(21)));
    assert_eq!(
        (first.part, first.stalls[0].id, first.stalls[0].worker.map(|worker| worker.index)),
        (Part::More, 5, Some(2))
    );
    let workers = last.workers.expect("told");
    assert_eq!((last.part, workers[0].polling, last.issues.missing_id), (Part::Last, Some(TaskId(3)), 1_000));
    assert!(last.locks.is_empty());

    // Details come from the same service, and nothing pauses it.
    link.commands.send(Command::WatchTask(TaskId(9))).await.expect("it listens");
    let details = loop {
        if let Event::Details(details) = next(&mut link).await {
            break details;
        }
    };
    assert_eq!(details.poll_times.map(|times| times.buckets), Some(vec![(1_000, 3)]));
    link.commands.send(Command::PauseTarget).await.expect("it listens");
    let reason = loop {
        if let Event::CommandFailed { reason, .. } = next(&mut link).await {
            break reason;
        }
    };
    assert!(reason.contains("freeze the display"), "{reason}");
    for count in [&console.counts.subscribers, &console.counts.details, &console.counts.paused, &console.counts.states]
    {
        assert_eq!(count.load(SeqCst), 0, "nothing of the console's service is called");
    }
}

#[tokio::test]
async fn to_an_older_agent_as_to_a_console() {
    let mut console = Console::new(vec![three()]);
    console.agent = Some(agent(&["stacks", "workers"]));
    console.reports = Reports::Lasting(vec![v1::Report::default()]);
    let peer = console.serve();
    let mut link = link_to(peer.address);
    let begin = session(&mut link).await;
    assert_eq!((begin.protocol, begin.process.is_some()), (Protocol::Console, true));
    assert!(begin.knows.why_not(Fact::Workers).contains("older"));
    assert_eq!(ids(&update(&mut link).await), [1, 2, 3]);
}

#[tokio::test]
async fn to_an_agent_again_when_its_stream_ends() {
    let mut console = Console::new(vec![three()]);
    console.agent = Some(agent(&["tasks"]));
    console.reports = Reports::Ending(vec![v1::Report { now: Some(timestamp(9)), ..v1::Report::default() }]);
    let peer = console.serve();
    let mut link = link_to(peer.address);
    for epoch in [1, 2] {
        assert_eq!(session(&mut link).await.epoch, epoch);
        assert_eq!(update(&mut link).await.part, Part::Last);
    }
}

#[tokio::test]
async fn when_the_target_comes_up_later() {
    let address = free_address();
    let mut link = link_to(address);
    let reason = lost(&mut link).await;
    assert!(reason.starts_with(&format!("nothing listens at {address}")), "{reason}");
    let _peer = Peer::serve_at(address, Console::new(vec![three()]).routes());
    assert_eq!(session(&mut link).await.epoch, 1);
    assert_eq!(ids(&update(&mut link).await), [1, 2, 3]);
}

#[tokio::test]
async fn to_a_subscriber_that_is_older_than_its_temporality() {
    let mut console = Console::new(vec![three()]);
    console.state = StateCall::Unimplemented;
    let peer = console.serve();
    let mut link = link_to(peer.address);
    assert_eq!(ids(&update(&mut link).await), [1, 2, 3]);
    console.live.send(tasks(vec![task(4, "d")])).expect("a subscriber");
    assert_eq!(ids(&update(&mut link).await), [4]);
}
