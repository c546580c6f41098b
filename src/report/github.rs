//! A report for GitHub Actions: workflow commands, which become annotations on the lines that they name.
//!
//! The form is in GitHub's "Workflow commands for GitHub Actions"; what escapes what follows its own toolkit.

use super::{data::Report, location::Location, rows::Row, text};
use crate::number::plural;
use std::fmt::Write;

/// One command for each finding, the worst first, and a last line that sums up.
pub(crate) fn render(report: &Report) -> String {
    let mut out = String::new();
    for row in &report.findings {
        annotation(&mut out, row);
    }
    let worst = report.findings.iter().filter(|row| row.severity != "note").count();
    let mut said = format!(
        "watched {} for {:.1} s: {}, {worst} of them above a note",
        report.target,
        report.window.seconds,
        plural(report.findings.len() as u64, "finding"),
    );
    for line in report.not_looked_for_in_words() {
        said.push('\n');
        said.push_str(&line);
    }
    let _ = writeln!(out, "::notice title=holdup::{}", data(&said));
    out
}

fn annotation(out: &mut String, row: &Row) {
    let command = match row.severity {
        "critical" => "error",
        "warning" => "warning",
        _ => "notice",
    };
    out.push_str("::");
    out.push_str(command);
    out.push(' ');
    if let Some(Location { file, line }) = row.subject.location() {
        let _ = write!(out, "file={},", property(&text::plain(file)));
        if let Some(line) = line {
            let _ = write!(out, "line={line},");
        }
    }
    let subject = text::subject(&row.subject);
    let message = format!("{}: {}\n{}", text::plain(&subject), text::plain(&row.message), row.advice);
    let _ = writeln!(out, "title={}::{}", property(&format!("holdup {}", row.lint)), data(&message));
}

/// A target that was not watched.
pub(super) fn not_watched(target: &str, why: &str) -> String {
    format!("::error title=holdup::{}\n", data(&format!("{target} was not watched: {why}")))
}

/// What follows the last `::`. A command ends with its line, so that nothing in it may start another.
fn data(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '%' => escaped.push_str("%25"),
            '\r' => escaped.push_str("%0D"),
            '\n' => escaped.push_str("%0A"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// What follows a `key=`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_can_end_its_command_or_start_another() {
        assert_eq!(data("100%\r\n::error::x"), "100%25%0D%0A::error::x");
        assert_eq!(property("C:\\a,b.rs"), "C%3A\\a%2Cb.rs");
    }
}
