//! All targets at once: which is selected, what narrows the list, what lies on top. Of a target it knows what is told of it in a few lines.

mod rows;

pub use rows::FindingAt;
pub(crate) use rows::word;

use crate::{
    app::{
        frame::{HitArea, LastFrame, RowId},
        input::{
            bindings::{Action, Context},
            key::Key,
            line::{Fits, Line, MOST},
            twice::{Clicks, Prefix},
        },
        list::cursor::Cursor,
        options::{Charset, Palette},
        scroll::Scroll,
    },
    diagnose::{FindingId, Lint},
    fleet::{Brief, Told},
};
use crossterm::event::{KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Rows that one notch of the wheel moves.
const WHEEL: isize = 3;

/// How far it goes to the end of a list.
const FAR: isize = isize::MAX / 2;

/// How long a message stands.
const NOTICE: Duration = Duration::from_secs(4);

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FleetScreen {
    /// The targets, the worst first.
    #[default]
    Targets,
    /// The findings of all of them, the worst first.
    Findings,
}

/// What lies over the list.
#[derive(Debug)]
pub enum Over {
    /// Every key.
    Help(Scroll),
    /// What a lint means.
    Explain(&'static Lint, Scroll),
    /// A filter is being typed.
    Filter(Line),
}

/// What is to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FleetEffect {
    /// End the program.
    Quit,
    /// Give the terminal back to the shell until it is asked for again.
    Suspend,
    /// Open a target's session, at a finding of it where that is given.
    Open(usize, Option<FindingId>),
    /// Try to connect to those that are lost.
    Retry,
}

/// What the user is doing among many targets, and what is told of them.
#[derive(Debug)]
pub struct Fleet {
    names: Vec<String>,
    briefs: Vec<Arc<Brief>>,
    /// What is listed.
    pub screen: FleetScreen,
    /// What lies over it.
    pub over: Option<Over>,
    /// The targets, in the order in which they are listed, by their places.
    pub targets: Vec<usize>,
    /// Where the user is among them.
    pub target: Cursor<usize>,
    /// The findings, in the order in which they are listed.
    pub findings: Vec<FindingAt>,
    /// Where the user is among them.
    pub finding: Cursor<FindingAt>,
    /// Colours.
    pub palette: Palette,
    /// Characters.
    pub charset: Charset,
    filter: String,
    notice: Option<(String, Instant)>,
    last_frame: LastFrame,
    clicked: Clicks,
    prefix: Prefix,
}

impl Fleet {
    /// Targets by their names, of which nothing is told yet.
    pub fn new(names: Vec<String>, palette: Palette, charset: Charset) -> Self {
        Self {
            names,
            briefs: Vec::new(),
            screen: FleetScreen::default(),
            over: None,
            targets: Vec::new(),
            target: Cursor::default(),
            findings: Vec::new(),
            finding: Cursor::default(),
            palette,
            charset,
            filter: String::new(),
            notice: None,
            last_frame: LastFrame::default(),
            clicked: Clicks::default(),
            prefix: Prefix::default(),
        }
    }

    /// What is told of each by now. A message that has stood for long enough goes.
    pub fn refresh(&mut self, briefs: Vec<Arc<Brief>>, at: Instant) {
        self.notice.take_if(|(_, until)| *until <= at);
        self.briefs = briefs;
        self.narrow(at);
    }

    /// The targets' names, in the order in which they were given.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What is told of each, in that order.
    pub fn briefs(&self) -> &[Arc<Brief>] {
        &self.briefs
    }

    /// The filter that is in force, or is being typed.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// The message that stands at the moment.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_ref().map(|(text, _)| text.as_str())
    }

    /// A finding of the list.
    pub fn told(&self, at: FindingAt) -> Option<&Told> {
        self.briefs.get(at.target)?.findings.iter().find(|told| told.id == at.finding)
    }

    /// Says something to the user for a while.
    pub fn say(&mut self, text: impl Into<String>, at: Instant) {
        self.notice = Some((text.into(), at + NOTICE));
    }

    /// Where the user is, the innermost context first.
    pub fn contexts(&self) -> &'static [Context] {
        match &self.over {
            Some(Over::Help(_) | Over::Explain(..)) => &[Context::Text, Context::Fleet, Context::Always],
            Some(Over::Filter(_)) => &[Context::Input, Context::Always],
            None => self.contexts_below(),
        }
    }

    /// Where the user is below what lies over the list.
    pub fn contexts_below(&self) -> &'static [Context] {
        match self.screen {
            FleetScreen::Targets => &[Context::List, Context::Fleet, Context::Always],
            FleetScreen::Findings => &[Context::FindingsOfAll, Context::List, Context::Fleet, Context::Always],
        }
    }

    /// Takes note of what a frame showed.
    pub fn shown(&mut self, shown: LastFrame) {
        if let (Some(window), None | Some(Over::Filter(_))) = (shown.window, &self.over) {
            match self.screen {
                FleetScreen::Targets => self.target.shown(window),
                FleetScreen::Findings => self.finding.shown(window),
            }
        }
        self.last_frame = shown;
    }

    /// A key was pressed.
    pub fn key(&mut self, event: &KeyEvent, at: Instant) -> Option<FleetEffect> {
        let key = Key::of(event)?;
        if let (Some(Over::Filter(_)), Key::Char(char)) = (&self.over, key) {
            self.put_in(char.encode_utf8(&mut [0; 4]), at);
            return None;
        }
        let contexts = self.contexts();
        let action = self.prefix.action(contexts, key)?;
        self.act(action, at)
    }

    /// Text was pasted.
    pub fn paste(&mut self, text: &str, at: Instant) {
        if matches!(self.over, Some(Over::Filter(_))) {
            self.put_in(text, at);
        } else {
            self.say("what is pasted is taken by a filter alone: / begins one", at);
        }
    }

    /// Puts text into the filter that is being typed.
    fn put_in(&mut self, text: &str, at: Instant) {
        let Some(Over::Filter(line)) = &mut self.over else { return };
        let fits = line.insert(text);
        self.take_filter(at);
        if fits == Fits::Cut {
            self.say(format!("a filter has room for {MOST} bytes: the rest was cut"), at);
        }
    }

    /// The mouse did something.
    pub fn mouse(&mut self, event: MouseEvent, at: Instant) -> Option<FleetEffect> {
        match event.kind {
            MouseEventKind::ScrollDown => self.wheel(WHEEL),
            MouseEventKind::ScrollUp => self.wheel(-WHEEL),
            MouseEventKind::Down(MouseButton::Left) => match self.last_frame.at(event.column, event.row)? {
                HitArea::Key(action) => return self.act(action, at),
                HitArea::Row(row) => {
                    let is_second = self.clicked.is_second(row, at);
                    self.choose(row);
                    if is_second {
                        return self.act(Action::Open, at);
                    }
                }
                _ => {}
            },
            _ => {}
        }
        None
    }

    fn choose(&mut self, row: RowId) {
        match row {
            RowId::Target(target) => self.target.choose(target, &self.targets[..]),
            RowId::FindingOf(target, finding) => {
                self.finding.choose(FindingAt { target, finding }, &self.findings[..]);
            }
            _ => {}
        }
    }

    fn act(&mut self, action: Action, at: Instant) -> Option<FleetEffect> {
        match action {
            Action::Quit => return Some(FleetEffect::Quit),
            Action::Suspend => return Some(FleetEffect::Suspend),
            Action::Retry => {
                self.say("trying to connect to those that are lost", at);
                return Some(FleetEffect::Retry);
            }
            Action::Open => return self.opened(),
            Action::Help => self.over = Some(Over::Help(Scroll::default())),
            Action::Explain => match self.finding.selected(&self.findings[..]).and_then(|at| self.told(at)) {
                Some(told) => self.over = Some(Over::Explain(told.lint, Scroll::default())),
                None => self.say("there is no finding here", at),
            },
            Action::Filter => self.over = Some(Over::Filter(Line::new(&self.filter))),
            Action::Accept => self.over = None,
            Action::Back | Action::ClearFilter => {
                if !matches!(self.over.take(), Some(Over::Help(_) | Over::Explain(..))) {
                    self.filter.clear();
                    self.narrow(at);
                }
            }
            Action::GoNumber(number) => self.go(if number == 1 { FleetScreen::Targets } else { FleetScreen::Findings }),
            Action::NextScreen => self.go(match self.screen {
                FleetScreen::Targets => FleetScreen::Findings,
                FleetScreen::Findings => FleetScreen::Targets,
            }),
            Action::Up => self.step(-1),
            Action::Down => self.step(1),
            Action::PageUp => self.page_by(-1),
            Action::PageDown => self.page_by(1),
            Action::First => self.first(),
            Action::Last => self.step(FAR),
            _ => self.edit(action, at),
        }
        None
    }

    fn go(&mut self, screen: FleetScreen) {
        self.screen = screen;
        self.over = None;
    }

    fn opened(&self) -> Option<FleetEffect> {
        match self.screen {
            FleetScreen::Targets => Some(FleetEffect::Open(self.target.selected(&self.targets[..])?, None)),
            FleetScreen::Findings => {
                let FindingAt { target, finding } = self.finding.selected(&self.findings[..])?;
                Some(FleetEffect::Open(target, Some(finding)))
            }
        }
    }

    fn edit(&mut self, action: Action, at: Instant) {
        if let Some(Over::Filter(line)) = &mut self.over {
            line.edit(action);
            self.take_filter(at);
        }
    }

    fn take_filter(&mut self, at: Instant) {
        if let Some(Over::Filter(line)) = &self.over {
            self.filter = line.text().to_owned();
            self.narrow(at);
        }
    }

    fn step(&mut self, by: isize) {
        match (&mut self.over, self.screen) {
            (Some(Over::Help(scroll) | Over::Explain(_, scroll)), _) => scroll.by(by, self.last_frame.scroll_most),
            (_, FleetScreen::Targets) => self.target.step(by, &self.targets[..]),
            (_, FleetScreen::Findings) => self.finding.step(by, &self.findings[..]),
        }
    }

    fn page_by(&mut self, by: isize) {
        let rows = self.last_frame.window.map_or(10, |window| window.rows).max(1) as isize;
        self.step(by * rows);
    }

    fn first(&mut self) {
        match (&self.over, self.screen) {
            (Some(Over::Help(_) | Over::Explain(..)), _) => self.step(-FAR),
            (_, FleetScreen::Targets) => self.target.first(),
            (_, FleetScreen::Findings) => self.finding.first(),
        }
    }

    fn wheel(&mut self, by: isize) {
        match (&self.over, self.screen) {
            (Some(Over::Help(_) | Over::Explain(..)), _) => self.step(by),
            (_, FleetScreen::Targets) => self.target.scroll(by, &self.targets[..]),
            (_, FleetScreen::Findings) => self.finding.scroll(by, &self.findings[..]),
        }
    }
}

#[cfg(test)]
mod tests;
