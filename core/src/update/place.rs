//! Places in the service's source: as the compiler saw them, and fit for a screen.

/// A place in the service's source.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SourcePlace {
    /// As the compiler saw it, registry prefixes and all.
    pub file: String,
    /// From 1; 0 where it is not known.
    pub line: u32,
    /// From 1; 0 where it is not known.
    pub column: u32,
}

/// A place in the service's source, fit for a screen.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// The file, without the part of the path that names the machine it was built on.
    pub file: String,
    /// From 1; 0 where it is not known.
    pub line: u32,
    /// From 1; 0 where it is not known.
    pub column: u32,
}

/// Where the files of others begin: dependencies, as places shorten them, and the standard library.
const FOREIGN: [&str; 3] = ["<cargo>/", "<rust>/", "library/"];

impl Place {
    /// Whether this is the service's own code, as far as its file tells: no dependency from a registry, and not the standard
    /// library.
    pub fn is_of_service(&self) -> bool {
        let file = self.file.as_str();
        let foreign = FOREIGN.iter().any(|part| file.starts_with(part));
        std::path::Path::new(file).extension().is_some_and(|extension| extension == "rs") && !foreign
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.file.as_str(), self.line) {
            ("", _) => f.write_str("<unknown location>"),
            (file, 0) => f.write_str(file),
            (file, line) => write!(f, "{file}:{line}"),
        }
    }
}

impl From<SourcePlace> for Place {
    fn from(place: SourcePlace) -> Self {
        Self { file: shorten(&place.file), line: place.line, column: place.column }
    }
}

/// Cuts what says where the compiler kept a dependency: a registry checkout, cargo's folder of git checkouts, or the standard
/// library's source.
fn shorten(file: &str) -> String {
    let file = file.replace('\\', "/");
    for marker in ["/registry/src/", "/git/checkouts/"] {
        if let Some(rest) = file.split_once(marker).map(|(_, rest)| rest)
            && let Some((_, inside)) = rest.split_once('/')
        {
            return format!("<cargo>/{inside}");
        }
    }
    // The standard library: as it was built, or as it lies beside the compiler.
    let of_rust = ["/rustlib/src/rust/library/", "/library/"];
    let is_rust = file.starts_with("/rustc/") || file.contains(of_rust[0]);
    if let Some((_, inside)) = of_rust.iter().find_map(|part| file.split_once(part)).filter(|_| is_rust) {
        return format!("<rust>/{inside}");
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_dependency_loses_the_path_of_the_machine_it_was_built_on() {
        let place = |file: &str| Place::from(SourcePlace { file: file.into(), line: 7, column: 1 }).to_string();
        assert_eq!(place("/home/x/.cargo/registry/src/index-1f/hyper-1.0/src/a.rs"), "<cargo>/hyper-1.0/src/a.rs:7");
        assert_eq!(place("/rustc/59807616e1/library/std/src/thread/mod.rs"), "<rust>/std/src/thread/mod.rs:7");
        assert_eq!(place("/x/lib/rustlib/src/rust/library/core/src/a.rs"), "<rust>/core/src/a.rs:7");
        assert_eq!(place("/srv/library/src/main.rs"), "/srv/library/src/main.rs:7");
        assert_eq!(place("src/main.rs"), "src/main.rs:7");
        assert_eq!(place(r"src\main.rs"), "src/main.rs:7");
        assert_eq!(Place::default().to_string(), "<unknown location>");
    }
}
