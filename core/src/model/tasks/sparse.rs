//! What few tasks of a chunk have: an array says where it is, and those that have it stand close together.

use crate::model::slots::CHUNK;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Values of some of a chunk's rows.
#[derive(Debug, Clone)]
pub(super) struct Sparse<T> {
    /// Where a row's value stands, from 1; 0 where it has none.
    places: [u16; CHUNK],
    /// With the rows that they are of, in no order.
    values: Vec<(u16, T)>,
}

impl<T: Serialize> Serialize for Sparse<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.values.serialize(to)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sparse<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let values: Vec<(u16, T)> = Vec::deserialize(from)?;
        let mut places = [0; CHUNK];
        for (at, (row, _)) in values.iter().enumerate() {
            match places.get_mut(usize::from(*row)) {
                Some(place @ 0) => *place = at as u16 + 1,
                _ => return Err(D::Error::custom("a row that there is not, or twice")),
            }
        }
        Ok(Self { places, values })
    }
}

impl<T> Sparse<T> {
    pub(super) const EMPTY: Self = Self { places: [0; CHUNK], values: Vec::new() };

    /// How many rows have a value.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<&T> {
        let place = usize::from(self.places[row]);
        self.values.get(place.checked_sub(1)?).map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, row: usize) -> Option<&mut T> {
        let place = usize::from(self.places[row]);
        self.values.get_mut(place.checked_sub(1)?).map(|(_, value)| value)
    }

    /// The value of a row, made where it has none.
    pub(super) fn get_or_insert_with(&mut self, row: usize, make: impl FnOnce() -> T) -> &mut T {
        if self.places[row] == 0 {
            self.values.push((row as u16, make()));
            self.places[row] = self.values.len() as u16;
        }
        let place = usize::from(self.places[row]) - 1;
        &mut self.values[place].1
    }

    pub(super) fn set(&mut self, row: usize, value: Option<T>) {
        match value {
            None => self.remove(row),
            Some(value) => match self.get_mut(row) {
                Some(place) => *place = value,
                None => {
                    self.get_or_insert_with(row, || value);
                }
            },
        }
    }

    pub(super) fn remove(&mut self, row: usize) {
        let Some(place) = usize::from(std::mem::take(&mut self.places[row])).checked_sub(1) else { return };
        self.values.swap_remove(place);
        if let Some((moved, _)) = self.values.get(place) {
            self.places[usize::from(*moved)] = place as u16 + 1;
        }
    }

    /// All values with their rows, in the order that they have in memory.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        self.values.iter().map(|(row, value)| (usize::from(*row), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last row of a chunk.
    const LAST: usize = CHUNK - 1;

    #[test]
    fn values_are_found_by_their_rows_whatever_goes() {
        let mut sparse = Sparse::EMPTY;
        for row in [9, 4, LAST, 0] {
            sparse.set(row, Some(row * 2));
        }
        *sparse.get_or_insert_with(4, || unreachable!("it has one")) += 1;
        sparse.set(9, None);
        sparse.remove(9);
        sparse.remove(77);
        let of = |row| sparse.get(row).copied();
        assert_eq!([of(0), of(4), of(9), of(77), of(LAST)], [Some(0), Some(9), None, None, Some(2 * LAST)]);
        let mut all: Vec<_> = sparse.iter().collect();
        all.sort_unstable();
        assert_eq!(all, [(0, &0), (4, &9), (LAST, &(2 * LAST))]);
        assert_eq!(sparse.len(), 3);
    }
}
