//! Who waits at the door, who is in, and who has to leave.

use super::allowance::Allowance;
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep},
};
use tonic::Status;

/// Connections that have made no call yet.
const WAITING: usize = 32;

/// After this long without a call such a connection is closed.
const PATIENCE: Duration = Duration::from_secs(5);

/// Calls of one connection that go on at once: tokio-console and holdup have four.
const CALLS: usize = 8;

/// Of those, so many that tell everything. One of each service is what a client has use for.
const WHOLE: usize = 2;

/// How often everything may be asked for, in a second and at once: by one connection, and by all. Each time all that lives is read.
const WHOLES: (u32, u32) = (2, 8);
const ALL_WHOLES: (u32, u32) = (20, 40);

/// All connections.
#[derive(Debug, Clone)]
pub(super) struct Guests(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// How many may be in.
    most: usize,
    /// For every connection that is open, whether it has to leave or not.
    rooms: Arc<Semaphore>,
    list: Mutex<List>,
}

#[derive(Debug)]
struct List {
    wholes: Allowance,
    next: u64,
    /// In the order in which they came.
    waiting: VecDeque<Known>,
    clients: Vec<Client>,
}

#[derive(Debug)]
struct Known {
    number: u64,
    leave: Arc<Notify>,
    heard: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Client {
    known: Known,
    calls: usize,
    whole: usize,
    wholes: Allowance,
    /// Since when it has no call.
    idle_since: Option<Instant>,
}

/// One connection, for as long as this is kept.
#[derive(Debug)]
pub(super) struct Guest {
    number: u64,
    all: Guests,
    leave: Arc<Notify>,
    /// Whether it has said anything.
    heard: Arc<AtomicBool>,
    is_in: AtomicBool,
}

/// What a call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// Everything, for as long as it lasts.
    Whole,
    Little,
}

/// A call that goes on, for as long as this is kept.
#[derive(Debug)]
pub(super) struct Call {
    guest: Arc<Guest>,
    asks: Asks,
}

/// Why there is no call. Whoever made it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error(
        "the agent has {0} clients, which is as many as it takes; close one that is not needed, or allow more with HOLDUP_CLIENTS"
    )]
    Clients(usize),
    #[error("this connection has {CALLS} calls open, which is as many as one may have")]
    Calls,
    #[error("everything is asked for too often; ask again in a second")]
    Often,
    #[error("this connection watches everything {WHOLE} times already, which is as often as one may")]
    Whole,
}

impl From<Refused> for Status {
    fn from(refused: Refused) -> Self {
        Self::resource_exhausted(refused.to_string())
    }
}

impl Guests {
    pub(super) fn new(most: usize) -> Self {
        let wholes = Allowance::new(ALL_WHOLES.0, ALL_WHOLES.1);
        let list = List { wholes, next: 0, waiting: VecDeque::new(), clients: Vec::new() };
        // One more than may stay: the one whose coming makes another leave.
        let rooms = Arc::new(Semaphore::new(most.saturating_add(WAITING + 1).min(Semaphore::MAX_PERMITS)));
        Self(Arc::new(Shared { most, rooms, list: Mutex::new(list) }))
    }

    /// Waits until all but one of those who had to leave are gone: however fast others come, no more connections than this are open. `None` never
    /// comes: nobody closes it.
    pub(super) async fn room(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.rooms).acquire_owned().await.ok()
    }

    /// Somebody has come. Where there is no room at the door, one has to leave: who has said nothing before who has, and of those who has waited
    /// for longest. Whoever is about to agree on TLS over a long way has said something.
    pub(super) fn arrive(&self) -> Guest {
        let mut list = self.0.list.lock();
        let silent = list.waiting.iter().position(|known| !known.heard.load(Ordering::Relaxed));
        if list.waiting.len() >= WAITING
            && let Some(known) = list.waiting.remove(silent.unwrap_or(0))
        {
            known.leave.notify_one();
        }
        let number = list.next;
        list.next += 1;
        let (leave, heard) = (Arc::new(Notify::new()), Arc::<AtomicBool>::default());
        list.waiting.push_back(Known { number, leave: Arc::clone(&leave), heard: Arc::clone(&heard) });
        Guest { number, all: self.clone(), leave, heard, is_in: AtomicBool::new(false) }
    }
}

impl List {
    fn client(&mut self, number: u64) -> Option<&mut Client> {
        self.clients.iter_mut().find(|client| client.known.number == number)
    }

    /// Makes room for a client where one has no use for its place. Whether there is room.
    fn make_room(&mut self, most: usize) -> bool {
        if self.clients.len() < most {
            return true;
        }
        let idle = self.clients.iter().enumerate().filter_map(|(at, client)| Some((client.idle_since?, at)));
        let Some((_, at)) = idle.min() else { return false };
        self.clients.swap_remove(at).known.leave.notify_one();
        true
    }

    /// One that waited is in, if there is room.
    fn enter(&mut self, number: u64, most: usize) -> Result<(), Refused> {
        // One that has to leave is not in any list any more.
        let at = self.waiting.iter().position(|known| known.number == number).ok_or(Refused::Clients(most))?;
        if !self.make_room(most) {
            return Err(Refused::Clients(most));
        }
        let known = self.waiting.remove(at).ok_or(Refused::Clients(most))?;
        let wholes = Allowance::new(WHOLES.0, WHOLES.1);
        self.clients.push(Client { known, calls: 0, whole: 0, wholes, idle_since: Some(Instant::now()) });
        Ok(())
    }
}

impl Guest {
    /// Whether it has said anything: whoever reads what it says notes that here.
    pub(super) fn heard(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.heard)
    }

    /// Makes a call. The first one brings the connection in.
    pub(super) fn call(self: &Arc<Self>, asks: Asks) -> Result<Call, Refused> {
        let most = self.all.0.most;
        let mut list = self.all.0.list.lock();
        if list.client(self.number).is_none() {
            list.enter(self.number, most)?;
            self.is_in.store(true, Ordering::Relaxed);
        }
        let all = list.wholes.wait().is_none();
        let client = list.client(self.number).ok_or(Refused::Clients(most))?;
        if client.calls >= CALLS {
            return Err(Refused::Calls);
        }
        if asks == Asks::Whole {
            if client.whole >= WHOLE {
                return Err(Refused::Whole);
            }
            if !all || client.wholes.wait().is_some() {
                return Err(Refused::Often);
            }
            client.whole += 1;
            client.wholes.take(1);
        }
        client.calls += 1;
        client.idle_since = None;
        if asks == Asks::Whole {
            list.wholes.take(1);
        }
        Ok(Call { guest: Arc::clone(self), asks })
    }

    /// Waits until it has to leave: for somebody else, or because it has made no call for long.
    pub(super) async fn has_to_leave(&self) {
        tokio::select! {
            () = self.leave.notified() => {}
            () = self.waits_for_too_long() => {}
        }
    }

    async fn waits_for_too_long(&self) {
        sleep(PATIENCE).await;
        if self.is_in.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut list = self.all.0.list.lock();
        list.waiting.retain(|known| known.number != self.number);
        list.clients.retain(|client| client.known.number != self.number);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut list = self.guest.all.0.list.lock();
        if let Some(client) = list.client(self.guest.number) {
            client.calls -= 1;
            client.whole -= usize::from(self.asks == Asks::Whole);
            client.idle_since = (client.calls == 0).then(Instant::now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    fn guest(guests: &Guests) -> Arc<Guest> {
        Arc::new(guests.arrive())
    }

    async fn must_leave(guest: &Guest) -> bool {
        timeout(Duration::from_millis(1), guest.has_to_leave()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_say_nothing_make_room_for_those_who_come() {
        let guests = Guests::new(1);
        let waiting: Vec<_> = (0..WAITING).map(|_| guest(&guests)).collect();
        assert!(!must_leave(&waiting[0]).await);
        let next = guest(&guests);
        assert!(must_leave(&waiting[0]).await && !must_leave(&waiting[1]).await);
        waiting[1].heard().store(true, Ordering::Relaxed);
        let another = guest(&guests);
        assert!(must_leave(&waiting[2]).await && !must_leave(&waiting[1]).await, "who has said something stays");
        drop(another);
        let _call = next.call(Asks::Whole).expect("there is room");
        assert_eq!(waiting[0].call(Asks::Little).expect_err("it has to leave"), Refused::Clients(1));
        tokio::time::sleep(PATIENCE * 2).await;
        assert!(!must_leave(&next).await, "one that is in may stay");
        drop(waiting);
        assert!(guests.0.list.lock().waiting.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_comes_before_those_who_had_to_leave_are_gone() {
        let guests = Guests::new(1);
        let mut rooms = Vec::new();
        while let Ok(room) = timeout(Duration::from_millis(1), guests.room()).await {
            rooms.push(room);
        }
        assert_eq!(rooms.len(), WAITING + 2);
        drop(rooms.pop());
        assert!(timeout(Duration::from_millis(1), guests.room()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_makes_no_call_has_to_leave_after_a_while() {
        let guests = Guests::new(1);
        let silent = guest(&guests);
        assert!(!must_leave(&silent).await);
        assert!(timeout(PATIENCE * 2, silent.has_to_leave()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_too_many_is_told_so_unless_another_has_no_use_for_its_place() {
        let guests = Guests::new(2);
        let [busy, idle, third] = std::array::from_fn(|_| guest(&guests));
        let call = busy.call(Asks::Little).expect("there is room");
        let other = idle.call(Asks::Little).expect("there is room");
        let refused = third.call(Asks::Little).expect_err("there is none");
        assert_eq!(refused, Refused::Clients(2));
        assert!(Status::from(refused).message().contains("HOLDUP_CLIENTS"));
        assert!(!must_leave(&idle).await);
        drop(other);
        let _third = third.call(Asks::Little).expect("one has no call");
        assert!(must_leave(&idle).await && !must_leave(&busy).await);
        drop((call, busy));
        assert_eq!(guests.0.list.lock().clients.len(), 1);
    }

    #[tokio::test]
    async fn the_calls_of_one_connection_are_few() {
        let guests = Guests::new(2);
        let guest = guest(&guests);
        let whole: Vec<_> = (0..WHOLE).map(|_| guest.call(Asks::Whole).expect("there is room")).collect();
        assert_eq!(guest.call(Asks::Whole).expect_err("too many"), Refused::Whole);
        let little: Vec<_> = (WHOLE..CALLS).map(|_| guest.call(Asks::Little).expect("there is room")).collect();
        assert_eq!(guest.call(Asks::Little).expect_err("too many"), Refused::Calls);
        drop((whole, little));
        assert!(guest.call(Asks::Whole).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_everything_over_and_over_is_told_to_wait() {
        let guests = Guests::new(2);
        let guest = guest(&guests);
        let asks = || guest.call(Asks::Whole).map(drop);
        (0..WHOLES.1).for_each(|_| asks().expect("there is room"));
        assert_eq!(asks(), Err(Refused::Often));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(asks(), Ok(()));
    }
}
