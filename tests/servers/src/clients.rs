//! Clients that ask again and again, each of which an error ends all.

use crate::Result;
use std::{future::Future, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task::JoinSet};

/// How long a service may take until every client was answered once.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Clients {
    clients: JoinSet<Result>,
    answered: Arc<Semaphore>,
    count: u32,
}

impl Clients {
    pub(crate) fn none() -> Self {
        Self { clients: JoinSet::new(), answered: Arc::new(Semaphore::new(0)), count: 0 }
    }

    /// One that does this again and again, with a pause in between.
    pub(crate) fn each<F>(&mut self, pause: Duration, mut ask: impl FnMut() -> F + Send + 'static)
    where
        F: Future<Output = Result> + Send,
    {
        let answered = Arc::clone(&self.answered);
        self.count += 1;
        // They do not all come at once.
        let first = pause * (self.count % 10) / 10;
        self.clients.spawn(async move {
            tokio::time::sleep(first).await;
            ask().await?;
            answered.add_permits(1);
            loop {
                tokio::time::sleep(pause).await;
                ask().await?;
            }
        });
    }

    /// Lets them ask, and says when each of them was answered once.
    pub(crate) async fn run(mut self) -> Result {
        let all = async {
            let _permits = tokio::time::timeout(PATIENCE, self.answered.acquire_many(self.count)).await??;
            println!("answered");
            std::future::pending().await
        };
        let ended = async {
            match self.clients.join_next().await {
                Some(ended) => ended?,
                None => Err("there are no clients".into()),
            }
        };
        tokio::select! {
            ended = all => ended,
            ended = ended => ended,
        }
    }
}
