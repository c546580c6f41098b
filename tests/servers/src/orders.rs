//! sqlx on SQLite: orders that come in by HTTP, and workers that settle them, more of them than the pool has connections.

use crate::{Result, clients::Clients};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use sqlx::{
    FromRow, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    net::TcpListener,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

const CONNECTIONS: u32 = 5;
/// They all look for orders at the same moment, so that some wait for a connection, each time.
const WORKERS: i64 = 12;
const TURN: Duration = Duration::from_millis(250);
/// How many orders are kept.
const KEPT: i64 = 2_000;

#[derive(Debug, Serialize, Deserialize, FromRow)]
struct Order {
    customer: String,
    cents: i64,
    state: String,
}

pub(crate) async fn serve(listener: TcpListener, stop: CancellationToken) -> Result {
    let folder = tempfile::tempdir()?;
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("orders.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(Duration::from_secs(5));
    let pool = SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options)
        .await?;
    sqlx::migrate!("src/orders/migrations").run(&pool).await?;
    let mut workers = JoinSet::new();
    for number in 0..WORKERS {
        workers.spawn(settle(pool.clone(), number, stop.clone()));
    }
    workers.spawn(tidy(pool.clone(), stop.clone()));
    let routes = Router::new()
        .route("/orders", post(take))
        .route("/orders/{id}", get(look))
        .route("/customers/{name}", get(total))
        .route("/pairs", get(pairs))
        .with_state(pool.clone());
    axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await?;
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    pool.close().await;
    Ok(())
}

/// What a client is told of an error.
fn failed(error: sqlx::Error) -> (StatusCode, String) {
    match error {
        sqlx::Error::RowNotFound => (StatusCode::NOT_FOUND, error.to_string()),
        error => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

type Answer<T> = Result<Json<T>, (StatusCode, String)>;

async fn take(State(pool): State<SqlitePool>, Json(order): Json<Order>) -> Answer<i64> {
    let insert = "INSERT INTO orders (customer, cents, taken_at) VALUES (?, ?, unixepoch()) RETURNING id";
    let id = sqlx::query_scalar(insert).bind(order.customer).bind(order.cents).fetch_one(&pool).await;
    id.map(Json).map_err(failed)
}

async fn look(State(pool): State<SqlitePool>, Path(id): Path<i64>) -> Answer<Order> {
    let order =
        sqlx::query_as("SELECT customer, cents, state FROM orders WHERE id = ?").bind(id).fetch_one(&pool).await;
    order.map(Json).map_err(failed)
}

/// Row by row, with the connection in hand.
async fn total(State(pool): State<SqlitePool>, Path(name): Path<String>) -> Answer<i64> {
    let select = "SELECT customer, cents, state FROM orders WHERE customer = ? ORDER BY id DESC LIMIT 50";
    let mut orders = sqlx::query_as::<_, Order>(select).bind(name).fetch(&pool);
    let mut sum = 0;
    while let Some(order) = orders.try_next().await.map_err(failed)? {
        sum += order.cents;
    }
    Ok(Json(sum))
}

/// What takes the database some tenths of a second, in which it keeps one connection and no worker.
async fn pairs(State(pool): State<SqlitePool>) -> Answer<i64> {
    let select = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
        SELECT count(*) FROM n AS a, n AS b WHERE (a.i * b.i) % 7 = 1";
    sqlx::query_scalar(select).fetch_one(&pool).await.map(Json).map_err(failed)
}

/// Every turn of it settles orders, in a transaction, until it is stopped.
async fn settle(pool: SqlitePool, number: i64, stop: CancellationToken) -> Result {
    let mut turns = interval(TURN);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(turns.tick()).await.is_some() {
        // A transaction that reads first and writes later may have to be given up; one that says so at once waits.
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
        let select = "SELECT id, customer, cents FROM orders WHERE state = 'new' AND id % ? = ? LIMIT 4";
        let new: Vec<(i64, String, i64)> =
            sqlx::query_as(select).bind(WORKERS).bind(number).fetch_all(&mut *transaction).await?;
        for (id, customer, cents) in new {
            let upsert = "INSERT INTO ledger VALUES (?, ?) ON CONFLICT DO UPDATE SET cents = cents + excluded.cents";
            sqlx::query(upsert).bind(customer).bind(cents).execute(&mut *transaction).await?;
            let update = "UPDATE orders SET state = 'settled' WHERE id = ?";
            sqlx::query(update).bind(id).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
    }
    Ok(())
}

/// Lets go of what is old.
async fn tidy(pool: SqlitePool, stop: CancellationToken) -> Result {
    let mut turns = interval(Duration::from_secs(5));
    while stop.run_until_cancelled(turns.tick()).await.is_some() {
        let delete = "DELETE FROM orders WHERE state = 'settled' AND id <= (SELECT max(id) FROM orders) - ?";
        sqlx::query(delete).bind(KEPT).execute(&pool).await?;
    }
    Ok(())
}

pub(crate) fn load(at: SocketAddr, clients: &mut Clients) {
    let client = reqwest::Client::new();
    for number in 0..6 {
        let client = client.clone();
        clients.each(Duration::from_millis(300), move || buy(client.clone(), at, format!("customer-{number}")));
    }
    clients.each(Duration::from_secs(4), move || {
        let client = client.clone();
        async move {
            client.get(format!("http://{at}/pairs")).send().await?.error_for_status()?;
            Ok(())
        }
    });
}

async fn buy(client: reqwest::Client, at: SocketAddr, customer: String) -> Result {
    let order = Order { customer: customer.clone(), cents: 250, state: "new".to_owned() };
    let taken = client.post(format!("http://{at}/orders")).json(&order).send().await?.error_for_status()?;
    let id: i64 = taken.json().await?;
    let order: Order = client.get(format!("http://{at}/orders/{id}")).send().await?.error_for_status()?.json().await?;
    let total = client.get(format!("http://{at}/customers/{customer}")).send().await?.error_for_status()?;
    let total: i64 = total.json().await?;
    if order.cents != 250 || total < 250 {
        return Err(format!("an answer that is wrong: {order:?}, {total}").into());
    }
    Ok(())
}
