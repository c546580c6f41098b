//! The rules in `deploy/`, by Prometheus' own tools, which these tests need (Debian's package `prometheus` has them): `.ci/outside` installs them where
//! they are not there, and runs this.

use super::{Export, PATIENCE, prometheus::Prometheus, with_agent};
use holdup::diagnose::{LINTS, Severity};
use serde_json::Value;
use std::{
    fmt::Write as _,
    fs,
    process::Command,
    time::{Duration, Instant},
};

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/prometheus/holdup.rules.yml");

/// The rules' names.
const ALERTS: [&str; 5] =
    ["HoldupCritical", "HoldupWarning", "HoldupTargetLost", "HoldupTargetBlind", "HoldupIncomplete"];

/// A target, as all series here have it.
const WHO: &str = r#"job="holdup",instance="export:9670",target="http://orders:6669""#;

/// Lints of which another rule speaks than that of warnings.
const ELSEWHERE: [&str; 4] = ["blind-target", "lagging-target", "lost-events", "tells-nothing"];

/// A test of rules, as promtool takes it.
#[derive(Default)]
struct Script(String);

impl Script {
    /// Begins one, of series by name and labels and values, four a minute.
    fn case(&mut self, series: &[(&str, &str)]) -> &mut Self {
        self.0.push_str("  - interval: 15s\n    input_series:\n");
        for (series, values) in series {
            let _ = writeln!(self.0, "      - series: '{series}'\n        values: '{values}'");
        }
        self.0.push_str("    alert_rule_test:\n");
        self
    }

    /// At that time the rule alerts with these labels and annotations, or, without any, does not.
    fn then(&mut self, at: &str, alert: &str, told: Option<(&str, &str)>) -> &mut Self {
        let _ = writeln!(self.0, "      - eval_time: {at}\n        alertname: {alert}");
        if let Some((labels, annotations)) = told {
            let _ = writeln!(self.0, "        exp_alerts:\n          - exp_labels: {{{labels}}}");
            let _ = writeln!(self.0, "            exp_annotations: {{{annotations}}}");
        }
        self
    }

    /// At that time no rule alerts.
    fn quiet(&mut self, at: &str) -> &mut Self {
        for alert in ALERTS {
            self.then(at, alert, None);
        }
        self
    }

    /// What promtool makes of it.
    fn run(&self) -> (bool, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rules.test.yml");
        let text = format!("rule_files: ['{RULES}']\nevaluation_interval: 15s\ntests:\n{}", self.0);
        fs::write(&path, &text).unwrap();
        let ended =
            Command::new("promtool").args(["test", "rules"]).arg(&path).output().expect("promtool is installed");
        let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        (ended.status.success(), said)
    }
}

/// What an alert on a lint says.
fn told(lint: &str, severity: &str, more: &str) -> (String, String) {
    let labels = format!(
        "job: holdup, instance: 'export:9670', target: 'http://orders:6669', lint: {lint}, severity: {severity}"
    );
    let annotations = format!(
        "summary: '{lint} in http://orders:6669{more}', look: 'holdup http://orders:6669', explain: 'holdup explain {lint}'"
    );
    (labels, annotations)
}

fn gauge(lint: &str, severity: &str) -> String {
    format!(r#"holdup_findings{{{WHO},lint="{lint}",severity="{severity}"}}"#)
}

fn begun(lint: &str) -> String {
    format!(r#"holdup_findings_begun_total{{{WHO},lint="{lint}",severity="critical"}}"#)
}

#[test]
#[ignore = "needs promtool, which .ci/outside installs"]
fn every_lint_goes_through_the_rules_and_quiet_alerts_nobody() {
    let mut script = Script::default();
    for lint in LINTS {
        let (critical, warning) = (gauge(lint.name, "critical"), gauge(lint.name, "warning"));
        if lint.severities.contains(&Severity::Critical) {
            let (labels, annotations) = told(lint.name, "critical", "");
            script.case(&[(&critical, "0 0 1 1 1 1")]);
            script.then("15s", "HoldupCritical", None);
            script.then("30s", "HoldupCritical", Some((&labels, &annotations)));
        }
        if lint.severities.contains(&Severity::Warning) && !ELSEWHERE.contains(&lint.name) {
            let (labels, annotations) = told(lint.name, "warning", " for two minutes");
            script.case(&[(&warning, "0 1x20")]);
            script.then("1m45s", "HoldupWarning", None);
            script.then("2m15s", "HoldupWarning", Some((&labels, &annotations)));
        }
    }
    let counter = begun("deadlock");
    let (labels, annotations) = told("deadlock", "critical", "");
    let deadlock = Some((labels.as_str(), annotations.as_str()));
    // Three seconds between two scrapes of fifteen: the gauge never shows it, and it is kept for five minutes.
    let never = gauge("deadlock", "critical");
    script.case(&[(&never, "0x60"), (&counter, "0 0 1x58")]);
    script.then("15s", "HoldupCritical", None).then("45s", "HoldupCritical", deadlock);
    script.then("5m", "HoldupCritical", deadlock).then("10m", "HoldupCritical", None);
    // A restart: what was counted begins anew, and nothing has happened.
    script.case(&[(&never, "0x40"), (&counter, "7x10 0x30")]).quiet("3m").quiet("9m");
    // A target that is not heard any more, and then is again.
    let up = format!("holdup_target_up{{{WHO}}}");
    let labels = "job: holdup, instance: 'export:9670', target: 'http://orders:6669', severity: warning";
    let annotations = "summary: 'http://orders:6669 is not heard', look: 'holdup http://orders:6669'";
    script.case(&[(&up, "1 1 0x8 1x60")]);
    script.then("1m15s", "HoldupTargetLost", None);
    script.then("1m45s", "HoldupTargetLost", Some((labels, annotations)));
    script.then("12m", "HoldupTargetLost", None);
    // One that lags, and one that loses events.
    let annotations =
        "summary: 'http://orders:6669 tells too little, or too late, to be judged', look: 'holdup http://orders:6669'";
    script.case(&[(&format!("holdup_target_lag_seconds{{{WHO}}}"), "0 30x20")]);
    script.then("1m", "HoldupTargetBlind", None).then("2m30s", "HoldupTargetBlind", Some((labels, annotations)));
    let labels = "job: holdup, instance: 'export:9670', target: 'http://orders:6669', severity: info";
    let annotations = "summary: 'not all of http://orders:6669 is told', look: 'holdup http://orders:6669'";
    script.case(&[(&format!(r#"holdup_lost_events_total{{{WHO},kind="spans"}}"#), "4 4 9x20")]);
    script.then("15s", "HoldupIncomplete", None).then("45s", "HoldupIncomplete", Some((labels, annotations)));
    // An hour of quiet, with everything at 0.
    let zeros: Vec<String> = LINTS
        .iter()
        .flat_map(|lint| lint.severities.iter().map(|severity| gauge(lint.name, severity.name())))
        .chain(LINTS.iter().map(|lint| begun(lint.name)))
        .collect();
    let mut all: Vec<(&str, &str)> = zeros.iter().map(|series| (series.as_str(), "0x240")).collect();
    all.push((&up, "1x240"));
    script.case(&all).quiet("1m").quiet("30m").quiet("1h");

    let (passed, said) = script.run();
    assert!(passed, "{said}");

    let mut wrong = Script::default();
    wrong.case(&[(&never, "1x10")]).quiet("1m");
    assert!(!wrong.run().0, "a deadlock that alerts nobody must be noticed");
}

/// The alerts that fire, by name and lint; `None` while nobody answers.
fn firing(prometheus: &Prometheus) -> Option<Vec<(String, String)>> {
    let told = prometheus.asked("alerts", &[])?;
    let label = |alert: &Value, name: &str| alert["labels"][name].as_str().unwrap_or_default().to_owned();
    let alerts = told["data"]["alerts"].as_array()?.iter().filter(|alert| alert["state"] == "firing");
    Some(alerts.map(|alert| (label(alert, "alertname"), label(alert, "lint"))).collect())
}

#[test]
#[ignore = "needs Prometheus, which .ci/outside installs"]
fn a_real_prometheus_alerts_on_the_demo() {
    let service = with_agent("deadlock");
    let nowhere = "127.0.0.1:1";
    let export = Export::start(&[&service.target, nowhere]);
    let prometheus = Prometheus::start(&[("holdup", export.address)], &[RULES]);
    let begun = Instant::now();
    loop {
        let firing = firing(&prometheus).unwrap_or_default();
        // Of the target that is not there nobody is told before a minute is over.
        let wanted = ("HoldupCritical".to_owned(), "deadlock".to_owned());
        if firing.contains(&wanted) {
            assert_eq!(firing, [wanted]);
            return;
        }
        assert!(begun.elapsed() < PATIENCE + PATIENCE, "{firing:?}");
        std::thread::sleep(Duration::from_millis(500));
    }
}
