//! The book: its links lead somewhere, its contents are its pages, and the settings that it names are there.

use super::{
    pages::{self, anchors, links, of_the_book, pages},
    source::{Source, files, root},
};
use std::{collections::BTreeSet, fs};

/// The file that a link leads to, from the workspace's root, and the heading in it. Nothing for an address of the web.
fn target(page: &str, link: &str) -> Option<(String, Option<String>)> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, heading) = link.split_once('#').map_or((link, None), |(path, heading)| (path, Some(heading)));
    let mut parts: Vec<&str> = page.split('/').collect();
    if !path.is_empty() {
        parts.pop();
        for part in path.split('/') {
            match part {
                ".." => drop(parts.pop()),
                "." | "" => {}
                _ => parts.push(part),
            }
        }
    }
    Some((parts.join("/"), heading.map(str::to_owned)))
}

/// The links of a page that lead nowhere.
fn dead_links(page: &Source) -> Vec<String> {
    let is_dead = |link: &String| {
        let Some((path, heading)) = target(&page.path, link) else { return false };
        if path != page.path && !root().join(&path).exists() {
            return true;
        }
        let Some(heading) = heading else { return false };
        let there = if path == page.path { Ok(page.text.clone()) } else { fs::read_to_string(root().join(&path)) };
        !there.is_ok_and(|text| anchors(&text).contains(&heading))
    };
    links(&page.text).into_iter().filter(is_dead).map(|link| format!("{}: {link}", page.path)).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let dead: Vec<String> = pages.iter().flat_map(dead_links).collect();
    assert!(dead.is_empty(), "\n{}", dead.join("\n"));
    let count: usize = pages.iter().map(|page| links(&page.text).len()).sum();
    assert!(count > 100, "the links were not read: {count}");

    let page = |text: &str| Source { path: "docs/recipes/made-up.md".into(), text: text.into() };
    let wrong = "[a](gone.md) [b](../production.md#gone) [c](#gone) [d](../../README.md#gone) ![e](gone.svg)";
    assert_eq!(dead_links(&page(wrong)).len(), 5);
    let right = "# Here\n[a](../production.md) [b](../production.md#who-may-look) [c](#here) [d](../../README.md) [e](https://a.b/c#d)";
    assert_eq!(dead_links(&page(right)), [""; 0]);
}

/// Where the contents differ from the pages that there are.
fn not_in_both(contents: &str, pages: &BTreeSet<String>) -> Vec<String> {
    let named: Vec<String> = links(contents).into_iter().map(|link| format!("docs/{link}")).collect();
    let set: BTreeSet<String> = named.iter().cloned().collect();
    let twice = named.len() - set.len();
    let mut wrong: Vec<String> = set.symmetric_difference(pages).cloned().collect();
    wrong.extend((twice > 0).then(|| format!("{twice} stand twice")));
    // mdBook takes no chapter that is no link.
    let chapters = contents.lines().filter(|line| line.trim_start().starts_with("- "));
    wrong.extend(chapters.filter(|line| !line.trim_start().starts_with("- [")).map(str::to_owned));
    wrong
}

#[test]
fn the_contents_are_the_pages() {
    const CONTENTS: &str = "docs/SUMMARY.md";
    let (contents, pages): (Vec<Source>, Vec<Source>) =
        of_the_book().into_iter().partition(|page| page.path == CONTENTS);
    let pages: BTreeSet<String> = pages.into_iter().map(|page| page.path).collect();
    assert_eq!(not_in_both(&contents[0].text, &pages), [""; 0], "stands in {CONTENTS} or in docs/, and not in both");
    assert!(root().join("docs/book.toml").exists() && pages.len() > 40, "the book was not read: {}", pages.len());

    let some = BTreeSet::from(["docs/a.md".to_owned(), "docs/b.md".to_owned()]);
    assert_eq!(not_in_both("- [A](a.md)\n- [C](c.md)\n", &some), ["docs/b.md", "docs/c.md"]);
    assert_eq!(not_in_both("- [A](a.md)\n- [B](b.md)\n- [B](b.md)\n", &some), ["1 stand twice"]);
    assert_eq!(not_in_both("- [A](a.md)\n- C\n  - [B](b.md)\n", &some), ["- C"]);
    assert_eq!(not_in_both("- [A](a.md)\n- [B](b.md)\n", &some), [""; 0]);
}

/// The variables that a text names. `HOLDUP_…` and `HOLDUP_*` name none.
fn variables(text: &str) -> BTreeSet<String> {
    let after = text.split("HOLDUP_").skip(1);
    let names = after.map(|rest| rest.split(|letter: char| !letter.is_ascii_uppercase() && letter != '_').next());
    names.flatten().filter(|name| !name.is_empty()).map(|name| format!("HOLDUP_{name}")).collect()
}

/// The variables that a text names as literals.
fn literals(text: &str) -> BTreeSet<String> {
    let quoted = |name: &String| text.contains(&format!("\"{name}\""));
    variables(text).into_iter().filter(quoted).collect()
}

/// Where a service and a client read their settings, and how a variable stands there.
const SETTINGS: [(&str, &str); 2] = [("agent/src/settings.rs", "name: \""), ("src/cli/environment.rs", "var(\"")];

/// The pages for those who change holdup. They name variables of tests, too.
const OF_TESTS: [&str; 4] = ["CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md", "docs/reliability.md"];

#[test]
fn every_setting_that_a_page_names_is_there() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let settings_of = |(path, before): &(&str, &str)| {
        let text = read(path);
        let is_one = |name: &String| text.contains(&format!("{before}{name}\""));
        variables(&text).into_iter().filter(is_one).collect::<Vec<_>>()
    };
    let settings: BTreeSet<String> = SETTINGS.iter().flat_map(settings_of).collect();
    let folders =
        ["agent", "benches", "core", "demo-server", "fuzz", "memory", "metrics", "proto", "src", "stack", "tests"];
    let code: BTreeSet<String> = files(&folders, ".rs")
        .iter()
        .filter(|source| !source.path.starts_with("tests/house"))
        .flat_map(|source| literals(&source.text))
        .collect();
    assert!(settings.len() > 25 && settings.is_subset(&code), "the settings were not read: {settings:?}");

    let mut named = BTreeSet::new();
    for page in pages() {
        let known = if OF_TESTS.contains(&&*page.path) { &code } else { &settings };
        let here = variables(&page.text);
        let gone: Vec<&String> = here.difference(known).collect();
        assert!(gone.is_empty(), "{} names settings that are not there: {gone:?}", page.path);
        named.extend(here);
    }
    let silent: Vec<&String> = settings.difference(&named).collect();
    assert!(silent.is_empty(), "no page names {silent:?}");

    let said = variables("`HOLDUP_ADDR=unix:/x`, HOLDUP_…, HOLDUP_GONE and \"HOLDUP_TLS_KEY\"");
    assert_eq!(said.into_iter().collect::<Vec<_>>(), ["HOLDUP_ADDR", "HOLDUP_GONE", "HOLDUP_TLS_KEY"]);
    assert!(!settings.contains("HOLDUP_GONE") && !code.contains("HOLDUP_GONE") && !settings.contains("HOLDUP_FUZZ"));
}

/// The metrics that a text names. A histogram's series are of its name.
fn metrics(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let is_one = |word: &&str| word.starts_with("holdup_") || word.starts_with("tokio_");
    let of_histogram = |word: &str| {
        ["_bucket", "_sum", "_count"].iter().find_map(|series| word.strip_suffix(series)).map(str::to_owned)
    };
    words.filter(is_one).map(|word| of_histogram(word).unwrap_or_else(|| word.to_owned())).collect()
}

#[test]
fn every_metric_that_a_rule_or_a_panel_names_is_told() {
    let table = fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    let told = |name: &String| table.contains(&format!("\n| `{name}` |"));
    let page = fs::read_to_string(root().join("docs/recipes/prometheus.md")).unwrap();
    let rules = pages::blocks(&page).into_iter().filter(|(language, _)| language == "yaml" || language == "promql");
    let shipped = ["deploy/prometheus/holdup.rules.yml", "deploy/grafana/holdup.dashboard.json"]
        .map(|path| fs::read_to_string(root().join(path)).unwrap());
    let named: BTreeSet<String> = rules.map(|(_, code)| code).chain(shipped).flat_map(|code| metrics(&code)).collect();
    let gone: Vec<&String> = named.iter().filter(|name| !told(name)).collect();
    assert!(named.len() >= 20 && gone.is_empty(), "docs/metrics.md does not have {gone:?} of {named:?}");
    assert!(!told(&"holdup_gone".to_owned()));
}
