//! Ways through types: to a member by its path, to a part of a type, to what a pointer leads to.

use super::{Kind, Type, TypeId};
use std::sync::Arc;

/// Something that has types.
pub(crate) trait Types {
    /// This type; one of which nothing is known, if there is none.
    fn ty(&self, id: TypeId) -> Arc<Type>;

    /// Where the member of this path is, and its type.
    fn path(&self, ty: TypeId, path: &[&str]) -> Option<(u64, TypeId)> {
        let (mut at, mut ty) = (0_u64, ty);
        for name in path {
            let here = self.ty(ty);
            let member = here.member(name)?;
            at = at.checked_add(member.at)?;
            ty = member.ty;
        }
        Some((at, ty))
    }

    /// The first part of this type, by value, that is wanted, and where it is.
    fn find(&self, ty: TypeId, wanted: &dyn Fn(&Type) -> bool, depth: u32) -> Option<(u64, TypeId)> {
        let here = self.ty(ty);
        if wanted(&here) {
            return Some((0, ty));
        }
        let depth = depth.checked_sub(1)?;
        let variants = here.variants.iter().flat_map(|part| &part.variants).map(|variant| (variant.at, variant.ty));
        here.members.iter().map(|member| (member.at, member.ty)).chain(variants).take(256).find_map(|(at, part)| {
            let (inner, found) = self.find(part, wanted, depth)?;
            Some((at.checked_add(inner)?, found))
        })
    }

    /// The pointer in this type, which may be wrapped (`Arc`, `NonNull`, `Pin`), and what it leads to.
    fn pointer(&self, ty: TypeId) -> Option<(u64, TypeId)> {
        let (mut at, mut ty) = (0_u64, ty);
        for _ in 0..10 {
            let here = self.ty(ty);
            if let Kind::Pointer(to) = here.kind {
                return Some((at, to));
            }
            let named = ["data_ptr", "pointer"].iter().find_map(|name| here.member(name));
            let member = named.or_else(|| here.members.iter().find(|member| self.ty(member.ty).size > 0));
            let (inner, next) = match member {
                Some(member) => (member.at, member.ty),
                // `Option<Arc<T>>` and its like: the variant that has something.
                None => here
                    .variants
                    .iter()
                    .flat_map(|part| &part.variants)
                    .find(|variant| !self.ty(variant.ty).members.is_empty())
                    .map(|variant| (variant.at, variant.ty))?,
            };
            at = at.checked_add(inner)?;
            ty = next;
        }
        None
    }

    /// Where a waker's data and vtable are in this type.
    fn waker(&self, ty: TypeId) -> Option<(u64, u64)> {
        let (at, raw) = self.find(ty, &|ty| ty.is("core::task::wake", "RawWaker"), 20)?;
        let (data, _) = self.path(raw, &["data"])?;
        let (vtable, _) = self.path(raw, &["vtable"])?;
        Some((at.checked_add(data)?, at.checked_add(vtable)?))
    }
}
