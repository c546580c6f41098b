//! A value as text, by its type: what bytes say that satisfy it. Bounded in depth, in parts, in bytes that are read and in text that
//! comes of it; a target's memory may be anything.

use super::{Tools, known::known, text};
use crate::{
    debug::{Encoding, Kind, Type, TypeId, Variant, names},
    future::view::View,
    tokio::names::function,
};
use std::fmt::Write;

/// A longer value is cut.
const MOST_OUT: usize = 400;
/// Values deeper within one another are not told.
const DEEPEST: u32 = 6;
/// Elements of a list that are told.
const MOST_ELEMENTS: u64 = 8;
/// Members of a structure that are told.
const MOST_MEMBERS: usize = 16;
/// Lower addresses nobody has.
pub(super) const LOWEST: u64 = 4096;

/// What may be read for one task.
pub(super) struct Budget {
    bytes: u64,
    parts: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: 1 << 20, parts: 4096 }
    }
}

/// Writes values.
pub(super) struct Printer<'p, 'v, 't> {
    pub(super) tools: &'p Tools<'t>,
    pub(super) view: &'p mut View<'v>,
    pub(super) budget: &'p mut Budget,
}

/// The bytes do not satisfy the type.
pub(super) struct Unfit;

pub(super) type Told = Result<(), Unfit>;

impl Printer<'_, '_, '_> {
    /// A value, whole: what does not satisfy its type is said to be so.
    pub(super) fn whole(&mut self, at: u64, ty: TypeId) -> String {
        let mut out = String::new();
        self.part(at, ty, DEEPEST, &mut out);
        if out.len() > MOST_OUT {
            let end = (0..=MOST_OUT).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0);
            out.truncate(end);
            out.push('…');
        }
        out
    }

    /// A value inside of another.
    pub(super) fn part(&mut self, at: u64, ty: TypeId, depth: u32, out: &mut String) {
        if out.len() > MOST_OUT {
            return;
        }
        let (Some(depth), Some(fewer)) = (depth.checked_sub(1), self.budget.parts.checked_sub(1)) else {
            out.push('…');
            return;
        };
        self.budget.parts = fewer;
        let start = out.len();
        if self.value(at, ty, depth, out).is_err() {
            out.truncate(start);
            let _ = write!(out, "not readable as {}", type_name(&self.tools.debug.ty(ty)));
        }
    }

    pub(super) fn value(&mut self, at: u64, id: TypeId, depth: u32, out: &mut String) -> Told {
        let ty = self.tools.debug.ty(id);
        match &ty.kind {
            Kind::Base(encoding) => self.number(at, &ty, *encoding, out),
            Kind::Enum(names) => {
                let value = self.uint(at, ty.size)?;
                let name = names.iter().find(|(known, _)| fits(*known, value, ty.size)).ok_or(Unfit)?;
                out.push_str(&text::plain(&name.1));
                Ok(())
            }
            Kind::Pointer(to) => self.pointer(at, &ty, *to, depth, out),
            Kind::Array(of, count) => self.list(at, *count, *of, depth, out),
            Kind::Struct => match known(&ty) {
                Some(known) => self.known(at, id, &ty, known, depth, out),
                None => self.structure(at, &ty, depth, out),
            },
            Kind::Union | Kind::Opaque => {
                let name = type_name(&ty);
                out.push_str(if name.is_empty() { "of an unknown type" } else { &name });
                Ok(())
            }
        }
    }

    fn number(&mut self, at: u64, ty: &Type, encoding: Encoding, out: &mut String) -> Told {
        if ty.size == 0 {
            out.push_str(&text::plain(&ty.name));
            return Ok(());
        }
        let value = self.uint(at, ty.size)?;
        let _ = match encoding {
            Encoding::Boolean => match value {
                0 => write!(out, "false"),
                1 => write!(out, "true"),
                _ => return Err(Unfit),
            },
            Encoding::Char => {
                let letter = u32::try_from(value).ok().and_then(char::from_u32).ok_or(Unfit)?;
                write!(out, "{letter:?}")
            }
            Encoding::Unsigned => write!(out, "{value}"),
            Encoding::Signed => write!(out, "{}", signed(value, ty.size)),
            Encoding::Float => match ty.size {
                4 => write!(out, "{:?}", f32::from_bits(value as u32)),
                8 => write!(out, "{:?}", f64::from_bits(value as u64)),
                _ => return Err(Unfit),
            },
        };
        Ok(())
    }

    /// What a reference or a box leads to; of another pointer its address alone.
    fn pointer(&mut self, at: u64, ty: &Type, to: TypeId, depth: u32, out: &mut String) -> Told {
        let target = self.word(at)?;
        if ty.name.starts_with('*') {
            let _ = write!(out, "{target:#x}");
            return Ok(());
        }
        if !ty.name.starts_with('&') && !ty.name.starts_with("alloc::boxed::Box<") {
            out.push_str(&type_name(ty));
            return Ok(());
        }
        self.target(target, to, depth, out)
    }

    pub(super) fn target(&mut self, target: u64, to: TypeId, depth: u32, out: &mut String) -> Told {
        let size = self.tools.debug.ty(to).size;
        if target < LOWEST {
            // Boxes and references of what has no size lead nowhere.
            return if size == 0 && target > 0 { self.value(target, to, depth, out) } else { Err(Unfit) };
        }
        self.fetch(target, size)?;
        self.part(target, to, depth, out);
        Ok(())
    }

    fn structure(&mut self, at: u64, ty: &Type, depth: u32, out: &mut String) -> Told {
        if ty.is_coroutine() {
            let _ = write!(out, "a future of {}", text::plain(&function(ty, self.tools.debug)));
            return Ok(());
        }
        if let Some(part) = &ty.variants {
            let chosen = match &part.discriminant {
                None => part.variants.first().ok_or(Unfit)?,
                Some(member) => {
                    let value = self.uint(offset(at, member.at)?, self.tools.debug.ty(member.ty).size)?;
                    choose(&part.variants, value).ok_or(Unfit)?
                }
            };
            if part.variants.is_empty() {
                return Err(Unfit);
            }
            let inner = self.tools.debug.ty(chosen.ty);
            return self.members(offset(at, chosen.at)?, &chosen.name, &inner, depth, out);
        }
        if let (Some(data), Some(length)) = (ty.member("data_ptr"), ty.member("length")) {
            return self.slice(at, ty, (data.at, data.ty), length.at, depth, out);
        }
        if let (Some(pointer), Some(vtable)) =
            (ty.member("pointer").or_else(|| ty.member("data_ptr")), ty.member("vtable"))
        {
            let (pointer, vtable) = (self.word(offset(at, pointer.at)?)?, self.word(offset(at, vtable.at)?)?);
            let Some(to) = (self.tools.dynamic)(vtable).filter(|_| is_followed(&ty.name)) else {
                out.push_str(&type_name(ty));
                return Ok(());
            };
            return self.target(pointer, to, depth, out);
        }
        let name = type_name(ty);
        self.members(at, if name.starts_with('(') { "" } else { &name }, ty, depth, out)
    }

    /// Members by name, or in brackets where they have none.
    fn members(&mut self, at: u64, named: &str, ty: &Type, depth: u32, out: &mut String) -> Told {
        out.push_str(&text::plain(named));
        let sized = |member: &&crate::debug::Member| self.tools.debug.ty(member.ty).size > 0;
        let members: Vec<_> = ty.members.iter().filter(sized).take(MOST_MEMBERS + 1).cloned().collect();
        let is_tuple = members.iter().all(|member| member.name.starts_with("__"));
        if members.is_empty() {
            if named.is_empty() {
                out.push_str("()");
            }
            return Ok(());
        }
        out.push_str(if is_tuple { "(" } else { " { " });
        for (index, member) in members.iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            if index == MOST_MEMBERS {
                out.push('…');
                break;
            }
            if !is_tuple {
                let _ = write!(out, "{}: ", text::plain(&member.name));
            }
            self.part(offset(at, member.at)?, member.ty, depth, out);
        }
        out.push_str(if is_tuple { ")" } else { " }" });
        Ok(())
    }

    fn slice(&mut self, at: u64, ty: &Type, data: (u64, TypeId), length: u64, depth: u32, out: &mut String) -> Told {
        let (pointer, count) = (self.word(offset(at, data.0)?)?, self.word(offset(at, length)?)?);
        let Kind::Pointer(element) = self.tools.debug.ty(data.1).kind else { return Err(Unfit) };
        if !is_followed(&ty.name) {
            let _ = write!(out, "{pointer:#x} of {count}");
            return Ok(());
        }
        if ty.name.contains("str") && &*self.tools.debug.ty(element).name == "u8" && is_str(&ty.name) {
            return self.text(pointer, count, out);
        }
        self.list(pointer, count, element, depth, out)
    }

    pub(super) fn text(&mut self, pointer: u64, length: u64, out: &mut String) -> Told {
        let first = self.first(pointer, length)?;
        out.push_str(&text::quoted(&first, length).ok_or(Unfit)?);
        Ok(())
    }

    /// The first of so many bytes, all of which can be read.
    pub(super) fn first(&mut self, pointer: u64, length: u64) -> Result<Vec<u8>, Unfit> {
        if length == 0 {
            return Ok(Vec::new());
        }
        let last = pointer.checked_add(length - 1).ok_or(Unfit)?;
        let told = length.min(text::MOST_TEXT as u64);
        if pointer < LOWEST {
            return Err(Unfit);
        }
        self.fetch(pointer, told)?;
        self.fetch(last, 1)?;
        Ok(self.view.slice(pointer, told as usize).ok_or(Unfit)?.to_vec())
    }

    /// So many elements, one after another: how many, and the first ones.
    pub(super) fn list(&mut self, at: u64, count: u64, element: TypeId, depth: u32, out: &mut String) -> Told {
        let ty = self.tools.debug.ty(element);
        let bytes = count.checked_mul(ty.size).filter(|bytes| *bytes < 1 << 47).ok_or(Unfit)?;
        if &*ty.name == "u8" {
            let first = self.first(at, count)?;
            out.push_str(&text::bytes(&first, count));
            return Ok(());
        }
        if bytes == 0 {
            let _ = if count == 0 { write!(out, "[]") } else { write!(out, "{count} of {}", type_name(&ty)) };
            return Ok(());
        }
        let told = count.min(MOST_ELEMENTS);
        if at < LOWEST {
            return Err(Unfit);
        }
        self.fetch(at, told * ty.size)?;
        self.fetch(at.checked_add(bytes - 1).ok_or(Unfit)?, 1)?;
        out.push('[');
        for index in 0..told {
            if index > 0 {
                out.push_str(", ");
            }
            self.part(offset(at, index * ty.size)?, element, depth, out);
        }
        if told < count {
            let _ = write!(out, ", …] ({count} in all)");
        } else {
            out.push(']');
        }
        Ok(())
    }

    pub(super) fn word(&self, at: u64) -> Result<u64, Unfit> {
        self.view.word(at).ok_or(Unfit)
    }

    pub(super) fn uint(&self, at: u64, size: u64) -> Result<u128, Unfit> {
        let size = u8::try_from(size).ok().filter(|size| (1..=16).contains(size)).ok_or(Unfit)?;
        self.view.uint(at, size).ok_or(Unfit)
    }

    pub(super) fn bytes(&self, at: u64, size: u64) -> Result<Vec<u8>, Unfit> {
        let size = usize::try_from(size).ok().filter(|size| *size <= 64).ok_or(Unfit)?;
        Ok(self.view.slice(at, size).ok_or(Unfit)?.to_vec())
    }

    fn fetch(&mut self, at: u64, size: u64) -> Told {
        self.budget.bytes = self.budget.bytes.checked_sub(size).ok_or(Unfit)?;
        if self.view.fetch(at, size) { Ok(()) } else { Err(Unfit) }
    }
}

pub(super) fn type_name(ty: &Type) -> String {
    text::plain(&names::short(&ty.path()))
}

pub(super) fn offset(at: u64, by: u64) -> Result<u64, Unfit> {
    at.checked_add(by).ok_or(Unfit)
}

/// Whether a pointer of this name may be followed: somebody vouches that it leads somewhere.
fn is_followed(name: &str) -> bool {
    name.starts_with('&') || name.starts_with("alloc::boxed::Box<") || name.starts_with("Box<")
}

/// Whether it is a text, and not bytes.
fn is_str(name: &str) -> bool {
    let inner = name.trim_start_matches("&mut ").trim_start_matches('&');
    let inner = inner.strip_prefix("alloc::boxed::").unwrap_or(inner);
    let inner = inner.strip_prefix("Box<").unwrap_or(inner);
    inner == "str" || inner.starts_with("str,") || inner.starts_with("str>")
}

pub(super) fn choose(variants: &[Variant], value: u128) -> Option<&Variant> {
    let is = |variant: &&Variant| variant.values.iter().any(|(from, to)| (*from..=*to).contains(&value));
    variants.iter().find(is).or_else(|| variants.iter().find(|variant| variant.values.is_empty()))
}

/// Whether a number of so many bytes is this one, with its sign or without.
fn fits(known: i128, value: u128, size: u64) -> bool {
    known.cast_unsigned() == value || known == signed(value, size)
}

fn signed(value: u128, size: u64) -> i128 {
    let unused = 128_u32.saturating_sub(u32::try_from(size).unwrap_or(16).saturating_mul(8)).min(127);
    value.wrapping_shl(unused).cast_signed() >> unused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_sign_of_their_width() {
        assert_eq!((signed(0xFF, 1), signed(0x7F, 1), signed(u128::MAX, 16)), (-1, 127, -1));
        assert!(fits(-1, 0xFF, 1) && fits(255, 0xFF, 1) && !fits(1, 0xFF, 1));
    }

    #[test]
    fn texts_are_told_from_bytes() {
        assert!(is_str("&str") && is_str("&mut str") && is_str("alloc::boxed::Box<str, alloc::alloc::Global>"));
        assert!(!is_str("&[u8]") && !is_str("&mut [u8]") && !is_str("&strange"));
    }
}
