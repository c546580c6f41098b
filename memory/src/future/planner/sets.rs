//! Where the tasks of a `JoinSet` are, in the lists that it keeps of them.

use super::{
    super::{
        class::{Class, classify},
        plan::Members,
    },
    Plans,
};
use crate::debug::{Type, TypeId, Types};

impl Plans {
    /// Where the tasks of a `JoinSet` are.
    pub(super) fn members(&self, set: TypeId) -> Option<Members> {
        let (at, lists) = self.types.path(set, &["inner", "lists"])?;
        let (inner, counted) = self.types.pointer(lists)?;
        let is_inner = |ty: &Type| ty.is("tokio::util::idle_notified_set", "ListsInner");
        let (start, both) = self.types.find(counted, &is_inner, 10)?;
        let head = |list: &str| {
            let (at, ty) = self.types.path(both, &[list, "head"])?;
            let (inner, entry) = self.types.pointer(ty)?;
            Some((start.checked_add(at)?.checked_add(inner)?, entry))
        };
        let ((notified, _), (idle, entry)) = (head("notified")?, head("idle")?);
        let (links, ty) = self.types.find(entry, &|ty| ty.is("tokio::util::linked_list", "PointersInner"), 6)?;
        let (next, pointer) = self.types.path(ty, &["next"])?;
        let next = links.checked_add(next)?.checked_add(self.types.pointer(pointer)?.0)?;
        let (value, ty) = self.types.path(entry, &["value"])?;
        let (handle, ty) = self.types.find(ty, &|ty| classify(ty) == Class::JoinHandle, 6)?;
        let header = value.checked_add(handle)?.checked_add(self.types.pointer(ty)?.0)?;
        Some(Members { lists: at.checked_add(inner)?, notified, idle, next, header, size: self.types.ty(entry).size })
    }
}
