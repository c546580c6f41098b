//! Values of the standard library's types: vectors and texts, counted pointers, times, addresses, tables.

use super::{
    known::Known,
    print::{LOWEST, Printer, Told, Unfit, choose, offset, type_name},
    text,
};
use crate::debug::{Kind, Type, TypeId, Types};
use std::{fmt::Write, time::Duration};

impl Printer<'_, '_, '_> {
    pub(super) fn known(&mut self, at: u64, id: TypeId, ty: &Type, known: Known, depth: u32, out: &mut String) -> Told {
        match known {
            Known::Name => {
                out.push_str(&type_name(ty));
                Ok(())
            }
            Known::Inside => {
                let sized = |member: &&crate::debug::Member| self.tools.debug.ty(member.ty).size > 0;
                let Some(member) = ty.members.iter().find(sized).cloned() else {
                    out.push_str(&type_name(ty));
                    return Ok(());
                };
                self.part(offset(at, member.at)?, member.ty, depth + 1, out);
                Ok(())
            }
            Known::Address => {
                let part = ty.variants.as_ref().ok_or(Unfit)?;
                let member = part.discriminant.as_ref().ok_or(Unfit)?;
                let value = self.uint(offset(at, member.at)?, self.tools.debug.ty(member.ty).size)?;
                let chosen = choose(&part.variants, value).ok_or(Unfit)?;
                let inner = self.tools.debug.ty(chosen.ty);
                let inside = inner.members.first().ok_or(Unfit)?;
                self.value(offset(offset(at, chosen.at)?, inside.at)?, inside.ty, depth, out)
            }
            Known::Vec | Known::Text => {
                let (pointer, length, element) = self.vec(at, id)?;
                if known == Known::Text {
                    return self.text(pointer, length, out);
                }
                self.list(pointer, length, element, depth, out)
            }
            Known::Shared => self.shared(at, id, depth, out),
            Known::Duration | Known::Instant | Known::SystemTime => self.time(at, id, known, out),
            Known::Octets => {
                let octets = self.bytes(at, ty.size)?;
                let told = match <[u8; 4]>::try_from(octets.as_slice()) {
                    Ok(four) => std::net::Ipv4Addr::from(four).to_string(),
                    Err(_) => std::net::Ipv6Addr::from(<[u8; 16]>::try_from(octets).map_err(|_| Unfit)?).to_string(),
                };
                out.push_str(&told);
                Ok(())
            }
            Known::Socket => {
                let types = self.tools.debug;
                let (ip, ip_ty) = types.path(id, &["ip"]).ok_or(Unfit)?;
                let (port, port_ty) = types.path(id, &["port"]).ok_or(Unfit)?;
                let (is_v6, start) = (types.ty(ip_ty).size == 16, out.len());
                self.value(offset(at, ip)?, ip_ty, depth, out)?;
                if is_v6 {
                    out.insert(start, '[');
                    out.push(']');
                }
                out.push(':');
                self.value(offset(at, port)?, port_ty, depth, out)
            }
            Known::Uuid => {
                let bytes = self.bytes(at, ty.size)?;
                for (index, byte) in bytes.iter().enumerate() {
                    let _ = write!(out, "{}{byte:02x}", if matches!(index, 4 | 6 | 8 | 10) { "-" } else { "" });
                }
                Ok(())
            }
            Known::Counted(member) => {
                let is = |ty: &Type| ty.member(member).is_some();
                let (inner, holder) = self.tools.debug.find(id, &is, 8).ok_or(Unfit)?;
                let (place, _) = self.tools.debug.path(holder, &[member]).ok_or(Unfit)?;
                let count = self.word(offset(at, inner.checked_add(place).ok_or(Unfit)?)?)?;
                if count > 1 << 40 {
                    return Err(Unfit);
                }
                let _ = write!(out, "{} of {count}", type_name(ty));
                Ok(())
            }
            Known::Slice => {
                let types = self.tools.debug;
                let (pointer, _) = types.path(id, &["ptr"]).ok_or(Unfit)?;
                let (length, _) = types.path(id, &["len"]).ok_or(Unfit)?;
                let (pointer, length) = (self.word(offset(at, pointer)?)?, self.word(offset(at, length)?)?);
                let first = self.first(pointer, length)?;
                out.push_str(&text::bytes(&first, length));
                Ok(())
            }
        }
    }

    /// A vector's elements: where, how many, of which type. It has room for as many.
    fn vec(&mut self, at: u64, id: TypeId) -> Result<(u64, u64, TypeId), Unfit> {
        let types = self.tools.debug;
        let (inner, vec) = types.find(id, &|ty| ty.is("alloc::vec", "Vec"), 6).ok_or(Unfit)?;
        let at = offset(at, inner)?;
        let (place, _) = types.find(vec, &|ty| matches!(ty.kind, Kind::Pointer(_)), 10).ok_or(Unfit)?;
        let (length, _) = types.path(vec, &["len"]).ok_or(Unfit)?;
        let element = types.ty(vec).params.iter().find(|param| &*param.0 == "T").ok_or(Unfit)?.1;
        let (pointer, length) = (self.word(offset(at, place)?)?, self.word(offset(at, length)?)?);
        let room = types.find(vec, &|ty| ty.member("cap").is_some(), 6).and_then(|(inner, ty)| {
            let (place, _) = types.path(ty, &["cap"])?;
            self.view.word(at.checked_add(inner)?.checked_add(place)?)
        });
        // What has no size has room for all.
        if types.ty(element).size > 0 && room.is_none_or(|room| room < length || room > i64::MAX as u64) {
            return Err(Unfit);
        }
        Ok((pointer, length, element))
    }

    /// What an `Arc` or an `Rc` is of.
    fn shared(&mut self, at: u64, id: TypeId, depth: u32, out: &mut String) -> Told {
        let types = self.tools.debug;
        let name = types.ty(id).name.clone();
        let wide = types.find(id, &|ty| ty.member("data_ptr").is_some() || ty.member("vtable").is_some(), 6);
        if let Some((inner, wide)) = wide {
            let ty = types.ty(wide);
            let (Some(data), Some(length)) = (ty.member("data_ptr"), ty.member("length")) else {
                out.push_str(&type_name(&types.ty(id)));
                return Ok(());
            };
            let at = offset(at, inner)?;
            let (pointer, count) = (self.word(offset(at, data.at)?)?, self.word(offset(at, length.at)?)?);
            let Kind::Pointer(counted) = types.ty(data.ty).kind else { return Err(Unfit) };
            let counted = types.ty(counted);
            // Behind both counts.
            let first = counted.member("data").or_else(|| counted.member("value")).map_or(16, |member| member.at);
            if name.starts_with("Arc<str") || name.starts_with("Rc<str") {
                return self.text(offset(pointer, first)?, count, out);
            }
            let _ = write!(out, "{} of {count}", type_name(&types.ty(id)));
            return Ok(());
        }
        let (inner, counted) = types.pointer(id).ok_or(Unfit)?;
        let pointer = self.word(offset(at, inner)?)?;
        let inside = types.ty(counted);
        let data = inside.member("data").or_else(|| inside.member("value")).ok_or(Unfit)?;
        if pointer < LOWEST {
            return Err(Unfit);
        }
        self.target(offset(pointer, data.at)?, data.ty, depth, out)
    }

    fn duration(&mut self, at: u64, id: TypeId) -> Result<Duration, Unfit> {
        let types = self.tools.debug;
        let (seconds, _) = types.path(id, &["secs"]).ok_or(Unfit)?;
        let (nanos, _) = types.path(id, &["nanos"]).ok_or(Unfit)?;
        let nanos = u32::try_from(self.uint(offset(at, nanos)?, 4)?).map_err(|_| Unfit)?;
        if nanos >= 1_000_000_000 {
            return Err(Unfit);
        }
        Ok(Duration::new(self.word(offset(at, seconds)?)?, nanos))
    }

    fn timespec(&mut self, at: u64, id: TypeId) -> Result<(i64, u32), Unfit> {
        let types = self.tools.debug;
        let (inner, timespec) = types.find(id, &|ty| &*ty.name == "Timespec", 6).ok_or(Unfit)?;
        let (seconds, _) = types.path(timespec, &["tv_sec"]).ok_or(Unfit)?;
        let (nanos, _) = types.path(timespec, &["tv_nsec"]).ok_or(Unfit)?;
        let at = offset(at, inner)?;
        let nanos = u32::try_from(self.uint(offset(at, nanos)?, 4)?).map_err(|_| Unfit)?;
        if nanos >= 1_000_000_000 {
            return Err(Unfit);
        }
        Ok((self.word(offset(at, seconds)?)?.cast_signed(), nanos))
    }

    fn time(&mut self, at: u64, id: TypeId, known: Known, out: &mut String) -> Told {
        if known == Known::Duration {
            let _ = write!(out, "{:?}", self.duration(at, id)?);
            return Ok(());
        }
        let (seconds, nanos) = self.timespec(at, id)?;
        if known == Known::SystemTime {
            let _ = write!(out, "{seconds}.{:03} s since 1970", nanos / 1_000_000);
            return Ok(());
        }
        let told = Duration::new(u64::try_from(seconds).map_err(|_| Unfit)?, nanos);
        let now = self.tools.now;
        let _ = match told.checked_sub(now) {
            Some(left) => write!(out, "in {left:.1?}"),
            None => write!(out, "{:.1?} ago", now.saturating_sub(told)),
        };
        Ok(())
    }
}
