// What is done with bytes that may be a recording, or what is packed in one: it is opened, gone through, and gone to. Fuzz targets and a test share it.

use holdup::{
    record::{Begins, Header, Keeps, Out, Player, Recording, SegmentHead, SegmentTail, Writer},
    session::Session,
};
use std::{io::Cursor, time::Duration};

/// A recording, of which nothing need be intact.
pub(crate) fn recording(bytes: &[u8]) {
    let Ok(mut player) = Recording::read_from(Cursor::new(bytes.to_vec())).and_then(Player::new) else { return };
    while let Ok(Some(_)) = player.step() {}
    let findings = player.session().engine().findings().count();
    let Ok((first, last)) = player.span() else { return };
    if player.seek(first + last.saturating_sub(first) / 2).is_ok() && player.seek(last).is_ok() {
        let damage = player.recording().damage();
        let is_intact = damage.segments + damage.messages + damage.bytes == 0;
        let again = player.session().engine().findings().count();
        assert!(!is_intact || again == findings, "going there and playing there differ");
    }
}

/// A state and the events after it, each after its length, in a recording that is intact otherwise.
pub(crate) fn segment(bytes: &[u8]) {
    let packed = || -> Result<Vec<u8>, holdup::record::Error> {
        let mut writer = Writer::new(Vec::new(), &Header::new("fuzz", 1))?;
        let head = SegmentHead { number: 0, at: 0, wall: 1, begins: Begins::With(Session::STATE), keeps: Keeps::All };
        writer.put(Out::Begin(head))?;
        writer.put(Out::Bytes(zstd::encode_all(bytes, 1)?))?;
        writer.put(Out::End(SegmentTail { until: u64::from(u32::MAX), updates: 1, marks: Vec::new() }))?;
        writer.finish()
    };
    let Ok(packed) = packed() else { return };
    let Ok(mut player) = Recording::read_from(Cursor::new(packed)).and_then(Player::new) else { return };
    while let Ok(Some(_)) = player.step() {}
    let now = player.session().now(Duration::ZERO);
    for task in player.session().model().tasks().iter() {
        let shown = (task.load(now.unwrap_or(task.confirmed())), task.doings(task.confirmed()));
        assert!(shown.0 >= 0.0);
    }
}
