//! Who may look, and who may act: decided for each call, by where its connection comes from and by what was shown.
//!
//! | comes by | has to show | may |
//! |---|---|---|
//! | a Unix socket | that it is of the socket's owner, or of root: the kernel says so | everything |
//! | TCP | a token, where there are any; a certificate, where somebody signs them; and without TLS it must call the agent by a name of its own | what those are good for, and watch where nothing is asked for |
//!
//! Each way to act takes a right of its own, and stacks are captured once in a second at most, whoever asks. Whoever is turned away is told why, and each that is, begins to watch, or acts is told to the [`audit`](crate::audit).

mod reload;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;

use super::{
    door::Io,
    listen::{Origin, Place},
};
use crate::{
    Error,
    access::{Access, Rights, Tokens},
    audit::{Audit, Event, Kind},
};
use parking_lot::Mutex;
use reload::Reloaded;
use std::{
    io,
    net::IpAddr,
    time::{Duration, Instant},
};
use tls::Tls;
use tokio::io::{AsyncWriteExt as _, copy, sink};
use tonic::{
    Status,
    codegen::http::{HeaderMap, Uri, header},
};

/// Calls that act, and the right that each takes: those that change what others are told, and the one that has threads interrupted.
const ACTS: [(&str, Rights); 3] = [
    ("/rs.tokio.console.instrument.Instrument/Pause", Rights::PAUSE),
    ("/rs.tokio.console.instrument.Instrument/Resume", Rights::PAUSE),
    (CAPTURES, Rights::CAPTURE),
];

/// The call by which stacks are captured.
const CAPTURES: &str = "/holdup.v1.Diagnostics/CaptureStacks";

/// Between two of those, whoever makes them.
const BETWEEN_CAPTURES: Duration = Duration::from_secs(1);

/// Calls with which somebody begins to watch: they tell everything, for as long as they go on, or as it was.
pub(super) const ATTACHES: [&str; 3] = [
    "/rs.tokio.console.instrument.Instrument/WatchUpdates",
    "/holdup.v1.Diagnostics/Watch",
    "/holdup.v1.Diagnostics/FetchHistory",
];

/// What a client calls the agent is shown up to here.
const SHOWN: usize = 80;

/// What is asked of those who come.
#[derive(Debug)]
pub(super) struct Gate {
    tokens: Option<Reloaded<Tokens>>,
    tls: Option<Tls>,
    hosts: Vec<String>,
    audit: Audit,
    /// When stacks were asked for last by somebody who may.
    captured: Mutex<Option<Instant>>,
}

/// One connection's other end, as far as the connection itself shows who it is.
#[derive(Debug)]
pub(super) struct Visitor {
    from: Origin,
    certificate: Certificate,
}

/// What a certificate shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "without TLS nobody shows one"))]
pub(super) enum Certificate {
    /// None was asked for.
    NotAsked,
    /// One of somebody who may do this.
    Of { name: String, rights: Rights },
    /// One that is signed as it should be, with a name that is on no list.
    Unlisted { name: String },
}

impl Certificate {
    /// Whose it is, in words; nothing where there is none.
    fn in_words(&self) -> Option<String> {
        match self {
            Self::NotAsked => None,
            Self::Of { name, .. } | Self::Unlisted { name } => Some(format!("certificate of {name}")),
        }
    }
}

/// Who makes a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    who: String,
}

/// Why nobody is told any metrics, in words.
#[cfg(feature = "metrics")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Turned {
    /// What is asked for was not shown.
    ShowsNothing(String),
    MayNot(String),
}

#[cfg(feature = "metrics")]
impl From<Refused> for Turned {
    fn from(refused: Refused) -> Self {
        let said = refused.to_string();
        match refused {
            Refused::NoToken | Refused::BadToken => Self::ShowsNothing(said),
            Refused::User | Refused::Name(_) | Refused::Certificate | Refused::Right(_) | Refused::TooOften => {
                Self::MayNot(said)
            }
        }
    }
}

/// Why there is no call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error("this socket is for its owner and root")]
    User,
    #[error(
        "the agent does not go by the name {0:?}; call it by its address or localhost, or tell it that name by HOLDUP_HOSTS"
    )]
    Name(String),
    #[error("the agent asks for a token")]
    NoToken,
    #[error("this is no token of the agent's")]
    BadToken,
    #[error("the certificate has no name that HOLDUP_TLS_CLIENT_NAMES lists")]
    Certificate,
    #[error("this takes the right to {0}, which only a token or a certificate gives over TCP")]
    Right(&'static str),
    #[error("stacks were asked for less than a second ago, by this client or another")]
    TooOften,
}

impl From<&Refused> for Status {
    fn from(refused: &Refused) -> Self {
        let said = refused.to_string();
        match refused {
            Refused::NoToken | Refused::BadToken => Self::unauthenticated(said),
            Refused::User | Refused::Name(_) | Refused::Certificate | Refused::Right(_) => {
                Self::permission_denied(said)
            }
            Refused::TooOften => Self::resource_exhausted(said),
        }
    }
}

impl Gate {
    /// For who comes to this place. What is asked for is read, and whatever is wrong with it is an error.
    pub(super) fn new(access: &Access, place: &Place, audit: Audit) -> Result<Self, Error> {
        if matches!(place, Place::Unix(_)) {
            return Ok(Self { tokens: None, tls: None, hosts: Vec::new(), audit, captured: Mutex::default() });
        }
        let tokens = access.token().map(|token| {
            let files = token.file().cloned().into_iter().collect();
            Reloaded::new(files, move || token.read())
        });
        let (tokens, tls, hosts) = (tokens.transpose()?, Tls::new(access)?, access.hosts.clone());
        Ok(Self { tokens, tls, hosts, audit, captured: Mutex::default() })
    }

    /// Lets a connection as far as its first call: by TLS, where that is spoken.
    pub(super) async fn enter(&self, io: Box<dyn Io>, from: Origin) -> io::Result<(Box<dyn Io>, Visitor)> {
        let Some(tls) = &self.tls else { return Ok((io, Visitor { from, certificate: Certificate::NotAsked })) };
        match tls.enter(io, |error| self.warn(&error)).await {
            Ok((io, certificate)) => Ok((io, Visitor { from, certificate })),
            Err((error, mut io)) => {
                self.tell(Kind::Refusal, &peer(&from), "", &format!("TLS: {error}"));
                io.shutdown().await?;
                // What is closed with something unread in it takes back what was said.
                copy(&mut io, &mut sink()).await?;
                Err(error)
            }
        }
    }

    /// Whether this call may be made.
    pub(super) fn admit(&self, visitor: &Visitor, uri: &Uri, headers: &HeaderMap) -> Result<Known, Status> {
        self.judge(visitor, uri, headers).map_err(|refused| {
            let who = visitor.certificate.in_words().unwrap_or_default();
            self.refuse(visitor, &who, uri, &refused)
        })
    }

    /// Whether metrics may be read, for which the same has to be shown as for a call that watches. Each time is too often for the audit; refusals are told.
    #[cfg(feature = "metrics")]
    pub(super) fn admit_to_metrics(&self, visitor: &Visitor, uri: &Uri, headers: &HeaderMap) -> Result<(), Turned> {
        self.judge_for(Rights::WATCH, visitor, uri, headers).map(drop).map_err(|refused| {
            let who = visitor.certificate.in_words().unwrap_or_default();
            self.tell(Kind::Refusal, &peer(&visitor.from), &who, &format!("metrics: {refused}"));
            Turned::from(refused)
        })
    }

    /// Whether it is time for this call, which may be made: whoever makes one too soon is a guest like others.
    pub(super) fn is_time(&self, visitor: &Visitor, known: &Known, uri: &Uri) -> Result<(), Status> {
        if uri.path() != CAPTURES || self.may_capture_again() {
            return Ok(());
        }
        Err(self.refuse(visitor, &known.who, uri, &Refused::TooOften))
    }

    /// Whether it is long enough since stacks were asked for, which they are then.
    fn may_capture_again(&self) -> bool {
        let (now, mut last) = (Instant::now(), self.captured.lock());
        let may = last.is_none_or(|last| now.duration_since(last) >= BETWEEN_CAPTURES);
        if may {
            *last = Some(now);
        }
        may
    }

    fn refuse(&self, visitor: &Visitor, who: &str, uri: &Uri, refused: &Refused) -> Status {
        self.tell(Kind::Refusal, &peer(&visitor.from), who, &format!("{}: {refused}", asked(uri)));
        Status::from(refused)
    }

    /// Notes that this call is made.
    pub(super) fn note(&self, visitor: &Visitor, known: &Known, uri: &Uri) {
        let kind = match uri.path() {
            path if right_to_act(path).is_some() => Kind::Act,
            path if ATTACHES.contains(&path) => Kind::Attach,
            _ => return,
        };
        self.tell(kind, &peer(&visitor.from), &known.who, asked(uri));
    }

    fn judge(&self, visitor: &Visitor, uri: &Uri, headers: &HeaderMap) -> Result<Known, Refused> {
        self.judge_for(right_to_act(uri.path()).unwrap_or(Rights::WATCH), visitor, uri, headers)
    }

    /// Whether this may be asked for, which takes that right.
    fn judge_for(&self, needed: Rights, visitor: &Visitor, uri: &Uri, headers: &HeaderMap) -> Result<Known, Refused> {
        let local = match visitor.from {
            Origin::Unix { user, owner, .. } if user == owner || user == 0 => {
                return Ok(Known { who: format!("user {user}") });
            }
            Origin::Unix { .. } => return Err(Refused::User),
            Origin::Tcp { local, .. } => local,
        };
        if self.tls.is_none() {
            self.is_called_rightly(uri, headers, local)?;
        }
        let mut rights = Rights::NONE;
        let mut who = Vec::new();
        if let Some(tokens) = &self.tokens {
            let shown = headers.get(header::AUTHORIZATION).ok_or(Refused::NoToken)?;
            let token = bearer(shown.as_bytes()).ok_or(Refused::BadToken)?;
            let tokens = tokens.get(|error| self.warn(&error));
            let (number, theirs) = tokens.find(token).ok_or(Refused::BadToken)?;
            rights = rights.and(theirs);
            who.push(format!("token {number}"));
        }
        match &visitor.certificate {
            Certificate::NotAsked => {}
            Certificate::Of { rights: theirs, .. } => {
                rights = rights.and(*theirs);
                who.extend(visitor.certificate.in_words());
            }
            Certificate::Unlisted { .. } => return Err(Refused::Certificate),
        }
        if who.is_empty() {
            rights = Rights::WATCH;
        }
        if rights.have(needed) { Ok(Known { who: who.join(", ") }) } else { Err(Refused::Right(needed.word())) }
    }

    /// A page in a browser on this machine can have a name of its own lead here, and the browser then says that name.
    fn is_called_rightly(&self, uri: &Uri, headers: &HeaderMap, local: IpAddr) -> Result<(), Refused> {
        let header = || headers.get(header::HOST).and_then(|host| host.to_str().ok()?.parse().ok());
        let authority = uri.authority().cloned().or_else(header);
        let name = authority.as_ref().map_or("", |authority| authority.host());
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let is_here =
            |address: IpAddr| address.to_canonical().is_loopback() || address.to_canonical() == local.to_canonical();
        let is_known = bare.eq_ignore_ascii_case("localhost")
            || bare.parse().is_ok_and(is_here)
            || self.hosts.iter().any(|host| host.eq_ignore_ascii_case(bare));
        if is_known { Ok(()) } else { Err(Refused::Name(name.chars().take(SHOWN).collect())) }
    }

    fn tell(&self, kind: Kind, peer: &str, who: &str, what: &str) {
        self.audit.tell(Event { kind, peer: peer.to_owned(), who: who.to_owned(), what: what.to_owned() });
    }

    fn warn(&self, error: &Error) {
        self.audit.warn(format!("{error}; what was there before counts on"));
    }
}

/// The right that a call takes which acts.
fn right_to_act(path: &str) -> Option<Rights> {
    ACTS.iter().find(|(act, _)| *act == path).map(|(_, right)| *right)
}

/// The token of a header `Bearer TOKEN`.
fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

/// The last part of a call's path: the others say nothing new. A path that is none of ours may be anything.
fn asked(uri: &Uri) -> &'static str {
    const CALLS: [&str; 10] = [
        "WatchUpdates",
        "WatchTaskDetails",
        "WatchState",
        "Pause",
        "Resume",
        "Describe",
        "Watch",
        "WatchTask",
        "CaptureStacks",
        "FetchHistory",
    ];
    let last = uri.path().rsplit('/').next().unwrap_or_default();
    CALLS.into_iter().find(|call| *call == last).unwrap_or("a call that is not known")
}

/// Where it comes from, in words.
fn peer(from: &Origin) -> String {
    match from {
        Origin::Tcp { remote, .. } => remote.to_string(),
        Origin::Unix { user, process: Some(process), .. } => format!("user {user} process {process}"),
        Origin::Unix { user, process: None, .. } => format!("user {user}"),
    }
}

#[cfg(test)]
mod tests;
