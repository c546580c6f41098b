//! The soak in short: what a service and its client have does not grow.
#![cfg(all(tokio_unstable, target_os = "linux"))]

use std::process::Command;

#[test]
fn neither_a_service_nor_its_client_grows() {
    let output = Command::new(env!("CARGO_BIN_EXE_soak")).args(["--lasting", "30s"]).output().unwrap();
    let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{wrong}");
    assert_eq!(said.lines().filter(|line| line.contains(" / ")).count(), 6, "{said}");
}
