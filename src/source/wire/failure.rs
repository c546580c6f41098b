//! Everything that can end a try or a connection, in words: what happened, to what, and what to try next.

use super::{
    framing::FrameError,
    peer::{End, Peer, Speaks},
    tls::Refused,
};
use std::{io, time::Duration};
use tonic::Code;

/// Why there is no connection, or none any more. Its `Display` is for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    #[error("the name {host} cannot be resolved ({error}); check its spelling")]
    Resolve { host: String, error: String },
    #[error("nothing listens at {0}; is the service running, and is its console on this port?")]
    NotListening(String),
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
    #[error("what listens there expects TLS; type https://…")]
    Tls,
    #[error("what listens there does not speak TLS; type http://…, where the way there is one's own")]
    NotTls,
    #[error("{0}")]
    Credentials(String),
    #[error(
        "nobody whom this client believes has signed the certificate of what listens there; if it is the right one, give its \
         authority by --ca FILE"
    )]
    UnknownIssuer,
    #[error(
        "the certificate of what listens there is not for {name}{names}; type the target by a name that it has, or give one by \
         --server-name NAME"
    )]
    WrongName { name: String, names: String },
    #[error("the certificate of what listens there has expired; have it renewed, or look at this machine's clock")]
    Expired,
    #[error("the certificate of what listens there is not valid yet; look at both machines' clocks")]
    NotValidYet,
    #[error("the certificate of what listens there cannot be believed ({0}); have it made anew")]
    Certificate(String),
    #[error("TLS could not be agreed upon ({0}); is it another kind of server?")]
    Handshake(String),
    #[error("{}", refused(*.0))]
    Refused(Refused),
    #[error("it asks for a token and was given none; give it by --token-file FILE, or in HOLDUP_TOKEN")]
    NoToken,
    #[error("it refused the token; is it this service's, or was it replaced?")]
    BadToken,
    #[error(
        "it asks for a token, and to another machine none is sent without TLS; type https://…, or forward the port with ssh -L"
    )]
    TokenWithheld,
    #[error("not allowed: {0}")]
    Forbidden(String),
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
    /// Whether the next try can only end the same way: what answers is not a console, and tells so by what it is; or one of both
    /// does not believe the other, which takes somebody to mend.
    /// What a proxy says while what it stands for is away (502, 503, 429 …) is not final, nor is what may be a matter of load or time.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Http1
            | Self::Tls
            | Self::NotTls
            | Self::NotGrpc
            | Self::NotConsole
            | Self::Denied(_)
            | Self::Credentials(_)
            | Self::UnknownIssuer
            | Self::WrongName { .. }
            | Self::Expired
            | Self::NotValidYet
            | Self::Certificate(_)
            | Self::Refused(_)
            | Self::NoToken
            | Self::BadToken
            | Self::TokenWithheld
            | Self::Forbidden(_) => true,
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
            io::ErrorKind::ConnectionRefused => Self::NotListening(target),
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
            (_, Some(End::Tls(refused))) => Self::Refused(refused),
            (_, Some(End::Closed)) => Self::Closed,
            (_, Some(End::Broken(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe))) => Self::Reset,
            (_, None) if peer.silence() >= KEEP_ALIVE_TIMEOUT => Self::Silent(peer.silence()),
            _ => Self::Broken(innermost(error)),
        }
    }

    /// Why the target ended a response: the status that it gave to one who had shown this.
    pub(super) fn of_status(code: Code, message: &str, shown: Shown) -> Self {
        match (code, shown) {
            (Code::Ok, _) => Self::Ended,
            (Code::Unimplemented, _) => Self::NotConsole,
            (Code::Unauthenticated, Shown::Nothing) => Self::NoToken,
            (Code::Unauthenticated, Shown::Token) => Self::BadToken,
            (Code::Unauthenticated, Shown::Withheld) => Self::TokenWithheld,
            (Code::ResourceExhausted, _) => Self::NoRoom(bounded(message)),
            (Code::PermissionDenied, _) => Self::Forbidden(bounded(message)),
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

/// What this client shows with its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Nothing.
    Nothing,
    /// Its token.
    Token,
    /// Not its token: others could read it on the way.
    Withheld,
}

fn refused(refused: Refused) -> String {
    match refused {
        Refused::NoCertificate => {
            "it asks for a certificate and was given none; give one by --cert FILE and --key FILE".to_owned()
        }
        Refused::Certificate(why) => {
            format!("it refused the certificate of --cert: {why}; is it one that was made for this service?")
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
            (Failure::NotListening(target()), "nothing listens at host:6669"),
            (Failure::NoSocket("/run/a".to_owned()), "there is no socket at /run/a"),
            (Failure::Denied("/run/a".to_owned()), "not allowed to connect to /run/a"),
            (Failure::Dial { target: target(), error: "x".to_owned() }, "cannot connect to host:6669 (x)"),
            (Failure::ConnectTimeout { target: target(), waited }, "did not accept a connection within 2.5 s"),
            (Failure::NoAnswer { target: target(), waited }, "did not answer within 2.5 s"),
            (Failure::Http1, "speaks HTTP/1, not gRPC"),
            (Failure::Tls, "type https://"),
            (Failure::NotTls, "type http://"),
            (Failure::Credentials("x".to_owned()), "x"),
            (Failure::UnknownIssuer, "--ca FILE"),
            (
                Failure::WrongName { name: "a".to_owned(), names: " but for b".to_owned() },
                "is not for a but for b; type",
            ),
            (Failure::Expired, "has expired"),
            (Failure::NotValidYet, "clocks"),
            (Failure::Certificate("x".to_owned()), "cannot be believed (x)"),
            (Failure::Handshake("x".to_owned()), "(x)"),
            (Failure::Refused(Refused::NoCertificate), "--cert FILE and --key FILE"),
            (Failure::Refused(Refused::Certificate("it was revoked")), "--cert: it was revoked; is it"),
            (Failure::NoToken, "--token-file FILE"),
            (Failure::BadToken, "is it this service's"),
            (Failure::TokenWithheld, "type https://"),
            (Failure::Forbidden("no".to_owned()), "not allowed: no"),
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
    fn only_what_can_never_be_a_console_and_what_somebody_must_mend_is_final() {
        let to_mend = [
            Failure::Denied("/run/a".to_owned()),
            Failure::UnknownIssuer,
            Failure::WrongName { name: "a".to_owned(), names: String::new() },
            Failure::Expired,
            Failure::Refused(Refused::NoCertificate),
            Failure::NoToken,
            Failure::BadToken,
            Failure::Forbidden("no".to_owned()),
            Failure::NotTls,
        ];
        let never = [Failure::Http1, Failure::Tls, Failure::NotGrpc, Failure::NotConsole, Failure::HttpStatus(404)];
        for failure in never.into_iter().chain(to_mend) {
            assert!(failure.is_final(), "{failure:?}");
        }
        let target = || "host:6669".to_owned();
        let waited = Duration::from_secs(5);
        let may_get_better = [
            Failure::Resolve { host: "host".to_owned(), error: "x".to_owned() },
            Failure::NotListening(target()),
            Failure::NoSocket(target()),
            Failure::Handshake("x".to_owned()),
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
        let of = |code: Code, message: &str| Failure::of_status(code, message, Shown::Nothing);
        assert_eq!(of(Code::Ok, ""), Failure::Ended);
        assert_eq!(of(Code::Unimplemented, "x"), Failure::NotConsole);
        let full = of(Code::ResourceExhausted, "there are 16");
        assert!(full.is_of_load() && !Failure::NotConsole.is_of_load());
        let refused = of(Code::Aborted, &"no ".repeat(10_000));
        assert!(refused.to_string().len() < 400);
        assert!(refused.to_string().starts_with("it refused: no no"));
        let silent = of(Code::Internal, "").to_string();
        assert!(silent.contains("without a reason"), "{silent}");
    }

    #[test]
    fn who_is_not_believed_is_told_by_what_was_shown() {
        let of = |shown: Shown| Failure::of_status(Code::Unauthenticated, "who are you?", shown);
        assert_eq!(of(Shown::Nothing), Failure::NoToken);
        assert_eq!(of(Shown::Token), Failure::BadToken);
        assert_eq!(of(Shown::Withheld), Failure::TokenWithheld);
        let forbidden = Failure::of_status(Code::PermissionDenied, "no right to pause", Shown::Token);
        assert_eq!(forbidden.to_string(), "not allowed: no right to pause");
    }

    #[test]
    fn an_error_to_connect_is_told_by_its_kind() {
        let of = |kind: io::ErrorKind| Failure::to_connect("t", &kind.into());
        assert_eq!(of(io::ErrorKind::ConnectionRefused), Failure::NotListening("t".to_owned()));
        assert_eq!(of(io::ErrorKind::NotFound), Failure::NoSocket("t".to_owned()));
        assert_eq!(of(io::ErrorKind::PermissionDenied), Failure::Denied("t".to_owned()));
        assert!(matches!(of(io::ErrorKind::NetworkUnreachable), Failure::Dial { .. }));
    }
}
