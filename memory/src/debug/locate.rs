//! Which file has an object's debug information: what the user names, the object itself, what lies beside it, the directories
//! of the system, a server. Says where it was found, or where it was looked for.
//!
//! A file belongs to an object if both have the same build id. One that has another is said to be of another build: it is used
//! only if the user names it, and then as a twin.

use super::{
    BuildId, Cache, Debug, Symbols,
    dwarf::Dwarf,
    foreign, layout, remote,
    sections::ObjectFile,
    units::{self, SplitOff},
};
use crate::Grade;
use object::Object as _;
use std::{
    fs,
    path::{Component, Path, PathBuf},
};

/// So many files that were split off are opened for one object.
const MOST_SPLIT: usize = 1 << 14;

/// Where to look.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// The object's path, as the process sees it; where it is not known, that of the file.
    pub path: Option<PathBuf>,
    /// The root of the files that the process sees; none if it is ours.
    pub root: Option<PathBuf>,
    /// A file that the user names: debug information of this build or of another, or a layout.
    pub debug: Option<PathBuf>,
    /// A layout that the user names.
    pub layout: Option<PathBuf>,
    /// Servers to be asked, by the start of their addresses.
    pub servers: Vec<String>,
    /// Where things are kept.
    pub cache: Option<Cache>,
}

impl Search {
    /// Servers and the cache as the user's environment has them.
    pub fn of_environment() -> Self {
        Self { servers: remote::servers(), cache: Cache::of_user(), ..Self::default() }
    }

    /// A file with the debug information of this build: the one that the user names, one in the system's directories, one that a
    /// server has.
    pub fn file_of(&self, id: &BuildId) -> Option<PathBuf> {
        let is_it = |path: &PathBuf| {
            let file = ObjectFile::open(path).ok();
            file.is_some_and(|file| file.build_id.as_ref() == Some(id))
        };
        let (first, others) = id.parted();
        let system = Path::new("/usr/lib/debug/.build-id").join(first).join(format!("{others}.debug"));
        let here = self.debug.iter().cloned().chain([self.outside(&system)]).find(is_it);
        here.or_else(|| {
            let cache = self.cache.as_ref().filter(|_| !self.servers.is_empty())?;
            let sent = remote::fetch(&self.servers, id, cache).ok()?;
            if is_it(&sent) {
                return Some(sent);
            }
            cache.remove(&format!("{id}.debug"));
            None
        })
    }

    /// A path of the process, as we see it.
    fn outside(&self, path: &Path) -> PathBuf {
        let Some(root) = &self.root else { return path.to_owned() };
        // What a path says of the folder above stays below the root: `target/../x` is `x`, and there is nothing above `/`.
        let mut within = PathBuf::new();
        for part in path.components() {
            match part {
                Component::Normal(part) => within.push(part),
                Component::ParentDir => drop(within.pop()),
                _ => {}
            }
        }
        root.join(within)
    }
}

impl Debug {
    /// Finds the debug information of an object. Where there is none, that is no failure: [`Debug::from`] says what was looked
    /// for.
    ///
    /// # Errors
    ///
    /// Where the object cannot be read, or what the user names is not what it has to be; in words.
    pub fn find(object: &Path, search: &Search) -> Result<Self, String> {
        let main = ObjectFile::open(object)?;
        let id = main.build_id.clone();
        if let Some(path) = &search.layout {
            return layout::open(path, id.as_ref());
        }
        if let Some(path) = &search.debug {
            return named(path, object, id.as_ref(), search);
        }
        let place = search.outside(search.path.as_deref().unwrap_or(object));
        let mut looked = Looked::default();
        if let Some(found) = id.as_ref().and_then(|id| kept(id, &place, search, &mut looked)) {
            return Ok(found);
        }
        let link = link(&main);
        let own = of_object(main, &place, search, "the object itself");
        if own.grade() == Grade::Full {
            return Ok(own);
        }
        let beside = beside(id.as_ref(), link, &place, search, &mut looked);
        let found = beside.or_else(|| fetched(id.as_ref(), search, &mut looked));
        Ok(match found {
            Some(found) if found.grade() > own.grade() => found,
            _ => {
                let mut own = own.without(&looked);
                if own.grade() > Grade::Stripped {
                    foreign::by_symbols(&mut own.index, &Symbols::open(object)?);
                }
                own
            }
        })
    }
}

/// What was looked for and not found.
#[derive(Default)]
struct Looked(Vec<String>);

impl Looked {
    fn add(&mut self, what: impl Into<String>) {
        self.0.push(what.into());
    }
}

impl Debug {
    /// Itself, with what was looked for to have more.
    fn without(mut self, looked: &Looked) -> Self {
        let has = match self.grade {
            Grade::Full | Grade::Twin => "types",
            Grade::Lines => "lines and no types",
            Grade::Symbols => "names of functions alone",
            Grade::Stripped => "no names",
        };
        let looked = if looked.0.is_empty() { String::new() } else { format!("; looked for {}", looked.0.join(", ")) };
        self.from = format!("{}: {has}{looked}", self.from).into();
        self
    }
}

/// A file that the user names.
fn named(path: &Path, object: &Path, id: Option<&BuildId>, search: &Search) -> Result<Debug, String> {
    if layout::is_one(path) {
        return layout::open(path, id);
    }
    let file = ObjectFile::open(path)?;
    let (theirs, shown) = (file.build_id.clone(), path.display().to_string());
    let mut debug = of_object(file, path, search, &shown);
    if debug.grade() < Grade::Full {
        return Err(format!("{shown} has no types: it was built with less than `debug = 2`"));
    }
    if id.is_none() || theirs.as_ref() != id {
        let said = |id: Option<&BuildId>| id.map_or_else(|| "none".to_owned(), ToString::to_string);
        debug.grade = Grade::Twin;
        debug.index = foreign::of_twin(&debug, &Symbols::open(object)?);
        debug.from = format!(
            "{shown}, of another build (build id {}, and the process has {}): what it tells is at most likely",
            said(theirs.as_ref()),
            said(id)
        )
        .into();
    }
    Ok(debug)
}

/// A layout, by the build id: what was kept, and what is shipped beside the object or in the system's directories.
fn kept(id: &BuildId, place: &Path, search: &Search, looked: &mut Looked) -> Option<Debug> {
    if let Some(cache) = &search.cache {
        let name = layout::name(id);
        if let Some(path) = cache.get(&name) {
            match layout::open(&path, Some(id)) {
                Ok(debug) => return Some(debug),
                // It is damaged, or of an older version, and is made anew.
                Err(_) => cache.remove(&name),
            }
        }
    }
    let (first, others) = id.parted();
    let shipped = [
        with_suffix(place, ".layout"),
        search.outside(&Path::new("/usr/lib/debug/.build-id").join(first).join(format!("{others}.layout"))),
    ];
    for path in shipped {
        if layout::is_one(&path) {
            match layout::open(&path, Some(id)) {
                Ok(debug) => return Some(debug),
                Err(why) => looked.add(why),
            }
        }
    }
    None
}

/// The debug information in an object, with what was split off of it.
fn of_object(object: ObjectFile, place: &Path, search: &Search, from: &str) -> Debug {
    let wanted = units::split_off(&object);
    let (mut package, mut split) = (None, vec![]);
    let mut from = from.to_owned();
    if !wanted.is_empty() {
        let packages = [with_suffix(place, ".dwp"), place.with_extension("dwp")];
        let found = packages.into_iter().find_map(|path| Some((ObjectFile::open(&path).ok()?, path)));
        if let Some((file, path)) = found {
            from = format!("{from} and {}", path.display());
            package = Some(file);
        } else {
            let directory = place.parent().unwrap_or(Path::new(""));
            for SplitOff { directory: written, name } in wanted.iter().take(MOST_SPLIT) {
                let as_written = search.outside(&Path::new(written).join(name));
                let beside = Path::new(name).file_name().map(|name| directory.join(name));
                split.extend(
                    [Some(as_written), beside].into_iter().flatten().find_map(|path| ObjectFile::open(&path).ok()),
                );
            }
            if !split.is_empty() {
                from = format!("{from} and {} files that were split off", split.len());
            }
        }
    }
    let build_id = object.build_id.clone();
    let (dwarf, index, grade) = Dwarf::open(object, package, split);
    if let [first, others @ ..] = dwarf.missing().as_slice() {
        from = format!("{from}, without {first} and {} more like it, which were looked for", others.len());
    }
    Debug::of_dwarf(dwarf, index, grade, from, build_id)
}

/// A name and a checksum that an object has of the file with its debug information.
type Link = (PathBuf, u32);

fn link(main: &ObjectFile) -> Option<Link> {
    let object = object::File::parse(main.data()).ok()?;
    let (name, crc) = object.gnu_debuglink().ok()??;
    let name = Path::new(std::str::from_utf8(name).ok()?).file_name()?;
    Some((PathBuf::from(name), crc))
}

/// A file that has only the debug information of an object.
fn beside(
    id: Option<&BuildId>,
    link: Option<Link>,
    place: &Path,
    search: &Search,
    looked: &mut Looked,
) -> Option<Debug> {
    let mut paths = vec![];
    if let Some(id) = id {
        let (first, others) = id.parted();
        let path = Path::new("/usr/lib/debug/.build-id").join(first).join(format!("{others}.debug"));
        paths.push((search.outside(&path), None));
        if search.root.is_some() {
            paths.push((path, None));
        }
    }
    let directory = place.parent().unwrap_or(Path::new(""));
    if let Some((name, crc)) = link {
        // The directories below `/usr/lib/debug` are those of the process.
        let within = search.path.as_deref().unwrap_or(place).parent().unwrap_or(Path::new(""));
        let system = Path::new("/usr/lib/debug").join(within.strip_prefix("/").unwrap_or(within)).join(&name);
        let places = [directory.join(&name), directory.join(".debug").join(&name), search.outside(&system)];
        paths.extend(places.map(|path| (path, Some(crc))));
    } else {
        paths.push((with_suffix(place, ".debug"), None));
    }
    for (path, crc) in paths {
        let shown = path.display().to_string();
        let same = |one: &Path, other: &Path| {
            fs::canonicalize(one).ok().is_some_and(|one| fs::canonicalize(other).ok() == Some(one))
        };
        if !path.is_file() || same(&path, place) {
            looked.add(shown);
            continue;
        }
        match ObjectFile::open(&path) {
            Err(why) => looked.add(why),
            Ok(file) => match (id, &file.build_id, crc) {
                (Some(id), Some(theirs), _) if id != theirs => {
                    looked.add(format!("{shown} (of another build: {theirs})"));
                }
                (Some(_), Some(_), _) => return Some(of_object(file, &path, search, &shown)),
                (_, _, Some(crc)) if crc32(file.data()) == crc => return Some(of_object(file, &path, search, &shown)),
                (_, _, Some(_)) => looked.add(format!("{shown} (its checksum is another)")),
                _ => looked.add(format!("{shown} (nothing says that it is of this build)")),
            },
        }
    }
    None
}

/// Debug information from a server.
fn fetched(id: Option<&BuildId>, search: &Search, looked: &mut Looked) -> Option<Debug> {
    let (Some(id), Some(cache)) = (id, &search.cache) else { return None };
    if search.servers.is_empty() {
        return None;
    }
    match remote::fetch(&search.servers, id, cache) {
        Err(why) => looked.add(why),
        Ok(path) => match ObjectFile::open(&path) {
            Ok(file) if file.build_id.as_ref() == Some(id) => {
                return Some(of_object(file, &path, search, &format!("a server, kept as {}", path.display())));
            }
            Ok(_) => {
                cache.remove(&format!("{id}.debug"));
                looked.add("a server, whose file is of another build");
            }
            Err(why) => {
                cache.remove(&format!("{id}.debug"));
                looked.add(why);
            }
        },
    }
    None
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// The checksum of a `.gnu_debuglink`.
fn crc32(bytes: &[u8]) -> u32 {
    let mut table = [0_u32; 256];
    for (byte, slot) in (0_u32..).zip(&mut table) {
        *slot = (0..8).fold(byte, |crc, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 });
    }
    !bytes.iter().fold(!0_u32, |crc, byte| {
        let slot = usize::from(crc as u8 ^ byte);
        table.get(slot).copied().unwrap_or(0) ^ (crc >> 8)
    })
}

#[cfg(test)]
mod tests;
