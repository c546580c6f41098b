//! Many targets at once: which comes first, what becomes of those that nobody hears, and one of them opened and left again.

use super::{running::Server, shell::Shell};
use std::net::TcpListener;

/// Where nobody listens: no server of another test is at this address, whatever port it is given.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.9:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn short(target: &str) -> &str {
    target.trim_start_matches("http://")
}

/// A shell in which holdup watches many.
fn watching(targets: &[&str]) -> Shell {
    let mut shell = Shell::start();
    shell.types(&format!("$HOLDUP {}; echo left=$?\r", targets.join(" ")));
    shell.shows("2 Findings");
    shell
}

/// Whether these stand in lines one below the other, in this order.
fn in_order(screen: &str, these: &[&str]) -> bool {
    let at: Vec<Option<usize>> = these.iter().map(|this| screen.lines().position(|line| line.contains(this))).collect();
    at.iter().all(Option::is_some) && at.is_sorted()
}

#[test]
fn the_worst_comes_first_and_one_is_opened_and_left_again() {
    let (stuck, well, dead) = (Server::start("deadlock"), Server::start("healthy"), nowhere());
    let mut shell = watching(&[&well.target, &dead, &stuck.target]);
    let order = [short(&stuck.target), short(&dead), short(&well.target)];
    shell.until("the worst first", |screen| in_order(&screen.contents(), &order));
    shell.shows("3 targets · 2 live");
    shell.shows("deadlock ·");
    shell.shows("lost");
    shell.types("\r");
    shell.shows("1 Findings  2 Tasks");
    shell.shows("▌● critical  deadlock");
    shell.shows("0 all targets");
    // It goes on being fed: what it says is never older than a second or so.
    shell.types("t");
    shell.shows("Flags▾");
    shell.types("0");
    shell.shows("╭ Targets");
    shell.until("the worst first", |screen| in_order(&screen.contents(), &order));
    shell.types("2");
    shell.shows("╭ Findings of all targets");
    shell.until("a finding with its target", |screen| {
        screen.contents().lines().any(|line| line.contains("deadlock") && line.contains(short(&stuck.target)))
    });
    shell.types("\r");
    shell.shows("The story");
    shell.types("\u{1b}");
    shell.shows("╭ Findings ─");
    shell.types("\u{1b}");
    shell.shows("╭ Findings of all targets");
    shell.types("q");
    shell.shows("left=0");
    shell.is_sane();
}

#[test]
fn what_ends_is_lost_and_what_comes_is_found_and_the_others_go_on() {
    let well = Server::start("healthy");
    let coming = nowhere();
    let going = Server::start("lock-across-await");
    let mut shell = watching(&[&well.target, &going.target, &coming]);
    shell.shows("3 targets · 2 live ● · 1 lost");
    shell.shows("held-across-await");
    drop(going);
    shell.shows("3 targets · 1 live ● · 2 lost");
    shell.hides("held-across-await");
    let came = Server::start_at(short(&coming), "spin-later-poll");
    shell.types("R");
    shell.shows("never-yields ·");
    shell.shows("3 targets · 2 live ● · 1 lost");
    shell.types("/healthy-is-no-word-of-any");
    shell.shows("No target is like this");
    shell.types("\u{1b}");
    shell.hides("No target is like this");
    drop(came);
    shell.types("q");
    shell.shows("left=0");
    shell.is_sane();
}
