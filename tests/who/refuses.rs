//! Each way of not being believed, told apart.

use super::{
    Came, READS,
    certificates::{Authority, Valid},
    process::{Ended, holdup},
    service::Service,
    token, watch,
};
use holdup::source::Credentials;
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

/// A service by TLS with this certificate, and what else is set.
fn secure(authority: &Authority, who: &str, more: &[(&str, &str)]) -> Service {
    let (certificate, key) = (authority.text(&format!("{who}.pem")), authority.text(&format!("{who}.key")));
    let own = [("HOLDUP_TLS_CERT", certificate.as_str()), ("HOLDUP_TLS_KEY", key.as_str())];
    Service::on_loopback(&[&own, more].concat())
}

#[tokio::test]
async fn the_certificate_of_the_service() {
    let authority = Authority::new();
    authority.sign("good", &["localhost"], Valid::Long);
    let service = secure(&authority, "good", &[]);
    let target = service.target("https");
    assert_eq!(watch(&target, authority.believed()).await, Came::State);

    let reason = watch(&target, Authority::new().believed()).await.gave_up();
    assert!(reason.contains("nobody whom this client believes") && reason.contains("--ca FILE"), "{reason}");
    let other = Credentials { server_name: Some("orders.example".into()), ..authority.believed() };
    let reason = watch(&target, other).await.gave_up();
    assert!(reason.contains("not for orders.example but for localhost; type"), "{reason}");
    let by_address = format!("https://127.0.0.1:{}", service.port());
    let reason = watch(&by_address, authority.believed()).await.gave_up();
    assert!(reason.contains("not for 127.0.0.1 but for localhost"), "{reason}");
    let named = Credentials { server_name: Some("localhost".into()), ..authority.believed() };
    assert_eq!(watch(&by_address, named).await, Came::State);
}

#[tokio::test]
async fn a_certificate_out_of_its_time() {
    let authority = Authority::new();
    authority.sign("old", &["localhost"], Valid::NoMore).sign("new", &["localhost"], Valid::NotYet);
    for (who, said) in [("old", "has expired"), ("new", "is not valid yet")] {
        let service = secure(&authority, who, &[]);
        let reason = watch(&service.target("https"), authority.believed()).await.gave_up();
        assert!(reason.contains(said), "{reason}");
    }
}

#[tokio::test]
async fn tls_to_a_plain_port_and_the_reverse() {
    let authority = Authority::new();
    authority.sign("good", &["localhost"], Valid::Long);
    let plain = Service::on_loopback(&[]);
    let reason = watch(&plain.target("https"), authority.believed()).await.gave_up();
    assert!(reason.contains("does not speak TLS; type http://"), "{reason}");
    let service = secure(&authority, "good", &[]);
    let reason = watch(&service.target("http"), authority.believed()).await.gave_up();
    assert!(reason.contains("expects TLS; type https://"), "{reason}");
}

#[tokio::test]
async fn a_token_that_is_missing_or_another() {
    let authority = Authority::new();
    let file = authority.write_own("tokens", &format!("# of orders\n{READS}\n"));
    let service = Service::on_loopback(&[("HOLDUP_TOKEN_FILE", &file)]);
    let target = service.target("http");
    let with = |text: &str| Credentials { token: Some(token(text)), ..Credentials::default() };
    assert_eq!(watch(&target, with(READS)).await, Came::State);
    let reason = watch(&target, Credentials::default()).await.gave_up();
    assert!(reason.contains("asks for a token and was given none; give it by --token-file FILE"), "{reason}");
    let reason = watch(&target, with("another-token-than-theirs")).await.gave_up();
    assert!(reason.contains("refused the token"), "{reason}");
}

#[tokio::test]
async fn the_certificate_of_the_client() {
    let (authority, theirs, others) = (Authority::new(), Authority::new(), Authority::new());
    authority.sign("good", &["localhost"], Valid::Long);
    theirs.sign("ops", &["ops.example"], Valid::Long);
    theirs.sign("guest", &["guest.example"], Valid::Long);
    theirs.sign("old", &["ops.example"], Valid::NoMore);
    others.sign("ops", &["ops.example"], Valid::Long);
    let ca = theirs.text("ca.pem");
    let names = [("HOLDUP_TLS_CLIENT_CA", ca.as_str()), ("HOLDUP_TLS_CLIENT_NAMES", "ci.example,ops.example")];
    let service = secure(&authority, "good", &names);
    let target = service.target("https");
    let shows = |of: &Authority, who: &str| Credentials {
        certificate: Some(of.path(&format!("{who}.pem"))),
        key: Some(of.path(&format!("{who}.key"))),
        ..authority.believed()
    };
    assert_eq!(watch(&target, shows(&theirs, "ops")).await, Came::State);
    for (credentials, said) in [
        (authority.believed(), "asks for a certificate and was given none; give one by --cert FILE and --key FILE"),
        (shows(&others, "ops"), "nobody whom it knows has signed it"),
        (shows(&theirs, "old"), "it has expired"),
        (shows(&theirs, "guest"), "not allowed: the certificate has no name that HOLDUP_TLS_CLIENT_NAMES lists"),
    ] {
        let reason = watch(&target, credentials).await.gave_up();
        assert!(reason.contains(said), "{said}: {reason}");
    }
}

#[test]
fn check_says_so_and_ends() {
    let authority = Authority::new();
    authority.sign("good", &["localhost"], Valid::Long);
    let file = authority.write_own("token", READS);
    let wrong = authority.write_own("wrong", "another-token-than-theirs");
    let service = secure(&authority, "good", &[("HOLDUP_TOKEN_FILE", &file)]);
    let (target, ca) = (service.target("https"), authority.text("ca.pem"));
    let check = |more: &[&str]| {
        let mut command = holdup(authority.folder.path());
        command.args([
            "check",
            "--no-memory",
            &target,
            "--for",
            "1s",
            "--fail-on",
            "never",
            "--connect-timeout",
            "60s",
            "--ca",
            &ca,
        ]);
        Ended::from(command.args(more).output().expect("it runs"))
    };
    let ended = check(&["--token-file", &file]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    let ended = check(&["--token-file", &wrong]);
    assert_eq!(ended.code, Some(3));
    assert!(ended.stderr.contains("cannot be watched: it refused the token"), "{}", ended.stderr);
    let by_environment = |name: &str, value: &str| {
        // The authorities that the system believes may be named like this.
        let mut command = holdup(authority.folder.path());
        command
            .args(["check", "--no-memory", &target, "--for", "1s", "--fail-on", "never", "--ca", &ca])
            .env(name, value);
        Ended::from(command.output().expect("it runs")).code
    };
    assert_eq!(by_environment("HOLDUP_TOKEN", READS), Some(0));
    assert_eq!(by_environment("HOLDUP_TOKEN_FILE", &file), Some(0));
    assert_eq!(by_environment("HOLDUP_TOKEN_FILE", "/nonexistent"), Some(2));
}

#[test]
fn an_address_that_others_reach_without_anything_to_show() {
    let service = Service::start(&[("HOLDUP_ADDR", "0.0.0.0:0")]);
    for part in ["0.0.0.0:0 can be reached from other machines", "HOLDUP_TLS_CERT", "HOLDUP_TOKEN_FILE", ",insecure"] {
        assert!(service.said.contains(part), "{}", service.said);
    }
    let service = Service::on_loopback(&[("HOLDUP_TOKEN", "short")]);
    assert!(service.said.starts_with("HOLDUP_TOKEN: a token there is shorter"), "{}", service.said);
    let service = Service::on_loopback(&[("HOLDUP_TLS_CERT", "/nonexistent"), ("HOLDUP_TLS_KEY", "/nonexistent")]);
    assert!(service.said.contains("/nonexistent: it cannot be read"), "{}", service.said);
}

#[test]
fn a_browser_which_is_told_nothing_that_it_may_use() {
    let service = Service::on_loopback(&[]);
    let mut stream = TcpStream::connect(("127.0.0.1", service.port())).expect("it listens");
    let request = "OPTIONS /holdup.v1.Diagnostics/Watch HTTP/1.1\r\nhost: localhost\r\norigin: http://evil.example\r\n\
                   access-control-request-method: POST\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = [0; 1024];
    let read = stream.read(&mut answer).expect("it answers");
    let answer = String::from_utf8_lossy(&answer[..read]).to_lowercase();
    assert!(answer.starts_with("http/1.1 505") && !answer.contains("access-control"), "{answer}");
}
