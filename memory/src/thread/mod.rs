//! The threads of a process: where each keeps what is local to it, what it waits for, its stack. Nothing here knows tokio.
//!
//! ```text
//! libc      where the C library keeps a thread       list      the threads' pointers
//! tls       an object's block in a thread
//! ```

mod libc;
mod list;
mod tls;

use crate::bytes::{Bytes, Image, Region, Scene, images};
use libc::Libc;
use list::List;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use tls::Tls;

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
}

impl Threads {
    /// Looks where the threads are. What is known from the look before is only checked.
    pub fn renew(&mut self, scene: &Scene, bytes: &dyn Bytes) {
        if !Arc::ptr_eq(&self.regions, &scene.regions) {
            self.images = images(&scene.regions, bytes);
            self.regions = Arc::clone(&scene.regions);
            self.tls.clear();
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
        let missing: Vec<&Image> = self.images.iter().filter(|image| !self.tls.contains_key(&image.bias)).collect();
        let executable = self.executable(scene);
        let found: Vec<(u64, Tls)> = missing
            .into_iter()
            .filter_map(|image| {
                let own = executable.filter(|executable| executable.bias == image.bias).and_then(tls::of_executable);
                let libc = self.list.libc.unwrap_or(Libc::Glibc);
                Some((image.bias, own.or_else(|| tls::of_library(image, executable?, libc, bytes))?))
            })
            .collect();
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
        (from..to).step_by(16).map(|offset| structure.wrapping_add(offset)).find(|pointer| {
            let block = own.block(libc, *pointer, bytes);
            block.is_some() && block == libc.dtv(*pointer, bytes).and_then(|dtv| libc.entry(dtv, 1, bytes))
        })
    }
}

#[cfg(test)]
mod tests;
