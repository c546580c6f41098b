//! What the agent and its clients show each other by TLS, in a folder that goes with it.

use holdup::source::{Credentials, Token};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use std::{
    ffi::OsString,
    fs::OpenOptions,
    io::{self, Write as _},
    path::PathBuf,
};
use tempfile::TempDir;

/// A token that nobody else is given.
const TOKEN: &str = "of-the-fault-run-and-of-nobody-else";

/// An authority, a certificate that it has signed for this machine, and a token.
#[derive(Debug)]
pub struct Secrets {
    folder: TempDir,
}

impl Secrets {
    /// Makes them.
    ///
    /// # Errors
    ///
    /// Where they cannot be made, or there is no room for them.
    pub fn make() -> io::Result<Self> {
        let secrets = Self { folder: tempfile::tempdir()? };
        let mut authority = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let own = authority.self_signed(&key).map_err(io::Error::other)?;
        let issuer = Issuer::new(authority, key);
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let signed = CertificateParams::new(names).and_then(|params| params.signed_by(&key, &issuer));
        secrets.write("authority.pem", &own.pem())?;
        secrets.write("agent.pem", &signed.map_err(io::Error::other)?.pem())?;
        secrets.write("agent.key", &key.serialize_pem())?;
        secrets.write("tokens", TOKEN)?;
        Ok(secrets)
    }

    /// A file that nobody else may read.
    fn write(&self, file: &str, text: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(self.path(file))?.write_all(text.as_bytes())
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// The variables by which the agent has its part.
    pub fn environment(&self) -> [(&'static str, OsString); 3] {
        [("HOLDUP_TLS_CERT", "agent.pem"), ("HOLDUP_TLS_KEY", "agent.key"), ("HOLDUP_TOKEN_FILE", "tokens")]
            .map(|(name, file)| (name, self.path(file).into_os_string()))
    }

    /// A client's part.
    pub fn credentials(&self) -> Credentials {
        Credentials {
            ca: Some(self.path("authority.pem")),
            token: Some(Token::File(self.path("tokens"))),
            ..Credentials::default()
        }
    }
}
