//! What an input does: keys and clicks become actions, and the link's events become knowledge.

use crate::{
    app::{
        frame::HitArea,
        input::{
            bindings::Action,
            event::{Effect, Input},
            key::Key,
            line::{Fits, MOST},
        },
        layer::Layer,
        options::ValuesForm,
        page::Page,
        panel::PageSubject,
        screens::{SCREENS, Screen},
        state::App,
    },
    model::Task,
    session::Scope,
    update::{Command, Connection, Event, look::Who},
};
use crossterm::event::{KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use std::time::Instant;

/// Rows that one notch of the wheel moves.
const WHEEL: isize = 3;

impl App {
    /// Takes in what happened at an instant of this machine's clock, and tells what is to be done outside.
    pub fn update(&mut self, input: Input, at: Instant) -> Vec<Effect> {
        match input {
            Input::Key(key) => self.key(&key, at),
            Input::Paste(text) => {
                self.paste(&text, at);
                Vec::new()
            }
            Input::Told(text) => {
                self.say(text, at);
                Vec::new()
            }
            Input::Mouse(mouse) => self.mouse(mouse, at),
            Input::Link(event) => self.link(*event, at),
            Input::Past(view) => self.look_back(view, at),
        }
    }

    fn key(&mut self, event: &KeyEvent, at: Instant) -> Vec<Effect> {
        let Some(key) = Key::of(event) else { return Vec::new() };
        if let (Some(Layer::Filter(_)), Key::Char(char)) = (self.layers.last(), key) {
            self.put_in(char.encode_utf8(&mut [0; 4]), at);
            return Vec::new();
        }
        let contexts = self.contexts();
        self.prefix.action(&contexts, key).map_or_else(Vec::new, |action| self.act(action, at))
    }

    /// What is pasted is text, and never keys.
    fn paste(&mut self, text: &str, at: Instant) {
        self.prefix.forget();
        if matches!(self.layers.last(), Some(Layer::Filter(_))) {
            self.put_in(text, at);
        } else {
            self.say("what is pasted is taken by a filter alone: / on the tasks begins one", at);
        }
    }

    /// Puts text into the filter that is being typed.
    fn put_in(&mut self, text: &str, at: Instant) {
        let Some(Layer::Filter(line)) = self.layers.last_mut() else { return };
        let fits = line.insert(text);
        self.apply_filter();
        if fits == Fits::Cut {
            self.say(format!("a filter has room for {MOST} bytes: the rest was cut"), at);
        }
    }

    pub(super) fn apply_filter(&mut self) {
        if let Some(Layer::Filter(line)) = self.layers.last() {
            // To read it takes longer than to see that it is the same.
            if line.text() != self.panels.tasks.filter_text() {
                let typed = line.text().to_owned();
                self.panels.tasks.set_filter(typed);
            }
        }
    }

    /// Whether a key is a character that is being typed, which nothing has to be shown before.
    pub fn is_typed(&self, event: &KeyEvent) -> bool {
        matches!((self.layers.last(), Key::of(event)), (Some(Layer::Filter(_)), Some(Key::Char(_))))
    }

    fn mouse(&mut self, event: MouseEvent, at: Instant) -> Vec<Effect> {
        match event.kind {
            MouseEventKind::ScrollDown => self.wheel(WHEEL),
            MouseEventKind::ScrollUp => self.wheel(-WHEEL),
            MouseEventKind::Down(MouseButton::Left) => {
                return self.last_frame.at(event.column, event.row).map_or_else(Vec::new, |area| self.click(area, at));
            }
            MouseEventKind::Drag(MouseButton::Left) => {
                if let Some(area @ HitArea::Instant(_)) = self.last_frame.at(event.column, event.row) {
                    return self.click(area, at);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn click(&mut self, area: HitArea, at: Instant) -> Vec<Effect> {
        match area {
            HitArea::Instant(to) => return self.show_instant(to),
            HitArea::Tab(screen) => return self.act(Action::Go(screen), at),
            HitArea::Key(action) => return self.act(action, at),
            HitArea::Head(column) => self.panels.tasks.sort_by(column),
            HitArea::Column(column) => drop(self.with_list(|list| list.sort_by_nth(column))),
            HitArea::Row(row) => {
                let is_second = self.clicked.is_second(row, at);
                self.choose(row);
                if is_second {
                    return self.act(Action::Open, at);
                }
            }
        }
        Vec::new()
    }

    fn link(&mut self, event: Event, at: Instant) -> Vec<Effect> {
        self.clock.hear(&event, at);
        let epoch = self.epoch();
        let scope = self.open.apply(event);
        self.react(scope, epoch, at)
    }

    pub(super) fn epoch(&self) -> Option<u64> {
        self.open.shown().status().begun.as_ref().map(|begun| begun.epoch)
    }

    /// Brings what the user sees in line with what has become known.
    pub(super) fn react(&mut self, scope: Scope, epoch: Option<u64>, at: Instant) -> Vec<Effect> {
        if let Some(trouble) = self.open.take_trouble() {
            self.say(trouble, at);
        }
        if self.missed().is_none() && self.past.shown().is_some() {
            self.past.leave();
        }
        self.clock.lost = match self.open.live().status().connection {
            Connection::Lost { .. } => self.clock.lost.or(Some(at)),
            _ => None,
        };
        if matches!(scope, Scope::Rows | Scope::Everything) {
            self.clock.updated = Some(at);
        }
        if let Some(tour) = &mut self.tour {
            tour.observe(self.open.live());
        }
        let begun_anew = self.epoch() != epoch;
        for spec in SCREENS {
            let panel = self.panels.of_mut(spec.screen);
            if begun_anew {
                panel.restart();
            }
            panel.changed(self.open.shown(), scope);
        }
        if begun_anew { self.close_pages(at) } else { Vec::new() }
    }

    /// Another process's tasks may have the same ids: a page must not show one for the other.
    fn close_pages(&mut self, at: Instant) -> Vec<Effect> {
        let before = self.layers.len();
        self.layers.retain(|layer| !matches!(layer, Layer::Page(_)));
        if self.layers.len() < before {
            self.say("another session began: what was open is another process's, and was closed", at);
        }
        Vec::new()
    }

    /// Opens a page.
    pub(super) fn open(&mut self, subject: PageSubject) -> Vec<Effect> {
        // A ring of pages about each other is a path, not a tower.
        if let Some(at) = self.layers.iter().position(|layer| is_page_about(layer, subject)) {
            self.layers.truncate(at + 1);
        } else {
            self.layers.push(Layer::Page(Page::new(subject)));
        }
        self.watch()
    }

    /// Asks for the details of the task whose page is on top.
    pub(super) fn watch(&mut self) -> Vec<Effect> {
        self.open.forget_details();
        let mut effects = vec![Effect::Send(match self.page_subject() {
            Some(PageSubject::Task(task)) => Command::WatchTask(task),
            _ => Command::UnwatchTask,
        })];
        if self.values == ValuesForm::Read {
            effects.extend(self.ask_for_values());
        }
        effects
    }

    /// Asks for what the frames have of the task whose page is on top, while that is wanted; or for nobody's.
    pub(super) fn ask_for_values(&mut self) -> Vec<Effect> {
        self.open.forget_values();
        let number = match self.page_subject() {
            Some(PageSubject::Task(task)) => self.live().model().tasks().get(task).and_then(Task::number),
            _ => None,
        };
        let wanted = number.filter(|_| self.values == ValuesForm::Read).map(Who::Task);
        vec![Effect::Send(wanted.map_or(Command::LeaveValues, Command::ReadValues))]
    }

    /// To a screen. What lay on the one before is closed.
    pub(super) fn go(&mut self, screen: Screen) -> Vec<Effect> {
        self.screen = screen;
        let watching = self.page().is_some();
        self.layers.clear();
        if watching { self.watch() } else { Vec::new() }
    }
}

fn is_page_about(layer: &Layer, subject: PageSubject) -> bool {
    matches!(layer, Layer::Page(page) if page.subject() == subject)
}
