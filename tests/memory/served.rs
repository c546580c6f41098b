//! Servers and clients made of axum, hyper, tower and reqwest: from the connection down to the line of the handler.

use crate::{
    compare,
    running::{Cases, Victim, Way, built},
    truth::Truth,
};
use holdup_memory::{FrameKind, Look, Reach, Who};

fn looked_at() -> (Look, Truth) {
    let way = Way { cases: Cases::Served, ..Way::profile("release") };
    let mut victim = Victim::start_file(&built(way).join("served"), &[]);
    let truth = victim.truth();
    let look = victim.look();
    assert_eq!(truth.frames, victim.truth().frames, "it does not stand still");
    (look, truth)
}

/// Every function that sleeps is in its task's chain, at its line.
#[test]
#[ignore = "a build of a minute"]
fn handlers_are_reached_from_their_connections() {
    let (look, truth) = looked_at();
    let verdict = compare::chains(&look, &look.chains, &truth);
    verdict.assert_nothing_wrong("served");
    assert!(verdict.absent.is_empty(), "{:#?}", verdict.absent);
    let said = compare::holders(&look, &truth);
    assert!(said.wrong.is_empty() && said.circle.is_none(), "{said:#?}");
    for task in &look.changed {
        let handles = truth.frames.get(&Who::Task(task.number)).and_then(|frames| frames.last());
        let Some(handles) = handles.filter(|last| last.function.contains("::load")) else { continue };
        let chain = task.chain.and_then(|chain| look.chains.get(chain as usize)).expect("it has a chain");
        let frame = chain.frames.iter().find(|frame| {
            frame.kind == FrameKind::Async && frame.place.as_ref().is_some_and(|place| place.line == handles.line)
        });
        let reach = frame.map(|frame| frame.reach);
        assert!(
            matches!(reach, Some(Reach::Polled | Reach::Maybe)),
            "{reach:?} {}",
            compare::written(chain, &task.waits)
        );
    }
}
