#![allow(clippy::float_cmp, reason = "counts are exact in a float, and what is told is what was given")]

use super::*;
use crate::{Format, LOCATIONS, OTHER, RUNTIMES, SERIES, Target, WORKERS};

fn page(fill: impl FnOnce(&mut Sheet<'_>)) -> Page {
    let mut ledger = Ledger::default();
    filled(&mut ledger, fill)
}

fn filled(ledger: &mut Ledger, fill: impl FnOnce(&mut Sheet<'_>)) -> Page {
    let mut sheet = ledger.sheet();
    fill(&mut sheet);
    sheet.finish()
}

fn text(format: Format, page: &Page) -> String {
    let labels = vec![("target".to_owned(), "a\"b".to_owned())];
    format.write(vec![Target { labels, page: page.clone() }])
}

#[test]
fn doublings_fall_under_the_bounds() {
    let mut doublings = Doublings::default();
    // Up to 2^6 µs; to 2^8; to 2^22; above.
    for doubling in [0, 6, 7, 8, 22, 23, 31] {
        doublings.counts[doubling] = 1;
    }
    assert_eq!(doublings.by_bounds(), [2, 2, 0, 0, 0, 0, 0, 0, 1, 2]);
}

#[test]
fn what_has_the_same_labels_is_told_together() {
    let page = page(|sheet| {
        for (worker, seconds) in [("0", 1.0), ("0", 3.0), ("1", 2.0)] {
            sheet.set(Metric::CurrentPoll, &["main", worker], seconds);
            sheet.set(Metric::LocalQueueDepth, &["main", worker], seconds);
        }
        sheet.set(Metric::LocalQueueDepth, &["main", "2"], f64::NAN);
        sheet.set(Metric::LocalQueueDepth, &["main"], 7.0);
        sheet.set(Metric::PollDuration, &["main"], 7.0);
    });
    assert_eq!(page.value(Metric::CurrentPoll, &["main", "0"]), Some(3.0));
    assert_eq!(page.value(Metric::LocalQueueDepth, &["main", "0"]), Some(4.0));
    assert_eq!(page.sum(Metric::LocalQueueDepth), 6.0);
    assert_eq!(page.sum(Metric::PollDuration), 0.0);
}

#[test]
fn a_hundred_thousand_locations_have_two_hundred_series_and_one_and_their_sum_is_right() {
    let mut ledger = Ledger::default();
    for scrape in 1..=3_u32 {
        let page = filled(&mut ledger, |sheet| {
            for place in 0..100_000 {
                // Those that come first are not those that came first before.
                let place = (place + scrape * 7) % 100_000;
                let place = format!("src/made.rs:{place}");
                sheet.set(Metric::Tasks, &[&place, "idle"], 1.0);
                sheet.set(Metric::TaskPolls, &[&place], f64::from(scrape));
            }
        });
        assert_eq!(
            (page.of(Metric::Tasks).count(), page.of(Metric::TaskPolls).count()),
            (LOCATIONS + 1, LOCATIONS + 1)
        );
        assert_eq!(page.sum(Metric::Tasks), 100_000.0);
        assert_eq!(page.sum(Metric::TaskPolls), 100_000.0 * f64::from(scrape));
        assert_eq!(page.value(Metric::Tasks, &["src/made.rs:7", "idle"]), Some(1.0), "who is in stays in");
        assert!(page.value(Metric::FoldedSeries, &["location"]).is_some_and(|folded| folded >= 4_096.0));
        assert_eq!(page.value(Metric::FoldedSeries, &["runtime"]), Some(0.0));
    }
}

#[test]
fn however_much_there_is_a_page_is_bounded() {
    let mut ledger = Ledger::default();
    let states = ["running", "scheduled", "idle", "ended"];
    let page = filled(&mut ledger, |sheet| {
        for family in crate::TABLE {
            for number in 0..600_u32 {
                let severity = ["critical", "warning"][number as usize % 2];
                let words: Vec<String> = family
                    .labels
                    .iter()
                    .map(|label| match label {
                        Label::State => states[number as usize % 4].to_owned(),
                        Label::Severity => severity.to_owned(),
                        // Of each location, there is one in each state.
                        Label::Location if family.labels.contains(&Label::State) => format!("{}", number / 4),
                        Label::Runtime if family.labels.contains(&Label::Worker) => format!("{}", number % 100),
                        _ => format!("{number}"),
                    })
                    .collect();
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                match family.kind {
                    Type::Histogram => sheet.durations(family.metric, &words, &Doublings::default()),
                    _ => sheet.set(family.metric, &words, 1.0),
                }
            }
        }
    });
    // Of what a target is there is one line, and of each lint as many as it has severities.
    let more = page.of(Metric::TargetInfo).count() + page.of(Metric::BuildInfo).count() - 2;
    assert!(page.lines() - more <= SERIES, "{} lines", page.lines());
    assert_eq!(page.of(Metric::Workers).count(), RUNTIMES + 1);
    let workers = page.of(Metric::WorkerBusy).filter(|(labels, _)| &*labels[1] != OTHER).count();
    assert!(workers <= WORKERS, "{workers}");
    assert_eq!(page.sum(Metric::LockAcquisitions), 600.0);
}

#[test]
fn counters_never_fall_also_when_what_they_counted_is_gone() {
    let mut ledger = Ledger::default();
    let count = |ledger: &mut Ledger, told: &[(u64, f64)], polls: f64| {
        let page = filled(ledger, |sheet| {
            for (runtime, count) in told {
                sheet.count_of(Metric::SpawnedTasks, &["main"], *runtime, *count);
            }
            sheet.set(Metric::TaskPolls, &["a.rs:1"], polls);
        });
        (page.value(Metric::SpawnedTasks, &["main"]), page.value(Metric::TaskPolls, &["a.rs:1"]))
    };
    assert_eq!(count(&mut ledger, &[(1, 10.0)], 5.0), (Some(10.0), Some(5.0)));
    assert_eq!(count(&mut ledger, &[(1, 12.0), (2, 1.0)], 4.0), (Some(13.0), Some(5.0)));
    assert_eq!(count(&mut ledger, &[(2, 3.0)], 6.0), (Some(15.0), Some(6.0)));
    assert_eq!(count(&mut ledger, &[(1, 13.0), (2, 3.0)], 6.0), (Some(16.0), Some(6.0)), "it was met again");
    assert_eq!(count(&mut ledger, &[], 6.0).0, Some(16.0));
}

#[test]
fn sources_that_are_gone_count_on_and_are_bounded() {
    let mut ledger = Ledger::default();
    for scrape in 0..20_u64 {
        let page = filled(&mut ledger, |sheet| {
            for source in scrape * 1_000..(scrape + 1) * 1_000 {
                sheet.count_of(Metric::SpawnedTasks, &["main"], source, 2.0);
            }
        });
        assert_eq!(page.sum(Metric::SpawnedTasks), 2_000.0 * (scrape + 1) as f64);
    }
}

#[test]
fn what_others_chose_is_cut_and_escaped_in_either_format() {
    let hostile = format!("x\"}} 1\n# EOF\n\\{}\u{1b}[2J", "é".repeat(100));
    let page = page(|sheet| {
        sheet.set(Metric::TargetInfo, &[&hostile, "agent", ""], 1.0);
        sheet.set(Metric::Workers, &[&hostile], 4.0);
    });
    for format in [Format::OpenMetrics, Format::Text] {
        let text = text(format, &page);
        let (line, value) =
            text.lines().find(|line| line.starts_with("tokio_workers{")).unwrap().rsplit_once(' ').unwrap();
        assert_eq!(value.parse(), Ok(4.0));
        let expected = format!("x\\\"}} 1\u{fffd}# EOF\u{fffd}\\\\{}", "é".repeat(55));
        let runtime =
            line.strip_prefix("tokio_workers{target=\"a\\\"b\",runtime=\"").unwrap().strip_suffix("\"}").unwrap();
        assert_eq!(runtime, expected, "{text}");
        assert_eq!(text.lines().filter(|line| *line == "# EOF").count(), usize::from(format == Format::OpenMetrics));
    }
}

/// What both formats say of the same, but for how they say what a metric is.
#[test]
fn both_formats_say_the_same() {
    let page = page(|sheet| {
        let mut durations = Doublings { sum: Duration::from_millis(2_500), ..Doublings::default() };
        (durations.counts[3], durations.counts[7], durations.counts[30]) = (1, 2, 4);
        sheet.durations(Metric::PollDuration, &["main"], &durations);
        sheet.set(Metric::WorkerBusy, &["main", "0"], 0.125);
        sheet.set(Metric::TargetUp, &[], 1.0);
        sheet.set(Metric::FindingAge, &["deadlock"], 0.0);
    });
    let samples = |format: Format| {
        let mut samples: Vec<(String, Vec<String>, f64)> = text(format, &page)
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let (name, labels) = series.split_once('{').unwrap_or((series, ""));
                // One writes a bound as 0.000064, the other as 6.4e-05.
                let label = |label: &str| match label.trim_end_matches('"').strip_prefix("le=\"") {
                    Some(bound) => format!("le {:?}", bound.parse::<f64>()),
                    None => label.trim_end_matches('"').to_owned(),
                };
                let mut labels: Vec<String> = labels.trim_end_matches('}').split("\",").map(label).collect();
                labels.sort_unstable();
                (name.to_owned(), labels, value.parse().unwrap())
            })
            .collect();
        samples.sort_by(|one, other| one.partial_cmp(other).unwrap());
        samples
    };
    assert_eq!(samples(Format::OpenMetrics), samples(Format::Text));
    let text = text(Format::Text, &page);
    for line in [
        "# TYPE holdup_poll_duration_seconds histogram",
        "holdup_poll_duration_seconds_count{target=\"a\\\"b\",runtime=\"main\"} 7",
        "holdup_poll_duration_seconds_sum{target=\"a\\\"b\",runtime=\"main\"} 2.5",
        "# TYPE tokio_worker_busy_duration_seconds_total counter",
        "tokio_worker_busy_duration_seconds_total{target=\"a\\\"b\",runtime=\"main\",worker=\"0\"} 0.125",
        "holdup_target_up{target=\"a\\\"b\"} 1.0",
    ] {
        assert!(text.lines().any(|told| told == line), "{line}\n{text}");
    }
}

#[test]
fn openmetrics_says_units_and_has_an_end() {
    let page = page(|sheet| sheet.set(Metric::WorkerBusy, &["main", "0"], 0.125));
    let text = text(Format::OpenMetrics, &page);
    let expected = "# HELP tokio_worker_busy_duration_seconds Time that the worker was not parked.\n\
                    # TYPE tokio_worker_busy_duration_seconds counter\n\
                    # UNIT tokio_worker_busy_duration_seconds seconds\n\
                    tokio_worker_busy_duration_seconds_total{target=\"a\\\"b\",runtime=\"main\",worker=\"0\"} 0.125\n";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.ends_with("\n# EOF\n"), "{text}");
}
