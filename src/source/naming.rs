//! Names what an agent could not: functions of an executable that was stripped, by its debug information, which may be here. Whoever has
//! it is asked once for each place, and an update waits for that, but not for long: a server may take minutes to send a file. What was
//! not known in time is named when it is told again.

use super::{
    Link,
    memory::{MemoryOptions, Naming},
};
use crate::update::{Event, Frame, Stack, Update};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::mpsc,
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

/// Events that wait to be taken, as of the link inside.
const EVENTS: usize = 8;
/// How long an update waits for names.
const PATIENCE: Duration = Duration::from_secs(3);
/// Places whose names are kept.
const MOST: usize = 1 << 14;

/// A place in an executable.
type At = (Vec<u8>, u64);
/// Functions at places; none where nothing is known.
type Named = Vec<(At, Vec<Frame>)>;

/// A link that tells what the service tells, with names.
pub(super) fn open(service: Link, options: &MemoryOptions) -> Link {
    let (events, receiver) = mpsc::channel(EVENTS);
    let Link { events: mut told, commands } = service;
    let mut names = Names::new(options);
    tokio::spawn(async move {
        let listener = events.clone();
        let pass = async move {
            while let Some(mut event) = told.recv().await {
                if let Event::Update(update) = &mut event {
                    names.complete(update).await;
                }
                if events.send(event).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = listener.closed() => {}
            () = pass => {}
        }
    });
    Link { events: receiver, commands }
}

struct Names {
    naming: Arc<Mutex<Naming>>,
    known: HashMap<At, Vec<Frame>>,
    /// What is being asked for.
    asked: Option<JoinHandle<Named>>,
}

impl Names {
    fn new(options: &MemoryOptions) -> Self {
        Self { naming: Arc::new(Mutex::new(Naming::new(options))), known: HashMap::new(), asked: None }
    }

    /// Names all that can be named of an update.
    async fn complete(&mut self, update: &mut Update) {
        let mut wanted: HashSet<At> = HashSet::new();
        each(update, &mut |stack| wanted.extend(unnamed(stack)));
        if wanted.is_empty() {
            return;
        }
        self.learn(wanted).await;
        each(update, &mut |stack| self.fill(stack));
    }

    /// Waits for names, for as long as that is worth it.
    async fn learn(&mut self, mut wanted: HashSet<At>) {
        if let Some(asked) = self.asked.take_if(|asked| asked.is_finished()) {
            self.wait(asked).await;
        }
        wanted.retain(|at| !self.known.contains_key(at));
        if wanted.is_empty() || self.asked.is_some() {
            return;
        }
        if self.known.len() >= MOST {
            self.known.clear();
        }
        let naming = Arc::clone(&self.naming);
        self.wait(spawn_blocking(move || ask(&naming, wanted))).await;
    }

    async fn wait(&mut self, mut asked: JoinHandle<Named>) {
        match timeout(PATIENCE, &mut asked).await {
            Ok(named) => self.known.extend(named.unwrap_or_default()),
            Err(_) => self.asked = Some(asked),
        }
    }

    /// Puts names into a stack.
    fn fill(&self, stack: &mut Arc<Stack>) {
        let known = |frame: &Frame| {
            let at = (stack.executable.clone(), frame.offset);
            self.known.get(&at).filter(|names| !names.is_empty() && is_unnamed(frame))
        };
        if !stack.frames.iter().any(|frame| known(frame).is_some()) {
            return;
        }
        let replaced = |frame: &Frame| match known(frame) {
            None => vec![frame.clone()],
            Some(names) => {
                let (module, address, offset) = (frame.module.clone(), frame.address, frame.offset);
                let at = |name: &Frame| Frame { module: module.clone(), address, offset, ..name.clone() };
                names.iter().map(at).collect()
            }
        };
        let frames = stack.frames.iter().flat_map(replaced).collect();
        *stack = Arc::new(Stack { frames, ..(**stack).clone() });
    }
}

/// Asks for the functions at these places.
fn ask(naming: &Mutex<Naming>, wanted: HashSet<At>) -> Named {
    let mut naming = naming.lock().unwrap_or_else(PoisonError::into_inner);
    let mut executables: HashMap<Vec<u8>, Vec<u64>> = HashMap::new();
    for (executable, offset) in wanted {
        executables.entry(executable).or_default().push(offset);
    }
    let mut all = Vec::new();
    for (executable, offsets) in executables {
        let mut named = naming.name(&executable, &offsets);
        named.resize(offsets.len(), Vec::new());
        all.extend(offsets.into_iter().zip(named).map(|(offset, frames)| ((executable.clone(), offset), frames)));
    }
    all
}

/// Every stack of an update.
fn each(update: &mut Update, stack: &mut dyn FnMut(&mut Arc<Stack>)) {
    update.stalls.iter_mut().filter_map(|stall| stall.stack.as_mut()).for_each(&mut *stack);
    update.worker_stacks.iter_mut().filter_map(|told| told.stack.as_mut()).for_each(&mut *stack);
    let holders = update.locks.iter_mut().flat_map(|lock| &mut lock.holders);
    holders.flat_map(|holder| [&mut holder.acquired_at, &mut holder.suspended_at]).flatten().for_each(stack);
}

/// The places of a stack that have no names.
fn unnamed(stack: &Stack) -> impl Iterator<Item = At> {
    let frames = stack.frames.iter().filter(|frame| !stack.executable.is_empty() && is_unnamed(frame));
    frames.map(|frame| (stack.executable.clone(), frame.offset))
}

/// One in the executable of which no line is known.
fn is_unnamed(frame: &Frame) -> bool {
    frame.offset != 0 && frame.place.file.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::{Place, SourcePlace};

    const BUILD: [u8; 4] = [1, 2, 3, 4];

    fn frame(function: &str, file: &str, offset: u64) -> Frame {
        let place = Place::from(SourcePlace { file: file.into(), line: 7, column: 1 });
        Frame { function: function.into(), place, module: "echo".into(), address: 0x5000 + offset, offset }
    }

    /// A stack of these frames, of an executable with this build id, after it was named as far as it can be.
    fn named(executable: &[u8], frames: Vec<Frame>) -> Vec<Frame> {
        let mut names = Names::new(&MemoryOptions::default());
        let inlined = vec![frame("read", "src/read.rs", 0), frame("load", "src/load.rs", 0)];
        names.known = [((BUILD.into(), 0x10), inlined), ((BUILD.into(), 0x20), vec![])].into();
        let mut stack = Arc::new(Stack { frames, executable: executable.into(), ..Stack::default() });
        names.fill(&mut stack);
        stack.frames.clone()
    }

    #[test]
    fn a_frame_without_a_line_becomes_the_functions_that_are_known_there() {
        let told = named(&BUILD, vec![frame("", "", 0x10), frame("", "", 0x20), frame("main", "src/main.rs", 0x30)]);
        let at = |name: &str, file: &str| Frame { address: 0x5010, ..frame(name, file, 0x10) };
        let unknown = frame("", "", 0x20);
        assert_eq!(
            told,
            [at("read", "src/read.rs"), at("load", "src/load.rs"), unknown, frame("main", "src/main.rs", 0x30)]
        );
    }

    #[test]
    fn one_of_a_library_or_of_an_unknown_executable_stays_as_it_is() {
        let library = vec![frame("", "", 0)];
        assert_eq!(named(&BUILD, library.clone()), library);
        let unknown = vec![frame("", "", 0x10)];
        assert_eq!(named(&[], unknown.clone()), unknown);
    }
}
