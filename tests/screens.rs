//! What every screen and everything that lies over one looks like, at 80×24 and at 120×40. The pictures are under
//! `tests/snapshots/`; `cargo insta review` shows what a change does to them.

mod stage;
mod support;

use holdup::{
    app::{Charset, Options, Palette},
    source::{Event, Protocol, Temporality},
    update::Value,
};
use insta::assert_snapshot;
use stage::{
    Stage, options,
    scenes::{asked_of, attached, healthy, lean, stalled, troubled, watching},
};
use std::time::Duration;
use support::{agent, service::Service};

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

/// A picture at each size, of what a script makes of a fresh stage.
fn pictures(name: &str, play: impl Fn((u16, u16)) -> Stage) {
    for (width, height) in SIZES {
        let stage = play((width, height));
        assert_snapshot!(format!("{name}_{width}x{height}"), stage.text());
    }
}

/// A picture at each size, after these keys, of the service with troubles.
fn after(name: &str, keys: &str) {
    pictures(name, |size| {
        let (mut stage, _) = watching(size);
        stage.keys(keys);
        stage
    });
}

#[test]
fn findings() {
    after("findings", "");
    after("findings_second", "j");
}

#[test]
fn the_page_of_a_finding() {
    for size in [(80, 24), (200, 50)] {
        let named = |name: &str| format!("{name}_{}x{}", size.0, size.1);
        for (name, keys) in [("finding_page", "enter"), ("finding_page_of_a_lock", "j enter j")] {
            let (mut stage, _) = watching(size);
            stage.keys(keys);
            assert_snapshot!(named(name), stage.text());
        }
        let mut stage = stalled(size, options()).0;
        stage.keys("enter j");
        assert_snapshot!(named("finding_page_agent"), stage.text());
        // It is about nobody: there is nothing to open.
        let (mut stage, mut service) = watching(size);
        let mut update = service.pass(700).publish();
        update.dropped.tasks = 1_200;
        stage.updates([update]).keys("j j enter");
        assert_snapshot!(named("finding_page_of_the_target"), stage.text());
    }
}

/// Forty tasks of one place that nobody polls, of which half have one name.
#[test]
fn many_tasks_of_one_name_are_counted() {
    pictures("findings_of_a_crowd", |size| {
        let mut service = Service::new();
        for at in 0..40 {
            let name = if at % 2 == 0 { "starved-crowd".to_owned() } else { format!("other-{}", at % 6) };
            let task = service.spawn(&name, "src/crowd.rs:9");
            service.start(task).keep_waker(task).pass(1).end(task).wake(task);
        }
        attached(size, service, options()).0
    });
}

#[test]
fn findings_that_are_over() {
    pictures("findings_over", |size| {
        let (mut stage, _) = watching(size);
        let mut other = healthy();
        stage.attach([other.greet(), other.pass(700).publish(), other.pass(700).publish()]);
        stage
    });
}

#[test]
fn nothing_wrong() {
    pictures("nothing_wrong", |size| attached(size, healthy(), options()).0);
}

#[test]
fn nothing_known() {
    pictures("connecting", |size| {
        let mut stage = Stage::new(size.0, size.1, options());
        stage.pass(Duration::from_millis(5));
        stage
    });
    pictures("unreachable", |size| {
        let mut stage = Stage::new(size.0, size.1, options());
        stage.lose("connection refused", Duration::from_secs(8));
        stage
    });
    pictures("unreachable_tasks", |size| {
        let mut stage = Stage::new(size.0, size.1, options());
        stage.lose("connection refused", Duration::from_secs(8)).keys("t");
        stage
    });
}

#[test]
fn tasks() {
    after("tasks", "t");
    after("tasks_by_name", "t l l l");
    after("tasks_filtered", "t / n a m e : c o n n enter");
    after("tasks_filter_typed", "t / - s t a t e : i space b u s y >");
    after("tasks_none_pass", "t / x y z");
    after("places", "t z");
    pictures("tasks_none", |size| {
        let mut stage = attached(size, Service::new(), options()).0;
        stage.keys("t");
        stage
    });
}

#[test]
fn workers() {
    for (name, keys) in [
        ("workers", "W"),
        ("worker_page", "W j j enter"),
        ("findings_agent", ""),
        ("findings_agent_lock", "j"),
        ("tasks_agent", "t"),
        ("help_agent", "? G"),
    ] {
        pictures(name, |size| {
            let (mut stage, _) = stalled(size, options());
            stage.keys(keys);
            stage
        });
    }
    let mut stage = stalled((200, 50), options()).0;
    stage.keys("W");
    assert_snapshot!("workers_200x50", stage.text());
    stage.keys("f o");
    assert_snapshot!("worker_page_200x50", stage.text());
}

#[test]
fn workers_when_somebody_has_asked_what_they_do() {
    for (name, keys) in [("asked_runs", "W enter"), ("asked_parked", "W j enter"), ("asked_stalled", "W j j enter")] {
        pictures(name, |size| {
            let (mut stage, service) = stalled(size, options());
            stage.reports([asked_of(&service)]).keys(keys);
            stage
        });
    }
    let (mut stage, service) = stalled((200, 50), options());
    stage.reports([asked_of(&service)]).keys("W j j j enter");
    assert_snapshot!("asked_unknown_200x50", stage.text());
}

#[test]
fn workers_of_a_target_that_does_not_tell() {
    after("workers_stock", "W");
    pictures("workers_awaited", |size| {
        let mut stage = Stage::new(size.0, size.1, options());
        let mut service = healthy();
        stage.attach_to(Protocol::Agent, Some(agent::process()), [service.greet()]).keys("W");
        stage
    });
    pictures("workers_older_agent", |size| {
        let mut stage = Stage::new(size.0, size.1, options());
        let mut service = healthy();
        stage.attach_to(Protocol::Console, Some(agent::process()), [service.greet()]).keys("W");
        stage
    });
}

#[test]
fn an_agent_in_lean_detail_that_sees_no_wakes() {
    for (name, keys) in
        [("lean_findings", ""), ("lean_tasks", "t"), ("lean_task_page", "t enter"), ("lean_resources", "5")]
    {
        pictures(name, |size| {
            let mut stage = lean(size);
            stage.keys(keys);
            stage
        });
    }
}

/// A column that is not known is one in which all are alike: whoever sorts by it finds everybody there, in an order that stands.
#[test]
fn sorted_by_what_is_not_known() {
    let named = |stage: &Stage| {
        let text = stage.text();
        let line = |name: &str| text.lines().position(|line| line.contains(name)).expect("every task is listed");
        let mut names = ["accept", "ticker", "net.rs"];
        // The list moves down where it has to be said that nothing is heard.
        names.sort_by_key(|name| line(name));
        names
    };
    let mut stage = lean((200, 50));
    stage.keys("t");
    for _ in 0..15 {
        stage.keys("l");
        let before = named(&stage);
        stage.pass(Duration::from_secs(2));
        assert_eq!(named(&stage), before, "{}", stage.text());
    }
    // Of what is not known nothing holds.
    for filter in ["w a k e s > = 0", "w a k e s < 1", "s c h e d < 1 s", "- w a k e s > 0"] {
        stage.keys(&format!("/ {filter} enter"));
        assert!(!stage.text().contains("accept"), "{filter}: {}", stage.text());
        stage.keys("/ ^u enter");
    }
    stage.keys("/ p o l l s > 0 enter");
    assert!(stage.text().contains("accept"), "{}", stage.text());
}

#[test]
fn what_lies_over_a_screen() {
    after("sort_menu", "t s");
    after("help_on_findings", "?");
    after("help_on_tasks", "t ?");
    after("help_scrolled", "? G");
    after("explanation", "e");
    after("explanation_scrolled", "e G");
    after("question", "P");
    after("notice", "y");
}

#[test]
fn not_live() {
    after("frozen", "t space");
    pictures("paused", |size| {
        let (mut stage, _) = watching(size);
        stage.hear([Event::Temporality(Temporality::Paused)]);
        stage
    });
    pictures("lost", |size| {
        let (mut stage, _) = watching(size);
        stage.keys("t").lose("the target closed the connection", Duration::from_secs(8));
        stage.pass(Duration::from_secs(3));
        stage
    });
    pictures("loading", |size| {
        let (mut stage, _) = watching(size);
        stage.hear([Event::Progress { received: 37_000_000, total: 100_000_000 }]);
        stage
    });
}

#[test]
fn lossy() {
    pictures("lossy", |size| {
        let (mut stage, mut service) = watching(size);
        let mut update = service.pass(700).publish();
        update.dropped.tasks = 1_200;
        stage.updates([update]).keys("t");
        stage
    });
    pictures("behind", |size| {
        let (mut stage, mut service) = watching(size);
        let mut update = service.pass(700).publish();
        update.late = Duration::from_millis(12_345);
        stage.updates([update]).keys("t");
        stage
    });
}

/// Names from the wire that try the columns: long, wide, combining, empty, and full of control characters.
fn odd_names() -> Service {
    let mut service = Service::new();
    let long = "a-name-that-nobody-would-give-".repeat(40);
    let names = [
        long.as_str(),
        "接続ハンドラ",
        "naïve café",
        "مرحبا",
        "a\u{301}b\u{200b}c\u{202e}d",
        "\u{1b}[31mred\u{7}\n",
        "",
    ];
    for name in names {
        let fields = [("path", Value::Text(format!("/srv/{name}")))];
        let task = service.spawn_with(name, &format!("src/{name}/main.rs:12"), &fields);
        service.start(task).pass(1);
    }
    service
}

#[test]
fn odd_names_keep_the_columns() {
    pictures("odd_names", |size| {
        let mut stage = attached(size, odd_names(), options()).0;
        stage.keys("t");
        stage
    });
    pictures("odd_names_findings", |size| attached(size, odd_names(), options()).0);
    pictures("odd_names_ascii", |size| {
        let plain = Options { charset: Charset::Ascii, ..options() };
        let mut stage = attached(size, odd_names(), plain).0;
        stage.keys("t");
        stage
    });
}

#[test]
fn ascii_without_colours() {
    let plain = || Options { charset: Charset::Ascii, palette: Palette::Off, ..options() };
    for (name, keys) in [("workers", "W"), ("worker_page", "f o"), ("findings_agent", "")] {
        pictures(&format!("ascii_{name}"), |size| {
            let mut stage = stalled(size, plain()).0;
            stage.keys(keys);
            assert!(stage.text().is_ascii(), "{}", stage.text());
            stage
        });
    }
    for (name, keys) in [("findings", ""), ("tasks", "t"), ("help", "?"), ("places", "t z"), ("frozen", "space")] {
        pictures(&format!("ascii_{name}"), |size| {
            let mut stage = attached(size, troubled(), plain()).0;
            stage.keys(keys);
            assert!(stage.text().is_ascii(), "{}", stage.text());
            stage
        });
    }
}

#[test]
fn colours() {
    for (name, palette) in [("off", Palette::Off), ("16", Palette::Sixteen), ("256", Palette::Indexed)] {
        for (screen, keys) in [("findings", ""), ("tasks", "t")] {
            let mut stage = attached((80, 24), troubled(), Options { palette, ..options() }).0;
            stage.keys(keys);
            assert_snapshot!(format!("colours_{name}_{screen}"), format!("{}\n\n{}", stage.text(), stage.styles()));
        }
    }
}

#[test]
fn too_small() {
    let mut stage = Stage::new(39, 9, options());
    stage.pass(Duration::from_millis(5));
    assert_snapshot!("too_small", stage.text());
}
