//! What a key costs, from its press to the last cell of the frame, on a screen of 200×50: sorting by each column, typing a
//! filter, and a frame for which nothing changed.
//!
//! `cargo bench --bench lists`

mod service;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use divan::Bencher;
use holdup::{
    app::{App, Direction, Input, Options, Screen, TaskColumn, sortable},
    source::{Connection, Event},
    update::{Begin, Update},
    view,
};
use ratatui::{Terminal, backend::TestBackend};
use service::{Named, SIZES, first_state, one_percent};
use std::{cell::RefCell, fmt, time::Instant};

fn main() {
    divan::main();
}

/// Seconds that the service was watched for.
const CHANGED: u64 = 10;

struct Client {
    app: App,
    terminal: Terminal<TestBackend>,
}

impl Client {
    /// Attached to a service of so many tasks, of which one percent changed in each of the last ten seconds: those have a recent
    /// past.
    fn new(tasks: u64, named: Named) -> Self {
        let app = App::new("127.0.0.1:6669", Options { start: Screen::Tasks, ..Options::default() });
        let mut client = Self { app, terminal: Terminal::new(TestBackend::new(200, 50)).expect("a screen in memory") };
        let session = Begin::console(1);
        client.hear(Event::Begin(Box::new(session)));
        client.hear(Event::Connection(Connection::Live));
        client.update(first_state(tasks, named));
        for second in 1..=CHANGED {
            client.update(one_percent(tasks, second));
        }
        client
    }

    fn hear(&mut self, event: Event) {
        self.app.update(Input::Link(Box::new(event)), Instant::now());
    }

    fn update(&mut self, update: Update) {
        self.hear(Event::Update(Box::new(update)));
    }

    fn key(&mut self, key: char) {
        let key = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
        self.app.update(Input::Key(key), Instant::now());
    }

    fn draw(&mut self) {
        let now = Instant::now();
        self.app.prepare(now);
        let mut shown = None;
        self.terminal.draw(|frame| shown = Some(view::render(frame, &self.app, now))).expect("a screen in memory");
        self.app.shown(shown.unwrap_or_default());
    }

    /// Draws until there is nothing left to sort.
    fn rest(&mut self) {
        self.draw();
        while self.app.panels.tasks.order.is_rough() {
            self.draw();
        }
    }

    fn type_filter(&mut self, typed: &str) {
        self.app.panels.tasks.set_filter(typed.into());
    }
}

/// A column, and how many tasks there are to sort by it.
#[derive(Clone, Copy)]
struct Sorting(TaskColumn, u64);

impl fmt::Debug for Sorting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, {}", self.0, self.1)
    }
}

fn sortings() -> impl Iterator<Item = Sorting> {
    SIZES.into_iter().flat_map(|tasks| sortable().map(move |column| Sorting(column, tasks)))
}

#[divan::bench(args = sortings(), sample_count = 10)]
fn sort(bencher: Bencher, Sorting(column, tasks): Sorting) {
    sort_by(bencher, column, &RefCell::new(Client::new(tasks, Named::InGroups)));
}

#[divan::bench(args = SIZES, sample_count = 5)]
fn sort_by_names_of_their_own(bencher: Bencher, tasks: u64) {
    sort_by(bencher, TaskColumn::Name, &RefCell::new(Client::new(tasks, Named::Apart)));
}

fn sort_by(bencher: Bencher, column: TaskColumn, client: &RefCell<Client>) {
    let other = if column == TaskColumn::State { TaskColumn::Kind } else { TaskColumn::State };
    let before = || {
        let mut client = client.borrow_mut();
        client.app.panels.tasks.order.sort(other, Direction::Ascending);
        client.rest();
    };
    bencher.with_inputs(before).bench_local_values(|()| {
        let mut client = client.borrow_mut();
        client.app.panels.tasks.sort_by(column);
        client.draw();
    });
}

/// What was typed, and what is typed next.
const TYPED: [(&str, char); 6] =
    [("", 'w'), ("worker", '-'), ("name:worker-1", '7'), ("busy>10m", 's'), ("loc:worker.rs:", '3'), ("bu", 's')];

#[divan::bench(args = SIZES, consts = [0, 1, 2, 3, 4, 5], sample_count = 10)]
fn filter<const TEXT: usize>(bencher: Bencher, tasks: u64) {
    let client = RefCell::new(Client::new(tasks, Named::InGroups));
    let (typed, next) = TYPED[TEXT];
    client.borrow_mut().key('/');
    let before = || {
        let mut client = client.borrow_mut();
        client.app.update(Input::Key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL)), Instant::now());
        for key in typed.chars() {
            client.key(key);
        }
        client.rest();
    };
    bencher.with_inputs(before).bench_local_values(|()| {
        let mut client = client.borrow_mut();
        client.key(next);
        client.draw();
    });
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn clear_the_filter(bencher: Bencher, tasks: u64) {
    let client = RefCell::new(Client::new(tasks, Named::InGroups));
    let before = || {
        client.borrow_mut().type_filter("name:worker-17");
        client.borrow_mut().rest();
    };
    bencher.with_inputs(before).bench_local_values(|()| {
        client.borrow_mut().type_filter(String::new().as_str());
        client.borrow_mut().draw();
    });
}

#[divan::bench(args = SIZES)]
fn a_frame_without_changes(bencher: Bencher, tasks: u64) {
    let mut client = Client::new(tasks, Named::InGroups);
    client.rest();
    bencher.bench_local(|| client.draw());
}

#[divan::bench(args = SIZES, sample_count = 20)]
fn a_frame_after_one_percent_changed(bencher: Bencher, tasks: u64) {
    let client = RefCell::new(Client::new(tasks, Named::InGroups));
    let mut second = CHANGED;
    let next = || {
        second += 1;
        client.borrow_mut().rest();
        client.borrow_mut().update(one_percent(tasks, second));
    };
    bencher.with_inputs(next).bench_local_values(|()| client.borrow_mut().draw());
}
