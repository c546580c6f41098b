//! The same updates make the same model, whatever form they come in and wherever their pages end: as they are, as messages of
//! the console, and as messages of `holdup.v1`.
//!
//! The console's form cannot say what an agent alone tells (locks, stalls, spans, facts, panics, runtimes, workers, losses), nor
//! that a row is gone without its last state: updates that say such things are not sent in it. What could not be used of a
//! message is the form's own, and not compared.

#[path = "../../../tests/support/service.rs"]
mod service;

mod console;
mod dump;
mod play;

use super::{
    console::Console,
    holdup,
    walk::{Schema, Walker},
};
use crate::{
    model::{Model, Retention},
    update::{FieldName, Knows, NewTask, Part, Update},
};
use dump::dump;
use proptest::{collection::vec, prelude::*, strategy::ValueTree};

/// The pages of messages that together are one update, and that arrive in chunks of this size. After every chunk the page so far
/// is handed out, so that pages end anywhere; in one chunk, it is one page.
fn pages<S: Schema>(messages: &[Vec<u8>], chunk: usize) -> Vec<Update> {
    let (mut walker, mut pages) = (Walker::<S>::default(), Vec::new());
    for message in messages {
        walker.begin(message.len());
        for bytes in message.chunks(chunk) {
            walker.feed(bytes, &mut pages);
            if chunk < message.len() {
                pages.extend(walker.flush());
            }
        }
        pages.push(walker.end());
    }
    pages
}

/// A model of these updates, each in the pages that it comes in.
fn model(knows: &Knows, most: usize, updates: &[Update], paged: impl Fn(&Update) -> Vec<Update>) -> String {
    let retention = Retention { keep: Some(std::time::Duration::from_secs(2)), most, ..Retention::default() };
    let mut model = Model::told_by(knows.clone(), retention);
    let mut after_each = String::new();
    for update in updates {
        for page in paged(update) {
            model.apply(page);
        }
        dump(&model, &mut after_each);
    }
    after_each
}

/// Where two dumps differ first.
fn differ(one: &str, other: &str) -> Option<String> {
    let at = one.lines().zip(other.lines()).position(|(one, other)| one != other);
    let at = at.or_else(|| (one.lines().count() != other.lines().count()).then_some(0))?;
    let context = |dump: &str| dump.lines().skip(at.saturating_sub(1)).take(3).collect::<Vec<_>>().join("\n");
    Some(format!("line {at}:\n{}\n---\n{}", context(one), context(other)))
}

fn as_holdup(update: &Update, chunk: usize) -> Vec<Update> {
    pages::<holdup::Holdup>(&[holdup::encode(update)], chunk)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn a_console_and_an_agent_make_the_same_of_the_same_rows(
        steps in vec(play::step(), 0..200), most in 0_usize..30, chunk in 1_usize..2_000,
    ) {
        let updates = play::updates(&steps);
        let knows = Knows::console();
        let plain = model(&knows, most, &updates, |update| vec![update.clone()]);
        for chunk in [chunk, usize::MAX] {
            let console = model(&knows, most, &updates, |update| pages::<Console>(&[console::encode(update)], chunk));
            prop_assert_eq!(differ(&plain, &console), None, "as a console's messages, {} bytes a page", chunk);
            let holdup = model(&knows, most, &updates, |update| as_holdup(update, chunk));
            prop_assert_eq!(differ(&plain, &holdup), None, "as holdup.v1, {} bytes a page", chunk);
        }
    }

    /// What a recording of a console's session keeps of it: descriptions and names by index are in it as they were sent.
    #[test]
    fn a_session_of_a_console_is_recorded_exactly(steps in vec(play::step(), 0..200), chunk in 1_usize..2_000) {
        for update in play::updates(&steps) {
            for page in pages::<Console>(&[console::encode(&update)], chunk) {
                let recorded = holdup::decode(&holdup::encode(&page));
                // What could not be used of a message is not told on.
                let recorded: Vec<Update> =
                    recorded.into_iter().map(|read| Update { issues: page.issues, ..read }).collect();
                prop_assert_eq!(recorded, [page]);
            }
        }
    }

    #[test]
    fn what_an_agent_alone_tells_makes_the_same_in_pages_of_any_size(
        steps in vec(play::step(), 0..200), most in 0_usize..30, chunk in 1_usize..2_000,
    ) {
        let updates = play::told(&steps);
        let knows = Knows::agent(&["wakers".to_owned(), "stalls".to_owned()]);
        let plain = model(&knows, most, &updates, |update| vec![update.clone()]);
        for chunk in [chunk, usize::MAX] {
            let holdup = model(&knows, most, &updates, |update| as_holdup(update, chunk));
            prop_assert_eq!(differ(&plain, &holdup), None, "{} bytes a page", chunk);
        }
    }
}

#[test]
fn the_updates_that_are_played_say_something_of_everything() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let steps = vec(play::step(), 200).new_tree(&mut runner).expect("steps").current();
    let said = play::told(&steps);
    let some = |part: fn(&Update) -> usize| said.iter().map(part).sum::<usize>() > 0;
    assert!(some(|update| update.new_tasks.len()) && some(|update| update.new_ops.len()));
    assert!(some(|update| update.poll_ops.len()) && some(|update| update.locks.len()));
    let by_index = |new: &NewTask| new.fields.iter().any(|field| matches!(field.name, FieldName::Index(..)));
    assert!(said.iter().flat_map(|update| &update.new_tasks).any(by_index) && some(|update| update.metadata.len()));
    assert!(some(|update| update.task_spans.len()) && some(|update| update.stalls.len()));
    assert!(said.iter().all(|update| update.part == Part::Last));
}
