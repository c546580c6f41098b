//! The threads of a process: where each keeps what is local to it, what it waits for, its stack. Nothing here knows tokio.
//!
//! ```text
//! libc      where the C library keeps a thread       list      the threads' pointers
//! tls       an object's block in a thread
//! stack     functions on a stack                     kernel    what a thread sleeps in
//! stop      the stack of one that runs, on demand  names    of functions, from one reader to the next
//! locks     those that a thread sleeps for
//! functions beside: of an executable that is not here, by its build id
//! ```

mod functions;
mod kernel;
mod libc;
mod list;
mod locks;
mod names;
mod stack;
mod stop;
mod tls;

pub use functions::Functions;
pub use stack::Stack;

use crate::{
    Role, Thread,
    bytes::{Bytes, Image, KernelThread, Region, Scene, Segment, images},
    debug::Cache,
};
use libc::Libc;
use list::List;
use rustc_hash::FxHashMap;
use stack::Stacks;
use std::{sync::Arc, time::Duration};
use tls::Tls;

/// What becomes of threads that run, whose stacks only a thread that is stopped shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Running {
    /// They are left alone.
    #[default]
    LeftAlone,
    /// Each is stopped for as long as it takes to copy its stack, mostly well under a millisecond. Only if the user asked for it.
    Stopped,
}

/// The threads of a process, look by look.
#[derive(Debug, Default)]
pub struct Threads {
    list: List,
    /// By thread, as the one who looks sees it.
    pointers: FxHashMap<u32, u64>,
    regions: Arc<[Region]>,
    images: Vec<Image>,
    /// By what is added to an object's addresses.
    tls: FxHashMap<u64, Tls>,
    stacks: Stacks,
}

impl Threads {
    /// Of a process whose functions' names are kept in this cache.
    pub(crate) fn kept_in(cache: Option<Cache>) -> Self {
        Self { stacks: Stacks::kept_in(cache), ..Self::default() }
    }

    /// Looks where the threads are. What is known from the look before is only checked.
    pub fn renew(&mut self, scene: &Scene, bytes: &dyn Bytes) {
        if !Arc::ptr_eq(&self.regions, &scene.regions) {
            // Anonymous memory comes and goes all the time, and says nothing of what is loaded.
            let same = objects(&self.regions).eq(objects(&scene.regions));
            self.regions = Arc::clone(&scene.regions);
            if !same {
                self.images = images(&scene.regions, bytes);
                self.tls.clear();
                self.stacks.load(&self.images, bytes);
            }
        }
        let told: FxHashMap<u32, u64> =
            scene.threads.iter().filter_map(|thread| Some((thread.id, thread.registers?.tp?))).collect();
        if told.len() < scene.threads.len() || self.list.libc.is_none() {
            self.list.renew(scene, bytes);
        }
        let found = self.list.structures.iter().filter_map(|(id, at)| Some((*id, self.pointer_of(*at, scene, bytes)?)));
        let mut pointers: FxHashMap<u32, u64> = found.collect();
        pointers.extend(told);
        self.pointers = pointers;
        let missing = self.images.iter().filter(|image| !self.tls.contains_key(&image.bias));
        let missing: Vec<&Image> = missing.filter(|image| image.segment(Segment::TLS).is_some()).collect();
        let libc = self.list.libc.unwrap_or(Libc::Glibc);
        let executable = self.executable(scene).filter(|_| !missing.is_empty());
        let records = executable.map(|executable| tls::records(executable, bytes)).unwrap_or_default();
        let of = |image: &Image| match executable {
            Some(executable) if executable.bias == image.bias => tls::of_executable(image),
            _ => tls::of_library(image, *records.get(&image.bias)?, libc, bytes),
        };
        let found: Vec<(u64, Tls)> = missing.into_iter().filter_map(|image| Some((image.bias, of(image)?))).collect();
        self.tls.extend(found);
    }

    /// The thread pointer of a thread.
    pub fn pointer(&self, thread: u32) -> Option<u64> {
        self.pointers.get(&thread).copied()
    }

    /// Where the thread-local block of an object is in a thread; `bias` is what is added to the object's addresses. `None` where the
    /// thread never used it, or it is not known.
    pub fn block(&self, thread: u32, bias: u64, bytes: &dyn Bytes) -> Option<u64> {
        let tls = self.tls.get(&bias)?;
        tls.block(self.list.libc.unwrap_or(Libc::Glibc), self.pointer(thread)?, bytes)
    }

    /// The stack of a thread, as it was in the scene: of one that sleeps, or in a core file. It costs little as long as the thread
    /// has not run.
    pub fn stack(&mut self, thread: &KernelThread, scene: &Scene, bytes: &dyn Bytes) -> Stack {
        self.stacks.of(thread, scene, bytes)
    }

    /// Makes the stacks of all threads ready, of those that have run since.
    pub(crate) fn ready(&mut self, scene: &Scene, bytes: &dyn Bytes) {
        self.stacks.ready(scene, bytes);
    }

    /// All threads with their stacks. What they are to tokio is not said here.
    pub fn told(&mut self, scene: &Scene, bytes: &dyn Bytes, running: Running) -> Vec<Thread> {
        self.stacks.tidy(scene);
        self.stacks.ready(scene, bytes);
        scene.threads.iter().map(|thread| self.one(thread, scene, bytes, running)).collect()
    }

    /// All threads without their stacks.
    pub(crate) fn bare(scene: &Scene) -> Vec<Thread> {
        scene.threads.iter().map(|thread| told(thread, Stack::none(""), None)).collect()
    }

    fn one(&mut self, thread: &KernelThread, scene: &Scene, bytes: &dyn Bytes, running: Running) -> Thread {
        let asked = running == Running::Stopped && thread.state == 'R' && thread.registers.is_none();
        let (stack, stopped) =
            if asked { self.stopped(thread, scene, bytes) } else { (self.stack(thread, scene, bytes), None) };
        told(thread, stack, stopped)
    }

    fn stopped(&mut self, thread: &KernelThread, scene: &Scene, bytes: &dyn Bytes) -> (Stack, Option<Duration>) {
        match stop::copied(thread.id, &scene.regions) {
            Ok(copied) => (self.stacks.unwind(copied.registers, &copied.stack, bytes), Some(copied.stopped)),
            Err(why) => (Stack::none(&why), None),
        }
    }

    /// The objects that are loaded.
    pub fn images(&self) -> &[Image] {
        &self.images
    }

    /// The executable: the object that the kernel began to run.
    fn executable(&self, scene: &Scene) -> Option<&Image> {
        const AT_ENTRY: u64 = 9;
        const AT_PHDR: u64 = 3;
        let told = |key| scene.auxv.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
        [AT_PHDR, AT_ENTRY]
            .into_iter()
            .filter_map(told)
            .find_map(|at| self.images.iter().find(|image| image.range.contains(&at)))
            .or_else(|| self.images.iter().find(|image| *image.path == *scene.executable))
    }

    /// The thread pointer of a structure: itself, or the place behind it whose DTV agrees with it.
    fn pointer_of(&self, structure: u64, scene: &Scene, bytes: &dyn Bytes) -> Option<u64> {
        let libc = self.list.libc?;
        let (from, to) = libc.layout().pointer;
        if to == 0 {
            return Some(structure);
        }
        let own = tls::of_executable(self.executable(scene)?)?;
        (from..to).step_by(8).map(|offset| structure.wrapping_add(offset)).find(|pointer| {
            let block = own.block(libc, *pointer, bytes);
            block.is_some() && block == libc.dtv(*pointer, bytes).and_then(|dtv| libc.entry(dtv, 1, bytes))
        })
    }
}

/// A thread as it is told. What it is to tokio is not said here.
fn told(thread: &KernelThread, stack: Stack, stopped: Option<Duration>) -> Thread {
    let sleeps = locks::sleeps(thread, &stack);
    Thread {
        id: thread.id,
        name: Arc::from(&*thread.name),
        state: thread.state,
        waits_in: Arc::from(kernel::waits_in(thread)),
        cpu: thread.cpu,
        waited: thread.waited,
        switches: thread.switches,
        role: Role::default(),
        polls: None,
        sleeps,
        stack: stack.frames,
        approximate: stack.approximate,
        unread: stack.unread,
        stopped,
    }
}

/// The mappings that belong to objects.
fn objects(regions: &[Region]) -> impl Iterator<Item = &Region> {
    regions.iter().filter(|region| region.inode != 0 || !region.path.is_empty())
}

#[cfg(test)]
mod tests;
