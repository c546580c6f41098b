//! Reads `MessagePack` as `rmp_serde` writes it: each value as what its type asks for, and as nothing else. A reader that takes whatever comes has code for
//! every kind of value in every type, and there are many types in a state.

use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

/// What is nested deeper nobody wrote.
const DEEPEST: u32 = 512;

/// It is not what its type asks for, or it ends too early. Whoever asks can do no more with it than leave it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not in the form that it was written in")]
pub(super) struct Unreadable;

impl de::Error for Unreadable {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

type Result<T> = std::result::Result<T, Unreadable>;

/// Reads what stands at the front.
pub(super) fn from_slice<'de, T: de::Deserialize<'de>>(bytes: &'de [u8]) -> Result<T> {
    T::deserialize(&mut Reader { rest: bytes, depth: 0 })
}

struct Reader<'de> {
    rest: &'de [u8],
    depth: u32,
}

/// What stands next, or what it begins with.
enum Token<'de> {
    Nil,
    Flag(bool),
    Unsigned(u64),
    Signed(i64),
    Single(f32),
    Double(f64),
    Text(&'de str),
    Bytes(&'de [u8]),
    Row(u32),
    Map(u32),
}

impl<'de> Reader<'de> {
    fn some<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (some, rest) = self.rest.split_first_chunk().ok_or(Unreadable)?;
        self.rest = rest;
        Ok(*some)
    }

    fn slice(&mut self, length: u32) -> Result<&'de [u8]> {
        let (slice, rest) = self.rest.split_at_checked(length as usize).ok_or(Unreadable)?;
        self.rest = rest;
        Ok(slice)
    }

    fn text(&mut self, length: u32) -> Result<Token<'de>> {
        std::str::from_utf8(self.slice(length)?).map(Token::Text).map_err(|_| Unreadable)
    }

    fn token(&mut self) -> Result<Token<'de>> {
        let [first] = self.some()?;
        Ok(match first {
            0x00..=0x7f => Token::Unsigned(first.into()),
            0x80..=0x8f => Token::Map((first & 0x0f).into()),
            0x90..=0x9f => Token::Row((first & 0x0f).into()),
            0xa0..=0xbf => self.text((first & 0x1f).into())?,
            0xc0 => Token::Nil,
            0xc2 | 0xc3 => Token::Flag(first == 0xc3),
            0xc4..=0xc6 => {
                let length = self.length(first - 0xc4)?;
                Token::Bytes(self.slice(length)?)
            }
            0xca => Token::Single(f32::from_be_bytes(self.some()?)),
            0xcb => Token::Double(f64::from_be_bytes(self.some()?)),
            0xcc => Token::Unsigned(self.some().map(u8::from_be_bytes)?.into()),
            0xcd => Token::Unsigned(self.some().map(u16::from_be_bytes)?.into()),
            0xce => Token::Unsigned(self.some().map(u32::from_be_bytes)?.into()),
            0xcf => Token::Unsigned(self.some().map(u64::from_be_bytes)?),
            0xd0 => Token::Signed(self.some().map(i8::from_be_bytes)?.into()),
            0xd1 => Token::Signed(self.some().map(i16::from_be_bytes)?.into()),
            0xd2 => Token::Signed(self.some().map(i32::from_be_bytes)?.into()),
            0xd3 => Token::Signed(self.some().map(i64::from_be_bytes)?),
            0xd9..=0xdb => {
                let length = self.length(first - 0xd9)?;
                self.text(length)?
            }
            0xdc | 0xdd => Token::Row(self.length(first - 0xdb)?),
            0xde | 0xdf => Token::Map(self.length(first - 0xdd)?),
            0xe0..=0xff => Token::Signed(i8::from_be_bytes([first]).into()),
            // Of extensions there are none.
            _ => return Err(Unreadable),
        })
    }

    /// A length of one byte, of two or of four.
    fn length(&mut self, form: u8) -> Result<u32> {
        Ok(match form {
            0 => self.some().map(u8::from_be_bytes)?.into(),
            1 => self.some().map(u16::from_be_bytes)?.into(),
            _ => self.some().map(u32::from_be_bytes)?,
        })
    }

    /// Whether the next byte is this one, which is then taken.
    fn takes(&mut self, byte: u8) -> bool {
        let rest = self.rest.strip_prefix(&[byte]);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// What somebody wrote who knows more.
    fn skip(&mut self) -> Result<()> {
        let mut left = 1_u64;
        while left > 0 {
            left -= 1;
            left += match self.token()? {
                Token::Row(length) => length.into(),
                Token::Map(length) => 2 * u64::from(length),
                _ => 0,
            };
        }
        Ok(())
    }

    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        match self.token()? {
            Token::Unsigned(number) => visitor.visit_u64(number),
            Token::Signed(number) => visitor.visit_i64(number),
            Token::Single(number) => visitor.visit_f32(number),
            Token::Double(number) => visitor.visit_f64(number),
            _ => Err(Unreadable),
        }
    }

    /// What is inside of a row or a map, all of which has to be taken.
    fn inside<T>(&mut self, left: u32, visit: impl FnOnce(&mut Several<'_, 'de>) -> Result<T>) -> Result<T> {
        if self.depth >= DEEPEST {
            return Err(Unreadable);
        }
        self.depth += 1;
        let mut several = Several { reader: self, left };
        let value = visit(&mut several)?;
        if several.left > 0 {
            return Err(Unreadable);
        }
        self.depth -= 1;
        Ok(value)
    }
}

/// The values of a row, or the keys and values of a map.
struct Several<'a, 'de> {
    reader: &'a mut Reader<'de>,
    left: u32,
}

impl Several<'_, '_> {
    fn next(&mut self) -> bool {
        let is_left = self.left > 0;
        self.left = self.left.saturating_sub(1);
        is_left
    }

    /// None has less than a byte.
    fn hint(&self) -> usize {
        (self.left as usize).min(self.reader.rest.len())
    }
}

impl<'de> SeqAccess<'de> for &mut Several<'_, 'de> {
    type Error = Unreadable;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if self.next() { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.hint())
    }
}

impl<'de> MapAccess<'de> for &mut Several<'_, 'de> {
    type Error = Unreadable;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if self.next() { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.hint())
    }
}

/// One of several forms: its name alone, or a map of its name to what is in it.
struct Variant<'a, 'de> {
    reader: &'a mut Reader<'de>,
    has_content: bool,
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Unreadable;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self)> {
        Ok((seed.deserialize(&mut *self.reader)?, self))
    }
}

impl<'a, 'de> Variant<'a, 'de> {
    fn content(self) -> Result<&'a mut Reader<'de>> {
        if self.has_content { Ok(self.reader) } else { Err(Unreadable) }
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Unreadable;

    fn unit_variant(self) -> Result<()> {
        if !self.has_content || self.reader.takes(0xc0) { Ok(()) } else { Err(Unreadable) }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        seed.deserialize(self.content()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value> {
        self.content()?.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.content()?.deserialize_struct("", fields, visitor)
    }
}

macro_rules! the_same {
    ($($method:ident)* => $as:ident) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            self.$as(visitor)
        }
    )* };
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Unreadable;

    the_same! { deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64 => number }
    the_same! { deserialize_char deserialize_string deserialize_identifier => deserialize_str }
    the_same! { deserialize_byte_buf => deserialize_bytes }

    /// Nothing that is written has to be looked at to know what it is.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
        Err(Unreadable)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.token()? {
            Token::Flag(flag) => visitor.visit_bool(flag),
            _ => Err(Unreadable),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.token()? {
            Token::Text(text) => visitor.visit_borrowed_str(text),
            _ => Err(Unreadable),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.token()? {
            Token::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            _ => Err(Unreadable),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.takes(0xc0) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.token()? {
            Token::Nil => visitor.visit_unit(),
            _ => Err(Unreadable),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        match self.token()? {
            Token::Row(0) => visitor.visit_unit(),
            _ => Err(Unreadable),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.token()? {
            Token::Row(length) => self.inside(length, |values| visitor.visit_seq(values)),
            _ => Err(Unreadable),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.token()? {
            Token::Map(length) => self.inside(length, |values| visitor.visit_map(values)),
            _ => Err(Unreadable),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.token()? {
            Token::Row(length) => self.inside(length, |values| visitor.visit_seq(values)),
            Token::Map(length) => self.inside(length, |values| visitor.visit_map(values)),
            _ => Err(Unreadable),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let has_content = self.takes(0x81);
        visitor.visit_enum(Variant { reader: self, has_content })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.skip()?;
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    /// Each form that a value may have.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Whole {
        numbers: (u8, u16, u32, u64, i8, i16, i32, i64, f32, f64),
        flag: bool,
        letter: char,
        text: String,
        none: Option<Box<Whole>>,
        unit: (),
        marker: Marker,
        wrapped: Wrapped,
        forms: Vec<Form>,
        map: BTreeMap<i64, Option<String>>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left_out: Vec<u16>,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Marker;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Wrapped(u64);

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    enum Form {
        Alone,
        Wrapped(String),
        Several(u8, i64),
        Named { a: bool, b: Option<u32> },
    }

    fn form() -> impl Strategy<Value = Form> {
        prop_oneof![
            Just(Form::Alone),
            ".*".prop_map(Form::Wrapped),
            any::<(u8, i64)>().prop_map(|(a, b)| Form::Several(a, b)),
            any::<(bool, Option<u32>)>().prop_map(|(a, b)| Form::Named { a, b }),
        ]
    }

    fn whole() -> impl Strategy<Value = Whole> {
        let numbers = (
            any::<(u8, u16, u32, u64, i8, i16, i32, i64)>(),
            proptest::num::f32::NORMAL | proptest::num::f32::ZERO,
            proptest::num::f64::NORMAL | proptest::num::f64::INFINITE,
        )
            .prop_map(|((a, b, c, d, e, f, g, h), i, j)| (a, b, c, d, e, f, g, h, i, j));
        let map = proptest::collection::btree_map(any::<i64>(), any::<Option<String>>(), 0..40);
        let forms = proptest::collection::vec(form(), 0..40);
        let one = (numbers, any::<(bool, char, String, u64, Vec<u16>)>(), forms, map).prop_map(
            |(numbers, (flag, letter, text, number, left_out), forms, map)| Whole {
                numbers,
                flag,
                letter,
                text,
                none: None,
                unit: (),
                marker: Marker,
                wrapped: Wrapped(number),
                forms,
                map,
                left_out,
            },
        );
        let one = one.boxed();
        (one.clone(), proptest::option::of(one)).prop_map(|(whole, inner)| Whole { none: inner.map(Box::new), ..whole })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(whole in whole()) {
            let read = from_slice::<Whole>(&rmp_serde::to_vec_named(&whole).unwrap());
            prop_assert_eq!(read.as_ref(), Ok(&whole));
            if !whole.left_out.is_empty() && whole.none.as_ref().is_none_or(|inner| !inner.left_out.is_empty()) {
                prop_assert_eq!(from_slice(&rmp_serde::to_vec(&whole).unwrap()), Ok(whole));
            }
        }

        /// Of what is damaged no more is believed than another reader believes.
        #[test]
        fn what_is_damaged_is_read_as_another_reads_it(whole in whole(), at in any::<prop::sample::Index>(), by in any::<u8>()) {
            let mut bytes = rmp_serde::to_vec_named(&whole).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = by;
            if let Ok(read) = from_slice::<Whole>(&bytes) {
                let other = rmp_serde::from_slice::<Whole>(&bytes).unwrap();
                prop_assert_eq!(format!("{read:?}"), format!("{other:?}"));
            }
        }

        #[test]
        fn what_nobody_wrote_does_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(read) = from_slice::<Vec<Form>>(&bytes) {
                prop_assert_eq!(Some(read), rmp_serde::from_slice(&bytes).ok());
            }
        }
    }

    #[test]
    fn a_field_that_is_not_known_is_skipped_with_all_that_is_in_it() {
        #[derive(Serialize)]
        struct Later<'a> {
            rows: [Vec<(&'a str, f64, Option<bool>)>; 2],
            a: bool,
            map: BTreeMap<u64, Form>,
            b: Option<u32>,
        }
        #[derive(Debug, PartialEq, Deserialize)]
        struct Now {
            a: bool,
            b: Option<u32>,
        }
        let rows = [vec![("x", 1.5, None), ("y", -2.0, Some(true))], Vec::new()];
        let map = [(7, Form::Named { a: true, b: None }), (1 << 40, Form::Several(1, -40_000))].into();
        let bytes = rmp_serde::to_vec_named(&Later { rows, a: true, map, b: Some(70_000) }).unwrap();
        assert_eq!(from_slice(&bytes), Ok(Now { a: true, b: Some(70_000) }));
        // Cut anywhere it is not read, and takes no time.
        assert!((0..bytes.len()).all(|end| from_slice::<Now>(&bytes[..end]).is_err()));
    }

    #[test]
    fn a_length_that_nobody_wrote_takes_no_room_and_no_depth_takes_the_stack() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Nested(Vec<Nested>);
        assert_eq!(from_slice::<Vec<u64>>(&[0xdd, 0xff, 0xff, 0xff, 0xff, 1]), Err(Unreadable));
        assert_eq!(from_slice::<Nested>(&vec![0x91; 100_000]), Err(Unreadable));
        assert_eq!(from_slice::<Nested>(&[0x91, 0x90]), Ok(Nested(vec![Nested(Vec::new())])));
    }
}
