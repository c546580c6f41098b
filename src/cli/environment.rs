//! What the process's environment says, read once. Nothing else in the program reads it.

use super::choice::{CharsetChoice, PaletteChoice};
use crate::{
    app::options::{Charset, Palette},
    source::{Secret, Token},
};
use etcetera::BaseStrategy;
use std::{env, path::PathBuf};

/// Where a configuration file is looked for beside the user's own.
const LOCAL_FILE: &str = "holdup.toml";

/// What the environment says.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// What is logged, if it says so.
    pub rust_log: Option<String>,
    /// Set, and not empty: no colours unless the user chose some.
    pub no_color: Option<String>,
    /// What the terminal says of its colours.
    pub colorterm: Option<String>,
    /// What the terminal is.
    pub term: Option<String>,
    /// The terminal's language.
    pub lang: Option<String>,
    /// What the target is shown, if it says so.
    pub token: Option<Token>,
    /// Configuration files that are read where they exist, in this order.
    pub config_files: Vec<PathBuf>,
    /// Where log files go unless told otherwise.
    pub state_dir: PathBuf,
}

/// How it looks, as far as it was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Screen {
    /// The colours.
    pub palette: PaletteChoice,
    /// The characters.
    pub charset: CharsetChoice,
    /// Instead of what the environment says of the terminal's colours.
    pub colorterm: Option<String>,
    /// Instead of what the environment says of the terminal's language.
    pub lang: Option<String>,
}

impl Environment {
    /// Reads it. A variable that is empty counts as one that is not set.
    pub fn read() -> Self {
        let var = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let dirs = etcetera::choose_base_strategy().ok();
        let config_dir = dirs.as_ref().map(|dirs| dirs.config_dir().join("holdup").join(LOCAL_FILE));
        let state_dir = dirs.and_then(|dirs| dirs.state_dir()).unwrap_or_else(env::temp_dir).join("holdup");
        let token = var("HOLDUP_TOKEN").map(|token| Token::Given(Secret::new(token)));
        Self {
            token: var("HOLDUP_TOKEN_FILE").map(|path| Token::File(path.into())).or(token),
            rust_log: var("RUST_LOG"),
            no_color: var("NO_COLOR"),
            colorterm: var("COLORTERM"),
            term: var("TERM"),
            lang: var("LC_ALL").or_else(|| var("LC_CTYPE")).or_else(|| var("LANG")),
            config_files: config_dir.into_iter().chain([LOCAL_FILE.into()]).collect(),
            state_dir,
        }
    }

    /// The colours to draw with: as chosen, and otherwise as many as the terminal says that it has.
    pub fn palette(&self, screen: &Screen) -> Palette {
        if let Some(palette) = screen.palette.palette() {
            return palette;
        }
        if self.no_color.is_some() {
            return Palette::Off;
        }
        let colorterm = screen.colorterm.as_ref().or(self.colorterm.as_ref()).map_or("", String::as_str);
        if ["truecolor", "24bit"].iter().any(|every| colorterm.eq_ignore_ascii_case(every)) {
            return Palette::All;
        }
        match self.term.as_deref() {
            None | Some("dumb") => Palette::Off,
            Some(term) if term.ends_with("-direct") => Palette::All,
            Some(term) if term.contains("256color") => Palette::Indexed,
            Some("linux" | "ansi") => Palette::Eight,
            Some(_) => Palette::Sixteen,
        }
    }

    /// The characters to draw with: as chosen, and otherwise ASCII alone unless the language is written in UTF-8.
    pub fn charset(&self, screen: &Screen) -> Charset {
        if let Some(charset) = screen.charset.charset() {
            return charset;
        }
        let lang = screen.lang.as_ref().or(self.lang.as_ref()).map_or("", String::as_str).to_ascii_lowercase();
        let is_utf8 = lang.contains("utf-8") || lang.contains("utf8");
        if is_utf8 { Charset::Unicode } else { Charset::Ascii }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(term: &str) -> Environment {
        Environment { term: Some(term.into()), ..Environment::default() }
    }

    #[test]
    fn colours_are_as_many_as_the_terminal_says() {
        let auto = Screen::default();
        for (term, palette) in [
            ("xterm-256color", Palette::Indexed),
            ("xterm-direct", Palette::All),
            ("xterm", Palette::Sixteen),
            ("linux", Palette::Eight),
            ("dumb", Palette::Off),
        ] {
            assert_eq!(terminal(term).palette(&auto), palette, "{term}");
        }
        assert_eq!(Environment::default().palette(&auto), Palette::Off, "not a terminal that says what it is");
        let every = Environment { colorterm: Some("truecolor".into()), ..terminal("xterm") };
        assert_eq!(every.palette(&auto), Palette::All);
        let said = Screen { colorterm: Some("no".into()), ..Screen::default() };
        assert_eq!(every.palette(&said), Palette::Sixteen, "--colorterm stands for the variable");
    }

    #[test]
    fn no_color_gives_way_to_a_choice_alone() {
        let quiet =
            Environment { no_color: Some("1".into()), colorterm: Some("truecolor".into()), ..terminal("xterm") };
        assert_eq!(quiet.palette(&Screen::default()), Palette::Off);
        let chosen = Screen { palette: PaletteChoice::Eight, ..Screen::default() };
        assert_eq!(quiet.palette(&chosen), Palette::Eight);
    }

    #[test]
    fn only_a_language_in_utf_8_has_more_than_ascii() {
        let speaks = |lang: Option<&str>| Environment { lang: lang.map(Into::into), ..Environment::default() };
        let auto = Screen::default();
        assert_eq!(speaks(Some("en_US.UTF-8")).charset(&auto), Charset::Unicode);
        assert_eq!(speaks(Some("C.utf8")).charset(&auto), Charset::Unicode);
        assert_eq!(speaks(Some("C")).charset(&auto), Charset::Ascii);
        assert_eq!(speaks(None).charset(&auto), Charset::Ascii);
        let said = Screen { lang: Some("de_DE.UTF-8".into()), ..Screen::default() };
        assert_eq!(speaks(Some("C")).charset(&said), Charset::Unicode);
        let ascii = Screen { charset: CharsetChoice::Ascii, ..said };
        assert_eq!(speaks(None).charset(&ascii), Charset::Ascii);
    }
}
