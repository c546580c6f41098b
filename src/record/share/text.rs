//! Paths, functions, addresses and versions: what of them says nothing of a program is kept, so that a finding can still be read, and the rest of each is
//! replaced, part by part. What is no such thing is replaced as a whole.

use super::{marks::Marks, words};
use crate::update::{Place, SourcePlace};

/// A name: of a task, a lock, a field, a thread. One that is a path is replaced part by part, as functions are; but since anybody may name anything so,
/// no more of it is kept than whose crate it is, and no number.
pub(super) fn name(text: &str, marks: &mut Marks) -> String {
    if words::is_of_tokio(text) || words::is_of_rust(text) {
        text.to_owned()
    } else if text.contains("::") || text.contains('<') {
        parts(text, Kept::Crate, marks)
    } else {
        whole(text, marks)
    }
}

/// A name without anything of it, but what the diagnosis would look for in it.
fn whole(text: &str, marks: &mut Marks) -> String {
    let mut mark = marks.of("name", text);
    for telling in words::TELLING.iter().filter(|telling| text.contains(**telling)) {
        mark.push('_');
        mark.push_str(telling);
    }
    mark
}

/// What a path of functions is gone through by: which path it is in, and what is open around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// The path is of a published crate.
    Published,
    /// It is of anybody else.
    Other,
}

/// A bracket that is open.
#[derive(Debug, Clone, Copy)]
struct Open {
    /// Whose the path before it was; `None` where it begins a path, as in `<T as Trait>::call`.
    before: Option<Owner>,
}

/// What the diagnosis knows functions of by name, wherever their source lies.
const KNOWN: [&str; 4] = ["std", "core", "alloc", "tokio"];

/// The crate that a function is in, where it is called as a published one is; `None` where it may be in another, as a trait's may. The standard library
/// and Tokio are nobody's own.
pub(super) fn published_crate(function: &str) -> Option<&str> {
    let of_type = function.strip_prefix('<').filter(|rest| !rest.contains(" as "));
    let (name, _) = of_type.unwrap_or(function).split_once("::")?;
    (words::is_published_crate(name) && !KNOWN.contains(&name)).then_some(name)
}

/// Whether what is in a file is the program's own: neither a published crate's, nor the standard library's, nor unknown.
pub(super) fn is_own_file(file: &str) -> bool {
    file.rsplit_once('.').is_some_and(|(_, ending)| ending == "rs") && !is_foreign(file)
}

/// What is kept of a path in a published crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// The crate.
    Crate,
    /// All of it.
    Path,
}

/// A function or a type, with all that it is generic over. Parts of paths of published crates and words of the language are kept.
pub(super) fn function(text: &str, marks: &mut Marks) -> String {
    parts(text, Kept::Path, marks)
}

/// A number of a closure, or a length, has no more digits than this where it is kept.
const DIGITS_OF_COMPILER: usize = 5;

fn parts(text: &str, kept: Kept, marks: &mut Marks) -> String {
    if !text.chars().all(is_of_functions) {
        return whole(text, marks);
    }
    let mut out = String::with_capacity(text.len());
    let mut open: Vec<Open> = Vec::new();
    let mut owner = Owner::Other;
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let length = rest.find(|letter: char| !is_of_word(letter)).unwrap_or(rest.len());
        if length > 0 {
            let (word, after) = rest.split_at(length);
            let begins = !out.ends_with("::");
            if begins {
                owner = if words::is_published_crate(word) && after.starts_with("::") && !marks.is_own(word) {
                    Owner::Published
                } else {
                    Owner::Other
                };
            }
            let is_number = word.chars().all(|letter| letter.is_ascii_digit());
            let is_kept = match owner {
                // Numbers of closures and of parts of tuples, and lengths: where the compiler writes them, and none that may be anything.
                _ if is_number => {
                    let is_place = out.ends_with(['#', '.']) || out.ends_with("; ");
                    kept == Kept::Path && is_place && length <= DIGITS_OF_COMPILER
                }
                // What something is generic over. In a name it may be a part of anything, as of an address.
                _ if length == 1 => kept == Kept::Path,
                _ if words::is_of_rust(word) => true,
                Owner::Published => !is_hash(word) && (begins || kept == Kept::Path),
                Owner::Other => false,
            };
            if is_kept {
                out.push_str(word);
            } else {
                out.push_str(&whole(word, marks));
            }
            rest = after;
            continue;
        }
        match letter {
            '<' => {
                let begins = out.is_empty() || out.ends_with(['<', ' ', '(', ',', '&', '*', '[']);
                open.push(Open { before: (!begins).then_some(owner) });
            }
            // The arrow of a function's type closes nothing. What follows a type in brackets is of the path before them, or of the last one in them.
            '>' if !out.ends_with('-') => {
                if let Some(Open { before: Some(before) }) = open.pop() {
                    owner = before;
                }
            }
            _ => {}
        }
        out.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    out
}

fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn is_of_functions(letter: char) -> bool {
    is_of_word(letter) || ":<>(){}[]#&*,;=+-'!.… ".contains(letter)
}

/// The hash that the compiler puts behind a function.
fn is_hash(word: &str) -> bool {
    let digits = word.strip_prefix('h').unwrap_or_default();
    digits.len() == 16 && digits.chars().all(|letter| letter.is_ascii_hexdigit())
}

/// The path of a file. Those of published crates and of the standard library are kept, without what names the machine; of others what most packages have.
/// What stands in place of a file for a lock that memory alone knows is made of types and functions.
pub(super) fn path(text: &str, marks: &mut Marks) -> String {
    let file = Place::from(SourcePlace { file: text.into(), line: 0, column: 0 }).file;
    if is_foreign(&file) {
        return file;
    }
    if !file.contains('/') && (file.contains(' ') || file.contains("::") || file.contains('<')) {
        return function(&file, marks);
    }
    let (begins, inside) = match ["<cargo>/", "<rust>/", "library/"].iter().find_map(|begins| file.strip_prefix(begins))
    {
        Some(inside) => file.split_at(file.len() - inside.len()),
        None => ("", file.as_str()),
    };
    // Tokio's own jobs are known by where they are spawned, wherever its source lies.
    let (inside, worker) = match inside.strip_suffix(WORKER) {
        Some(before) => (before, WORKER),
        None => (inside, ""),
    };
    let parts: Vec<String> = inside.split('/').map(|part| part_of_path(part, marks)).collect();
    // Tokio's other packages are told apart from those of others.
    let of_tokio = if file.starts_with("<cargo>/tokio-") { "tokio-" } else { "" };
    format!("{begins}{of_tokio}{}{worker}", parts.join("/"))
}

const WORKER: &str = "/runtime/scheduler/multi_thread/worker.rs";

fn part_of_path(part: &str, marks: &mut Marks) -> String {
    if part.is_empty() || part == "." || part == ".." || words::is_usual(part) {
        return part.to_owned();
    }
    match part.rsplit_once('.').filter(|(_, ending)| words::is_ending(ending)) {
        Some((stem, ending)) => format!("{}.{ending}", marks.of("file", stem)),
        None => marks.of("path", part),
    }
}

/// Whether a path is, as far as it goes, one of a published crate or of the standard library.
fn is_foreign(file: &str) -> bool {
    let is_plain = |inside: &str| {
        let letters = |part: &str| part.chars().all(|letter| is_of_word(letter) || letter == '-' || letter == '.');
        inside.split('/').all(|part| !part.is_empty() && part != ".." && letters(part))
    };
    // Without what a place has before it, `library/core` is anybody's folder.
    if let Some(inside) = file.strip_prefix("<rust>/") {
        return ["std/", "core/", "alloc/"].iter().any(|begins| inside.starts_with(begins)) && is_plain(inside);
    }
    let Some((package, inside)) = file.strip_prefix("<cargo>/").and_then(|inside| inside.split_once('/')) else {
        return false;
    };
    // Names have hyphens too, and a version begins with a digit.
    let at = package.match_indices('-').map(|(at, _)| at).find(|at| is_version(&package[at + 1..]));
    at.is_some_and(|at| words::is_published(&package[..at])) && is_plain(inside)
}

/// A place as it is shown: a path, and perhaps a line.
pub(super) fn place(text: &str, marks: &mut Marks) -> String {
    match text.rsplit_once(':') {
        Some((file, line)) if !line.is_empty() && line.chars().all(|letter| letter.is_ascii_digit()) => {
            format!("{}:{line}", path(file, marks))
        }
        _ if text == Place::default().to_string() => text.to_owned(),
        _ => path(text, marks),
    }
}

/// A frame in words: a function, and perhaps its place.
pub(super) fn frame(text: &str, marks: &mut Marks) -> String {
    match text.rsplit_once(" at ") {
        Some((of, at)) => format!("{} at {}", function(of, marks), place(at, marks)),
        None => function(text, marks),
    }
}

/// The address of a socket. Those of one host are of one host still, and those of one port are of one port.
pub(super) fn address(text: &str, marks: &mut Marks) -> String {
    let clients = "clients of ";
    let (before, address) = match text.strip_prefix(clients) {
        Some(address) => (clients, address),
        None => ("", text),
    };
    let is_port = |port: &str| !port.is_empty() && port.chars().all(|letter| letter.is_ascii_digit());
    match address.rsplit_once(':').filter(|(_, port)| is_port(port)) {
        Some((host, port)) => {
            // The digits of a port are few: with its name before it no other text has them.
            format!("{before}{}:{}", marks.of("host", host), marks.of("port", &format!("port {port}")))
        }
        None => format!("{before}{}", marks.of("socket", address)),
    }
}

/// Versions, as of crates; several have commas between them.
pub(super) fn version(text: &str, marks: &mut Marks) -> String {
    if text.split(", ").all(is_version) { text.to_owned() } else { marks.of("version", text) }
}

/// Whether it is numbers, and perhaps what comes before a release.
fn is_version(text: &str) -> bool {
    let (numbers, before) = text.split_once('-').map_or((text, ""), |(numbers, before)| (numbers, before));
    let is_number = |part: &str| (1..=4).contains(&part.len()) && part.chars().all(|letter| letter.is_ascii_digit());
    let is_word = |part: &str| matches!(part, "alpha" | "beta" | "rc" | "pre");
    let numbers: Vec<&str> = numbers.split('.').collect();
    numbers.len() == 3
        && numbers.into_iter().all(is_number)
        && (before.is_empty() || before.split('.').all(|part| is_number(part) || is_word(part)))
}

/// The file of a library, or of the executable.
pub(super) fn module(text: &str, marks: &mut Marks) -> String {
    if words::is_library(text) { text.to_owned() } else { marks.of("module", text) }
}

/// A kind of loss. What is over and let go of is no gap.
pub(super) fn loss(text: &str, marks: &mut Marks) -> String {
    const OVER: &str = "finished-";
    match text {
        known if words::LOSSES.contains(&known) => known.to_owned(),
        over if over.starts_with(OVER) => format!("{OVER}{}", marks.of("loss", over)),
        other => marks.of("loss", other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(replace: fn(&str, &mut Marks) -> String, texts: &[&str]) {
        let mut marks = Marks::default();
        for text in texts {
            assert_eq!(replace(text, &mut marks), *text);
        }
    }

    /// With each mark shown by what it stands for, in brackets.
    fn shown(replace: fn(&str, &mut Marks) -> String, text: &str, hidden: &[&str]) -> String {
        let mut marks = Marks::default();
        let mut out = replace(text, &mut marks);
        for hidden in hidden {
            let digits = marks.of("", hidden);
            assert!(out.contains(&digits), "{hidden} in {out}");
            out = out.replace(&digits, &format!("[{hidden}]"));
        }
        for word in ["name", "file", "path", "host", "port"] {
            out = out.replace(&format!("{word}["), "[");
        }
        out
    }

    #[test]
    fn functions_of_published_crates_and_words_of_the_language_are_kept() {
        same(
            function,
            &[
                "tokio::runtime::task::core::Core<T,S>::poll::{{closure}}",
                "<core::pin::Pin<P> as core::future::future::Future>::poll",
                "std::thread::sleep",
                "<alloc::boxed::Box<dyn FnOnce<(), Output = ()> + Send> as FnOnce<()>>::call_once",
                "Timeout<…>",
                "select!",
                "main",
                "tokio_util::codec::Framed<T, U>::next",
                "",
            ],
        );
    }

    #[test]
    fn what_is_the_programs_own_is_replaced_wherever_it_stands() {
        let shown = |text, hidden: &[&str]| shown(function, text, hidden);
        assert_eq!(
            shown("orders::store::load::{{closure}}", &["orders", "store", "load"]),
            "[orders]::[store]::[load]::{{closure}}"
        );
        assert_eq!(
            shown(
                "tokio::runtime::task::Core<orders::serve::{async_fn_env#0}, Arc<orders::Shared>>::poll",
                &["orders", "serve", "Shared"]
            ),
            "tokio::runtime::task::Core<[orders]::[serve]::{async_fn_env#0}, Arc<[orders]::[Shared]>>::poll"
        );
        assert_eq!(
            shown("<orders::Service as tower::Service<R>>::call_with", &["orders", "Service"]),
            "<[orders]::[Service] as tower::Service<R>>::call_with"
        );
        assert_eq!(
            shown("<tokio::task::LocalSet as orders::Own<R>>::of_own", &["orders", "Own", "of_own"]),
            "<tokio::task::LocalSet as [orders]::[Own]<R>>::[of_own]"
        );
        assert_eq!(
            shown("std::thread::local::LocalKey<T>::with::h0123456789abcdef", &["h0123456789abcdef"]),
            "std::thread::local::LocalKey<T>::with::[h0123456789abcdef]"
        );
        assert_eq!(shown("conn of orders::slow", &["conn", "orders", "slow"]), "[conn] of [orders]::[slow]");
        assert_eq!(shown("[orders::Id; 32]", &["orders", "Id"]), "[[orders]::[Id]; 32]");
        assert_eq!(shown("orders::Of<4242>", &["orders", "Of", "4242"]), "[orders]::[Of]<[4242]>");
        assert_eq!(shown("orders::load (not started)", &["orders", "load"]), "[orders]::[load] (not started)");
        assert_eq!(
            shown("orders::Of::{closure#12}(self.0; 65536; 4242424242)", &["orders", "Of", "self", "4242424242"]),
            "[orders]::[Of]::{closure#12}([self].0; 65536; [4242424242])"
        );
        // A word alone is no crate, and what has other letters is no function.
        assert_eq!(shown("redis", &["redis"]), "[redis]");
        assert_eq!(shown("tokio::a\"b", &["tokio::a\"b"]), "[tokio::a\"b]");
    }

    #[test]
    fn a_crate_that_is_called_as_a_published_one_is_the_programs_own_where_its_files_say_so() {
        let mut marks = Marks::default();
        same(function, &["http::billing::charge_vip"]);
        marks.note_own("http");
        for text in ["http::billing::charge_vip", "<http::billing::Vip as hyper::Service<R>>::call"] {
            let seen = function(text, &mut marks);
            assert!(["http", "billing", "vip", "Vip"].iter().all(|own| !seen.contains(own)), "{seen}");
        }
        assert!(!name("http::billing", &mut marks).contains("http"));
        let of = |function| published_crate(function);
        for own in ["http::billing::charge_vip", "<http::billing::Vip<T>>::charge"] {
            assert_eq!(of(own), Some("http"));
        }
        for other in
            ["orders::charge", "std::thread::sleep", "tokio::spawn", "<http::Vip as orders::Own>::own", "http", ""]
        {
            assert_eq!(of(other), None, "{other}");
        }
        for own in ["/srv/app/http/src/lib.rs", "src/main.rs", "library/core/src/a.rs", "<cargo>/ours-1.0.0/src/a.rs"] {
            assert!(is_own_file(own), "{own}");
        }
        for other in ["<cargo>/http-1.3.1/src/lib.rs", "<rust>/core/src/a.rs", "", "src/own.c"] {
            assert!(!is_own_file(other), "{other}");
        }
    }

    #[test]
    fn what_the_diagnosis_looks_for_in_a_name_is_found_in_its_mark() {
        let mut marks = Marks::default();
        assert!(function("orders::poll_orders", &mut marks).ends_with("_poll"));
        assert!(function("orders::LocalSetOfOurs", &mut marks).ends_with("_LocalSet"));
    }

    #[test]
    fn a_name_is_the_same_alone_and_in_a_path() {
        let mut marks = Marks::default();
        let alone = name("orders", &mut marks);
        assert_eq!(function("orders::load", &mut marks), format!("{alone}::{}", name("load", &mut marks)));
        same(name, &["block_on", "Mutex", "Mutex::lock", "permits"]);
        assert_eq!(shown(name, "Mutex::stolen", &["stolen"]), "Mutex::[stolen]");
        assert_eq!(shown(name, "tokio::alice::poll", &["alice"]), "tokio::[alice]::poll");
        assert_eq!(shown(name, "redis of alice", &["redis of alice"]), "[redis of alice]");
    }

    #[test]
    fn a_name_keeps_no_number_and_no_letter_that_may_be_of_an_address() {
        let shown = |text, hidden: &[&str]| shown(name, text, hidden);
        assert_eq!(shown("orders::session#4242", &["orders", "session", "4242"]), "[orders]::[session]#[4242]");
        assert_eq!(
            shown("server::conn(10.1.2.3:8080)", &["server", "conn", "10", "1", "2", "3", "8080"]),
            "[server]::[conn]([10].[1].[2].[3]:[8080])"
        );
        assert_eq!(
            shown("tokio::conn[fe80::a:7; 42]", &["conn", "fe80", "a", "7", "42"]),
            "tokio::[conn][[fe80]::[a]:[7]; [42]]"
        );
        assert_eq!(shown("orders::serve::{closure#0}", &["orders", "serve", "0"]), "[orders]::[serve]::{closure#[0]}");
    }

    #[test]
    fn paths_of_published_crates_are_kept_and_others_lose_all_but_their_form() {
        same(
            path,
            &[
                "<cargo>/tokio-1.54.1/src/runtime/scheduler/multi_thread/worker.rs",
                "<cargo>/parking_lot_core-0.9.10/src/parking_lot.rs",
                "<cargo>/h2-0.4.0-rc.1/src/lib.rs",
                "<rust>/std/src/sys/thread.rs",
                "src/main.rs",
                "src/lib.rs",
            ],
        );
        let mut marks = Marks::default();
        let tokio = "/srv/u/.cargo/registry/src/some-host-1949cf8c6b5b557f/tokio-1.54.1/src/a.rs";
        assert_eq!(path(tokio, &mut marks), "<cargo>/tokio-1.54.1/src/a.rs", "without the machine");
        assert_eq!(path("/rustc/59807616e1/library/std/src/a.rs", &mut marks), "<rust>/std/src/a.rs");
        let shown = |text, hidden: &[&str]| shown(path, text, hidden);
        assert_eq!(shown("src/store.rs", &["store"]), "src/[store].rs");
        assert_eq!(shown("/srv/orders/src/a.b.rs", &["srv", "orders", "a.b"]), "/[srv]/[orders]/src/[a.b].rs");
        assert_eq!(shown("secret", &["secret"]), "[secret]");
        assert_eq!(shown(r"C:\own\src\a.rs", &["C:", "own", "a"]), "[C:]/[own]/src/[a].rs");
        assert_eq!(
            shown("<cargo>/our-crate-1.0.0/src/own.rs", &["our-crate-1.0.0", "own"]),
            "<cargo>/[our-crate-1.0.0]/src/[own].rs"
        );
        assert_eq!(
            shown("<cargo>/tokio-1.54.1-ours/src/own.rs", &["tokio-1.54.1-ours", "own"]),
            "<cargo>/tokio-[tokio-1.54.1-ours]/src/[own].rs"
        );
        assert_eq!(shown("<rust>/ours/a.rs", &["ours", "a"]), "<rust>/[ours]/[a].rs");
        // A workspace may have such a folder. What begins so is taken for the standard library's by the diagnosis.
        assert_eq!(shown("library/core/src/vip.rs", &["core", "vip"]), "library/[core]/src/[vip].rs");
        assert_eq!(
            shown("of orders::Conn, conn of main", &["orders", "Conn", "conn"]),
            "of [orders]::[Conn], [conn] of main"
        );
        assert_eq!(
            shown("/ours/tokio/src/runtime/scheduler/multi_thread/worker.rs", &["ours", "tokio"]),
            "/[ours]/[tokio]/src/runtime/scheduler/multi_thread/worker.rs"
        );
        // A file is the same file by any of its paths.
        let [long, short] = ["/srv/app/src/store.rs", "src/store.rs"].map(|file| path(file, &mut marks));
        assert!(long.ends_with(&short), "{long} {short}");
    }

    #[test]
    fn addresses_versions_and_modules_say_no_more_than_they_must() {
        let mut marks = Marks::default();
        let [one, same_host, same_port] =
            ["10.0.0.1:80", "10.0.0.1:81", "[::1]:80"].map(|text| address(text, &mut marks));
        let [host, port] = [one.split(':').next().unwrap(), one.rsplit(':').next().unwrap()];
        assert!(same_host.starts_with(host) && !same_host.ends_with(port), "{one} {same_host}");
        assert!(same_port.ends_with(port) && !same_port.starts_with(host), "{one} {same_port}");
        assert_eq!(address("clients of 10.0.0.1:80", &mut marks), format!("clients of {one}"));
        assert!(address("/run/own.sock", &mut marks).starts_with("socket-"));
        same(version, &["1.54.1", "1.54.1, 1.40.0-rc.2"]);
        assert!(version("1.54.1-ours", &mut marks).starts_with("version-"));
        same(module, &["libc.so.6", "ld-linux-x86-64.so.2", "linux-vdso.so.1"]);
        assert!(module("libc.so.6.ours", &mut marks).starts_with("module-"));
        same(loss, &["finished-tasks", "unseen"]);
        assert!(loss("finished-ours", &mut marks).starts_with("finished-loss-"));
        same(place, &["src/main.rs:7", "<unknown location>"]);
        same(frame, &["std::thread::sleep at <rust>/std/src/thread/mod.rs:7", "std::thread::sleep"]);
        assert_eq!(
            shown(frame, "orders::load at src/own.rs:7", &["orders", "load", "own"]),
            "[orders]::[load] at src/[own].rs:7"
        );
    }
}
