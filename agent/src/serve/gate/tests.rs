//! Each who comes, each thing that is asked, and whether it is given.

mod fuzz;

use super::*;
use crate::access::Secret;
use std::net::SocketAddr;
use tonic::codegen::http::HeaderValue;

const READS: &str = "0123456789abcdef";
const PAUSES: &str = "fedcba9876543210";
const WATCH: &str = "/holdup.v1.Diagnostics/Watch";
const PAUSE: &str = "/rs.tokio.console.instrument.Instrument/Pause";
const RESUME: &str = "/rs.tokio.console.instrument.Instrument/Resume";
const MAY_CAPTURE: &str = "00112233445566778899";

fn gate(access: &Access) -> Gate {
    let place = Place::Tcp(([127, 0, 0, 1], 6669).into());
    Gate::new(access, &place, Audit::silent()).expect("it can be used")
}

fn with_tokens() -> Gate {
    let tokens = format!("{READS}\n{PAUSES} watch,pause\n{MAY_CAPTURE} watch,capture\n");
    gate(&Access { token: Some(Secret::new(tokens)), ..Access::default() })
}

fn tcp(local: &str) -> Visitor {
    let local: SocketAddr = local.parse().expect("an address");
    let from = Origin::Tcp { local: local.ip(), remote: ([127, 0, 0, 1], 4000).into() };
    Visitor { from, certificate: Certificate::NotAsked }
}

fn here() -> Visitor {
    tcp("127.0.0.1:6669")
}

fn unix(user: u32, owner: u32) -> Visitor {
    Visitor { from: Origin::Unix { user, process: Some(7), owner }, certificate: Certificate::NotAsked }
}

fn uri(host: &str, path: &str) -> Uri {
    format!("http://{host}{path}").parse().expect("a URI")
}

fn shown(authorization: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, HeaderValue::from_str(authorization).expect("a header"));
    headers
}

#[test]
fn a_socket_is_for_its_owner_and_root_who_may_act() {
    let gate = with_tokens();
    let ask = |visitor: &Visitor, path: &str| gate.judge(visitor, &uri("evil.example", path), &HeaderMap::new());
    for (user, owner) in [(1000, 1000), (0, 1000), (0, 0)] {
        for path in [WATCH, PAUSE, RESUME, CAPTURES] {
            assert!(ask(&unix(user, owner), path).is_ok(), "{path}");
        }
    }
    for (user, owner) in [(1001, 1000), (1000, 0), (65534, 1000)] {
        assert_eq!(ask(&unix(user, owner), WATCH), Err(Refused::User), "{user} at a socket of {owner}");
    }
}

#[test]
fn by_tcp_nobody_acts_who_has_shown_nothing() {
    let gate = gate(&Access::default());
    let ask = |path: &str| gate.judge(&here(), &uri("localhost:6669", path), &HeaderMap::new());
    assert_eq!(ask(WATCH), Ok(Known { who: String::new() }));
    assert_eq!(ask(PAUSE), Err(Refused::Right("pause")));
    assert_eq!(ask(RESUME), Err(Refused::Right("pause")));
    assert_eq!(ask(CAPTURES), Err(Refused::Right("capture")));
}

#[test]
fn a_token_is_asked_for_and_is_good_for_what_it_says() {
    let gate = with_tokens();
    let ask = |path: &str, headers: &HeaderMap| gate.judge(&here(), &uri("localhost", path), headers);
    let (reads, pauses) = (shown(&format!("Bearer {READS}")), shown(&format!("bearer {PAUSES}")));
    assert_eq!(ask(WATCH, &HeaderMap::new()), Err(Refused::NoToken));
    assert_eq!(ask(WATCH, &reads), Ok(Known { who: "token 1".to_owned() }));
    assert_eq!(ask(PAUSE, &reads), Err(Refused::Right("pause")));
    assert_eq!(ask(PAUSE, &pauses), Ok(Known { who: "token 2".to_owned() }));
    let captures = shown(&format!("Bearer {MAY_CAPTURE}"));
    assert_eq!(ask(CAPTURES, &captures), Ok(Known { who: "token 3".to_owned() }));
    for (path, headers, right) in
        [(CAPTURES, &reads, "capture"), (CAPTURES, &pauses, "capture"), (PAUSE, &captures, "pause")]
    {
        assert_eq!(ask(path, headers), Err(Refused::Right(right)), "{path}");
    }
    for wrong in
        ["Bearer", "Bearer ", "Basic 0123456789abcdef", READS, "Bearer 0123456789abcdef0", "Bearer 0123456789abcde"]
    {
        assert_eq!(ask(WATCH, &shown(wrong)), Err(Refused::BadToken), "{wrong}");
    }
}

#[test]
fn a_certificate_is_good_for_what_its_name_is() {
    let of = |rights| Certificate::Of { name: "ops.example".to_owned(), rights };
    let ask = |certificate: Certificate, path: &str| {
        let visitor = Visitor { certificate, ..here() };
        gate(&Access::default()).judge(&visitor, &uri("localhost", path), &HeaderMap::new())
    };
    assert_eq!(ask(of(Rights::WATCH), WATCH), Ok(Known { who: "certificate of ops.example".to_owned() }));
    assert_eq!(ask(of(Rights::WATCH), PAUSE), Err(Refused::Right("pause")));
    assert!(ask(of(Rights::WATCH.and(Rights::PAUSE)), PAUSE).is_ok());
    assert!(ask(of(Rights::WATCH.and(Rights::CAPTURE)), CAPTURES).is_ok());
    assert_eq!(ask(of(Rights::WATCH.and(Rights::PAUSE)), CAPTURES), Err(Refused::Right("capture")));
    assert_eq!(ask(of(Rights::PAUSE), WATCH), Err(Refused::Right("watch")));
    assert_eq!(ask(Certificate::Unlisted { name: "other.example".to_owned() }, WATCH), Err(Refused::Certificate));
}

#[test]
fn without_tls_the_agent_answers_to_its_own_names_alone() {
    let hosts = vec!["orders.internal".to_owned(), "10.0.0.5".to_owned()];
    let gate = gate(&Access { hosts, ..Access::default() });
    let visitor = tcp("192.168.0.7:6669");
    let ask = |host: &str| gate.judge(&visitor, &uri(host, WATCH), &HeaderMap::new());
    let own = [
        "localhost",
        "LOCALHOST:7000",
        "127.0.0.1:6669",
        "127.8.0.1",
        "[::1]:6669",
        "192.168.0.7:1",
        "Orders.Internal",
        "10.0.0.5",
    ];
    for host in own {
        assert!(ask(host).is_ok(), "{host}");
    }
    for host in ["evil.example:6669", "localhost.evil.example", "192.168.0.8", "[fe80::1]", "orders.internal.evil"] {
        let refused = ask(host).expect_err(host).to_string();
        assert!(refused.contains("HOLDUP_HOSTS"), "{refused}");
    }
    // A call that names nobody, and one that does so by the older header.
    let bare: Uri = WATCH.parse().expect("a path");
    assert!(gate.judge(&visitor, &bare, &HeaderMap::new()).is_err());
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("localhost:6669"));
    assert!(gate.judge(&visitor, &bare, &headers).is_ok());
}

#[test]
fn what_is_refused_says_so_by_its_code_and_shows_no_more_than_was_sent() {
    let gate = with_tokens();
    let admit =
        |host: &str, headers: &HeaderMap| gate.admit(&here(), &uri(host, WATCH), headers).expect_err("it is refused");
    assert_eq!(admit("localhost", &HeaderMap::new()).code(), tonic::Code::Unauthenticated);
    assert_eq!(admit("evil.example", &HeaderMap::new()).code(), tonic::Code::PermissionDenied);
    assert!(admit(&"e".repeat(200), &HeaderMap::new()).message().len() < 250);
    assert!(!admit("localhost", &shown("Bearer hunter2-hunter2-x")).message().contains("hunter2"));
}

#[test]
fn stacks_are_asked_for_once_in_a_second_by_all_who_may_together_and_others_do_not_count() {
    let gate = with_tokens();
    let ask = |visitor: &Visitor, token: &str| {
        let call = uri("localhost", CAPTURES);
        let known = gate.admit(visitor, &call, &shown(&format!("Bearer {token}")))?;
        gate.is_time(visitor, &known, &call)
    };
    // Whoever may not has none taken away from who may.
    assert_eq!(ask(&here(), READS).expect_err("it may watch").code(), tonic::Code::PermissionDenied);
    assert_eq!(*gate.captured.lock(), None);
    assert!(ask(&here(), MAY_CAPTURE).is_ok() && gate.captured.lock().is_some());
    for visitor in [here(), tcp("127.0.0.1:7000"), unix(0, 0)] {
        *gate.captured.lock() = Some(Instant::now());
        let status = ask(&visitor, MAY_CAPTURE).expect_err("it was asked for just now");
        assert_eq!(status.code(), tonic::Code::ResourceExhausted);
        assert!(status.message().contains("less than a second ago"), "{status}");
    }
    let watch = uri("localhost", WATCH);
    let known = gate.admit(&here(), &watch, &shown(&format!("Bearer {MAY_CAPTURE}"))).expect("it may");
    assert!(gate.is_time(&here(), &known, &watch).is_ok());
    let second_ago = Instant::now().checked_sub(BETWEEN_CAPTURES).expect("the machine has run for longer");
    *gate.captured.lock() = Some(second_ago);
    assert!(ask(&here(), MAY_CAPTURE).is_ok());
}
