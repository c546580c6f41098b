//! Why a process may not be read, in words, and what to type. Which of the reasons it is follows from a few facts; that is pure, so that
//! every case is tested.

use super::{Error, live::gone, proc};
use std::{fs, os::unix::fs::MetadataExt, path::Path};

/// What decides whether a process may be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Facts {
    pub(crate) pid: u32,
    pub(crate) name: String,
    /// Whether it has memory at all, and lives.
    pub(crate) life: Life,
    /// The user who looks, and the one whose process it is, where that is known.
    pub(crate) own: u32,
    pub(crate) user: Option<u32>,
    /// Its user's name, where that is known.
    pub(crate) user_name: Option<String>,
    /// Whether the one who looks may read any process (`CAP_SYS_PTRACE`).
    pub(crate) may_all: bool,
    /// Whether it may be read by its own user at all.
    pub(crate) dumpable: bool,
    /// What the security module Yama allows, where it is there.
    pub(crate) scope: Option<u32>,
    /// Where the one who looks is.
    pub(crate) place: Place,
}

/// Whether there is anything to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Life {
    #[default]
    Lives,
    /// It has ended, and whoever started it has not noticed yet.
    Ended,
    /// It is part of the kernel.
    Kernel,
}

/// Where somebody looks from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Place {
    #[default]
    Machine,
    Docker,
    Kubernetes,
}

/// Which of the reasons it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Why {
    Ended,
    Kernel,
    AnotherUser,
    NotDumpable,
    /// Yama's `ptrace_scope`: 1, 2 or 3.
    Scope(u32),
    Unknown,
}

impl Why {
    /// In a few words, for a count of such processes.
    pub(crate) fn short(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Kernel => "parts of the kernel",
            Self::AnotherUser => "another user's",
            Self::NotDumpable => "not readable by their own user",
            Self::Scope(_) => "kernel.yama.ptrace_scope forbids it",
            Self::Unknown => "refused by the kernel",
        }
    }
}

/// Why this process is refused.
pub(crate) fn refused(pid: u32) -> Error {
    let Some(facts) = facts(pid) else { return gone(pid) };
    match why(&facts) {
        Why::Ended => gone(pid),
        why => Error::Rights(words(&facts, why)),
    }
}

/// Which of the reasons it is.
pub(crate) fn why(facts: &Facts) -> Why {
    match facts {
        Facts { life: Life::Ended, .. } => Why::Ended,
        Facts { life: Life::Kernel, .. } => Why::Kernel,
        Facts { scope: Some(3), .. } => Why::Scope(3),
        Facts { may_all: true, .. } => Why::Unknown,
        Facts { user: Some(user), own, .. } if user != own => Why::AnotherUser,
        Facts { dumpable: false, .. } => Why::NotDumpable,
        Facts { scope: Some(scope @ 1..=2), .. } => Why::Scope(*scope),
        _ => Why::Unknown,
    }
}

/// The reason, and what to type.
pub(crate) fn words(facts: &Facts, why: Why) -> String {
    let Facts { pid, name, own, place, .. } = facts;
    let process = format!("process {pid} ({name})");
    let elevated = match place {
        Place::Machine => format!(
            "  sudo holdup {pid}\n  sudo setcap cap_sys_ptrace+ep \"$(command -v holdup)\"    # once, for every process of yours"
        ),
        Place::Docker => in_docker(),
        Place::Kubernetes => in_kubernetes(),
    };
    match why {
        Why::Ended => format!("{process} has ended"),
        Why::Kernel => format!("{process} is a part of the kernel: it has no memory of its own to be read"),
        Why::AnotherUser => {
            let theirs = facts.user.map_or_else(
                || "another user".into(),
                |user| match &facts.user_name {
                    Some(name) => format!("{name} (uid {user})"),
                    None => format!("uid {user}"),
                },
            );
            let as_them = match (place, &facts.user_name) {
                (Place::Machine, Some(name)) if facts.user != Some(0) => format!("\n  sudo -u {name} holdup {pid}"),
                _ => String::new(),
            };
            format!(
                "{process} belongs to {theirs}, and you are uid {own}: its memory may be read by that user or by one with CAP_SYS_PTRACE\n{elevated}{as_them}"
            )
        }
        Why::NotDumpable => format!(
            "{process} may not be read even by its own user: it has called prctl(PR_SET_DUMPABLE, 0), has changed its user, or its \
             executable has capabilities or cannot be read. CAP_SYS_PTRACE is needed\n{elevated}"
        ),
        Why::Scope(1) => {
            let ways = match place {
                Place::Machine => {
                    "  sudo setcap cap_sys_ptrace+ep \"$(command -v holdup)\"    # once: holdup may read your processes"
                        .into()
                }
                Place::Docker => in_docker(),
                Place::Kubernetes => in_kubernetes(),
            };
            format!(
                "{process} is yours, but kernel.yama.ptrace_scope is 1 here: a process may read its own children alone\n{ways}\n  \
                 holdup run -- CMD    # starts the service as a child, which may be read\n  \
                 or let the service itself allow it, by prctl(PR_SET_PTRACER, …)"
            )
        }
        Why::Scope(2) => format!(
            "{process} is yours, but kernel.yama.ptrace_scope is 2 here: only CAP_SYS_PTRACE may read processes\n{elevated}"
        ),
        Why::Scope(_) => format!(
            "{process} may not be read, by nobody: kernel.yama.ptrace_scope is 3 on this machine, and stays so until it is started \
             anew. holdup's agent, or tokio-console's, needs no such right"
        ),
        Why::Unknown if facts.may_all => format!(
            "{process} may not be read although you have CAP_SYS_PTRACE: it belongs to a user namespace outside of yours, or a \
             security module (SELinux, AppArmor) forbids it. Look from the machine itself, or see its audit log"
        ),
        Why::Unknown => {
            let ways = if *place == Place::Machine { format!("  sudo holdup {pid}") } else { elevated };
            format!(
                "{process} may not be read: it may belong to another user namespace, or a security module (SELinux, AppArmor) or a \
                 filter of system calls forbids it. CAP_SYS_PTRACE may help\n{ways}"
            )
        }
    }
}

fn in_docker() -> String {
    "  docker run --rm -it --pid=container:NAME --cap-add=SYS_PTRACE IMAGE-WITH-HOLDUP holdup ps    # a container without \
     CAP_SYS_PTRACE"
        .into()
}

fn in_kubernetes() -> String {
    "  kubectl debug -it POD --image=IMAGE-WITH-HOLDUP --target=CONTAINER --profile=sysadmin -- holdup ps    # a container without \
     CAP_SYS_PTRACE"
        .into()
}

/// The facts on a process; `None` if there is none.
pub(crate) fn facts(pid: u32) -> Option<Facts> {
    let stat = proc::text(&format!("/proc/{pid}/stat")).as_deref().and_then(proc::stat)?;
    let status = proc::text(&format!("/proc/{pid}/status"))?;
    let users: Vec<u32> = numbers(proc::status(&status, "Uid"));
    let own = nix::unistd::geteuid().as_raw();
    // All three of them have to be the same.
    let user = users.iter().take(3).copied().find(|user| *user != own).or_else(|| users.first().copied());
    let life = match stat.state {
        'Z' | 'X' => Life::Ended,
        _ if proc::status(&status, "VmSize").is_none() => Life::Kernel,
        _ => Life::Lives,
    };
    // The files of one that is not dumpable belong to root.
    let owner = fs::metadata(format!("/proc/{pid}/maps")).map(|meta| meta.uid()).ok();
    let user_name = user.and_then(|user| nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(user)).ok().flatten());
    Some(Facts {
        pid,
        name: stat.name,
        life,
        own,
        user,
        user_name: user_name.map(|user| user.name),
        may_all: may_all(),
        dumpable: owner.is_none_or(|owner| users.get(1) == Some(&owner)),
        scope: proc::text("/proc/sys/kernel/yama/ptrace_scope").and_then(|text| text.trim().parse().ok()),
        place: place(),
    })
}

fn numbers(words: Option<&str>) -> Vec<u32> {
    words.unwrap_or_default().split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect()
}

fn may_all() -> bool {
    const SYS_PTRACE: u64 = 1 << 19;
    let status = proc::text("/proc/self/status").unwrap_or_default();
    let effective = proc::status(&status, "CapEff").and_then(|digits| u64::from_str_radix(digits, 16).ok());
    effective.is_some_and(|effective| effective & SYS_PTRACE != 0)
}

fn place() -> Place {
    let exists = |path: &str| Path::new(path).exists();
    if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() || exists("/var/run/secrets/kubernetes.io") {
        Place::Kubernetes
    } else if exists("/.dockerenv") || exists("/run/.containerenv") {
        Place::Docker
    } else {
        Place::Machine
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Live;
    use std::{
        io::{BufRead, BufReader, Read},
        os::unix::process::CommandExt,
        process::{Child, Command, Stdio},
    };

    fn plain() -> Facts {
        let name = "orders".into();
        Facts { pid: 42, name, own: 1000, user: Some(1000), dumpable: true, ..Facts::default() }
    }

    fn told(facts: &Facts) -> (Why, String) {
        let why = why(facts);
        (why, words(facts, why))
    }

    #[test]
    fn each_reason_is_told_with_what_to_type() {
        let (why, words) = told(&Facts { user: Some(33), user_name: Some("www-data".into()), ..plain() });
        assert_eq!(why, Why::AnotherUser);
        assert!(words.contains("www-data (uid 33)") && words.contains("sudo -u www-data holdup 42"), "{words}");

        let (why, words) = told(&Facts { scope: Some(1), ..plain() });
        assert_eq!(why, Why::Scope(1));
        let places =
            ["setcap cap_sys_ptrace+ep", "holdup run -- CMD", "PR_SET_PTRACER"].map(|way| words.find(way).unwrap());
        assert!(places.is_sorted(), "{words}");

        let (why, words) = told(&Facts { scope: Some(2), ..plain() });
        assert!(why == Why::Scope(2) && words.contains("sudo holdup 42") && !words.contains("PR_SET_PTRACER"));

        let (why, words) = told(&Facts { scope: Some(3), may_all: true, ..plain() });
        assert!(why == Why::Scope(3) && words.contains("agent") && !words.contains("sudo"), "{words}");

        let (why, words) = told(&Facts { dumpable: false, scope: Some(1), ..plain() });
        assert!(why == Why::NotDumpable && words.contains("PR_SET_DUMPABLE"));

        for (place, line) in [(Place::Docker, "docker run"), (Place::Kubernetes, "kubectl debug")] {
            for facts in [plain(), Facts { scope: Some(1), ..plain() }, Facts { user: Some(0), ..plain() }] {
                let (_, words) = told(&Facts { place, ..facts });
                assert!(words.contains(line) && words.contains("CAP_SYS_PTRACE") && !words.contains("sudo"), "{words}");
            }
        }
        let (why, words) = told(&Facts { may_all: true, user: Some(0), ..plain() });
        assert!(why == Why::Unknown && words.contains("although you have CAP_SYS_PTRACE"));
        assert_eq!(told(&Facts { scope: Some(0), ..plain() }).0, Why::Unknown);
        assert_eq!(told(&Facts { life: Life::Ended, ..plain() }).0, Why::Ended);
        assert_eq!(told(&Facts { life: Life::Kernel, ..plain() }).0, Why::Kernel);
    }

    /// Runs one of the two parts below in a process of its own, as a user who has no rights.
    fn part(name: &str, pid: u32) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args([&format!("bytes::rights::tests::{name}"), "--exact", "--nocapture"])
            .env("HOLDUP_RIGHTS_OF", pid.to_string())
            .uid(65_534)
            .gid(65_534)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// What such a user is told of a process.
    fn told_to_nobody(pid: u32) -> String {
        let mut text = String::new();
        let mut child = part("says_what_it_is_told", pid);
        child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        child.wait().unwrap();
        text
    }

    #[test]
    fn says_what_it_is_told() {
        if let Ok(pid) = std::env::var("HOLDUP_RIGHTS_OF") {
            match Live::open(pid.parse().unwrap()) {
                Ok(_) => println!("it may be read"),
                Err(error) => println!("{error}"),
            }
        }
    }

    #[test]
    fn cannot_be_read() {
        if std::env::var("HOLDUP_RIGHTS_OF").is_ok() {
            nix::sys::prctl::set_dumpable(false).unwrap();
            println!("ready");
            let _ = std::io::stdin().read(&mut [0]);
        }
    }

    #[test]
    fn another_user_and_one_that_is_not_dumpable_are_told_apart() {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("only root may become somebody else");
            return;
        }
        let text = told_to_nobody(std::process::id());
        assert!(text.contains("belongs to root (uid 0), and you are uid 65534"), "{text}");
        let mut hidden = part("cannot_be_read", 0);
        let lines = BufReader::new(hidden.stdout.take().unwrap()).lines();
        assert!(lines.map(Result::unwrap).any(|line| line.contains("ready")));
        let text = told_to_nobody(hidden.id());
        // Whoever may read everything reads it all the same.
        assert!(Live::open(hidden.id()).is_ok());
        drop(hidden.stdin.take());
        hidden.wait().unwrap();
        assert!(text.contains("may not be read even by its own user"), "{text}");
        assert!(told_to_nobody(0x3fff_fff0).contains("there is no process"));
    }

    #[test]
    fn a_part_of_the_kernel_is_one() {
        let threads = fs::read_dir("/proc").unwrap().flatten();
        let pids = threads.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let kernel = pids.filter_map(facts).find(|facts| facts.name == "kthreadd");
        assert!(kernel.is_none_or(|facts| why(&facts) == Why::Kernel));
    }
}
