//! Memory that is read while it may change, or may not be there.

#![allow(unsafe_code, reason = "memory that may not be there is read by the kernel")]

use std::io;

const PAGE: u64 = 4096;

/// The memory of a process.
pub trait Memory {
    /// Copies memory from `address` on, up to the first page that cannot be read, and says how much.
    ///
    /// # Errors
    ///
    /// The system's, when not even the first byte can be read.
    fn read(&self, address: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Fills all of `into`; false when it cannot be read.
    fn fill(&self, address: u64, into: &mut [u8]) -> bool {
        self.read(address, into).is_ok_and(|read| read == into.len())
    }
}

/// The memory of this process, read as a debugger would: an address that is not there is an error and not a crash.
#[derive(Debug, Clone, Copy, Default)]
pub struct OwnMemory;

impl Memory for OwnMemory {
    fn read(&self, address: u64, into: &mut [u8]) -> io::Result<usize> {
        read_own(address, into)
    }
}

/// Copies memory of this process from `address` on, up to the first page that cannot be read, and says how much. It allocates
/// nothing and takes no lock, and so it may be called in a signal handler; it changes `errno`.
///
/// # Errors
///
/// The system's, when not even the first byte can be read.
pub fn read_own(address: u64, into: &mut [u8]) -> io::Result<usize> {
    const PIECES: usize = 32;
    let mut copied = 0;
    while copied < into.len() {
        // A transfer stops before the first piece that cannot be read whole: hence pieces that end where pages do.
        let mut pieces = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; PIECES];
        let mut planned = 0;
        for piece in &mut pieces {
            let from = address.saturating_add((copied + planned) as u64);
            let len = ((PAGE - from % PAGE) as usize).min(into.len() - copied - planned);
            *piece = libc::iovec { iov_base: from as *mut libc::c_void, iov_len: len };
            planned += len;
        }
        let local = libc::iovec { iov_base: into[copied..].as_mut_ptr().cast(), iov_len: planned };
        // SAFETY: the kernel writes at most `planned` bytes to `local`, which is that much of `into`; it checks the addresses
        // that it reads from, whatever they are.
        let read =
            unsafe { libc::process_vm_readv(libc::getpid(), &raw const local, 1, pieces.as_ptr(), PIECES as u64, 0) };
        match usize::try_from(read) {
            Ok(read) => copied += read,
            Err(_) if copied == 0 => return Err(io::Error::last_os_error()),
            Err(_) => break,
        }
        if (read as usize) < planned {
            break;
        }
    }
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_up_to_where_it_ends() {
        // SAFETY: three fresh pages, of which the last is taken away again; nobody else knows them.
        let start = unsafe {
            let start = libc::mmap(
                std::ptr::null_mut(),
                3 * PAGE as usize,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            assert_ne!(start, libc::MAP_FAILED);
            std::ptr::write_bytes(start.cast::<u8>(), 7, 2 * PAGE as usize);
            assert_eq!(libc::mprotect(start.byte_add(2 * PAGE as usize), PAGE as usize, libc::PROT_NONE), 0);
            start as u64
        };
        let mut bytes = vec![0; 5 * PAGE as usize];
        assert_eq!(read_own(start + 100, &mut bytes).unwrap(), 2 * PAGE as usize - 100);
        assert!(bytes[..2 * PAGE as usize - 100].iter().all(|byte| *byte == 7));
        assert!(read_own(start + 2 * PAGE, &mut bytes).is_err());
        assert!(read_own(u64::MAX - 10, &mut bytes).is_err());
    }

    #[test]
    fn more_than_one_transfer_is_read_whole() {
        let from: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
        let mut into = vec![0; from.len()];
        assert_eq!(read_own(from.as_ptr() as u64, &mut into).unwrap(), from.len());
        assert_eq!(into, from);
    }
}
