//! The same that Prometheus asks for, and findings as they begin and end, told to a collector of OpenTelemetry by OTLP.
//!
//! ```text
//! endpoint   where the collector is, and the way there
//!   points     a page → metrics
//!   records    findings as they begin and end → log records, as many as there is room for
//!   whose      a target as a resource
//! ```
//!
//! Metrics are cumulative: what was not taken is part of what is told the next time, and nothing of it is kept. Records are kept until they are taken, as many as there is
//! room for; what has no room is counted.

mod endpoint;
mod points;
mod records;
#[cfg(test)]
mod tests;
mod whose;

pub use endpoint::{Endpoint, EndpointError, Headers};

pub(super) use records::Outbox;

use super::keeping::Keeping;
use crate::diagnose::humanize;
use endpoint::{Failure, Way};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::{ExportLogsServiceRequest, logs_service_client::LogsServiceClient},
        metrics::v1::{ExportMetricsServiceRequest, metrics_service_client::MetricsServiceClient},
    },
    common::v1::InstrumentationScope,
    metrics::v1::ResourceMetrics,
};
use prost::Message as _;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    task::block_in_place,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tonic::{Request, Response, Status, codec::CompressionEncoding};

/// A request is no larger than this, as far as targets can be told apart: collectors take 4 MiB unless they are told to take more.
const REQUEST: usize = 2 << 20;

/// Records of one request.
const AT_ONCE: usize = 512;

/// How long a collector may take for a request.
const PATIENCE: Duration = Duration::from_secs(10);

/// The same, once this program has been asked to end.
const LAST: Duration = Duration::from_secs(3);

/// What to tell by OTLP, and to whom.
#[derive(Debug)]
pub struct Plan {
    /// The collector.
    pub endpoint: Endpoint,
    /// What every request has.
    pub headers: Headers,
    /// How often metrics are told.
    pub every: Duration,
    /// Whether it is compressed.
    pub compression: Compression,
}

/// What is done to a request before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Nothing.
    #[default]
    None,
    /// It is compressed.
    Gzip,
}

/// What a request has.
#[derive(Clone, Copy)]
enum What {
    Points,
    Records,
}

/// Why the latest request of each kind came to nothing, or to less than all.
#[derive(Default)]
struct Wrong {
    points: Option<String>,
    records: Option<String>,
}

/// One who tells.
pub(super) struct Teller<'a, S> {
    plan: Plan,
    way: Way,
    keeping: &'a Keeping,
    outbox: Arc<Outbox>,
    say: S,
    wrong: Wrong,
    /// The collector asked to be left alone until then.
    paused: Option<Instant>,
}

impl<'a, S: Fn(&str)> Teller<'a, S> {
    /// Nobody, where nobody is to be told.
    pub(super) fn begin(plan: Option<Plan>, keeping: &'a Keeping, say: S) -> Result<Option<Self>, EndpointError> {
        let (Some(plan), Some(outbox)) = (plan, keeping.otlp.clone()) else { return Ok(None) };
        let way = plan.endpoint.way(&plan.headers)?;
        say(&format!("metrics and findings are told to {}, metrics every {}", plan.endpoint, humanize(plan.every)));
        Ok(Some(Self { plan, way, keeping, outbox, say, wrong: Wrong::default(), paused: None }))
    }

    /// Tells, for good.
    pub(super) async fn run(&mut self) {
        let mut tick = interval(self.plan.every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Nobody has been heard yet.
        tick.tick().await;
        loop {
            tokio::select! {
                _ = tick.tick() => self.tell_metrics().await,
                () = self.outbox.wait(), if self.wrong.records.is_none() && !self.is_paused() => {}
            }
            self.tell_records().await;
        }
    }

    /// What is there to be told before this program ends.
    pub(super) async fn finish(&mut self) {
        let last = async {
            self.tell_metrics().await;
            self.tell_records().await;
        };
        // Whoever does not take it in time does without.
        let _ = timeout(LAST, last).await;
    }

    /// Whether the collector asked to be left alone.
    fn is_paused(&self) -> bool {
        self.paused.is_some_and(|until| Instant::now() < until)
    }

    async fn tell_metrics(&mut self) {
        if self.is_paused() {
            return;
        }
        for request in block_in_place(|| self.metrics()) {
            let points = points::count(&request.resource_metrics);
            let client = MetricsServiceClient::new(self.way.channel());
            let mut client = match self.plan.compression {
                Compression::None => client,
                Compression::Gzip => client.send_compressed(CompressionEncoding::Gzip),
            };
            let taken = taken(&self.plan.headers, request, |request| client.export(request)).await;
            let rejected = taken
                .map(|told| told.partial_success.map(|partial| (partial.rejected_data_points, partial.error_message)));
            self.note(What::Points, rejected, points);
        }
    }

    /// All pages, in as many requests as they need.
    fn metrics(&self) -> Vec<ExportMetricsServiceRequest> {
        let mut requests = Vec::new();
        let (mut resource_metrics, mut size) = (Vec::<ResourceMetrics>::new(), 0);
        let own = points::own(&self.keeping.own(), self.keeping.began);
        let told = self.keeping.told();
        for one in std::iter::once(own).chain(told.iter().map(|told| points::of_target(told, self.keeping.began))) {
            let more = one.encoded_len();
            if size + more > REQUEST && !resource_metrics.is_empty() {
                let resource_metrics = std::mem::take(&mut resource_metrics);
                requests.push(ExportMetricsServiceRequest { resource_metrics });
                size = 0;
            }
            size += more;
            resource_metrics.push(one);
        }
        requests.push(ExportMetricsServiceRequest { resource_metrics });
        requests
    }

    /// Tells records until there are none, or nobody takes them.
    async fn tell_records(&mut self) {
        while !self.is_paused() {
            let heard = self.outbox.take(AT_ONCE);
            if heard.is_empty() {
                return;
            }
            let request = ExportLogsServiceRequest { resource_logs: records::told(&heard, self.keeping) };
            let client = LogsServiceClient::new(self.way.channel());
            let mut client = match self.plan.compression {
                Compression::None => client,
                Compression::Gzip => client.send_compressed(CompressionEncoding::Gzip),
            };
            let taken = taken(&self.plan.headers, request, |request| client.export(request)).await;
            let again = taken.as_ref().is_err_and(Failure::may_be_mended);
            let rejected = taken
                .map(|told| told.partial_success.map(|partial| (partial.rejected_log_records, partial.error_message)));
            let count = if again { 0 } else { heard.len() as u64 };
            self.note(What::Records, rejected, count);
            if again {
                self.outbox.put_back(heard);
                return;
            }
        }
    }

    /// Counts what a request came to, and says it where it is another thing than before. What was not taken at all is so many points or records.
    fn note(&mut self, what: What, result: Result<Option<(i64, String)>, Failure>, count: u64) {
        let dropped = match what {
            What::Points => &self.outbox.dropped_points,
            What::Records => &self.outbox.dropped_records,
        };
        let wrong = match result {
            // Where nothing was rejected that is a word of advice.
            Ok(None | Some((0, _))) => None,
            Ok(Some((rejected, why))) => {
                dropped.fetch_add(u64::try_from(rejected).unwrap_or_default(), Ordering::Relaxed);
                Some(format!("some of what is told is rejected: {}", endpoint::bounded(&why)))
            }
            Err(failure) => {
                self.paused = failure.pause().and_then(|pause| Instant::now().checked_add(pause)).or(self.paused);
                self.outbox.errors.fetch_add(1, Ordering::Relaxed);
                dropped.fetch_add(count, Ordering::Relaxed);
                Some(failure.to_string())
            }
        };
        let Wrong { points, records } = &mut self.wrong;
        let (of_it, of_the_other) = match what {
            What::Points => (points, records),
            What::Records => (records, points),
        };
        if wrong == *of_it {
            return;
        }
        match &wrong {
            // What is wrong with both is said once.
            Some(_) if wrong == *of_the_other => {}
            Some(wrong) => (self.say)(&format!("{}: {wrong}", self.plan.endpoint)),
            None if of_the_other.is_none() => {
                (self.say)(&format!("{}: all that is told is taken again", self.plan.endpoint));
            }
            None => {}
        }
        *of_it = wrong;
    }
}

/// What came of a request.
async fn taken<M, R, F>(headers: &Headers, message: M, call: impl FnOnce(Request<M>) -> F) -> Result<R, Failure>
where
    F: Future<Output = Result<Response<R>, Status>>,
{
    let mut request = Request::new(message);
    headers.add_to(request.metadata_mut());
    match timeout(PATIENCE, call(request)).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(Failure::of(&status)),
        Err(_) => Err(Failure::Late),
    }
}

/// Who tells.
fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "holdup".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}
