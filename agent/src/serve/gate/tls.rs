//! TLS, by rustls: the agent's certificate, and those that clients show.

#[path = "names.rs"]
mod names;

use super::{Certificate, Reloaded};
use crate::{
    Error,
    access::{self, Access, Rights},
    serve::door::{Allowance, Io},
};
use parking_lot::Mutex;
use std::{fs, io, path::Path, sync::Arc};
use tokio::time::sleep;
use tokio_rustls::{
    LazyConfigAcceptor,
    rustls::{
        self, RootCertStore, ServerConfig,
        client::verify_server_name,
        crypto::ring,
        pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName, pem::PemObject as _},
        server::{Acceptor, NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier},
    },
};

/// Handshakes in a second, and at once: each takes a signature, and whoever asks for one has shown nothing yet.
const HANDSHAKES: (u32, u32) = (100, 100);

#[derive(Debug)]
pub(super) struct Tls {
    config: Reloaded<ServerConfig>,
    clients: Clients,
    handshakes: Mutex<Allowance>,
}

/// Whose certificates are taken.
#[derive(Debug)]
enum Clients {
    /// None is asked for.
    NotAsked,
    /// Everybody's that is signed as it should be.
    Signed,
    /// Theirs.
    Listed(Vec<(ServerName<'static>, String, Rights)>),
}

impl Tls {
    /// Reads what the settings name; nothing where they name no certificate.
    pub(super) fn new(access: &Access) -> Result<Option<Self>, Error> {
        let Some((certificate, key)) = access.identity()? else { return Ok(None) };
        let (certificate, key, authority) = (certificate.to_owned(), key.to_owned(), access.client_ca.clone());
        let clients = match (&authority, access.client_names.as_slice()) {
            (None, _) => Clients::NotAsked,
            (Some(_), []) => Clients::Signed,
            (Some(_), names) => Clients::Listed(names.iter().map(listed).collect::<Result<_, _>>()?),
        };
        let revoked = access.revoked.clone();
        let files = [&certificate, &key].into_iter().chain(&authority).chain(&revoked).cloned().collect();
        let load = move || config(&certificate, &key, authority.as_deref(), revoked.as_deref());
        let config = Reloaded::new(files, load)?;
        let handshakes = Mutex::new(Allowance::new(HANDSHAKES.0, HANDSHAKES.1));
        Ok(Some(Self { config, clients, handshakes }))
    }

    /// Agrees with a client; where that fails, the connection comes back, with what was said about it on its way.
    pub(super) async fn enter(
        &self,
        io: Box<dyn Io>,
        warn: impl FnOnce(Error),
    ) -> Result<(Box<dyn Io>, Certificate), (io::Error, Box<dyn Io>)> {
        // Only who begins to agree takes one of the handshakes that there are.
        let mut begins = LazyConfigAcceptor::new(Acceptor::default(), io);
        let begun = match (&mut begins).await {
            Ok(begun) => begun,
            Err(error) => {
                let io = begins.take_io().unwrap_or_else(|| Box::new(tokio::io::empty()));
                return Err((error, io));
            }
        };
        loop {
            let wait = {
                let mut handshakes = self.handshakes.lock();
                let wait = handshakes.wait();
                if wait.is_none() {
                    handshakes.take(1);
                }
                wait
            };
            let Some(wait) = wait else { break };
            sleep(wait).await;
        }
        let stream = begun.into_stream(self.config.get(warn)).into_fallible().await?;
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let certificate = self.clients.judge(shown);
        Ok((Box::new(stream), certificate))
    }
}

impl Clients {
    /// Who that is. The certificate itself was verified in the handshake.
    fn judge(&self, shown: Option<&CertificateDer<'_>>) -> Certificate {
        match self {
            Self::NotAsked => Certificate::NotAsked,
            Self::Signed => Certificate::Of { name: name_of(shown), rights: Rights::WATCH },
            Self::Listed(names) => {
                let parsed = shown.and_then(|certificate| ParsedCertificate::try_from(certificate).ok());
                let is_of = |name: &ServerName<'_>| {
                    parsed.as_ref().is_some_and(|parsed| verify_server_name(parsed, name).is_ok())
                };
                // Whoever has several of the names may do what each of them may.
                let theirs = names.iter().filter(|(name, ..)| is_of(name));
                let (of, rights) = theirs.fold((Vec::new(), Rights::NONE), |(mut of, rights), (_, name, more)| {
                    of.push(name.as_str());
                    (of, rights.and(*more))
                });
                match of.as_slice() {
                    [] => Certificate::Unlisted { name: name_of(shown) },
                    of => Certificate::Of { name: of.join(" and "), rights },
                }
            }
        }
    }
}

/// What a certificate is told by where no list names it.
fn name_of(shown: Option<&CertificateDer<'_>>) -> String {
    shown.map_or_else(String::new, |certificate| names::of(certificate))
}

fn listed((name, rights): &(String, Rights)) -> Result<(ServerName<'static>, String, Rights), Error> {
    let known = ServerName::try_from(name.clone()).map_err(|_| {
        Error::access("HOLDUP_TLS_CLIENT_NAMES", &format!("{name:?} is neither a DNS name nor an address"))
    })?;
    Ok((known, name.clone(), *rights))
}

fn config(
    certificate: &Path,
    key: &Path,
    authority: Option<&Path>,
    revoked: Option<&Path>,
) -> Result<ServerConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(certificate, &error))?;
    let builder = match authority {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            for root in certificates(authority)? {
                roots.add(root).map_err(|error| wrong(authority, &error))?;
            }
            let mut verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            if let Some(revoked) = revoked {
                // A certificate of whose authority there is no list is refused: it may have been taken back.
                verifier = verifier.with_crls(revocation_lists(revoked)?);
            }
            let verifier = verifier.build().map_err(|error| wrong(revoked.unwrap_or(authority), &error))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let pem = read(key)?;
    let private = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| Error::access(&name(key), "there is no private key in it; it should be PEM"))?;
    let mut config =
        builder.with_single_cert(certificates(certificate)?, private).map_err(|error: rustls::Error| {
            let reason =
                format!("it cannot be used with the key {} ({error}); is it this certificate's?", key.display());
            Error::access(&name(certificate), &reason)
        })?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    // Nothing is kept for who has left: clients come seldom, and stay.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

fn wrong(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::access(&name(path), &format!("it cannot be used ({error})"))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::File::open(path)
        .and_then(access::read)
        .map_err(|error| Error::access(&name(path), &format!("it cannot be read ({error})")))
}

/// The revocation lists of a file; at least one.
fn revocation_lists(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, Error> {
    let pem = read(path)?;
    let all = CertificateRevocationListDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>().unwrap_or_default();
    if all.is_empty() {
        return Err(Error::access(&name(path), "there is no revocation list in it; it should be PEM"));
    }
    Ok(all)
}

/// The certificates of a file; at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let pem = read(path)?;
    let all = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>().unwrap_or_default();
    if all.is_empty() {
        return Err(Error::access(&name(path), "there is no certificate in it; it should be PEM"));
    }
    Ok(all)
}
