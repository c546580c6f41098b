//! Reports as JUnit's XML, which every build server reads: a suite for each target, a case for each lint that was asked or could not be.

use super::{
    checked::{Checked, Seen},
    data::Report,
    rows::Row,
    text,
};
use quick_junit::{NonSuccessKind, Report as Suites, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;

/// All suites, with a line feed at the end. A finding for which `fails` is true lets its lint's case fail.
pub(crate) fn render(checked: &[Checked], fails: impl Fn(&Row) -> bool) -> String {
    let mut suites = Suites::new("holdup");
    suites.add_test_suites(checked.iter().map(|checked| suite(checked, &fails)));
    let mut xml = suites.to_string().unwrap_or_default();
    if !xml.ends_with('\n') {
        xml.push('\n');
    }
    xml
}

fn suite(checked: &Checked, fails: &impl Fn(&Row) -> bool) -> TestSuite {
    let mut suite = TestSuite::new(checked.target.as_str());
    match &checked.seen {
        Seen::Nothing(why) => {
            suite.add_test_case(broken(&checked.target, why));
        }
        Seen::Report(report) => {
            suite.set_time(Duration::try_from_secs_f64(report.window.seconds).unwrap_or_default());
            if let Some(reason) = &report.window.reason {
                suite.add_test_case(broken(&checked.target, reason));
            }
            suite.add_test_cases(checked.lints.iter().map(|lint| case(&checked.target, lint, report, fails)));
        }
    }
    suite
}

/// The target itself, where it was not watched to the end.
fn broken(target: &str, why: &str) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(why).set_type("not-watched");
    let mut case = TestCase::new("watched", status);
    case.set_classname(target);
    case
}

fn case(target: &str, lint: &str, report: &Report, fails: &impl Fn(&Row) -> bool) -> TestCase {
    let found: Vec<&Row> = report.findings.iter().filter(|row| row.lint == lint).collect();
    let unasked = report.not_looked_for.iter().find(|unasked| unasked.lint == lint);
    let mut text = String::new();
    for row in &found {
        text::finding(&mut text, row);
    }
    let status = match (found.iter().find(|row| fails(row)), unasked) {
        (Some(worst), _) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let more = if found.len() > 1 { format!(", and {} more", found.len() - 1) } else { String::new() };
            let message = format!("{}: {}{more}", text::subject(&worst.subject), worst.message);
            status.set_message(message).set_type(worst.severity).set_description(text.as_str());
            text.clear();
            status
        }
        (None, Some(unasked)) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(unasked.because);
            status
        }
        (None, None) => TestCaseStatus::success(),
    };
    let mut case = TestCase::new(lint, status);
    case.set_classname(target);
    // What does not let it fail is said all the same.
    if !text.is_empty() {
        case.set_system_out(text);
    }
    case
}
