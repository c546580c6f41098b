//! The screens that there are.

/// A screen: what a tab opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Screen {
    /// What is wrong.
    #[default]
    Findings,
    /// Every task, or every spawn location.
    Tasks,
    /// Every worker, and the runtimes that they are of.
    Workers,
    /// Every lock.
    Locks,
    /// Every resource.
    Resources,
}

/// The screens in the order of their tabs; the number keys count from here.
pub const SCREENS: &[Screen] = &[Screen::Findings, Screen::Tasks, Screen::Workers, Screen::Locks, Screen::Resources];

impl Screen {
    /// What its tab says.
    pub fn title(self) -> &'static str {
        match self {
            Self::Findings => "Findings",
            Self::Tasks => "Tasks",
            Self::Workers => "Workers",
            Self::Locks => "Locks",
            Self::Resources => "Resources",
        }
    }

    /// The screen this many tabs further on, around the end.
    pub fn offset(self, by: isize) -> Self {
        let at = SCREENS.iter().position(|&screen| screen == self).unwrap_or_default() as isize;
        SCREENS[(at + by).rem_euclid(SCREENS.len() as isize) as usize]
    }
}
