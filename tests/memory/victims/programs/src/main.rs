//! programs FILE: runs the programs of the file side by side until none of them moves, tells how far each came, and stays so. Each line
//! of its input asks it to tell again.

mod ends;
mod log;
#[expect(dead_code, reason = "what it has come to is read by the test alone")]
mod program;
mod run;
mod scopes;
mod things;

use log::{Log, Progress};
use program::Program;
use std::{
    io::{BufRead, Write},
    sync::Arc,
    time::Duration,
};

/// What it is to run.
#[derive(serde::Deserialize)]
struct Asked {
    /// How its runtime is built. It never has more than one worker: in which order tasks come to a queue is then known.
    current_thread: bool,
    programs: Vec<Program>,
}

fn main() {
    // A program that does what it cannot is a fault of this one.
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("{panic}");
        std::process::abort();
    }));
    let file = std::env::args().nth(1).expect("a file");
    let text = std::fs::read_to_string(file).expect("it can be read");
    let asked: Asked = serde_json::from_str(&text).expect("programs");
    let mut builder = if asked.current_thread {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    let runtime = builder.worker_threads(1).enable_all().build().expect("a runtime");
    let progress = Arc::<Progress>::default();
    let mut logs = Vec::new();
    {
        let _inside = runtime.enter();
        for program in asked.programs {
            let log = Arc::new(Log::new(&program, &progress));
            logs.push(Arc::clone(&log));
            run::start(program, log);
        }
    }
    let settled = runtime.spawn(settle(Arc::clone(&progress)));
    runtime.block_on(root(settled, logs));
}

/// What `block_on` runs.
async fn root(settled: tokio::task::JoinHandle<()>, logs: Vec<Arc<Log>>) {
    let _ = settled.await;
    tell(&logs, "ready");
    std::thread::spawn(move || {
        while std::io::stdin().lock().lines().next().is_some_and(|line| line.is_ok()) {
            tell(&logs, "again");
        }
        std::process::exit(0);
    });
    std::future::pending::<()>().await;
}

/// Until nothing has moved for a while in which this task had its turns, and nothing short is under way.
async fn settle(progress: Arc<Progress>) {
    loop {
        let before = progress.so_far();
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if progress.so_far() == before && progress.is_idle() {
            return;
        }
    }
}

fn tell(logs: &[Arc<Log>], last: &str) {
    let reached: Vec<program::Reached> = logs.iter().map(|log| log.reached()).collect();
    let mut out = std::io::stdout().lock();
    let text = serde_json::to_string(&reached).expect("numbers");
    writeln!(out, "{text}\n{last}").and_then(|()| out.flush()).expect("somebody reads it");
}
