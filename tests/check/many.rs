//! Several targets at the same time, and the formats that other programs read: SARIF against its schema, JUnit by a parser that is not ours.

use super::{json, process::run, running::Server};
use junit_parser::{TestStatus, TestSuites};
use serde_json::Value;
use std::{fs, process::Command};

/// The schema of SARIF 2.1.0, as another crate of this build has it.
fn sarif_schema() -> Value {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&cargo.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").unwrap();
    let manifest = std::path::Path::new(package["manifest_path"].as_str().unwrap());
    let text = fs::read_to_string(manifest.with_file_name("src").join("schema.json")).unwrap();
    let mut schema: Value = serde_json::from_str(&text).unwrap();
    // The pattern for a language is no regular expression as it was published, and nothing here names a language.
    for of in ["run", "toolComponent"] {
        schema["definitions"][of]["properties"]["language"].as_object_mut().unwrap().remove("pattern").unwrap();
    }
    schema
}

/// A log in SARIF that is valid by its schema.
fn sarif(text: &str) -> Value {
    let log: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let validator = jsonschema::validator_for(&sarif_schema()).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{log:#}");
    // The schema is one that says no.
    let mut broken = log.clone();
    broken["runs"][0]["results"] = "none".into();
    assert!(!validator.is_valid(&broken));
    log
}

fn suites(xml: &str) -> TestSuites {
    junit_parser::from_reader(xml.as_bytes()).unwrap_or_else(|error| panic!("{error}: {xml}"))
}

#[test]
fn several_are_watched_at_the_same_time_and_the_worst_is_the_exit_status() {
    let (stuck, calm) = (Server::start("deadlock"), Server::start("healthy"));
    let both = ["check", "--no-memory", &calm.target, &stuck.target, "--for", "4s"];
    let ended = run(&both);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""), "{}", ended.stdout);
    for part in
        [&format!("━━ {}\n", calm.target), &format!("━━ {}\n", stuck.target), "CRITICAL deadlock", "2 targets, 0 of"]
    {
        assert!(ended.stdout.contains(part), "no {part:?} in\n{}", ended.stdout);
    }

    let nowhere = "127.0.0.1:1";
    let ended = run(&[&both[..], &[nowhere, "--connect-timeout", "2s", "--format", "json"]].concat());
    assert_eq!(ended.code, Some(3), "one was not watched, which is worse than what was found");
    assert!(ended.stderr.contains("http://127.0.0.1:1 could not be reached"), "{}", ended.stderr);
    let all: Value = serde_json::from_str(&ended.stdout).unwrap();
    let schema = run(&["check", "--print-schema", "a", "b"]).stdout;
    let validator = jsonschema::draft202012::new(&serde_json::from_str(&schema).unwrap()).unwrap();
    assert!(validator.is_valid(&all), "{all:#}");
    let told: Vec<(&Value, bool)> =
        all["targets"].as_array().unwrap().iter().map(|it| (&it["target"], it["error"].is_null())).collect();
    let nowhere = Value::from("http://127.0.0.1:1");
    let (calm, stuck) = (Value::from(calm.target.as_str()), Value::from(stuck.target.as_str()));
    assert_eq!(told, [(&calm, true), (&stuck, true), (&nowhere, false)]);
    let report = json(&all["targets"][1]["report"].to_string());
    assert_eq!(report["findings"][0]["lint"], "deadlock");
}

#[test]
fn sarif_has_a_rule_for_each_lint_and_the_same_result_tomorrow() {
    let server = Server::start("spin-later-poll,large-future");
    let check = || {
        run(&[
            "check",
            "--no-memory",
            &server.target,
            "127.0.0.1:1",
            "--connect-timeout",
            "2s",
            "--for",
            "4s",
            "--format",
            "sarif",
        ])
    };
    let (first, second) = (check(), check());
    assert_eq!(first.code, Some(3), "{}", first.stderr);
    let (first, second) = (sarif(&first.stdout), sarif(&second.stdout));
    let run = &first["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), holdup::diagnose::LINTS.len());
    let results = run["results"].as_array().unwrap();
    let spin = results.iter().find(|result| result["ruleId"] == "never-yields").unwrap();
    assert_eq!(rules[spin["ruleIndex"].as_u64().unwrap() as usize]["id"], "never-yields");
    assert_eq!(spin["level"], "error");
    let place = &spin["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "demo-server/src/scenarios/spin_later_poll.rs");
    assert!(place["region"]["startLine"].as_u64().unwrap() > 0);
    let prints = |log: &Value| -> Vec<String> {
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        let mut prints: Vec<String> =
            results.iter().map(|result| result["partialFingerprints"]["holdup/v1"].to_string()).collect();
        prints.sort();
        prints.dedup();
        prints
    };
    for lint in ["never-yields", "large-future"] {
        let of = |log: &Value| prints(log).into_iter().filter(|print| print.contains(lint)).collect::<Vec<_>>();
        assert!(!of(&first).is_empty() && of(&first) == of(&second), "{:?} {:?}", of(&first), of(&second));
    }
    let lost = &first["runs"][1];
    assert_eq!(lost["invocations"][0]["executionSuccessful"], false);
    assert!(lost["results"].as_array().unwrap().is_empty());
}

#[test]
fn junit_has_a_case_for_each_lint_and_skips_what_cannot_be_known() {
    let server = Server::start("spin-later-poll,large-future");
    let ended = run(&["check", "--no-memory", &server.target, "--for", "4s", "--format", "junit", "-A", "self-wakes"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
    let suites = suites(&ended.stdout);
    let suite = &suites.suites[0];
    assert_eq!(suite.name, server.target);
    assert_eq!(suite.cases.len(), holdup::diagnose::LINTS.len() - 1, "one is switched off");
    let case = |name: &str| suite.cases.iter().find(|case| case.original_name == name).unwrap();
    match &case("never-yields").status {
        TestStatus::Failure(failure) => {
            assert_eq!(failure.failure_type, "critical");
            assert!(failure.text.contains("CRITICAL never-yields"), "{failure:?}");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(case("deadlock").status, TestStatus::Success));
    let noted = case("large-future");
    assert!(matches!(noted.status, TestStatus::Success), "a note fails nothing by default");
    assert!(noted.system_out.as_ref().is_some_and(|out| out.contains("NOTE large-future")), "{noted:?}");
    match &case("stalled-worker").status {
        TestStatus::Skipped(skipped) => assert!(skipped.message.contains("only holdup's agent"), "{skipped:?}"),
        other => panic!("{other:?}"),
    }

    let ended = run(&["check", "127.0.0.1:1", "--connect-timeout", "300ms", "--format", "junit"]);
    assert_eq!(ended.code, Some(3));
    let suites = super::many::suites(&ended.stdout);
    match &suites.suites[0].cases[..] {
        [case] => {
            assert!(matches!(&case.status, TestStatus::Error(error) if error.message.contains("could not be reached")));
        }
        other => panic!("{other:?}"),
    }
}
