//! What a list's column is, and which end of its order comes first.

/// At which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// How wide a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Always this wide.
    Fixed(u16),
    /// As wide as what is visible needs, between these.
    Fit(u16, u16),
    /// As `Fit`, and other columns go before it is narrower than that.
    Whole(u16, u16),
    /// As `Fit`, and then as wide as there is room.
    Fill(u16, u16),
}

/// What a column is.
#[derive(Debug, Clone, Copy)]
pub struct ColumnSpec<C> {
    /// Which.
    pub column: C,
    /// Its head.
    pub title: &'static str,
    /// Where its cells stand.
    pub align: Align,
    /// How wide it is.
    pub width: Width,
    /// Where room is scarce, the column with the highest number goes first. Zero never goes.
    pub drop: u8,
}

impl<C> ColumnSpec<C> {
    /// A column; see the fields.
    pub const fn new(column: C, title: &'static str, align: Align, width: Width, drop: u8) -> Self {
        Self { column, title, align, width, drop }
    }
}

/// Which end of an order comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The smallest.
    Ascending,
    /// The largest.
    Descending,
}

impl Direction {
    /// The other one.
    pub fn inverted(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}
