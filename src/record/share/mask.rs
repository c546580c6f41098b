//! A serializer around another one: it knows in which type and which field each value stands, and passes on what may be seen of it. Whatever can be
//! written down goes through it, so that nothing has to be gone through by hand.

use super::{
    hide::{At, FieldOf, Hidden},
    rules, text,
};
use crate::{
    packed::Column,
    record::unpack,
    update::{FieldName, MetaId, Place},
};
use serde::{
    Deserialize, Serialize, Serializer,
    de::{DeserializeOwned, IntoDeserializer, value},
    ser::{
        Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};
use std::cell::RefCell;

/// Passes on what may be seen.
pub(super) struct Mask<'a, S> {
    to: S,
    at: At,
    hidden: &'a RefCell<Hidden>,
}

impl<'a, S> Mask<'a, S> {
    pub(super) fn new(to: S, hidden: &'a RefCell<Hidden>) -> Self {
        Self { to, at: At::TOP, hidden }
    }
}

/// A value inside of another.
struct Inside<'a, T: ?Sized> {
    value: &'a T,
    at: At,
    hidden: &'a RefCell<Hidden>,
}

impl<T: Serialize + ?Sized> Serialize for Inside<'_, T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Mask { to, at: self.at, hidden: self.hidden })
    }
}

/// Several values, one after the other.
pub(super) struct Several<'a, C> {
    to: C,
    at: At,
    hidden: &'a RefCell<Hidden>,
    /// How many there were.
    passed: usize,
    /// Of a field with a value, whose it is.
    field_of: FieldOf,
    /// Of a description, which it is.
    description: Option<MetaId>,
    /// Of a frame, the crate of its function, if that may be published.
    published: Option<String>,
}

/// The places in a tuple, by name.
const PLACES: [&str; 8] = ["0", "1", "2", "3", "4", "5", "6", "7"];

impl<'a, C> Several<'a, C> {
    fn new(to: C, at: At, hidden: &'a RefCell<Hidden>) -> Self {
        Self { to, at, hidden, passed: 0, field_of: FieldOf::Other, description: None, published: None }
    }

    fn inside<'b, T: ?Sized>(&self, value: &'b T, at: At) -> Inside<'b, T>
    where
        'a: 'b,
    {
        Inside { value, at, hidden: self.hidden }
    }

    /// Where the next one stands, in a row.
    fn next(&mut self) -> At {
        self.passed += 1;
        At { index: self.passed - 1, ..self.at }
    }

    /// The same of a type's own tuple.
    fn next_place(&mut self) -> At {
        let at = self.next();
        At::new(at.ty, PLACES.get(at.index).copied().unwrap_or_default())
    }

    /// The same of a type's field, of which others may have to be known.
    fn field<T: Serialize + ?Sized, E: serde::ser::Error>(&mut self, key: &'static str, value: &T) -> Result<At, E> {
        let mut at = At::new(self.at.ty, key);
        let mut hidden = self.hidden.borrow_mut();
        match (self.at.ty, key) {
            ("Field", "name") => self.field_of = hidden.field(&plain::<FieldName, E>(value)?),
            ("Attr", "name") => self.field_of = hidden.field_at(plain::<u32, E>(value)? as usize),
            ("Field" | "Attr", "value") => at.of = self.field_of,
            ("Names", "texts") => hidden.name(plain::<Vec<String>, E>(value)?),
            ("NewMetadata", "id") => self.description = Some(plain::<MetaId, E>(value)?),
            ("NewMetadata", "field_names") => {
                if let Some(id) = self.description {
                    hidden.describe(id, plain::<Vec<String>, E>(value)?);
                }
            }
            ("Frame", "function" | "name") | ("FrameValues", "name") if hidden.collects() => {
                self.published = text::published_crate(&plain::<String, E>(value)?).map(str::to_owned);
            }
            ("Frame" | "FrameValues", "place") => {
                if let Some(published) = self.published.take() {
                    hidden.note_file(&published, &plain::<Place, E>(value)?.file);
                }
            }
            _ => {}
        }
        Ok(at)
    }
}

/// A value as it is.
fn plain<T: DeserializeOwned, E: serde::ser::Error>(value: &(impl Serialize + ?Sized)) -> Result<T, E> {
    let bytes = rmp_serde::to_vec(value).map_err(E::custom)?;
    unpack::from_slice(&bytes).map_err(E::custom)
}

macro_rules! numbers {
    ($($method:ident $number:ty, $pass:ident $wide:ty;)*) => { $(
        fn $method(self, number: $number) -> Result<S::Ok, S::Error> {
            let seen = self.hidden.borrow_mut().$pass(self.at, <$wide>::from(number));
            // What does not fit says nothing.
            self.to.$method(<$number>::try_from(seen).unwrap_or_default())
        }
    )* };
}

impl<'a, S: Serializer> Serializer for Mask<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Several<'a, S::SerializeSeq>;
    type SerializeTuple = Several<'a, S::SerializeTuple>;
    type SerializeTupleStruct = Several<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Several<'a, S::SerializeTupleVariant>;
    type SerializeMap = Several<'a, S::SerializeMap>;
    type SerializeStruct = Several<'a, S::SerializeStruct>;
    type SerializeStructVariant = Several<'a, S::SerializeStructVariant>;

    numbers! {
        serialize_i8 i8, signed i64;
        serialize_i16 i16, signed i64;
        serialize_i32 i32, signed i64;
        serialize_i64 i64, signed i64;
        serialize_u16 u16, number u64;
        serialize_u32 u32, number u64;
        serialize_u64 u64, number u64;
    }

    fn serialize_bool(self, flag: bool) -> Result<S::Ok, S::Error> {
        self.to.serialize_bool(flag && !Hidden::hides_flag(self.at))
    }

    fn serialize_u8(self, number: u8) -> Result<S::Ok, S::Error> {
        self.to.serialize_u8(if rules::are_numbers(self.at.ty, self.at.field) { number } else { 0 })
    }

    fn serialize_f32(self, number: f32) -> Result<S::Ok, S::Error> {
        self.to.serialize_f32(number)
    }

    fn serialize_f64(self, number: f64) -> Result<S::Ok, S::Error> {
        self.to.serialize_f64(number)
    }

    fn serialize_char(self, letter: char) -> Result<S::Ok, S::Error> {
        self.to.serialize_char(if rules::is_letter_of_kernel(self.at.ty, self.at.field) { letter } else { '?' })
    }

    fn serialize_str(self, text: &str) -> Result<S::Ok, S::Error> {
        let seen = self.hidden.borrow_mut().text(self.at, text);
        self.to.serialize_str(&seen)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<S::Ok, S::Error> {
        if (self.at.ty, self.at.field) != ("Columns", "0") {
            return self.to.serialize_bytes(&[]);
        }
        let bytes = IntoDeserializer::<value::Error>::into_deserializer(bytes);
        let column = Column::deserialize(bytes).map_err(S::Error::custom)?;
        let seen = self.hidden.borrow_mut().column(self.at, &column);
        seen.serialize(self.to)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.to.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.to.serialize_some(&Inside { value, at: self.at, hidden: self.hidden })
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.to.serialize_unit()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.to.serialize_unit_struct(name)
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.to.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        self.to.serialize_newtype_struct(name, &Inside { value, at: At::new(name, "0"), hidden: self.hidden })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let at = At { of: self.at.of, ..At::new(name, variant) };
        self.to.serialize_newtype_variant(name, index, variant, &Inside { value, at, hidden: self.hidden })
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let length = if are_left_out(self.at) { Some(0) } else { length };
        Ok(Several::new(self.to.serialize_seq(length)?, self.at, self.hidden))
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        Ok(Several::new(self.to.serialize_tuple(length)?, self.at, self.hidden))
    }

    fn serialize_tuple_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeTupleStruct, S::Error> {
        Ok(Several::new(self.to.serialize_tuple_struct(name, length)?, At::new(name, ""), self.hidden))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let to = self.to.serialize_tuple_variant(name, index, variant, length)?;
        Ok(Several::new(to, At::new(name, variant), self.hidden))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        Ok(Several::new(self.to.serialize_map(length)?, self.at, self.hidden))
    }

    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeStruct, S::Error> {
        Ok(Several::new(self.to.serialize_struct(name, length)?, At::new(name, ""), self.hidden))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let to = self.to.serialize_struct_variant(name, index, variant, length)?;
        Ok(Several::new(to, At::new(name, variant), self.hidden))
    }

    fn is_human_readable(&self) -> bool {
        self.to.is_human_readable()
    }
}

/// A build id names the executable: it is not told.
fn are_left_out(at: At) -> bool {
    (at.ty, at.field) == ("Stack", "executable")
}

impl<C: SerializeSeq> SerializeSeq for Several<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        if are_left_out(self.at) {
            return Ok(());
        }
        let at = self.next();
        let inside = self.inside(value, at);
        self.to.serialize_element(&inside)
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.to.end()
    }
}

impl<C: SerializeTuple> SerializeTuple for Several<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let inside = self.inside(value, self.at);
        self.to.serialize_element(&inside)
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.to.end()
    }
}

impl<C: SerializeTupleStruct> SerializeTupleStruct for Several<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let at = self.next_place();
        let inside = self.inside(value, at);
        self.to.serialize_field(&inside)
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.to.end()
    }
}

impl<C: SerializeTupleVariant> SerializeTupleVariant for Several<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let inside = self.inside(value, self.at);
        self.to.serialize_field(&inside)
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.to.end()
    }
}

impl<C: SerializeMap> SerializeMap for Several<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        let inside = self.inside(key, self.at);
        self.to.serialize_key(&inside)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let inside = self.inside(value, self.at);
        self.to.serialize_value(&inside)
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.to.end()
    }
}

impl<C: SerializeStruct> SerializeStruct for Several<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), C::Error> {
        let at = self.field(key, value)?;
        let inside = self.inside(value, at);
        self.to.serialize_field(key, &inside)
    }

    fn skip_field(&mut self, key: &'static str) -> Result<(), C::Error> {
        self.to.skip_field(key)
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.to.end()
    }
}

impl<C: SerializeStructVariant> SerializeStructVariant for Several<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), C::Error> {
        let inside = self.inside(value, At::new(self.at.ty, key));
        self.to.serialize_field(key, &inside)
    }

    fn skip_field(&mut self, key: &'static str) -> Result<(), C::Error> {
        self.to.skip_field(key)
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.to.end()
    }
}
