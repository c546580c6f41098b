//! A stage for the interactive client: the event loop that ships, on a screen in memory, with a service played by hand
//! behind the link, and time that passes when the script says so.

#![allow(dead_code, reason = "each test binary uses a part of this")]

pub(crate) mod scenes;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use futures::stream;
use holdup::{
    app::{App, Options},
    source::{Attachment, Command, Connection, Event, Link, Process, Protocol, Temporality},
    terminal::{Error, Host, Past, TerminalEvent, Turn, event_loop},
    update::{Begin, TaskId, Update, look::Grade},
};
use jiff::tz::TimeZone;
use ratatui::{Terminal, backend::TestBackend, buffer::Cell};
use std::{cell, io, time::Duration};
use tokio::{runtime::Runtime, sync::mpsc, time::sleep};
use unicode_width::UnicodeWidthStr;

/// The client, and everything around it.
pub(crate) struct Stage {
    pub app: App,
    pub terminal: Terminal<TestBackend>,
    /// What the link was told.
    pub commands: Vec<Command>,
    /// What came of everything else.
    pub host: Recorder,
    /// Whether the loop ended before the script did.
    pub ended: bool,
    /// How it ended.
    pub result: Result<(), Error>,
    runtime: Runtime,
    epoch: u64,
}

/// Notes what is asked of the terminal.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    pub copied: Vec<String>,
    pub switched: Vec<(&'static str, Turn)>,
    pub suspended: usize,
    pub resumed: usize,
}

impl Host for Recorder {
    fn suspend(&mut self) -> io::Result<()> {
        self.suspended += 1;
        Ok(())
    }
    fn resume(&mut self) -> io::Result<()> {
        self.resumed += 1;
        Ok(())
    }
    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.copied.push(text.to_owned());
        Ok(())
    }
    fn switch(&mut self, trouble: &'static str, turn: Turn) {
        self.switched.push((trouble, turn));
    }
}

/// The options of every script: nothing of the machine that the test runs on.
pub(crate) fn options() -> Options {
    Options { time_zone: TimeZone::UTC, ..Options::default() }
}

impl Stage {
    /// A client that was just started.
    pub(crate) fn new(width: u16, height: u16, options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        Self {
            app: App::new("127.0.0.1:6669", options),
            terminal: Terminal::new(TestBackend::new(width, height)).unwrap(),
            commands: Vec::new(),
            host: Recorder::default(),
            ended: false,
            result: Ok(()),
            runtime,
            epoch: 0,
        }
    }

    /// The target answers, and sends these updates.
    pub(crate) fn attach(&mut self, updates: impl IntoIterator<Item = Update>) -> &mut Self {
        self.attach_to(Protocol::Console, None, updates)
    }

    /// An agent answers for this process, and sends these updates.
    pub(crate) fn attach_to(
        &mut self,
        protocol: Protocol,
        process: Option<Process>,
        updates: impl IntoIterator<Item = Update>,
    ) -> &mut Self {
        self.epoch += 1;
        let session = match (protocol, process) {
            (Protocol::Agent, process) => Begin::agent(self.epoch, process.unwrap_or_default()),
            (Protocol::Memory, process) => Begin::memory(self.epoch, process.unwrap_or_default(), Grade::Full),
            (Protocol::Console, Some(process)) => Begin::older_agent(self.epoch, process),
            (Protocol::Console, None) => Begin::console(self.epoch),
        };
        let mut events = vec![Event::Begin(Box::new(session)), Event::Connection(Connection::Live)];
        events.push(Event::Temporality(Temporality::Live));
        events.extend(updates.into_iter().map(|update| Event::Update(Box::new(update))));
        self.hear(events)
    }

    /// More updates come.
    pub(crate) fn updates(&mut self, updates: impl IntoIterator<Item = Update>) -> &mut Self {
        self.hear(updates.into_iter().map(|update| Event::Update(Box::new(update))))
    }

    /// Reports of an agent come.
    pub(crate) fn reports(&mut self, reports: impl IntoIterator<Item = Update>) -> &mut Self {
        self.hear(reports.into_iter().map(|report| Event::Update(Box::new(report))))
    }

    /// The connection breaks.
    pub(crate) fn lose(&mut self, reason: &str, retry_in: Duration) -> &mut Self {
        self.hear([Event::Connection(Connection::Lost { reason: reason.into(), retry_in, attempt: 1 })])
    }

    /// Something happens on the link, and is drawn.
    pub(crate) fn hear(&mut self, events: impl IntoIterator<Item = Event>) -> &mut Self {
        self.run(events.into_iter().collect(), Vec::new(), Duration::from_millis(200));
        self
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, time: Duration) -> &mut Self {
        self.run(Vec::new(), Vec::new(), time);
        self
    }

    /// Keys are pressed, as in `t / c o n n enter`: one character is itself, `^x` is with control held, and the rest are names.
    pub(crate) fn keys(&mut self, script: &str) -> &mut Self {
        self.run(
            Vec::new(),
            script.split_whitespace().map(|name| TerminalEvent::Key(key(name))).collect(),
            Duration::ZERO,
        );
        self
    }

    /// Keys are pressed, all before anything can be drawn.
    pub(crate) fn at_once(&mut self, script: &str) -> &mut Self {
        let keys = script.split_whitespace().map(|name| TerminalEvent::Key(key(name))).collect();
        self.run_paced(Vec::new(), keys, Duration::ZERO, Duration::ZERO);
        self
    }

    /// Text is typed.
    pub(crate) fn types(&mut self, text: &str) -> &mut Self {
        let keys = text.chars().map(|char| KeyEvent::new(KeyCode::Char(char), KeyModifiers::NONE));
        self.run(Vec::new(), keys.map(TerminalEvent::Key).collect(), Duration::ZERO);
        self
    }

    /// The left button is pressed on the first cell of this text.
    pub(crate) fn click(&mut self, text: &str) -> &mut Self {
        let (column, row) =
            self.find(text).unwrap_or_else(|| panic!("{text:?} is not on the screen:\n{}", self.text()));
        self.mouse(MouseEventKind::Down(MouseButton::Left), column, row)
    }

    /// The mouse does something.
    pub(crate) fn mouse(&mut self, kind: MouseEventKind, column: u16, row: u16) -> &mut Self {
        let mouse = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
        self.run(Vec::new(), vec![TerminalEvent::Mouse(mouse)], Duration::ZERO);
        self
    }

    /// Something else happens to the process or its terminal.
    pub(crate) fn occur(&mut self, event: TerminalEvent) -> &mut Self {
        self.run(Vec::new(), vec![event], Duration::ZERO);
        self
    }

    /// The terminal has another size.
    pub(crate) fn resize(&mut self, width: u16, height: u16) -> &mut Self {
        self.terminal.backend_mut().resize(width, height);
        self.occur(TerminalEvent::Redraw)
    }

    fn run(&mut self, heard: Vec<Event>, occurring: Vec<TerminalEvent>, wait: Duration) {
        self.run_paced(heard, occurring, wait, Duration::from_millis(1));
    }

    fn run_paced(&mut self, heard: Vec<Event>, occurring: Vec<TerminalEvent>, wait: Duration, between: Duration) {
        let (events, receiver) = mpsc::channel(heard.len().max(1));
        let (sender, mut commands) = mpsc::channel(64);
        for event in heard {
            events.try_send(event).unwrap();
        }
        let link = Link { events: receiver, commands: sender };
        let heard_all = cell::Cell::new(false);
        // The link is heard before the first key is.
        let script = stream::unfold((occurring.into_iter(), Duration::from_millis(1)), async |(mut left, pause)| {
            if !pause.is_zero() {
                sleep(pause).await;
            }
            let Some(next) = left.next() else {
                sleep(wait.max(Duration::from_millis(1))).await;
                heard_all.set(true);
                return None;
            };
            Some((Ok(next), (left, between)))
        });
        let (app, terminal, host) = (&mut self.app, &mut self.terminal, &mut self.host);
        let mut attachment = Attachment::new(link);
        let looping = event_loop(terminal, host, Box::pin(script), Some(&mut attachment), Past::nothing(), app);
        self.result = self.runtime.block_on(looping).map(drop);
        self.ended = !heard_all.get();
        drop(events);
        while let Ok(command) = commands.try_recv() {
            self.commands.push(command);
        }
    }

    /// The task whose details the link was last asked to watch.
    pub(crate) fn watched_task(&self) -> Option<TaskId> {
        self.commands.iter().rev().find_map(|command| match command {
            Command::WatchTask(task) => Some(Some(*task)),
            Command::UnwatchTask => Some(None),
            _ => None,
        })?
    }

    /// Where a text stands on the screen.
    pub(crate) fn find(&self, text: &str) -> Option<(u16, u16)> {
        self.lines().iter().enumerate().find_map(|(row, line)| {
            let byte = line.find(text)?;
            Some((line[..byte].width() as u16, row as u16))
        })
    }

    /// The screen, line by line. A wide character's second cell is left out: it shows nothing, whatever is in it.
    pub(crate) fn lines(&self) -> Vec<String> {
        let buffer = self.terminal.backend().buffer();
        let width = buffer.area.width.max(1) as usize;
        let line = |row: &[Cell]| {
            let mut line = String::new();
            let mut cells = row.iter();
            while let Some(cell) = cells.next() {
                line.push_str(cell.symbol());
                for _ in 1..cell.symbol().width() {
                    cells.next();
                }
            }
            line
        };
        buffer.content.chunks(width).map(line).collect()
    }

    /// The screen as text.
    pub(crate) fn text(&self) -> String {
        let lines: Vec<String> = self.lines().iter().map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n")
    }

    /// The style of each cell: a letter for each style, and what the letters stand for.
    pub(crate) fn styles(&self) -> String {
        let buffer = self.terminal.backend().buffer();
        let mut legend: Vec<String> = Vec::new();
        let mut letters = String::new();
        for (at, cell) in buffer.content.iter().enumerate() {
            if at > 0 && at % buffer.area.width as usize == 0 {
                letters.push('\n');
            }
            let style = format!("{} on {} {:?}", cell.fg, cell.bg, cell.modifier);
            let known = legend.iter().position(|known| *known == style);
            let index = known.unwrap_or_else(|| {
                legend.push(style);
                legend.len() - 1
            });
            letters.push(if index == 0 { '.' } else { char::from(b'a' + index as u8 - 1) });
        }
        let legend = legend.iter().enumerate().map(|(index, style)| {
            let letter = if index == 0 { '.' } else { char::from(b'a' + index as u8 - 1) };
            format!("{letter} {style}")
        });
        format!("{letters}\n\n{}", legend.collect::<Vec<_>>().join("\n"))
    }

    /// Every one of these texts is on the screen.
    #[track_caller]
    pub(crate) fn shows(&mut self, texts: &[&str]) -> &mut Self {
        for text in texts {
            assert!(self.find(text).is_some(), "{text:?} is not on the screen:\n{}", self.text());
        }
        self
    }

    /// None of these texts is on the screen.
    #[track_caller]
    pub(crate) fn hides(&mut self, texts: &[&str]) -> &mut Self {
        for text in texts {
            assert!(self.find(text).is_none(), "{text:?} is on the screen:\n{}", self.text());
        }
        self
    }

    /// These texts are on the screen, each further down than the one before.
    #[track_caller]
    pub(crate) fn shows_in_order(&mut self, texts: &[&str]) -> &mut Self {
        let rows: Vec<u16> = texts
            .iter()
            .map(|text| self.find(text).unwrap_or_else(|| panic!("no {text:?}:\n{}", self.text())).1)
            .collect();
        assert!(rows.is_sorted(), "{texts:?} stand in rows {rows:?}:\n{}", self.text());
        self
    }
}

fn key(name: &str) -> KeyEvent {
    let code = match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "backtab" => KeyCode::BackTab,
        "space" => KeyCode::Char(' '),
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "pgup" => KeyCode::PageUp,
        "pgdn" => KeyCode::PageDown,
        "backspace" => KeyCode::Backspace,
        "delete" => KeyCode::Delete,
        _ => {
            let (control, name) =
                name.strip_prefix('^').filter(|rest| !rest.is_empty()).map_or((false, name), |rest| (true, rest));
            let modifiers = if control { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
            return KeyEvent::new(KeyCode::Char(name.chars().next().unwrap()), modifiers);
        }
    };
    KeyEvent::new(code, KeyModifiers::NONE)
}
