//! The order that is kept up from changes is the order that sorting from nothing gives, whatever happened.

use super::*;
use crate::{
    app::{
        filter::Filter,
        tasks::{
            groups::Groups,
            list::{Listing, TaskList},
        },
    },
    diagnose::{Engine, Flag, Settings},
    model::{Retention, Task, TaskState},
    session::Session,
    update::{Event, NewTask, PollStats, SourcePlace, TaskStats, Update},
};
use proptest::prelude::*;
use std::time::Duration;

const BASE: u64 = 1_000_000_000_000_000_000;

fn at(millis: u64) -> Stamp {
    Stamp::from_nanos(BASE + millis * 1_000_000)
}

/// One thing that happens to one of a few tasks.
#[derive(Debug, Clone)]
enum Step {
    Spawn { id: u64, name: u8, line: u32 },
    Report { id: u64, polls: u64, busy: u64, state: u8, wakes: u64 },
    End { id: u64 },
    Advance { millis: u64 },
    Settle,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let id = 0_u64..24;
    let step = prop_oneof![
        3 => (id.clone(), 0_u8..6, 1_u32..5).prop_map(|(id, name, line)| Step::Spawn { id, name, line }),
        5 => (id.clone(), 0_u64..50, 0_u64..900, 0_u8..3, 0_u64..9)
            .prop_map(|(id, polls, busy, state, wakes)| Step::Report { id, polls, busy, state, wakes }),
        1 => id.prop_map(|id| Step::End { id }),
        3 => (1_u64..4_000).prop_map(|millis| Step::Advance { millis }),
        3 => Just(Step::Settle),
    ];
    proptest::collection::vec(step, 1..120)
}

fn columns() -> impl Strategy<Value = TaskColumn> {
    // Rates age by themselves, so that only a sweep over all of them makes the two agree.
    let settled: Vec<TaskColumn> = crate::app::tasks::columns::TASK_COLUMNS
        .iter()
        .map(|spec| spec.column)
        .filter(|column| column.ages() != Ages::Slowly)
        .collect();
    proptest::sample::select(settled)
}

fn filters() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "",
        "name:b",
        "-state:idle",
        "loc:x.rs:2",
        "polls>20",
        "a",
        "state:ended",
        "lint:any",
    ])
}

fn stats(id: u64, now: u64) -> TaskStats {
    TaskStats { created: Some(at(id)), last_wake: Some(at(now.saturating_sub(20))), ..TaskStats::default() }
}

fn apply(model: &mut Model, step: &Step, now: &mut u64) {
    let mut update = Update::default();
    match *step {
        Step::Spawn { id, name, line } => {
            let name = ["", "a", "b", "ab", "conn", "bb"][usize::from(name)];
            update.new_tasks.push(NewTask {
                name: name.into(),
                place: Some(SourcePlace { file: "src/x.rs".into(), line, column: 1 }),
                ..NewTask::new(TaskId(id))
            });
            update.task_stats.push((TaskId(id), stats(id, *now)));
        }
        Step::Report { id, polls, busy, state, wakes } => {
            let ended = (state != 0).then(|| at(now.saturating_sub(if state == 1 { 5 } else { 30 })));
            let polls = PollStats {
                count: polls,
                last_started: Some(at(now.saturating_sub(40))),
                last_ended: ended,
                busy: Duration::from_millis(busy),
            };
            update.task_stats.push((TaskId(id), TaskStats { polls, wakes, ..stats(id, *now) }));
        }
        Step::End { id } => {
            update.task_stats.push((TaskId(id), TaskStats { dropped: Some(at(*now)), ..stats(id, *now) }));
        }
        Step::Advance { millis } => *now += millis,
        Step::Settle => return,
    }
    update.now = Some(at(*now));
    model.apply(update);
}

proptest! {
    #[test]
    fn keeping_up_is_sorting_again(steps in steps(), column in columns(), filter in filters(), inverted: bool) {
        let filter: Filter = filter.parse().unwrap();
        let direction = if inverted { Direction::Ascending } else { Direction::Descending };
        let mut model = Model::new(Retention { keep: Some(Duration::from_secs(4)), most: 5, ..Retention::default() });
        let mut engine = Engine::new(&Settings::default());
        let (mut kept, mut changed) = (Order::default(), Changed::default());
        kept.sort(column, direction);
        let (mut groups, mut changed_in_groups) = (Groups::default(), Changed::default());
        let mut now = 1_000;
        for step in steps.iter().chain([&Step::Settle]) {
            apply(&mut model, step, &mut now);
            if matches!(step, Step::Settle) {
                let source = Source { model: &model, engine: &engine, filter: &filter };
                kept.settle(&source, &mut changed);
                groups.settle(&source, &mut changed_in_groups);
                let mut groups_anew = Groups::default();
                groups_anew.settle(&source, &mut Changed::default());
                let sums = |groups: &Groups| groups.order().iter().map(|&at| (at, groups.sums(at))).collect::<Vec<_>>();
                prop_assert_eq!(sums(&groups), sums(&groups_anew));
                let passing = |task: TaskId| kept.position(&model, task).is_some();
                let is_flagged = |slot| engine.flag(&model, slot).is_some();
                let flagged = model.tasks().iter().filter(|task| is_flagged(task.slot()) && passing(task.id()));
                let flagged = flagged.count() as u64;
                prop_assert_eq!(sums(&groups).iter().map(|(_, sums)| sums.flagged).sum::<u64>(), flagged);
                let mut anew = Order::default();
                anew.sort(column, direction);
                anew.settle(&source, &mut Changed::default());
                for task in model.tasks().iter() {
                    // A little later than the model's own instant: what goes on has gone on.
                    let then = at(now + 7);
                    let (stats, since) = (task.stats(), |since: Option<Stamp>| since.map_or(Duration::ZERO, |since| then.since(since)));
                    prop_assert_eq!(task.has_ended(), stats.dropped.is_some());
                    prop_assert_eq!(task.state() == TaskState::Running, stats.is_running() && stats.dropped.is_none());
                    prop_assert_eq!(task.total(then), stats.dropped.unwrap_or(then).since(stats.created.unwrap()));
                    prop_assert_eq!(task.busy(then), stats.polls.busy + since(task.running_since()));
                    prop_assert_eq!(task.scheduled(then), stats.scheduled + since(task.scheduled_since()));
                    prop_assert_eq!((task.polls(), task.wakes()), (stats.polls.count, stats.wakes));
                    let lints = engine.lints_of(&model, task.id()).count() as u32;
                    prop_assert_eq!(engine.flag(&model, task.slot()).map_or(0, Flag::count), lints);
                }
                let list = |order: &Order| (0..order.len()).map(|index| order.at(index)).collect::<Vec<_>>();
                prop_assert_eq!(list(&kept), list(&anew));
                for index in 0..kept.len() {
                    let id = kept.at(index).and_then(|slot| model.tasks().at(slot)).map(Task::id).unwrap();
                    prop_assert_eq!(kept.position(&model, id), Some(index));
                }
            } else {
                engine.observe(&model);
                changed.note(&model, &engine);
                changed_in_groups.note(&model, &engine);
            }
        }
    }
}

#[test]
fn live_tasks_come_before_ended_ones_whichever_way_they_are_sorted() {
    let mut model = Model::new(Retention::default());
    let mut now = 1_000;
    for id in 1..=4 {
        apply(&mut model, &Step::Report { id, polls: id, busy: 0, state: 2, wakes: 0 }, &mut now);
    }
    apply(&mut model, &Step::End { id: 2 }, &mut now);
    let (engine, filter) = (Engine::new(&Settings::default()), Filter::default());
    let mut order = Order::default();
    let mut ids = |column, direction| -> Vec<u64> {
        order.sort(column, direction);
        order.settle(&Source { model: &model, engine: &engine, filter: &filter }, &mut Changed::default());
        (0..order.len()).filter_map(|at| Some(model.tasks().at(order.at(at)?)?.id().0)).collect()
    };
    assert_eq!(ids(TaskColumn::Id, Direction::Ascending), [1, 3, 4, 2]);
    assert_eq!(ids(TaskColumn::Id, Direction::Descending), [4, 3, 1, 2]);
    // The oldest has the largest total.
    assert_eq!(ids(TaskColumn::Total, Direction::Descending), [1, 3, 4, 2]);
}

#[test]
fn rates_are_brought_up_to_date_by_sweeping() {
    let mut model = Model::new(Retention::default());
    let (engine, filter) = (Engine::new(&Settings::default()), Filter::default());
    let (mut order, mut changed) = (Order::default(), Changed::default());
    order.sort(TaskColumn::Rate, Direction::Descending);
    let mut now = 1_000;
    let mut report = |model: &mut Model, order: &mut Order, id, polls, now: &mut u64| {
        apply(model, &Step::Report { id, polls, busy: 0, state: 2, wakes: 0 }, now);
        changed.note(model, &engine);
        order.settle(&Source { model, engine: &engine, filter: &filter }, &mut changed);
    };
    for polls in [0, 1_000] {
        report(&mut model, &mut order, 1, polls, &mut now);
        report(&mut model, &mut order, 2, polls / 10, &mut now);
        now += 1_500;
    }
    assert_eq!(order.position(&model, TaskId(1)), Some(0));
    // The first falls silent, the second goes on.
    for polls in [400, 1_000, 1_600] {
        now += 20_000;
        report(&mut model, &mut order, 2, polls * 10, &mut now);
    }
    assert_eq!(order.position(&model, TaskId(2)), Some(0));
}

#[test]
fn whichever_listing_is_shown_nothing_piles_up_for_the_other() {
    let mut session = Session::new(&Settings::default(), Retention::default());
    let mut list = TaskList::default();
    let mut noted = |list: &mut TaskList, millis: u64| {
        let polls = PollStats { count: millis, ..PollStats::default() };
        let update = Update {
            now: Some(at(1_000 + millis)),
            task_stats: vec![(TaskId(1), TaskStats { polls, ..stats(1, 1_000 + millis) })],
            ..Update::default()
        };
        session.apply(Event::Update(Box::new(update)));
        list.note(&session);
        list.settle(&session);
    };
    noted(&mut list, 0);
    list.show(Listing::Groups);
    for millis in 1..100 {
        noted(&mut list, millis);
    }
    assert!(list.changed.is_empty(), "{:?} wait for a list that nobody sees", list.changed);
    list.show(Listing::Tasks);
    noted(&mut list, 100);
    assert_eq!(list.order.len(), 1, "it is made anew when its turn comes");
}
