//! A child process that does not get to its program: whoever makes it waits in the kernel until it does.

use std::{
    ffi::CString,
    io,
    process::{Command, Stdio},
    time::Duration,
};

use tokio::time::sleep;

use super::{Ctx, Kind, STALLED, Scenario};

/// A shell opens the pipe for a moment every 1.5 s, so that the child goes on, and once more when this process is gone: the child holds
/// back all signals until it has started its program, so that it would sleep for ever. The shell is in a group of its own, or whatever
/// ends this process by its group (Ctrl-C of a terminal, one that is closed) would end the shell with it.
const SHELL: &str = r#"while sleep 1.5 && kill -0 $PPID; do exec 3<>"$0"; sleep 0.1; exec 3>&-; done
exec 3<>"$0"; sleep 0.2; rm -f "$0""#;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "vfork",
    kind: Kind::Trouble,
    says: "A task makes a process whose standard input is a named pipe that nobody opens for 1.5 s at a time.",
    raises: Some("never-yields"),
    severity: Some("critical"),
    from_agent: Some(&[STALLED]),
    also: &["long-polls"],
    tasks: &["makes-a-process"],
    file: file!(),
    within: Duration::from_secs(5),
    keeps_workers: 1,
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let path = std::env::temp_dir().join(format!("holdup-demo-{}", std::process::id()));
    let made = Command::new("mkfifo").arg(&path).status()?;
    if !made.success() {
        return Err(io::Error::other(format!("mkfifo: {made}")));
    }
    let (none, path) = (Stdio::null, path.as_os_str());
    let mut shell = Command::new("sh");
    shell.args(["-c", SHELL]).arg(path).stdin(none()).stdout(none()).stderr(none());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut shell, 0);
    shell.spawn()?;
    let pipe = CString::new(path.as_encoded_bytes())?;
    ctx.spawn("makes-a-process", async move {
        while make_a_process(&pipe).is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    })
}

/// Makes a process that opens this as its standard input, and waits for its end. The standard library opens a child's files before
/// there is a child; here the child does it, which shares the memory of its parent until it has started its program.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "posix_spawn has no safe wrapper in libc")]
fn make_a_process(stdin: &std::ffi::CStr) -> io::Result<()> {
    use std::{mem::MaybeUninit, ptr};

    let check = |error: i32| if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) };
    let program = c"/bin/true";
    let arguments = [program.as_ptr().cast_mut(), ptr::null_mut()];
    let mut actions = MaybeUninit::<libc::posix_spawn_file_actions_t>::uninit();
    let mut child = 0;
    // SAFETY: the actions are made before they are used and destroyed after that, and the texts and the list of arguments, which ends
    // with a null pointer as that of the environment does, outlive the call.
    unsafe {
        check(libc::posix_spawn_file_actions_init(actions.as_mut_ptr()))?;
        let spawned = check(libc::posix_spawn_file_actions_addopen(
            actions.as_mut_ptr(),
            libc::STDIN_FILENO,
            stdin.as_ptr(),
            libc::O_RDONLY,
            0,
        ))
        .and_then(|()| {
            let environment = [ptr::null_mut()];
            check(libc::posix_spawn(
                &raw mut child,
                program.as_ptr(),
                actions.as_ptr(),
                ptr::null(),
                arguments.as_ptr(),
                environment.as_ptr(),
            ))
        });
        libc::posix_spawn_file_actions_destroy(actions.as_mut_ptr());
        spawned?;
        libc::waitpid(child, ptr::null_mut(), 0);
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn make_a_process(_: &std::ffi::CStr) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
