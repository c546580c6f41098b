//! Programs with as much debug information as one likes: the units of a victim's, again and again. What each of them says is as the
//! compiler wrote it, and all of it is gone through; names and lines are shared, so that nothing but the units grows.

use crate::target::{Failure, built};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A victim whose debug information has at least so many megabytes. It is gone with the value.
pub(crate) struct Large {
    folder: PathBuf,
}

impl Large {
    pub(crate) fn new(megabytes: u64) -> Result<Self, Failure> {
        let release = built()?;
        let folder = release.join(format!("../large-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let this = Self { folder };
        let (units, whole) = (this.folder.join("units"), release.join("victim"));
        objcopy(
            &["--dump-section", &format!(".debug_info={}", units.display())],
            &whole,
            &this.folder.join("as-it-is"),
        )?;
        let its = debug_information(&whole)?;
        let once = fs::read(&units)?;
        let more = (megabytes << 20).saturating_sub(its).div_ceil(once.len().max(1) as u64);
        fs::write(&units, once.repeat(usize::try_from(more)? + 1))?;
        objcopy(&["--update-section", &format!(".debug_info={}", units.display())], &whole, &this.program())?;
        fs::remove_file(&units)?;
        Ok(this)
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.folder.join("victim")
    }

    /// A file beside it.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Megabytes of its debug information.
    pub(crate) fn megabytes(&self) -> Result<u64, Failure> {
        Ok(debug_information(&self.program())? >> 20)
    }
}

impl Drop for Large {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn objcopy(arguments: &[&str], from: &Path, to: &Path) -> Result<(), Failure> {
    match Command::new("objcopy").args(arguments).args([from, to]).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("objcopy: {status}").into()),
        Err(error) => Err(format!("objcopy of binutils is needed: {error}").into()),
    }
}

/// Bytes of all sections of debug information.
fn debug_information(file: &Path) -> Result<u64, Failure> {
    let output = Command::new("objdump").args(["-h", "-w"]).arg(file).output()?;
    let text = String::from_utf8(output.stdout)?;
    let sizes = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        words.next().filter(|name| name.starts_with(".debug_"))?;
        u64::from_str_radix(words.next()?, 16).ok()
    });
    Ok(sizes.sum())
}
