use super::*;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

struct Tells;

impl Answers for Tells {
    fn admit(&self, _: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
        match headers.get("authorization").map(HeaderValue::as_bytes) {
            Some(b"Bearer right") => Ok(()),
            Some(_) => Err(Refused::Forbidden("no".to_owned())),
            None => Err(Refused::Unauthorized("a token".to_owned())),
        }
    }

    fn answer(&self, path: &str, format: Format) -> Answer {
        match path {
            "/metrics" => Answer::Metrics(format, Bytes::from_static(b"up 1\n")),
            "/-/ready" => Answer::NotNow("nobody is attached to"),
            _ => Answer::Nowhere,
        }
    }
}

/// What is answered to these bytes, to the end of the connection.
async fn said(request: &[u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serves = async { converse(listener.accept().await.unwrap().0, &Tells).await };
    let asks = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        // A connection that is reset has said what it had to.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    };
    tokio::join!(serves, asks).1
}

fn request(line: &str, headers: &str) -> Vec<u8> {
    format!("{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer right\r\n{headers}\r\n").into_bytes()
}

#[tokio::test]
async fn metrics_are_told_in_the_format_that_is_asked_for_with_its_type() {
    let text = said(&request("GET /metrics", "")).await;
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(text.contains("\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{text}");
    assert!(text.contains("\r\nconnection: close\r\n") && text.contains("\r\ncontent-length: 5\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\nup 1\n"), "{text}");
    let accept = "Accept: application/openmetrics-text;version=1.0.0\r\nAccept: text/plain;q=0.5\r\n";
    let text = said(&request("GET /metrics", accept)).await;
    let kind = "\r\ncontent-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n";
    assert!(text.contains(kind), "{text}");
}

#[tokio::test]
async fn nothing_else_is_there() {
    let text = said(&request("GET /", "")).await;
    assert!(text.starts_with("HTTP/1.1 404 Not Found\r\n"), "{text}");
    let text = said(&request("GET /metrics/", "")).await;
    assert!(text.starts_with("HTTP/1.1 404 "), "{text}");
    let text = said(&request("GET /-/ready", "")).await;
    assert!(text.starts_with("HTTP/1.1 503 ") && text.ends_with("nobody is attached to\n"), "{text}");
    for method in ["POST", "HEAD", "PUT", "DELETE", "BREW"] {
        let text = said(&request(&format!("{method} /metrics"), "Content-Length: 0\r\n")).await;
        assert!(text.starts_with("HTTP/1.1 405 ") && text.contains("\r\nallow: GET\r\n"), "{text}");
    }
}

#[tokio::test]
async fn who_may_not_is_told_so_before_anything_else() {
    let text = said(b"POST /nowhere HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(text.starts_with("HTTP/1.1 401 ") && text.contains("\r\nwww-authenticate: Bearer\r\n"), "{text}");
    let text = said(b"GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer wrong\r\n\r\n").await;
    assert!(text.starts_with("HTTP/1.1 403 "), "{text}");
}

#[tokio::test]
async fn a_head_is_bounded_and_what_is_no_request_is_over() {
    let long = format!("X: {}\r\n", "x".repeat(HEAD));
    assert!(said(&request("GET /metrics", &long)).await.starts_with("HTTP/1.1 431 "));
    let many = "X: x\r\n".repeat(HEADERS + 1);
    assert!(said(&request("GET /metrics", &many)).await.starts_with("HTTP/1.1 431 "));
    assert_eq!(said(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await, "");
    assert!(said(b"\x16\x03\x01\x02\x00 what is no HTTP \r\n\r\n").await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_let_go() {
    let (near, _far) = tokio::io::duplex(64);
    let since = tokio::time::Instant::now();
    converse(near, &Tells).await;
    assert_eq!(since.elapsed().as_secs(), TIME.as_secs());
}
