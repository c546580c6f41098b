//! Numbers that resemble their neighbours, in a few bytes each: the difference to the one before, its sign in the lowest bit, seven bits a byte.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// Numbers one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column(Vec<u64>);

impl FromIterator<u64> for Column {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Self {
        Self(numbers.into_iter().collect())
    }
}

impl Column {
    /// The numbers, if there are so many.
    pub fn of(&self, count: usize) -> Option<&[u64]> {
        (self.0.len() == count).then_some(&self.0)
    }

    /// The numbers, however many there are.
    pub fn numbers(&self) -> &[u64] {
        &self.0
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 2);
        let mut before = 0;
        for &number in &self.0 {
            write(number.wrapping_sub(before), &mut bytes);
            before = number;
        }
        bytes
    }

    /// `None` where the bytes are none that were written.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut numbers = read_all(bytes)?;
        let mut before = 0_u64;
        for number in &mut numbers {
            *number = number.wrapping_add(before);
            before = *number;
        }
        Some(Self(numbers))
    }
}

/// Differences to something that is known already, each as small as it is far from zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences(Vec<u64>);

impl FromIterator<u64> for Differences {
    fn from_iter<I: IntoIterator<Item = u64>>(differences: I) -> Self {
        Self(differences.into_iter().collect())
    }
}

impl Differences {
    /// The differences, if there are so many.
    pub fn of(&self, count: usize) -> Option<&[u64]> {
        (self.0.len() == count).then_some(&self.0)
    }
}

/// A difference that wraps around: its sign in the lowest bit, seven bits a byte.
fn write(difference: u64, to: &mut Vec<u8>) {
    let difference = difference as i64;
    let mut folded = ((difference << 1) ^ (difference >> 63)) as u64;
    while folded >= 0x80 {
        to.push(folded as u8 | 0x80);
        folded >>= 7;
    }
    to.push(folded as u8);
}

/// `None` where they were not written so.
fn read_all(bytes: &[u8]) -> Option<Vec<u64>> {
    let mut differences = Vec::with_capacity(bytes.len());
    let (mut folded, mut shift) = (0_u64, 0);
    for &byte in bytes {
        folded |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 != 0 {
            shift += 7;
            continue;
        }
        differences.push((folded >> 1) ^ (folded & 1).wrapping_neg());
        (folded, shift) = (0, 0);
    }
    (shift == 0).then_some(differences)
}

impl Serialize for Column {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&self.to_bytes())
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_bytes(Bytes(Self::from_bytes))
    }
}

impl Serialize for Differences {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(self.0.len() * 2);
        self.0.iter().for_each(|&difference| write(difference, &mut bytes));
        to.serialize_bytes(&bytes)
    }
}

impl<'de> Deserialize<'de> for Differences {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_bytes(Bytes(|bytes| read_all(bytes).map(Self)))
    }
}

/// Takes bytes, and what is made of them.
struct Bytes<T>(fn(&[u8]) -> Option<T>);

impl<T> de::Visitor<'_> for Bytes<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a column of numbers")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<T, E> {
        (self.0)(bytes).ok_or_else(|| E::invalid_value(de::Unexpected::Bytes(bytes), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(numbers: Vec<u64>) {
            let column: Column = numbers.iter().copied().collect();
            prop_assert_eq!(Column::from_bytes(&column.to_bytes()), Some(column.clone()));
            prop_assert_eq!(column.of(numbers.len()), Some(numbers.as_slice()));
        }

        #[test]
        fn whatever_is_read_does_no_harm(bytes: Vec<u8>) {
            let _ = Column::from_bytes(&bytes);
            let _ = read_all(&bytes);
        }
    }

    #[test]
    fn neighbours_take_a_byte_each() {
        let column: Column = (0..1_000).map(|at| 1_700_000_000_000_000_000 + at * 5).collect();
        assert!(column.to_bytes().len() < 1_020);
        assert_eq!(Column::from_bytes(&[0x80]), None, "it is cut off");
        assert_eq!(Column::from_bytes(&[0xff; 12]), None, "it is too long");
    }
}
