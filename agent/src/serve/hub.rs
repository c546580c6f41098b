//! The one task that reads what is collected and tells every client: rounds of changes while somebody watches, and nothing
//! but a look for runtimes that have ended while nobody does.

use crate::{
    Detail,
    clock::{self, Nanos},
    collect::thread_state::agent_time,
    read::{
        changes::{self, Changes},
        spawn_times::TimesBySpawn,
    },
    runtimes::sample::Sampler,
    serve::{
        backlog::News,
        console::{histogram, pages::Updates, rows::Wakers},
        holdup::{
            pages::{Common, Reports, Whole},
            report, rows,
        },
        pace::{Pace, Publish},
        subscription::{self, Client, LAPSE, LAPSE_EARLY, Messages, PageStream, Pages, Subscription},
        time::timestamp,
    },
    settings::Settings,
    slots::free_list::Watchers,
    stalls::{record::Stalls, round::WorkerStack},
    standstills,
};
use console_api::{
    instrument::{State, Temporality},
    tasks::TaskDetails,
};
use holdup_proto::v1;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, MissedTickBehavior, interval_at},
};
use tonic::Status;

/// How often workers are looked at while somebody watches: several times within what makes a verdict.
const LOOK: Duration = Duration::from_millis(50);

/// How often runtimes that have ended are looked for.
const HOUSEKEEPING: Duration = Duration::from_secs(5);

/// Messages on one task, or on the temporality, that may wait for a client. When there are more, the newest is left out: the
/// next one says all of it again.
const AHEAD: usize = 4;

/// What a client asks for.
pub(crate) enum Command {
    Updates(oneshot::Sender<PageStream<Updates>>),
    Reports(Whole, oneshot::Sender<PageStream<Reports>>),
    /// Answered with nothing when there is no such task.
    Details(u64, oneshot::Sender<Option<Messages<TaskDetails>>>),
    /// The same for the other service.
    ReportDetails(u64, oneshot::Sender<Option<Messages<v1::TaskDetails>>>),
    State(oneshot::Sender<Messages<State>>),
    Set(Temporality),
}

type Sender<M> = mpsc::Sender<Result<M, Status>>;

pub(super) struct Hub {
    commands: mpsc::Receiver<Command>,
    /// Taken when the first client comes: what is collected has one reader.
    changes: Option<Changes>,
    sampler: Sampler,
    stalls: Arc<Stalls>,
    times: TimesBySpawn,
    /// Rows of it that were ever told, each with the round that it changed in last.
    spawn_times: Vec<(u64, Arc<v1::SpawnTimes>)>,
    times_round: u64,
    /// What the latest round of captures found.
    worker_stacks: watch::Receiver<Arc<[WorkerStack]>>,
    /// What changed before then was handed out.
    as_of: Nanos,
    /// Up to which of the stalls' versions the clients were told.
    told: u64,
    publish_interval: Duration,
    pace: Pace,
    /// For how long nothing was told before this round, where that is longer than it is set.
    told_every: Option<Duration>,
    /// What may be kept in all for clients that are behind.
    backlog_bytes: usize,
    wakers: Wakers,
    temporality: Temporality,
    updates: Vec<Subscription<Updates>>,
    reports: Vec<Subscription<Reports>>,
    details: Vec<(u64, Sender<TaskDetails>)>,
    report_details: Vec<(u64, Sender<v1::TaskDetails>)>,
    states: Vec<Sender<State>>,
}

impl Hub {
    pub(super) fn new(
        commands: mpsc::Receiver<Command>,
        settings: &Settings,
        stalls: Arc<Stalls>,
        worker_stacks: watch::Receiver<Arc<[WorkerStack]>>,
    ) -> Self {
        Self {
            commands,
            changes: None,
            sampler: Sampler::new(settings.stall_threshold),
            stalls,
            times: TimesBySpawn::default(),
            spawn_times: Vec::new(),
            times_round: 0,
            worker_stacks,
            as_of: clock::now(),
            told: 0,
            publish_interval: settings.publish_interval,
            pace: Pace::new(f64::from(settings.cpu) / 1000.0, Instant::now(), agent_time()),
            told_every: None,
            backlog_bytes: settings.memory / 8,
            wakers: if settings.detail == Detail::Lean { Wakers::NotCounted } else { Wakers::Counted },
            temporality: Temporality::Live,
            updates: Vec::new(),
            reports: Vec::new(),
            details: Vec::new(),
            report_details: Vec::new(),
            states: Vec::new(),
        }
    }

    /// Serves until nobody can ask for anything any more.
    pub(super) async fn run(mut self) {
        let mut publish = ticks(self.publish_interval);
        let mut look = ticks(LOOK.min(self.publish_interval));
        let mut stalled = self.stalls.subscribe();
        let mut housekeeping = ticks(HOUSEKEEPING);
        loop {
            let watched = self.is_watched();
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                _ = publish.tick(), if watched => self.publish_as_it_may(),
                _ = look.tick(), if !self.reports.is_empty() => self.look(),
                Ok(()) = stalled.changed(), if !self.reports.is_empty() => self.tell_stalls(),
                Ok(()) = self.worker_stacks.changed(), if !self.reports.is_empty() => self.tell_worker_stacks(),
                _ = housekeeping.tick() => self.look(),
            }
            self.drop_closed();
        }
    }

    fn is_watched(&self) -> bool {
        !(self.updates.is_empty()
            && self.reports.is_empty()
            && self.details.is_empty()
            && self.report_details.is_empty())
    }

    fn obey(&mut self, command: Command) {
        if self.changes.is_none() {
            self.changes = Changes::take();
        }
        match command {
            Command::Updates(answer) => {
                // What changed up to now is told to those who are here already, and is part of the whole state.
                self.catch_up();
                let (subscription, stream) = subscription::start(Updates::all(self.wakers));
                if answer.send(stream).is_ok() {
                    self.updates.push(subscription);
                }
            }
            Command::Reports(whole, answer) => {
                self.catch_up();
                let common = self.common();
                let (_, stalls) = self.stalls.since(0);
                // Whoever is here already is told by the change.
                let round = Arc::clone(&self.worker_stacks.borrow());
                let (subscription, stream) =
                    subscription::start(Reports::of(whole, common, stalls, round, self.wakers));
                if answer.send(stream).is_ok() {
                    self.reports.push(subscription);
                }
            }
            Command::Details(task, answer) => {
                let (sender, receiver) = mpsc::channel(AHEAD);
                let found = tell_details(task, &sender);
                if answer.send(found.then(|| Messages::new(receiver))).is_ok() && found {
                    self.details.push((task, sender));
                }
            }
            Command::ReportDetails(task, answer) => {
                changes::keep_wakers(task);
                let (sender, receiver) = mpsc::channel(AHEAD);
                let found = tell_report_details(task, &sender);
                if answer.send(found.then(|| Messages::new(receiver))).is_ok() && found {
                    self.report_details.push((task, sender));
                }
            }
            Command::State(answer) => {
                let (sender, receiver) = mpsc::channel(AHEAD);
                if answer.send(Messages::new(receiver)).is_ok() {
                    self.states.push(sender);
                    self.tell_state();
                }
            }
            Command::Set(temporality) => {
                self.temporality = temporality;
                // Nothing is kept for consoles meanwhile, and they are told everything when it is over.
                self.updates.iter().for_each(Client::lapse);
                self.tell_state();
            }
        }
        self.set_watchers();
    }

    fn set_watchers(&mut self) {
        let watched = if self.is_watched() { Watchers::Some } else { Watchers::None };
        if let Some(changes) = &mut self.changes {
            changes.set_watchers(watched);
        }
    }

    /// Takes what has changed, and hands it to every client.
    fn catch_up(&mut self) {
        let now = standstills::notice();
        let Self { changes, updates, reports, as_of, temporality, .. } = self;
        let Some(changes) = changes else { return };
        let updates = if *temporality == Temporality::Live { updates.as_slice() } else { &[] };
        *as_of = now;
        let round = changes.begin();
        round.tasks(&mut |change| {
            let news = News::from(change);
            note_all(updates, |updates| updates.tasks.note(&news));
            note_all(reports, |reports| reports.task(&news));
        });
        round.resources(&mut |change| {
            let news = News::from(change);
            note_all(updates, |updates| updates.resources.note(&news));
            note_all(reports, |reports| reports.resource(&news));
        });
        round.ops(&mut |change| {
            let news = News::from(change);
            note_all(updates, |updates| updates.ops.note(&news));
            note_all(reports, |reports| reports.op(&news));
        });
        if !reports.is_empty() {
            round.locks(&mut |change| {
                let news = News::from(change);
                note_all(reports, |reports| reports.lock(&news));
            });
            round.spans(&mut |row| {
                let row = Arc::new(row);
                note_all(reports, |reports| reports.spans(&row));
            });
        }
        self.bound_backlogs();
    }

    /// Bounds what is kept for clients that are behind: where it is too much in all, whoever is furthest behind loses it.
    fn bound_backlogs(&self) {
        for client in self.clients() {
            client.lapse_if_unread(LAPSE);
        }
        self.relieve(|client| client.weight(), |client| client.lapse_if_unread(LAPSE_EARLY));
        self.relieve(|client| client.kept(), |client| client.cut());
        self.clients().for_each(Client::looked_at);
    }

    /// Asks one client after the other to give up what is weighed, those with the most of it first, until the rest is little enough.
    fn relieve(&self, weigh: impl Fn(&dyn Client) -> usize, relieve: impl Fn(&dyn Client)) {
        let mut clients: Vec<(usize, &dyn Client)> = self.clients().map(|client| (weigh(client), client)).collect();
        let mut sum: usize = clients.iter().map(|(weight, _)| weight).sum();
        clients.sort_unstable_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        for (weight, client) in clients {
            if sum <= self.backlog_bytes {
                return;
            }
            relieve(client);
            sum -= weight.saturating_sub(weigh(client));
        }
    }

    fn clients(&self) -> impl Iterator<Item = &dyn Client> {
        let updates = self.updates.iter().map(|client| client as &dyn Client);
        updates.chain(self.reports.iter().map(|client| client as &dyn Client))
    }

    /// A round, unless the agent has used too much of a processor.
    fn publish_as_it_may(&mut self) {
        if let Publish::Now(every) = self.pace.round(Instant::now(), agent_time()) {
            self.told_every = every;
            self.publish();
        }
    }

    /// A round: everybody is told what has changed, and what time it is.
    fn publish(&mut self) {
        // What is paused is the console's view; holdup freezes its screen without asking anybody to stop.
        let live = self.temporality == Temporality::Live;
        if live || !self.reports.is_empty() {
            self.catch_up();
        }
        if live {
            self.updates.iter().for_each(|subscription| subscription.tell(Updates::round_is_over));
            self.details.retain(|(task, sender)| tell_details(*task, sender));
        }
        self.report_details.retain(|(task, sender)| tell_report_details(*task, sender));
        if self.reports.is_empty() {
            return;
        }
        let common = self.common();
        self.reports
            .iter()
            .for_each(|subscription| subscription.tell(|reports| reports.round_is_over(Arc::clone(&common))));
    }

    /// Looks at the workers, so that what has lasted is known to have.
    fn look(&mut self) {
        self.sampler.sample(standstills::notice());
    }

    /// What stalls is told at once, with the workers as they are.
    fn tell_stalls(&mut self) {
        let (version, changed) = self.stalls.since(self.told);
        self.told = version;
        if !changed.is_empty() {
            // All of a report is of one moment.
            self.catch_up();
            let common = self.common();
            self.reports
                .iter()
                .for_each(|subscription| subscription.tell(|reports| reports.stalls(&changed, Arc::clone(&common))));
        }
    }

    /// What a round of captures found is told at once, too.
    fn tell_worker_stacks(&mut self) {
        let round = Arc::clone(&self.worker_stacks.borrow_and_update());
        self.catch_up();
        let common = self.common();
        self.reports.iter().for_each(|subscription| {
            subscription.tell(|reports| reports.worker_stacks(Arc::clone(&round), Arc::clone(&common)));
        });
    }

    fn common(&mut self) -> Arc<Common> {
        self.look_at_times();
        let (runtimes, workers) = report::sample(&self.sampler.sample(clock::now()));
        let standstills = standstills::recent(self.as_of).into_iter().map(report::standstill).collect();
        let losses = report::losses(changes::losses());
        Arc::new(Common {
            as_of: Some(self.as_of),
            runtimes,
            workers,
            losses,
            standstills,
            spawn_times: self.spawn_times.clone(),
            times_round: self.times_round,
            told_every: self.told_every,
        })
    }

    /// Takes in how long polls took since it was looked at last.
    fn look_at_times(&mut self) {
        self.times_round += 1;
        for (at, times) in self.times.changed() {
            if self.spawn_times.len() <= at {
                self.spawn_times.resize_with(at + 1, || (0, Arc::default()));
            }
            self.spawn_times[at] = (self.times_round, Arc::new(report::spawn_times(&times)));
        }
    }

    fn tell_state(&mut self) {
        let state = State { temporality: self.temporality.into() };
        self.states.retain(|sender| tell(sender, state));
    }

    /// Lets go of clients that have left.
    fn drop_closed(&mut self) {
        let before = self.is_watched();
        self.updates.retain(Subscription::is_alive);
        self.reports.retain(Subscription::is_alive);
        self.details.retain(|(_, sender)| !sender.is_closed());
        self.report_details.retain(|(_, sender)| !sender.is_closed());
        self.states.retain(|sender| !sender.is_closed());
        if before && !self.is_watched() {
            self.set_watchers();
            // Nobody is left to ask that it goes on.
            self.temporality = Temporality::Live;
        }
    }
}

/// Ticks that begin after one interval, and are left out when they are late.
fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Notes what all clients of a service are to be told.
fn note_all<P: Pages>(clients: &[Subscription<P>], note: impl Fn(&mut P)) {
    for client in clients {
        client.note(&note);
    }
}

/// Tells a client of one task; whether it goes on.
fn tell_details(task: u64, sender: &Sender<TaskDetails>) -> bool {
    let Some(histograms) = changes::histograms(task) else { return false };
    tell(sender, TaskDetails { now: Some(timestamp(clock::now())), ..histogram::details(task, &histograms) })
}

/// The same for the other service.
fn tell_report_details(task: u64, sender: &Sender<v1::TaskDetails>) -> bool {
    let Some(histograms) = changes::histograms(task) else { return false };
    tell(sender, v1::TaskDetails { now: Some(timestamp(clock::now())), ..rows::details(task, &histograms) })
}

/// Sends what is whole in itself: where the client has not read the last ones yet, it can do without. Whether it is there.
fn tell<M>(sender: &Sender<M>, message: M) -> bool {
    !matches!(sender.try_send(Ok(message)), Err(mpsc::error::TrySendError::Closed(_)))
}
