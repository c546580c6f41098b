//! A child that is forked from the service has no agent: of the threads only the one that forked goes on in it, and locks may be held for
//! good by those that do not. So nothing is collected in it, and nobody connects to it: the socket that it has from its parent is
//! closed. What `fork` and `exec` start together, as `std::process::Command` does, never comes here.

#[cfg(all(test, target_os = "linux"))]
pub(crate) use linux::child_has;
#[cfg(target_os = "linux")]
pub(crate) use linux::{Listens, is_child, look_out};
#[cfg(not(target_os = "linux"))]
pub(crate) use others::{Listens, is_child, look_out};

#[cfg(target_os = "linux")]
mod linux {
    use crate::collect;
    use std::{
        os::fd::{AsRawFd, RawFd},
        sync::{
            Once,
            atomic::{AtomicBool, AtomicI32, Ordering},
        },
    };

    /// The descriptors of the sockets on which the agent listens, for clients and for Prometheus; -1 for none.
    static LISTENS: [AtomicI32; 4] = [const { AtomicI32::new(-1) }; 4];

    static IS_CHILD: AtomicBool = AtomicBool::new(false);

    /// Has the socket closed in children, until this is dropped: before the socket is, for its number may then be another's.
    #[derive(Debug)]
    pub(crate) struct Listens(RawFd);

    impl Listens {
        pub(crate) fn on(socket: &impl AsRawFd) -> Self {
            let number = socket.as_raw_fd();
            // An agent has two at the most.
            let _ = LISTENS
                .iter()
                .find(|place| place.compare_exchange(-1, number, Ordering::SeqCst, Ordering::SeqCst).is_ok());
            Self(number)
        }
    }

    impl Drop for Listens {
        fn drop(&mut self) {
            let _ = LISTENS
                .iter()
                .find(|place| place.compare_exchange(self.0, -1, Ordering::SeqCst, Ordering::SeqCst).is_ok());
        }
    }

    /// From here on children are noticed.
    pub(crate) fn look_out() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            #[expect(unsafe_code, reason = "there is no safe interface to it")]
            // SAFETY: the handler does nothing that may not be done in the child of a process with many threads. Where there is no
            // memory for it, children are not noticed, and that is all.
            let _ = unsafe { libc::pthread_atfork(None, None, Some(begins)) };
        });
    }

    /// Runs in a child before anything else does. It takes no lock and allocates nothing.
    extern "C" fn begins() {
        IS_CHILD.store(true, Ordering::SeqCst);
        collect::pass_on();
        for place in &LISTENS {
            let socket = place.swap(-1, Ordering::SeqCst);
            if socket >= 0 {
                #[expect(
                    unsafe_code,
                    reason = "whatever owns the descriptor is on a thread that this process does not have"
                )]
                // SAFETY: the number is the listener's, and nothing in this process uses it any more.
                let _ = unsafe { libc::close(socket) };
            }
        }
    }

    /// Whether this process was forked from the one in which the agent started.
    pub(crate) fn is_child() -> bool {
        IS_CHILD.load(Ordering::SeqCst)
    }

    /// Whether a child that is forked now has what this process has open.
    #[cfg(test)]
    pub(crate) fn child_has(open: &impl AsRawFd) -> bool {
        let mut status = 0;
        #[expect(unsafe_code, reason = "there is no safe interface to it")]
        // SAFETY: the child asks for one thing and is gone, for which it takes no lock and allocates nothing; it is this process's own.
        unsafe {
            let child = libc::fork();
            if child == 0 {
                libc::_exit(i32::from(libc::fcntl(open.as_raw_fd(), libc::F_GETFD) != -1));
            }
            assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
        }
        status != 0
    }
}

#[cfg(not(target_os = "linux"))]
mod others {
    /// On other systems a child keeps the socket.
    #[derive(Debug)]
    pub(crate) struct Listens;

    impl Listens {
        pub(crate) fn on<T>(_: &T) -> Self {
            Self
        }
    }

    pub(crate) fn look_out() {}

    pub(crate) fn is_child() -> bool {
        false
    }
}
