use super::*;
use crate::clock;

#[test]
fn a_page_tells_what_an_agent_can_know_and_nothing_else() {
    use holdup_metrics::{Sources, TABLE};

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtimes::name("of the exporter's test", runtime.handle());
    let stalls = Arc::new(Stalls::default());
    let mut exporter = Exporter::new(&Settings::default(), Process::this(Some("orders")), &stalls);
    let page = exporter.page();
    let tokio = tokio_version().unwrap_or_default();
    assert_eq!(page.value(Metric::TargetInfo, &["orders", "agent", tokio]), Some(1.0));
    assert!(page.sum(Metric::Workers) >= 2.0 && page.value(Metric::FoldedSeries, &["runtime"]).is_some());
    assert_eq!(page.value(Metric::LostEvents, &["unseen"]).map(|count| count >= 0.0), Some(true));
    for family in TABLE.iter().filter(|family| !family.from.has(Sources::AGENT)) {
        assert!(page.sum(family.metric).abs() < f64::EPSILON, "{}", family.name());
    }
}

#[test]
fn whoever_asks_too_often_is_told_the_same_again() {
    let stalls = Arc::new(Stalls::default());
    let mut exporter = Exporter::new(&Settings::default(), Process::this(None), &stalls);
    let first = exporter.page();
    exporter.last = Some((first.clone(), Instant::now(), Duration::from_secs(3600)));
    stalls.begin(crate::stalls::record::Stall::of_worker(0, 0, clock::now()));
    assert_eq!(exporter.page(), first);
    exporter.last = Some((first.clone(), Instant::now(), Duration::ZERO));
    assert_ne!(exporter.page(), first);
}
