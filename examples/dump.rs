use holdup::{model::*, wire};
#[tokio::main]
async fn main() {
    let mut link = wire::connect(std::env::args().nth(1).unwrap().parse().unwrap(), wire::Options::default());
    let mut n = 0;
    while let Some(ev) = link.events.recv().await {
        if let wire::Event::Update(u) = ev {
            n += 1;
            println!("{:?} {:?} tasks {} ", u.part, u.now, u.new_tasks.len());
            for o in &u.new_ops {
                println!("new {o:?}");
            }
            for o in &u.op_stats {
                println!("stat {o:?}");
            }
            for o in &u.resource_stats {
                println!("res {o:?}");
            }
            println!("----");
            if n > 2 {
                return;
            }
        }
    }
    let _ = TaskId(1);
}
