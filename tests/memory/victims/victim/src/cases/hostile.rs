//! hostile HOW SEED: memory that lies on purpose: headers of tasks with the vtable of a living one, lists that lead back into
//! themselves, lengths of 2^60, and cells of sleeping tasks, or the whole heap, with words of every kind written over them.
//!
//! Nothing of it is ever polled again: all tasks sleep for longer than any test, and the end of stdin ends the process at once.

use super::{LONG, chains_more::poll_once, threads};
use crate::truth;
use futures::{future::join_all, stream::FuturesUnordered};
use std::{pin::Pin, sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, Notify, Semaphore, mpsc},
    task::JoinHandle,
};

pub fn run(rest: &[String]) {
    let how = rest.first().map_or("headers", String::as_str);
    let seed = rest.get(1).and_then(|word| word.parse().ok()).unwrap_or(1);
    let runtime = threads(2);
    let victims: Vec<JoinHandle<()>> = runtime.block_on(spawn());
    let cells: Vec<&mut [u64]> = victims.iter().map(cell).collect();
    match how {
        "headers" => headers(&cells),
        "lists" => lists(cells),
        "storm" => return in_a_child(seed),
        _ => scramble(cells, seed),
    }
    truth::ready();
    loop {
        std::thread::sleep(LONG);
    }
}

async fn spawn() -> Vec<JoinHandle<()>> {
    let notify: Arc<Notify> = Arc::default();
    let (semaphore, lock) = (Arc::new(Semaphore::new(1)), Arc::new(Mutex::new(1_u64)));
    let (tx, mut rx) = mpsc::channel::<u64>(1);
    let mut all = Vec::new();
    for _ in 0..16 {
        all.push(tokio::spawn(deep(9)));
        let told = notify.clone();
        all.push(tokio::spawn(async move { told.notified().await }));
        let permits = semaphore.clone();
        all.push(tokio::spawn(async move {
            let permit = permits.acquire().await;
            tokio::time::sleep(LONG).await;
            drop(permit);
        }));
        let mutex = lock.clone();
        all.push(tokio::spawn(async move {
            let mut guard = mutex.lock().await;
            tokio::time::sleep(LONG).await;
            *guard += 1;
        }));
        let sender = tx.clone();
        all.push(tokio::spawn(async move { while sender.send(1).await.is_ok() {} }));
        all.push(tokio::spawn(async {
            join_all((0..40).map(deep)).await;
        }));
        all.push(tokio::spawn(async {
            use futures::StreamExt;
            let mut some: FuturesUnordered<_> = (0..3).map(deep).collect();
            while some.next().await.is_some() {}
        }));
        let told = notify.clone();
        all.push(tokio::spawn(async move {
            tokio::select! {
                () = told.notified() => {}
                () = deep(2) => {}
            }
        }));
        all.push(tokio::spawn(async {
            let mut boxed: Vec<Pin<Box<dyn Future<Output = ()> + Send>>> = vec![Box::pin(deep(1)), Box::pin(deep(2))];
            for future in &mut boxed {
                poll_once(future).await;
            }
            boxed.remove(0).await;
        }));
    }
    all.push(tokio::spawn(async move {
        tokio::time::sleep(LONG).await;
        rx.recv().await;
    }));
    tokio::time::sleep(Duration::from_millis(300)).await;
    all
}

async fn deep(depth: u64) {
    if depth == 0 || depth > 9 {
        return tokio::time::sleep(LONG).await;
    }
    Box::pin(deep(depth - 1)).await;
}

/// The words of a task's cell: a handle is a pointer to it.
fn cell(handle: &JoinHandle<()>) -> &'static mut [u64] {
    // SAFETY: a handle is one word, the address of a cell that malloc gave; the task is never polled again.
    unsafe {
        let at = std::ptr::from_ref(handle).cast::<*mut libc::c_void>().read();
        std::slice::from_raw_parts_mut(at.cast::<u64>(), libc::malloc_usable_size(at) / 8)
    }
}

fn draw(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// 64 MB of copies of cells: with the vtable, and with all else wrong.
fn headers(cells: &[&mut [u64]]) {
    let mut lies: Vec<u64> = Vec::with_capacity(8 << 20);
    let from = lies.as_ptr() as u64;
    let mut state = 99;
    while lies.len() < (8 << 20) - 4096 {
        let cell = &cells[draw(&mut state) as usize % cells.len()];
        let at = lies.len();
        lies.extend(cell.iter());
        // State: any; queue: to another lie; owner: any.
        lies[at] = draw(&mut state) % 4096;
        lies[at + 1] = from + draw(&mut state) % (60 << 20) / 16 * 16;
        lies[at + 3] = draw(&mut state) % 4;
        let end = lies.len();
        for word in &mut lies[at + 4..end] {
            if draw(&mut state).is_multiple_of(3) {
                *word = hostile(&mut state, from + at as u64 * 8);
            }
        }
    }
    std::mem::forget(lies);
}

fn hostile(state: &mut u64, own: u64) -> u64 {
    match draw(state) % 8 {
        0 => 1 << 60,
        1 => u64::MAX,
        2 => own,
        3 => own + 64,
        4 => own + draw(state) % (1 << 20) / 8 * 8,
        5 => 0x8000_0000_0000_0000,
        6 => draw(state),
        _ => 0,
    }
}

/// The lists of all tasks lead in circles: the link of each is at the end of its cell.
fn lists(cells: Vec<&mut [u64]>) {
    let starts: Vec<u64> = cells.iter().map(|cell| cell.as_ptr() as u64).collect();
    for (n, cell) in cells.into_iter().enumerate() {
        for word in cell.iter_mut().skip(4) {
            if starts.contains(word) {
                *word = starts[n / 2];
            }
        }
    }
}

/// One word of eight of each cell, and of what its words lead to, is something else.
fn scramble(cells: Vec<&mut [u64]>, seed: u64) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for cell in cells {
        let own = cell.as_ptr() as u64;
        for word in cell.iter_mut().skip(4) {
            if draw(&mut state).is_multiple_of(8) {
                *word = hostile(&mut state, own);
            }
        }
    }
}

/// A child without any threads but this one, so that nobody uses the heap any more.
fn in_a_child(seed: u64) {
    // SAFETY: of the child's heap nothing is used after this.
    unsafe {
        if libc::fork() > 0 {
            loop {
                libc::pause();
            }
        }
    }
    let mut heaps = [(0, 0); 16];
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let found = maps.lines().filter_map(heap);
    for (heap, found) in heaps.iter_mut().zip(found) {
        *heap = found;
    }
    let mut text = [b' '; 32];
    for (byte, said) in text.iter_mut().zip(format!("ready {}", std::process::id()).bytes()) {
        *byte = said;
    }
    text[31] = b'\n';
    storm(heaps, seed);
    // SAFETY: the text is on the stack. Stdin ends for the child as it does for its parent.
    unsafe {
        libc::write(1, text.as_ptr().cast(), text.len());
        while libc::read(0, text.as_mut_ptr().cast(), 1) > 0 {}
        libc::_exit(0);
    }
}

/// The range of the heap itself, or of another thread's, which begins at a multiple of its size; no stacks.
fn heap(line: &str) -> Option<(u64, u64)> {
    let (from, to) = line.split(' ').next()?.split_once('-')?;
    let (from, to) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
    let is =
        line.contains("rw-p") && (line.ends_with("[heap]") || line.contains(" 00:00 0 ") && from % (64 << 20) == 0);
    is.then_some((from, to))
}

/// One word of 32 of the whole heap is something else.
fn storm(heaps: [(u64, u64); 16], seed: u64) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for (from, to) in heaps {
        for at in (from..to).step_by(8) {
            if draw(&mut state).is_multiple_of(32) {
                let word = hostile(&mut state, at);
                // SAFETY: it is mapped and may be written; what it breaks is never used again.
                unsafe { (at as *mut u64).write_volatile(word) };
            }
        }
    }
}
