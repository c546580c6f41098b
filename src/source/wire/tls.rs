//! What an error of TLS means to the user: whose certificate it is about, and what to try.

use super::failure::{Failure, bounded};
use std::io;
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error};

/// Why the peer does not believe this client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// It wants a certificate.
    NoCertificate,
    /// It does not take this one, for this reason.
    Certificate(&'static str),
}

/// What the peer says of this client's certificate, if that is what ended the connection.
pub(super) fn refused(error: &io::Error) -> Option<Refused> {
    match of(error)? {
        Error::AlertReceived(alert) => of_alert(*alert),
        _ => None,
    }
}

fn of(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

fn of_alert(alert: AlertDescription) -> Option<Refused> {
    Some(match alert {
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => Refused::NoCertificate,
        AlertDescription::UnknownCA => Refused::Certificate("nobody whom it knows has signed it"),
        AlertDescription::CertificateExpired => Refused::Certificate("it has expired, or is not valid yet"),
        AlertDescription::CertificateRevoked => Refused::Certificate("it was revoked"),
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::DecryptError
        | AlertDescription::AccessDenied => Refused::Certificate("it cannot be used for this"),
        _ => return None,
    })
}

/// Why the handshake with a target failed. `name` is the one that its certificate must have.
pub(super) fn failure(error: &io::Error, name: &str) -> Failure {
    match of(error) {
        Some(Error::InvalidCertificate(wrong)) => of_certificate(wrong, name),
        Some(Error::AlertReceived(alert)) => match of_alert(*alert) {
            Some(refused) => Failure::Refused(refused),
            None => Failure::Handshake(format!("{alert:?}")),
        },
        Some(error) => Failure::Handshake(bounded(&error.to_string())),
        None => Failure::Handshake(bounded(&error.to_string())),
    }
}

fn of_certificate(wrong: &CertificateError, name: &str) -> Failure {
    match wrong {
        CertificateError::UnknownIssuer => Failure::UnknownIssuer,
        CertificateError::NotValidForName => Failure::WrongName { name: name.to_owned(), names: String::new() },
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names = presented.iter().map(|name| plain(name)).collect::<Vec<_>>().join(", ");
            Failure::WrongName { name: name.to_owned(), names: format!(" but for {}", bounded(&names)) }
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Failure::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Failure::NotValidYet,
        other => Failure::Certificate(bounded(&other.to_string())),
    }
}

/// A name as rustls lists it, `DnsName("orders.example")`, without what it is.
fn plain(name: &str) -> &str {
    name.split_once("(\"").and_then(|(_, rest)| rest.split_once("\")")).map_or(name, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio_rustls::rustls::pki_types::{ServerName, UnixTime};

    fn said(error: Error) -> String {
        failure(&io::Error::other(error), "orders.example").to_string()
    }

    #[test]
    fn each_error_is_told_apart() {
        let (then, now) = (UnixTime::since_unix_epoch(Duration::from_secs(1)), UnixTime::now());
        let expected = ServerName::try_from("orders.example").expect("a name");
        let presented = vec!["DnsName(\"other.example\")".to_owned()];
        let table = [
            (Error::InvalidCertificate(CertificateError::UnknownIssuer), "--ca FILE"),
            (
                Error::InvalidCertificate(CertificateError::NotValidForNameContext { expected, presented }),
                "is not for orders.example but for other.example",
            ),
            (Error::InvalidCertificate(CertificateError::ExpiredContext { time: now, not_after: then }), "has expired"),
            (
                Error::InvalidCertificate(CertificateError::NotValidYetContext { time: then, not_before: now }),
                "not valid yet",
            ),
            (Error::InvalidCertificate(CertificateError::Revoked), "cannot be believed"),
            (Error::AlertReceived(AlertDescription::CertificateRequired), "--cert FILE"),
            (Error::AlertReceived(AlertDescription::UnknownCA), "nobody whom it knows has signed it"),
            (Error::AlertReceived(AlertDescription::CertificateExpired), "it has expired"),
            (Error::AlertReceived(AlertDescription::ProtocolVersion), "ProtocolVersion"),
        ];
        for (error, part) in table {
            let said = said(error);
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}
