//! How a layout's parts are written, and read again: numbers of seven bits a byte, text by its place in a table.

use super::super::{Debug, Encoding, Index, Kind, Member, Type, TypeId, Variant, VariantPart};
use super::closure::{Closure, is_wanted};
use crate::Place;
use rustc_hash::{FxHashMap, FxHasher};
use std::{
    cell::RefCell,
    hash::{Hash, Hasher as _},
    sync::Arc,
};

/// Bytes that are written.
#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn number(&mut self, number: impl Into<u128>) {
        let mut left = number.into();
        while left >= 0x80 {
            self.0.push(left as u8 | 0x80);
            left >>= 7;
        }
        self.0.push(left as u8);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn reserve(&mut self, more: usize) {
        self.0.reserve(more);
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

/// Bytes that are read.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// How many are left.
    pub(super) fn left(&self) -> usize {
        self.0.len()
    }

    fn wide(&mut self) -> Option<u128> {
        let mut all = 0_u128;
        for shift in (0..128).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            all |= u128::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(all);
            }
        }
        None
    }

    fn number<N: TryFrom<u128>>(&mut self) -> Option<N> {
        N::try_from(self.wide()?).ok()
    }

    /// How many of something follow: each takes at least a byte, so that more than there are bytes is a lie.
    fn count(&mut self) -> Option<usize> {
        self.number().filter(|count| *count <= self.left())
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.number()?;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self, texts: &dyn Texts) -> Option<Arc<str>> {
        texts.get(self.number()?)
    }

    fn id(&mut self) -> Option<TypeId> {
        self.number().map(TypeId)
    }

    pub(super) fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.count()?;
        // What is there may be less than was said: room is made as it comes.
        let mut all = Vec::with_capacity(count.min(1024));
        for _ in 0..count {
            all.push(one(self)?);
        }
        Some(all)
    }
}

/// Text by its number.
pub(super) trait Texts {
    fn get(&self, number: usize) -> Option<Arc<str>>;
}

/// Text that is written, each once.
#[derive(Default)]
pub(super) struct Strings {
    /// As it is written: how long each is, and its bytes.
    bytes: Writer,
    /// Where in that the bytes of each begin and end.
    places: Vec<(u32, u32)>,
    /// The number of the last one with each hash, and of the one before it that has the same.
    last: FxHashMap<u64, u32>,
    before: FxHashMap<u32, u32>,
}

impl Strings {
    fn number(&mut self, text: &str) -> u32 {
        let mut hasher = FxHasher::default();
        text.hash(&mut hasher);
        let hash = hasher.finish();
        let mut next = self.last.get(&hash).copied();
        while let Some(number) = next {
            if self.is(number, text) {
                return number;
            }
            next = self.before.get(&number).copied();
        }
        let number = self.places.len() as u32;
        self.bytes.bytes(text.as_bytes());
        let end = self.bytes.0.len();
        self.places.push(((end - text.len()) as u32, end as u32));
        if let Some(before) = self.last.insert(hash, number) {
            self.before.insert(number, before);
        }
        number
    }

    fn is(&self, number: u32, text: &str) -> bool {
        let place = self.places.get(number as usize);
        place.and_then(|(start, end)| self.bytes.0.get(*start as usize..*end as usize)) == Some(text.as_bytes())
    }

    /// How many they are, and all of them.
    pub(super) fn into_parts(self) -> (usize, Vec<u8>) {
        (self.places.len(), self.bytes.into_vec())
    }
}

/// Where the text of a body is: of each from where to where.
pub(super) fn get_strings(from: &mut Reader<'_>, body: &[u8]) -> Option<Vec<(u32, u32)>> {
    from.list(|from| {
        let text = from.bytes()?;
        std::str::from_utf8(text).ok()?;
        let end = body.len().checked_sub(from.left())?;
        Some((u32::try_from(end.checked_sub(text.len())?).ok()?, u32::try_from(end).ok()?))
    })
}

/// Text that was asked for is kept: an index has most of its names several times.
pub(super) struct Shared<'t> {
    texts: &'t dyn Texts,
    kept: RefCell<FxHashMap<usize, Arc<str>>>,
}

impl<'t> Shared<'t> {
    pub(super) fn new(texts: &'t dyn Texts) -> Self {
        Self { texts, kept: RefCell::default() }
    }
}

impl Texts for Shared<'_> {
    fn get(&self, number: usize) -> Option<Arc<str>> {
        let mut kept = self.kept.borrow_mut();
        if let Some(text) = kept.get(&number) {
            return Some(text.clone());
        }
        let text = self.texts.get(number)?;
        kept.insert(number, text.clone());
        Some(text)
    }
}

/// Writes a type; `number` gives those that it names their new numbers.
pub(super) fn put_type(to: &mut Writer, ty: &Type, strings: &mut Strings, number: &dyn Fn(TypeId) -> u32) {
    to.number(strings.number(&ty.space));
    to.number(strings.number(&ty.name));
    to.number(ty.size);
    match &ty.kind {
        Kind::Struct => to.number(0_u8),
        Kind::Union => to.number(1_u8),
        Kind::Enum(names) => {
            to.number(2_u8);
            to.number(names.len() as u64);
            for (value, name) in names {
                to.number(*value as u128);
                to.number(strings.number(name));
            }
        }
        Kind::Pointer(of) => {
            to.number(3_u8);
            to.number(number(*of));
        }
        Kind::Base(encoding) => {
            to.number(4_u8);
            to.number(*encoding as u8);
        }
        Kind::Array(of, count) => {
            to.number(5_u8);
            to.number(number(*of));
            to.number(*count);
        }
        Kind::Opaque => to.number(6_u8),
    }
    to.number(ty.members.len() as u64);
    for member in &ty.members {
        put_member(to, member, strings, number);
    }
    to.number(ty.params.len() as u64);
    for (name, ty) in &ty.params {
        to.number(strings.number(name));
        to.number(number(*ty));
    }
    let Some(part) = &ty.variants else { return to.number(0_u8) };
    to.number(if part.discriminant.is_some() { 2_u8 } else { 1 });
    if let Some(member) = &part.discriminant {
        put_member(to, member, strings, number);
    }
    to.number(part.variants.len() as u64);
    for variant in &part.variants {
        to.number(variant.values.len() as u64);
        for (first, last) in &variant.values {
            to.number(*first);
            to.number(*last);
        }
        to.number(strings.number(&variant.name));
        to.number(number(variant.ty));
        to.number(variant.at);
        // A line of 0 is none.
        let place = variant.place.as_ref();
        to.number(place.map_or(0, |place| place.line));
        if let Some(place) = place.filter(|place| place.line > 0) {
            to.number(strings.number(&place.file));
        }
    }
}

fn put_member(to: &mut Writer, member: &Member, strings: &mut Strings, number: &dyn Fn(TypeId) -> u32) {
    to.number(strings.number(&member.name));
    to.number(number(member.ty));
    to.number(member.at);
}

fn get_member(from: &mut Reader<'_>, texts: &dyn Texts) -> Option<Member> {
    Member::new(from.text(texts)?, from.id()?, from.number()?)
}

/// Reads a type.
pub(super) fn get_type(from: &mut Reader<'_>, texts: &dyn Texts) -> Option<Type> {
    let (space, name, size) = (from.text(texts)?, from.text(texts)?, from.number()?);
    let kind = match from.number::<u8>()? {
        0 => Kind::Struct,
        1 => Kind::Union,
        2 => Kind::Enum(from.list(|from| Some((from.wide()? as i128, from.text(texts)?)))?),
        3 => Kind::Pointer(from.id()?),
        4 => Kind::Base(encoding(from.number()?)?),
        5 => Kind::Array(from.id()?, from.number()?),
        6 => Kind::Opaque,
        _ => return None,
    };
    let members = from.list(|from| get_member(from, texts))?;
    let params = from.list(|from| Some((from.text(texts)?, from.id()?)))?;
    let variants = match from.number::<u8>()? {
        0 => None,
        with => Some(VariantPart {
            discriminant: if with == 2 { Some(get_member(from, texts)?) } else { None },
            variants: from.list(|from| {
                let values = from.list(|from| Some((from.wide()?, from.wide()?)))?;
                let Member { name, ty, at } = get_member(from, texts)?;
                let line = from.number()?;
                let place = if line == 0 { None } else { Some(Place { file: from.text(texts)?, line }) };
                Some(Variant { values, name, ty, at, place })
            })?,
        }),
    };
    Some(Type { space, name, size, kind, members, variants, params })
}

fn encoding(number: u8) -> Option<Encoding> {
    let all = [Encoding::Unsigned, Encoding::Signed, Encoding::Boolean, Encoding::Char, Encoding::Float];
    all.into_iter().find(|encoding| *encoding as u8 == number)
}

/// Writes the index, of which only what leads to a type that was kept is of use.
pub(super) fn put_index(to: &mut Writer, debug: &Debug, strings: &mut Strings, closure: &Closure) {
    let index = debug.index();
    to.number(strings.number(&index.producer));
    for table in [&index.cells, &index.named, &index.coroutines] {
        let kept = sorted(table.iter().filter(|entry| closure.has(*entry.1)));
        to.number(kept.len() as u64);
        for (name, ty) in kept {
            to.number(strings.number(name));
            to.number(closure.number(*ty));
        }
    }
    let functions = sorted(index.task_functions.iter());
    to.number(functions.len() as u64);
    for (address, of) in functions {
        to.number(*address);
        to.number(of.len() as u64);
        for name in of {
            to.number(strings.number(name));
        }
    }
    let vtables = sorted(index.vtables.iter().filter(|entry| closure.has(*entry.1)));
    to.number(vtables.len() as u64);
    for (address, ty) in vtables {
        to.number(*address);
        to.number(closure.number(*ty));
    }
    let locals: Vec<_> = index.thread_locals.iter().filter(|local| is_wanted(&local.0)).collect();
    to.number(locals.len() as u64);
    for (path, at, ty) in locals {
        to.number(strings.number(path));
        to.number(*at);
        to.number(closure.number(*ty));
    }
    to.number(index.block_on.len() as u64);
    for (range, ty) in &index.block_on {
        to.number(range.start);
        to.number(range.end);
        to.number(closure.number(*ty));
    }
    for locks in [&index.keepers, debug.outside()] {
        let mut locks: Vec<_> = locks.iter().collect();
        locks.sort_unstable();
        to.number(locks.len() as u64);
        for lock in locks {
            to.number(strings.number(lock));
        }
    }
}

fn sorted<'a, K: Ord + 'a, V: 'a>(entries: impl Iterator<Item = (&'a K, &'a V)>) -> Vec<(&'a K, &'a V)> {
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by_key(|entry| entry.0);
    entries
}

/// Reads the index.
pub(super) fn get_index(from: &mut Reader<'_>, texts: &dyn Texts) -> Option<Index> {
    let producer = from.text(texts)?;
    let mut table = || Some(keyed(from.list(|from| Some((from.text(texts)?, from.id()?)))?));
    let (cells, named, coroutines) = (table()?, table()?, table()?);
    Some(Index {
        cells,
        task_functions: keyed(from.list(|from| Some((from.number()?, from.list(|from| from.text(texts))?)))?),
        vtables: keyed(from.list(|from| Some((from.number()?, from.id()?)))?),
        thread_locals: from.list(|from| Some((from.text(texts)?, from.number()?, from.id()?)))?,
        block_on: from.list(|from| Some((from.number()?..from.number()?, from.id()?)))?,
        keepers: from.list(|from| from.text(texts))?.into_iter().collect(),
        outside: vec![],
        outside_locks: from.list(|from| from.text(texts))?.into_iter().collect(),
        named,
        coroutines,
        producer,
    })
}

fn keyed<K: Hash + Eq, V>(entries: Vec<(K, V)>) -> FxHashMap<K, V> {
    entries.into_iter().collect()
}
