//! Steps that have others inside of them.

use crate::{
    ends::{Ends, Slot},
    program::{Branch, Length, Phase, Place, Start, Step, Used, uses},
    run::{Boxed, Cx, run, span, spawn},
    things::{Counts, Kept},
};
use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};
use tokio::{
    sync::{Mutex, RwLock, Semaphore},
    time::sleep,
};

/// What comes after something was taken.
pub struct Then<'a> {
    pub cx: &'a Cx,
    pub step: &'a Step,
    pub ends: Ends<'a>,
    pub body: &'a [Step],
    pub after: &'a [Step],
}

impl Then<'_> {
    fn waits(&self) {
        self.cx.reaches(self.step, Phase::Waiting);
    }

    /// While it has what it took.
    fn inside(&mut self) -> Boxed<'_> {
        self.cx.reaches(self.step, Phase::Inside);
        run(self.cx, self.ends.again(), self.body)
    }

    /// Behind that.
    fn after(&mut self) -> Boxed<'_> {
        self.cx.reaches(self.step, Phase::After);
        run(self.cx, self.ends.again(), self.after)
    }

    fn done(&self) {
        self.cx.reaches(self.step, Phase::Done);
    }
}

pub async fn locks<T: Counts>(mut then: Then<'_>, lock: Arc<Mutex<T>>) {
    then.waits();
    let mut guard = lock.lock().await;
    guard.counts();
    then.inside().await;
    drop(guard);
    then.after().await;
    then.done();
}

pub async fn locks_owned<T: Counts>(mut then: Then<'_>, lock: Arc<Mutex<T>>) {
    then.waits();
    let mut guard = lock.lock_owned().await;
    guard.counts();
    then.inside().await;
    drop(guard);
    then.after().await;
    then.done();
}

pub async fn reads<T: Counts>(mut then: Then<'_>, lock: Arc<RwLock<T>>) {
    then.waits();
    let guard = lock.read().await;
    std::hint::black_box(&*guard);
    then.inside().await;
    drop(guard);
    then.after().await;
    then.done();
}

pub async fn writes<T: Counts>(mut then: Then<'_>, lock: Arc<RwLock<T>>) {
    then.waits();
    let mut guard = lock.write().await;
    guard.counts();
    then.inside().await;
    drop(guard);
    then.after().await;
    then.done();
}

pub async fn acquires(mut then: Then<'_>, semaphore: Arc<Semaphore>, count: u32) {
    then.waits();
    let permit = semaphore.acquire_many(count).await.expect("nobody closes it");
    std::hint::black_box(&permit);
    then.inside().await;
    drop(permit);
    then.after().await;
    then.done();
}

pub async fn reserves(mut then: Then<'_>, used: Used) {
    let Slot::Sender(Some(sender)) = then.ends.slot(used) else { panic!("it cannot send") };
    let sender = sender.clone();
    then.waits();
    let permit = sender.reserve().await;
    std::hint::black_box(&permit);
    then.inside().await;
    drop(permit);
    then.after().await;
    then.done();
}

pub async fn keeps(cx: &Cx, step: &Step, lock: Arc<Mutex<Kept>>, place: Place) {
    cx.reaches(step, Phase::Waiting);
    let guard = lock.lock_owned().await;
    if place == Place::Map {
        cx.map.lock().expect("nobody panics").insert(step.number, guard);
        cx.reaches(step, Phase::After);
        return;
    }
    let (log, number) = (Arc::clone(&cx.log), step.number);
    let short = (place == Place::ShortJob).then(|| log.short());
    cx.reaches(step, Phase::After);
    tokio::task::spawn_blocking(move || {
        if short.is_some() {
            std::thread::sleep(span(Length::Short));
        } else {
            let (sender, receiver) = std::sync::mpsc::channel::<u64>();
            let _ = receiver.recv();
            drop(sender);
        }
        drop(guard);
        log.reaches(number, Phase::Done);
    });
}

pub async fn spawns<'a>(cx: &'a Cx, ends: Ends<'a>, step: &'a Step, task: usize, body: &'a [Step]) {
    let below = cx.program.below(task);
    let which = cx.program.ends.iter().enumerate().filter(|(_, end)| below.contains(&end.task));
    let which: Vec<usize> = which.map(|(at, _)| at).collect();
    let mut ends: Ends<'_> = ends;
    let given = ends.taken(&which);
    // What was borrowed before it is moved leaves its bytes here.
    std::hint::black_box(&given);
    let mut handle = Some(spawn(&cx.shared(), task, given));
    ends.add(Used::Handle(task), Slot::Handle(&mut handle));
    cx.reaches(step, Phase::Inside);
    run(cx, ends, body).await;
    cx.reaches(step, Phase::Done);
}

pub async fn both<'a>(cx: &'a Cx, mut ends: Ends<'a>, step: &'a Step, left: &'a [Step], right: &'a [Step]) {
    cx.reaches(step, Phase::Inside);
    let (mine, others) = ends.split(&uses(left, &cx.program));
    tokio::join!(run(cx, mine, left), run(cx, others, right));
    cx.reaches(step, Phase::Done);
}

pub async fn either<'a>(cx: &'a Cx, mut ends: Ends<'a>, step: &'a Step, one: &'a Branch, two: &'a Branch) {
    cx.reaches(step, Phase::Inside);
    let (mine, others) = ends.split(&uses(&one.body, &cx.program));
    tokio::select! {
        () = run(cx, mine, &one.body), if one.enabled => {}
        () = run(cx, others, &two.body), if two.enabled => {}
    }
    cx.reaches(step, Phase::Done);
}

pub async fn any<'a>(cx: &'a Cx, mut ends: Ends<'a>, step: &'a Step, [one, two, three]: [&'a Branch; 3]) {
    cx.reaches(step, Phase::Inside);
    let (mine, mut others) = ends.split(&uses(&one.body, &cx.program));
    let (second, third) = others.split(&uses(&two.body, &cx.program));
    tokio::select! {
        () = run(cx, mine, &one.body), if one.enabled => {}
        () = run(cx, second, &two.body), if two.enabled => {}
        () = run(cx, third, &three.body), if three.enabled => {}
    }
    cx.reaches(step, Phase::Done);
}

pub async fn timeout<'a>(cx: &'a Cx, ends: Ends<'a>, step: &'a Step, length: Length, body: &'a [Step]) {
    cx.reaches(step, Phase::Inside);
    let _ = tokio::time::timeout(span(length), run(cx, ends, body)).await;
    cx.reaches(step, Phase::Done);
}

pub fn start<'a>(
    cx: &'a Cx,
    ends: Ends<'a>,
    step: &'a Step,
    how: Start,
    first: &'a [Step],
    rest: &'a [Step],
) -> Boxed<'a> {
    match how {
        Start::Once => Box::pin(once(cx, ends, step, first, rest)),
        Start::Beside => Box::pin(beside(cx, ends, step, first, rest)),
        Start::Pinned => Box::pin(pinned(cx, ends, step, first, rest)),
        Start::Dropped => Box::pin(dropped(cx, ends, step, first, rest)),
    }
}

async fn once<'a>(cx: &'a Cx, mut ends: Ends<'a>, step: &'a Step, first: &'a [Step], rest: &'a [Step]) {
    let (mine, others) = ends.split(&uses(first, &cx.program));
    cx.reaches(step, Phase::Waiting);
    let mut future = run(cx, mine, first);
    poll_once(&mut future).await;
    cx.reaches(step, Phase::Inside);
    run(cx, others, rest).await;
    cx.reaches(step, Phase::Done);
}

async fn beside<'a>(cx: &'a Cx, mut ends: Ends<'a>, step: &'a Step, first: &'a [Step], rest: &'a [Step]) {
    let (mine, others) = ends.split(&uses(first, &cx.program));
    cx.reaches(step, Phase::Waiting);
    let mut future = run(cx, mine, first);
    let ended = tokio::select! {
        () = &mut future => true,
        () = sleep(span(Length::Short)) => false,
    };
    cx.reaches(step, Phase::Inside);
    run(cx, others, rest).await;
    if !ended {
        cx.reaches(step, Phase::After);
        future.await;
    }
    cx.reaches(step, Phase::Done);
}

async fn pinned<'a>(cx: &'a Cx, mut ends: Ends<'a>, step: &'a Step, first: &'a [Step], rest: &'a [Step]) {
    let (mine, others) = ends.split(&uses(first, &cx.program));
    cx.reaches(step, Phase::Waiting);
    let mut future = pin!(async move { run(cx, mine, first).await });
    tokio::select! {
        () = &mut future => {}
        () = sleep(span(Length::Short)) => {}
    }
    cx.reaches(step, Phase::Inside);
    run(cx, others, rest).await;
    cx.reaches(step, Phase::Done);
}

async fn dropped<'a>(cx: &'a Cx, mut ends: Ends<'a>, step: &'a Step, first: &'a [Step], rest: &'a [Step]) {
    cx.reaches(step, Phase::Waiting);
    {
        let mut future = run(cx, ends.again(), first);
        poll_once(&mut future).await;
        drop(future);
    }
    cx.reaches(step, Phase::Inside);
    run(cx, ends, rest).await;
    cx.reaches(step, Phase::Done);
}

async fn poll_once(future: &mut Boxed<'_>) {
    poll_fn(|cx: &mut Context<'_>| {
        let _ = Pin::new(&mut *future).poll(cx);
        Poll::Ready(())
    })
    .await;
}
