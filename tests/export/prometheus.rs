//! A Prometheus of this machine's, which ends with its test: Debian's package `prometheus` has it, and `.ci/outside` installs it.

use serde_json::Value;
use std::{
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
};

/// One that scrapes each second.
pub(super) struct Prometheus {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Starts one with these jobs, each by its name and whom it scrapes, and with these files of rules.
    pub(super) fn start(jobs: &[(&str, SocketAddr)], rules: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("prometheus.yml");
        let mut text = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\nrule_files: {rules:?}\nscrape_configs:\n"
        );
        for (job, address) in jobs {
            let _ = writeln!(text, "  - job_name: {job}\n    static_configs: [{{targets: ['{address}']}}]");
        }
        fs::write(&config, text).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Prometheus is installed");
        Self { child, port, _folder: folder }
    }

    /// What its HTTP API answers to a request with these arguments, errors included; `None` while nobody answers.
    pub(super) fn asked(&self, path: &str, arguments: &[(&str, &str)]) -> Option<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let arguments: Vec<String> =
            arguments.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let query = arguments.join("&");
        // The older version, in which an answer is not told in chunks.
        write!(stream, "GET /api/v1/{path}?{query} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A value as it stands in an address.
fn encoded(value: &str) -> String {
    value.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}
