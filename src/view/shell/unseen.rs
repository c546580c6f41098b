//! What is not looked for, and what a screen cannot show, since the source does not know it: each with the reason.

use crate::{
    app::screens::{SCREENS, Screen},
    diagnose::by_reason,
    session::Session,
    update::Knows,
    view::style::text::columns,
};

/// What no lint looks for, a line for each reason. In lines of this width, as many names as there is room for; `None` for all.
pub(crate) fn not_looked_for(session: &Session, width: Option<usize>) -> Vec<String> {
    let unasked = session.not_looked_for();
    let reasons = by_reason(unasked.iter().map(|unasked| (unasked.lint.name, unasked.because)));
    reasons.into_iter().map(|(because, lints)| line(&lints, because, width)).collect()
}

fn line(lints: &[&str], because: &str, width: Option<usize>) -> String {
    let said = |named: usize| {
        let more = lints.len() - named;
        let names = lints[..named].join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("not looked for: {names}{more} ({because})")
    };
    // A reason that is long is cut rather than every name.
    let fits = |named: &usize| width.is_none_or(|width| columns(&said(*named)) <= width);
    said((1..=lints.len()).rev().find(fits).unwrap_or(lints.len().min(1)))
}

/// Why a screen knows nothing, as a sentence; `None` where the source tells what it shows.
pub(crate) fn why_not(knows: &Knows, screen: Screen) -> Option<String> {
    let spec = SCREENS.iter().find(|spec| spec.screen == screen)?;
    knows.why_not_all(spec.needs).map(|because| format!("Not known from here: {because}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_named_as_there_is_room_for() {
        let lints = ["stalled-worker", "blocking-pool-full", "panicked"];
        let told = |width| line(&lints, "only the agent tells", width);
        assert_eq!(told(None), "not looked for: stalled-worker, blocking-pool-full, panicked (only the agent tells)");
        assert_eq!(told(Some(200)), told(None));
        assert_eq!(told(Some(70)), "not looked for: stalled-worker and 2 more (only the agent tells)");
        assert_eq!(told(Some(10)), told(Some(70)));
    }
}
