//! The wire against a peer that does what peers do: die, come back as somebody else, send too much, send nonsense, or
//! not be a console at all. Real sockets on the loopback interface. A wait that takes longer than [`PATIENCE`] is a
//! failure; no test depends on how much shorter it is.

#[path = "wire/peer.rs"]
mod peer;
#[path = "wire/raw.rs"]
mod raw;

use console_api as api;
use holdup::{
    model::{
        Stamp, TaskId,
        update::{DecodeIssues, Part, Update},
    },
    wire::{
        Backoff, CatchUp, Command, Connection, Event, Link, Options, Protocol, Session, Target, Temporality, connect,
    },
};
use holdup_proto::v1;
use peer::{Console, PauseCall, Peer, Reports, StateCall, free_address};
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
    time::Duration,
};
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(60);

fn options() -> Options {
    let (first, cap) = (Duration::from_millis(10), Duration::from_millis(40));
    Options { backoff: Backoff::new(first, cap).expect("valid bounds"), answer_timeout: PATIENCE, ..Options::default() }
}

fn link_to(address: SocketAddr) -> Link {
    connect(target(&address.to_string()), options())
}

fn target(text: &str) -> Target {
    text.parse().expect("a target")
}

async fn next(link: &mut Link) -> Event {
    timeout(PATIENCE, link.events.recv()).await.expect("an event in time").expect("the link goes on")
}

/// Takes events until one is what is looked for.
async fn until<T>(link: &mut Link, mut find: impl FnMut(Event) -> Option<T>) -> T {
    loop {
        if let Some(found) = find(next(link).await) {
            return found;
        }
    }
}

async fn update(link: &mut Link) -> Update {
    until(link, |event| match event {
        Event::Update(update) => Some(*update),
        _ => None,
    })
    .await
}

async fn session(link: &mut Link) -> Session {
    until(link, |event| match event {
        Event::Session(session) => Some(session),
        _ => None,
    })
    .await
}

async fn lost(link: &mut Link) -> String {
    until(link, |event| match event {
        Event::Connection(Connection::Lost { reason, .. }) => Some(reason),
        _ => None,
    })
    .await
}

async fn told(link: &mut Link) -> Temporality {
    until(link, |event| match event {
        Event::Temporality(temporality) => Some(temporality),
        _ => None,
    })
    .await
}

async fn command(link: &Link, command: Command) {
    link.commands.send(command).await.expect("the link goes on");
}

/// Waits for a count at the peer.
async fn reaches(count: &AtomicU64, wanted: u64) {
    let reached = async {
        while count.load(SeqCst) != wanted {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, reached).await.expect("the count in time");
}

fn ids(update: &Update) -> Vec<u64> {
    update.new_tasks.iter().map(|task| task.id.0).collect()
}

fn timestamp(seconds: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds, nanos: 0 }
}

fn task(id: u64, name: &str) -> api::tasks::Task {
    api::tasks::Task {
        id: Some(id.into()),
        fields: vec![api::Field { metadata_id: None, name: Some("task.name".into()), value: Some(name.into()) }],
        ..api::tasks::Task::default()
    }
}

fn tasks(new_tasks: Vec<api::tasks::Task>) -> api::instrument::Update {
    api::instrument::Update {
        now: Some(timestamp(1)),
        task_update: Some(api::tasks::TaskUpdate { new_tasks, ..api::tasks::TaskUpdate::default() }),
        ..api::instrument::Update::default()
    }
}

fn three() -> api::instrument::Update {
    tasks(vec![task(1, "a"), task(2, "b"), task(3, "c")])
}

mod connects {
    use super::*;

    #[tokio::test]
    async fn and_tells_it_in_order() {
        let peer = Console::new(vec![three()]).serve();
        let mut link = link_to(peer.address);
        let connecting = Connection::Connecting { attempt: 1 };
        assert_eq!(next(&mut link).await, Event::Connection(connecting));
        let begun = Session { epoch: 1, protocol: Protocol::Console, process: None };
        assert_eq!(next(&mut link).await, Event::Session(begun));
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
}

mod reconnects {
    use super::*;

    #[tokio::test]
    async fn to_a_process_that_died_and_mixes_nothing() {
        let peer = Console::new(vec![three()]).serve();
        let address = peer.address;
        let mut link = link_to(address);
        assert_eq!(session(&mut link).await.epoch, 1);
        assert_eq!(ids(&update(&mut link).await), [1, 2, 3]);

        drop(peer);
        let reason = lost(&mut link).await;
        assert!(reason.contains("closed by the target") || reason.contains("was reset"), "{reason}");

        // The same ids, another process.
        let other = tasks(vec![task(1, "x"), task(9, "y")]);
        let _peer = Peer::serve_at(address, Console::new(vec![other]).routes());
        let session = until(&mut link, |event| match event {
            Event::Session(session) => Some(session),
            Event::Update(update) => panic!("an update outside a session: {update:?}"),
            _ => None,
        });
        assert_eq!(session.await.epoch, 2);
        assert_eq!(ids(&update(&mut link).await), [1, 9]);
    }

    #[tokio::test]
    async fn and_forgets_what_was_watched() {
        let console = Console::new(vec![three()]);
        let peer = console.serve();
        let address = peer.address;
        let mut link = link_to(address);
        update(&mut link).await;
        command(&link, Command::WatchTask(TaskId(1))).await;
        reaches(&console.counts.details, 1).await;
        drop(peer);
        lost(&mut link).await;
        let other = Console::new(vec![three()]);
        let _peer = Peer::serve_at(address, other.routes());
        session(&mut link).await;
        update(&mut link).await;
        assert_eq!(other.counts.details.load(SeqCst), 0);
    }
}

mod receives {
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
        let mut link = connect(target(&peer.address.to_string()), bounded);
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
}

mod says {
    use super::*;

    #[tokio::test]
    async fn that_nothing_answers() {
        let peer = Peer::say(b"");
        let impatient = Options { answer_timeout: Duration::from_millis(200), ..options() };
        let mut link = connect(target(&peer.address.to_string()), impatient);
        let reason = lost(&mut link).await;
        assert!(reason.contains("accepted the connection but did not answer within 0.2 s"), "{reason}");
    }

    #[tokio::test]
    async fn that_it_is_a_web_server() {
        let peer = Peer::say(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        let reason = lost(&mut link_to(peer.address)).await;
        assert!(reason.contains("speaks HTTP/1, not gRPC"), "{reason}");
    }

    #[tokio::test]
    async fn that_it_expects_tls() {
        let peer = Peer::say(&[0x15, 3, 1, 0, 2, 2, 0x46]);
        let reason = lost(&mut link_to(peer.address)).await;
        assert!(reason.contains("expects TLS"), "{reason}");
    }

    #[tokio::test]
    async fn that_it_is_something_else() {
        let peer = Peer::say(b"220 mail.example.com ESMTP\r\n");
        let reason = lost(&mut link_to(peer.address)).await;
        assert!(reason.contains("does not speak gRPC"), "{reason}");
    }

    #[tokio::test]
    async fn that_it_is_grpc_without_a_console() {
        let peer = Peer::serve(tonic::service::Routes::default());
        let reason = lost(&mut link_to(peer.address)).await;
        assert!(reason.contains("a gRPC server without a console"), "{reason}");
    }

    #[tokio::test]
    async fn that_a_proxy_answered() {
        let (console, _body) = raw::answer(502, &[("content-type", "text/html")]);
        let peer = Peer::serve(console.routes());
        let reason = lost(&mut link_to(peer.address)).await;
        assert!(reason.contains("HTTP 502"), "{reason}");
    }

    #[tokio::test]
    async fn that_it_was_refused_in_the_head() {
        let grpc = ("content-type", "application/grpc");
        let (console, _body) = raw::answer(200, &[grpc, ("grpc-status", "7"), ("grpc-message", "not%20you%21")]);
        let peer = Peer::serve(console.routes());
        let reason = lost(&mut link_to(peer.address)).await;
        assert!(reason.starts_with("it refused: not you!"), "{reason}");
    }

    #[tokio::test]
    async fn that_it_was_refused_in_the_trailers_whatever_else_they_hold() {
        let (console, body) = raw::grpc();
        let peer = Peer::serve(console.routes());
        body.bytes(raw::framed(&three()));
        let details = ("grpc-status-details-bin", "this is not base64!");
        body.trailers(&[("grpc-status", "8"), ("grpc-message", "too%20many"), details]);
        let mut link = link_to(peer.address);
        assert_eq!(ids(&update(&mut link).await), [1, 2, 3]);
        let reason = lost(&mut link).await;
        assert!(reason.starts_with("it refused: too many"), "{reason}");
    }

    #[tokio::test]
    async fn that_the_stream_ended() {
        let (console, body) = raw::grpc();
        let peer = Peer::serve(console.routes());
        body.bytes(raw::framed(&three()));
        body.trailers(&[("grpc-status", "0")]);
        let reason = lost(&mut link_to(peer.address)).await;
        assert!(reason.contains("ended its stream"), "{reason}");
    }

    #[tokio::test]
    async fn that_a_message_was_compressed() {
        let (console, body) = raw::grpc();
        let peer = Peer::serve(console.routes());
        body.bytes(vec![1, 0, 0, 0, 1, 0]);
        let reason = lost(&mut link_to(peer.address)).await;
        assert!(reason.contains("compressed"), "{reason}");
    }

    #[tokio::test]
    async fn that_a_name_does_not_resolve() {
        let mut link = connect(target("no-such-host.invalid:1"), options());
        let reason = lost(&mut link).await;
        assert!(reason.contains("no-such-host.invalid cannot be resolved"), "{reason}");
    }
}

mod obeys {
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
        let mut link = connect(target(&peer.address.to_string()), impatient);
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
        let open = Console::new(vec![three()]);
        let forbidden = Options { catch_up: CatchUp::Forbidden, ..options() };
        for (console, options) in [(silent, options()), (open, forbidden)] {
            let peer = console.serve();
            let mut link = connect(target(&peer.address.to_string()), options);
            update(&mut link).await;
            command(&link, Command::CatchUp).await;
            // Commands are carried out in order: when this one is, the one before has been.
            command(&link, Command::PauseTarget).await;
            reaches(&console.counts.paused, 1).await;
            assert_eq!(console.counts.resumed.load(SeqCst), 0);
        }
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
}
