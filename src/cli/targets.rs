//! Targets that were typed, and those of a list.

use super::Error;
use crate::source::{ListedTarget, Target, read_list};
use std::path::Path;

/// Those that were typed, and then those of the list that were not. There is at least one.
pub(super) fn all(typed: &[Target], list: Option<&Path>) -> Result<Vec<ListedTarget>, Error> {
    let mut all: Vec<ListedTarget> =
        typed.iter().map(|target| ListedTarget { target: target.clone(), labels: Vec::new() }).collect();
    if let Some(path) = list {
        let listed = read_list(path).map_err(|error| Error::List { path: path.to_owned(), error })?;
        all.extend(listed.into_iter().filter(|listed| !typed.contains(&listed.target)));
        if all.is_empty() {
            return Err(Error::EmptyList(path.to_owned()));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_adds_to_what_was_typed_and_says_which_file_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("targets");
        let typed: Vec<Target> = vec!["a:1".parse().unwrap()];
        std::fs::write(&path, "# ours\na:1\nb:2 # the other\n").unwrap();
        let all_of = |typed: &[Target]| all(typed, Some(&path));
        let names: Vec<String> = all_of(&typed).unwrap().iter().map(|it| it.target.to_string()).collect();
        assert_eq!(names, ["http://a:1", "http://b:2"]);
        std::fs::write(&path, r#"[{"targets": ["c:3"], "labels": {"env": "prod"}}]"#).unwrap();
        assert_eq!(all_of(&[]).unwrap()[0].labels, [("env".to_owned(), "prod".to_owned())]);
        std::fs::write(&path, "a:1\nnot a target:x\n").unwrap();
        let said = all_of(&[]).unwrap_err().to_string();
        assert!(said.contains("targets") && said.contains("line 2"), "{said}");
        std::fs::write(&path, "# none yet\n").unwrap();
        assert!(all_of(&[]).unwrap_err().to_string().contains("has no target"));
        assert_eq!(all_of(&typed).unwrap().len(), 1);
    }
}
