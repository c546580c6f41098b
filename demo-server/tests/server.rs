//! The server as its users meet it: a process of its own, on free ports.

mod process;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread::sleep,
    time::Duration,
};

use process::{Server, refused};

/// Far above what an answer takes: a server among dozens that keep all processors waits for its turn.
const TIMEOUT: Duration = Duration::from_secs(60);

fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream
}

fn assert_echoes(addr: SocketAddr) {
    let mut stream = connect(addr);
    for line in [&b"hello\n"[..], &[0, 255, 13, 10], &[7; 10_000]] {
        stream.write_all(line).unwrap();
        let mut answer = vec![0; line.len()];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, line);
    }
}

/// Says hello in HTTP/2, and expects the other side's settings: more than a port that is open, less than a gRPC client.
fn assert_speaks_http2(addr: SocketAddr) {
    const EMPTY_SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const SETTINGS: u8 = 4;
    let mut stream = connect(addr);
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    stream.write_all(&EMPTY_SETTINGS).unwrap();
    let mut header = [0; 9];
    stream.read_exact(&mut header).unwrap();
    assert_eq!(header[3], SETTINGS, "frame header {header:?}");
}

#[test]
fn the_echo_echoes_and_the_console_answers() {
    let server = Server::start(&[]);
    assert_echoes(server.echo);
    assert_speaks_http2(server.console);
}

#[test]
fn a_peer_that_closes_its_side_gets_the_rest_and_then_the_end() {
    let server = Server::start(&["--load", "0"]);
    let mut stream = connect(server.echo);
    stream.write_all(b"last words").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "last words");
}

#[test]
fn the_console_answers_while_every_worker_is_stuck() {
    let server = Server::start(&["--scenario", "spin-first-poll", "--workers", "1"]);
    assert_speaks_http2(server.console);
}

#[test]
fn all_troubles_together_leave_the_echo_answering() {
    let server = Server::start(&["--scenario", "all"]);
    // By then the one that behaves for 2 s has ceased to.
    sleep(Duration::from_secs(3));
    assert_echoes(server.echo);
}

#[test]
#[ignore = "dozens of servers at once for a minute and a half; the client's tests of scenarios start each of them, too"]
fn each_scenario_can_be_switched_on() {
    let mut servers: Vec<_> = demo_server::scenarios()
        .iter()
        .map(|scenario| (scenario.name, Server::start(&["--scenario", scenario.name])))
        .collect();
    sleep(Duration::from_secs(1));
    for (name, server) in &mut servers {
        assert!(server.is_running(), "{name} has ended");
        assert_echoes(server.echo);
    }
    for (name, server) in servers {
        assert_eq!(server.end_stdin().code, Some(0), "{name}");
    }
}

#[test]
fn the_list_names_each_scenario_and_its_finding() {
    let listed = refused(&["--list"]);
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    for scenario in demo_server::scenarios() {
        let line = listed
            .stdout
            .lines()
            .find(|line| line.split_whitespace().next() == Some(scenario.name))
            .unwrap_or_else(|| panic!("{} is not listed", scenario.name));
        let from_agent = scenario.from_agent.unwrap_or_default();
        let nothing = from_agent.is_empty().then_some("-");
        assert!(line.contains(scenario.raises.or(nothing).unwrap_or_default()), "{line}");
        assert!(from_agent.iter().all(|raised| line.contains(raised.lint)), "{line}");
        assert!(line.ends_with(scenario.says), "{line}");
    }
}

#[test]
fn an_unknown_scenario_is_answered_with_the_known_ones() {
    let answer = refused(&["--scenario", "nope"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.stderr.contains("'nope'"), "{}", answer.stderr);
    for scenario in demo_server::scenarios() {
        assert!(answer.stderr.contains(scenario.name), "{} is not named", scenario.name);
    }
}

#[test]
fn a_taken_port_is_an_error_that_says_what_to_try() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    for (flag, other) in [("--echo-addr", "--console-addr"), ("--console-addr", "--echo-addr")] {
        let answer = refused(&[flag, &addr, other, "127.0.0.1:0"]);
        assert_eq!(answer.code, Some(1));
        assert_eq!(answer.stdout, "");
        assert!(answer.stderr.contains(&addr), "{}", answer.stderr);
        assert!(answer.stderr.contains(flag), "{}", answer.stderr);
        assert!(answer.stderr.contains("port 0"), "{}", answer.stderr);
    }
}

#[test]
fn a_log_filter_that_is_none_is_an_error_and_a_good_one_logs_to_stderr() {
    let free = ["--echo-addr", "127.0.0.1:0", "--console-addr", "127.0.0.1:0"];
    let answer = refused(&[&free[..], &["--log", "demo_server=loud"]].concat());
    assert_eq!(answer.code, Some(1));
    assert!(answer.stderr.contains("demo_server=loud"), "{}", answer.stderr);

    let server = Server::start(&["--log", "info", "--scenario", "sleeper"]);
    let ended = server.end_stdin();
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.stdout, "", "nothing after the two lines that say where it listens");
    assert!(ended.stderr.contains("sleeper"), "{}", ended.stderr);
}

#[cfg(unix)]
#[test]
fn sigterm_and_ctrl_c_end_it_whatever_its_workers_do() {
    for scenario in ["healthy", "spin-first-poll", "starved", "all"] {
        for signal in ["TERM", "INT"] {
            let server = Server::start(&["--scenario", scenario, "--workers", "1"]);
            let ended = server.signal(signal);
            assert_eq!(ended.code, Some(0), "{scenario} {signal}: {}", ended.stderr);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_signal_to_its_group_leaves_no_process_behind() {
    for signal in ["INT", "HUP", "KILL"] {
        let server = Server::start(&["--scenario", "vfork", "--load", "0"]);
        // Its child is before the pipe, which is opened after 1.5 s.
        sleep(Duration::from_millis(500));
        let ended = server.signal_group(signal);
        assert_eq!(ended.code, (signal == "INT").then_some(0), "{signal}: {}", ended.stderr);
    }
}

#[test]
fn a_server_that_nobody_listens_to_does_not_stay() {
    let ended = process::deaf(&["--scenario", "spin-first-poll", "--workers", "1"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("print where the server listens"), "{}", ended.stderr);
}

#[test]
fn the_end_of_stdin_ends_it_whatever_its_workers_do() {
    let server = Server::start(&["--scenario", "spin-first-poll", "--workers", "1"]);
    assert_eq!(server.end_stdin().code, Some(0));
}
