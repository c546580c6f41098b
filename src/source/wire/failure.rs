//! Everything that can end a try or a connection, in words: what happened, to what, and what to try next.

use super::{
    framing::FrameError,
    peer::{End, Peer, Speaks},
};
use std::{io, time::Duration};
use tonic::Code;

/// Why there is no connection, or none any more. Its `Display` is for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    #[error("the name {host} cannot be resolved ({error}); check its spelling")]
    Resolve { host: String, error: String },
    #[error("nothing listens at {0}; is the service running, and is its console on this port?")]
    Refused(String),
    #[error("there is no socket at {0}; is the service running, and is this its path?")]
    NoSocket(String),
    #[error("not allowed to connect to {0}; try as the user that the service runs as")]
    Denied(String),
    #[error("cannot connect to {target} ({error})")]
    Dial { target: String, error: String },
    #[error("{target} did not accept a connection within {}; is there a firewall between?", seconds(*.waited))]
    ConnectTimeout { target: String, waited: Duration },
    #[error(
        "{target} accepted the connection but did not answer within {}; is it another kind of server, \
         or is the runtime that serves its console stuck?",
        seconds(*.waited)
    )]
    NoAnswer { target: String, waited: Duration },
    #[error("what listens there speaks HTTP/1, not gRPC; is it the service's own port rather than its console's?")]
    Http1,
    #[error("what listens there expects TLS, which is not supported yet; forward the port with ssh -L instead")]
    Tls,
    #[error("what listens there does not speak gRPC; is it another port?")]
    NotGrpc,
    #[error("it answered HTTP {0} and not gRPC; is it another port, or a proxy between?")]
    HttpStatus(u16),
    #[error("it is a gRPC server without a console; does the service start console-subscriber on this port?")]
    NotConsole,
    #[error("it refused: {0} (some resource has been exhausted)")]
    NoRoom(String),
    #[error("it refused: {message} ({code})")]
    Refusal { code: String, message: String },
    #[error(
        "a message of {} is over the limit of {}; allow more with --max-message",
        mebibytes(*.size),
        mebibytes(*.limit)
    )]
    TooLarge { size: usize, limit: usize },
    #[error("it sent a compressed message, which was not asked for; is there a proxy between?")]
    Compressed,
    #[error("the connection was closed by the target; has the service stopped?")]
    Closed,
    #[error("the connection was reset; has the service been killed?")]
    Reset,
    #[error("nothing came back for {}; is the network down, or is the service suspended?", seconds(*.0))]
    Silent(Duration),
    #[error("the target ended its stream; it does so when it stops, and when its updates are read too slowly")]
    Ended,
    #[error("the connection broke ({0})")]
    Broken(String),
}

/// The peer is asked for a sign of life after this much silence,
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// and given up when none has come after this much more.
pub(super) const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

impl Failure {
    /// Whether the next try can only end the same way: what answers is not a console, and tells so by what it is.
    /// What a proxy says while what it stands for is away (502, 503, 429 …) is not final, nor is what may be a matter of load or time.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Http1 | Self::Tls | Self::NotGrpc | Self::NotConsole => true,
            Self::HttpStatus(status) => (400..500).contains(status) && !matches!(status, 408 | 425 | 429),
            _ => false,
        }
    }

    /// Whether the target is there and has too much to do: it is not to be asked again at once.
    pub(super) fn is_of_load(&self) -> bool {
        matches!(self, Self::NoRoom(_))
    }

    /// Why a connection to `target` was not made.
    pub(super) fn to_connect(target: &str, error: &io::Error) -> Self {
        let target = target.to_owned();
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused(target),
            io::ErrorKind::NotFound => Self::NoSocket(target),
            io::ErrorKind::PermissionDenied => Self::Denied(target),
            _ => Self::Dial { target, error: error.to_string() },
        }
    }

    /// Why a connection that was made is of no use any more. `error` is what is said where nothing was seen.
    pub(super) fn of_connection(peer: &Peer, error: &(dyn std::error::Error + 'static)) -> Self {
        match (peer.speaks(), peer.end()) {
            (Speaks::Http1, _) => Self::Http1,
            (Speaks::Tls, _) => Self::Tls,
            (Speaks::Unknown, _) => Self::NotGrpc,
            (_, Some(End::Closed)) => Self::Closed,
            (_, Some(End::Broken(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe))) => Self::Reset,
            (_, None) if peer.silence() >= KEEP_ALIVE_TIMEOUT => Self::Silent(peer.silence()),
            _ => Self::Broken(innermost(error)),
        }
    }

    /// Why the target ended a response: the status that it gave.
    pub(super) fn of_status(code: Code, message: &str) -> Self {
        match code {
            Code::Ok => Self::Ended,
            Code::Unimplemented => Self::NotConsole,
            Code::ResourceExhausted => Self::NoRoom(bounded(message)),
            _ => Self::Refusal { code: code.description().to_lowercase(), message: bounded(message) },
        }
    }

    /// Why a frame was not accepted by a client with this limit.
    pub(super) fn of_frame(error: FrameError, limit: usize) -> Self {
        match error {
            FrameError::TooLarge { size } => Self::TooLarge { size, limit },
            FrameError::Compressed => Self::Compressed,
        }
    }
}

/// What a peer says in a status is shown in one line.
const MAX_MESSAGE: usize = 200;

/// The first characters of what a peer says.
pub(super) fn bounded(message: &str) -> String {
    if message.is_empty() {
        return "without a reason".to_owned();
    }
    message.chars().take(MAX_MESSAGE).collect()
}

/// The cause behind the layers that wrapped it.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    bounded(&cause.to_string())
}

fn seconds(duration: Duration) -> String {
    format!("{} s", (duration.as_secs_f64() * 10.0).round() / 10.0)
}

fn mebibytes(bytes: usize) -> String {
    format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_says_what_happened_and_what_to_try() {
        let target = || "host:6669".to_owned();
        let waited = Duration::from_millis(2_500);
        let resolve = Failure::Resolve { host: "hots".to_owned(), error: "no such name".to_owned() };
        let table = [
            (resolve, "the name hots cannot be resolved"),
            (Failure::Refused(target()), "nothing listens at host:6669"),
            (Failure::NoSocket("/run/a".to_owned()), "there is no socket at /run/a"),
            (Failure::Denied("/run/a".to_owned()), "not allowed to connect to /run/a"),
            (Failure::Dial { target: target(), error: "x".to_owned() }, "cannot connect to host:6669 (x)"),
            (Failure::ConnectTimeout { target: target(), waited }, "did not accept a connection within 2.5 s"),
            (Failure::NoAnswer { target: target(), waited }, "did not answer within 2.5 s"),
            (Failure::Http1, "speaks HTTP/1, not gRPC"),
            (Failure::Tls, "ssh -L"),
            (Failure::NotGrpc, "does not speak gRPC"),
            (Failure::HttpStatus(404), "HTTP 404"),
            (Failure::NotConsole, "without a console"),
            (Failure::TooLarge { size: 600 << 20, limit: 512 << 20 }, "600.0 MiB is over the limit of 512.0 MiB"),
            (Failure::TooLarge { size: 2, limit: 1 }, "--max-message"),
            (Failure::Compressed, "compressed"),
            (Failure::NoRoom("there are 16".to_owned()), "it refused: there are 16 (some resource"),
            (Failure::Closed, "closed by the target"),
            (Failure::Reset, "was reset"),
            (Failure::Silent(Duration::from_secs(30)), "nothing came back for 30 s"),
            (Failure::Ended, "read too slowly"),
            (Failure::Broken("x".to_owned()), "the connection broke (x)"),
        ];
        for (failure, said) in table {
            let reason = failure.to_string();
            assert!(reason.contains(said), "{failure:?}: {reason}");
            assert!(!reason.contains('\n') && reason.len() < 200, "{reason}");
        }
    }

    #[test]
    fn only_what_can_never_be_a_console_is_final() {
        for failure in [Failure::Http1, Failure::Tls, Failure::NotGrpc, Failure::NotConsole, Failure::HttpStatus(404)] {
            assert!(failure.is_final(), "{failure:?}");
        }
        let target = || "host:6669".to_owned();
        let waited = Duration::from_secs(5);
        let may_get_better = [
            Failure::Resolve { host: "host".to_owned(), error: "x".to_owned() },
            Failure::Refused(target()),
            Failure::NoSocket(target()),
            Failure::Denied(target()),
            Failure::NoAnswer { target: target(), waited },
            Failure::HttpStatus(429),
            Failure::HttpStatus(502),
            Failure::Refusal { code: "x".to_owned(), message: "y".to_owned() },
            Failure::NoRoom("x".to_owned()),
            Failure::TooLarge { size: 2, limit: 1 },
            Failure::Closed,
            Failure::Reset,
            Failure::Silent(waited),
            Failure::Ended,
        ];
        for failure in may_get_better {
            assert!(!failure.is_final(), "{failure:?}");
        }
    }

    #[test]
    fn a_status_is_told_with_its_message_bounded() {
        assert_eq!(Failure::of_status(Code::Ok, ""), Failure::Ended);
        assert_eq!(Failure::of_status(Code::Unimplemented, "x"), Failure::NotConsole);
        let full = Failure::of_status(Code::ResourceExhausted, "there are 16");
        assert!(full.is_of_load() && !Failure::NotConsole.is_of_load());
        let refused = Failure::of_status(Code::PermissionDenied, &"no ".repeat(10_000));
        assert!(refused.to_string().len() < 400);
        assert!(refused.to_string().starts_with("it refused: no no"));
        let silent = Failure::of_status(Code::Internal, "").to_string();
        assert!(silent.contains("without a reason"), "{silent}");
    }

    #[test]
    fn an_error_to_connect_is_told_by_its_kind() {
        let of = |kind: io::ErrorKind| Failure::to_connect("t", &kind.into());
        assert_eq!(of(io::ErrorKind::ConnectionRefused), Failure::Refused("t".to_owned()));
        assert_eq!(of(io::ErrorKind::NotFound), Failure::NoSocket("t".to_owned()));
        assert_eq!(of(io::ErrorKind::PermissionDenied), Failure::Denied("t".to_owned()));
        assert!(matches!(of(io::ErrorKind::NetworkUnreachable), Failure::Dial { .. }));
    }
}
