//! Each variable, read as it should be and refused in words.

use super::*;

fn variable(name: &str) -> &'static Variable {
    VARIABLES.iter().find(|variable| variable.name == name).unwrap()
}

fn with(name: &str, value: &str) -> Result<Settings, Error> {
    let mut settings = Settings::default();
    settings.set(variable(name), value).map(|()| settings)
}

#[test]
fn the_defaults_in_the_table_are_the_defaults() {
    let mut settings = Settings::default();
    for variable in VARIABLES {
        settings.set(variable, variable.default).unwrap();
    }
    assert_eq!(settings, Settings::default());
}

#[test]
fn the_documentation_has_each_variable_with_its_default() {
    let documentation = include_str!("../lib.rs");
    for Variable { name, default, .. } in VARIABLES {
        let row = if default.is_empty() { format!("| `{name}` | ") } else { format!("| `{name}` | `{default}` | ") };
        assert!(documentation.contains(&row), "lib.rs has no row {row:?}");
    }
}

#[test]
fn values_are_read() {
    assert_eq!(Some(with("HOLDUP_ADDR", "[::1]:0").unwrap().access.address), Address::parse("[::1]:0"));
    let unix = with("HOLDUP_ADDR", "unix:/run/a.sock").unwrap().access.address;
    assert_eq!(unix, Address::Unix("/run/a.sock".into()));
    assert_eq!(with("HOLDUP_ADDR_FILE", "/run/a").unwrap().address_file, Some("/run/a".into()));
    assert_eq!(with("HOLDUP_HOSTS", "a, b").unwrap().access.hosts, ["a", "b"]);
    assert_eq!(with("HOLDUP_TOKEN_FILE", "/a").unwrap().access.token_file, Some("/a".into()));
    assert_eq!(with("HOLDUP_TOKEN", "x").unwrap().access.token, Some(Secret::new("x".to_owned())));
    assert_eq!(with("HOLDUP_TLS_CERT", "/a").unwrap().access.certificate, Some("/a".into()));
    assert_eq!(with("HOLDUP_TLS_KEY", "/a").unwrap().access.key, Some("/a".into()));
    assert_eq!(with("HOLDUP_TLS_CLIENT_CA", "/a").unwrap().access.client_ca, Some("/a".into()));
    assert_eq!(with("HOLDUP_TLS_REVOKED", "/a").unwrap().access.revoked, Some("/a".into()));
    assert_eq!(with("HOLDUP_TLS_CLIENT_NAMES", "a,b=pause").unwrap().access.client_names.len(), 2);
    assert_eq!(with("HOLDUP_DETAIL", "lean").unwrap().detail, Detail::Lean);
    assert_eq!(with("HOLDUP_DETAIL", " off\n").unwrap().detail, Detail::Off);
    assert_eq!(with("HOLDUP_HISTORY", "64MiB").unwrap().history, Some(64 << 20));
    assert_eq!(with("HOLDUP_HISTORY", "off").unwrap().history, None);
    assert!(with("HOLDUP_HISTORY", "64KiB").is_err());
    assert_eq!(with("HOLDUP_HISTORY_DIR", "/a").unwrap().history_dir, Some("/a".into()));
    assert_eq!(with("HOLDUP_FIELDS", "names").unwrap().fields, Fields::Names);
    assert_eq!(with("HOLDUP_FIELDS_ALLOW", "route, panic.message").unwrap().fields_allowed, ["route", "panic.message"]);
    assert_eq!(with("HOLDUP_NAME", "orders").unwrap().name.as_deref(), Some("orders"));
    assert_eq!(with("HOLDUP_RETENTION", "1h").unwrap().retention, Duration::from_secs(3600));
    assert_eq!(with("HOLDUP_RETENTION_BYTES", "512 KiB").unwrap().retention_bytes, 512 << 10);
    assert_eq!(with("HOLDUP_STALL_THRESHOLD", "1s").unwrap().stall_threshold, Duration::from_secs(1));
    assert_eq!(with("HOLDUP_STACKS", "off").unwrap().stacks, Stacks::Off);
    assert_eq!(with("HOLDUP_MEMORY", "8MiB").unwrap().memory, 8 << 20);
    assert_eq!(with("HOLDUP_CLIENTS", "2").unwrap().clients, 2);
    assert_eq!(with("HOLDUP_ALARMS", "5s").unwrap().alarms, Some(Duration::from_secs(5)));
    assert_eq!(with("HOLDUP_METRICS", "127.0.0.1:9669").unwrap().metrics, Address::parse("127.0.0.1:9669"));
    assert_eq!(with("HOLDUP_METRICS", "off").unwrap().metrics, None);
    assert_eq!(with("HOLDUP_STATE_SIGNAL", "usr2").unwrap().state_signal, Some(Signal::Usr2));
    assert_eq!(with("HOLDUP_STATE_FILE", "/tmp/a").unwrap().state_file, Some("/tmp/a".into()));
    assert_eq!(with("HOLDUP_PUBLISH_INTERVAL", "50ms").unwrap().publish_interval, Duration::from_millis(50));
}

#[test]
fn what_is_no_value_is_an_error_that_names_it_and_says_what_would_be_one() {
    for (name, value) in [
        ("HOLDUP_ADDR", "6669"),
        ("HOLDUP_ADDR", "localhost:6669"),
        ("HOLDUP_ADDR", "0.0.0.0:6669,secure"),
        ("HOLDUP_ADDR", "unix:@holdup"),
        ("HOLDUP_TLS_CLIENT_NAMES", "a=fly"),
        ("HOLDUP_DETAIL", "Full"),
        ("HOLDUP_FIELDS", "some"),
        ("HOLDUP_RETENTION", "10"),
        ("HOLDUP_RETENTION_BYTES", "16 MB"),
        ("HOLDUP_RETENTION_BYTES", "99999999999999999999GiB"),
        ("HOLDUP_STALL_THRESHOLD", "0s"),
        ("HOLDUP_STACKS", "yes"),
        ("HOLDUP_PUBLISH_INTERVAL", "10us"),
        ("HOLDUP_MEMORY", "1MiB"),
        ("HOLDUP_CLIENTS", "0"),
        ("HOLDUP_CLIENTS", "1001"),
        ("HOLDUP_ALARMS", "yes"),
        ("HOLDUP_METRICS", "9669"),
        ("HOLDUP_METRICS", "unix:/run/orders/metrics.sock"),
        ("HOLDUP_STATE_SIGNAL", "SIGKILL"),
    ] {
        let message = with(name, value).unwrap_err().to_string();
        assert!(message.contains(name) && message.contains(value), "{message}");
        assert!(message.contains(variable(name).expected), "{message}");
    }
}
