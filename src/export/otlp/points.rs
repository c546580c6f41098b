//! Pages as metrics.

use super::{
    scope,
    whose::{self, number, place, resource, text},
};
use crate::{export::keeping::Tells, record::wall};
use holdup_metrics::{BOUNDS, Family, Label, Metric as Which, Page, TABLE, Type, Value};
use opentelemetry_proto::tonic::{
    common::v1::KeyValue,
    metrics::v1::{
        AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
        ScopeMetrics, Sum, metric::Data, number_data_point,
    },
    resource::v1::Resource,
};

/// What a resource says of itself is no metric.
const OF_RESOURCE: [Which; 2] = [Which::BuildInfo, Which::TargetInfo];

/// The page of a target, of which nothing was known before `began`.
pub(super) fn of_target(told: &Tells, began: u64) -> ResourceMetrics {
    let since = told.whose.as_ref().map_or(began, |whose| whose.since);
    of(resource(&told.target, &told.labels, told.whose.as_ref()), &told.page, since)
}

/// The page of this program, which has run for so long.
pub(super) fn own(page: &Page, since: u64) -> ResourceMetrics {
    of(whose::own(), page, since)
}

fn of(resource: Resource, page: &Page, since: u64) -> ResourceMetrics {
    let times = Times { since, now: wall().max(since) };
    let metrics = TABLE.iter().filter(|family| !OF_RESOURCE.contains(&family.metric));
    let metrics = metrics.filter_map(|family| metric(family, page, times)).collect();
    let scope_metrics = vec![ScopeMetrics { scope: Some(scope()), metrics, ..ScopeMetrics::default() }];
    ResourceMetrics { resource: Some(resource), scope_metrics, ..ResourceMetrics::default() }
}

/// How many points these have.
pub(super) fn count(all: &[ResourceMetrics]) -> u64 {
    let metrics = all.iter().flat_map(|one| &one.scope_metrics).flat_map(|scope| &scope.metrics);
    let points = metrics.map(|metric| match &metric.data {
        Some(Data::Gauge(gauge)) => gauge.data_points.len(),
        Some(Data::Sum(sum)) => sum.data_points.len(),
        Some(Data::Histogram(histogram)) => histogram.data_points.len(),
        _ => 0,
    });
    points.sum::<usize>() as u64
}

#[derive(Clone, Copy)]
struct Times {
    since: u64,
    now: u64,
}

fn metric(family: &Family, page: &Page, times: Times) -> Option<Metric> {
    let series = || page.of(family.metric).map(|(values, value)| (attributes(family, values), value));
    series().next()?;
    let temporality = AggregationTemporality::Cumulative.into();
    let data = match family.kind {
        Type::Gauge | Type::GaugeOfLargest => {
            // What is so now has no beginning.
            let now = Times { since: 0, ..times };
            let data_points = series().filter_map(|(attributes, value)| single(attributes, value, now)).collect();
            Data::Gauge(Gauge { data_points })
        }
        Type::Counter => {
            let data_points = series().filter_map(|(attributes, value)| single(attributes, value, times)).collect();
            Data::Sum(Sum { data_points, aggregation_temporality: temporality, is_monotonic: true })
        }
        Type::Histogram => {
            let data_points = series().filter_map(|(attributes, value)| spread(attributes, value, times)).collect();
            Data::Histogram(Histogram { data_points, aggregation_temporality: temporality })
        }
    };
    Some(Metric {
        name: family.otel_name().to_owned(),
        description: family.help.to_owned(),
        // `1` would be taken for a ratio.
        unit: if family.is_in_seconds() { "s" } else { "" }.to_owned(),
        data: Some(data),
        ..Metric::default()
    })
}

fn attributes(family: &Family, values: &[Box<str>]) -> Vec<KeyValue> {
    let mut attributes = Vec::new();
    for (label, value) in family.labels.iter().zip(values) {
        match label {
            Label::Location | Label::Lock => attributes.extend(place(value)),
            Label::Worker => match value.parse() {
                Ok(worker) => attributes.push(number(label.word(), worker)),
                Err(_) => attributes.push(text(label.word(), value)),
            },
            _ => attributes.push(text(label.word(), value)),
        }
    }
    attributes
}

fn single(attributes: Vec<KeyValue>, value: &Value, times: Times) -> Option<NumberDataPoint> {
    let Value::Number(value) = value else { return None };
    Some(NumberDataPoint {
        attributes,
        start_time_unix_nano: times.since,
        time_unix_nano: times.now,
        value: Some(number_data_point::Value::AsDouble(*value)),
        ..NumberDataPoint::default()
    })
}

fn spread(attributes: Vec<KeyValue>, value: &Value, times: Times) -> Option<HistogramDataPoint> {
    let Value::Histogram { counts, sum } = value else { return None };
    Some(HistogramDataPoint {
        attributes,
        start_time_unix_nano: times.since,
        time_unix_nano: times.now,
        count: counts.iter().sum(),
        sum: Some(*sum),
        bucket_counts: counts.to_vec(),
        explicit_bounds: BOUNDS.to_vec(),
        ..HistogramDataPoint::default()
    })
}
