//! How far a text is scrolled.

/// How far a text is scrolled, in lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scroll(pub usize);

impl Scroll {
    /// Moves, and stays within a text that can be scrolled this far.
    pub fn by(&mut self, lines: isize, most: usize) {
        self.0 = self.0.min(most).saturating_add_signed(lines).min(most);
    }
}
