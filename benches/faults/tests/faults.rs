//! The fault run in short: what goes through a network that does harm is known afterwards as it should be.
#![cfg(all(tokio_unstable, target_os = "linux"))]

use std::process::Command;

fn run(more: &[&str]) {
    let run = [&["--seed", "3", "--rounds", "3"], more].concat();
    let output = Command::new(env!("CARGO_BIN_EXE_faults")).args(run).output().unwrap();
    let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{wrong}");
    assert_eq!(said.matches("rows equal").count(), 3, "{said}");
}

#[test]
fn what_a_client_knows_after_faults_is_what_a_fresh_one_is_told() {
    run(&[]);
}

#[test]
fn by_tls_too() {
    run(&["--tls"]);
}
