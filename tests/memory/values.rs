//! What frames hold, by name: each kind of value as it is, and never what does not live there any more.

use crate::running::{Victim, Way};
use holdup_memory::{Reader, Values, Wants, Who};

const WAY: Way = Way::profile("release");

fn all(reader: &mut Reader) -> Vec<(String, Values)> {
    let look = reader.look(&Wants::default()).unwrap();
    let named = look.changed.iter().map(|task| (task.future.to_string(), task.number));
    named.map(|(future, number)| (future, reader.values(number).unwrap())).collect()
}

/// The variables of every frame of this function.
fn of(told: &[(String, Values)], function: &str) -> Vec<(String, String)> {
    let frames = told.iter().flat_map(|(_, values)| &values.frames);
    let frames = frames.filter(|frame| frame.name.rsplit("::").next() == Some(function));
    frames
        .flat_map(|frame| &frame.variables)
        .map(|variable| (variable.name.to_string(), variable.value.to_string()))
        .collect()
}

fn told(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut told: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    told.sort();
    told
}

fn sorted(mut pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    pairs.sort();
    pairs
}

fn read() -> Vec<(String, Values)> {
    let victim = Victim::start(WAY, &["values"]);
    let mut reader = victim.reader();
    let told = all(&mut reader);
    for (future, values) in &told {
        assert!(values.unread.is_empty(), "{future}: {}", values.unread);
        for frame in &values.frames {
            eprintln!("{} {:?} {:?}", frame.name, frame.reach, frame.place);
            for variable in &frame.variables {
                eprintln!("    {}: {} = {}", variable.name, variable.ty, variable.value);
            }
        }
    }
    told
}

#[test]
fn each_kind_of_value() {
    let all = read();
    let request = "Request { id: 17, path: \"/orders\", method: Get, retry: Some(2) }";
    let expect = |function: &str, pairs: &[(&str, &str)]| {
        assert_eq!(sorted(of(&all, function)), told(pairs), "{function}");
    };
    expect(
        "numbers",
        &[
            ("id", "4711"),
            ("small", "-3"),
            ("yes", "true"),
            ("letter", "'é'"),
            ("ratio", "0.25"),
            ("wide", "340282366920938463463374607431768211455"),
        ],
    );
    expect(
        "texts",
        &[
            ("name", "\"Müller\""),
            ("path", "\"/orders/17\""),
            ("body", "b\"GET / HTTP/1.1\\r\\n\""),
            ("boxed", "\"boxed\""),
            ("shared", "\"shared\""),
        ],
    );
    let long = format!("\"{}\"… (1000 bytes)", "x".repeat(120));
    let bytes = format!("[{}ff …] (40 bytes)", "ff ".repeat(23));
    expect(
        "long",
        &[("text", &long), ("bytes", &bytes), ("empty", "\"\""), ("controls", "\"a\\u{1b}[2J\\u{202e}\\\"\"")],
    );
    expect("addresses", &[("peer", "10.0.0.7:5432"), ("other", "[2001:db8::1]:443"), ("ip", "127.0.0.1")]);
    expect(
        "options",
        &[
            ("some", "Some(7)"),
            ("none", "None"),
            ("named", "Some(\"here\")"),
            ("failed", "Err(\"no\")"),
            ("boxed", "Some(9)"),
        ],
    );
    expect(
        "structures",
        &[("request", request), ("method", "Put"), ("bodies", "[Empty, Text(\"t\"), Part { from: 1, to: 2 }]")],
    );
    expect("pointers", &[("boxed", request), ("shared", request), ("by", "17")]);
    expect(
        "lists",
        &[
            ("few", "[1, 2, 3]"),
            ("many", "[0, 1, 2, 3, 4, 5, 6, 7, …] (20 in all)"),
            ("array", "[1, 2]"),
            ("map", "HashMap<u32, u32> of 1"),
        ],
    );
    let times = of(&all, "times");
    let value = |name: &str| times.iter().find(|pair| pair.0 == name).map(|pair| pair.1.as_str());
    assert_eq!(value("timeout"), Some("1.5s"));
    assert!(value("due").is_some_and(|due| due.starts_with("in 99") || due.starts_with("in 100")), "{times:?}");
    let blocks = of(&all, "{async block}");
    for pair in told(&[("number", "12"), ("name", "\"captured\"")]) {
        assert!(blocks.contains(&pair), "{pair:?}: {blocks:?}");
    }
}

#[test]
fn what_is_written_by_hand_and_what_a_thread_runs_itself() {
    let victim = Victim::start(WAY, &["values"]);
    let mut reader = victim.reader();
    let look = reader.look(&Wants::default()).unwrap();
    let by_hand = look.changed.iter().find(|task| task.future.contains("ByHand")).expect("it is there");
    let values = reader.values(by_hand.number).unwrap();
    let frame = values.frames.iter().find(|frame| &*frame.name == "ByHand").expect("its frame");
    let value = |name: &str| frame.variables.iter().find(|variable| &*variable.name == name);
    let told = |name: &str| value(name).map(|variable| (variable.value.to_string(), variable.owns));
    assert_eq!(told("polls"), Some(("4".to_owned(), false)), "{frame:#?}");
    assert_eq!(told("name"), Some(("\"written\"".to_owned(), false)));
    assert_eq!(told("method"), Some(("Put".to_owned(), false)));
    assert!(told("inner").is_some_and(|inner| inner.0.len() < 500), "{frame:#?}");

    let root = look.roots.first().expect("its root");
    let values = reader.root_values(root.thread).unwrap();
    assert_eq!((&*values.unread, values.of), ("", Who::Root(root.thread)), "{:?}", root.unread);
    let variables = values.frames.iter().flat_map(|frame| &frame.variables);
    let told: Vec<(&str, &str)> = variables.map(|variable| (&*variable.name, &*variable.value)).collect();
    assert!(told.contains(&("of_the_root", "4242")) && told.contains(&("name", "\"root\"")), "{told:?}");
    let none = reader.root_values(1).unwrap();
    assert!(none.frames.is_empty() && !none.unread.is_empty());
}

#[test]
fn only_what_lives_where_its_frame_sleeps() {
    let all = read();
    assert_eq!(of(&all, "moved"), told(&[("times", "5")]));
    assert_eq!(of(&all, "has_it_now"), told(&[("name", "\"moved on\"")]));
    assert_eq!(of(&all, "two_lives"), told(&[("second", "2222222")]));
    assert_eq!(of(&all, "shadowed"), told(&[("n", "101")]));
    assert_eq!(of(&all, "dead_argument"), told(&[("id", "33")]));
    // What owns memory may be left over, and is marked; what is plain is not.
    let owning = all.iter().flat_map(|(_, values)| &values.frames).flat_map(|frame| &frame.variables);
    for variable in owning {
        let plain = ["id", "small", "yes", "letter", "peer", "timeout", "array", "path", "number", "times"];
        let owns = ["body", "request", "boxed", "shared", "few", "map"];
        let name = &*variable.name;
        assert!(!plain.contains(&name) || !variable.owns, "{name}");
        assert!(!owns.contains(&name) || variable.owns, "{name}");
    }
}

#[test]
fn what_does_not_satisfy_its_type_is_said_to_be_so() {
    let all = read();
    let lies = of(&all, "{async block}");
    for pair in told(&[
        ("flag", "not readable as bool"),
        ("method", "not readable as Method"),
        ("huge", "not readable as String"),
        ("broken", "not readable as String"),
    ]) {
        assert!(lies.contains(&pair), "{pair:?}: {lies:?}");
    }
    let ring = lies.iter().find(|pair| pair.0 == "ring").expect("the ring");
    assert!(ring.1.starts_with("Node { n: 8, next: Some(Node { n: 8") && ring.1.contains('…'), "{ring:?}");
    assert!(ring.1.len() < 500);
}
