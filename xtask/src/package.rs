//! The Debian package.

use crate::{
    commit::{Commit, VERSION, empty, remove},
    made::{copy, files},
    pages::SHELLS,
    run::{self, Result, at},
};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// Where each shell looks for completions.
const COMPLETIONS: [&str; 3] = [
    "usr/share/bash-completion/completions",
    "usr/share/zsh/vendor-completions",
    "usr/share/fish/vendor_completions.d",
];

const DOCUMENTS: &str = "usr/share/doc/holdup";

/// Packs what was made in `folder`, with the documents of the sources.
pub(crate) fn build(commit: &Commit, source: &Path, binary: &Path, folder: &Path) -> Result<PathBuf> {
    let tree = folder.join("package");
    empty(&tree)?;
    let to = |path: &str| -> Result<PathBuf> {
        let path = tree.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&tree)).map_err(at(&path))?;
        Ok(path)
    };
    copy(binary, &to("usr/bin/holdup")?, 0o755)?;
    for page in files(&folder.join("man"))? {
        let packed = to(&format!("usr/share/man/man1/{}.gz", page.display()))?;
        pack(&folder.join("man").join(page), &packed)?;
    }
    for ((_, file), place) in SHELLS.iter().zip(COMPLETIONS) {
        copy(&folder.join("completions").join(file), &to(&format!("{place}/{file}"))?, 0o644)?;
    }
    copy(&folder.join("holdup.toml"), &to(&format!("{DOCUMENTS}/examples/holdup.toml"))?, 0o644)?;
    pack(&source.join("CHANGELOG.md"), &to(&format!("{DOCUMENTS}/CHANGELOG.md.gz"))?)?;
    write(&to(&format!("{DOCUMENTS}/copyright"))?, &copyright(source)?)?;
    let changelog = to(&format!("{DOCUMENTS}/changelog"))?;
    write(&changelog, &history(commit))?;
    pack(&changelog, &changelog.with_extension("gz"))?;
    fs::remove_file(&changelog).map_err(at(&changelog))?;
    // The control file is none of what is installed, and neither counted nor summed up.
    let (installed, sums) = (size(&tree)?, sums(&tree)?);
    write(&to("DEBIAN/control")?, &control(commit, installed))?;
    write(&to("DEBIAN/md5sums")?, &sums)?;
    readable(&tree)?;
    let package = folder.join(format!("holdup_{VERSION}_amd64.deb"));
    run::needs("dpkg-deb")?;
    run::printed(
        Command::new("dpkg-deb")
            .args(["--root-owner-group", "--threads-max=1", "-Zxz", "--build"])
            .args([&tree, &package])
            .env("SOURCE_DATE_EPOCH", &commit.epoch),
    )?;
    remove(&tree)?;
    Ok(package)
}

/// A file as gzip packs it, without its name and its time.
fn pack(from: &Path, to: &Path) -> Result<()> {
    let packed = run::printed(Command::new("gzip").args(["-9nc"]).arg(from))?;
    fs::write(to, packed).map_err(at(to))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(at(path))
}

/// Folders and files that everybody may read, whatever the umask is.
fn readable(tree: &Path) -> Result<()> {
    for file in files(tree)? {
        for path in tree.join(&file).ancestors().take_while(|path| path.starts_with(tree)) {
            let mode = if path.is_dir() || file.ends_with("usr/bin/holdup") { 0o755 } else { 0o644 };
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(at(path))?;
        }
    }
    Ok(())
}

/// What is installed, in KiB, each file rounded up.
fn size(tree: &Path) -> Result<u64> {
    let mut size = 0;
    for file in files(tree)? {
        let path = tree.join(file);
        size += fs::metadata(&path).map_err(at(&path))?.len().div_ceil(1_024);
    }
    Ok(size)
}

fn sums(tree: &Path) -> Result<String> {
    run::line(Command::new("md5sum").current_dir(tree).args(files(tree)?)).map(|sums| sums + "\n")
}

fn control(commit: &Commit, installed: u64) -> String {
    format!(
        "Package: holdup\n\
         Version: {VERSION}\n\
         Section: devel\n\
         Priority: optional\n\
         Architecture: amd64\n\
         Maintainer: {by}\n\
         Installed-Size: {installed}\n\
         Description: shows what is holding up a Tokio service\n \
         A terminal program that watches services written in Rust with Tokio: it\n \
         lists tasks and locks, names what is wrong with them, such as a deadlock or\n \
         a blocked worker, and gives the evidence and advice for each. It reads what\n \
         console-subscriber or the agent of holdup tells, or the memory of a process\n \
         that has nothing built in.\n",
        by = commit.by
    )
}

/// What Debian calls a changelog: that there is this version.
fn history(commit: &Commit) -> String {
    format!(
        "holdup ({VERSION}) unstable; urgency=medium\n\n  * Version {VERSION}. What is new in it stands in CHANGELOG.md.\n\n -- {}  {}\n",
        commit.by, commit.date
    )
}

fn copyright(source: &Path) -> Result<String> {
    let path = source.join("LICENSE-MIT");
    let license = fs::read_to_string(&path).map_err(at(&path))?;
    let holder = license.lines().find_map(|line| line.strip_prefix("Copyright (c) ")).unwrap_or_default();
    let terms: String = license
        .lines()
        .skip_while(|line| !line.starts_with("Permission"))
        .map(|line| if line.is_empty() { " .\n".to_owned() } else { format!(" {line}\n") })
        .collect();
    Ok(format!(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
         Upstream-Name: holdup\n\
         Comment:\n \
         The program is linked statically. It has in it the GNU C Library, under the\n \
         LGPL-2.1-or-later (/usr/share/common-licenses/LGPL-2.1), and the crates that\n \
         its bill of materials lists, each with its license.\n\n\
         Files: *\n\
         Copyright: {holder}\n\
         License: Apache-2.0 or Expat\n\n\
         License: Apache-2.0\n \
         On Debian systems the full text of the Apache License, Version 2.0, is in\n \
         /usr/share/common-licenses/Apache-2.0.\n\n\
         License: Expat\n{terms}"
    ))
}
