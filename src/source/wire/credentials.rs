//! Who this client is to a target, and whom it believes: token, certificates, authorities. Files are read anew for each connection,
//! so that what was replaced meanwhile counts.

use crate::source::bounded::{open_file, read_bounded};
use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio_rustls::rustls::{
    self, ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use tonic::codegen::http::HeaderValue;

/// What a target is shown, and what it has to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// What is sent with every request, if anything is.
    pub token: Option<Token>,
    /// The authorities that are believed instead of the system's, as a PEM file.
    pub ca: Option<PathBuf>,
    /// This client's certificate, with those between it and its authority, as a PEM file.
    pub certificate: Option<PathBuf>,
    /// The key of that certificate, as a PEM file.
    pub key: Option<PathBuf>,
    /// The name that the target's certificate must have, where it is not the one that is connected to.
    pub server_name: Option<String>,
}

/// Where a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// Here.
    Given(Secret),
    /// It is the first word of this file, which nobody but its owner may read.
    File(PathBuf),
}

/// Text that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being shown.
    pub fn new(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What is wrong with credentials, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A file cannot be read.
    #[error("cannot read {}: {error}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// A token that is none.
    #[error("others than its owner may read the token in {path}; type chmod 600 {path}", path = .0.display())]
    Open(PathBuf),
    /// There is no token.
    #[error("there is no token in {0}; it is the first word there, of letters, digits and signs")]
    NoToken(String),
    /// Not PEM, or nothing in it.
    #[error("there is no {what} in {}; it should be PEM, with a line -----BEGIN …-----", .path.display())]
    NoPem {
        /// What was looked for.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A certificate without its key, or the reverse.
    #[error("a certificate and its key belong together; give both --cert FILE and --key FILE")]
    Half,
    /// A certificate and another one's key, or ones that cannot be used.
    #[error("{} and {} cannot be used ({error}); is this the certificate's key?", .certificate.display(), .key.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        error: String,
    },
    /// An authority that is none.
    #[error("a certificate of {} is no authority's ({error})", .path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// Nobody to believe.
    #[error("this system has no authorities to believe{0}; name one by --ca FILE")]
    NoRoots(String),
    /// A name that is none.
    #[error("{0:?} is no name that a certificate could have; type a DNS name or an address")]
    ServerName(String),
}

impl Credentials {
    /// Whether all of it can be used, before anything is connected to.
    pub fn check(&self) -> Result<(), CredentialError> {
        self.header()?;
        self.identity()?;
        if self.ca.is_some() {
            self.roots()?;
        }
        self.server_name.as_deref().map_or(Ok(()), |name| self.name_of(name).map(drop))
    }

    /// The header that has the token.
    pub(super) fn header(&self) -> Result<Option<HeaderValue>, CredentialError> {
        let (text, place) = match &self.token {
            None => return Ok(None),
            Some(Token::Given(secret)) => (secret.0.clone(), "HOLDUP_TOKEN".to_owned()),
            Some(Token::File(path)) => (read_own(path)?, path.display().to_string()),
        };
        let words = text.lines().map(str::trim).filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace);
        let header = words.take(1).find_map(|token| HeaderValue::from_str(&format!("Bearer {token}")).ok());
        let mut header = header.ok_or(CredentialError::NoToken(place))?;
        header.set_sensitive(true);
        Ok(Some(header))
    }

    /// The name that a certificate must have.
    pub(crate) fn name_of(&self, host: &str) -> Result<ServerName<'static>, CredentialError> {
        let name = self.server_name.as_deref().unwrap_or(host);
        // A zone is no part of an address for anybody else.
        let address = name.split_once('%').map_or(name, |(address, _)| address);
        ServerName::try_from(address.to_owned())
            .map_err(|_: InvalidDnsNameError| CredentialError::ServerName(name.to_owned()))
    }

    /// How to speak TLS.
    pub(crate) fn tls(&self) -> Result<Arc<ClientConfig>, CredentialError> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| CredentialError::NoRoots(format!(" ({error})")))?
            .with_root_certificates(self.roots()?);
        let mut config = match self.identity()? {
            None => builder.with_no_client_auth(),
            Some((certificates, key)) => {
                builder.with_client_auth_cert(certificates, key).map_err(|error| self.pair(&error))?
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Arc::new(config))
    }

    fn pair(&self, error: &dyn fmt::Display) -> CredentialError {
        let path = |path: &Option<PathBuf>| path.clone().unwrap_or_default();
        CredentialError::Pair { certificate: path(&self.certificate), key: path(&self.key), error: error.to_string() }
    }

    fn roots(&self) -> Result<RootCertStore, CredentialError> {
        let mut roots = RootCertStore::empty();
        if let Some(path) = &self.ca {
            for certificate in certificates(path)? {
                let error =
                    |error: rustls::Error| CredentialError::Authority { path: path.clone(), error: error.to_string() };
                roots.add(certificate).map_err(error)?;
            }
            return Ok(roots);
        }
        let found = rustls_native_certs::load_native_certs();
        let (added, _) = roots.add_parsable_certificates(found.certs);
        if added == 0 {
            let why = found.errors.first().map(|error| format!(" ({error})"));
            return Err(CredentialError::NoRoots(why.unwrap_or_default()));
        }
        Ok(roots)
    }

    fn identity(&self) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, CredentialError> {
        let (certificate, key) = match (&self.certificate, &self.key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate, key),
            _ => return Err(CredentialError::Half),
        };
        let pem = read(key)?;
        let key = PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|_| CredentialError::NoPem { what: "private key", path: key.clone() })?;
        Ok(Some((certificates(certificate)?, key)))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CredentialError> {
    open_file(path).and_then(read_bounded).map_err(|error| CredentialError::Read { path: path.to_owned(), error })
}

/// The certificates of a file; at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, CredentialError> {
    let pem = read(path)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    all.ok()
        .filter(|certificates| !certificates.is_empty())
        .ok_or_else(|| CredentialError::NoPem { what: "certificate", path: path.to_owned() })
}

/// Reads a file that nobody but its owner may read.
fn read_own(path: &Path) -> Result<String, CredentialError> {
    let failed = |error| CredentialError::Read { path: path.to_owned(), error };
    let file = open_file(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Of the file that was opened, and not of whatever is called so by now.
        if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
            return Err(CredentialError::Open(path.to_owned()));
        }
    }
    let bytes = read_bounded(file).map_err(failed)?;
    String::from_utf8(bytes).map_err(|_| failed(io::Error::other("it is not UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn given(text: &str) -> Credentials {
        Credentials { token: Some(Token::Given(Secret::new(text.to_owned()))), ..Credentials::default() }
    }

    #[test]
    fn a_token_is_the_first_word_and_is_not_shown() {
        let credentials = given("# of orders\n\n  s3cret watch,pause\nother\n");
        let header = credentials.header().expect("a token").expect("a header");
        assert_eq!(header.as_bytes(), b"Bearer s3cret");
        let shown = format!("{credentials:?} {header:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        for none in ["", " \n", "# s3cret", "\u{7f}"] {
            let said = given(none).header().expect_err("no token").to_string();
            assert!(said.contains("no token in HOLDUP_TOKEN"), "{said}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_token_that_others_may_read_is_none() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        fs::write(&path, "s3cret\n").expect("a file");
        let credentials = Credentials { token: Some(Token::File(path.clone())), ..Credentials::default() };
        for (mode, is_own) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o644, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
            match credentials.check() {
                Ok(()) => assert!(is_own, "{mode:o}"),
                Err(error) => {
                    assert!(!is_own && error.to_string().contains("type chmod 600 /"), "{mode:o}: {error}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_used_is_said_before_anything_is_connected_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let nothing = folder.path().join("nothing.pem");
        fs::write(&nothing, "this is no PEM").expect("a file");
        let [large, pipe] = ["large.pem", "pipe"].map(|name| folder.path().join(name));
        fs::write(&large, vec![b'-'; 2 << 20]).expect("a file");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
        let table = [
            (
                Credentials { ca: Some("/nonexistent/ca".into()), ..Credentials::default() },
                "cannot read /nonexistent/ca",
            ),
            (Credentials { ca: Some(nothing.clone()), ..Credentials::default() }, "there is no certificate in /"),
            (Credentials { certificate: Some(nothing.clone()), ..Credentials::default() }, "give both --cert"),
            (
                Credentials { certificate: Some(nothing.clone()), key: Some(nothing), ..Credentials::default() },
                "there is no private key in /",
            ),
            (
                Credentials { ca: Some("/dev/zero".into()), ..Credentials::default() },
                "cannot read /dev/zero: it is no file",
            ),
            (Credentials { ca: Some(large), ..Credentials::default() }, "large.pem: it has more than 1 MiB"),
            (Credentials { token: Some(Token::File(pipe.clone())), ..Credentials::default() }, "pipe: it is no file"),
            (
                Credentials { certificate: Some(pipe.clone()), key: Some(pipe), ..Credentials::default() },
                "pipe: it is no file",
            ),
            (Credentials { server_name: Some("a b".into()), ..Credentials::default() }, "\"a b\" is no name"),
        ];
        for (credentials, said) in table {
            let error = credentials.check().expect_err(said).to_string();
            assert!(error.contains(said), "{said}: {error}");
        }
    }

    #[test]
    fn a_name_is_the_host_unless_another_is_given() {
        let name =
            |credentials: &Credentials, host: &str| credentials.name_of(host).map(|name| name.to_str().into_owned());
        let plain = Credentials::default();
        assert_eq!(name(&plain, "orders.example").ok().as_deref(), Some("orders.example"));
        assert_eq!(name(&plain, "fe80::1%eth0").ok().as_deref(), Some("fe80::1"));
        let other = Credentials { server_name: Some("orders.internal".into()), ..Credentials::default() };
        assert_eq!(name(&other, "10.0.0.1").ok().as_deref(), Some("orders.internal"));
    }
}
