//! A websocket server by tokio-tungstenite: rooms in which everybody hears everybody. Each connection has a task that reads and one that
//! writes, and whoever reads slowly misses some.

use crate::{Result, clients::Clients};
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Mutex, broadcast, mpsc},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, accept_async, client_async_with_config, connect_async,
    tungstenite::{Bytes, Message, Utf8Bytes, protocol::WebSocketConfig},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// After so long without room for a message a peer is given up.
const PATIENCE: Duration = Duration::from_secs(10);
const PING: Duration = Duration::from_secs(1);

/// What is said in each room. It is empty before the first has come and after the last has gone.
type Rooms = Arc<Mutex<HashMap<String, broadcast::Sender<Utf8Bytes>>>>;

pub(crate) async fn serve(listener: TcpListener, stop: CancellationToken) -> Result {
    let (rooms, connections) = (Rooms::default(), TaskTracker::new());
    connections.spawn(sweep(rooms.clone(), stop.clone()));
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let (stream, _) = accepted?;
        let (rooms, stop, tasks) = (rooms.clone(), stop.clone(), connections.clone());
        connections.spawn(async move {
            // A peer may be gone at any time, which ends its connection and nothing else.
            let _ = meet(stream, rooms, tasks, stop).await;
        });
    }
    connections.close();
    connections.wait().await;
    Ok(())
}

async fn meet(stream: TcpStream, rooms: Rooms, tasks: TaskTracker, stop: CancellationToken) -> Result {
    stream.set_nodelay(true)?;
    let socket = timeout(PATIENCE, accept_async(stream)).await??;
    let (sink, mut source) = socket.split();
    let Some(first) = timeout(PATIENCE, source.next()).await? else { return Ok(()) };
    let room = first?.into_text()?;
    let (said, hears) = {
        let mut rooms = rooms.lock().await;
        let said = rooms.entry(room.to_string()).or_insert_with(|| broadcast::channel(16).0);
        (said.clone(), said.subscribe())
    };
    let (write, to_write) = mpsc::channel(4);
    let writer = tasks.spawn(write_all(sink, to_write));
    let forwards = tasks.spawn(forward(hears, write.clone()));
    let ended = tokio::select! {
        ended = listen(source, &said, &write) => ended,
        () = stop.cancelled() => Ok(()),
        () = write.closed() => Ok(()),
    };
    forwards.abort();
    drop(write);
    let _ = writer.await;
    ended
}

/// What a peer says goes to all who are in the room; what it asks, to it.
async fn listen(
    mut source: SplitStream<WebSocketStream<TcpStream>>,
    said: &broadcast::Sender<Utf8Bytes>,
    write: &mpsc::Sender<Message>,
) -> Result {
    let mut pings = interval(PING);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            message = source.next() => message,
            _ = pings.tick() => {
                write.send(Message::Ping(Bytes::from_static(b"are you there"))).await?;
                continue;
            }
        };
        match message {
            // Those who are in the room are at least the one that speaks.
            Some(Ok(Message::Text(text))) => drop(said.send(text)),
            Some(Ok(Message::Close(_))) | None => return Ok(()),
            Some(other) => drop(other?),
        }
    }
}

/// What is said in the room goes to the writer, no faster than its peer reads.
async fn forward(mut hears: broadcast::Receiver<Utf8Bytes>, write: mpsc::Sender<Message>) {
    loop {
        match hears.recv().await {
            Ok(text) => {
                if write.send(Message::Text(text)).await.is_err() {
                    return;
                }
            }
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

async fn write_all(
    mut sink: SplitSink<WebSocketStream<TcpStream>, Message>,
    mut messages: mpsc::Receiver<Message>,
) -> Result {
    while let Some(message) = messages.recv().await {
        timeout(PATIENCE, sink.send(message)).await??;
    }
    timeout(PATIENCE, sink.close()).await??;
    Ok(())
}

/// Rooms in which nobody is are let go of.
async fn sweep(rooms: Rooms, stop: CancellationToken) {
    while stop.run_until_cancelled(sleep(Duration::from_secs(1))).await.is_some() {
        rooms.lock().await.retain(|_, said| said.receiver_count() > 0);
    }
}

pub(crate) fn load(at: SocketAddr, clients: &mut Clients) {
    for number in 0..10 {
        let room = if number % 2 == 0 { "red" } else { "blue" };
        clients.each(Duration::from_millis(200), move || talk(at, room));
    }
    for room in ["red", "blue"] {
        clients.each(Duration::from_millis(100), move || hear_slowly(at, room));
    }
}

/// Says something now and then, for some seconds, and hears it.
async fn talk(at: SocketAddr, room: &str) -> Result {
    let (mut socket, _) = connect_async(format!("ws://{at}")).await?;
    socket.send(Message::text(room)).await?;
    let mut turns = interval(Duration::from_millis(500));
    let (mut said, mut heard) = (0, 0);
    while said < 12 || heard < 12 {
        tokio::select! {
            _ = turns.tick() => {
                said += 1;
                socket.send(Message::text("x".repeat(1_000))).await?;
            }
            message = socket.next() => {
                heard += u32::from(message.ok_or("the connection was closed")??.is_text());
            }
        }
    }
    socket.close(None).await?;
    Ok(())
}

/// Reads a little at a time, with so little room for the rest that the server has to wait.
async fn hear_slowly(at: SocketAddr, room: &str) -> Result {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(2_048)?;
    let config = WebSocketConfig::default().read_buffer_size(1_024);
    let stream = socket.connect(at).await?;
    let (mut socket, _) = client_async_with_config(format!("ws://{at}"), stream, Some(config)).await?;
    socket.send(Message::text(room)).await?;
    for _ in 0..4 {
        sleep(Duration::from_millis(1_500)).await;
        for _ in 0..8 {
            socket.next().await.ok_or("the connection was closed")??;
        }
    }
    Ok(())
}
