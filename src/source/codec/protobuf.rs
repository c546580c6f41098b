//! The head of a protobuf field, read from bytes that may not all be there yet.
//!
//! prost reads fields too, but from whole messages: it cannot say "not yet".

/// A field's number and what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) number: u64,
    pub(super) payload: Payload,
}

/// What follows a field's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payload {
    /// A number, which is part of the head.
    Varint(u64),
    /// This many bytes, as told by the head.
    Bytes(u64),
    /// This many bytes, as told by the field's type.
    Fixed(usize),
}

/// What the bytes at hand say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read<T> {
    /// A value, and how many bytes it took.
    Field(T, usize),
    /// What is here may become one.
    Incomplete,
    /// What is here never will.
    Malformed,
}

/// Reads the head of the field at the front of `bytes`. Groups, which proto3 does not have, are malformed.
pub(super) fn read_field(bytes: &[u8]) -> Read<Field> {
    let (key, key_length) = match read_varint(bytes) {
        Read::Field(key, length) => (key, length),
        Read::Incomplete => return Read::Incomplete,
        Read::Malformed => return Read::Malformed,
    };
    let number = key >> 3;
    let field = |payload, length| Read::Field(Field { number, payload }, key_length + length);
    match key & 7 {
        _ if number == 0 || number > u64::from(u32::MAX >> 3) => Read::Malformed,
        1 => field(Payload::Fixed(8), 0),
        5 => field(Payload::Fixed(4), 0),
        kind @ (0 | 2) => match read_varint(&bytes[key_length..]) {
            Read::Field(value, length) if kind == 0 => field(Payload::Varint(value), length),
            Read::Field(value, length) => field(Payload::Bytes(value), length),
            Read::Incomplete => Read::Incomplete,
            Read::Malformed => Read::Malformed,
        },
        _ => Read::Malformed,
    }
}

/// Reads a little-endian number of seven bits a byte. As in every decoder of the format, a tenth byte adds one bit.
fn read_varint(bytes: &[u8]) -> Read<u64> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        if index == 9 && *byte > 1 {
            return Read::Malformed;
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Read::Field(value, index + 1);
        }
    }
    Read::Incomplete
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn heads_of_every_kind() {
        let read = |number, payload, length| Read::Field(Field { number, payload }, length);
        assert_eq!(read_field(&[0x20, 0xac, 0x02]), read(4, Payload::Varint(300), 3));
        assert_eq!(read_field(&[0x0a, 0x05]), read(1, Payload::Bytes(5), 2));
        assert_eq!(read_field(&[0x09]), read(1, Payload::Fixed(8), 1));
        assert_eq!(read_field(&[0x0d]), read(1, Payload::Fixed(4), 1));
        assert_eq!(read_field(&[]), Read::Incomplete);
        assert_eq!(read_field(&[0x20, 0xac]), Read::Incomplete);
        assert_eq!(read_field(&[0x0b]), Read::Malformed, "a group");
        assert_eq!(read_field(&[0x02]), Read::Malformed, "field 0");
        assert_eq!(read_field(&[0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]), Read::Malformed);
    }

    proptest! {
        #[test]
        fn varints_are_prost_s(value in any::<u64>(), cut in 0_usize..10) {
            let mut bytes = Vec::new();
            prost::encoding::encode_varint(value, &mut bytes);
            prop_assert_eq!(read_varint(&bytes), Read::Field(value, bytes.len()));
            let cut = cut.min(bytes.len() - 1);
            prop_assert_eq!(read_varint(&bytes[..cut]), Read::Incomplete);
        }
    }
}
