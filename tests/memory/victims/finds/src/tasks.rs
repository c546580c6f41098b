//! Tasks that keep a worker, that nobody polls, that nobody can wake; and jobs.

use crate::{Case, LONG, ms, threads};
use std::{
    future::poll_fn,
    sync::Mutex,
    task::{Poll, Waker},
    thread,
};
use tokio::{
    runtime::Builder,
    task::{block_in_place, spawn_blocking},
    time::sleep,
};

/// One blocks its worker. In the control it said so before.
pub fn stalled_worker(case: Case) {
    tokio::spawn(async move {
        match case {
            Case::Wrong => thread::sleep(LONG),
            Case::Control => block_in_place(|| thread::sleep(LONG)),
        }
    });
}

/// Tasks of a current-thread runtime that nobody drives. In the control somebody does, and is done with each soon.
pub fn undriven(case: Case) {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    match case {
        Case::Wrong => {
            (0..3).for_each(|_| drop(runtime.spawn(waits_to_begin())));
            std::mem::forget(runtime);
        }
        Case::Control => drop(thread::spawn(move || {
            runtime.block_on(async {
                loop {
                    (0..3).for_each(|_| drop(tokio::spawn(waits_to_begin())));
                    sleep(ms(1)).await;
                }
            });
        })),
    }
}

/// Tasks behind one that keeps the only worker of their runtime. In the control tasks are spawned all the time, and each is polled soon: at
/// each look there is one that was not yet.
pub fn never_polled(case: Case) {
    match case {
        Case::Wrong => {
            let runtime = Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
            runtime.spawn(async { thread::sleep(LONG) });
            thread::sleep(ms(50));
            (0..3).for_each(|_| drop(runtime.spawn(waits_to_begin())));
            std::mem::forget(runtime);
        }
        Case::Control => {
            for _ in 0..2 {
                tokio::spawn(async {
                    loop {
                        (0..50).for_each(|_| drop(tokio::spawn(waits_to_begin())));
                        tokio::task::yield_now().await;
                        sleep(ms(1)).await;
                    }
                });
            }
        }
    }
}

async fn waits_to_begin() {
    // As long as a small request takes.
    let mut sum = 0_u64;
    (0..20_000_u64).for_each(|n| sum = std::hint::black_box(sum.wrapping_add(n)));
    tokio::task::yield_now().await;
}

/// One sleeps and has given its waker to nobody. In the control it stands in a static, where no frame has it.
pub fn lost_waker(case: Case) {
    static KEPT: Mutex<Option<Waker>> = Mutex::new(None);
    tokio::spawn(async move {
        let mut polls = 0;
        poll_fn(|cx| {
            polls += 1;
            if case == Case::Control {
                *KEPT.lock().expect("nobody panics with it") = Some(cx.waker().clone());
            }
            if polls > 100 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    });
}

/// Two threads for jobs, which two jobs have for good, and three jobs that wait. In the control two have them for a while, and three more come
/// together now and then: one of these waits for an instant.
pub fn blocking_pool_full(case: Case) {
    match case {
        Case::Wrong => (0..5).for_each(|_| drop(spawn_blocking(|| thread::sleep(LONG)))),
        Case::Control => {
            tokio::spawn(async {
                loop {
                    let long: Vec<_> = (0..2).map(|_| spawn_blocking(|| thread::sleep(ms(900)))).collect();
                    for job in long {
                        let _ = job.await;
                    }
                    let short: Vec<_> = (0..3).map(|_| spawn_blocking(|| thread::sleep(ms(5)))).collect();
                    for job in short {
                        let _ = job.await;
                    }
                }
            });
        }
    }
}

/// One panicked, and its handle is kept, and not awaited. In the control one was cancelled, one ended in an error, one panicked inside of
/// what caught that, and one goes on.
pub fn panicked(case: Case) {
    std::panic::set_hook(Box::new(|_| {}));
    let runtime = threads(1);
    let handles = match case {
        Case::Wrong => vec![runtime.spawn(panics())],
        Case::Control => {
            let cancelled = runtime.spawn(goes_on());
            cancelled.abort();
            let failed = runtime.spawn(async { Err("an error that is a text".to_owned()) });
            let caught = runtime.spawn(async {
                let _ = std::panic::catch_unwind(|| panic!("which is caught"));
                Ok(())
            });
            vec![cancelled, failed, caught, runtime.spawn(goes_on())]
        }
    };
    std::mem::forget((runtime, handles));
}

async fn goes_on() -> Result<(), String> {
    sleep(LONG).await;
    Ok(())
}

async fn panics() -> Result<(), String> {
    sleep(ms(10)).await;
    panic!("on purpose");
}
