//! The screens that there are.

use crate::update::{Fact, FactSet};

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

/// What there is to know of a screen without what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScreenSpec {
    /// Which.
    pub screen: Screen,
    /// What its tab says.
    pub title: &'static str,
    /// What must be known for there to be anything on it. Where that is not, it says why.
    pub needs: FactSet,
}

/// The screens in the order of their tabs; the number keys count from here.
pub const SCREENS: &[ScreenSpec] = &[
    ScreenSpec { screen: Screen::Findings, title: "Findings", needs: FactSet::NONE },
    ScreenSpec { screen: Screen::Tasks, title: "Tasks", needs: FactSet::NONE },
    ScreenSpec { screen: Screen::Workers, title: "Workers", needs: FactSet::of(&[Fact::Workers]) },
    ScreenSpec { screen: Screen::Locks, title: "Locks", needs: FactSet::of(&[Fact::Locks]) },
    ScreenSpec { screen: Screen::Resources, title: "Resources", needs: FactSet::of(&[Fact::Resources]) },
];

impl Screen {
    /// Its tab, counted from 0.
    fn tab(self) -> usize {
        SCREENS.iter().position(|spec| spec.screen == self).unwrap_or_default()
    }

    /// What its tab says.
    pub fn title(self) -> &'static str {
        SCREENS[self.tab()].title
    }

    /// The screen this many tabs further on, around the end.
    pub fn offset(self, by: isize) -> Self {
        SCREENS[(self.tab() as isize + by).rem_euclid(SCREENS.len() as isize) as usize].screen
    }
}
