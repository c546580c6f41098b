//! A type, as it is read when it is asked for.

use super::{
    Encoding, Kind, Member, Type, TypeId, Variant, VariantPart, lines,
    scan::reference,
    scopes::{LONGEST_NAME, name_of, text},
    sections::Slice,
    units::{Opened, Units},
};
use crate::Place;
use gimli::{AttributeValue, DebuggingInformationEntry, EntriesTreeNode, UnitOffset, constants as dw};
use std::sync::Arc;

type Entry<'a> = DebuggingInformationEntry<Slice<'a>>;

/// So many members, variants or parameters a type has at most; those after it are left out.
const MOST: usize = 1 << 14;
/// So many entries are gone through for one type.
const MOST_ENTRIES: usize = 1 << 16;
/// The longest name of a member.
const LONGEST_MEMBER: usize = 1 << 10;
/// How many arrays may be in each other.
const NESTED: usize = 8;

/// Reads a type.
pub(super) fn parse(units: &Units<'_>, id: TypeId) -> Option<Type> {
    let mut ty = as_written(units, id)?;
    if ty.is_coroutine() {
        lines::resolve(units, &mut ty);
    }
    Some(ty)
}

/// Reads a type, and leaves lines as they are written.
pub(super) fn as_written(units: &Units<'_>, id: TypeId) -> Option<Type> {
    nested(units, id, NESTED)
}

/// The name of a type alone.
pub(super) fn name(units: &Units<'_>, id: TypeId) -> Option<Arc<str>> {
    name_within(&units.of(id.0)?, id)
}

/// The same of a type of this unit.
pub(super) fn name_within(opened: &Opened<'_, '_>, id: TypeId) -> Option<Arc<str>> {
    Some(text(opened.named(id.0)?, LONGEST_NAME).into())
}

fn nested(units: &Units<'_>, id: TypeId, nested: usize) -> Option<Type> {
    let opened = units.of(id.0)?;
    Parser { units, opened, nested, left: MOST_ENTRIES }.run(id)
}

struct Parser<'u, 'a> {
    units: &'u Units<'a>,
    opened: Opened<'u, 'a>,
    /// How many arrays may be in each other from here on.
    nested: usize,
    /// How many entries more may be read.
    left: usize,
}

impl<'a> Parser<'_, 'a> {
    fn run(mut self, id: TypeId) -> Option<Type> {
        let unit = Arc::clone(&self.opened.unit);
        let mut tree = unit.entries_tree(Some(self.within(id))).ok()?;
        let root = tree.root().ok()?;
        let entry = root.entry();
        let tag = entry.tag();
        let of = self.type_of(entry);
        let size = entry.attr_value(dw::DW_AT_byte_size).and_then(|value| value.udata_value()).unwrap_or(0);
        let named = matches!(tag, dw::DW_TAG_structure_type | dw::DW_TAG_union_type | dw::DW_TAG_enumeration_type);
        let space = if named { self.opened.space(id.0) } else { String::new() };
        let mut ty = Type {
            space: space.into(),
            name: self.name(entry, LONGEST_NAME),
            size,
            kind: Kind::Opaque,
            members: vec![],
            variants: None,
            params: vec![],
        };
        ty.kind = match tag {
            dw::DW_TAG_structure_type => Kind::Struct,
            dw::DW_TAG_union_type => Kind::Union,
            dw::DW_TAG_enumeration_type => Kind::Enum(vec![]),
            dw::DW_TAG_pointer_type | dw::DW_TAG_reference_type => {
                ty.size = 8;
                of.map_or(Kind::Opaque, Kind::Pointer)
            }
            dw::DW_TAG_base_type => base(entry),
            dw::DW_TAG_array_type => Kind::Array(of?, 1),
            dw::DW_TAG_subprogram | dw::DW_TAG_variable | dw::DW_TAG_namespace | dw::DW_TAG_compile_unit => {
                return None;
            }
            _ => {
                ty.size = self.size(id, self.nested);
                Kind::Opaque
            }
        };
        self.children(root, &mut ty);
        if let Kind::Array(element, count) = ty.kind {
            ty.size = self.size(element, self.nested).saturating_mul(count);
        }
        Some(ty)
    }

    fn children(&mut self, root: EntriesTreeNode<'_, '_, Slice<'a>>, ty: &mut Type) {
        let mut dimensions = 0;
        let mut children = root.children();
        while let Ok(Some(child)) = children.next() {
            if !self.may_go_on() {
                break;
            }
            let entry = child.entry();
            match entry.tag() {
                dw::DW_TAG_member if ty.members.len() < MOST => ty.members.extend(self.member(entry)),
                dw::DW_TAG_template_type_parameter if ty.params.len() < MOST => {
                    if let Some(of) = self.type_of(entry) {
                        ty.params.push((self.name(entry, LONGEST_MEMBER), of));
                    }
                }
                dw::DW_TAG_enumerator => {
                    if let (Kind::Enum(names), Some(value)) = (&mut ty.kind, entry.attr_value(dw::DW_AT_const_value))
                        && names.len() < MOST
                        && let Some(value) = number(&value)
                    {
                        names.push((value as i128, self.name(entry, LONGEST_MEMBER)));
                    }
                }
                dw::DW_TAG_subrange_type => {
                    let count = entry.attr_value(dw::DW_AT_count).and_then(|value| value.udata_value());
                    let bound = || entry.attr_value(dw::DW_AT_upper_bound)?.udata_value()?.checked_add(1);
                    dimensions += 1;
                    if let Kind::Array(_, all) = &mut ty.kind {
                        let count = count.or_else(bound).unwrap_or(0);
                        *all = if dimensions == 1 { count } else { all.saturating_mul(count) };
                    }
                }
                dw::DW_TAG_variant_part if ty.variants.is_none() => ty.variants = Some(self.variants(child)),
                _ => {}
            }
        }
        if dimensions == 0
            && let Kind::Array(_, all) = &mut ty.kind
        {
            *all = 0;
        }
    }

    fn variants(&mut self, node: EntriesTreeNode<'_, '_, Slice<'a>>) -> VariantPart {
        let discriminant =
            node.entry().attr_value(dw::DW_AT_discr).and_then(|value| reference(self.opened.start, &value));
        let mut part = VariantPart { discriminant: None, variants: vec![] };
        let mut children = node.children();
        while let Ok(Some(child)) = children.next() {
            if !self.may_go_on() || part.variants.len() >= MOST {
                break;
            }
            let entry = child.entry();
            match entry.tag() {
                dw::DW_TAG_member if discriminant.is_some() && self.at(entry) == discriminant => {
                    part.discriminant = self.member(entry);
                }
                dw::DW_TAG_variant => {
                    let values = values(entry);
                    let mut members = child.children();
                    while let Ok(Some(member)) = members.next() {
                        if !self.may_go_on() {
                            break;
                        }
                        let entry = member.entry();
                        if entry.tag() == dw::DW_TAG_member
                            && let Some(Member { name, ty, at }) = self.member(entry)
                        {
                            let place = self.place(entry);
                            part.variants.push(Variant { values: values.clone(), name, ty, at, place });
                        }
                    }
                }
                _ => {}
            }
        }
        // A number with a sign is written with all of its bits; the discriminant has only its own.
        let bits = part.discriminant.as_ref().map_or(0, |member| self.size(member.ty, self.nested).min(16) * 8);
        if let Some(mask) = 1_u128.checked_shl(bits as u32).map(|bit| bit.wrapping_sub(1)).filter(|mask| *mask != 0) {
            for variant in &mut part.variants {
                for (from, to) in &mut variant.values {
                    (*from, *to) = (*from & mask, *to & mask);
                }
            }
        }
        part
    }

    fn may_go_on(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left > 0
    }

    fn within(&self, id: TypeId) -> UnitOffset {
        UnitOffset(id.0.saturating_sub(self.opened.start) as usize)
    }

    fn at(&self, entry: &Entry<'a>) -> Option<u32> {
        u32::try_from(entry.offset().0).ok()?.checked_add(self.opened.start)
    }

    fn name(&self, entry: &Entry<'a>, most: usize) -> Arc<str> {
        let value = entry.attr_value(dw::DW_AT_name);
        value
            .map_or_else(Arc::default, |value| text(name_of(self.opened.dwarf, &self.opened.unit, &value), most).into())
    }

    fn type_of(&self, entry: &Entry<'a>) -> Option<TypeId> {
        entry.attr_value(dw::DW_AT_type).and_then(|value| reference(self.opened.start, &value)).map(TypeId)
    }

    fn member(&self, entry: &Entry<'a>) -> Option<Member> {
        let at = entry.attr_value(dw::DW_AT_data_member_location).map_or(Some(0), |value| value.udata_value())?;
        Member::new(self.name(entry, LONGEST_MEMBER), self.type_of(entry)?, at)
    }

    /// Where an entry was written.
    fn place(&self, entry: &Entry<'a>) -> Option<Place> {
        let line = u32::try_from(entry.attr_value(dw::DW_AT_decl_line)?.udata_value()?).ok()?;
        let index = match entry.attr_value(dw::DW_AT_decl_file)? {
            AttributeValue::FileIndex(index) => index,
            value => value.udata_value()?,
        };
        Some(Place { file: file(&self.opened, index)?, line })
    }

    /// The size of a type, which may be an array of others.
    fn size(&self, id: TypeId, nested: usize) -> u64 {
        let size = || {
            let opened = self.units.of(id.0)?;
            let entry = opened.entry(id.0)?;
            if let Some(size) = entry.attr_value(dw::DW_AT_byte_size).and_then(|value| value.udata_value()) {
                return Some(size);
            }
            let of = entry.attr_value(dw::DW_AT_type).and_then(|value| reference(opened.start, &value)).map(TypeId);
            match entry.tag() {
                dw::DW_TAG_pointer_type | dw::DW_TAG_reference_type => Some(8),
                dw::DW_TAG_array_type if nested > 0 => Some(self::nested(self.units, id, nested - 1)?.size),
                dw::DW_TAG_typedef | dw::DW_TAG_const_type | dw::DW_TAG_volatile_type | dw::DW_TAG_restrict_type
                    if nested > 0 =>
                {
                    Some(self.size(of?, nested - 1))
                }
                _ => None,
            }
        };
        size().unwrap_or(0)
    }
}

fn base(entry: &Entry<'_>) -> Kind {
    let Some(AttributeValue::Encoding(encoding)) = entry.attr_value(dw::DW_AT_encoding) else { return Kind::Opaque };
    Kind::Base(match encoding {
        dw::DW_ATE_boolean => Encoding::Boolean,
        dw::DW_ATE_UTF => Encoding::Char,
        dw::DW_ATE_signed | dw::DW_ATE_signed_char => Encoding::Signed,
        dw::DW_ATE_unsigned | dw::DW_ATE_unsigned_char => Encoding::Unsigned,
        dw::DW_ATE_float => Encoding::Float,
        _ => return Kind::Opaque,
    })
}

/// A constant, with its sign in all of its bits.
fn number(value: &AttributeValue<Slice<'_>>) -> Option<u128> {
    match value {
        AttributeValue::Sdata(value) => Some(i128::from(*value) as u128),
        AttributeValue::Block(bytes) => {
            let bytes = bytes.slice();
            (bytes.len() <= 16).then(|| bytes.iter().rev().fold(0, |all, byte| all << 8 | u128::from(*byte)))
        }
        value => value.udata_value().map(u128::from),
    }
}

/// The values of the discriminant that mean this variant.
fn values(entry: &Entry<'_>) -> Vec<(u128, u128)> {
    if let Some(value) = entry.attr_value(dw::DW_AT_discr_value) {
        // One that cannot be read means no value at all, instead of all that no other means.
        return vec![number(&value).map_or((1, 0), |value| (value, value))];
    }
    let Some(AttributeValue::Block(mut list)) = entry.attr_value(dw::DW_AT_discr_list) else { return vec![] };
    let mut values = vec![];
    while let Ok(kind) = gimli::Reader::read_u8(&mut list)
        && values.len() < MOST
    {
        let Ok(from) = gimli::Reader::read_uleb128(&mut list) else { break };
        let to = if kind == dw::DW_DSC_range.0 { gimli::Reader::read_uleb128(&mut list) } else { Ok(from) };
        let Ok(to) = to else { break };
        values.push((u128::from(from), u128::from(to)));
    }
    if values.is_empty() { vec![(1, 0)] } else { values }
}

/// The name of a file of a unit, as the compiler wrote it.
pub(super) fn file(opened: &Opened<'_, '_>, index: u64) -> Option<Arc<str>> {
    let header = opened.unit.line_program.as_ref()?.header();
    let file = header.file(index)?;
    let part = |value| text(name_of(opened.lines, &opened.unit, &value), 4096);
    let name = part(file.path_name());
    // The first directory is the one in which the compiler ran: what is written by it was named relative to it.
    if name.starts_with('/') || file.directory_index() == 0 {
        return Some(name.into());
    }
    let directory = file.directory(header).map(part).unwrap_or_default();
    Some(if directory.is_empty() { name.into() } else { format!("{directory}/{name}").into() })
}
