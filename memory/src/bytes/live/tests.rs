use super::*;

fn own() -> Live {
    Live::open(std::process::id()).unwrap()
}

#[test]
fn memory_is_read_where_it_is_and_only_there() {
    let text: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
    let mut into = vec![0; text.len()];
    let live = own();
    assert!(live.read(text.as_ptr() as u64, &mut into));
    assert_eq!(into, text);
    assert!(!live.read(8, &mut [0; 8]));
    assert!(!live.read(u64::MAX - 3, &mut [0; 8]));
    assert_eq!(live.word(text.as_ptr() as u64), Some(u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7])));
    assert!(live.cost().1 >= 3_000_000);
}

#[test]
fn pieces_that_are_not_there_cost_no_others() {
    pieces(&own());
}

#[test]
fn where_the_call_is_forbidden_memory_is_read_as_a_file() {
    let way = Way::File(File::open("/proc/self/mem").unwrap());
    pieces(&Live { way, ..own() });
}

fn pieces(live: &Live) {
    let words: Vec<u64> = (0..2000).collect();
    let mut buffers = vec![[0_u8; 8]; 2000];
    let mut wanted: Vec<Wanted<'_>> = buffers
        .iter_mut()
        .enumerate()
        .map(|(i, into)| Wanted { at: if i % 7 == 3 { 16 } else { &raw const words[i] as u64 }, into, read: false })
        .collect();
    live.read_many(&mut wanted);
    assert!(wanted.iter().enumerate().all(|(i, piece)| piece.read == (i % 7 != 3)));
    drop(wanted);
    assert!(buffers.iter().enumerate().all(|(i, word)| i % 7 == 3 || u64::from_le_bytes(*word) == i as u64));
}

#[test]
fn what_was_never_touched_stays_so() {
    const LEN: usize = 64 << 20;
    let memory = memmap2::MmapOptions::new().len(LEN).map_anon().unwrap();
    let at = memory.as_ptr() as u64;
    let live = own();
    assert_eq!(resident(at, LEN), 0);
    assert!(live.present(at..at + LEN as u64).is_empty());
    let mut into = vec![1; 1 << 20];
    assert!(live.read(at + 4096, &mut into) && into.iter().all(|byte| *byte == 0));
    assert_eq!(resident(at, LEN), 0);
    assert!(live.present(at..at + LEN as u64).is_empty());
    assert_eq!(memory[5 << 20], 0);
    assert_ne!(resident(at, LEN), 0);
    assert!(live.scene().is_ok());
    assert!(!live.present(at..at + LEN as u64).is_empty());
}

/// How many pages there are in memory or in swap, as the kernel says.
fn resident(at: u64, len: usize) -> usize {
    let mut entries = vec![0; len / 4096 * 8];
    File::open("/proc/self/pagemap").unwrap().read_exact_at(&mut entries, at / 4096 * 8).unwrap();
    entries.chunks(8).filter(|entry| entry[7] & 0b1100_0000 != 0).count()
}

#[test]
fn a_file_that_is_mapped_is_read_without_touching_its_pages() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let content: Vec<u8> = (0..256 * 4096_u32).map(|i| (i / 4096) as u8).collect();
    fs::write(file.path(), &content).unwrap();
    #[allow(unsafe_code, reason = "nobody else changes the file")]
    // SAFETY: it stays as it is for as long as it is mapped.
    let map = unsafe { memmap2::Mmap::map(file.as_file()) }.unwrap();
    let live = own();
    let at = map.as_ptr() as u64;
    let region = live.scene().unwrap().regions.iter().find(|region| region.range.start == at).cloned().unwrap();
    assert_eq!(fs::read(live.file(&region).unwrap()).unwrap(), content);
    drop(file);
    let region = live.scene().unwrap().regions.iter().find(|region| region.range.start == at).cloned().unwrap();
    assert!(region.deleted);
    match live.file(&region) {
        Ok(path) => assert_eq!(fs::read(path).unwrap(), content),
        Err(why) => assert!(why.contains("deleted"), "{why}"),
    }
}

#[test]
fn the_scene_has_threads_and_their_registers() {
    let (tell, told) = std::sync::mpsc::channel();
    let (end, wait) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::Builder::new().name("sleeps here".into());
    let thread = thread.spawn(move || {
        tell.send(nix::unistd::gettid().as_raw().cast_unsigned()).unwrap();
        let _ = wait.recv();
    });
    let id = told.recv().unwrap();
    let live = own();
    let sleeping = std::iter::repeat_with(|| {
        std::thread::sleep(Duration::from_millis(5));
        let scene = live.scene().unwrap();
        scene.threads.into_iter().find(|thread| thread.id == id).unwrap()
    });
    let thread_seen = sleeping.take(200).find(|thread| thread.registers.is_some()).unwrap();
    assert_eq!((&*thread_seen.name, thread_seen.inner_id), ("sleeps here", id));
    assert!(
        thread_seen.waited.is_some()
            && thread_seen.cpu.is_some()
            && thread_seen.switches.is_some()
            && thread_seen.syscall.is_some()
    );
    let scene = live.scene().unwrap();
    assert_eq!(scene.pid, std::process::id());
    assert!(scene.started.unwrap() < scene.now);
    assert!(scene.auxv.iter().any(|(key, _)| *key == 3));
    assert!(scene.executable.starts_with('/'));
    assert!(Arc::ptr_eq(&scene.regions, &live.scene().unwrap().regions) || !scene.regions.is_empty());
    drop(end);
    thread.unwrap().join().unwrap();
}

#[test]
fn a_process_that_has_ended_is_said_to_have() {
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let live = Live::open(child.id()).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(matches!(live.scene(), Err(Error::Gone(_))));
    assert!(matches!(Live::open(child.id()), Err(Error::Gone(_))));
    assert!(!live.read(4096, &mut [0; 8]));
}

#[test]
fn a_program_that_another_replaces_is_read_as_that() {
    use std::io::Write;
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "read line; exec sleep 60"]).stdin(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let live = Live::open(child.id()).unwrap();
    let before = live.scene().unwrap();
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let after = std::iter::repeat_with(|| {
        std::thread::sleep(Duration::from_millis(5));
        live.scene().unwrap()
    });
    let after = after.take(400).find(|scene| scene.executable != before.executable).unwrap();
    assert!(after.executable.ends_with("sleep") || after.executable.contains("busybox"), "{}", after.executable);
    let headers = after.auxv.iter().find(|(key, _)| *key == 3).unwrap().1;
    assert!(live.word(headers).is_some() && after.regions != before.regions);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn files_that_only_the_process_sees_are_found_there() {
    let may = std::process::Command::new("unshare").args(["--mount", "true"]).status();
    if !may.is_ok_and(|done| done.success()) {
        eprintln!("nobody may make namespaces here");
        return;
    }
    let script = "mount -t tmpfs none /mnt && cp \"$(command -v sleep)\" /mnt/only-here && exec /mnt/only-here 60";
    let mut child = std::process::Command::new("unshare").args(["--mount", "sh", "-c", script]).spawn().unwrap();
    let live = Live::open(child.id()).unwrap();
    let scenes = std::iter::repeat_with(|| {
        std::thread::sleep(Duration::from_millis(5));
        live.scene().unwrap()
    });
    // The loader maps the library after the program has begun.
    let loaded = |scene: &Scene| scene.regions.iter().any(|region| region.path.contains("/libc"));
    let scene = scenes.take(1000).find(|scene| scene.executable == "/mnt/only-here" && loaded(scene)).unwrap();
    let region = scene.regions.iter().find(|region| region.path == scene.executable).unwrap();
    let path = live.file(region).unwrap();
    assert_eq!(path, PathBuf::from(format!("/proc/{}/root/mnt/only-here", child.id())));
    let (mut here, mut there) = ([0; 4096], [0; 4096]);
    File::open(&path).unwrap().read_exact_at(&mut there, region.offset).unwrap();
    assert!(live.read(region.range.start, &mut here) && here == there);
    // What is the same file here has its own name.
    let library = scene.regions.iter().find(|region| region.path.contains("/libc")).unwrap();
    assert_eq!(live.file(library).unwrap(), PathBuf::from(&library.path));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_stopped_process_is_told() {
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let live = Live::open(child.id()).unwrap();
    let pid = Pid::from_raw(child.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGSTOP).unwrap();
    let mut states = std::iter::repeat_with(|| {
        std::thread::sleep(Duration::from_millis(2));
        live.scene().unwrap().state
    });
    assert!(states.by_ref().take(500).any(|state| state == ProcessState::Stopped));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn names_are_whole() {
    assert_eq!(name("a-very-long-nam", "/opt/a-very-long-name"), "a-very-long-name");
    assert_eq!(name("main", "/opt/orders"), "main");
}
