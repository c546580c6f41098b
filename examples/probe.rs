use holdup::{app::Watched, diagnose::Settings, model::Retention, wire};
#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).unwrap();
    let secs: u64 = std::env::args().nth(2).unwrap().parse().unwrap();
    let mut link = wire::connect(url.parse().unwrap(), wire::Options::default());
    let mut w = Watched::new(&Settings::default(), Retention::default());
    let end = tokio::time::Instant::now() + std::time::Duration::from_secs(secs);
    while let Ok(Some(ev)) = tokio::time::timeout_at(end, link.events.recv()).await {
        if let wire::Event::Connection(c) = &ev {
            eprintln!("{c:?}");
        }
        w.receive(ev);
        if std::env::var("CATCH").is_ok() && w.lags() {
            let _ = link.commands.try_send(wire::Command::CatchUp);
        }
    }
    println!("counts {:?} health {:?} issues {:?}", w.model.counts(), w.model.health(), w.model.health().issues);
    for f in w.engine.findings() {
        println!("{:?} {} {} {:?} {} [{}]", f.status, f.severity, f.lint.name, f.confidence, f.message, f.episodes);
        println!("    {:?}", f.subject);
        println!(
            "    holder {:?} waiters {} cycle {:?} tasks {}",
            f.related.holder.as_ref().map(|t| &t.name),
            f.related.waiters_total,
            f.related.cycle.iter().map(|c| (&c.task.name, &c.waits_for.place)).collect::<Vec<_>>(),
            f.related.tasks_total
        );
    }
    if std::env::var("LOCKS").is_ok() {
        for (r, l) in w.model.locks() {
            println!(
                "{} {:?} holds {:?} acq {} cont {}",
                w.model.place(r.place),
                l.state,
                l.holds,
                l.acquisitions,
                l.contended
            );
        }
    }
}
