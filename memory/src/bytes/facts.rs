//! What the kernel told of a process, as a grab keeps it: lines of words, one fact a line. What a line says that is not known here is
//! left out, so that a grab of another version can be read as far as it is understood.

use super::{KernelThread, Permissions, Region, Registers, Scene, Socket, Watched};
use crate::ProcessState;
use std::{fmt::Write, time::Duration};

/// The scene, and what is told beside it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Facts {
    pub(crate) scene: Scene,
    pub(crate) watched: Vec<Watched>,
    pub(crate) sockets: Vec<(i32, Socket)>,
    /// What was left out, in words.
    pub(crate) left_out: Vec<String>,
}

/// The version of the lines.
const VERSION: &str = "holdup-facts 1";

/// Text as one word: whatever would end it is written by its number.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        match character {
            '%' | ' ' | '\u{0}'..='\u{1f}' => {
                let _ = write!(quoted, "%{:02x}", character as u32);
            }
            _ => quoted.push(character),
        }
    }
    if quoted.is_empty() { "%".into() } else { quoted }
}

fn unquoted(word: &str) -> String {
    let mut pieces = word.split('%');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                text.push(char::from(byte));
                text.push_str(piece.get(2..).unwrap_or_default());
            }
            None => text.push_str(piece),
        }
    }
    text
}

fn number<T: std::fmt::Display>(number: Option<T>) -> String {
    number.map_or_else(|| "-".into(), |number| number.to_string())
}

fn nanos(time: Option<Duration>) -> Option<u64> {
    time.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

impl Facts {
    /// The lines.
    pub(crate) fn written(&self) -> String {
        let Self { scene, watched, sockets, left_out } = self;
        let mut text =
            format!("{VERSION}\nprocess {} {} {}\n", scene.pid, quoted(&scene.name), quoted(&scene.executable));
        let _ = writeln!(text, "time {} {}", number(nanos(scene.started)), number(nanos(Some(scene.now))));
        let _ = writeln!(text, "state {}", state_name(scene.state));
        for (key, value) in &scene.auxv {
            let _ = writeln!(text, "auxv {key} {value}");
        }
        for region in scene.regions.iter() {
            let Region { range, may, offset, inode, device, path, deleted } = region;
            let deleted = if *deleted { "deleted" } else { "-" };
            let _ = writeln!(
                text,
                "region {} {} {} {offset} {inode} {} {deleted} {}",
                range.start,
                range.end,
                may.letters(),
                quoted(device),
                quoted(path)
            );
        }
        for thread in &scene.threads {
            let registers = thread.registers.map(|registers| {
                let Registers { pc, sp, fp, lr, tp } = registers;
                format!("{pc} {sp} {} {} {}", number(fp), number(lr), number(tp))
            });
            let _ = writeln!(
                text,
                "thread {} {} {} {} {} {} {} {} {} {} {}",
                thread.id,
                thread.inner_id,
                thread.state,
                number(thread.syscall),
                number(nanos(thread.cpu)),
                number(thread.switches.map(|switches| switches.0)),
                number(thread.switches.map(|switches| switches.1)),
                quoted(&thread.waits_in),
                quoted(&thread.name),
                registers.as_deref().unwrap_or("-"),
                number(thread.argument)
            );
        }
        for Watched { epoll, fd, data } in watched {
            let _ = writeln!(text, "watched {epoll} {fd} {data}");
        }
        for (fd, socket) in sockets {
            let Socket { kind, local, peer, state, unread, silent } = socket;
            let words = [kind, local, peer, state].map(|word| quoted(word)).join(" ");
            let _ = writeln!(text, "socket {fd} {words} {} {}", number(*unread), number(nanos(*silent)));
        }
        for what in left_out {
            let _ = writeln!(text, "left-out {}", quoted(what));
        }
        text
    }

    /// What lines say; `None` where they are none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        (lines.next()? == VERSION).then_some(())?;
        let mut facts = Self::default();
        let mut regions = Vec::new();
        for line in lines {
            let mut words = Words(line.split(' '));
            let _: Option<()> = (|| {
                match words.0.next()? {
                    "process" => {
                        (facts.scene.pid, facts.scene.name, facts.scene.executable) =
                            (words.number()?, words.text()?, words.text()?);
                    }
                    "time" => (facts.scene.started, facts.scene.now) = (words.time(), words.time()?),
                    "state" => facts.scene.state = state(words.0.next()?),
                    "auxv" => facts.scene.auxv.push((words.number()?, words.number()?)),
                    "region" => regions.push(words.region()?),
                    "thread" => facts.scene.threads.push(words.thread()?),
                    "watched" => facts.watched.push(Watched {
                        epoll: words.number()?,
                        fd: words.number()?,
                        data: words.number()?,
                    }),
                    "socket" => facts.sockets.push((words.number()?, words.socket()?)),
                    "left-out" => facts.left_out.push(words.text()?),
                    _ => {}
                }
                Some(())
            })();
        }
        regions.sort_unstable_by_key(|region: &Region| region.range.start);
        facts.scene.regions = regions.into();
        Some(facts)
    }
}

/// The words of a line.
struct Words<'a>(std::str::Split<'a, char>);

impl Words<'_> {
    fn number<T: std::str::FromStr>(&mut self) -> Option<T> {
        self.0.next()?.parse().ok()
    }

    fn text(&mut self) -> Option<String> {
        self.0.next().map(unquoted)
    }

    fn time(&mut self) -> Option<Duration> {
        self.number().map(Duration::from_nanos)
    }

    fn region(&mut self) -> Option<Region> {
        let range = self.number()?..self.number()?;
        let may = Permissions::from_letters(self.0.next()?);
        let (offset, inode, device) = (self.number()?, self.number()?, self.text()?);
        let deleted = self.0.next()? == "deleted";
        let path = self.text()?;
        (range.start < range.end).then_some(Region { range, may, offset, inode, device, path, deleted })
    }

    fn thread(&mut self) -> Option<KernelThread> {
        let (id, inner_id) = (self.number()?, self.number()?);
        let state = self.0.next()?.chars().next()?;
        let (syscall, cpu) = (self.number(), self.time());
        let switches = (self.number(), self.number());
        let (waits_in, name) = (self.text()?, self.text()?);
        let registers = (|| {
            let (pc, sp) = (self.number()?, self.number()?);
            Some(Registers { pc, sp, fp: self.number(), lr: self.number(), tp: self.number() })
        })();
        let switches = switches.0.zip(switches.1);
        // Older grabs end before it.
        let argument = self.number();
        let waited = None;
        Some(KernelThread { id, inner_id, name, state, waits_in, syscall, argument, registers, cpu, waited, switches })
    }

    fn socket(&mut self) -> Option<Socket> {
        let (kind, local, peer, state) = (self.text()?, self.text()?, self.text()?, self.text()?);
        Some(Socket { kind, local, peer, state, unread: self.number(), silent: self.time() })
    }
}

/// What a process did when it was looked at. That it is a grab now is said by whoever reads it.
fn state_name(state: ProcessState) -> &'static str {
    match state {
        ProcessState::Running | ProcessState::Core | ProcessState::Forked => "running",
        ProcessState::Stopped => "stopped",
        ProcessState::Traced => "traced",
        ProcessState::Frozen => "frozen",
    }
}

fn state(name: &str) -> ProcessState {
    match name {
        "stopped" => ProcessState::Stopped,
        "traced" => ProcessState::Traced,
        "frozen" => ProcessState::Frozen,
        _ => ProcessState::Running,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_as_they_are_written() {
        let registers = Registers { pc: 1, sp: 2, fp: None, lr: Some(4), tp: Some(5) };
        let thread = |registers| KernelThread {
            id: 3,
            inner_id: 1,
            name: "a b%\n".into(),
            state: 'S',
            waits_in: String::new(),
            syscall: Some(202),
            argument: Some(4096),
            registers,
            cpu: Some(Duration::from_nanos(77)),
            waited: None,
            switches: Some((1, 2)),
        };
        let region = Region {
            range: 4096..8192,
            may: Permissions::from_letters("r-xp"),
            offset: 12,
            inode: 13,
            device: "08:01".into(),
            path: "/opt/ü %41".into(),
            deleted: true,
        };
        let facts = Facts {
            scene: Scene {
                pid: 7,
                name: "orders".into(),
                executable: "/opt/orders".into(),
                started: None,
                now: Duration::from_secs(9),
                state: ProcessState::Frozen,
                regions: vec![region].into(),
                threads: vec![thread(Some(registers)), thread(None)],
                auxv: vec![(3, 4)],
            },
            watched: vec![Watched { epoll: 3, fd: 4, data: u64::MAX }],
            sockets: vec![(
                4,
                Socket {
                    kind: "tcp".into(),
                    unread: Some(3),
                    silent: Some(Duration::from_secs(1)),
                    ..Socket::default()
                },
            )],
            left_out: vec!["the rest".into()],
        };
        assert_eq!(Facts::read(&facts.written()), Some(facts));
        assert_eq!(Facts::read("something else"), None);
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_lines_are_they_are_read(text in "(holdup-facts 1\n)?((thread|region|socket|process|time|auxv) ([0-9]{1,22} |- |%[0-9a-z]? |\\PC ){0,14}\n){0,6}") {
            let _ = Facts::read(&text);
        }

        #[test]
        fn any_text_is_one_word(text in ".*") {
            proptest::prop_assert_eq!(unquoted(&quoted(&text)), text.clone());
            proptest::prop_assert!(!quoted(&text).contains([' ', '\n', '\r']));
        }
    }
}
