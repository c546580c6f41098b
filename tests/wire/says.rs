//! What it says where something is wrong.

use super::*;

#[tokio::test]
async fn that_nothing_answers() {
    let peer = Peer::say(b"");
    let impatient = Options { answer_timeout: Duration::from_millis(200), ..options() };
    let mut link = open(target(&peer.address.to_string()), impatient);
    let reason = lost(&mut link).await;
    assert!(reason.contains("accepted the connection but did not answer within 0.2 s"), "{reason}");
}

#[tokio::test]
async fn that_it_is_a_web_server() {
    let peer = Peer::say(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    let reason = gave_up(&mut link_to(peer.address)).await;
    assert!(reason.contains("speaks HTTP/1, not gRPC"), "{reason}");
}

#[tokio::test]
async fn that_it_expects_tls() {
    let peer = Peer::say(&[0x15, 3, 1, 0, 2, 2, 0x46]);
    let reason = gave_up(&mut link_to(peer.address)).await;
    assert!(reason.contains("expects TLS"), "{reason}");
}

#[tokio::test]
async fn that_it_is_something_else() {
    let peer = Peer::say(b"220 mail.example.com ESMTP\r\n");
    let reason = gave_up(&mut link_to(peer.address)).await;
    assert!(reason.contains("does not speak gRPC"), "{reason}");
}

#[tokio::test]
async fn that_it_is_grpc_without_a_console() {
    let peer = Peer::serve(tonic::service::Routes::default());
    let reason = gave_up(&mut link_to(peer.address)).await;
    assert!(reason.contains("a gRPC server without a console"), "{reason}");
}

#[tokio::test]
async fn that_a_proxy_answered() {
    let (console, _body) = raw::answer(502, &[("content-type", "text/html")]);
    let peer = Peer::serve(console.routes());
    let reason = lost(&mut link_to(peer.address)).await;
    assert!(reason.contains("HTTP 502"), "{reason}");
}

#[tokio::test]
async fn that_it_was_refused_in_the_head() {
    let grpc = ("content-type", "application/grpc");
    let (console, _body) = raw::answer(200, &[grpc, ("grpc-status", "7"), ("grpc-message", "not%20you%21")]);
    let peer = Peer::serve(console.routes());
    let reason = gave_up(&mut link_to(peer.address)).await;
    assert_eq!(reason, "not allowed: not you!");
}

#[tokio::test]
async fn that_it_was_refused_in_the_trailers_whatever_else_they_hold() {
    let (console, body) = raw::grpc();
    let peer = Peer::serve(console.routes());
    body.bytes(raw::framed(&three()));
    let details = ("grpc-status-details-bin", "this is not base64!");
    body.trailers(&[("grpc-status", "8"), ("grpc-message", "too%20many"), details]);
    let mut link = link_to(peer.address);
    assert_eq!(ids(&update(&mut link).await), [1, 2, 3]);
    let reason = lost(&mut link).await;
    assert!(reason.starts_with("it refused: too many"), "{reason}");
}

#[tokio::test]
async fn that_the_stream_ended() {
    let (console, body) = raw::grpc();
    let peer = Peer::serve(console.routes());
    body.bytes(raw::framed(&three()));
    body.trailers(&[("grpc-status", "0")]);
    let reason = lost(&mut link_to(peer.address)).await;
    assert!(reason.contains("ended its stream"), "{reason}");
}

#[tokio::test]
async fn that_a_message_was_compressed() {
    let (console, body) = raw::grpc();
    let peer = Peer::serve(console.routes());
    body.bytes(vec![1, 0, 0, 0, 1, 0]);
    let reason = lost(&mut link_to(peer.address)).await;
    assert!(reason.contains("compressed"), "{reason}");
}

#[tokio::test]
async fn that_a_name_does_not_resolve() {
    let mut link = open(target("no-such-host.invalid:1"), options());
    let reason = lost(&mut link).await;
    assert!(reason.contains("no-such-host.invalid cannot be resolved"), "{reason}");
}
