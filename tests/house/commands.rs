//! What the pages say to type: each command line of holdup is one that it takes.

use super::pages::{blocks, pages, spans};
use clap::{Parser as _, error::ErrorKind};
use holdup::cli::Args;

/// What a shell would run of a page: the lines after a prompt, and those of files that are no transcripts, such as a workflow's.
fn lines(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (language, code) in blocks(page) {
        let joined = code.replace("\\\n", " ");
        for line in joined.lines().map(str::trim) {
            let line = match language.as_str() {
                "console" => line.strip_prefix("$ "),
                "rust" | "text" => None,
                _ => Some(line.trim_start_matches("- ").trim_start_matches("run: ")),
            };
            found.extend(line.map(str::to_owned));
        }
    }
    found
}

/// The simple commands of a line, each in words, without what is redirected. What a shell would put in the place of a variable is
/// `4242`, and of a command `localhost`.
fn commands(line: &str) -> Vec<Vec<String>> {
    let (mut commands, mut words, mut word) = (Vec::new(), Vec::<String>::new(), None::<String>);
    let (mut letters, mut quote) = (line.chars().peekable(), None);
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            (_, Some(open)) if letter == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            ('$', quote) if quote != Some('\'') => {
                let put = if letters.next_if_eq(&'(').is_some() {
                    letters.by_ref().find(|&letter| letter == ')');
                    "localhost"
                } else {
                    if letters.next_if(|letter| "!$?".contains(*letter)).is_none() {
                        while letters
                            .next_if(|letter| letter.is_ascii_alphanumeric() || "_{}".contains(*letter))
                            .is_some()
                        {}
                    }
                    "4242"
                };
                word.get_or_insert_default().push_str(put);
            }
            ('#', None) if word.is_none() => break,
            (';' | '|' | '&' | '(' | ')', None) => {
                words.extend(word.take());
                commands.push(std::mem::take(&mut words));
            }
            ('<' | '>', None) => {
                // The descriptor before it, and the file after it.
                word = word.filter(|word| !word.chars().all(|letter| letter.is_ascii_digit()));
                words.extend(word.take());
                while letters.next_if(|letter| letter.is_whitespace() || *letter == '>').is_some() {}
                while letters.next_if(|letter| !letter.is_whitespace()).is_some() {}
            }
            (_, None) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    commands.push(words);
    commands
}

/// The arguments that a command hands to holdup, if it runs it: itself, by cargo, in a container, or as another user.
fn arguments(words: &[String]) -> Option<Vec<String>> {
    let is_set = |word: &&String| {
        word.split_once('=').is_some_and(|(name, _)| name.chars().all(|l| l.is_ascii_uppercase() || l == '_'))
    };
    let words = &words[words.iter().take_while(is_set).count()..];
    let is_holdup = |word: &String| word == "holdup" || word.ends_with("/release/holdup");
    let first = words.first()?.as_str();
    let after = match first {
        _ if is_holdup(&words[0]) => 0,
        "cargo" if words.get(1)? == "run" && !words.iter().any(|word| word == "-p" || word == "--bin") => {
            words.iter().position(|word| word == "--")?
        }
        "docker" if !["run", "exec", "compose"].contains(&words.get(1)?.as_str()) => return None,
        "kubectl" if !["run", "exec", "debug"].contains(&words.get(1)?.as_str()) => return None,
        "docker" | "kubectl" | "sudo" | "timeout" => words.iter().rposition(is_holdup)?,
        _ => return None,
    };
    Some(words[after + 1..].to_vec())
}

/// Why holdup does not take these arguments.
fn refused(arguments: &[String]) -> Option<String> {
    let typed = arguments.join(" ");
    match Args::try_parse_from(std::iter::once("holdup").chain(arguments.iter().map(String::as_str))) {
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => None,
        Err(error) => Some(format!("holdup {typed}: {error}")),
        // A word that is no subcommand is taken for a host.
        Ok(args) if args.command.is_none() => {
            let is_word = |word: &String| word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
            let is_host = |word: &str| word.starts_with('-') || word == "localhost";
            let word = arguments.first().filter(|word| is_word(word) && !is_host(word))?;
            Some(format!("holdup {typed}: {word} is no subcommand"))
        }
        Ok(_) => None,
    }
}

/// What a page says to type that cannot be typed, and how much it says.
fn wrong_lines(page: &str) -> (Vec<String>, usize) {
    let typed: Vec<_> =
        lines(page).iter().flat_map(|line| commands(line)).filter_map(|words| arguments(&words)).collect();
    (typed.iter().filter_map(|typed| refused(typed)).collect(), typed.len())
}

/// What begins like a command and is none.
const NO_COMMANDS: [&str; 2] = ["holdup [TARGET]", "holdup past 1"];

/// What a page names in its sentences that holdup does not have. A command that is named there need not be whole.
fn wrong_spans(page: &str) -> (Vec<String>, usize) {
    let typed: Vec<_> = spans(page)
        .into_iter()
        .filter(|span| span.starts_with("holdup ") && !NO_COMMANDS.contains(&span.as_str()))
        .flat_map(|span| commands(&span.replace("LINT", "deadlock").replace('…', "")))
        .filter_map(|words| arguments(&words))
        .collect();
    let is_whole = |typed: &&Vec<String>| {
        let parsed = Args::try_parse_from(std::iter::once("holdup").chain(typed.iter().map(String::as_str)));
        !parsed.is_err_and(|error| error.kind() == ErrorKind::MissingRequiredArgument)
    };
    (typed.iter().filter(is_whole).filter_map(|typed| refused(typed)).collect(), typed.len())
}

#[test]
fn every_command_that_a_page_shows_can_be_typed() {
    let (mut lines, mut spans) = (0, 0);
    let mut wrong = Vec::new();
    for page in pages() {
        let (of_lines, count) = wrong_lines(&page.text);
        lines += count;
        let (of_spans, count) = wrong_spans(&page.text);
        spans += count;
        wrong.extend(of_lines.into_iter().chain(of_spans).map(|why| format!("{}: {why}", page.path)));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(lines > 80 && spans > 60, "the pages were not read: {lines} lines, {spans} in sentences");
}

#[test]
fn a_command_that_cannot_be_typed_is_caught() {
    let console = |line: &str| format!("```console\n$ {line}\n```\n");
    for line in [
        "holdup --gone",
        "holdup chek host:6669",
        "holdup chek",
        "X=1 holdup check --fro 10s",
        "a && holdup explain gone   # a comment",
        "sudo -u orders holdup ps --gone",
        "kubectl exec deploy/orders -c holdup -- holdup tree",
        "cargo run --release -- demo --scenario gone",
        "holdup check \\\n    --gone",
    ] {
        assert_eq!(wrong_lines(&console(line)).0.len(), 1, "not caught: {line}");
    }
    assert_eq!(wrong_lines("```yaml\n  - run: holdup check --gone\n```\n").0.len(), 1);
    assert_eq!(wrong_spans("Type `holdup check --gone`, or `holdup tree --gone`.").0.len(), 2);
    for line in [
        "holdup \"$(cat /run/orders/1.addr)\"",
        "holdup tree 4242 > chains.txt 2> /dev/null",
        "target/release/holdup check pid:$! --for 1h",
        "docker build -t holdup .",
        "kubectl cp -c holdup orders:/a b",
        "cargo run -p holdup-demo -- --list",
        "curl -s http://127.0.0.1:9669/metrics | grep holdup",
        "holdup run -- target/debug/orders --gone",
    ] {
        assert_eq!(wrong_lines(&console(line)).0, [""; 0], "in {line}");
    }
    assert_eq!(wrong_spans("`holdup grab` and `holdup explain LINT`").0, [""; 0]);
}
