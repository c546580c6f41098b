//! Looks at a process again and again, and says what each look took: `rounds PID [COUNT]`.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let pid = args.next().ok_or("which process? type its PID")?.parse()?;
    let count: u32 = args.next().map_or(Ok(5), |count| count.parse())?;
    let began = std::time::Instant::now();
    let mut reader = holdup_memory::Reader::open(pid, &holdup_memory::Options::default())?;
    println!("opened in {:.1?}", began.elapsed());
    for _ in 0..count {
        let look = reader.look(&holdup_memory::Wants::default())?;
        let cost = look.cost;
        println!(
            "{} tasks, {} changed, {} ended, {} chains, {} walked, {} moving, {} MiB in {} calls, {:.1?}",
            look.tasks,
            look.changed.len(),
            look.ended.len(),
            look.chains.len(),
            cost.walked,
            cost.moving,
            cost.bytes >> 20,
            cost.calls,
            cost.took
        );
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    Ok(())
}
