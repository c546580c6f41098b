//! Authorities, and the certificates that they sign, in a folder that goes with them.

use holdup::source::Credentials;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// Somebody who signs certificates.
pub(crate) struct Authority {
    pub folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

/// Until when a certificate is valid.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Valid {
    Long,
    NoMore,
    NotYet,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(rcgen::DnType::CommonName, folder.path().display().to_string());
        let key = KeyPair::generate().expect("a key");
        let own = params.self_signed(&key).expect("a certificate");
        fs::write(folder.path().join("ca.pem"), own.pem()).expect("a file");
        Self { folder, issuer: Issuer::new(params, key) }
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// The same as text.
    pub(crate) fn text(&self, file: &str) -> String {
        self.path(file).display().to_string()
    }

    /// Signs a certificate for these names: `WHO.pem` and `WHO.key`.
    pub(crate) fn sign(&self, who: &str, names: &[&str], valid: Valid) -> &Self {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).expect("names");
        let (from, to) = match valid {
            Valid::Long => (2000, 2100),
            Valid::NoMore => (2000, 2001),
            Valid::NotYet => (2099, 2100),
        };
        params.serial_number = Some(serial(who));
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        fs::write(self.path(&format!("{who}.pem")), certificate.pem()).expect("a file");
        fs::write(self.path(&format!("{who}.key")), key.serialize_pem()).expect("a file");
        self
    }

    /// Writes the list of those whose certificates are taken back, and tells where.
    pub(crate) fn revoke(&self, who: &[&str]) -> String {
        let at = date_time_ymd(2001, 1, 1);
        let revoked = |who: &&str| RevokedCertParams {
            serial_number: serial(who),
            revocation_time: at,
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: at,
            next_update: date_time_ymd(2100, 1, 1),
            crl_number: 1_u64.into(),
            issuing_distribution_point: None,
            revoked_certs: who.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&self.issuer).expect("a list").pem().expect("a list");
        fs::write(self.path("revoked.pem"), list).expect("a file");
        self.text("revoked.pem")
    }

    /// A file that nobody else may read.
    pub(crate) fn write_own(&self, file: &str, text: &str) -> String {
        own(&self.path(file), text);
        self.text(file)
    }

    /// What a client believes that believes this authority alone.
    pub(crate) fn believed(&self) -> Credentials {
        Credentials { ca: Some(self.path("ca.pem")), ..Credentials::default() }
    }
}

/// The number of somebody's certificate.
fn serial(who: &str) -> SerialNumber {
    SerialNumber::from_slice(who.as_bytes())
}

fn own(path: &Path, text: &str) {
    fs::write(path, text).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("a mode");
}
