//! Many instances on one machine, each on a port or a socket of its own: `holdup ps` says where to go.

use crate::service::Service;
use holdup::source::Target;
use std::{env, process::Command};

fn ps(arguments: &[&str]) -> String {
    let listed = Command::new(env!("CARGO_BIN_EXE_holdup")).arg("ps").args(arguments).output().expect("holdup runs");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    String::from_utf8(listed.stdout).expect("text")
}

#[test]
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn a_list_of_processes_has_what_to_type_for_each_agent() {
    let socket = env::temp_dir().join(format!("holdup-found-{}.sock", std::process::id()));
    let (one, two) = (Service::on_loopback(&[]), Service::on_loopback(&[]));
    let three = Service::start(&[("HOLDUP_ADDR", &format!("unix:{}", socket.display()))]);
    let json: serde_json::Value = serde_json::from_str(&ps(&["--json"])).expect("JSON");
    let text = ps(&[]);
    for (service, typed) in [(&one, &one.said), (&two, &two.said), (&three, &format!("unix:{}", three.said))] {
        let of = |row: &&serde_json::Value| row["pid"] == service.id();
        let row = json["processes"].as_array().expect("a list").iter().find(of).expect("it is listed");
        assert_eq!(row["ports"], serde_json::json!([{ "of": "agent", "at": service.said }]));
        let line = text.lines().find(|line| line.trim_start().starts_with(&format!("{} ", service.id())));
        let line = line.expect("it is listed");
        let shown = line.split_once("  agent ").map(|(_, shown)| shown.split(' ').next().unwrap_or_default());
        assert_eq!(shown, Some(&**typed), "{line}");
        assert!(typed.parse::<Target>().is_ok(), "{typed}");
    }
}
