use super::*;
use crate::bytes::Live;
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// A program of `programs/`, which ends when its input does.
struct Program {
    child: Child,
    /// What it said: `thread NAME TID ADDRESS-OF-ITS-LOCAL [ADDRESS-OF-A-LIBRARY'S]`.
    threads: Vec<(String, u32, u64, Option<u64>)>,
    _folder: tempfile::TempDir,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn compile(source: &str, flags: &[&str], to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/thread/programs").join(source);
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command.args(["--edition=2024", "-Copt-level=1"]).args(flags).arg("-o").arg(to).arg(from);
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn run(source: &str, flags: &[&str], with_library: Option<&str>) -> Program {
    let folder = tempfile::tempdir().unwrap();
    let (program, library) = (folder.path().join("program"), folder.path().join("liblocal.so"));
    compile(source, flags, &program);
    if let Some(source) = with_library {
        compile(source, &["--crate-type=cdylib"], &library);
    }
    start(Command::new(&program).args(with_library.map(|_| &library)), folder)
}

fn start(command: &mut Command, folder: tempfile::TempDir) -> Program {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let threads = lines
        .take_while(|line| line != "ready")
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let address = |word: &str| u64::from_str_radix(word.trim_start_matches("0x"), 16).unwrap();
            (words[1].to_owned(), words[2].parse().unwrap(), address(words[3]), words.get(4).map(|word| address(word)))
        })
        .collect();
    Program { child, threads, _folder: folder }
}

/// Each thread's block of the executable holds its local, and of the library the library's.
fn check(program: &Program, library: &str) {
    check_of(program.child.id(), program, library);
}

fn check_of(pid: u32, program: &Program, library: &str) {
    let live = Live::open(pid).unwrap();
    let mut threads = Threads::default();
    for _ in 0..2 {
        let scene = live.scene().unwrap();
        threads.renew(&scene, &live);
        assert!(!program.threads.is_empty());
        for (name, tid, local, of_library) in &program.threads {
            // A program in a namespace of its own knows its threads by other numbers.
            let tid = scene.threads.iter().find(|thread| thread.inner_id == *tid).unwrap().id;
            let holds = |image: &Image, address: u64| {
                let segment = image.segment(crate::bytes::Segment::TLS).unwrap();
                let block = threads.block(tid, image.bias, &live).unwrap_or_else(|| panic!("no block of {name}"));
                assert!((block..block + segment.size).contains(&address), "{name}: {address:x} not in {block:x}");
            };
            holds(threads.executable(&scene).unwrap(), *local);
            if let Some(address) = of_library {
                holds(threads.images().iter().find(|image| image.path.ends_with(library)).unwrap(), *address);
            }
        }
    }
}

#[test]
fn blocks_of_a_dynamic_program_and_of_a_library_that_it_loads() {
    let program = run("locals.rs", &[], Some("library.rs"));
    assert!(program.threads.iter().all(|thread| thread.3.is_some()));
    check(&program, "liblocal.so");
}

#[test]
fn blocks_of_a_static_program() {
    check(&run("locals.rs", &["-Ctarget-feature=+crt-static"], None), "");
}

#[test]
fn blocks_of_a_program_that_stands_where_it_was_linked() {
    check(&run("locals.rs", &["-Ctarget-feature=+crt-static", "-Crelocation-model=static"], None), "");
    check(&run("locals.rs", &["-Crelocation-model=static"], None), "");
}

#[test]
#[ignore = "needs musl-gcc"]
fn blocks_of_a_program_with_musl() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/thread/programs/locals.c");
    for flags in [&["-static"][..], &[]] {
        let done = Command::new("musl-gcc").args(flags).arg("-o").arg(&program).arg(&source).status();
        assert!(done.unwrap().success());
        check(&start(&mut Command::new(&program), tempfile::tempdir().unwrap()), "");
    }
}

#[test]
fn blocks_of_a_program_whose_first_thread_has_ended() {
    let program = run("leaves.rs", &[], None);
    check(&program, "");
    let scene = Live::open(program.child.id()).unwrap().scene().unwrap();
    assert_eq!((scene.threads.len(), scene.threads[0].state), (2, 'Z'));
    assert!(scene.executable.ends_with("/program"));
}

#[test]
fn blocks_of_a_program_in_a_namespace_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program");
    compile("locals.rs", &[], &path);
    let may = Command::new("unshare").args(["--pid", "--fork", "true"]).status().is_ok_and(|done| done.success());
    if !may {
        eprintln!("nobody may make namespaces here");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child"]).arg(&path);
    let outer = start(&mut command, folder);
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", outer.child.id())).unwrap();
    let inner: u32 = children.trim().parse().unwrap();
    assert!(outer.threads.iter().any(|thread| thread.1 == 1));
    check_of(inner, &outer, "");
}

/// The program's own functions on a thread's stack.
fn functions(thread: &crate::Thread) -> Vec<&str> {
    let own = |frame: &&crate::StackFrame| ["outer", "middle"].iter().any(|name| frame.function.ends_with(name));
    let is_way = |frame: &&crate::StackFrame| *thread.name == *frame.function.rsplit(':').next().unwrap();
    thread.stack.iter().filter(|frame| own(frame) || is_way(frame)).map(|frame| &*frame.function).collect()
}

#[test]
fn stacks_of_threads_that_sleep_and_of_one_that_is_stopped_for_it() {
    for flags in [&["-Cdebuginfo=line-tables-only"][..], &["-Cdebuginfo=2", "-Ctarget-feature=+crt-static"], &[]] {
        let program = run("stacks.rs", flags, None);
        let live = Live::open(program.child.id()).unwrap();
        let mut threads = Threads::default();
        let scene = live.scene().unwrap();
        threads.renew(&scene, &live);
        let told = threads.told(&scene, &live, Running::LeftAlone);
        let named = |told: &[Thread], name: &str| told.iter().find(|thread| *thread.name == *name).cloned().unwrap();
        for name in ["sleeping", "waiting"] {
            let thread = named(&told, name);
            let expected = [&format!("stacks::{name}"), "stacks::middle", "stacks::outer"];
            assert_eq!(functions(&thread), expected, "{thread:?}");
            assert!(thread.unread.is_empty() && !thread.waits_in.is_empty() && thread.stopped.is_none());
            if flags.iter().any(|flag| flag.contains("debuginfo")) {
                let outer = thread.stack.iter().find(|frame| frame.function.ends_with("outer")).unwrap();
                assert!(outer.place.as_ref().unwrap().file.ends_with("stacks.rs"));
            }
        }
        let spinning = named(&told, "spinning");
        assert!(spinning.stack.is_empty() && spinning.unread.contains("it runs"), "{spinning:?}");

        let scene = live.scene().unwrap();
        threads.renew(&scene, &live);
        let told = threads.told(&scene, &live, Running::Stopped);
        let spinning = named(&told, "spinning");
        let functions = functions(&spinning);
        assert!(functions.ends_with(&["stacks::middle", "stacks::outer"]), "{spinning:?}");
        let stopped = spinning.stopped.unwrap();
        assert!(stopped < Duration::from_millis(600));
        assert!(named(&told, "sleeping").stopped.is_none());
        let again = live.scene().unwrap();
        assert_eq!(again.state, crate::ProcessState::Running);
        let spins = again.threads.iter().find(|thread| thread.id == spinning.id).unwrap();
        assert_eq!(spins.state, 'R');
    }
}

#[test]
fn a_thread_that_is_not_there_is_not_stopped() {
    let live = Live::open(std::process::id()).unwrap();
    assert!(stop::copied(0x3fff_ffff, &live.scene().unwrap().regions).unwrap_err().contains("seized"));
}

#[test]
fn whatever_is_on_a_stack_it_is_unwound() {
    use proptest::{
        collection::vec,
        strategy::{Strategy, ValueTree},
        test_runner::TestRunner,
    };
    let live = Live::open(std::process::id()).unwrap();
    let scene = live.scene().unwrap();
    let mut threads = Threads::default();
    threads.renew(&scene, &live);
    let code: Vec<u64> = scene
        .regions
        .iter()
        .filter(|region| region.may.execute() && region.path.starts_with('/'))
        .flat_map(|region| {
            (0..64).map(|step| region.range.start + step * (region.range.end - region.range.start) / 64 + 3)
        })
        .collect();
    let mut runner = TestRunner::default();
    let words = vec((0_u8..5, proptest::num::u64::ANY), 1..400);
    for case in 0..1500 {
        let ends = [4096, u64::MAX - 4096, 1 << 47, 0x7ffd_0000_0000, (1 << 56) - 8];
        let sp = ends[case % ends.len()];
        let word = |(kind, word): &(u8, u64)| match kind {
            0 | 1 => code[(word % code.len() as u64) as usize] + word % 16,
            2 => sp.wrapping_add(word % 4096),
            3 => u64::MAX - word % 64,
            _ => *word,
        };
        let drawn = words.new_tree(&mut runner).unwrap().current();
        let copy: Vec<u8> = drawn.iter().map(word).flat_map(u64::to_le_bytes).collect();
        let (pc, fp) = (word(&drawn[0]), (case % 3 == 0).then(|| word(drawn.last().unwrap())));
        let registers = crate::bytes::Registers { pc, sp, fp, ..Default::default() };
        let stack = threads.stacks.unwound(registers, &copy, &live);
        assert!(stack.is_none_or(|trace| trace.addresses.len() <= 128));
    }
}
