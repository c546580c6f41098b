//! The dashboard in `deploy/`: each of its queries, run by a Prometheus that scrapes the demo, by an export and by its agent's own listener.

use super::{
    Export, PATIENCE,
    prometheus::Prometheus,
    running::{Server, with_metrics},
};
use serde_json::Value;
use std::{
    fmt::Write as _,
    fs,
    time::{Duration, Instant, SystemTime},
};

const DASHBOARD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/grafana/holdup.dashboard.json");

/// What the demo's services of this test have: something for each panel.
const TROUBLES: &str = "deadlock,lock-across-await,lock-convoy,blocking-sleep,blocking-pool-full,starved,panics";

/// What every series is selected by.
const SELECTED: &str = r#"job=~"$job", instance=~"$instance", target=~"$target""#;

/// Whose series the dashboard is made to show, by the name of the job.
const EXPORT: &str = "export";
const AGENT: &str = "agent";
const EVERYBODY: &str = ".*";

/// What only the agent's own listener tells, and what only an export can.
const OF_AGENT: [&str; 3] =
    ["holdup_poll_duration_seconds", "holdup_schedule_delay_seconds", "holdup_lock_wait_seconds_total"];
const OF_EXPORT: &str = "holdup_target_";

/// Of findings that go on none begins, and an agent has two lints.
const BY_CHANCE: &str = "holdup_findings_begun_total";

/// A query of a panel.
#[derive(Debug)]
struct Query {
    panel: String,
    expr: String,
    over: Over,
}

/// What a panel asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    Now,
    Time,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text: {value}")).to_owned()
}

fn queries() -> Vec<Query> {
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(DASHBOARD).unwrap()).unwrap();
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let over = if target["instant"] == true { Over::Now } else { Over::Time };
            assert_ne!(target["instant"], target["range"], "one of them: {target}");
            queries.push(Query { panel: text(&panel["title"]), expr: text(&target["expr"]), over });
        }
    }
    queries
}

impl Query {
    /// The expression as Grafana would send it, of one job.
    fn of_job(&self, job: &str) -> String {
        let values =
            [("$job", job), ("$instance", ".*"), ("$target", ".*"), ("$__rate_interval", "10s"), ("$__range", "1m")];
        let expr = values.into_iter().fold(self.expr.clone(), |expr, (name, value)| expr.replace(name, value));
        // What a regular expression has matched is Prometheus' own to put in.
        assert!(!expr.replace("\"$1\"", "").contains('$'), "a variable that nobody knows: {expr}");
        expr
    }

    /// Each series with its labels and the latest value that is a number, the largest first; `None` while nobody answers.
    fn run(&self, prometheus: &Prometheus, job: &str) -> Option<Vec<(String, f64)>> {
        let expr = self.of_job(job);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let [start, end] = [now - 30, now].map(|time| time.to_string());
        let answer = match self.over {
            Over::Now => prometheus.asked("query", &[("query", &expr)]),
            Over::Time => {
                let arguments = [("query", expr.as_str()), ("start", &start), ("end", &end), ("step", "1")];
                prometheus.asked("query_range", &arguments)
            }
        }?;
        assert_eq!(answer["status"], "success", "{expr}: {answer}");
        let number = |sample: &Value| sample[1].as_str()?.parse().ok().filter(|number: &f64| number.is_finite());
        let latest = |series: &Value| match self.over {
            Over::Now => number(&series["value"]),
            Over::Time => series["values"].as_array()?.iter().rev().find_map(number),
        };
        let series = answer["data"]["result"].as_array().unwrap();
        let mut told: Vec<(String, f64)> =
            series.iter().filter_map(|series| Some((series["metric"].to_string(), latest(series)?))).collect();
        told.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        Some(told)
    }

    /// Whether this job is to tell something of it.
    fn is_told_by(&self, job: &str) -> bool {
        match job {
            EXPORT => !OF_AGENT.iter().any(|name| self.expr.contains(name)),
            AGENT => !self.expr.contains(OF_EXPORT) && !self.expr.contains(BY_CHANCE),
            _ => true,
        }
    }

    /// Whether its panel has something to show: findings where it counts them, the one target of three that is not there, and otherwise any number.
    fn shows_troubles(&self, series: &[(String, f64)]) -> bool {
        let largest = series.first().map(|(_, value)| *value);
        match self.panel.as_str() {
            "Open findings" => largest >= Some(1.0),
            _ if self.expr.contains("1 - holdup_target_up") => largest == Some(1.0),
            _ => largest.is_some(),
        }
    }

    /// As it stands in a table: its selection is that of all queries.
    fn in_short(&self) -> String {
        self.expr.replace(SELECTED, "…").replace('|', "\\|")
    }
}

/// The largest of several series, as it stands in a table.
fn shown(series: &[(String, f64)]) -> String {
    let Some((labels, value)) = series.first() else { return "–".to_owned() };
    let labels = labels.replace(['"', '{', '}'], "").replace(',', ", ");
    let value = format!("{value:.3}");
    let value = value.trim_end_matches('0').trim_end_matches('.');
    match (series.len(), labels.as_str()) {
        (1, "") => value.to_owned(),
        (1, _) => format!("{value} ({labels})"),
        (count, _) => format!("{value} ({labels}), the largest of {count}"),
    }
}

/// Runs until it holds, and says what it came to.
fn until<T>(what: &str, mut holds: impl FnMut() -> Result<T, String>) -> T {
    let begun = Instant::now();
    loop {
        match holds() {
            Ok(came) => return came,
            Err(missing) => assert!(begun.elapsed() < PATIENCE + PATIENCE, "never: {what}: {missing}"),
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
#[ignore = "needs Prometheus, which .ci/outside installs"]
fn every_panel_shows_the_troubles_of_the_demo() {
    let (service, metrics) = with_metrics(TROUBLES);
    // Of a stock service alone it is known how late it is.
    let stock = Server::start("lock-across-await");
    let export = Export::start(&[&service.target, &stock.target, "127.0.0.1:1"]);
    let prometheus = Prometheus::start(&[(EXPORT, export.address), (AGENT, metrics)], &[]);
    let queries = queries();
    assert!(queries.len() > 12 && queries.iter().all(|query| query.expr.contains(SELECTED)), "{queries:#?}");
    let told = until("each panel shows the troubles", || {
        let of_all = queries.iter().map(|query| {
            let [all, export, agent] =
                [EVERYBODY, EXPORT, AGENT].map(|job| query.run(&prometheus, job).unwrap_or_default());
            for (job, series) in [(EVERYBODY, &all), (EXPORT, &export), (AGENT, &agent)] {
                if query.is_told_by(job) && !query.shows_troubles(series) {
                    return Err(format!("{query:?} of the job {job}: {series:?}"));
                }
            }
            Ok((query, export, agent))
        });
        of_all.collect::<Result<Vec<_>, String>>()
    });
    let mut table = "| panel | query | through the export | by the agent itself |\n|---|---|---|---|\n".to_owned();
    for (query, export, agent) in &told {
        let _ = writeln!(table, "| {} | `{}` | {} | {} |", query.panel, query.in_short(), shown(export), shown(agent));
    }
    println!("{table}");
}

#[test]
#[ignore = "needs Prometheus, which .ci/outside installs"]
fn every_query_runs_where_there_is_no_trouble_and_where_there_is_nobody() {
    let (service, metrics) = with_metrics("healthy");
    let export = Export::start(&[&service.target]);
    let prometheus = Prometheus::start(&[(EXPORT, export.address), (AGENT, metrics)], &[]);
    let queries = queries();
    let quiet = |job: &str| -> Option<f64> {
        let open = queries.iter().find(|query| query.panel == "Open findings")?;
        Some(open.run(&prometheus, job)?.first()?.1)
    };
    until("both tell of no critical finding", || {
        let open = [EXPORT, AGENT].map(quiet);
        if open == [Some(0.0); 2] { Ok(()) } else { Err(format!("{open:?}")) }
    });
    for query in &queries {
        for job in [EVERYBODY, EXPORT, AGENT] {
            assert!(query.run(&prometheus, job).is_some(), "{query:?} is not answered");
        }
        assert_eq!(query.run(&prometheus, "nobody"), Some(Vec::new()), "{query:?}");
    }
}
