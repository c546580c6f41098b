//! A socket of the file system: made so that nobody else's is taken away, and removed at the end if it is still this one.

use crate::Error;
use socket2::{Domain, SockAddr, Socket, Type};
use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
        net::UnixListener,
    },
    path::{Path, PathBuf},
};

/// A file as the system knows it, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileId {
    device: u64,
    number: u64,
}

impl FileId {
    fn of(metadata: &fs::Metadata) -> Self {
        Self { device: metadata.dev(), number: metadata.ino() }
    }
}

/// The name of a socket. When this is dropped, the name goes, if it is still that of this socket, and of this process: a child that was forked from it
/// has the socket, too, and may end before it.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) path: PathBuf,
    file: FileId,
    process: u32,
    /// Whose socket it is: they may connect, and root.
    pub(crate) owner: u32,
}

impl Drop for Name {
    fn drop(&mut self) {
        if self.process == std::process::id()
            && fs::symlink_metadata(&self.path).is_ok_and(|metadata| FileId::of(&metadata) == self.file)
        {
            // What cannot be removed is found by the next one that listens here.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Listens at a path.
pub(crate) fn bind(path: &Path) -> Result<(UnixListener, Name), Error> {
    let failed = |reason: String| Error::Socket { path: path.to_owned(), reason };
    let refused = |error: io::Error| failed(error.to_string());
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_stale(path).map_err(failed)?;
            UnixListener::bind(path).map_err(refused)?
        }
        bound => bound.map_err(refused)?,
    };
    let metadata = fs::symlink_metadata(path).map_err(refused)?;
    // From here on it is removed again, whatever goes wrong. Before its mode is set, whoever connects is asked who they are all the same.
    let process = std::process::id();
    let name = Name { path: path.to_owned(), file: FileId::of(&metadata), process, owner: metadata.uid() };
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(refused)?;
    Ok((listener, name))
}

/// Takes away what a process left behind that has ended: a socket at which nobody answers. What is said otherwise says why not.
fn remove_stale(path: &Path) -> Result<(), String> {
    let metadata = fs::symlink_metadata(path).map_err(|error| error.to_string())?;
    if !metadata.file_type().is_socket() {
        return Err("there is a file of that name, which is no socket; remove it, or choose another path".to_owned());
    }
    match knock(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
            return Err(format!("there is a socket of that name, and whose it is cannot be told ({error})"));
        }
        Ok(()) | Err(_) => {
            return Err("another process listens there; choose another path by HOLDUP_ADDR".to_owned());
        }
    }
    // Another process may have found the same and been faster: what is taken away is moved first, and looked at again.
    let aside = aside(path);
    match fs::rename(path, &aside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        moved => moved.map_err(|error| format!("a socket that nobody listens at is in the way ({error})"))?,
    }
    // A new one may have been given the number of one that is gone.
    let is_the_same = fs::symlink_metadata(&aside).is_ok_and(|moved| FileId::of(&moved) == FileId::of(&metadata))
        && knock(&aside).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    if !is_the_same {
        // It goes back only where there is nothing else by now.
        let _ = fs::hard_link(&aside, path);
    }
    let _ = fs::remove_file(&aside);
    if is_the_same { Ok(()) } else { Err("another process has just begun to listen there".to_owned()) }
}

/// A name beside it that nobody else uses.
fn aside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".stale-{}", std::process::id()));
    path.with_file_name(name)
}

/// Whether anybody answers. It does not wait: where a queue is full, somebody is there.
fn knock(path: &Path) -> io::Result<()> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("holdup-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn socket(&self) -> PathBuf {
            self.0.join("a.sock")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn refused(path: &Path) -> String {
        bind(path).map(drop).unwrap_err().to_string()
    }

    #[test]
    fn its_mode_lets_nobody_else_in_and_at_the_end_it_is_gone() {
        let folder = Folder::new("mode");
        let path = folder.socket();
        let (listener, name) = bind(&path).unwrap();
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        assert_eq!(name.owner, metadata.uid());
        assert!(UnixStream::connect(&path).is_ok());
        drop((listener, name));
        assert!(fs::symlink_metadata(&path).is_err());
    }

    #[test]
    fn one_that_nobody_answers_at_is_replaced_and_one_that_somebody_has_is_not() {
        let folder = Folder::new("stale");
        let path = folder.socket();
        drop(UnixListener::bind(&path).unwrap());
        let (_listener, name) = bind(&path).unwrap();
        assert!(UnixStream::connect(&path).is_ok());
        assert!(refused(&path).contains("another process listens there"));
        assert!(UnixStream::connect(&path).is_ok(), "it was left alone");
        drop(name);
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0, "nothing lies about");
    }

    #[test]
    fn one_whose_queue_is_full_has_somebody() {
        let folder = Folder::new("full");
        let path = folder.socket();
        let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        listener.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        listener.listen(0).unwrap();
        let waiting = UnixStream::connect(&path).unwrap();
        assert!(refused(&path).contains("another process listens there"));
        drop(waiting);
    }

    #[test]
    fn a_file_that_is_no_socket_is_left_alone() {
        let folder = Folder::new("file");
        let path = folder.socket();
        fs::write(&path, "something").unwrap();
        assert!(refused(&path).contains("no socket"));
        assert_eq!(fs::read(&path).unwrap(), b"something");
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", &path).unwrap();
        assert!(refused(&path).contains("no socket"), "a link is none either");
    }

    #[test]
    fn one_that_took_its_name_is_not_removed_at_the_end() {
        let folder = Folder::new("taken");
        let path = folder.socket();
        let (_listener, name) = bind(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let other = UnixListener::bind(&path).unwrap();
        drop(name);
        assert!(UnixStream::connect(&path).is_ok());
        drop(other);
    }

    #[test]
    fn a_folder_that_is_not_there_is_said() {
        let said = refused(Path::new("/nonexistent/a.sock"));
        assert!(said.contains("/nonexistent/a.sock") && said.contains("No such file"), "{said}");
    }
}
