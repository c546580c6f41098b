//! tonic: where the vehicles of a fleet are, in calls of every kind, with an interceptor, keepalive and the health service.

pub(crate) mod messages;
mod generated {
    tonic::include_proto!("fleet.Fleet");
}

use crate::{Result, clients::Clients};
use futures::{Stream, StreamExt};
use generated::{
    fleet_client::FleetClient,
    fleet_server::{Fleet, FleetServer},
};
use messages::{Advice, Position, Vehicle};
use std::{
    collections::HashMap,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{broadcast, mpsc},
    time::interval,
};
use tokio_stream::wrappers::{BroadcastStream, IntervalStream, ReceiverStream, TcpListenerStream};
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Response, Status, Streaming,
    service::interceptor::InterceptedService,
    transport::{Channel, Endpoint, Server},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

const TOKEN: &str = "Bearer fleet";
const KEEPALIVE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
struct Positions {
    known: Arc<Mutex<HashMap<u64, Position>>>,
    news: broadcast::Sender<Position>,
    stop: CancellationToken,
}

impl Positions {
    fn put(&self, position: Position) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(position.vehicle, position);
        // Nobody follows anything now.
        let _ = self.news.send(position);
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Fleet for Positions {
    async fn locate(&self, request: Request<Vehicle>) -> Result<Response<Position>, Status> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let position = known.get(&request.get_ref().id).copied();
        position.map(Response::new).ok_or_else(|| Status::not_found("no such vehicle"))
    }

    type FollowStream = Answers<Position>;

    /// Its positions, as they come in.
    async fn follow(&self, request: Request<Vehicle>) -> Result<Response<Self::FollowStream>, Status> {
        let followed = request.into_inner().id;
        let news = BroadcastStream::new(self.news.subscribe());
        let its = news.filter_map(move |news| {
            // Whoever is slow misses some.
            std::future::ready(news.ok().filter(|news| news.vehicle == followed).map(Ok))
        });
        Ok(Response::new(its.take_until(self.stop.clone().cancelled_owned()).boxed()))
    }

    type ReportStream = ReceiverStream<Result<Advice, Status>>;

    /// Each position that comes in is answered, while the next may be on its way.
    async fn report(&self, request: Request<Streaming<Position>>) -> Result<Response<Self::ReportStream>, Status> {
        let (advise, advices) = mpsc::channel(4);
        let (positions, mut reports) = (self.clone(), request.into_inner());
        tokio::spawn(async move {
            while let Some(Ok(Some(position))) = positions.stop.run_until_cancelled(reports.message()).await {
                positions.put(position);
                let advice = Advice { text: format!("go on from {}", position.x) };
                if advise.send(Ok(advice)).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(advices)))
    }
}

/// Lets in whoever has the token.
fn is_known(request: Request<()>) -> Result<Request<()>, Status> {
    match request.metadata().get("authorization") {
        Some(token) if token == TOKEN => Ok(request),
        _ => Err(Status::unauthenticated("who is there?")),
    }
}

pub(crate) async fn serve(listener: TcpListener, stop: CancellationToken) -> Result {
    let (news, _) = broadcast::channel(64);
    let positions = Positions { known: Arc::default(), news, stop: stop.clone() };
    (0..16).for_each(|vehicle| positions.put(Position { vehicle, x: 0, y: 0 }));
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<FleetServer<Positions>>().await;
    Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        .tcp_nodelay(true)
        .concurrency_limit_per_connection(32)
        .timeout(Duration::from_secs(10))
        .add_service(health)
        .add_service(FleetServer::with_interceptor(positions, is_known))
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), stop.cancelled_owned())
        .await?;
    Ok(())
}

type Authorize = fn(Request<()>) -> Result<Request<()>, Status>;
type Client = FleetClient<InterceptedService<Channel, Authorize>>;

fn authorize(mut request: Request<()>) -> Result<Request<()>, Status> {
    request.metadata_mut().insert("authorization", tonic::metadata::MetadataValue::from_static(TOKEN));
    Ok(request)
}

pub(crate) fn load(at: SocketAddr, clients: &mut Clients) {
    let endpoint = Endpoint::from_shared(format!("http://{at}")).expect("it is an address");
    let endpoint =
        endpoint.http2_keep_alive_interval(KEEPALIVE).keep_alive_while_idle(true).timeout(Duration::from_secs(60));
    let channels = [endpoint.connect_lazy(), endpoint.connect_lazy(), endpoint.connect_lazy()];
    for vehicle in 0..8 {
        let channel = channels[vehicle as usize % channels.len()].clone();
        let client = FleetClient::with_interceptor(channel, authorize as Authorize);
        let (asks, follows) = (client.clone(), client.clone());
        clients.each(Duration::from_millis(250), move || locate(asks.clone(), vehicle));
        if vehicle < 4 {
            clients.each(Duration::from_millis(300), move || report(client.clone(), vehicle));
            clients.each(Duration::from_millis(300), move || follow(follows.clone(), vehicle));
        }
    }
    let [health, ..] = channels;
    clients.each(Duration::from_secs(1), move || check(HealthClient::new(health.clone())));
    clients.each(Duration::from_secs(2), move || {
        let endpoint = endpoint.clone();
        // On a connection of its own, without a token.
        async move {
            let mut stranger = FleetClient::new(endpoint.connect().await?);
            match stranger.locate(Vehicle { id: 1 }).await {
                Err(status) if status.code() == tonic::Code::Unauthenticated => Ok(()),
                answer => Err(format!("a stranger is told {answer:?}").into()),
            }
        }
    });
}

async fn locate(mut client: Client, id: u64) -> Result {
    client.locate(Vehicle { id }).await?;
    Ok(())
}

/// Some seconds on its way, and an answer to each report.
async fn report(mut client: Client, vehicle: u64) -> Result {
    let ticks = IntervalStream::new(interval(Duration::from_millis(200))).take(25).enumerate();
    let reports = ticks.map(move |(x, _)| Position { vehicle, x: x as i64, y: 1 });
    let mut advices = client.report(reports).await?.into_inner();
    while advices.message().await?.is_some() {}
    Ok(())
}

async fn follow(mut client: Client, id: u64) -> Result {
    let mut positions = client.follow(Vehicle { id }).await?.into_inner();
    for _ in 0..20 {
        positions.message().await?;
    }
    Ok(())
}

async fn check(mut health: HealthClient<Channel>) -> Result {
    let request = HealthCheckRequest { service: "fleet.Fleet".to_owned() };
    health.check(request).await?;
    Ok(())
}
