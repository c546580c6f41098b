//! `holdup record`, `info`, and recordings as targets, as they are shipped, of real demo servers in processes of their own.
#![cfg(all(feature = "demo", tokio_unstable, target_os = "linux"))]

mod process;
#[path = "process/running.rs"]
mod running;

use holdup::{
    diagnose::Settings,
    model::{Counts, Retention},
    record::{Header, Player, Recorder, Recording, Writer},
    session::Session,
    source::{self, Attachment, Options, Target},
    update::{Event, Part, Stamp},
};
use process::{Ended, holdup, run};
use running::{Running, Server};
use serde_json::Value;
use std::{
    fs,
    io::Cursor,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// Until its first update a target may take this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs it in a folder.
fn run_in(folder: &Path, args: &[&str]) -> Ended {
    holdup(folder).args(args).output().unwrap().into()
}

fn info(folder: &Path, file: &str) -> Value {
    let ended = run_in(folder, &["info", file, "--json"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// Files in a folder, by name.
fn files(folder: &Path) -> Vec<String> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut recordings: Vec<String> = all.filter(|name| name.ends_with(".holdup")).collect();
    recordings.sort();
    recordings
}

/// What is found in a session, with everything that shows it, in the fewest bytes; and how much there is at which instant.
#[derive(Debug, PartialEq)]
struct Found {
    findings: Vec<Vec<u8>>,
    counts: Counts,
    now: Option<Stamp>,
}

fn found(session: &Session) -> Found {
    let bytes = |finding| rmp_serde::to_vec(finding).unwrap();
    let (model, engine) = (session.model(), session.engine());
    Found { findings: engine.findings().map(bytes).collect(), counts: model.counts(), now: model.now() }
}

/// The findings in words, where they are not what they were.
fn assert_found(session: &Session, then: &Found, when: &str) {
    if found(session) != *then {
        let now: Vec<_> = session.engine().findings().map(|finding| format!("{finding:?}")).collect();
        let differs = found(session).findings.iter().zip(&then.findings).position(|(now, then)| now != then);
        panic!("{when}: {} findings and not {}, {differs:?} differs: {now:#?}", now.len(), then.findings.len());
    }
}

/// Records a target for a while as `record` does, and holds what a replay of it finds against what was found meanwhile, update by update, and after
/// going to instants of it in no order.
fn replay_equals_life(target: &Target, lasting: Duration, instants: usize) -> usize {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (lived, bytes) = runtime.block_on(live(target, lasting));
    let updates = lived.len();
    let open = || Player::new(Recording::read_from(Cursor::new(bytes.clone())).unwrap()).unwrap();
    let mut player = open();
    let mut next = lived.iter();
    while let Some(event) = player.step().unwrap() {
        if is_complete(&event) {
            let (at, found_then) = next.next().expect("as many updates");
            assert_eq!(player.moment().at, *at);
            assert_found(player.session(), found_then, &format!("{at:?} after the beginning, of {target}"));
        }
    }
    assert!(next.next().is_none(), "as many updates");
    let mut player = open();
    for turn in 0..instants {
        let (at, found_then) = &lived[turn * 7_919 % updates];
        player.seek(*at).unwrap();
        assert_found(player.session(), found_then, &format!("going to {at:?}, of {target}"));
    }
    runtime.shutdown_background();
    updates
}

fn is_complete(event: &Event) -> bool {
    matches!(event, Event::Update(update) if update.part == Part::Last)
}

async fn live(target: &Target, lasting: Duration) -> (Vec<(Duration, Found)>, Vec<u8>) {
    let mut attachment = Attachment::new(source::open(target.clone(), Options::default()));
    let mut session = Session::new(&Settings::default(), Retention::default());
    let mut recorder = Recorder::new();
    let mut writer = Writer::new(Vec::new(), &Header::new(&target.to_string(), 1)).unwrap();
    let began = Instant::now();
    let mut until = began + PATIENCE;
    let mut lived = Vec::new();
    // A source may have the next event always at hand.
    while Instant::now() < until
        && let Ok(Some(event)) = timeout_at(until, attachment.next(session.wants())).await
    {
        let (at, complete) = (began.elapsed(), is_complete(&event));
        recorder.push(at, 1, event.clone(), &session).unwrap();
        session.apply(event);
        recorder.applied(at, &session).unwrap();
        if complete {
            if lived.is_empty() {
                until = Instant::now() + lasting;
            }
            lived.push((at, found(&session)));
            // More segments than there would be, so that states are written and read.
            let out = if lived.len() % 5 == 0 { recorder.end() } else { recorder.take(at) };
            out.unwrap().into_iter().for_each(|out| writer.put(out).unwrap());
        }
    }
    recorder.end().unwrap().into_iter().for_each(|out| writer.put(out).unwrap());
    (lived, writer.finish().unwrap())
}

#[test]
fn a_replay_finds_what_was_found_of_every_kind_of_source() {
    let scenarios = "lock-across-await,lock-convoy,spin-later-poll,deadlock";
    let (console, agent) = (Server::start(scenarios), running::with_agent(scenarios));
    let seconds = Duration::from_secs(5);
    let memory = Target::Pid(agent.pid());
    for target in [console.target.parse().unwrap(), agent.target.parse().unwrap(), memory] {
        let updates = replay_equals_life(&target, seconds, 20);
        assert!(updates >= 2, "{updates} updates of {target}");
    }
}

/// Each scenario of the demo by itself.
#[test]
#[ignore = "it takes some minutes"]
fn a_replay_finds_what_was_found_of_each_scenario() {
    for scenario in demo_server::scenarios() {
        let agent = running::with_agent(scenario.name);
        let updates = replay_equals_life(&agent.target.parse().unwrap(), Duration::from_secs(5), 100);
        println!("{}: {updates} updates", scenario.name);
    }
}

#[test]
fn what_was_recorded_is_checked_later() {
    let server = running::with_agent("lock-across-await");
    let folder = tempfile::tempdir().unwrap();
    let ended = run_in(folder.path(), &["record", &server.target, "-o", "a.holdup", "--for", "4s"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{ended:?}");
    assert!(ended.stderr.starts_with("recorded for ") && ended.stderr.contains("a.holdup"), "{ended:?}");
    let mode = fs::metadata(folder.path().join("a.holdup")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let report = run_in(folder.path(), &["check", "a.holdup", "--format", "json", "--fail-on", "note"]);
    assert_eq!((report.code, report.stderr.as_str()), (Some(1), ""));
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    let lints: Vec<&str> = report["findings"].as_array().unwrap().iter().map(|f| f["lint"].as_str().unwrap()).collect();
    assert!(lints.contains(&"held-across-await"), "{lints:?}");
    assert_eq!(report["target"], "replay:a.holdup");

    // At its beginning nothing had lasted yet.
    let early = run_in(folder.path(), &["check", "a.holdup", "--at", "+1s", "--format", "json", "--fail-on", "never"]);
    assert_eq!(early.code, Some(0), "{early:?}");
    let early: Value = serde_json::from_str(&early.stdout).unwrap();
    assert!(early["window"]["seconds"].as_f64().unwrap() < 1.5, "{early:#}");
    let outside = run_in(folder.path(), &["check", "a.holdup", "--at", "2001-01-01T00:00:00Z"]);
    assert_eq!(outside.code, Some(2));
    assert!(outside.stderr.contains("the instant is not in it"), "{}", outside.stderr);

    let told = info(folder.path(), "a.holdup");
    assert_eq!((&told["closed"], &told["attached"], &told["damaged_segments"]), (&true.into(), &1.into(), &0.into()));
    assert!(told["updates"].as_u64().unwrap() >= 3 && told["seconds"].as_f64().unwrap() >= 3.0, "{told:#}");
    let said = run_in(folder.path(), &["info", "a.holdup"]).stdout;
    assert!(said.contains("held-across-await") && said.contains(&server.target), "{said}");

    let again = run_in(folder.path(), &["record", &server.target, "-o", "a.holdup", "--for", "1s"]);
    assert_eq!(again.code, Some(2));
    assert!(again.stderr.contains("is there already"), "{}", again.stderr);
}

#[test]
fn the_chains_of_a_process_are_in_its_recording() {
    let server = running::with_agent("lock-across-await");
    let folder = tempfile::tempdir().unwrap();
    let pid = server.pid().to_string();
    let ended = run_in(folder.path(), &["record", &pid, "-o", "a.holdup", "--for", "3s", "--connect-timeout", "60s"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let tree = run_in(folder.path(), &["tree", "a.holdup"]);
    assert_eq!(tree.code, Some(0), "{tree:?}");
    let of = format!("pid {pid}");
    assert!(tree.stdout.contains(&of) && tree.stdout.contains(" tasks"), "{}", tree.stdout);
}

#[test]
fn a_target_that_is_lost_and_does_not_come_back_is_said_and_what_was_recorded_is_kept() {
    let server = running::with_agent("lock-across-await");
    let folder = tempfile::tempdir().unwrap();
    let mut command = holdup(folder.path());
    command.args(["record", &server.target, "-o", "a.holdup", "--for", "8s", "--connect-timeout", "30s"]);
    let recorder = Running::start(command);
    let begun = Instant::now();
    while fs::metadata(folder.path().join("a.holdup")).map_or(0, |file| file.len()) < 2_048 {
        assert!(begun.elapsed() < PATIENCE, "nothing is recorded");
        std::thread::sleep(Duration::from_millis(50));
    }
    let target = server.target.clone();
    drop(server);
    let ended = recorder.end();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let said = format!("error: {target} was heard of for ");
    for part in ["recorded for ", said.as_str(), "; then it was lost, and did not come back: "] {
        assert!(ended.stderr.contains(part), "no {part:?} in {}", ended.stderr);
    }
    assert_eq!(info(folder.path(), "a.holdup")["closed"], true);
}

/// As when its terminal is closed, unless it was started to go on then.
#[test]
fn a_recording_is_closed_where_its_terminal_ends() {
    let server = running::with_agent("lock-across-await");
    let folder = tempfile::tempdir().unwrap();
    let recorded = |name: &str, more: &[&str], through: &[&str]| {
        let holdup = holdup(folder.path());
        let program = holdup.get_program().to_owned();
        let mut command = match through {
            [] => holdup,
            [shell, rest @ ..] => {
                let mut command = Command::new(shell);
                command.args(rest).arg(program).current_dir(folder.path()).stdin(std::process::Stdio::null());
                command
            }
        };
        command.args(["record", &server.target, "-o", name]).args(more);
        let recorder = Running::start(command);
        let begun = Instant::now();
        while fs::metadata(folder.path().join(name)).map_or(0, |file| file.len()) < 2_048 {
            assert!(begun.elapsed() < PATIENCE, "nothing is recorded");
            std::thread::sleep(Duration::from_millis(50));
        }
        recorder.signal("HUP");
        let ended = recorder.end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let told = info(folder.path(), name);
        assert_eq!(told["closed"], true);
        told["seconds"].as_f64().unwrap()
    };
    recorded("a.holdup", &[], &[]);
    let lasted = recorded("b.holdup", &["--for", "4s"], &["nohup"]);
    assert!(lasted >= 3.0, "{lasted}");
}

/// Ends a recorder without a word, so long after it began; the file opens, and has all but the last second or two.
fn killed_after(server: &Server, lasting: Duration) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.holdup");
    let mut command = holdup(folder.path());
    command.args(["record", &server.target, "-o", "a.holdup"]);
    let recorder = Running::start(command);
    std::thread::sleep(lasting);
    recorder.signal("KILL");
    recorder.end();
    if !file.exists() {
        return;
    }
    let ended = run_in(folder.path(), &["info", "a.holdup", "--json"]);
    match ended.code {
        Some(0) => {
            let told: Value = serde_json::from_str(&ended.stdout).unwrap();
            assert_eq!((&told["closed"], &told["damaged_segments"]), (&false.into(), &0.into()));
            let lost = lasting.as_secs_f64() - told["seconds"].as_f64().unwrap();
            assert!(lost < 4.0, "{lost} s of {lasting:?} are missing, with the time it took to begin");
        }
        // Not even its first event was there.
        _ => assert!(lasting < Duration::from_secs(3), "{ended:?} after {lasting:?}"),
    }
}

#[test]
fn a_recorder_that_is_killed_leaves_what_it_had() {
    let server = Server::start("lock-across-await");
    for millis in [0, 150, 700, 1_600, 4_300] {
        killed_after(&server, Duration::from_millis(millis));
    }
}

#[test]
#[ignore = "it takes some minutes"]
fn a_recorder_that_is_killed_a_hundred_times_leaves_what_it_had() {
    let server = Server::start("all");
    for turn in 0..100_u64 {
        killed_after(&server, Duration::from_millis(turn * 7_919 % 5_000));
    }
}

#[test]
fn a_recording_is_kept_in_pieces_of_which_the_oldest_goes() {
    let server = Server::start("churn");
    let folder = tempfile::tempdir().unwrap();
    let ended =
        run_in(folder.path(), &["record", &server.target, "-o", "a.holdup", "--for", "12s", "--max-size", "512KiB"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let kept = files(folder.path());
    assert!(!kept.is_empty() && !kept.contains(&"a.0001.holdup".to_owned()), "{kept:?}");
    let size: u64 = kept.iter().map(|name| fs::metadata(folder.path().join(name)).unwrap().len()).sum();
    // A piece is as large as the state that it begins with, at the least.
    assert!(size <= 1 << 20, "{size} bytes in {kept:?}");
    for name in &kept {
        let told = info(folder.path(), name);
        assert_eq!(told["closed"], true, "{name}: {told:#}");
        // The last one may have begun with a state, and no update have come after that.
        assert!(Some(name) == kept.last() || told["updates"].as_u64().unwrap() > 0, "{name}: {told:#}");
        assert!(matches!(run_in(folder.path(), &["check", name]).code, Some(0 | 1)));
    }
    // As one they are shared, by their names and by that of their folder.
    let shared = tempfile::tempdir().unwrap();
    let to = |name: &str| shared.path().join(name).display().to_string();
    let names: Vec<&str> = kept.iter().map(String::as_str).collect();
    for (from, to) in [(names, to("by-name.holdup")), (vec!["."], to("by-folder.holdup"))] {
        let ended = run_in(folder.path(), &[&["share"], from.as_slice(), &["-o", &to]].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    let updates = |folder: &Path, name: &str| info(folder, name)["updates"].as_u64().unwrap();
    let all: u64 = kept.iter().map(|name| updates(folder.path(), name)).sum();
    assert_eq!(updates(shared.path(), "by-name.holdup"), all);
    assert_eq!(updates(shared.path(), "by-folder.holdup"), all);
}

#[test]
fn what_surrounds_a_finding_is_kept_and_nothing_else() {
    let server = Server::start("spin-later-poll");
    let folder = tempfile::tempdir().unwrap();
    let around = ["--on-finding", "never-yields", "--before", "2s", "--after", "1s"];
    let args = [&["record", &server.target, "-o", "a.holdup", "--for", "8s"], around.as_slice()].concat();
    let ended = run_in(folder.path(), &args);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let kept = files(folder.path());
    assert!(!kept.is_empty(), "{ended:?}");
    let told = info(folder.path(), &kept[0]);
    assert!(told["findings"]["never-yields"].as_u64() > Some(0), "{told:#}");
    assert!(told["seconds"].as_f64().unwrap() < 7.0, "{told:#}");
    let quiet = ["--on-finding", "deadlock", "--before", "2s"];
    let args = [&["record", &server.target, "-o", "b.holdup", "--for", "3s"], quiet.as_slice()].concat();
    let ended = run_in(folder.path(), &args);
    assert!(ended.code == Some(0) && ended.stderr.contains("nothing rang"), "{ended:?}");
    assert!(files(folder.path()).iter().all(|name| name.starts_with('a')));
    let unknown = run(&["record", "--on-finding", "nonsense"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("neither a severity"), "{unknown:?}");
}

#[test]
fn a_full_disk_ends_it_and_loses_nothing_that_was_there() {
    let server = Server::start("churn");
    let folder = tempfile::tempdir().unwrap();
    // A file may have 64 KiB, and who wants more is told so.
    let script = format!(
        "trap '' XFSZ; ulimit -f 64; exec \"{}\" record {} -o a.holdup --for 60s",
        env!("CARGO_BIN_EXE_holdup"),
        server.target
    );
    let mut command = Command::new("bash");
    command.args(["-c", &script]).env_clear().env("HOME", folder.path()).current_dir(folder.path());
    let ended: Ended = command.output().unwrap().into();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("cannot write") && ended.stderr.contains("can be read"), "{}", ended.stderr);
    let told = info(folder.path(), "a.holdup");
    assert!(told["updates"].as_u64().unwrap() > 0, "{told:#}");
}

#[test]
fn what_is_no_recording_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    fs::write(path("text.holdup"), "no recording").unwrap();
    fs::create_dir(path("folder.holdup")).unwrap();
    for (name, says) in [
        ("text.holdup", "no recording of holdup's"),
        ("folder.holdup", "no recording of holdup's"),
        ("none.holdup", "No such file"),
    ] {
        for command in [["info", name], ["check", name], ["tree", name]] {
            let ended = run_in(folder.path(), &command);
            assert!(ended.code == Some(2) && ended.stderr.contains(says), "{command:?}: {ended:?}");
        }
    }
    let live = run(&["check", "--at", "-5s", "http://127.0.0.1:1"]);
    assert!(live.code == Some(2) && live.stderr.contains("is no recording"), "{live:?}");
}
