//! How it connects.

use super::*;

#[tokio::test]
async fn and_tells_it_in_order() {
    let peer = Console::new(vec![three()]).serve();
    let mut link = link_to(peer.address);
    let connecting = Connection::Connecting { attempt: 1 };
    assert_eq!(next(&mut link).await, Event::Connection(connecting));
    let begun = Begin { epoch: 1, protocol: Protocol::Console, process: None };
    assert_eq!(next(&mut link).await, Event::Begin(begun));
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
    let mut link = connect(named, options());
    assert_eq!(ids(&update(&mut link).await), [1, 2, 3]);
}

#[tokio::test]
async fn through_a_unix_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("console.sock");
    let socket = target(&format!("unix://{}", path.display()));
    let mut link = connect(socket, options());
    let reason = lost(&mut link).await;
    assert!(reason.starts_with("there is no socket at /"), "{reason}");
    let _peer = Peer::serve_unix(&path, Console::new(vec![three()]).routes());
    assert_eq!(ids(&update(&mut link).await), [1, 2, 3]);
}

#[tokio::test]
async fn to_an_agent_and_learns_its_process() {
    let mut console = Console::new(vec![three()]);
    console.boot_id = Some(vec![0xca, 0xfe]);
    let peer = console.serve();
    let mut link = link_to(peer.address);
    let session = session(&mut link).await;
    assert_eq!(session.protocol, Protocol::Agent);
    let process = session.process.expect("an agent describes its process");
    assert_eq!((process.boot_id.as_str(), process.pid), ("cafe", 4242));
    assert_eq!(process.name, "echo-demo");
    assert_eq!(process.capabilities, ["stacks"]);
}

#[tokio::test]
async fn to_an_agent_and_hears_its_reports_beside_the_updates() {
    let mut console = Console::new(vec![three()]);
    console.boot_id = Some(vec![1]);
    let worker = v1::Worker { runtime_id: 7, index: 2, polling: 3, ..v1::Worker::default() };
    let stall = v1::Stall { id: 5, since: Some(timestamp(4)), worker: Some(2), ..v1::Stall::default() };
    let first = v1::Report { now: Some(timestamp(9)), more: true, stalls: vec![stall], ..v1::Report::default() };
    // Tiny entries that say nothing cost a count each, and hold nothing up.
    let locks = vec![v1::Lock::default(); 1_000];
    let last = v1::Report { now: Some(timestamp(9)), workers: vec![worker], locks, ..v1::Report::default() };
    console.reports = Reports::Lasting(vec![first, last]);
    let peer = console.serve();
    let mut link = link_to(peer.address);
    let mut reports = Vec::new();
    let mut updates = Vec::new();
    while reports.len() < 2 || updates.is_empty() {
        match next(&mut link).await {
            Event::Report(report) => reports.push(*report),
            Event::Update(update) => updates.extend(ids(&update)),
            _ => {}
        }
    }
    assert_eq!(updates, [1, 2, 3]);
    let [first, last] = reports.try_into().expect("two");
    assert_eq!(
        (first.part, first.stalls[0].id, first.stalls[0].worker.map(|worker| worker.index)),
        (Part::More, 5, Some(2))
    );
    assert_eq!((last.part, last.workers[0].polling, last.issues.missing_id), (Part::Last, Some(TaskId(3)), 1_000));
    assert!(last.locks.is_empty());
}

#[tokio::test]
async fn to_an_agent_that_has_no_reports_and_goes_on_without() {
    let mut console = Console::new(vec![three()]);
    console.boot_id = Some(vec![1]);
    let peer = console.serve();
    let mut link = link_to(peer.address);
    let (mut reason, mut seen) = (None, Vec::new());
    while reason.is_none() || seen.is_empty() {
        match next(&mut link).await {
            Event::ReportsUnavailable { reason: why } => reason = Some(why),
            Event::Update(update) => seen = ids(&update),
            Event::Connection(Connection::Lost { reason, .. }) => panic!("{reason}"),
            _ => {}
        }
    }
    assert!(reason.is_some_and(|reason| reason.contains("this agent is older")));
    assert_eq!(seen, [1, 2, 3]);
}

#[tokio::test]
async fn to_an_agent_whose_reports_end_and_asks_again() {
    let mut console = Console::new(vec![three()]);
    console.boot_id = Some(vec![1]);
    let report = v1::Report { now: Some(timestamp(9)), ..v1::Report::default() };
    console.reports = Reports::Ending(vec![report]);
    let peer = console.serve();
    let mut link = link_to(peer.address);
    let mut heard = Vec::new();
    while heard.len() < 3 {
        match next(&mut link).await {
            Event::Report(_) => heard.push("report"),
            Event::ReportsUnavailable { .. } => heard.push("end"),
            Event::Connection(Connection::Lost { reason, .. }) => panic!("{reason}"),
            _ => {}
        }
    }
    assert_eq!(heard, ["report", "end", "report"]);
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
