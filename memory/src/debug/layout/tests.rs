use super::*;
use crate::debug::{
    Search,
    tests::{build, check},
};
use proptest::prelude::*;
use std::fs;

#[test]
fn a_layout_tells_the_same() {
    let built = build(&["-Cdebuginfo=2"]);
    let debug = Debug::open(&built.file).unwrap();
    let to = built.directory.path().join("tokio.layout");
    let written = debug.write_layout(&to).unwrap();
    assert!(written.bytes < 64 << 10, "{written:?}");
    let search = Search { layout: Some(to.clone()), ..Search::default() };
    check(&Debug::find(&built.file, &search).unwrap());
    // Also beside a stripped one, and as what a user calls its debug information.
    let stripped = built.directory.path().join("stripped");
    assert!(std::process::Command::new("strip").arg("-o").arg(&stripped).arg(&built.file).status().unwrap().success());
    let named = Debug::find(&stripped, &Search { debug: Some(to.clone()), ..Search::default() }).unwrap();
    check(&named);
    fs::copy(&to, built.directory.path().join("stripped.layout")).unwrap();
    check(&Debug::find(&stripped, &Search::default()).unwrap());
}

#[test]
fn one_is_written_over_nothing_that_is_there_and_nothing_is_left_of_one_that_cannot_be_written() {
    let built = build(&["-Cdebuginfo=2"]);
    let debug = Debug::open(&built.file).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("layout");
    fs::write(&to, "an earlier one").unwrap();
    let said = debug.write_layout(&to).unwrap_err();
    assert!(said.contains("layout is there already, and is not written over"), "{said}");
    assert_eq!(fs::read_to_string(&to).unwrap(), "an earlier one");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    // Who may read it is what who makes files has said of all.
    let new = folder.path().join("new");
    debug.write_layout(&new).unwrap();
    assert_eq!(fs::metadata(&new).unwrap().permissions().mode(), fs::metadata(&to).unwrap().permissions().mode());
}

#[test]
fn one_of_another_build_is_refused() {
    let built = build(&["-Cdebuginfo=2"]);
    let other = build(&["-Cdebuginfo=2", "-Copt-level=3"]);
    let to = built.directory.path().join("layout");
    Debug::open(&other.file).unwrap().write_layout(&to).unwrap();
    let search = Search { layout: Some(to.clone()), ..Search::default() };
    let why = Debug::find(&built.file, &search).unwrap_err();
    assert!(why.contains("another build"), "{why}");

    let mut bytes = fs::read(&to).unwrap();
    bytes[MAGIC.len()] = VERSION as u8 + 1;
    fs::write(&to, &bytes).unwrap();
    let why = Debug::find(&other.file, &search).unwrap_err();
    assert!(why.contains("newer version"), "{why}");
    bytes[MAGIC.len()] = VERSION as u8;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&to, &bytes).unwrap();
    let why = Debug::find(&other.file, &search).unwrap_err();
    assert!(why.contains("damaged"), "{why}");
}

#[test]
fn a_kept_one_is_taken_the_next_time_and_made_anew_when_damaged() {
    let built = build(&["-Cdebuginfo=2"]);
    let cache = crate::debug::Cache::new(built.directory.path().join("cache"));
    let search = Search { cache: Some(cache.clone()), ..Search::default() };
    let first = Debug::find(&built.file, &search).unwrap();
    assert_eq!(&**first.from(), "the object itself");
    first.keep(&cache).unwrap();
    let second = Debug::find(&built.file, &search).unwrap();
    assert!(second.from().ends_with(".layout"), "{}", second.from());
    check(&second);
    let kept = cache.get(&name(first.build_id().unwrap())).unwrap();
    fs::write(&kept, b"holdup layout\n").unwrap();
    assert_eq!(&**Debug::find(&built.file, &search).unwrap().from(), "the object itself");
    assert!(!kept.exists());
}

/// Reads all of a body, whatever it is.
fn read_all(body: Vec<u8>, id: &BuildId) {
    let Some((layout, index)) = parse(body, id) else { return };
    let ids: Vec<_> = index.cells.values().chain(index.vtables.values()).copied().collect();
    for id in ids.into_iter().chain((0..layout.types.len() as u32).map(TypeId)) {
        layout.ty(id);
    }
}

#[test]
fn any_bytes_are_read_to_an_end() {
    let built = build(&["-Cdebuginfo=2"]);
    let debug = Debug::open(&built.file).unwrap();
    let id = debug.build_id().unwrap().clone();
    let good = body(&debug, &id).0.concat();
    let changes = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(300));
    runner
        .run(&(changes, any::<prop::sample::Index>()), |(changes, end)| {
            let mut bytes = good.clone();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            read_all(bytes.clone(), &id);
            bytes.truncate(end.index(bytes.len()));
            read_all(bytes, &id);
            Ok(())
        })
        .unwrap();
    // More than there is.
    read_all(vec![0xff; 64], &id);
}

#[test]
fn whoever_waits_for_layouts_waits_for_the_one_under_way() {
    let written = UnderWay::begin();
    assert!(!wait_for_layouts(Duration::from_millis(1)));
    let waits = std::thread::spawn(|| wait_for_layouts(Duration::from_secs(60)));
    drop(written);
    assert!(waits.join().unwrap());
}
