//! Objects whose debug information is elsewhere.

use super::*;
use crate::debug::tests::{Built, build, check};
use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Command,
};

/// Takes the debug information out of an object, into a file of this name.
fn part(built: &Built, name: &str, into: &[&str]) -> PathBuf {
    let path = built.directory.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let objcopy = |arguments: &[&str]| {
        let status = Command::new("objcopy").current_dir(path.parent().unwrap()).args(arguments).status().unwrap();
        assert!(status.success(), "{arguments:?}");
    };
    let (object, shown) = (built.file.to_str().unwrap(), path.to_str().unwrap());
    objcopy(&["--only-keep-debug", object, shown]);
    objcopy(&[&["--strip-all"], into, &[object]].concat());
    path
}

fn found(object: &Path, search: &Search) -> Debug {
    Debug::find(object, search).unwrap()
}

#[test]
fn a_package_and_files_of_their_own_are_found() {
    for version in ["-Cdwarf-version=4", "-Cdwarf-version=5"] {
        let packed = build(&["-Cdebuginfo=2", "-Csplit-debuginfo=packed", version]);
        let debug = found(&packed.file, &Search::default());
        assert!(debug.from().contains("tokio.dwp"), "{}", debug.from());
        check(&debug);
        let unpacked = build(&["-Cdebuginfo=2", "-Csplit-debuginfo=unpacked", version]);
        let debug = found(&unpacked.file, &Search::default());
        assert!(debug.from().contains("split off"), "{}", debug.from());
        check(&debug);
        fs::remove_file(packed.directory.path().join("tokio.dwp")).unwrap();
        let debug = found(&packed.file, &Search::default());
        assert_eq!(debug.grade(), Grade::Lines);
        assert!(debug.from().contains(".dwo"), "{}", debug.from());
    }
}

#[test]
fn a_link_is_followed_beside_the_object() {
    for name in ["tokio.debug", ".debug/tokio.debug"] {
        let built = build(&["-Cdebuginfo=2"]);
        let path = part(&built, name, &["--add-gnu-debuglink=tokio.debug"]);
        let debug = found(&built.file, &Search::default());
        assert!(debug.from().contains(name), "{}", debug.from());
        check(&debug);
        // Another build's file in its place is said to be that.
        fs::copy(&build(&["-Cdebuginfo=2", "-Copt-level=3"]).file, path).unwrap();
        let debug = found(&built.file, &Search::default());
        assert_eq!(debug.grade(), Grade::Stripped);
        assert!(debug.from().contains("of another build"), "{}", debug.from());
    }
}

#[test]
fn without_a_build_id_the_checksum_decides() {
    let built = build(&["-Cdebuginfo=2", "-Clink-arg=-Wl,--build-id=none"]);
    let path = part(&built, "tokio.debug", &["--add-gnu-debuglink=tokio.debug"]);
    check(&found(&built.file, &Search::default()));
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(b"more").unwrap();
    let debug = found(&built.file, &Search::default());
    assert!(debug.from().contains("checksum"), "{}", debug.from());
}

#[test]
fn directories_of_the_system_are_those_of_the_process() {
    let built = build(&["-Cdebuginfo=2"]);
    let id = ObjectFile::open(&built.file).unwrap().build_id.unwrap();
    let (first, others) = id.parted();
    let root = built.directory.path().join("root");
    let path = format!("root/usr/lib/debug/.build-id/{first}/{others}.debug");
    part(&built, &path, &[]);
    let search = Search { root: Some(root), path: Some("/usr/bin/tokio".into()), ..Search::default() };
    check(&found(&built.file, &search));
}

#[test]
fn a_named_file_of_another_build_is_a_twin() {
    let built = build(&["-Cdebuginfo=0"]);
    let twin = build(&["-Cdebuginfo=2"]);
    let named = |file: &Path| Search { debug: Some(file.to_owned()), ..Search::default() };
    let debug = found(&built.file, &named(&twin.file));
    assert_eq!(debug.grade(), Grade::Twin);
    assert!(debug.from().contains("another build"), "{}", debug.from());
    // Its types, and the addresses of the object itself.
    let functions = |debug: &Debug| debug.index().task_functions.values().flatten().cloned().collect::<Vec<_>>();
    assert!(functions(&debug).iter().all(|name| debug.index().cells.contains_key(name)), "{:?}", functions(&debug));
    assert!(!functions(&debug).is_empty());
    assert!(debug.index().vtables.values().any(|ty| debug.ty(*ty).is_coroutine()));
    assert!(debug.index().thread_locals.iter().any(|local| local.0.contains("CONTEXT")));
    assert!(debug.index().block_on.is_empty());
    // Without a twin, its tasks have names.
    assert_eq!(functions(&found(&built.file, &Search::default())).len(), 2);
    let own = found(&twin.file, &named(&twin.file));
    assert_eq!(own.grade(), Grade::Full);
    let why = Debug::find(&built.file, &named(&built.file)).unwrap_err();
    assert!(why.contains("no types"), "{why}");
}

/// Answers one request, and says what was asked.
fn serve(listener: TcpListener, answer: Vec<u8>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut asked, mut buffer) = (vec![], [0; 1024]);
        while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
            let read = stream.read(&mut buffer).unwrap();
            asked.extend_from_slice(&buffer[..read]);
        }
        stream.write_all(&answer).unwrap();
        String::from_utf8_lossy(&asked).into_owned()
    })
}

#[test]
fn a_server_is_asked_by_build_id() {
    let built = build(&["-Cdebuginfo=2"]);
    let path = part(&built, "elsewhere/debug", &[]);
    let id = ObjectFile::open(&path).unwrap().build_id.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let cache = Cache::new(built.directory.path().join("cache"));
    let search = Search { servers: vec![server], cache: Some(cache), ..Search::default() };
    let debug = {
        let file = fs::read(&path).unwrap();
        let mut answer =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", file.len()).into_bytes();
        answer.extend(file);
        let request = serve(listener, answer);
        let debug = found(&built.file, &search);
        assert!(request.join().unwrap().starts_with(&format!("GET /buildid/{id}/debuginfo HTTP/1.1")));
        debug
    };
    assert!(debug.from().contains("a server"), "{}", debug.from());
    check(&debug);
    // The second time there is no server, and none is needed.
    check(&found(&built.file, &search));
}

#[test]
fn a_file_is_found_by_its_build_id_alone() {
    let built = build(&["-Cdebuginfo=2"]);
    let path = part(&built, "elsewhere/debug", &[]);
    let id = ObjectFile::open(&path).unwrap().build_id.unwrap();
    let other = BuildId::new(&[7; 20]).unwrap();
    let named = Search { debug: Some(path.clone()), ..Search::default() };
    assert_eq!((named.file_of(&id), named.file_of(&other)), (Some(path.clone()), None));

    let root = built.directory.path().join("root");
    let system = |id: &BuildId| root.join("usr/lib/debug/.build-id").join(id.parted().0);
    for of in [&id, &other] {
        fs::create_dir_all(system(of)).unwrap();
        fs::copy(&path, system(of).join(format!("{}.debug", of.parted().1))).unwrap();
    }
    let within = Search { root: Some(root.clone()), ..Search::default() };
    let kept = system(&id).join(format!("{}.debug", id.parted().1));
    assert_eq!((within.file_of(&id), within.file_of(&other)), (Some(kept), None), "a file of another build is none");

    for (asked, is_found) in [(&id, true), (&other, false)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let cache = Cache::new(built.directory.path().join("cache"));
        let search = Search { servers: vec![server], cache: Some(cache), ..Search::default() };
        let file = fs::read(&path).unwrap();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", file.len());
        let request = serve(listener, [head.into_bytes(), file].concat());
        assert_eq!(search.file_of(asked).is_some(), is_found);
        assert!(request.join().unwrap().starts_with(&format!("GET /buildid/{asked}/debuginfo HTTP/1.1")));
    }
}

#[test]
fn a_server_that_has_nothing_is_told() {
    let built = build(&["-Cdebuginfo=0"]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let request = serve(listener, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec());
    let cache = Cache::new(built.directory.path().join("cache"));
    let search = Search { servers: vec![server], cache: Some(cache), ..Search::default() };
    let debug = found(&built.file, &search);
    request.join().unwrap();
    assert!(debug.from().contains("does not have it"), "{}", debug.from());
    assert_eq!(fs::read_dir(built.directory.path().join("cache")).unwrap().count(), 0);
}

#[test]
fn a_checksum_is_as_others_count_it() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
}
