//! Arrays of any length.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// For `#[serde(serialize_with)]`.
pub(crate) fn write<T: Serialize, S: Serializer, const N: usize>(values: &[T; N], to: S) -> Result<S::Ok, S::Error> {
    values.as_slice().serialize(to)
}

/// For `#[serde(deserialize_with)]`.
pub(crate) fn read<'de, T: Deserialize<'de>, D: Deserializer<'de>, const N: usize>(
    from: D,
) -> Result<[T; N], D::Error> {
    let values: Vec<T> = Vec::deserialize(from)?;
    let count = values.len();
    values.try_into().map_err(|_| D::Error::invalid_length(count, &"as many values as the array has"))
}
