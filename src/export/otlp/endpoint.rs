//! Where a collector is, what is shown to it, and what its refusals mean.

use crate::source::{CredentialError, Credentials};
use hyper_util::rt::TokioIo;
use prost::Message as _;
use std::{fmt, io, net::IpAddr, path::PathBuf, str::FromStr, time::Duration};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::{
    Code, Status,
    codegen::http::Uri,
    metadata::{Ascii, MetadataKey, MetadataMap, MetadataValue},
    transport::{Channel, Endpoint as Dialed},
};

/// The port for OTLP by gRPC, where none is typed.
const PORT: u16 = 4317;

const CONNECT: Duration = Duration::from_secs(5);

/// A collector that asks for more patience than this has it until then.
const PAUSE_MOST: Duration = Duration::from_secs(600);

/// What a collector says is shown in one line.
const SAID: usize = 200;

/// Where a collector listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    host: String,
    port: u16,
    security: Security,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Security {
    None,
    Tls {
        /// The authorities that are believed instead of the system's.
        ca: Option<PathBuf>,
    },
}

/// Why nobody can be told there.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The URL is none.
    #[error("{0:?} is no URL of a collector; type it as http://collector:4317, or https://collector:4317")]
    Url(String),
    /// It is one of OTLP by HTTP.
    #[error(
        "OTLP is told by gRPC, which has no paths: leave out {0}, and give the port on which the collector takes gRPC, usually {PORT}"
    )]
    Path(String),
    /// Headers that are none.
    #[error("OTEL_EXPORTER_OTLP_HEADERS is to have names and values as in api-key=…,tenant=a; {0}")]
    Headers(String),
    /// Headers that others could read.
    #[error(
        "OTEL_EXPORTER_OTLP_HEADERS may hold a secret, and to another machine none is sent without TLS; type https://{0}"
    )]
    Open(String),
    /// A compression that is none.
    #[error("{0}")]
    Compression(String),
    /// Authorities for a connection that has none.
    #[error("--otlp-ca is for collectors with TLS; type https://{0}")]
    NoTls(String),
    /// Nobody can be believed.
    #[error("{}", .0.to_string().replace("--ca FILE", "--otlp-ca FILE"))]
    Authorities(CredentialError),
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(typed: &str) -> Result<Self, EndpointError> {
        let wrong = || EndpointError::Url(typed.to_owned());
        let whole = if typed.contains("://") { typed.to_owned() } else { format!("http://{typed}") };
        let uri: Uri = whole.parse().map_err(|_| wrong())?;
        let security = match uri.scheme_str() {
            Some("http") => Security::None,
            Some("https") => Security::Tls { ca: None },
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        if uri.path() != "/" || uri.query().is_some() {
            let path = uri.path_and_query().map_or("", |path| path.as_str());
            return Err(EndpointError::Path(path.to_owned()));
        }
        if uri.host().is_none_or(str::is_empty) || authority.as_str().contains('@') {
            return Err(wrong());
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let port = match authority.port() {
            None if authority.as_str().ends_with(':') || authority.as_str().len() > authority.host().len() => {
                return Err(wrong());
            }
            None => PORT,
            Some(port) => port.as_u16(),
        };
        if port == 0 {
            return Err(wrong());
        }
        Ok(Self { host, port, security })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.security == Security::None { "http" } else { "https" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

impl Endpoint {
    fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// The same, where these authorities are believed instead of the system's.
    pub fn with_ca(self, ca: PathBuf) -> Result<Self, EndpointError> {
        match self.security {
            Security::Tls { .. } => Ok(Self { security: Security::Tls { ca: Some(ca) }, ..self }),
            Security::None => Err(EndpointError::NoTls(self.authority())),
        }
    }

    /// Whether it is spoken to by TLS.
    pub fn is_secure(&self) -> bool {
        self.security != Security::None
    }

    fn is_here(&self) -> bool {
        let address: Option<IpAddr> = self.host.parse().ok();
        address
            .map_or_else(|| self.host.eq_ignore_ascii_case("localhost"), |address| address.to_canonical().is_loopback())
    }

    /// The way there, which nobody has gone yet.
    pub(super) fn way(&self, headers: &Headers) -> Result<Way, EndpointError> {
        if self.security == Security::None && !headers.0.is_empty() && !self.is_here() {
            return Err(EndpointError::Open(self.authority()));
        }
        // A connection is made secure below, and not by tonic.
        let dialed = Dialed::from_shared(format!("http://{}", self.authority()));
        let dialed = dialed.map_err(|_| EndpointError::Url(self.to_string()))?.connect_timeout(CONNECT);
        let dialed = match self.to_string().parse() {
            Ok(origin) => dialed.origin(origin),
            Err(_) => dialed,
        };
        let (host, port) = (self.host.clone(), self.port);
        let plain = move || {
            let host = host.clone();
            async move {
                let stream = TcpStream::connect((host.as_str(), port)).await?;
                stream.set_nodelay(true)?;
                io::Result::Ok(stream)
            }
        };
        let channel = match &self.security {
            Security::None => dialed.connect_with_connector_lazy(tower::service_fn(move |_: Uri| {
                let connecting = plain();
                async move { connecting.await.map(TokioIo::new) }
            })),
            Security::Tls { ca } => {
                let credentials = Credentials { ca: ca.clone(), ..Credentials::default() };
                let config = credentials.tls().map_err(EndpointError::Authorities)?;
                let name = credentials.name_of(&self.host).map_err(EndpointError::Authorities)?;
                let secure = TlsConnector::from(config);
                dialed.connect_with_connector_lazy(tower::service_fn(move |_: Uri| {
                    let (connecting, secure, name) = (plain(), secure.clone(), name.clone());
                    async move { secure.connect(name, connecting.await?).await.map(TokioIo::new) }
                }))
            }
        };
        Ok(Way(channel))
    }
}

/// The way to a collector. It is gone again when it has broken.
#[derive(Debug)]
pub(super) struct Way(Channel);

impl Way {
    pub(super) fn channel(&self) -> Channel {
        self.0.clone()
    }
}

/// What every request has, as `OTEL_EXPORTER_OTLP_HEADERS` says it. Values are not shown.
#[derive(Debug, Clone, Default)]
pub struct Headers(Vec<(MetadataKey<Ascii>, MetadataValue<Ascii>)>);

impl FromStr for Headers {
    type Err = EndpointError;

    /// Names and values as in `api-key=…,tenant=a`. A value may have what it could not hold as `%2C`.
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let wrong = |at: usize, what: &str| EndpointError::Headers(format!("number {at} of them {what}"));
        let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        let header = |(at, pair): (usize, &str)| {
            let at = at + 1;
            let (name, value) = pair.split_once('=').ok_or_else(|| wrong(at, "has no `=`"))?;
            let name = MetadataKey::from_bytes(name.trim().to_ascii_lowercase().as_bytes())
                .map_err(|_| wrong(at, "has a name that a header cannot have"))?;
            let value = plain(value.trim()).and_then(|value| MetadataValue::try_from(value).ok());
            let mut value = value.ok_or_else(|| wrong(at, "has a value that a header cannot have"))?;
            value.set_sensitive(true);
            Ok((name, value))
        };
        pairs.enumerate().map(header).collect::<Result<_, _>>().map(Self)
    }
}

impl Headers {
    pub(super) fn add_to(&self, metadata: &mut MetadataMap) {
        for (name, value) in &self.0 {
            metadata.insert(name.clone(), value.clone());
        }
    }
}

/// A value whose bytes may be written as `%2C`; `None` where that is no UTF-8 or no number.
fn plain(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Why a request came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// It was not answered.
    #[error("nobody answers within {} s; is it a collector that takes OTLP by gRPC?", super::PATIENCE.as_secs())]
    Late,
    /// Nobody is there.
    #[error("cannot be reached ({0}); is the collector running, and is this its port for gRPC, usually {PORT}?")]
    Away(String),
    /// Whoever is there does not take it now, and may say how long to wait.
    #[error("does not take it now: {0}")]
    NotNow(String, Option<Duration>),
    /// Whoever is there never will.
    #[error("does not take it: {0}{1}")]
    Never(String, &'static str),
}

impl Failure {
    pub(super) fn of(status: &Status) -> Self {
        let said = bounded(status.message());
        // What came of this side has its causes with it.
        if let Some(source) = std::error::Error::source(status) {
            return Self::Away(innermost(source));
        }
        match status.code() {
            // As OTLP has it.
            Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::ResourceExhausted
            | Code::DataLoss => Self::NotNow(said, pause(status.details())),
            Code::Unimplemented => Self::Never(said, "; has the collector a pipeline for metrics and for logs?"),
            Code::Unauthenticated | Code::PermissionDenied => {
                Self::Never(said, "; is what it asks for in OTEL_EXPORTER_OTLP_HEADERS?")
            }
            _ => Self::Never(said, ""),
        }
    }

    /// For how long nothing is to be told.
    pub(super) fn pause(&self) -> Option<Duration> {
        if let Self::NotNow(_, pause) = self { *pause } else { None }
    }

    /// Whether the same may be taken later.
    pub(super) fn may_be_mended(&self) -> bool {
        !matches!(self, Self::Never(..))
    }
}

/// What stands behind a refusal: `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
struct Details {
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// One of them: `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<prost_types::Duration>,
}

/// How long a collector that refuses asks to be left alone.
fn pause(details: &[u8]) -> Option<Duration> {
    let details = Details::decode(details).ok()?.details;
    let retry = details.iter().find(|any| any.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let delay = RetryInfo::decode(retry.value.as_slice()).ok()?.retry_delay?;
    Some(Duration::try_from(delay).ok()?.min(PAUSE_MOST))
}

/// The first characters of what a collector says, without what would move a terminal's cursor.
pub(super) fn bounded(said: &str) -> String {
    if said.trim().is_empty() {
        return "it does not say why".to_owned();
    }
    said.chars().take(SAID).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    bounded(&error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(typed: &str) -> String {
        match typed.parse::<Endpoint>() {
            Ok(endpoint) => endpoint.to_string(),
            Err(error) => format!("no: {error}"),
        }
    }

    #[test]
    fn a_collector_is_where_its_url_says() {
        for (typed, whole) in [
            ("http://collector:4317", "http://collector:4317"),
            ("https://otlp.example:443/", "https://otlp.example:443"),
            ("http://collector", "http://collector:4317"),
            ("collector:14317", "http://collector:14317"),
            ("http://[::1]:4317", "http://[::1]:4317"),
            ("http://[fe80::1]", "http://[fe80::1]:4317"),
        ] {
            assert_eq!(shown(typed), whole, "{typed}");
        }
        for typed in ["", "ftp://a:1", "http://", "http://a:0", "http://a:99999", "http://a:", "http://me@a:1", "a b"] {
            assert!(shown(typed).contains("is no URL of a collector"), "{typed}: {}", shown(typed));
        }
        let path = shown("http://collector:4318/v1/metrics");
        assert!(path.contains("leave out /v1/metrics") && path.contains("usually 4317"), "{path}");
    }

    #[test]
    fn headers_are_as_the_specification_has_them_and_not_shown() {
        let headers: Headers = "api-key=s3cret%2C1, Tenant = a ,".parse().unwrap();
        let mut metadata = MetadataMap::new();
        headers.add_to(&mut metadata);
        assert_eq!(metadata.get("api-key").unwrap().to_str().unwrap(), "s3cret,1");
        assert_eq!(metadata.get("tenant").unwrap().to_str().unwrap(), "a");
        assert!(!format!("{headers:?}").contains("s3cret"));
        for wrong in ["api-key", "a b=1", "api-key=%zz", "api-key=%2", "k=\u{7f}s3cret"] {
            let said = format!("{wrong},x=1").parse::<Headers>().unwrap_err().to_string();
            assert!(said.contains("number 1 of them") && !said.contains("s3cret"), "{said}");
        }
    }

    #[tokio::test]
    async fn secrets_go_to_nobody_who_could_be_overheard() {
        let headers: Headers = "api-key=s3cret".parse().unwrap();
        let way = |typed: &str| typed.parse::<Endpoint>().unwrap().way(&headers).map(drop);
        for here in ["http://127.0.0.1:4317", "http://localhost:4317", "http://[::1]:4317"] {
            way(here).unwrap();
        }
        let said = way("http://10.0.0.1:4317").unwrap_err().to_string();
        assert!(said.contains("type https://10.0.0.1:4317"), "{said}");
        "http://10.0.0.1:4317".parse::<Endpoint>().unwrap().way(&Headers::default()).unwrap();
        let ca = |typed: &str| typed.parse::<Endpoint>().unwrap().with_ca("/nonexistent".into());
        assert!(ca("http://a:1").unwrap_err().to_string().contains("type https://a:1"));
        let said = ca("https://a:1").unwrap().way(&headers).unwrap_err().to_string();
        assert!(said.contains("cannot read /nonexistent"), "{said}");
    }

    #[test]
    fn what_may_be_taken_later_is_told_from_what_never_will() {
        let of = |code| Failure::of(&Status::new(code, "too\nmuch"));
        for later in [Code::Unavailable, Code::ResourceExhausted, Code::DeadlineExceeded, Code::Aborted] {
            assert!(of(later).may_be_mended(), "{later:?}");
            assert_eq!(of(later).to_string(), "does not take it now: too much");
        }
        for never in [Code::Unimplemented, Code::InvalidArgument, Code::Unauthenticated, Code::PermissionDenied] {
            assert!(!of(never).may_be_mended(), "{never:?}");
        }
        assert!(of(Code::Unauthenticated).to_string().contains("OTEL_EXPORTER_OTLP_HEADERS"));
        assert!(Failure::Late.may_be_mended());
    }
}
