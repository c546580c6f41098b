//! An agent that is older than the capability `tasks`, as it really spoke. The README beside the fixture says where it comes from.

use super::*;
use holdup::{
    diagnose::Settings,
    model::{Basis, Retention},
    session::Session,
};
use prost::Message;

const DESCRIBE: &[u8] = include_bytes!("../fixtures/agent-1bffb08/describe");
const UPDATES: &[u8] = include_bytes!("../fixtures/agent-1bffb08/updates");
const WATCH: &[u8] = include_bytes!("../fixtures/agent-1bffb08/watch");

fn messages<M: Message + Default>(mut bytes: &[u8]) -> Vec<M> {
    let mut messages = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let (message, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        messages.push(M::decode(message).expect("a message"));
        bytes = rest;
    }
    messages
}

#[tokio::test]
async fn is_read_as_the_console_that_it_also_is() {
    let updates: Vec<api::instrument::Update> = messages(UPDATES);
    let count = updates.len();
    let mut console = Console::new(updates);
    console.agent = messages(DESCRIBE).pop();
    console.reports = Reports::Lasting(messages(WATCH));
    let peer = console.serve();
    let mut link = link_to(peer.address);
    let mut session = Session::new(&Settings::default(), Retention::default());
    let mut complete = 0;
    while complete < count {
        let event = next(&mut link).await;
        complete += usize::from(matches!(&event, Event::Update(update) if update.part == Part::Last));
        session.apply(event);
    }
    let begun = session.status().begun.as_ref().expect("it began");
    let process = begun.process.as_ref().expect("an agent says who it is");
    assert_eq!((begun.protocol, process.name.as_str()), (Protocol::Console, "echo-demo"));
    let model = session.model();
    assert!(model.tasks().len() > 10 && model.locks().count() > 0, "{:?}", model.counts());
    // What it tells on its own stream is not heard, so that nothing of it can contradict the updates.
    assert!(model.agent().workers().is_empty() && model.agent().stalls().next().is_none());
    assert!(model.locks().all(|(_, lock)| lock.basis == Basis::Inferred));
    assert!(model.knows().why_not(Fact::Holders).contains("older"), "{}", model.knows().why_not(Fact::Holders));
    assert_eq!(model.health().issues, DecodeIssues::default());
}

#[test]
fn its_reports_are_read_all_the_same() {
    let reports: Vec<v1::Report> = messages(WATCH);
    let pages: Vec<Update> = reports.iter().flat_map(|report| decode(&report.encode_to_vec())).collect();
    assert!(pages.iter().any(|page| page.locks.iter().any(|lock| !lock.holders.is_empty())));
    assert!(pages.iter().any(|page| !page.stalls.is_empty()) && pages.iter().any(|page| !page.panics.is_empty()));
    assert!(pages.iter().filter(|page| page.part == Part::Last).all(|page| page.workers.is_some()));
    assert!(pages.iter().all(|page| page.issues == DecodeIssues::default()));
    for page in &pages {
        let again: Vec<Update> = decode(&encode(page));
        assert_eq!(again.len(), 1);
        assert_eq!(&again[0], page, "what is read is written again");
    }
}

/// The same updates, as a console sends them and as a recording would hold them, come to the same.
#[tokio::test]
async fn its_updates_come_to_the_same_in_either_format() {
    let updates: Vec<api::instrument::Update> = messages(UPDATES);
    let count = updates.len();
    let peer = Console::new(updates).serve();
    let mut link = link_to(peer.address);
    let [mut sent, mut recorded] = [(); 2].map(|()| Session::new(&Settings::default(), Retention::default()));
    let mut complete = 0;
    while complete < count {
        let event = next(&mut link).await;
        if let Event::Update(update) = &event {
            complete += usize::from(update.part == Part::Last);
            for page in decode(&encode(update)) {
                recorded.apply(Event::Update(Box::new(page)));
            }
        }
        sent.apply(event);
    }
    let told = |session: &Session| {
        let model = session.model();
        let tasks = model.tasks().iter().map(|task| (task.id(), model.task_name(&task).to_owned(), task.stats()));
        let locks =
            model.locks().map(|(resource, lock)| (resource.id, lock.state, lock.holds.clone(), lock.acquisitions));
        let mut findings: Vec<_> = session.engine().findings().map(|finding| finding.lint.name).collect();
        findings.sort_unstable();
        (format!("{:?}", tasks.collect::<Vec<_>>()), format!("{:?}", locks.collect::<Vec<_>>()), findings)
    };
    assert_eq!(told(&sent), told(&recorded));
}
