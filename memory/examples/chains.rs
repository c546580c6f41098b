//! Prints what every task of a process, or of a core file, awaits: `cargo run --release -p holdup-memory --example chains PID`.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (target, options) =
        (std::env::args().nth(1).ok_or("which process? type its PID")?, holdup_memory::Options::default());
    let open = |pid| holdup_memory::Reader::open(pid, &options);
    let mut reader = target.parse().map_or_else(|_| holdup_memory::Reader::core(target.as_ref(), &options), open)?;
    let mut look = reader.look(&holdup_memory::Wants::default())?;
    look.changed.sort_by_key(|task| task.number);
    for task in &look.changed {
        println!("task {} {:?} {} {}", task.number, task.state, task.future, task.unread);
        let chain = task.chain.and_then(|chain| look.chains.get(chain as usize));
        for (index, frame) in chain.iter().flat_map(|chain| chain.frames.iter().enumerate()) {
            let place = frame.place.as_ref().map_or(String::new(), |place| format!("  {}:{}", place.file, place.line));
            println!("{}{} {:?}{place}", "  ".repeat(usize::from(frame.depth) + 1), frame.name, frame.reach);
            for wait in task.waits.iter().filter(|wait| usize::from(wait.frame) == index) {
                println!("{}→ {:?} {:?}", "  ".repeat(usize::from(frame.depth) + 2), wait.what, wait.basis);
            }
        }
    }
    for root in &look.roots {
        println!("thread {} block_on {} {} {:?}", root.thread, root.future, root.unread, root.waits);
    }
    look.things
        .iter()
        .filter(|thing| !thing.queue.is_empty() || !thing.holders.is_empty())
        .for_each(|thing| println!("{thing:#x?}"));
    Ok(())
}
