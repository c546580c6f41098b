//! What the workspace depends on: under which licences, from where, and in how many versions. `deny.toml` says what may be.

use super::source::root;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

fn table(path: &str) -> toml::Table {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether one of the licences that may be chosen, or all that must be kept together, are allowed.
fn is_allowed(license: &str, allowed: &[&str]) -> bool {
    let spaced = license.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let is_allowed = any(&mut words, allowed);
    is_allowed && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any(words: &mut Words<'_>, allowed: &[&str]) -> bool {
    let mut is_allowed = all(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        is_allowed |= all(words, allowed);
    }
    is_allowed
}

fn all(words: &mut Words<'_>, allowed: &[&str]) -> bool {
    let mut is_allowed = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        is_allowed &= one(words, allowed);
    }
    is_allowed
}

fn one(words: &mut Words<'_>, allowed: &[&str]) -> bool {
    match words.next() {
        Some("(") => {
            let is_allowed = any(words, allowed);
            is_allowed & (words.next() == Some(")"))
        }
        Some(name) => match words.next_if_eq(&"WITH") {
            Some(_) => allowed.contains(&&*format!("{name} WITH {}", words.next().unwrap_or_default())),
            None => allowed.contains(&name),
        },
        None => false,
    }
}

#[test]
fn every_dependency_has_a_licence_that_is_allowed() {
    let deny = table("deny.toml");
    let allowed = deny["licenses"]["allow"].as_array().unwrap();
    let allowed: Vec<&str> = allowed.iter().map(|name| name.as_str().unwrap()).collect();
    let told = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    let packages = told["packages"].as_array().unwrap();
    assert!(packages.len() > 200, "the dependencies were not read");
    let wrong: Vec<String> = packages
        .iter()
        .filter(|package| !is_allowed(package["license"].as_str().unwrap_or_default(), &allowed))
        .map(|package| format!("{} {}: {}", package["name"], package["version"], package["license"]))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));

    let is_allowed = |license| is_allowed(license, &["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"]);
    for license in [
        "MIT",
        "GPL-2.0-only OR MIT",
        "MIT/Apache-2.0",
        "MIT AND ISC",
        "(X OR MIT) AND ISC",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(is_allowed(license), "{license}");
    }
    for license in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT", "MIT ISC", "X AND ISC OR Y", "Apache-2.0", "MIT WITH X"] {
        assert!(!is_allowed(license), "{license}");
    }
}

/// What the workspace says of a dependency that is one of its own members.
pub(crate) fn of_the_workspace(name: &str) -> Option<toml::Value> {
    let dependencies = table("Cargo.toml")["workspace"]["dependencies"].as_table()?.clone();
    dependencies.get(name).filter(|how| how.get("path").is_some()).cloned()
}

/// What a manifest asks for of this repository, with how.
fn own_dependencies(manifest: &toml::Table) -> Vec<(String, toml::Value)> {
    let asked = manifest.get("dependencies").and_then(toml::Value::as_table).into_iter().flatten();
    asked
        .filter_map(|(name, how)| {
            let is_inherited = how.get("workspace").is_some();
            let how = if is_inherited { of_the_workspace(name)? } else { how.clone() };
            how.get("path").is_some().then(|| (name.clone(), how))
        })
        .collect()
}

#[test]
fn what_is_published_needs_nothing_that_is_not() {
    let workspace = table("Cargo.toml");
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let folders: Vec<&str> = members.iter().map(|member| member.as_str().unwrap()).chain(["."]).collect();
    let manifests = folders.iter().map(|folder| (*folder, table(&format!("{folder}/Cargo.toml"))));
    let is_published = |manifest: &toml::Table| manifest["package"].get("publish").is_none();
    let published: Vec<_> = manifests.filter(|(_, manifest)| is_published(manifest)).collect();
    let names: BTreeSet<&str> =
        published.iter().map(|(_, manifest)| manifest["package"]["name"].as_str().unwrap()).collect();
    assert!(names.contains("holdup") && names.contains("holdup-demo"), "{names:?}");
    let version = workspace["workspace"]["package"]["version"].as_str().unwrap();
    let mut count = 0;
    for (folder, manifest) in &published {
        for file in ["LICENSE-APACHE", "LICENSE-MIT"] {
            assert!(root().join(folder).join(file).exists(), "{folder} has no {file}");
        }
        for (name, how) in own_dependencies(manifest) {
            let package = how.get("package").and_then(toml::Value::as_str).unwrap_or(&name);
            assert!(names.contains(package), "{folder} needs {package}, which is not published");
            let asked = how.get("version").and_then(toml::Value::as_str);
            assert_eq!(asked, Some(&*format!("={version}")), "{folder} needs {name} of its own version");
            count += 1;
        }
    }
    assert!(count >= 8, "the manifests were not read: {count}");
}

/// The lock files of what is built here.
const LOCKS: [&str; 6] = [
    "Cargo.lock",
    "benches/agent/bare/Cargo.lock",
    "tests/matrix/lts/Cargo.lock",
    "tests/matrix/newest/Cargo.lock",
    "tests/memory/victims/Cargo.lock",
    "tests/servers/Cargo.lock",
];

#[test]
fn every_dependency_comes_from_the_registry_and_is_the_one_that_was_locked() {
    let mut sources = BTreeSet::new();
    for path in LOCKS {
        for package in table(path)["package"].as_array().unwrap() {
            // Without a source it is this repository's own.
            let Some(source) = package.get("source") else { continue };
            assert!(package.get("checksum").is_some(), "{path}: {} has no checksum", package["name"]);
            sources.insert(source.as_str().unwrap().to_owned());
        }
    }
    assert_eq!(sources.len(), 1, "one registry, and no repository: {sources:?}");
    assert!(sources.iter().all(|source| source.starts_with("registry+")), "{sources:?}");
}

#[test]
fn of_which_dependencies_there_are_several_versions_is_named() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in table("Cargo.lock")["package"].as_array().unwrap() {
        let [name, version] = ["name", "version"].map(|key| package[key].as_str().unwrap().to_owned());
        versions.entry(name).or_default().insert(version);
    }
    let several: BTreeSet<String> =
        versions.into_iter().filter(|(_, all)| all.len() > 1).map(|(name, _)| name).collect();
    let deny = table("deny.toml");
    let named = deny["bans"]["skip"].as_array().unwrap().iter();
    let named: BTreeSet<String> = named.map(|skip| skip["crate"].as_str().unwrap().to_owned()).collect();
    assert_eq!(several, named, "there are several versions, and deny.toml names them");
}
