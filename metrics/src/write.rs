//! Pages as text, by the client library of Prometheus, which knows both formats and escapes values of labels.

use crate::{
    format::Format,
    page::{Target, Value},
    table::{BOUNDS, Family, TABLE, Type},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, prometheus_text, text},
    metrics::MetricType,
    registry::{Registry, Unit},
};
use std::fmt;

pub(crate) fn write(format: Format, targets: Vec<Target>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Pages(targets)));
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = match format {
        Format::OpenMetrics => text::encode(&mut out, &registry),
        Format::Text => prometheus_text::encode(&mut out, &registry),
    };
    out
}

#[derive(Debug)]
struct Pages(Vec<Target>);

impl Collector for Pages {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for family in TABLE {
            if self.0.iter().any(|target| target.page.of(family.metric).next().is_some()) {
                self.encode_family(family, &mut encoder)?;
            }
        }
        Ok(())
    }
}

impl Pages {
    fn encode_family(&self, family: &Family, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let unit = family.is_in_seconds().then_some(Unit::Seconds);
        let kind = match family.kind {
            Type::Gauge | Type::GaugeOfLargest => MetricType::Gauge,
            Type::Counter => MetricType::Counter,
            Type::Histogram => MetricType::Histogram,
        };
        let base = family.prometheus_base();
        let mut encoder = encoder.encode_descriptor(&base, family.help, unit.as_ref(), kind)?;
        for target in &self.0 {
            for (values, value) in target.page.of(family.metric) {
                let labels: Vec<(&str, &str)> = target.labels(family.metric, values).collect();
                if labels.is_empty() {
                    encode_value(&mut encoder, family.kind, value)?;
                } else {
                    encode_value(&mut encoder.encode_family(&labels)?, family.kind, value)?;
                }
            }
        }
        Ok(())
    }
}

fn encode_value(encoder: &mut MetricEncoder<'_>, kind: Type, value: &Value) -> fmt::Result {
    match value {
        Value::Number(number) if kind == Type::Counter => encoder.encode_counter::<NoLabelSet, _, f64>(number, None),
        Value::Number(number) => encoder.encode_gauge(number),
        Value::Histogram { counts, sum } => {
            let bounds = BOUNDS.into_iter().chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> = bounds.zip(counts.iter().copied()).collect();
            encoder.encode_histogram::<NoLabelSet>(*sum, counts.iter().sum(), &buckets, None)
        }
    }
}
