//! From a key to the screen. Rows and heads of a frame are written together, after what they show was sorted or filtered, so that
//! the first sign of the answer on the screen is a sign of all of it.

use crate::{
    client::Client,
    screen::{Error, Terminal},
};
use std::{
    fmt,
    time::{Duration, Instant},
};

/// Who does not answer within this does not answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Between an answer and the next key. Not a part of a second, so that keys meet updates in all of their stages.
const PAUSE: Duration = Duration::from_millis(83);

/// No kind of key is pressed for longer.
const LONGEST: Duration = Duration::from_secs(90);

/// What is typed as a filter, one letter after the other.
const FILTERS: [&str; 4] = ["worker-7", "state:idle", "loc:src/c", "busy>20%"];

/// How long answers took, and how many never came.
#[derive(Debug, Default)]
pub(crate) struct Times {
    times: Vec<Duration>,
    missed: usize,
}

impl Times {
    fn sorted(&self) -> Vec<Duration> {
        let mut times = self.times.clone();
        times.sort();
        times
    }
}

impl fmt::Display for Times {
    /// The median, the 99th percentile and the longest, in milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = self.sorted();
        let at = |share: f64| times.get(((times.len() as f64 - 1.0) * share).ceil().max(0.0) as usize);
        let ms = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
        let text = match (times.is_empty(), self.missed) {
            (true, 0) => "-".to_owned(),
            (true, _) => "none".to_owned(),
            (false, missed) => {
                let missed = if missed > 0 { format!(" !{missed}") } else { String::new() };
                format!("{:.1}/{:.1}/{:.1}{missed}", ms(at(0.5)), ms(at(0.99)), ms(times.last()))
            }
        };
        f.pad(&text)
    }
}

/// What keys of three kinds took.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// The selection moved.
    pub moves: Times,
    /// The list was sorted by another column, each in its turn.
    pub sorts: Times,
    /// A filter was typed.
    pub filters: Times,
}

/// Presses so many keys of each kind.
pub(crate) fn measure(terminal: &mut Terminal, client: &Client, presses: usize) -> Result<Keys, Error> {
    let mut keys = Keys::default();
    for key in client.to_a_steady_order.chars() {
        terminal.press(&key.to_string())?;
        std::thread::sleep(PAUSE * 4);
    }
    let moves = ["j"; 20].into_iter().chain(["k"; 20]).cycle().take(presses);
    let task = |screen: &str| client.selected_task(screen);
    press(terminal, moves, &mut keys.moves, task)?;
    for key in client.and_back.chars() {
        terminal.press(&key.to_string())?;
        std::thread::sleep(PAUSE * 4);
    }
    let columns = client.through_the_columns.split("").filter(|key| !key.is_empty()).cycle().take(presses);
    press(terminal, columns, &mut keys.sorts, Client::sort_mark)?;
    if client.filters() {
        type_filters(terminal, client, presses, &mut keys.filters)?;
    }
    Ok(keys)
}

/// Presses keys and waits each time until the sign is another one.
pub(crate) fn press<'a>(
    terminal: &mut Terminal,
    keys: impl Iterator<Item = &'a str>,
    times: &mut Times,
    sign: impl Fn(&str) -> Option<usize>,
) -> Result<(), Error> {
    let begun = Instant::now();
    for key in keys {
        let before = terminal.with_screen(|screen| sign(&screen.contents()));
        terminal.press(key)?;
        let changed = |screen: &vt100::Screen| sign(&screen.contents()).is_some_and(|sign| Some(sign) != before);
        if !take_time(terminal, times, changed) || begun.elapsed() > LONGEST {
            break;
        }
    }
    Ok(())
}

fn type_filters(terminal: &mut Terminal, client: &Client, presses: usize, times: &mut Times) -> Result<(), Error> {
    let begun = Instant::now();
    for filter in FILTERS.iter().cycle() {
        terminal.press("/")?;
        std::thread::sleep(PAUSE);
        for end in 1..=filter.len() {
            let typed = &filter[..end];
            terminal.press(&filter[end - 1..end])?;
            let shown = |screen: &vt100::Screen| client.shows_filter(&screen.contents(), typed);
            if !take_time(terminal, times, shown) || times.times.len() >= presses || begun.elapsed() > LONGEST {
                return terminal.press("\u{1b}");
            }
        }
        terminal.press("\u{1b}")?;
        let gone = |screen: &vt100::Screen| !client.shows_filter(&screen.contents(), filter);
        terminal.wait_for(PATIENCE, gone).ok_or("a filter does not go away")?;
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// Waits for an answer and notes how long it took. Whoever does not answer once is not asked again.
fn take_time(terminal: &Terminal, times: &mut Times, is_answer: impl Fn(&vt100::Screen) -> bool) -> bool {
    let Some(time) = terminal.wait_for(PATIENCE, is_answer) else {
        times.missed += 1;
        return false;
    };
    times.times.push(time);
    std::thread::sleep(PAUSE);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_all_answers_and_missing_ones_are_counted() {
        let times = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(Times { times, missed: 0 }.to_string(), "51.0/100.0/100.0");
        let times = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(Times { times, missed: 1 }.to_string(), "101.0/199.0/200.0 !1");
        assert_eq!(Times { times: Vec::new(), missed: 1 }.to_string(), "none");
        assert_eq!(Times::default().to_string(), "-");
    }
}
