//! How it comes back.

use super::{peer::bind, *};
use std::future::pending;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

#[tokio::test]
async fn to_a_process_that_died_and_mixes_nothing() {
    let peer = Console::new(vec![three()]).serve();
    let address = peer.address;
    let mut link = link_to(address);
    assert_eq!(session(&mut link).await.epoch, 1);
    assert_eq!(ids(&update(&mut link).await), [1, 2, 3]);

    drop(peer);
    let reason = lost(&mut link).await;
    assert!(reason.contains("closed by the target") || reason.contains("was reset"), "{reason}");

    // The same ids, another process.
    let other = tasks(vec![task(1, "x"), task(9, "y")]);
    let _peer = Peer::serve_at(address, Console::new(vec![other]).routes());
    let session = until(&mut link, |event| match event {
        Event::Begin(session) => Some(*session),
        Event::Update(update) => panic!("an update outside a session: {update:?}"),
        _ => None,
    });
    assert_eq!(session.await.epoch, 2);
    assert_eq!(ids(&update(&mut link).await), [1, 9]);
}

#[tokio::test]
async fn and_forgets_what_was_watched() {
    let console = Console::new(vec![three()]);
    let peer = console.serve();
    let address = peer.address;
    let mut link = link_to(address);
    update(&mut link).await;
    command(&link, Command::WatchTask(TaskId(1))).await;
    reaches(&console.counts.details, 1).await;
    drop(peer);
    lost(&mut link).await;
    let other = Console::new(vec![three()]);
    let _peer = Peer::serve_at(address, other.routes());
    session(&mut link).await;
    update(&mut link).await;
    assert_eq!(other.counts.details.load(SeqCst), 0);
}

/// A way to an address whose connections carry nothing more, and do not end, once they are told to vanish: as where the other machine lost
/// its power, or what stands between forgot them. Later ones are as any.
fn vanishing(address: SocketAddr) -> (Peer, watch::Sender<()>) {
    let (vanish, vanished) = watch::channel(());
    let proxy = Peer::run(bind(([127, 0, 0, 1], 0).into()), move |listener| async move {
        let listener = TcpListener::from_std(listener).expect("a listener");
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = TcpStream::connect(address).await.expect("the peer listens");
            let mut vanished = vanished.clone();
            vanished.mark_unchanged();
            tokio::spawn(async move {
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    Ok(()) = vanished.changed() => pending().await,
                }
            });
        }
    });
    (proxy, vanish)
}

/// It takes as long as a connection is given: half a minute.
#[tokio::test]
async fn where_the_connection_is_there_and_nobody_at_its_end() {
    let peer = Console::new(vec![three()]).serve();
    let (proxy, vanish) = vanishing(peer.address);
    let mut link = link_to(proxy.address);
    assert_eq!(session(&mut link).await.epoch, 1);
    assert_eq!(ids(&update(&mut link).await), [1, 2, 3]);
    vanish.send(()).expect("the proxy is there");
    let reason = lost(&mut link).await;
    assert!(reason.contains("nothing came back for"), "{reason}");
    assert_eq!(session(&mut link).await.epoch, 2);
    assert_eq!(ids(&update(&mut link).await), [1, 2, 3]);
}
