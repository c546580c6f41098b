//! Ids, of which 0 is none.

use crate::update::{DecodeIssues, TaskId};

/// An id, where 0 stands for none.
pub(super) fn known(id: u64) -> Option<u64> {
    (id != 0).then_some(id)
}

/// A task, where 0 stands for none.
pub(super) fn task(id: u64) -> Option<TaskId> {
    (id != 0).then_some(TaskId(id))
}

/// The reverse of [`task`].
pub(super) fn id(task: Option<TaskId>) -> u64 {
    task.map_or(0, |task| task.0)
}

/// Numbers in protobuf's packed form.
pub(super) fn packed_ids(mut bytes: &[u8], issues: &mut DecodeIssues) -> impl Iterator<Item = u64> + use<> {
    let mut ids = Vec::new();
    while !bytes.is_empty() {
        let Ok(id) = prost::encoding::decode_varint(&mut bytes) else {
            issues.malformed += 1;
            break;
        };
        ids.push(id);
    }
    ids.into_iter()
}
