//! What keys are called.

use super::theme::Theme;
use crate::app::input::{
    bindings::{Action, Binding},
    key::Key,
};

/// One key.
pub(crate) fn key(key: Key, theme: &Theme) -> String {
    let keys = &theme.symbols().keys;
    match key {
        Key::Char(' ') => "space".into(),
        Key::Char(char) => char.into(),
        Key::Twice(char) => format!("{char}{char}"),
        Key::Ctrl(char) => format!("^{char}"),
        Key::Up => keys.up.into(),
        Key::Down => keys.down.into(),
        Key::Left => keys.left.into(),
        Key::Right => keys.right.into(),
        Key::PageUp => "PgUp".into(),
        Key::PageDown => "PgDn".into(),
        Key::Home => "Home".into(),
        Key::End => "End".into(),
        Key::Enter => keys.enter.into(),
        Key::Esc => "Esc".into(),
        Key::Tab => "Tab".into(),
        Key::BackTab => "S-Tab".into(),
        Key::Backspace => "Bksp".into(),
        Key::Delete => "Del".into(),
    }
}

/// The key that the footer names for a binding; up stands for down too.
pub(crate) fn first(binding: &Binding, theme: &Theme) -> String {
    match binding.action {
        Action::Up => format!("{}{}", key(Key::Up, theme), key(Key::Down, theme)),
        _ => binding.keys.first().map_or_else(String::new, |&first| key(first, theme)),
    }
}

/// Every key of a binding.
pub(crate) fn all(binding: &Binding, theme: &Theme) -> String {
    binding.keys.iter().map(|&one| key(one, theme)).collect::<Vec<_>>().join(" ")
}
