//! A comparison that was made up, in both of its forms.

use super::{DIFF_SCHEMA, DiffReport, Named};
use crate::{
    compare::{
        Compared, ComparedFinding, ComparedPlace, Comparison, FindingChange, Joined, Measured, Metric, Side,
        Thresholds, Typical, Verdict,
    },
    diagnose::Severity,
    update::{Knows, Place},
};

fn place(line: u32) -> Place {
    Place { file: "src/orders.rs".into(), line, column: 9 }
}

fn exactly(value: f64) -> Measured {
    between(value, value)
}

fn between(least: f64, most: f64) -> Measured {
    Measured::Enough(Typical { least, most, spread: 0.0, chance: 0.0 })
}

fn metric(metric: Metric, before: Measured, after: Measured, verdict: Verdict) -> Compared {
    Compared { metric, before, after, verdict }
}

fn at(line: u32, joined: Joined, metrics: Vec<Compared>) -> ComparedPlace {
    ComparedPlace { place: place(line), name: String::new(), joined, is_enough: true, metrics }
}

fn finding(change: FindingChange, severity: Severity, was: Option<Severity>, windows: [usize; 2]) -> ComparedFinding {
    ComparedFinding {
        lint: "lock-convoy",
        about: "lock",
        at: "src/orders.rs:12".into(),
        severity,
        was,
        windows,
        change,
        message: "5 tasks wait \u{1b}[2J for it".into(),
    }
}

fn side() -> Side {
    Side {
        windows: 10,
        seconds: 30.0,
        knows: Knows::console(),
        not_looked_for: Vec::new(),
        locations: Vec::new(),
        locks: Vec::new(),
        findings: Vec::new(),
    }
}

fn report(comparison: &Comparison, windows: usize) -> DiffReport {
    let (before, after) = (side(), Side { windows, ..side() });
    let sides = [("monday.holdup", &before), ("http://127.0.0.1:6669", &after)];
    let sides = sides.map(|(target, side)| Named { target, side });
    DiffReport::new(sides, comparison, &Thresholds::default(), |_| true)
}

fn everything() -> Comparison {
    let why = "only holdup's agent tells of it";
    let metrics = vec![
        metric(Metric::Tasks, exactly(3.0), exactly(3.0), Verdict::Same),
        metric(Metric::Polls, exactly(40.0), exactly(48.1), Verdict::Differs),
        metric(Metric::Busy, exactly(0.119), exactly(0.144), Verdict::Worse),
        metric(Metric::PollMedian, between(0.0, 1e-6), between(512e-6, 1024e-6), Verdict::Worse),
        metric(Metric::PollLong, between(4096e-6, 8192e-6), between(2147.0, f64::MAX), Verdict::Worse),
        metric(Metric::WaitMedian, Measured::NotKnown(why), Measured::NotKnown(why), Verdict::NotKnown),
        metric(Metric::WaitLong, Measured::NotKnown(why), exactly(0.1), Verdict::NotKnown),
    ];
    let mut worse = at(41, Joined::Moved(place(30)), metrics);
    worse.name = "charges".into();
    let mut few = at(50, Joined::New, Vec::new());
    few.is_enough = false;
    let mut lock = at(12, Joined::Same, Vec::new());
    lock.name = "Mutex".into();
    lock.metrics = vec![
        metric(Metric::Contended, exactly(0.5), exactly(0.02), Verdict::Better),
        metric(Metric::LongestWait, exactly(0.25), exactly(0.002), Verdict::Better),
    ];
    Comparison {
        locations: vec![worse, at(60, Joined::Gone, Vec::new()), few],
        locks: vec![lock],
        findings: vec![
            finding(FindingChange::New, Severity::Warning, None, [0, 7]),
            finding(FindingChange::Worse, Severity::Critical, Some(Severity::Note), [3, 10]),
            finding(FindingChange::Gone, Severity::Note, Some(Severity::Note), [10, 0]),
            finding(FindingChange::TooLittle, Severity::Note, None, [0, 1]),
        ],
    }
}

#[test]
fn text_is_for_people() {
    insta::assert_snapshot!(report(&everything(), 10).text());
    let nothing = Comparison { locations: Vec::new(), locks: Vec::new(), findings: Vec::new() };
    assert!(report(&nothing, 10).text().ends_with("no change is told\n"));
    assert!(report(&nothing, 4).text().ends_with("nothing is compared: it is too little\n"));
}

#[test]
fn every_part_of_it_is_valid_by_the_schema() {
    let schema: serde_json::Value = serde_json::from_str(DIFF_SCHEMA).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let json: serde_json::Value = serde_json::from_str(&report(&everything(), 10).to_json()).unwrap();
    let wrong: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{json:#}");
    assert_eq!((&json["worse"], &json["told"]), (&true.into(), &6.into()));
    assert_eq!(json["locations"][0]["metrics"][4]["after"]["most"], serde_json::Value::Null, "it has no bound");
    assert_eq!(json["locations"][2]["verdict"], "too-little");
}
