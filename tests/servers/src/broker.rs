//! rumqttd: a broker of MQTT, which has threads and runtimes of its own, and a service beside it that listens to everything and answers
//! what is asked.

use crate::{Result, clients::Clients};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use rumqttd::{Broker, Config, Notification};
use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    time::{interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(20);

/// As `rumqttd.toml` of the broker has it.
fn config(at: SocketAddr) -> Result<Config> {
    let config = serde_json::json!({
        "id": 0,
        "router": {
            "max_connections": 1_000,
            "max_outgoing_packet_count": 200,
            "max_segment_size": 1_048_576,
            "max_segment_count": 10,
        },
        "v4": { "1": {
            "name": "v4-1",
            "listen": at,
            "next_connection_delay_ms": 1,
            "connections": {
                "connection_timeout_ms": 60_000,
                "max_payload_size": 20_480,
                "max_inflight_count": 100,
                "dynamic_filters": true,
            },
        } },
    });
    Ok(serde_json::from_value(config)?)
}

pub(crate) async fn serve(listener: TcpListener, stop: CancellationToken) -> Result {
    let at = listener.local_addr()?;
    // It binds the address by itself.
    drop(listener);
    let mut broker = Broker::new(config(at)?);
    let (mut subscribes, mut everything) = broker.link("counts")?;
    subscribes.subscribe("#")?;
    std::thread::Builder::new().name("broker".to_owned()).spawn(move || {
        if let Err(error) = broker.start() {
            eprintln!("error: the broker: {error}");
        }
    })?;
    timeout(PATIENCE, async {
        while TcpStream::connect(at).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await?;
    // It hears all that is said, in the process of the broker, and keeps none of it.
    let hears = async {
        loop {
            let _: Option<Notification> = everything.next().await?;
        }
    };
    let answers = tokio::spawn(answer(at));
    tokio::select! {
        ended = hears => ended,
        ended = answers => ended?,
        () = stop.cancelled() => Ok(()),
    }
}

fn connect(at: SocketAddr, name: &str) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(name, at.ip().to_string(), at.port());
    options.set_keep_alive(Duration::from_secs(5));
    AsyncClient::new(options, 10)
}

/// What is asked is answered, by a client as any other.
async fn answer(at: SocketAddr) -> Result {
    let (client, mut events) = connect(at, "answers");
    client.subscribe("asked/+", QoS::AtLeastOnce).await?;
    loop {
        if let Event::Incoming(Packet::Publish(asked)) = events.poll().await? {
            let topic = asked.topic.replace("asked", "answered");
            // Whoever polls must not wait for room in what is only polled here.
            let client = client.clone();
            tokio::spawn(async move { client.publish(topic, QoS::AtLeastOnce, false, asked.payload).await });
        }
    }
}

pub(crate) fn load(at: SocketAddr, clients: &mut Clients) {
    for number in 0..6 {
        clients.each(Duration::from_millis(200), move || ask(at, number));
    }
    for (number, service) in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce].into_iter().enumerate() {
        clients.each(Duration::from_millis(200), move || measure(at, number, service));
        clients.each(Duration::from_millis(500), move || hear(at, number, service));
    }
}

/// Some questions, each with its answer before the next.
async fn ask(at: SocketAddr, number: usize) -> Result {
    let (client, mut events) = connect(at, &format!("asks-{number}"));
    client.subscribe(format!("answered/{number}"), QoS::AtLeastOnce).await?;
    let mut turns = interval(Duration::from_millis(250));
    let mut answers = 0;
    while answers < 20 {
        tokio::select! {
            _ = turns.tick() => client.try_publish(format!("asked/{number}"), QoS::AtLeastOnce, false, "how are you")?,
            event = events.poll() => {
                if let Event::Incoming(Packet::Publish(_)) = event? {
                    answers += 1;
                }
            }
        }
    }
    leave(client, events).await
}

/// What a sensor sends, the last of which is kept for whoever comes later.
async fn measure(at: SocketAddr, number: usize, service: QoS) -> Result {
    let (client, mut events) = connect(at, &format!("measures-{number}"));
    let mut turns = interval(Duration::from_millis(100));
    for turn in 0..50 {
        turns.tick().await;
        client.try_publish(format!("measured/{number}"), service, turn % 10 == 0, vec![turn; 200])?;
        // What is to be sent and what has come, until the next turn.
        while let Ok(event) = timeout(Duration::from_millis(50), events.poll()).await {
            event?;
        }
    }
    leave(client, events).await
}

async fn hear(at: SocketAddr, number: usize, service: QoS) -> Result {
    let (client, mut events) = connect(at, &format!("hears-{number}"));
    client.subscribe("measured/+", service).await?;
    let mut heard = 0;
    while heard < 60 {
        if let Event::Incoming(Packet::Publish(_)) = events.poll().await? {
            heard += 1;
        }
    }
    leave(client, events).await
}

async fn leave(client: AsyncClient, mut events: EventLoop) -> Result {
    client.disconnect().await?;
    // It ends with an error, as the connection does.
    let closes = async { while events.poll().await.is_ok() {} };
    timeout(PATIENCE, closes).await?;
    Ok(())
}
