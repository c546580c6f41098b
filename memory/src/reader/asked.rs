//! What frames have, read when somebody asks for it.

use super::Reader;
use crate::{TaskNumber, Values, Who, bytes::Error, roots::Root, values};
use std::sync::Arc;

impl Reader {
    /// What the frames of a task have, by name, now. Nothing else ever reads that.
    ///
    /// # Errors
    ///
    /// Where the process has ended, or may not be read any more.
    pub fn values(&mut self, task: TaskNumber) -> Result<Values, Error> {
        let now = self.bytes.scene()?.now;
        let found = self.tasks.numbered(task).filter(|(_, known)| known.is_task());
        let told = match found {
            Some((at, known)) => {
                let copy = usize::from(known.copy());
                match (self.copies.get(copy), self.plans.get_mut(copy)) {
                    (Some(copy), Some(plans)) => {
                        let bytes = &*self.bytes;
                        values::task(
                            at,
                            known,
                            &mut values::Sources { bytes, copy, plans, frames: &mut self.frames, now },
                        )
                    }
                    _ => Err(Arc::clone(&known.ty().unread)),
                }
            }
            None => Err(Arc::from("it is not there any more")),
        };
        let (frames, unread) = told.map_or_else(|why| (Vec::new(), why), |frames| (frames, Arc::from("")));
        Ok(Values { of: Who::Task(task), frames, unread })
    }

    /// What the frames have of the future that this thread runs by `block_on`, by name, now. Nothing else ever reads that.
    ///
    /// # Errors
    ///
    /// Where the process has ended, or may not be read any more.
    pub fn root_values(&mut self, thread: u32) -> Result<Values, Error> {
        let scene = self.bytes.scene()?;
        self.find_copies(&scene);
        let root = self.roots(&scene).into_iter().find(|root| root.thread == thread);
        let told = match &root {
            Some(Root { at: Some(at), ty, copy, .. }) => {
                let copy = usize::from(*copy);
                match (self.copies.get(copy), self.plans.get_mut(copy)) {
                    (Some(copy), Some(plans)) => {
                        let (bytes, frames, now) = (&*self.bytes, &mut self.frames, scene.now);
                        values::root(*at, *ty, &mut values::Sources { bytes, copy, plans, frames, now })
                    }
                    _ => Err(Arc::from("nothing is known of its types")),
                }
            }
            Some(root) => Err(root.found.unread()),
            None => Err(Arc::from("it runs none, or is not asleep")),
        };
        let (frames, unread) = told.map_or_else(|why| (Vec::new(), why), |frames| (frames, Arc::from("")));
        Ok(Values { of: Who::Root(thread), frames, unread })
    }
}
