//! What an agent says of its process.

use super::{text, time::stamp};
use crate::update::{DecodeIssues, Process};
use holdup_proto::v1::DescribeResponse;
use prost::Message as _;
use std::fmt::Write as _;

/// The longest boot id that the format allows, in bytes.
const MAX_BOOT_ID: usize = 64;

/// The process behind an agent. What it does not say is left empty, and what is cut is not counted: it is shown once, and
/// never joined with anything.
pub(in crate::source) fn process(described: DescribeResponse) -> Process {
    let issues = &mut DecodeIssues::default();
    let process = described.process.unwrap_or_default();
    Process {
        boot_id: hexadecimal(&process.boot_id),
        pid: process.pid,
        name: text::text(process.name, issues),
        executable: text::text(process.executable, issues),
        started: stamp(process.started_at, issues),
        agent_version: text::text(process.agent_version, issues),
        tokio_version: text::text(process.tokio_version, issues),
        detail: text::text(described.detail, issues),
        capabilities: texts(described.capabilities, issues),
        limitations: texts(described.limitations, issues),
    }
}

/// The same as a message.
pub(in crate::source) fn described(message: &[u8]) -> Option<Process> {
    DescribeResponse::decode(message).ok().map(process)
}

fn texts(list: Vec<String>, issues: &mut DecodeIssues) -> Vec<String> {
    text::items(list, issues).map(|one| text::text(one, issues)).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut hexadecimal = String::with_capacity(2 * bytes.len().min(MAX_BOOT_ID));
    for byte in bytes.iter().take(MAX_BOOT_ID) {
        // Writing to a string cannot fail.
        let _ = write!(hexadecimal, "{byte:02x}");
    }
    hexadecimal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_id_is_hexadecimal_and_bounded() {
        assert_eq!(hexadecimal(&[0x00, 0x0f, 0xab]), "000fab");
        assert_eq!(hexadecimal(&[7; 10_000]).len(), 2 * MAX_BOOT_ID);
    }

    #[test]
    fn an_agent_that_says_nothing_is_still_one() {
        assert_eq!(process(DescribeResponse::default()), Process::default());
    }
}
