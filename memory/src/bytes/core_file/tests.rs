use super::*;
use crate::{
    bytes::{Live, grab, images},
    thread::{Running, Threads},
};
use std::{
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
};

/// Something to look at: a shell that waits for its input, which never comes.
struct Waits(Child);

impl Waits {
    fn start() -> Self {
        let child = Command::new("sh").args(["-c", "read line"]).stdin(Stdio::piped()).spawn().unwrap();
        // Until it reads, it is about to.
        std::thread::sleep(std::time::Duration::from_millis(100));
        Self(child)
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn of_file(content: &[u8]) -> Result<Core, Error> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    Core::open(file.path(), None)
}

#[test]
fn what_is_no_file_is_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [pipe.as_path(), Path::new("/dev/zero"), folder.path()] {
        let Err(Error::File(why)) = Core::open(path, None) else { panic!("{}", path.display()) };
        assert!(why.ends_with("it is no file"), "{why}");
    }
}

/// The functions on the first thread's stack.
fn functions(bytes: &dyn Bytes) -> Vec<String> {
    functions_of(bytes).unwrap()
}

fn functions_of(bytes: &dyn Bytes) -> Option<Vec<String>> {
    let scene = bytes.scene().unwrap();
    let mut threads = Threads::default();
    threads.renew(&scene, bytes);
    let told = threads.told(&scene, bytes, Running::LeftAlone);
    Some(told.first()?.stack.iter().map(|frame| frame.function.to_string()).collect())
}

/// What is the same of a live process and of what was kept of it.
fn same(live: &Live, core: &Core) {
    let (scene, kept) = (live.scene().unwrap(), core.scene().unwrap());
    assert_eq!(kept.state, ProcessState::Core);
    assert_eq!((kept.pid, &kept.executable), (scene.pid, &scene.executable));
    assert_eq!(kept.auxv, scene.auxv);
    assert_eq!(
        kept.threads[0].registers.map(|registers| (registers.pc, registers.sp)),
        scene.threads[0].registers.map(|registers| (registers.pc, registers.sp))
    );
    let (here, there) = (images(&scene.regions, live), images(&kept.regions, core));
    let names = |images: &[crate::bytes::Image]| -> Vec<(Arc<str>, u64, Vec<u8>)> {
        images.iter().map(|image| (image.path.clone(), image.bias, image.build_id.clone())).collect()
    };
    assert_eq!(names(&here), names(&there));
    // All that can be read of the process can be read of the file, and is the same.
    for region in scene.regions.iter().filter(|region| region.may.read() && region.path != "[vvar]") {
        let mut at = region.range.start;
        while at < region.range.end {
            let (mut live_page, mut core_page) = ([0; 4096], [0; 4096]);
            let read = live.read(at, &mut live_page);
            if read && !(region.may.shared() || region.path.starts_with("[v")) {
                assert!(core.read(at, &mut core_page), "{at:x} of {region:?}");
                assert!(live_page == core_page, "{at:x} of {region:?}");
            }
            at += 4096;
        }
    }
    assert!(
        core.missing().is_empty(),
        "{:?} of {:#?}",
        core.missing(),
        std::fs::read_to_string(format!("/proc/{}/maps", scene.pid))
    );
    assert_eq!(functions(live), functions(core));
    assert!(functions(core).iter().any(|function| function.contains("read")));
}

#[test]
fn a_grab_is_the_process_as_it_was() {
    let waits = Waits::start();
    let live = Live::open(waits.0.id()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sh.grab");
    let grabbed = grab::grab(&live, &path, grab::MOST).unwrap();
    assert!(grabbed.file < grabbed.memory && grabbed.threads == 1 && grabbed.left_out.is_empty());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let content = std::fs::read(&path).unwrap();
    assert!(String::from_utf8_lossy(&content[..300]).contains("contains the memory of that process"));
    same(&live, &Core::open(&path, None).unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_grab_is_written_over_nothing_that_is_there() {
    let waits = Waits::start();
    let live = Live::open(waits.0.id()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [file, link] = ["sh.grab", "link"].map(|name| folder.path().join(name));
    std::fs::write(&file, "an earlier one").unwrap();
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    for path in [&file, &link] {
        let said = grab::grab(&live, path, 200 << 10).unwrap_err().to_string();
        assert!(said.contains(&format!("{} is there already", path.display())), "{said}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "an earlier one");
    assert!(link.is_symlink());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "and nothing else is left");
}

#[test]
fn a_grab_that_is_cut_off_is_read_as_far_as_it_goes_and_says_so() {
    let waits = Waits::start();
    let live = Live::open(waits.0.id()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sh.grab");
    grab::grab(&live, &path, grab::MOST).unwrap();
    let content = std::fs::read(&path).unwrap();
    let core = of_file(&content[..content.len() * 3 / 4]).unwrap();
    assert_eq!(core.scene().unwrap().pid, waits.0.id());
    let missing = core.missing();
    assert!(missing.iter().any(|missing| missing.why.contains("cut off")), "{missing:?}");
    for len in [0, 1, 4, 100, 300, 600] {
        assert!(matches!(of_file(&content[..len]), Err(Error::File(_))));
    }
}

#[test]
fn a_grab_is_no_larger_than_it_may_be() {
    let waits = Waits::start();
    let live = Live::open(waits.0.id()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sh.grab");
    let grabbed = grab::grab(&live, &path, 200 << 10).unwrap();
    assert!(grabbed.memory <= 200 << 10 && !grabbed.left_out.is_empty());
    let core = Core::open(&path, None).unwrap();
    assert!(core.missing().iter().any(|missing| missing.why.contains("no larger")));
}

#[test]
#[ignore = "needs gcore"]
fn a_core_file_of_a_debugger_is_the_process_as_it_was() {
    let waits = Waits::start();
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("core");
    let made = Command::new("gcore").arg("-o").arg(&prefix).arg(waits.0.id().to_string()).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let live = Live::open(waits.0.id()).unwrap();
    let path = folder.path().join(format!("core.{}", waits.0.id()));
    same(&live, &Core::open(&path, None).unwrap());
    let content = std::fs::read(&path).unwrap();
    let core = of_file(&content[..content.len() / 2]).unwrap();
    assert!(core.missing().iter().any(|missing| missing.why.contains("cut off")));
    // Another program is not taken for the one that ran.
    let other = Core::open(&path, Some(&std::env::current_exe().unwrap())).unwrap();
    let missing = other.missing();
    assert!(missing.iter().any(|missing| missing.why.contains("another build")), "{missing:?}");
}

#[test]
#[ignore = "needs a kernel that writes core files where the process is"]
fn a_core_file_of_the_kernel_says_what_ended_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -c unlimited && kill -ABRT $$"]).current_dir(folder.path());
    let ended = command.status().unwrap();
    let path = std::fs::read_dir(folder.path()).unwrap().flatten().next().map(|entry| entry.path());
    let path = path.unwrap_or_else(|| panic!("the kernel wrote no core file: {ended}"));
    let core = Core::open(&path, None).unwrap();
    let scene = core.scene().unwrap();
    assert_eq!((core.ended_by(), &*scene.name, scene.threads.len()), (Some(6), "sh", 1));
    assert!(scene.executable.starts_with('/') && scene.auxv.iter().any(|(key, _)| *key == 9));
    assert!(scene.threads[0].registers.unwrap().tp.is_some() && core.missing().is_empty(), "{:?}", core.missing());
    assert!(functions(&core).iter().any(|function| function.contains("kill")), "{:?}", functions(&core));
}

#[test]
fn what_is_no_core_file_is_refused_in_words() {
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    for content in [&b"hello"[..], &own[..100_000]] {
        let Err(Error::File(why)) = of_file(content) else { panic!() };
        assert!(why.contains("no core file"), "{why}");
    }
    assert!(matches!(Core::open(Path::new("/nowhere"), None), Err(Error::File(_))));
}

/// A small grab, unpacked: with what a core file can have.
fn small() -> Vec<u8> {
    let waits = Waits::start();
    let live = Live::open(waits.0.id()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sh.grab");
    grab::grab(&live, &path, 300 << 10).unwrap();
    zstd::decode_all(std::fs::File::open(&path).unwrap()).unwrap()
}

/// Reads all that a core file could be asked for, names of functions aside, which take their time.
fn look_at(core: &Core) {
    let scene = core.scene().unwrap();
    let mut threads = Threads::default();
    threads.renew(&scene, core);
    for region in scene.regions.iter().take(200) {
        let _ = (core.present(region.range.clone()), core.file(region));
        let _ = core.word(region.range.start);
        let _ = core.word(region.range.end.wrapping_sub(4));
    }
}

#[test]
fn damaged_files_are_read_as_far_as_they_go() {
    use proptest::{
        strategy::{Strategy, ValueTree},
        test_runner::TestRunner,
    };
    let whole = small();
    let mut runner = TestRunner::default();
    let mut named = 0;
    let bytes = proptest::collection::vec((0_usize..whole.len().min(20_000), 0_u8..), 1..30);
    let mut test = |(changes, len): (Vec<(usize, u8)>, usize)| {
        let mut damaged = whole.clone();
        for (at, byte) in changes {
            damaged[at] = byte;
        }
        damaged.truncate(len.max(whole.len() / 2));
        if let Ok(core) = of_file(&damaged) {
            look_at(&core);
            named += 1;
            if named % 10 == 0 {
                let _ = functions_of(&core);
            }
        }
    };
    for _ in 0..300 {
        let drawn = (&bytes, 0..=whole.len()).new_tree(&mut runner).unwrap().current();
        test(drawn);
    }
}

proptest::proptest! {
    #[test]
    fn whatever_a_file_is_it_is_read(noise in proptest::collection::vec(0_u8.., 0..2000)) {
        let _ = of_file(&noise);
        let mut begins = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 62, 0, 1, 0, 0, 0];
        begins.extend(&noise);
        let _ = of_file(&begins).map(|core| look_at(&core));
        let _ = of_file(&[&[0x28, 0xb5, 0x2f, 0xfd][..], &noise].concat());
    }
}
