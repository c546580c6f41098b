//! Acting is another right than looking, each who comes is in the log, and what lets them in may be replaced.

use super::{
    ACTS, Came, PATIENCE, READS,
    certificates::{Authority, Valid},
    service::Service,
    token, watch,
};
use console_api::instrument::{PauseRequest, instrument_client::InstrumentClient};
use holdup::source::Credentials;
use std::{fs, time::Duration};
use tokio::time::{sleep, timeout};
use tonic::{Code, Request, Status, transport::Endpoint};

/// Asks for a pause, as one who calls the agent so and shows this.
async fn pause(port: u16, called: &str, shows: Option<&str>) -> Result<(), Status> {
    let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}")).expect("a URL");
    let endpoint = endpoint.origin(format!("http://{called}").parse().expect("a URL"));
    let channel = timeout(PATIENCE, endpoint.connect()).await.expect("in time").expect("it listens");
    let mut request = Request::new(PauseRequest {});
    if let Some(token) = shows {
        let header = format!("Bearer {token}").parse().expect("a header");
        request.metadata_mut().insert("authorization", header);
    }
    timeout(PATIENCE, InstrumentClient::new(channel).pause(request)).await.expect("in time").map(drop)
}

#[tokio::test]
async fn by_tcp_it_takes_a_token_that_is_good_for_it_and_the_log_has_each() {
    let authority = Authority::new();
    let file = authority.write_own("tokens", &format!("{READS}\n{ACTS} watch,pause\n"));
    let mut service = Service::on_loopback(&[("HOLDUP_TOKEN_FILE", &file)]);
    let port = service.port();

    let status = pause(port, "localhost", Some(READS)).await.expect_err("it is good for looking alone");
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(status.message().contains("takes the right to pause"), "{status}");
    let told = service.line("WARN holdup::audit: ");
    for part in ["kind=\"refusal\"", "peer=\"127.0.0.1:", "Pause: this takes the right to pause", "unsaid=0"] {
        assert!(told.contains(part), "{part}: {told}");
    }

    pause(port, "localhost", Some(ACTS)).await.expect("it is good for that");
    let told = service.line("INFO holdup::audit: ");
    for part in ["kind=\"act\"", "who=\"token 2\"", "what=\"Pause\""] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let credentials = Credentials { token: Some(token(READS)), ..Credentials::default() };
    assert_eq!(watch(&service.target("http"), credentials).await, Came::State);
    let told = service.line("INFO holdup::audit: ");
    for part in ["kind=\"attach\"", "who=\"token 1\"", "what=\"Watch\""] {
        assert!(told.contains(part) && !told.contains(READS), "{part}: {told}");
    }
}

#[tokio::test]
async fn by_tcp_nobody_acts_who_has_nothing_to_show() {
    let service = Service::on_loopback(&[]);
    let status = pause(service.port(), "localhost", None).await.expect_err("nothing was shown");
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!(watch(&service.target("http"), Credentials::default()).await, Came::State);
}

#[tokio::test]
async fn a_page_that_makes_its_own_name_lead_here_is_refused_unless_the_name_is_the_agents() {
    let mut service = Service::on_loopback(&[("HOLDUP_HOSTS", "orders.internal")]);
    let port = service.port();
    let status = pause(port, &format!("evil.example:{port}"), None).await.expect_err("it is not called so");
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(status.message().contains("does not go by the name \"evil.example\""), "{status}");
    assert!(service.line("WARN holdup::audit: ").contains("evil.example"));
    let status = pause(port, "orders.internal", None).await.expect_err("nothing was shown");
    assert!(status.message().contains("takes the right to pause"), "{status}");
}

#[tokio::test]
async fn certificates_and_tokens_are_read_again_and_bad_ones_are_not_taken() {
    let authority = Authority::new();
    authority.sign("own", &["localhost"], Valid::Long);
    let tokens = authority.write_own("tokens", READS);
    let (certificate, key) = (authority.text("own.pem"), authority.text("own.key"));
    let mut service = Service::on_loopback(&[
        ("HOLDUP_TLS_CERT", &certificate),
        ("HOLDUP_TLS_KEY", &key),
        ("HOLDUP_TOKEN_FILE", &tokens),
    ]);
    let target = service.target("https");
    let with = |text: &str| Credentials { token: Some(token(text)), ..authority.believed() };
    assert_eq!(watch(&target, with(READS)).await, Came::State);

    // What is no certificate: the one from before counts on.
    fs::write(&certificate, "no PEM").expect("a file");
    authority.write_own("tokens", "short");
    // Files are looked at once a second at the most.
    sleep(Duration::from_millis(1_100)).await;
    assert_eq!(watch(&target, with(READS)).await, Came::State);
    let warned = [service.line("kind=\"warning\" "), service.line("kind=\"warning\" ")];
    let warned = warned.join("\n");
    assert!(warned.contains("own.pem: there is no certificate in it"), "{warned}");
    assert!(warned.contains("tokens: a token there is shorter") && warned.contains("counts on"), "{warned}");

    // New ones, for another name and another client.
    authority.sign("own", &["orders.example"], Valid::Long);
    authority.write_own("tokens", ACTS);
    let other = Credentials { server_name: Some("orders.example".into()), ..with(ACTS) };
    let renewed = async {
        while watch(&target, other.clone()).await != Came::State {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, renewed).await.expect("it is read again");
    assert!(watch(&target, with(ACTS)).await.gave_up().contains("but for orders.example"));
}

#[tokio::test]
async fn a_certificate_is_told_by_its_name_without_a_list_and_may_be_taken_back() {
    let (authority, theirs) = (Authority::new(), Authority::new());
    authority.sign("own", &["localhost"], Valid::Long);
    theirs.sign("ops", &["ops.example"], Valid::Long).sign("guest", &["guest.example", "10.0.0.7"], Valid::Long);
    let files = ["own.pem", "own.key"].map(|file| authority.text(file));
    let (ca, revoked) = (theirs.text("ca.pem"), theirs.revoke(&["ops"]));
    let mut service = Service::on_loopback(&[
        ("HOLDUP_TLS_CERT", &files[0]),
        ("HOLDUP_TLS_KEY", &files[1]),
        ("HOLDUP_TLS_CLIENT_CA", &ca),
        ("HOLDUP_TLS_REVOKED", &revoked),
    ]);
    let target = service.target("https");
    let shows = |who: &str| Credentials {
        certificate: Some(theirs.path(&format!("{who}.pem"))),
        key: Some(theirs.path(&format!("{who}.key"))),
        ..authority.believed()
    };
    assert_eq!(watch(&target, shows("guest")).await, Came::State);
    let told = service.line("INFO holdup::audit: ");
    assert!(
        told.contains("kind=\"attach\"") && told.contains("who=\"certificate of guest.example, 10.0.0.7\""),
        "{told}"
    );
    let reason = watch(&target, shows("ops")).await.gave_up();
    assert!(reason.contains("it was revoked"), "{reason}");

    // What is no list: the one from before counts on.
    fs::write(&revoked, "no PEM").expect("a file");
    sleep(Duration::from_millis(1_100)).await;
    assert!(watch(&target, shows("ops")).await.gave_up().contains("it was revoked"));
    let warned = service.line("kind=\"warning\" ");
    assert!(warned.contains("revoked.pem: there is no revocation list in it"), "{warned}");

    // Another list: another is taken back.
    theirs.revoke(&["guest"]);
    let renewed = async {
        while watch(&target, shows("ops")).await != Came::State {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, renewed).await.expect("the new list in time");
    let reason = watch(&target, shows("guest")).await.gave_up();
    assert!(reason.contains("it was revoked"), "{reason}");
}
