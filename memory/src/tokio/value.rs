//! A value of a known type in the process: its parts by name, what it points to, its numbers. For structures that are read now and
//! then; cells of tasks are read by plans.

use crate::{
    bytes::Bytes,
    debug::{Debug, Kind, Type, TypeId, Types},
};

/// More elements of a slice are not looked at.
const MOST: u64 = 65_536;

/// A value in the process.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a> {
    debug: &'a Debug,
    bytes: &'a dyn Bytes,
    pub(crate) at: u64,
    pub(crate) ty: TypeId,
}

impl<'a> Value<'a> {
    pub(crate) fn new(debug: &'a Debug, bytes: &'a dyn Bytes, at: u64, ty: TypeId) -> Self {
        Self { debug, bytes, at, ty }
    }

    fn part(self, (at, ty): (u64, TypeId)) -> Option<Self> {
        Some(Self { at: self.at.checked_add(at)?, ty, ..self })
    }

    /// The member of this path.
    pub(crate) fn path(self, path: &[&str]) -> Option<Self> {
        self.part(self.debug.path(self.ty, path)?)
    }

    /// The first part of it, by value, of this type.
    pub(crate) fn find(self, space: &str, name: &str) -> Option<Self> {
        self.part(self.debug.find(self.ty, &|ty| ty.is(space, name), 10)?)
    }

    /// The first part of it that has this member: the member.
    pub(crate) fn having(self, member: &str) -> Option<Self> {
        self.part(self.debug.find(self.ty, &|ty| ty.member(member).is_some(), 10)?)?.path(&[member])
    }

    /// What an option of this type has, wherever in it the option is.
    pub(crate) fn find_option(self, space: &str, name: &str) -> Option<Self> {
        let wanted = format!("Option<{space}::{name}");
        let option = self.part(self.debug.find(
            self.ty,
            &|ty| &*ty.space == "core::option" && ty.name.starts_with(&wanted),
            10,
        )?)?;
        option.some()
    }

    /// Where the elements of a vector are.
    pub(crate) fn buffer(self) -> Option<u64> {
        let (at, _) = self.debug.find(self.ty, &|ty| matches!(ty.kind, Kind::Pointer(_)), 10)?;
        self.bytes.word(self.at.checked_add(at)?)
    }

    /// Where in a vector's element, a waker, its data is.
    pub(crate) fn waker_of_element(self) -> Option<u64> {
        let ty = self.debug.ty(self.ty);
        let (_, element) = *ty.params.iter().find(|param| &*param.0 == "T")?;
        self.debug.waker(element).map(|waker| waker.0)
    }

    /// What it points to; of an `Arc` what that is of.
    pub(crate) fn target(self) -> Option<Self> {
        let (at, to) = self.debug.pointer(self.ty)?;
        let pointer = self.bytes.word(self.at.checked_add(at)?).filter(|pointer| *pointer != 0)?;
        let target = Self { at: pointer, ty: to, ..self };
        let counted = self.debug.ty(to);
        if counted.name.starts_with("ArcInner<") || counted.name.starts_with("RcInner<") {
            let data = counted.member("data").or_else(|| counted.member("value"))?;
            return target.part((data.at, data.ty));
        }
        Some(target)
    }

    /// A number of its size.
    pub(crate) fn number(self) -> Option<u64> {
        let size = usize::try_from(self.debug.ty(self.ty).size).ok().filter(|size| (1..=8).contains(size))?;
        let mut bytes = [0; 8];
        self.bytes.read(self.at, bytes.get_mut(..size)?).then(|| u64::from_le_bytes(bytes))
    }

    /// The elements of the first slice that it leads to by value.
    pub(crate) fn slice(self) -> Option<impl Iterator<Item = Self> + 'a> {
        let is_slice = |ty: &Type| ty.member("data_ptr").is_some() && ty.member("length").is_some();
        self.part(self.debug.find(self.ty, &is_slice, 10)?)?.elements()
    }

    /// The elements of an array.
    pub(crate) fn items(self) -> Option<impl Iterator<Item = Self> + 'a> {
        let Kind::Array(element, count) = self.debug.ty(self.ty).kind else { return None };
        let size = self.debug.ty(element).size;
        let this = self;
        Some((0..count.min(MOST)).filter_map(move |index| this.part((index.checked_mul(size)?, element))))
    }

    /// The elements of a slice behind a pointer with its length.
    pub(crate) fn elements(self) -> Option<impl Iterator<Item = Self> + 'a> {
        let ty = self.debug.ty(self.ty);
        let (data, length) = (ty.member("data_ptr")?, ty.member("length")?);
        let Kind::Pointer(element) = self.debug.ty(data.ty).kind else { return None };
        let start = self.bytes.word(self.at.checked_add(data.at)?)?;
        let count = self.bytes.word(self.at.checked_add(length.at)?)?.min(MOST);
        let size = self.debug.ty(element).size;
        let this = self;
        Some((0..count).filter_map(move |index| {
            Some(Self { at: start.checked_add(index.checked_mul(size)?)?, ty: element, ..this })
        }))
    }

    /// The variant that it is in, by name.
    pub(crate) fn variant(self) -> Option<(std::sync::Arc<str>, Self)> {
        let ty: std::sync::Arc<Type> = self.debug.ty(self.ty);
        let part = ty.variants.as_ref()?;
        let chosen = match &part.discriminant {
            None => part.variants.first()?,
            Some(member) => {
                let value = self.part((member.at, member.ty))?.number()?;
                let value = u128::from(value);
                let named =
                    part.variants.iter().find(|one| one.values.iter().any(|(from, to)| (*from..=*to).contains(&value)));
                named.or_else(|| part.variants.iter().find(|one| one.values.is_empty()))?
            }
        };
        Some((std::sync::Arc::clone(&chosen.name), self.part((chosen.at, chosen.ty))?))
    }

    /// What an option has.
    pub(crate) fn some(self) -> Option<Self> {
        let (name, value) = self.variant()?;
        (&*name == "Some").then_some(value)?.path(&["__0"])
    }

    /// Its type.
    pub(crate) fn kind(self) -> std::sync::Arc<Type> {
        self.debug.ty(self.ty)
    }
}
