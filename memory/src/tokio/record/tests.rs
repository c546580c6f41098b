use super::*;
use crate::bytes::{Error, Permissions, Scene, Watched};
use std::{ops::Range, path::PathBuf};

const HEAP: u64 = 0x10_0000;
const CODE: u64 = 0x50_0000;
const VTABLE: u64 = CODE + 0x40;
const TASK: u64 = HEAP + 0x1000;

/// A heap, word by word.
struct Heap(Vec<u64>);

impl Bytes for Heap {
    fn read(&self, at: u64, into: &mut [u8]) -> bool {
        let bytes: Vec<u8> = self.0.iter().flat_map(|word| word.to_le_bytes()).collect();
        let from = at.checked_sub(HEAP).and_then(|from| usize::try_from(from).ok());
        let piece = from.and_then(|from| bytes.get(from..from.checked_add(into.len())?));
        piece.map(|piece| into.copy_from_slice(piece)).is_some()
    }

    fn scene(&self) -> Result<Scene, Error> {
        Ok(Scene::default())
    }

    fn watched(&self) -> Vec<Watched> {
        Vec::new()
    }

    fn present(&self, range: Range<u64>) -> Vec<Range<u64>> {
        vec![range]
    }

    fn file(&self, _: &Region) -> Result<PathBuf, String> {
        Err("none".into())
    }
}

fn regions() -> Vec<Region> {
    let region = |at: u64, letters| Region {
        range: at..at + 0x10_0000,
        may: Permissions::from_letters(letters),
        ..Region::default()
    };
    vec![region(HEAP, "rw-p"), region(CODE, "r--p")]
}

/// A record as this compiler lays it out.
fn record(readiness: u64, list: (u64, u64), reader: u64, writer: u64) -> Record {
    let vtable = |data| if data == 0 { 0 } else { VTABLE };
    // What is no waker has whatever was there in the place of its data.
    let data = |data| if data == 0 { 0x7777_7777_7777 } else { data };
    [0, HEAP + 0x80, readiness, 0, list.0, list.1, vtable(reader), data(reader), vtable(writer), data(writer)]
}

#[test]
fn who_polls_is_told_with_what_for() {
    let regions = regions();
    let memory = Memory(&regions);
    let mut layouts = Layouts::default();
    let reads = record(0x1_0002, (0, 0), TASK, 0);
    let writes = record(0x2_0005, (0, 0), 0, TASK + 0x100);
    layouts.narrow(&[reads, writes, record(0, (0, 0), 0, 0)], memory);
    assert_eq!(layouts.polled(&reads, memory), [(TASK, VTABLE, Interest::Read)]);
    assert_eq!(layouts.polled(&writes, memory), [(TASK + 0x100, VTABLE, Interest::Write)]);
    assert_eq!(layouts.readiness(&reads, memory), Some(0x1_0002));
    // One that is torn, among many, changes nothing, and says nothing itself.
    let torn = [u64::MAX; WORDS];
    let many: Vec<Record> = std::iter::repeat_n(reads, 9).chain([torn]).collect();
    layouts.narrow(&many, memory);
    assert_eq!(layouts.polled(&torn, memory), []);
    assert_eq!(layouts.polled(&reads, memory), [(TASK, VTABLE, Interest::Read)]);
}

#[test]
fn nothing_is_told_of_what_is_no_record() {
    let regions = regions();
    let memory = Memory(&regions);
    let mut layouts = Layouts::default();
    layouts.narrow(&[[u64::MAX; WORDS], [7; WORDS]], memory);
    assert_eq!(layouts, Layouts::default());
    assert_eq!(layouts.polled(&record(2, (0, 0), TASK, 0), memory), []);
    assert_eq!(layouts.list(&[0; WORDS], memory), None);
}

#[test]
fn who_stands_in_a_list_is_told_if_its_links_agree() {
    let (first, second) = (HEAP, HEAP + 48);
    let node = |before: u64, after: u64, interest: u64, task: u64| [before, after, VTABLE, task, interest, 0xff00];
    let mut who = |data: u64, vtable: u64| (vtable == VTABLE && data >= TASK).then_some(data);
    let nodes = [node(0, second, 1, TASK), node(first, 0, 2, TASK + 0x100)];
    let told = waiters((first, second), &Heap(nodes.concat()), &mut who);
    assert_eq!(told, [(TASK, Interest::Read), (TASK + 0x100, Interest::Write)]);
    // One that does not lead back, one that leads round in a circle, one that is not there, one that ends elsewhere.
    let astray = [node(0, second, 1, TASK), node(0, 0, 2, TASK)].concat();
    let round = [node(second, second, 1, TASK), node(first, first, 1, TASK)].concat();
    for wrong in [astray, round, Vec::new(), node(0, 0, 1, TASK).to_vec()] {
        assert_eq!(waiters((first, second), &Heap(wrong), &mut who), []);
    }
    let whole = waiters((first, first), &Heap(node(0, 0, 3, TASK).to_vec()), &mut who);
    assert_eq!(whole, [(TASK, Interest::Any)]);
}

proptest::proptest! {
    #[test]
    fn whatever_stands_there_it_is_read(words in proptest::collection::vec(0_u64..0x40_0000, 0..64), at in 0_u64..600) {
        let (regions, heap) = (regions(), Heap(words));
        let memory = Memory(&regions);
        let mut layouts = Layouts::default();
        let read: Vec<Record> = records(&[HEAP + at, HEAP, u64::MAX], &heap).into_iter().flatten().collect();
        layouts.narrow(&read, memory);
        for record in &read {
            layouts.polled(record, memory);
            layouts.list(record, memory);
        }
        waiters((HEAP + at, HEAP), &heap, &mut |data, _| Some(data));
    }
}
