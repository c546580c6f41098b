//! Keys and clicks as scripts: what was there, what is pressed, what is on the screen then.

mod stage;
mod support;

use crossterm::event::MouseEventKind;
use holdup::{
    app::{App, Options, Tape},
    model::Retention,
    source::{Command, Connection, Event, Process, Protocol, Temporality},
    terminal::{Error, TerminalEvent},
    update::{Part, Update, Value, VerdictKind},
};
use stage::{
    Stage, options,
    scenes::{asked_of, attached, report_of, stalled, troubled, watching},
};
use std::time::{Duration, Instant};
use support::{agent, service::Service};

const WIDE: (u16, u16) = (120, 30);

#[test]
fn it_begins_with_the_findings_worst_first() {
    let (mut stage, _) = watching(WIDE);
    stage
        .shows(&["127.0.0.1:6669 · console · live ●", "5 tasks", "1 Findings", "spinner", "q quit"])
        .shows_in_order(&["never-yields", "held-across-await", "do "]);
}

#[test]
fn the_lower_pane_follows_the_selection() {
    let (mut stage, _) = watching(WIDE);
    stage.shows(&["── task 113 spinner ──"]);
    stage.keys("j").shows(&["── Mutex 1 src/state.rs:21 ──", "holder", "writer"]);
    stage.keys("k").shows(&["── task 113 spinner ──"]);
    stage.click("held-across-await").shows(&["── Mutex 1 src/state.rs:21 ──"]);
}

#[test]
fn every_screen_has_a_key_a_number_and_a_tab() {
    let (mut stage, _) = watching(WIDE);
    for keys in ["t", "2", "tab", "f backtab backtab backtab backtab"] {
        stage.keys("f").hides(&["╭ Tasks"]).keys(keys).shows(&["╭ Tasks"]);
    }
    stage.click("1 Findings").shows(&["╭ Findings"]);
    stage.click("2 Tasks").shows(&["╭ Tasks"]);
}

#[test]
fn a_stalled_worker_is_one_key_from_its_finding_and_its_task_another() {
    let (mut stage, service) = stalled(WIDE, options());
    stage.shows(&["stalled-worker", "o worker"]).keys("o").shows(&[
        "╭ Worker main/2",
        "src/report.rs:88",
        "In one poll",
    ]);
    stage.shows(&["3 frames of libc and std, in std::thread::functions::sleep"]).hides(&["Core::poll"]);
    stage.keys("enter").shows(&["std::sys::thread::unix::Thread::sleep", "tokio::runtime::task::core::Core::poll"]);
    stage.keys("enter").shows(&["3 frames of libc and std", "2 frames of tokio"]).hides(&["Core::poll"]);
    stage.keys("t").shows(&["╭ task 113 spinner"]).keys("o").shows(&["╭ Worker main/2"]);
    stage.keys("esc").shows(&["╭ Findings"]).keys("3").shows(&["╭ Workers", "1 stalled"]);
    stage.keys("down enter").shows(&["╭ Worker main/1"]).hides(&["In one poll"]);
    // It is over: the stack stays to be read.
    let mut over = report_of(&service);
    over.stalls[0].ended = over.now;
    stage.keys("esc").reports([over]).keys("down enter").shows(&[
        "╭ Worker main/2",
        "Stalls before",
        "src/report.rs:88",
    ]);
    stage.keys("f").shows(&["stalled-worker"]);
    // A stock target knows of no workers, and the key says so.
    let (mut stage, _) = watching(WIDE);
    stage
        .keys("o")
        .shows(&["only holdup's agent tells of workers"])
        .click("3 Workers")
        .shows(&["holdup_agent::init()"]);
}

#[test]
fn what_a_worker_runs_now_is_asked_of_who_can_tell() {
    let asked = |stage: &Stage| {
        let asks = |command: &&Command| matches!(command, Command::CaptureStacks | Command::StopForStacks);
        stage.commands.iter().filter(asks).copied().collect::<Vec<_>>()
    };
    // An agent: what it found comes as an update.
    let (mut stage, service) = stalled(WIDE, options());
    stage.keys("3 enter").shows(&["╭ Worker main/0", "S stack"]).hides(&["When asked"]).keys("S");
    stage.shows(&["the agent was asked what each worker is doing now"]);
    assert_eq!(asked(&stage), [Command::CaptureStacks]);
    stage.reports([asked_of(&service)]).shows(&["When asked", "running · task 112 conn-3", "ms ago", "src/net.rs:31"]);
    stage.keys("esc down enter").shows(&["╭ Worker main/1", "When asked", "parked"]).hides(&["src/net.rs:31"]);
    stage.keys("f").hides(&["src/net.rs:31"]);
    // What it says when it captured none.
    let reason = "no right to capture".to_owned();
    stage.hear([Event::CommandFailed { command: Command::CaptureStacks, reason }]).shows(&["no right to capture"]);
    // While the display stands still nothing of it would be seen.
    stage.keys("3 enter space S").shows(&["the display stands still"]);
    assert_eq!(asked(&stage), [Command::CaptureStacks]);
    // Nor while the past is shown.
    let app = std::mem::replace(&mut stage.app, App::new("orders", options()));
    stage.app = app.with_past(Tape::Kept(Instant::now()));
    stage.keys("space space S").shows(&["this is the past: End leads to the present"]);
    assert_eq!(asked(&stage), [Command::CaptureStacks]);

    // An agent that is older than that.
    let mut older = Stage::new(WIDE.0, WIDE.1, options());
    let process = Process { capabilities: ["tasks", "workers"].map(String::from).into(), ..agent::process() };
    let mut service = troubled();
    older.attach_to(Protocol::Agent, Some(process), [service.greet()]);
    older.reports([report_of(&service)]).keys("3 enter").hides(&["S stack"]).keys("S").shows(&["agent is older"]);
    assert_eq!(asked(&older), []);
}

#[test]
fn tasks_are_sorted_by_any_column_with_keys_and_with_the_mouse() {
    let (mut stage, _) = watching(WIDE);
    stage.keys("t").shows(&["Flags▾"]).shows_in_order(&["spinner", "conn-3"]);
    stage.keys("l").shows(&["▴ID"]).shows_in_order(&["writer", "conn-1", "conn-2", "conn-3", "spinner"]);
    stage.keys("i").shows(&["▾ID"]).shows_in_order(&["spinner", "conn-3", "conn-2", "conn-1", "writer"]);
    stage.click("Name").shows(&["Name▴"]).shows_in_order(&["conn-1", "conn-2", "conn-3", "spinner", "writer"]);
    stage.click("Name").shows(&["Name▾"]).shows_in_order(&["writer", "spinner", "conn-3"]);
    stage.keys("s").shows(&["Sort by"]).keys("home enter").shows(&["Flags▾"]).hides(&["Sort by"]);
}

#[test]
fn a_selection_stays_on_its_task_when_the_order_changes() {
    let (mut stage, _) = watching(WIDE);
    stage.keys("t l down down y");
    assert!(stage.host.copied.pop().is_some_and(|text| text.contains("conn-2")));
    stage.keys("i y");
    assert!(stage.host.copied.pop().is_some_and(|text| text.contains("conn-2")));
    stage.keys("g g y");
    assert!(stage.host.copied.pop().is_some_and(|text| text.contains("spinner")));
    stage.keys("G y");
    assert!(stage.host.copied.pop().is_some_and(|text| text.contains("writer")));
}

#[test]
fn a_filter_holds_while_it_is_typed_and_says_what_is_wrong_with_it() {
    let (mut stage, _) = watching(WIDE);
    stage.keys("t /").types("name:conn").shows(&["filter  name:conn", "conn-1", "3 of 5"]).hides(&["writer"]);
    stage.types(" busy>").shows(&["busy needs a time or a share", "conn-1"]).hides(&["writer"]);
    // What cannot be read is not kept.
    stage.keys("enter").shows(&["busy needs"]);
    stage.types("10ms").shows(&["conn-3", "1 of 5"]).hides(&["conn-1", "busy needs"]);
    stage.keys("enter").shows(&["conn-3", "/ filter"]);
    stage.keys("q");
    assert!(stage.ended, "q quits again once the filter is kept");
}

#[test]
fn a_filter_is_taken_away_by_escape() {
    let (mut stage, _) = watching(WIDE);
    stage.keys("t /").types("state:r").hides(&["writer"]).keys("esc").shows(&["writer"]).hides(&["filter  s"]);
    stage.keys("/").types("peer=10").shows(&["conn-1", "conn-2"]).hides(&["conn-3"]);
    stage.keys("enter esc").shows(&["conn-3", "writer"]);
    stage.keys("/").types("nothing-like-it").shows(&["No task passes the filter."]);
}

#[test]
fn tasks_are_grouped_by_spawn_location_and_narrowed_to_one() {
    let (mut stage, _) = watching(WIDE);
    stage.keys("t z").shows(&["by spawn location", "3 places"]).shows_in_order(&["src/net.rs:7", "src/report.rs:88"]);
    stage.keys("enter").shows(&["filter  loc=\"src/net.rs:7\"", "conn-1", "3 of 5"]).hides(&["spinner"]);
    stage.keys("esc").shows(&["spinner"]);
}

#[test]
fn a_group_opens_its_own_tasks_and_not_those_of_a_line_that_begins_like_it() {
    let mut service = Service::new();
    service.spawn("seven", "src/a.rs:7");
    service.spawn("seventy", "src/a.rs:70");
    service.spawn("also-seven", "src/a.rs:7");
    let (mut stage, _) = attached(WIDE, service, options());
    stage.keys("t z").shows_in_order(&["src/a.rs:7", "src/a.rs:70"]);
    stage.keys("enter").shows(&["filter  loc=\"src/a.rs:7\"", "also-seven", "2 of 3"]).hides(&["seventy"]);
}

#[test]
fn help_and_explanations_lie_on_top_and_are_left_by_escape() {
    let (mut stage, _) = watching((100, 40));
    stage.keys("?").shows(&["Keys", "explain the lint", "In lists"]).keys("esc").hides(&["explain the lint"]);
    stage.keys("e").shows(&["never-yields ─", "What it means", "How to fix it"]).keys("esc").hides(&["What it means"]);
    stage.keys("e ? esc").shows(&["What it means"]).keys("esc").hides(&["What it means"]);
}

#[test]
fn a_finding_is_copied_as_text() {
    let (mut stage, _) = watching(WIDE);
    stage.keys("j y").shows(&["copied, if the terminal allows it"]);
    let text = stage.host.copied.pop().unwrap();
    assert!(text.contains("held-across-await: Mutex 1 src/state.rs:21"), "{text}");
    assert!(
        text.contains("├ task 103 writer src/state.rs:40 holds it")
            && text.contains("├ task 106 conn-1 src/net.rs:7 waits for it")
            && text.contains("do: Drop the guard")
    );
    stage.pass(Duration::from_secs(6)).hides(&["copied"]);
}

#[test]
fn freezing_keeps_what_comes_and_loses_nothing() {
    let (mut stage, mut service) = watching(WIDE);
    stage.keys("t space").shows(&["frozen ‖ 0 new", "space go on"]);
    service.spawn("late", "src/late.rs:1");
    let in_two_pages = service.pass(500).publish();
    let page = Update { now: in_two_pages.now, part: Part::More, ..Update::default() };
    stage.updates([page, in_two_pages, service.pass(500).publish()]);
    stage.shows(&["frozen ‖ 2 new", "5 tasks"]).hides(&["late"]);
    stage.keys("space").shows(&["live ●", "6 tasks", "late"]);
}

#[test]
fn a_frozen_display_tells_that_the_connection_was_lost_and_goes_on_with_all_that_came() {
    let (mut stage, mut service) = watching(WIDE);
    stage.keys("t space");
    let spinner = service.task_ids()[2];
    service.spawn("late", "src/late.rs:1");
    stage.updates([service.pass(500).finish(spinner).publish()]);
    stage.lose("the connection ended", Duration::from_secs(10));
    stage.shows(&["frozen ‖ 1 new", "What is shown is old", "5 tasks"]).hides(&["late"]);
    // The page of a task is as it was, too.
    stage.keys("/").types("spinner").keys("enter enter").shows(&["running"]);
    stage.keys("esc esc space").shows(&["retry in", "late"]);
}

#[test]
fn a_frozen_display_goes_on_when_there_is_no_room_for_it() {
    let retention = Retention { max_bytes: 700_000, ..Retention::default() };
    let mut service = Service::new();
    for id in 0..1_500 {
        service.spawn(&format!("task-{id}"), "src/a.rs:1");
    }
    let (mut stage, mut service) = attached(WIDE, service, Options { retention, ..options() });
    stage.keys("t space").shows(&["frozen ‖ 0 new"]);
    for task in service.task_ids() {
        service.start(task).end(task);
    }
    for _ in 0..20 {
        let update = service.pass(500).publish();
        stage.updates([update]);
    }
    stage.hides(&["frozen ‖"]);
}

#[test]
fn pausing_the_target_is_asked_about_first() {
    let (mut stage, _) = watching(WIDE);
    stage.keys("P").shows(&["Pause the target?"]).keys("n").hides(&["Pause the target?"]);
    assert!(stage.commands.is_empty());
    stage.keys("P y");
    assert_eq!(stage.commands, [Command::PauseTarget]);
    stage.hear([Event::Temporality(Temporality::Paused)]).shows(&["paused ‖", "paused, for everyone"]);
    stage.keys("P").shows(&["Let the target go on?"]).click("yes");
    assert_eq!(stage.commands, [Command::PauseTarget, Command::ResumeTarget]);
}

#[test]
fn a_lost_connection_leaves_the_data_and_says_why() {
    let (mut stage, mut service) = watching(WIDE);
    stage.keys("t").lose("the target closed the connection", Duration::from_secs(10));
    stage.shows(&[
        "lost ○, retry in 10 s",
        "What is shown is old. the target closed the connection",
        "writer",
        "R retry now",
    ]);
    stage.pass(Duration::from_secs(4)).shows(&["retry in 6 s"]);
    stage.keys("R");
    assert_eq!(stage.commands, [Command::RetryNow]);
    // Another process: nothing of the first one is left but its findings, which are over.
    let mut other = Service::new();
    other.spawn("newcomer", "src/new.rs:1");
    stage.attach([other.greet(), other.pass(500).publish()]).shows(&["newcomer", "live ●"]).hides(&["writer"]);
    stage.keys("f").shows(&["● over", "never-yields"]);
    drop(service.publish());
}

#[test]
fn before_the_first_connection_it_says_what_to_check() {
    let mut stage = Stage::new(100, 24, options());
    stage.pass(Duration::from_millis(10)).shows(&["Connecting to 127.0.0.1:6669"]);
    stage.lose("connection refused", Duration::from_secs(2));
    stage.shows(&["Cannot reach 127.0.0.1:6669: connection refused", "console-subscriber"]);
}

#[test]
fn what_cannot_be_watched_is_given_up_and_tried_again_on_demand() {
    let gave_up = || Event::Connection(Connection::GaveUp { reason: "what listens there speaks HTTP/1".into() });
    let mut stage = Stage::new(100, 24, options());
    stage.hear([gave_up()]).shows(&["given up ○", "Cannot watch 127.0.0.1:6669: what listens there", "R retry now"]);
    stage.keys("R");
    assert_eq!(stage.commands, [Command::RetryNow]);
    // What is known stays, and is said to be old.
    let (mut stage, _) = watching(WIDE);
    stage.keys("t").hear([gave_up()]).shows(&["What is shown is old. what listens there", "R tries again", "writer"]);
    stage.pass(Duration::from_secs(100)).shows(&["given up ○"]);
}

#[test]
fn tokios_own_workers_are_no_tasks_and_are_shown_on_demand() {
    let mut service = Service::new();
    let blocking = [("kind", Value::Text("blocking".into()))];
    let worker = "/srv/.cargo/registry/src/index-1f/tokio-1.54.1/src/runtime/scheduler/multi_thread/worker.rs:457";
    for _ in 0..4 {
        let job = service.spawn_with("", worker, &blocking);
        service.pass(1).start(job);
    }
    let job = service.spawn_with("import", "src/import.rs:7", &blocking);
    service.pass(1).start(job);
    service.spawn("conn", "src/main.rs:1");
    let mut stage = Stage::new(WIDE.0, WIDE.1, options());
    stage.attach([service.greet(), service.pass(5_000).publish(), service.pass(500).publish()]);
    stage.keys("t").shows(&["2 tasks", "1 running", "import", "conn"]).hides(&["worker.rs"]);
    stage.keys("z").shows(&["2 places"]).hides(&["worker.rs"]).keys("z");
    stage.keys("/").types("kind:worker").keys("enter").shows(&["worker.rs:457"]).hides(&["import"]);
    stage.keys("f").hides(&["worker.rs"]);
}

#[test]
fn notes_of_one_lint_are_one_line_that_opens_into_its_places() {
    let mut service = Service::new();
    let large = [("kind", Value::Text("task".into())), ("size.bytes", Value::U64(9_000))];
    for line in 1..=40 {
        let task = service.spawn_with(&format!("large-{line}"), &format!("src/large.rs:{line}"), &large);
        service.start(task).keep_waker(task).pass(1).end(task);
    }
    let spinner = service.spawn("spinner", "src/report.rs:88");
    service.pass(1).start(spinner);
    let mut stage = Stage::new(WIDE.0, WIDE.1, options());
    stage.attach([service.greet(), service.pass(700).publish(), service.pass(2_000).publish()]);
    stage.shows(&["never-yields", "40 of these, ⏎ lists them", "41 now"]);
    assert_eq!(stage.text().matches("note ").count(), 1, "{}", stage.text());
    stage.keys("down enter").hides(&["of these"]);
    assert!(stage.text().matches("note ").count() > 3, "{}", stage.text());
    // Each is a finding of its own now: it opens its task.
    stage.keys("down enter").shows(&["╭ large-future ── task 1"]).keys("esc").hides(&["of these"]);
    // What comes later changes neither the order nor what is open.
    let before: Vec<String> = stage.text().lines().filter(|line| line.contains("src/large")).map(Into::into).collect();
    stage.updates([service.pass(500).publish()]);
    let after: Vec<String> = stage.text().lines().filter(|line| line.contains("src/large")).map(Into::into).collect();
    assert_eq!(before, after);
    stage.keys("esc").shows(&["40 of these"]);
}

#[test]
fn nine_hundred_and_fifty_notes_are_one_line_and_hide_nothing_that_is_worse() {
    let mut service = Service::new();
    let large = [("kind", Value::Text("task".into())), ("size.bytes", Value::U64(9_000))];
    for task in 0..1_900 {
        let place = format!("src/large.rs:{}", task % 950 + 1);
        let task = service.spawn_with("", &place, &large);
        service.start(task).keep_waker(task).pass_micros(10).end(task);
    }
    let spinner = service.spawn("spinner", "src/report.rs:88");
    service.pass(1).start(spinner);
    let mut stage = Stage::new(80, 24, options());
    stage.attach([service.greet(), service.pass(700).publish(), service.pass(2_000).publish()]);
    stage.shows(&["never-yields", "950 of these, ⏎ lists them", "951 now"]);
    assert_eq!(stage.text().matches("note ").count(), 1, "{}", stage.text());
    // Opened, they are all there, and the worst stays first.
    stage.keys("down enter").hides(&["of these"]).shows(&["951 now", "never-yields"]);
    stage.keys("G").shows(&["src/large.rs:"]).keys("esc").shows(&["950 of these"]);
}

#[test]
fn quitting_works_in_every_state() {
    for keys in ["q", "^c", "t q", "? q", "e q", "t / ^c", "t / a ^c", "t s q", "P ^c", "space q", "t z q"] {
        let (mut stage, _) = watching(WIDE);
        stage.keys(keys);
        assert!(stage.ended && stage.result.is_ok(), "{keys}");
    }
    let mut lost = Stage::new(80, 24, options());
    lost.lose("no route to host", Duration::from_secs(60)).keys("q");
    assert!(lost.ended);
    let mut fresh = Stage::new(80, 24, options());
    fresh.keys("q");
    assert!(fresh.ended);
}

#[test]
fn signals_and_panics_end_the_loop_or_hand_over_the_terminal() {
    let (mut stage, _) = watching(WIDE);
    stage.keys("^z").occur(TerminalEvent::Suspend).occur(TerminalEvent::Resume);
    assert_eq!((stage.host.suspended, stage.host.resumed), (2, 1));
    stage.shows(&["Findings"]).occur(TerminalEvent::Stop);
    assert!(stage.ended && stage.result.is_ok());
    stage.occur(TerminalEvent::Panicked);
    assert!(matches!(stage.result, Err(Error::Panicked)));
}

#[test]
fn the_wheel_scrolls_and_a_double_click_opens() {
    let mut service = Service::new();
    for number in 0..100 {
        service.spawn(&format!("task-{number:02}"), "src/many.rs:1");
    }
    let mut stage = Stage::new(100, 24, options());
    stage.attach([service.greet(), service.pass(500).publish()]).keys("t l").shows(&["task-00"]).hides(&["task-30"]);
    for _ in 0..5 {
        stage.mouse(MouseEventKind::ScrollDown, 20, 10);
    }
    stage.shows(&["task-15", "task-30"]).hides(&["task-14"]);
    for _ in 0..9 {
        stage.mouse(MouseEventKind::ScrollUp, 20, 10);
    }
    stage.shows(&["task-00"]);
    stage.keys("pgdn").keys("end").shows(&["task-99"]).keys("home").shows(&["task-00"]);
    stage.click("task-07").shows(&["╭ Tasks"]).click("task-07").shows(&["task-07 ─"]).hides(&["╭ Tasks"]);
}

#[test]
fn no_size_is_too_small_to_survive() {
    let (mut stage, _) = watching((80, 24));
    for keys in ["f", "enter", "f j enter j", "t", "t z", "t z ?", "esc f e", "esc t s", "esc /", "enter P"] {
        stage.keys(keys);
        for (width, height) in [(1, 1), (2, 9), (39, 9), (40, 10), (41, 11), (55, 12), (200, 10), (40, 60), (200, 60)] {
            stage.resize(width, height);
            if width < 40 || height < 10 {
                stage.hides(&["Findings"]);
            } else {
                stage.shows(&["Findings"]);
            }
        }
    }
}

#[test]
fn pages_are_opened_from_lists_and_from_each_other_and_left_one_by_one() {
    let (mut stage, _) = watching(WIDE);
    stage.keys("j enter").shows(&["╭ held-across-await ── Mutex 1 src/state.rs:21", "The story", "Esc back"]);
    stage.keys("enter").shows(&["╭ Mutex src/state.rs:21", "Who waits for whom", "1 holds it, 2 wait", "Esc back"]);
    stage.keys("enter").shows(&["╭ task 103 writer", "holds     Mutex 1 src/state.rs:21"]);
    let writer = stage.watched_task();
    assert!(writer.is_some(), "its details are asked for");
    // Back on the lock by another way is the same page, not one more.
    stage.keys("l").shows(&["╭ Mutex src/state.rs:21"]).keys("down enter").shows(&["╭ task 106 conn-1", "waits on"]);
    assert_ne!(stage.watched_task(), writer);
    stage.keys("esc").shows(&["╭ Mutex src/state.rs:21"]).keys("esc").shows(&["The story"]).keys("esc");
    stage.shows(&["╭ Findings"]);
    assert_eq!(stage.watched_task(), None);
    stage.keys("t enter").shows(&["╭ task 113 spinner"]).keys("4").shows(&["╭ Locks"]);
    stage.keys("enter").shows(&["╭ Mutex src/state.rs:21"]).keys("esc r").shows(&["╭ Resources", "Semaphore"]);
    stage.keys("G enter").shows(&["╭ Semaphore", "Operations"]).keys("q");
    assert!(stage.ended);
}

#[test]
fn a_page_is_closed_when_its_thing_may_be_another_processs() {
    let (mut stage, _) = watching(WIDE);
    stage.keys("t enter").shows(&["╭ task 113 spinner"]);
    let mut other = Service::new();
    other.spawn("newcomer", "src/new.rs:1");
    stage.attach([other.greet(), other.pass(500).publish()]).shows(&["╭ Tasks", "another session began"]);
}

#[test]
fn locks_and_resources_are_sorted_too() {
    let (mut stage, _) = watching(WIDE);
    stage.keys("r").shows(&["▾Total"]).click("Type").shows(&["Type▾"]).shows_in_order(&["Semaphore", "Mutex"]);
    stage.keys("i").shows(&["Type▴"]).shows_in_order(&["Mutex", "Semaphore"]);
    stage.keys("L l").shows(&["▾Longest"]).keys("i").shows(&["▴Longest"]);
}

#[test]
fn an_agent_that_tells_less_often_says_so_as_long_as_it_does() {
    let (mut stage, mut service) = watching(WIDE);
    let seldom = Update { told_every: Some(Duration::from_secs(4)), ..service.pass(4_000).publish() };
    stage.updates([seldom]).shows(&["Told every 4.00 s", "HOLDUP_CPU"]);
    stage.updates([service.pass(250).publish()]).hides(&["HOLDUP_CPU"]);
}

#[test]
fn a_target_that_lags_is_asked_to_catch_up_and_not_too_often() {
    let (mut stage, mut service) = watching(WIDE);
    for number in 0..2_000 {
        service.spawn(&format!("task-{number}"), "src/many.rs:1");
        service.pass(1);
    }
    let late = [service.pass(1).publish(), service.pass(1_000).publish(), service.pass(1_000).publish()];
    stage.updates(late).shows(&["behind"]);
    stage.commands.clear();
    stage.pass(Duration::from_secs(2));
    let asked = stage.commands.iter().filter(|&&command| command == Command::CatchUp).count();
    assert!((20..=41).contains(&asked), "asked {asked} times in two seconds");
}

#[test]
fn many_runtimes_leave_the_workers_their_room() {
    let (mut stage, mut service) = stalled((80, 24), options());
    let update = service.pass(700).publish();
    let mut report = report_of(&service);
    let runtimes = report.runtimes.as_mut().expect("told");
    runtimes.extend((3..=6).map(|id| agent::runtime(id, &format!("side-{id}"), 2)));
    runtimes[0].verdicts = vec![agent::verdict(VerdictKind::DriverBlocked, service.now())];
    stage.updates([update]).reports([report]).keys("W");
    stage.shows(&["main/0", "main/1", "main/2", "main/3", "metrics/0"]);
    stage.shows(&["side-6 · 2 workers", "the I/O driver is blocked"]).hides(&["in the global queue", "I/O 12 watched"]);
    stage.resize(120, 60).shows(&["in the global queue", "I/O 12 watched"]);
}

#[test]
fn what_there_is_no_room_for_is_told() {
    let retention = Retention { max_bytes: 1, ..Retention::default() };
    let mut service = Service::new();
    service.spawn("conn", "src/main.rs:7");
    let mut stage = Stage::new(WIDE.0, WIDE.1, Options { retention, ..options() });
    stage.attach([service.publish()]).shows(&["To stay under 1 B of memory", "--max-memory sets it"]);
}

#[test]
fn keys_that_come_at_once_do_what_they_do_one_by_one() {
    let (mut stage, _) = watching(WIDE);
    stage.at_once("t l down down y").shows(&["╭ Tasks", "▴ID"]);
    assert!(stage.host.copied.pop().is_some_and(|text| text.contains("conn-2")));
    stage.at_once("i y g g y G y");
    let copied: Vec<String> = stage.host.copied.drain(..).collect();
    assert_eq!(copied.len(), 3, "{copied:?}");
    for (text, name) in copied.iter().zip(["conn-2", "spinner", "writer"]) {
        assert!(text.contains(name), "{name}: {text}");
    }
    // The list of keys is as long as it is only once it is shown.
    let at_once = stage.at_once("? G").text();
    assert_eq!(stage.keys("esc ? G").text(), at_once);
    stage.at_once("esc ?");
    assert_ne!(stage.text(), at_once, "it is longer than the screen");
    stage.at_once("esc / n a m e : c o n n enter down down y").shows(&["3 of 5"]).hides(&["writer"]);
    assert_eq!(stage.host.copied.len(), 1);
    stage.at_once("q j j j");
    assert!(stage.ended);
}

#[test]
fn what_is_pasted_is_text_for_a_filter_and_keys_for_nobody() {
    let (mut stage, _) = watching(WIDE);
    stage
        .keys("t")
        .occur(TerminalEvent::Paste("q\rq".into()))
        .shows(&["what is pasted is taken by a filter alone", "writer"]);
    stage.keys("/").occur(TerminalEvent::Paste("name:conn\n-name:conn-1".into()));
    stage.shows(&["filter  name:conn -name:conn-1", "2 of 5"]).hides(&["the rest was cut"]);
    stage.occur(TerminalEvent::Paste("x".repeat(2_000))).shows(&["a filter has room for 1000 bytes: the rest was cut"]);
    stage.keys("^u").types("name:writer").shows(&["filter  name:writer", "1 of 5"]);
    assert!(!stage.ended);
}

#[test]
fn a_target_that_says_nothing_is_said_to_and_its_times_stand_still() {
    let (mut stage, mut service) = watching(WIDE);
    stage.keys("t").pass(Duration::from_secs(4)).hides(&["Nothing heard"]);
    stage.pass(Duration::from_secs(4)).shows(&["Nothing heard for ", "silent for "]);
    let row = |stage: &Stage| stage.lines().into_iter().find(|line| line.contains("writer")).expect("a row");
    let before = row(&stage);
    stage.pass(Duration::from_secs(60)).shows(&["Nothing heard for 6"]);
    assert_eq!(row(&stage), before);
    // Whoever told each ten seconds is waited for for longer.
    for _ in 0..2 {
        stage.updates([service.pass(10_000).publish()]).hides(&["Nothing heard"]).pass(Duration::from_secs(10));
    }
    stage.updates([service.pass(10_000).publish()]).pass(Duration::from_secs(15)).hides(&["Nothing heard"]);
    stage.pass(Duration::from_secs(10)).shows(&["Nothing heard for 2"]);
    stage.lose("broken pipe", Duration::from_secs(9)).hides(&["Nothing heard"]);
    // What begins anew has said nothing yet, and had no time for it.
    stage.attach([]).hides(&["Nothing heard"]);
}
