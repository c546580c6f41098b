//! The command line as it is shipped: what it prints, and what it refuses. Help, sample configuration and completions are
//! snapshots, so that they cannot drift.
#![cfg(feature = "demo")]

mod process;

use process::{Ended, holdup, run};

/// The snapshot's text, with what depends on the machine taken out.
fn printed(args: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let Ended { code, stdout, stderr } = holdup(home.path()).args(args).output().unwrap().into();
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{args:?}");
    stdout.replace(home.path().to_str().unwrap(), "~")
}

fn refused(args: &[&str]) -> String {
    let Ended { code, stdout, stderr } = run(args);
    assert_eq!((code, stdout.as_str()), (Some(2), ""), "{args:?}: {stderr}");
    stderr
}

#[test]
fn help() {
    insta::assert_snapshot!("help", printed(&["-h"]));
    insta::assert_snapshot!("help_check", printed(&["check", "-h"]));
    insta::assert_snapshot!("help_diff", printed(&["diff", "-h"]));
    insta::assert_snapshot!("help_demo", printed(&["demo", "-h"]));
    insta::assert_snapshot!("help_replay", printed(&["replay", "-h"]));
    insta::assert_snapshot!("help_explain", printed(&["explain", "-h"]));
    insta::assert_snapshot!("help_long", printed(&["--help"]));
}

#[test]
fn configuration() {
    insta::assert_snapshot!("gen_config", printed(&["gen-config"]));
    let changed = [
        "-A",
        "deadlock",
        "gen-config",
        "unix:///run/a.sock",
        "--set",
        "never-yields.warning=250ms",
        "--retain-for",
        "none",
        "--no-catch-up",
        "--no-colors",
        "--ascii-only",
    ];
    insta::assert_snapshot!("gen_config_changed", printed(&changed));
}

#[test]
fn a_generated_configuration_generates_itself() {
    let home = tempfile::tempdir().unwrap();
    let generate = |args: &[&str]| {
        let ended = Ended::from(holdup(home.path()).args(args).output().unwrap());
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        ended.stdout
    };
    let changed = generate(&[
        "gen-config",
        "http://[::1]:7",
        "-A",
        "all",
        "-W",
        "deadlock",
        "--max-memory",
        "64MiB",
        "--max-message",
        "3KiB",
        "--palette",
        "8",
    ]);
    let file = home.path().join("chosen.toml");
    std::fs::write(&file, &changed).unwrap();
    assert_eq!(generate(&["gen-config", "--config", file.to_str().unwrap()]), changed);
    assert_ne!(generate(&["gen-config"]), changed);
}

#[test]
fn completions() {
    insta::assert_snapshot!("completions_bash", printed(&["gen-completion", "bash"]));
    insta::assert_snapshot!("completions_fish", printed(&["gen-completion", "fish"]));
    for shell in ["zsh", "elvish", "powershell"] {
        assert!(printed(&["gen-completion", shell]).contains("never-yields"), "{shell}");
    }
}

#[test]
fn explanations() {
    insta::assert_snapshot!("explain", printed(&["explain"]));
    insta::assert_snapshot!("explain_never_yields", printed(&["explain", "never-yields"]));
    assert_eq!(printed(&["explain", "never-yielded"]), printed(&["explain", "never-yields"]), "tokio-console's name");
    let unknown = refused(&["explain", "nope"]);
    assert!(unknown.contains("held-across-await"), "all that there are: {unknown}");
}

#[test]
fn the_later_word_weighs_more_and_the_nearer_file() {
    let home = tempfile::tempdir().unwrap();
    let user = home.path().join("config/holdup");
    std::fs::create_dir_all(&user).unwrap();
    std::fs::write(
        user.join("holdup.toml"),
        "target = 'user'\nretain-for = '1s'\nmax-message = '1MiB'\n[log]\nfilter = 'info'",
    )
    .unwrap();
    let all = |args: &[&str], rust_log: Option<&str>| {
        let mut command = holdup(home.path());
        command.args(args).arg("gen-config");
        if let Some(filter) = rust_log {
            command.env("RUST_LOG", filter);
        }
        Ended::from(command.output().unwrap()).stdout
    };
    let has = |text: &str, lines: &[&str]| {
        for line in lines {
            assert!(text.lines().any(|have| have == *line), "no {line} in\n{text}");
        }
    };
    has(
        &all(&[], None),
        &["target = \"http://user:6669\"", "retain-for = \"1s\"", "max-message = \"1MiB\"", "filter = \"info\""],
    );
    std::fs::write(home.path().join("holdup.toml"), "target = 'local'\nretain-for = '2s'").unwrap();
    has(&all(&[], None), &["target = \"http://local:6669\"", "retain-for = \"2s\"", "max-message = \"1MiB\""]);
    has(&all(&[], Some("debug")), &["filter = \"debug\""]);
    has(
        &all(&["--log", "warn", "flag", "--retain-for", "3s"], Some("debug")),
        &["target = \"http://flag:6669\"", "retain-for = \"3s\"", "filter = \"warn\""],
    );
}

#[test]
fn what_is_wrong_is_said_and_never_exits_with_0() {
    let table: [(&[&str], &str); 20] = [
        (&["https://localhost:x"], "is not a port"),
        (&["check", "--token-file", "/nonexistent/token", "127.0.0.1:1"], "cannot read /nonexistent/token"),
        (&["check", "--cert", "/nonexistent/cert", "127.0.0.1:1"], "--key"),
        (&["check", "--for", "soon"], "--for"),
        (&["check", "--for", "-1s"], "write a duration such as 30s"),
        (&["record", "--connect-timeout", "-1s"], "write a duration such as 30s"),
        (&["http://me:secret@localhost:6669"], "give the token by --token-file"),
        (&["check", "127.0.0.1:1", "--layout", "/nonexistent/layout"], "/nonexistent/layout, which --layout names"),
        (&["check", "127.0.0.1:1", "--debug", "/dev/null"], "/dev/null, which --debug names: it is no file"),
        (&["check", "-W", "nope"], "possible values: deadlock"),
        (&["check", "--set", "deadlock.lasts=soon"], "a duration such as"),
        (&["check", "--fail-on", "disaster"], "note, warning, critical, never"),
        (&["check", "--max-message", "0"], "greater than zero"),
        (&["check", "--max-memory", "512"], "such as 512MiB"),
        (&["check", "--log", "=[", "127.0.0.1:1"], "the log filter"),
        (&["--palette", "mauve"], "auto, off, 8, 16, 256, all"),
        (&["--palette", "8", "--no-colors"], "cannot be used with"),
        (&["--config", "/nonexistent.toml"], "/nonexistent.toml"),
        (&["demo", "--scenario", "nope"], "lock-across-await"),
        (&["demo", "--workers", "0"], "1..=256"),
    ];
    for (args, said) in table {
        let error = refused(args);
        assert!(error.contains(said), "{args:?}: {error}");
    }
}

/// Before anything is read, of which this process has nothing.
#[test]
fn what_is_there_is_not_written_over_and_that_is_said_at_once() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("there");
    std::fs::write(&file, "something").unwrap();
    for args in [["grab", "4294967", "-o", "there"], ["layout", "/nonexistent/orders", "-o", "there"]] {
        let ended = Ended::from(holdup(home.path()).args(args).output().unwrap());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{args:?}");
        let said = "there is there already, and is not written over; choose another name with -o";
        assert!(ended.stderr.contains(said), "{args:?}: {}", ended.stderr);
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "something");
}

#[cfg(target_os = "linux")]
#[test]
fn an_error_that_nobody_can_be_told_has_its_exit_code() {
    let home = tempfile::tempdir().unwrap();
    let table: [(&[&str], i32); 2] =
        [(&["info", "none.holdup"], 2), (&["check", "127.0.0.1:1", "--connect-timeout", "100ms"], 3)];
    for (args, code) in table {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let ended = holdup(home.path()).args(args).stderr(full).status().unwrap();
        assert_eq!(ended.code(), Some(code), "{args:?}");
    }
}

#[test]
fn a_configuration_file_that_is_wrong_is_named() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("holdup.toml"), "[lints.never-yields]\nwarnign = '1s'").unwrap();
    for args in [&["check", "127.0.0.1:1"][..], &["gen-config"]] {
        let ended = Ended::from(holdup(home.path()).args(args).output().unwrap());
        assert_eq!(ended.code, Some(2));
        for part in ["holdup.toml", "lints.never-yields.warnign", "warning, critical"] {
            assert!(ended.stderr.contains(part), "no {part:?} in {}", ended.stderr);
        }
    }
}

#[test]
fn without_a_terminal_the_live_view_says_what_needs_none() {
    assert!(refused(&[]).contains("holdup check http://127.0.0.1:6669"));
    assert!(refused(&["demo"]).contains("holdup check"));
    assert!(printed(&["demo", "--list"]).contains("deadlock"));
}

#[test]
fn a_target_before_the_subcommand_is_the_same_target() {
    for args in
        [["check", "127.0.0.1:1", "--connect-timeout=100ms"], ["127.0.0.1:1", "check", "--connect-timeout=100ms"]]
    {
        let ended = run(&args);
        assert_eq!(ended.code, Some(3), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("http://127.0.0.1:1 "), "{}", ended.stderr);
    }
}
