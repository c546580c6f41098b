//! The one table of keys: what each does, and where. Dispatch, the footer and the help screen all read it.

use super::key::Key;
use crate::app::screens::Screen;

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Ends the program.
    Quit,
    /// Gives the terminal back to the shell.
    Suspend,
    /// Closes what lies on top.
    Back,
    /// Opens the list of keys.
    Help,
    /// To a screen.
    Go(Screen),
    /// To the screen with this number, from 1.
    GoNumber(u8),
    /// To the next screen.
    NextScreen,
    /// To the previous screen.
    PreviousScreen,
    /// One row or line up.
    Up,
    /// One row or line down.
    Down,
    /// As many as are visible up.
    PageUp,
    /// As many as are visible down.
    PageDown,
    /// To the first row.
    First,
    /// To the last row.
    Last,
    /// Opens what is selected.
    Open,
    /// Sorts by the column to the left.
    ColumnLeft,
    /// Sorts by the column to the right.
    ColumnRight,
    /// Turns the order around.
    Invert,
    /// Offers the columns to sort by.
    Sort,
    /// One row for each spawn location, or for each task.
    Group,
    /// Shows stacks whole, or folded again.
    Unfold,
    /// Begins to type a filter.
    Filter,
    /// Takes the filter away.
    ClearFilter,
    /// Opens the lock that the selection is about.
    OpenLock,
    /// Opens the worker that the selection is about.
    OpenWorker,
    /// Explains the selected finding's lint.
    Explain,
    /// Copies the selection as text.
    Copy,
    /// Lets the display stand still, or go on.
    Freeze,
    /// Asks to pause the target, or to let it go on, for everyone who watches it.
    PauseTarget,
    /// Has the stacks of running threads: read from memory, each of which is stopped for that, or else captured by the agent.
    StopForStacks,
    /// Reads what the frames of a task hold, or reads it no more.
    Values,
    /// Reads the process's memory beside what it tells, or reads it no more.
    ToggleMemory,
    /// To the instant before.
    StepBack,
    /// To the instant after.
    StepOn,
    /// To where a finding began or ended before.
    PreviousMark,
    /// To where the next finding began or ended.
    NextMark,
    /// Back to the present; to the end of a recording.
    Present,
    /// Plays a recording, or holds it.
    Play,
    /// Plays it slower.
    Slower,
    /// Plays it faster.
    Faster,
    /// Writes the past to a file.
    Save,
    /// Back to all targets.
    AllTargets,
    /// Ends the trouble of the demo that the tour has come to.
    Mend,
    /// To the tour's next stop.
    NextStop,
    /// Tries to connect now.
    Retry,
    /// Yes.
    Confirm,
    /// Keeps what was typed.
    Accept,
    /// Deletes to the left.
    DeleteLeft,
    /// Deletes to the right.
    DeleteRight,
    /// Deletes the word to the left.
    DeleteWord,
    /// Deletes everything to the left.
    DeleteAll,
    /// The cursor of the input one to the left.
    CursorLeft,
    /// The cursor of the input one to the right.
    CursorRight,
    /// The cursor of the input to the start.
    CursorStart,
    /// The cursor of the input to the end.
    CursorEnd,
}

impl Action {
    /// Whether it is nothing without a target that is there.
    pub(crate) fn asks_the_target(self) -> bool {
        matches!(
            self,
            Self::PauseTarget
                | Self::StopForStacks
                | Self::Values
                | Self::ToggleMemory
                | Self::Retry
                | Self::Save
                | Self::Freeze
        )
    }
}

/// Where a binding holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// Everywhere but in an input or a question.
    Anywhere,
    /// In every state, whatever lies on top.
    Always,
    /// In any list.
    List,
    /// Where columns can be sorted.
    Table,
    /// On the findings.
    Findings,
    /// On the tasks.
    Tasks,
    /// On the spawn locations.
    Groups,
    /// On a task's page.
    TaskPage,
    /// On a worker's page.
    WorkerPage,
    /// On any page.
    Page,
    /// Where text is read.
    Text,
    /// Where a filter is typed.
    Input,
    /// Where something is asked.
    Question,
    /// Where something can be chosen.
    Menu,
    /// While the connection is lost.
    Lost,
    /// While the past of a live session is shown.
    Past,
    /// In a recording.
    Recording,
    /// Where all targets are shown.
    Fleet,
    /// On the findings of all targets.
    FindingsOfAll,
    /// On one target of many.
    Member,
    /// On the demo's tour.
    Tour,
}

impl Context {
    /// What the help screen calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Anywhere | Self::Always => "Everywhere",
            Self::List => "In lists",
            Self::Table => "Sorting",
            Self::Findings => "Findings",
            Self::Tasks => "Tasks",
            Self::Groups => "Spawn locations",
            Self::TaskPage => "A task's page",
            Self::WorkerPage => "A worker's page",
            Self::Page => "On a page",
            Self::Text => "In a text",
            Self::Input => "While typing a filter",
            Self::Question => "When asked",
            Self::Menu => "In a menu",
            Self::Lost => "While the connection is lost",
            Self::Past => "In the past",
            Self::Recording => "In a recording",
            Self::Fleet => "All targets",
            Self::FindingsOfAll => "Findings of all targets",
            Self::Member => "One target of many",
            Self::Tour => "On the demo's tour",
        }
    }
}

/// What some keys do, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Binding {
    /// The keys, the one to name first.
    pub keys: &'static [Key],
    /// What they do.
    pub action: Action,
    /// Where.
    pub place: Context,
    /// What the help screen says.
    pub help: &'static str,
    /// What the footer says; nothing where it stays out of it.
    pub footer: &'static str,
}

const fn bind(
    place: Context,
    keys: &'static [Key],
    action: Action,
    help: &'static str,
    footer: &'static str,
) -> Binding {
    Binding { keys, action, place, help, footer }
}

use Key::{
    BackTab, Backspace, Char, Ctrl, Delete, Down, End, Enter, Esc, Home, Left, PageDown, PageUp, Right, Tab, Twice, Up,
};

/// Every binding. The footer names them in this order.
pub const BINDINGS: &[Binding] = &[
    bind(Context::Tour, &[Char('m')], Action::Mend, "mend it: the demo server is told to end this trouble", "mend it"),
    bind(Context::Tour, &[Char('n')], Action::NextStop, "to the next stop", "next stop"),
    bind(Context::Recording, &[Char(' ')], Action::Play, "play the recording, or hold it", "play"),
    bind(Context::Recording, &[Char('['), Char(',')], Action::StepBack, "one update back", "back"),
    bind(Context::Recording, &[Char(']'), Char('.')], Action::StepOn, "one update on", ""),
    bind(Context::Recording, &[Char('{')], Action::PreviousMark, "to where a finding began or ended before", "finding"),
    bind(Context::Recording, &[Char('}')], Action::NextMark, "to where the next finding began or ended", ""),
    bind(Context::Recording, &[Char('-')], Action::Slower, "slower", ""),
    bind(Context::Recording, &[Char('+'), Char('=')], Action::Faster, "faster", "faster"),
    bind(Context::Recording, &[End], Action::Present, "to the end of the recording (G: to the last row)", ""),
    bind(Context::Past, &[End], Action::Present, "back to the present (G: to the last row)", "present"),
    bind(Context::Past, &[Char('['), Char(',')], Action::StepBack, "one update back", "back"),
    bind(Context::Past, &[Char(']'), Char('.')], Action::StepOn, "one update on", ""),
    bind(Context::Past, &[Char('{')], Action::PreviousMark, "to where a finding began or ended before", "finding"),
    bind(Context::Past, &[Char('}')], Action::NextMark, "to where the next finding began or ended", ""),
    bind(Context::Past, &[Char('w')], Action::Save, "write the past that is kept to a file", "save"),
    bind(Context::List, &[Up, Char('k')], Action::Up, "up", "select"),
    bind(Context::List, &[Down, Char('j')], Action::Down, "down", ""),
    bind(Context::List, &[PageUp, Ctrl('b'), Ctrl('u')], Action::PageUp, "a page up", ""),
    bind(Context::List, &[PageDown, Ctrl('f')], Action::PageDown, "a page down", ""),
    bind(Context::List, &[Home, Twice('g')], Action::First, "to the first", ""),
    bind(Context::List, &[End, Char('G')], Action::Last, "to the last", ""),
    bind(Context::List, &[Enter], Action::Open, "open", "open"),
    bind(
        Context::Findings,
        &[Enter],
        Action::Open,
        "a finding's story step by step; at a step, what it is about",
        "open",
    ),
    bind(Context::Findings, &[Char('l')], Action::OpenLock, "open the lock that it is about", "lock"),
    bind(Context::Findings, &[Char('o')], Action::OpenWorker, "open the worker that it is about", "worker"),
    bind(
        Context::Findings,
        &[Char('e')],
        Action::Explain,
        "explain the lint: what it means, how to confirm and fix it",
        "explain",
    ),
    bind(Context::Findings, &[Char('y')], Action::Copy, "copy the finding as text", "copy"),
    bind(Context::Tasks, &[Char('/')], Action::Filter, "filter as you type (kind:worker: tokio's own tasks)", "filter"),
    bind(
        Context::Tasks,
        &[Char('z'), Char('o')],
        Action::Group,
        "one row for each spawn location, chain, or thing that is waited for",
        "group",
    ),
    bind(Context::Tasks, &[Char('y')], Action::Copy, "copy the task as text", "copy"),
    bind(
        Context::Groups,
        &[Char('/')],
        Action::Filter,
        "filter as you type (kind:worker: tokio's own tasks)",
        "filter",
    ),
    bind(
        Context::Groups,
        &[Char('z'), Char('o')],
        Action::Group,
        "one row for each chain, thing that is waited for, or task",
        "regroup",
    ),
    bind(Context::TaskPage, &[Char('l')], Action::OpenLock, "open the lock that it holds or waits for", "lock"),
    bind(
        Context::TaskPage,
        &[Char('o')],
        Action::OpenWorker,
        "open the worker that polls it, or that it stalled",
        "worker",
    ),
    bind(Context::TaskPage, &[Char('e')], Action::Explain, "explain its worst finding", "explain"),
    bind(
        Context::TaskPage,
        &[Char('v')],
        Action::Values,
        "read what its frames hold, or no more: variables by name, which may be secret",
        "values",
    ),
    bind(Context::TaskPage, &[Char('y')], Action::Copy, "copy the task as text", "copy"),
    bind(Context::WorkerPage, &[Enter], Action::Unfold, "the stack whole, or tokio, tracing and std folded", "unfold"),
    bind(
        Context::WorkerPage,
        &[Char('S')],
        Action::StopForStacks,
        "what it runs now: from memory, where that is read, by a stop of less than a millisecond; or else by the agent",
        "stack",
    ),
    bind(Context::WorkerPage, &[Char('t')], Action::Open, "open the task that it polls", "task"),
    bind(
        Context::FindingsOfAll,
        &[Char('e')],
        Action::Explain,
        "explain the lint: what it means, how to confirm and fix it",
        "explain",
    ),
    bind(Context::Fleet, &[Char('/')], Action::Filter, "filter as you type, by any word that a row has", "filter"),
    bind(Context::Fleet, &[Char('R')], Action::Retry, "try to connect to those that are lost, now", "retry"),
    bind(Context::Fleet, &[Char('1')], Action::GoNumber(1), "all targets, the worst first", ""),
    bind(Context::Fleet, &[Char('2'), Char('f')], Action::GoNumber(2), "the findings of all targets", ""),
    bind(Context::Fleet, &[Tab, BackTab], Action::NextScreen, "from the one to the other", ""),
    bind(Context::Fleet, &[Esc], Action::Back, "takes the filter away", ""),
    bind(Context::Fleet, &[Char('?')], Action::Help, "every key", ""),
    bind(Context::Fleet, &[Char('q')], Action::Quit, "quit", "quit"),
    bind(Context::Member, &[Char('0')], Action::AllTargets, "back to all targets", "all targets"),
    bind(Context::Table, &[Left, Char('h')], Action::ColumnLeft, "sort by the column to the left", ""),
    bind(Context::Table, &[Right, Char('l')], Action::ColumnRight, "sort by the column to the right", ""),
    bind(Context::Table, &[Char('i'), Char('S')], Action::Invert, "turn the order around", ""),
    bind(Context::Table, &[Char('s')], Action::Sort, "choose the column to sort by", "sort"),
    bind(Context::Page, &[Esc], Action::Back, "back to where it was opened", "back"),
    bind(Context::Text, &[Up, Char('k')], Action::Up, "up", "scroll"),
    bind(Context::Text, &[Down, Char('j')], Action::Down, "down", ""),
    bind(Context::Text, &[PageUp, Ctrl('b'), Ctrl('u')], Action::PageUp, "a page up", ""),
    bind(Context::Text, &[PageDown, Ctrl('f')], Action::PageDown, "a page down", ""),
    bind(Context::Text, &[Home, Twice('g')], Action::First, "to the start", ""),
    bind(Context::Text, &[End, Char('G')], Action::Last, "to the end", ""),
    bind(Context::Text, &[Esc, Enter], Action::Back, "close", "close"),
    bind(Context::Menu, &[Up, Char('k')], Action::Up, "up", ""),
    bind(Context::Menu, &[Down, Char('j')], Action::Down, "down", ""),
    bind(Context::Menu, &[Home, Twice('g')], Action::First, "to the first", ""),
    bind(Context::Menu, &[End, Char('G')], Action::Last, "to the last", ""),
    bind(Context::Menu, &[Enter], Action::Open, "choose", "choose"),
    bind(Context::Menu, &[Char('i'), Char('S')], Action::Invert, "turn the order around", "invert"),
    bind(Context::Menu, &[Esc], Action::Back, "close", "close"),
    bind(Context::Input, &[Enter], Action::Accept, "keep the filter", "keep"),
    bind(Context::Input, &[Esc], Action::ClearFilter, "no filter", "clear"),
    bind(Context::Input, &[Up], Action::Up, "up in the list", ""),
    bind(Context::Input, &[Down], Action::Down, "down in the list", ""),
    bind(Context::Input, &[Backspace, Ctrl('h')], Action::DeleteLeft, "delete to the left", ""),
    bind(Context::Input, &[Delete], Action::DeleteRight, "delete to the right", ""),
    bind(Context::Input, &[Ctrl('w')], Action::DeleteWord, "delete a word", ""),
    bind(Context::Input, &[Ctrl('u')], Action::DeleteAll, "delete everything", ""),
    bind(Context::Input, &[Left], Action::CursorLeft, "to the left", ""),
    bind(Context::Input, &[Right], Action::CursorRight, "to the right", ""),
    bind(Context::Input, &[Home, Ctrl('a')], Action::CursorStart, "to the start", ""),
    bind(Context::Input, &[End, Ctrl('e')], Action::CursorEnd, "to the end", ""),
    bind(Context::Question, &[Char('y'), Enter], Action::Confirm, "yes", "yes"),
    bind(Context::Question, &[Char('n'), Esc], Action::Back, "no", "no"),
    bind(Context::Lost, &[Char('R')], Action::Retry, "try to connect now", "retry now"),
    bind(Context::Anywhere, &[Esc], Action::Back, "back; takes the filter away, and folds findings", ""),
    bind(
        Context::Anywhere,
        &[Char(' ')],
        Action::Freeze,
        "let the display stand still, or go on: nothing is lost",
        "freeze",
    ),
    bind(Context::Anywhere, &[Char('['), Char(',')], Action::StepBack, "into the past, one update back", ""),
    bind(
        Context::Anywhere,
        &[Char('{')],
        Action::PreviousMark,
        "into the past, to where a finding began or ended last",
        "",
    ),
    bind(Context::Anywhere, &[Char('w')], Action::Save, "write the past that is kept to a file", ""),
    bind(
        Context::Anywhere,
        &[Char('P')],
        Action::PauseTarget,
        "pause the target for everyone who watches it, or let it go on",
        "",
    ),
    bind(
        Context::Anywhere,
        &[Char('M')],
        Action::ToggleMemory,
        "read the memory of the process beside what it tells, or read it no more",
        "",
    ),
    bind(Context::Anywhere, &[Char('u')], Action::Unfold, "stacks whole, or tokio, tracing and std folded", ""),
    bind(Context::Anywhere, &[Char('f')], Action::Go(Screen::Findings), "to the findings", ""),
    bind(Context::Anywhere, &[Char('t')], Action::Go(Screen::Tasks), "to the tasks", ""),
    bind(Context::Anywhere, &[Char('W')], Action::Go(Screen::Workers), "to the workers", ""),
    bind(Context::Anywhere, &[Char('L')], Action::Go(Screen::Locks), "to the locks", ""),
    bind(Context::Anywhere, &[Char('r')], Action::Go(Screen::Resources), "to the resources", ""),
    bind(Context::Anywhere, &[Tab], Action::NextScreen, "to the next screen", ""),
    bind(Context::Anywhere, &[BackTab], Action::PreviousScreen, "to the previous screen", ""),
    bind(Context::Anywhere, &[Char('1')], Action::GoNumber(1), "to the first screen, and so on for the others", ""),
    bind(Context::Anywhere, &[Char('2')], Action::GoNumber(2), "", ""),
    bind(Context::Anywhere, &[Char('3')], Action::GoNumber(3), "", ""),
    bind(Context::Anywhere, &[Char('4')], Action::GoNumber(4), "", ""),
    bind(Context::Anywhere, &[Char('5')], Action::GoNumber(5), "", ""),
    bind(Context::Anywhere, &[Char('6')], Action::GoNumber(6), "", ""),
    bind(Context::Anywhere, &[Char('?')], Action::Help, "every key", ""),
    bind(Context::Anywhere, &[Char('q')], Action::Quit, "quit", "quit"),
    bind(Context::Always, &[Ctrl('c'), Ctrl('d')], Action::Quit, "quit, whatever lies on top", ""),
    bind(Context::Always, &[Ctrl('z')], Action::Suspend, "back to the shell until `fg`", ""),
];

/// What a key does where the user is: the innermost place that knows it decides.
pub(crate) fn action(contexts: &[Context], key: Key) -> Option<Action> {
    contexts.iter().find_map(|&place| {
        let here = BINDINGS.iter().filter(|binding| binding.place == place);
        here.into_iter().find(|binding| binding.keys.contains(&key)).map(|binding| binding.action)
    })
}

/// What the footer offers where the user is. What a more inward place has taken a key for is not offered.
pub fn offers(contexts: &[Context]) -> impl Iterator<Item = &'static Binding> {
    let here = BINDINGS.iter().filter(|binding| !binding.footer.is_empty() && contexts.contains(&binding.place));
    here.filter(|binding| action(contexts, binding.keys[0]) == Some(binding.action)).filter(|binding| {
        // A page is a text too, and is left by the same key.
        let same = |other: &&Binding| contexts.contains(&other.place) && other.keys[0] == binding.keys[0];
        BINDINGS.iter().find(same).is_some_and(|first| first == *binding)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustc_hash::FxHashSet;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        let mut seen = FxHashSet::default();
        for binding in BINDINGS {
            assert!(!binding.keys.is_empty());
            for key in binding.keys {
                assert!(seen.insert((binding.place, *key)), "{key:?} twice in {:?}", binding.place);
            }
        }
    }

    #[test]
    fn every_screen_has_a_number() {
        for number in 1..=crate::app::screens::SCREENS.len() as u8 {
            assert!(BINDINGS.iter().any(|binding| binding.action == Action::GoNumber(number)));
        }
    }

    #[test]
    fn the_innermost_place_decides() {
        let findings = [Context::Findings, Context::List, Context::Anywhere];
        assert_eq!(action(&findings, Key::Char('l')), Some(Action::OpenLock));
        let tasks = [Context::Tasks, Context::Table, Context::List, Context::Anywhere];
        assert_eq!(action(&tasks, Key::Char('l')), Some(Action::ColumnRight));
        assert_eq!(action(&tasks, Key::Char('x')), None);
    }
}
