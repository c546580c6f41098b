use super::*;
use crate::{
    source::encode,
    update::{Loss, NewTask, Panic, PollStats, SourcePlace, TaskStats},
};
use proptest::prelude::*;
use std::io::Write as _;
use zstd::stream::write::Encoder;

/// A file with these segments, of these updates each.
fn file(segments: &[Vec<Update>]) -> Vec<u8> {
    let mut file = [&HEADER.to_le_bytes()[..], &(WHAT.len() as u32).to_le_bytes(), WHAT].concat();
    for segment in segments {
        let mut encoder = Encoder::new(Vec::new(), 3).unwrap();
        for update in segment {
            let message = encode(update);
            let mut length = message.len();
            while length > 0x7f {
                encoder.write_all(&[length as u8 | 0x80]).unwrap();
                length >>= 7;
            }
            encoder.write_all(&[length as u8]).unwrap();
            encoder.write_all(&message).unwrap();
        }
        file.extend(encoder.finish().unwrap());
    }
    file
}

fn at(seconds: u64) -> Stamp {
    Stamp::from_nanos(seconds * 1_000_000_000)
}

/// The state of these tasks, or what changed of them.
fn told(seconds: u64, tasks: &[u64]) -> Update {
    Update {
        now: Some(at(seconds)),
        new_tasks: tasks.iter().map(|id| NewTask { name: format!("task-{id}"), ..NewTask::new(TaskId(*id)) }).collect(),
        task_stats: tasks.iter().map(|id| (TaskId(*id), alive())).collect(),
        ..Update::default()
    }
}

fn alive() -> TaskStats {
    TaskStats { created: Some(at(1)), polls: PollStats { count: 1, ..PollStats::default() }, ..TaskStats::default() }
}

fn panicked(seconds: u64) -> Panic {
    Panic {
        task: TaskId(9),
        message: "no".into(),
        place: SourcePlace::default(),
        at: at(seconds),
        task_name: String::new(),
        spawned_at: None,
    }
}

/// Every update of a file, and whether it was cut.
fn read(file: Vec<u8>) -> (Vec<Update>, bool) {
    let mut past = Past::new(file).unwrap();
    let mut updates = Vec::new();
    while let Some(event) = past.next_event() {
        if let Event::Update(update) = event {
            updates.push(*update);
        }
    }
    (updates, past.is_cut())
}

#[test]
fn what_a_later_state_does_not_name_is_gone_and_what_it_says_again_is_told_once() {
    let first = Update { panics: vec![panicked(2)], ..told(3, &[1, 2, 3]) };
    let ended = TaskStats { dropped: Some(at(4)), ..alive() };
    let more = Update { task_stats: vec![(TaskId(2), ended)], new_tasks: Vec::new(), ..told(4, &[]) };
    let state = Update { panics: vec![panicked(2), panicked(5)], ..told(6, &[1, 4]) };
    let (updates, is_cut) = read(file(&[vec![first, more], vec![state, told(7, &[5])]]));
    assert!(!is_cut);
    let gone: Vec<_> = updates.iter().map(|update| update.gone_tasks.clone()).collect();
    assert_eq!(gone, [vec![], vec![], vec![TaskId(3)], vec![]], "the second one's end was told");
    let panics: Vec<_> = updates.iter().map(|update| update.panics.len()).collect();
    assert_eq!(panics, [1, 0, 1, 0]);
}

#[test]
fn what_could_not_be_told_is_counted_on_from_segment_to_segment() {
    let losing = |seconds, unsent| {
        let losses = [("unsent-tasks", unsent), ("unseen", 7)];
        let losses = losses.map(|(kind, count)| Loss { kind: kind.to_owned(), count });
        Update { losses: Some(losses.to_vec()), ..told(seconds, &[1]) }
    };
    let (updates, _) =
        read(file(&[vec![losing(1, 0), losing(2, 5)], vec![losing(3, 0), losing(4, 2)], vec![losing(5, 1)]]));
    let counts: Vec<Vec<u64>> =
        updates.iter().map(|update| update.losses.iter().flatten().map(|loss| loss.count).collect()).collect();
    assert_eq!(counts, [[0, 7], [5, 7], [5, 7], [7, 7], [8, 7]]);
}

#[test]
fn what_it_begins_with_says_what_it_is() {
    let mut past = Past::new(file(&[vec![told(3, &[1])]])).unwrap();
    assert!(matches!(past.next_event(), Some(Event::Begin(begin)) if begin.epoch == 1));
    assert_eq!(past.next_event(), Some(Event::Connection(Connection::Live)));
    assert_eq!(Past::new(file(&[])).err(), Some(NoPast::Empty));
    assert_eq!(Past::new(b"something else".to_vec()).err(), Some(NoPast::Other));
    assert_eq!(Past::new(Vec::new()).err(), Some(NoPast::Other));
}

fn some() -> Vec<u8> {
    file(&[vec![told(3, &[1, 2]), told(4, &[3])], vec![told(5, &[1, 3]), told(6, &[4])]])
}

#[test]
fn cut_anywhere_it_has_what_was_before_the_cut() {
    let (file, (whole, _)) = (some(), read(some()));
    for length in 0..file.len() {
        let Ok(mut past) = Past::new(file[..length].to_vec()) else { continue };
        let events = std::iter::from_fn(|| past.next_event());
        let updates = events.filter_map(|event| if let Event::Update(update) = event { Some(*update) } else { None });
        let updates: Vec<Update> = updates.collect();
        assert_eq!(updates[..], whole[..updates.len()], "{length}");
        assert!(past.is_cut() || updates.len().is_multiple_of(2), "{length}: a cut between two segments is none");
    }
}

proptest! {
    #[test]
    fn whatever_is_in_it_it_ends(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut file = some();
        for (index, byte) in flips {
            let at = index.index(file.len());
            file[at] = byte;
        }
        if let Ok(mut past) = Past::new(file) {
            let events = std::iter::from_fn(|| past.next_event()).take(100_000).count();
            prop_assert!(events < 100_000);
        }
    }
}
