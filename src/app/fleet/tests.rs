use super::*;
use crate::{
    diagnose::{LINTS, Severity, Subject, Tally},
    fleet::Standing,
};
use crossterm::event::{KeyCode, KeyModifiers};

fn brief(standing: Standing, severities: &[Severity]) -> Arc<Brief> {
    let mut tally = Tally::default();
    let findings = severities.iter().enumerate().map(|(nth, &severity)| {
        match severity {
            Severity::Critical => tally.critical += 1,
            Severity::Warning => tally.warning += 1,
            Severity::Note => tally.note += 1,
        }
        Told {
            id: FindingId(nth as u64),
            severity,
            lint: LINTS[nth],
            subject: Subject::Target,
            message: format!("message {nth}"),
        }
    });
    let findings = findings.collect();
    Arc::new(Brief {
        standing,
        service: "orders".into(),
        speaks: "agent",
        tasks: 3,
        tally,
        findings,
        heard: None,
        lost: None,
    })
}

fn fleet(briefs: Vec<Arc<Brief>>) -> Fleet {
    let names = (0..briefs.len()).map(|nth| format!("host-{nth}:6669")).collect();
    let mut fleet = Fleet::new(names, Palette::Off, Charset::Ascii);
    fleet.refresh(briefs, Instant::now());
    fleet
}

fn press(fleet: &mut Fleet, code: KeyCode) -> Option<FleetEffect> {
    fleet.key(&KeyEvent::new(code, KeyModifiers::NONE), Instant::now())
}

#[test]
fn who_is_stuck_comes_before_who_is_not_heard_and_that_before_what_costs() {
    use Severity::{Critical, Note, Warning};
    let fleet = fleet(vec![
        brief(Standing::Live, &[]),
        brief(Standing::Live, &[Warning, Note]),
        brief(Standing::Lost("refused".into()), &[Critical, Critical]),
        brief(Standing::Live, &[Critical]),
        brief(Standing::Live, &[Warning, Warning]),
        brief(Standing::Connecting, &[]),
    ]);
    assert_eq!(fleet.targets, [3, 2, 4, 1, 0, 5]);
    let listed: Vec<(usize, u64)> = fleet.findings.iter().map(|at| (at.target, at.finding.0)).collect();
    assert_eq!(listed, [(3, 0), (4, 0), (4, 1), (1, 0), (1, 1)], "what was found in one that is lost is not of now");
}

#[test]
fn what_is_lost_again_and_again_keeps_its_place() {
    let calm = brief(Standing::Live, &[]);
    let at = Instant::now();
    let back = Arc::new(Brief { lost: Some(at), ..(*calm).clone() });
    let mut fleet = fleet(vec![calm.clone(), back.clone()]);
    fleet.refresh(vec![calm.clone(), back.clone()], at + Duration::from_secs(9));
    assert_eq!(fleet.targets, [1, 0]);
    fleet.refresh(vec![calm, back], at + Duration::from_secs(10));
    assert_eq!(fleet.targets, [0, 1]);
}

#[test]
fn the_selection_stays_on_its_target_and_opens_it() {
    let calm = brief(Standing::Live, &[]);
    let mut fleet = fleet(vec![calm.clone(), calm.clone(), calm.clone()]);
    press(&mut fleet, KeyCode::Down);
    assert_eq!(press(&mut fleet, KeyCode::Enter), Some(FleetEffect::Open(1, None)));
    fleet.refresh(vec![calm.clone(), calm, brief(Standing::Live, &[Severity::Critical])], Instant::now());
    assert_eq!(fleet.targets, [2, 0, 1]);
    assert_eq!(press(&mut fleet, KeyCode::Enter), Some(FleetEffect::Open(1, None)));
    press(&mut fleet, KeyCode::Char('2'));
    assert_eq!(press(&mut fleet, KeyCode::Enter), Some(FleetEffect::Open(2, Some(FindingId(0)))));
    assert_eq!(press(&mut fleet, KeyCode::Char('q')), Some(FleetEffect::Quit));
}

#[test]
fn a_filter_narrows_both_lists_and_escape_takes_it_away() {
    let mut fleet = fleet(vec![
        brief(Standing::Live, &[Severity::Critical]),
        brief(Standing::Live, &[Severity::Warning, Severity::Warning]),
        brief(Standing::GaveUp("no console".into()), &[]),
    ]);
    press(&mut fleet, KeyCode::Char('/'));
    for typed in "HOST-1".chars() {
        press(&mut fleet, KeyCode::Char(typed));
    }
    assert_eq!((fleet.targets.as_slice(), fleet.findings.len()), ([1].as_slice(), 2));
    press(&mut fleet, KeyCode::Enter);
    assert!(fleet.over.is_none() && fleet.filter() == "HOST-1");
    press(&mut fleet, KeyCode::Esc);
    assert_eq!((fleet.targets.len(), fleet.findings.len()), (3, 3));
    press(&mut fleet, KeyCode::Char('/'));
    fleet.paste(LINTS[1].name, Instant::now());
    assert_eq!((fleet.targets.as_slice(), fleet.findings.len()), ([1].as_slice(), 1));
    press(&mut fleet, KeyCode::Esc);
    press(&mut fleet, KeyCode::Char('/'));
    fleet.paste("given up", Instant::now());
    assert_eq!(fleet.targets, [2]);
}

#[test]
fn escape_closes_help_and_leaves_the_filter() {
    let mut fleet = fleet(vec![brief(Standing::Live, &[])]);
    press(&mut fleet, KeyCode::Char('/'));
    fleet.paste("host", Instant::now());
    press(&mut fleet, KeyCode::Enter);
    press(&mut fleet, KeyCode::Char('?'));
    assert!(matches!(fleet.over, Some(Over::Help(_))));
    press(&mut fleet, KeyCode::Esc);
    assert!(fleet.over.is_none() && fleet.filter() == "host");
    press(&mut fleet, KeyCode::Char('e'));
    assert_eq!(fleet.notice(), None, "there is nothing to explain in the list of targets");
}
