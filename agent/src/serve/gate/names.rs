//! The names of a certificate, for the log: who came, where no list says which names there may be. The certificate was verified by then, and
//! nobody is let in by what is read here.

use std::net::IpAddr;

/// Characters of a name, and names, that are told.
const MOST: usize = 80;
const MOST_NAMES: usize = 4;

const SEQUENCE: u8 = 0x30;
const IDENTIFIER: u8 = 0x06;
const OCTETS: u8 = 0x04;
/// The version, and the extensions.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
/// `2.5.29.17` and `2.5.4.3`.
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// Kinds of alternative names.
const MAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const URI: u8 = 0x86;
const ADDRESS: u8 = 0x87;
/// Texts of a subject that are ASCII, UTF-8 or nearly so.
const TEXTS: [u8; 4] = [0x0c, 0x13, 0x14, 0x16];

/// The alternative names of a certificate; or else its subject's common names.
pub(super) fn of(certificate: &[u8]) -> String {
    let names = read(certificate).unwrap_or_default();
    if names.is_empty() { "no name".to_owned() } else { names.join(", ") }
}

fn read(certificate: &[u8]) -> Option<Vec<String>> {
    let mut parts = Der(Der(Der(certificate).of(SEQUENCE)?).of(SEQUENCE)?);
    // The version may stand before the serial number; then come algorithm, issuer and validity.
    if parts.next()?.0 == VERSION {
        parts.next()?;
    }
    let subject = parts.nth(3)?.1;
    let extensions = parts.find(|(tag, _)| *tag == EXTENSIONS).and_then(|(_, bytes)| Der(bytes).of(SEQUENCE));
    let alternative: Vec<String> = extensions.and_then(alternative_names).unwrap_or_default();
    Some(if alternative.is_empty() { common_names(subject) } else { alternative })
}

fn alternative_names(extensions: &[u8]) -> Option<Vec<String>> {
    let (_, value) = Der(extensions).find_map(|(_, extension)| {
        let mut parts = Der(extension);
        (parts.of(IDENTIFIER)? == ALTERNATIVE_NAMES).then_some(())?;
        parts.find(|(tag, _)| *tag == OCTETS)
    })?;
    let named = Der(Der(value).of(SEQUENCE)?).filter_map(|(tag, name)| match tag {
        MAIL | DNS | URI => Some(shown(&String::from_utf8_lossy(name))),
        ADDRESS => address(name),
        _ => None,
    });
    Some(named.take(MOST_NAMES).collect())
}

fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from);
    let sixteen = || <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from);
    four.or_else(sixteen).map(|address| address.to_string())
}

/// Of a subject: a sequence of sets of pairs.
fn common_names(subject: &[u8]) -> Vec<String> {
    let name = |(_, pair): (u8, &[u8])| {
        let mut parts = Der(pair);
        (parts.of(IDENTIFIER)? == COMMON_NAME).then_some(())?;
        let (tag, text) = parts.next()?;
        TEXTS.contains(&tag).then(|| shown(&String::from_utf8_lossy(text)))
    };
    Der(subject).flat_map(|(_, set)| Der(set)).filter_map(name).take(MOST_NAMES).collect()
}

/// A name as it may stand in a log.
fn shown(name: &str) -> String {
    let as_one = |char: char| if char.is_control() { '\u{fffd}' } else { char };
    let mut shown: String = name.chars().take(MOST).map(as_one).collect();
    if name.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

/// Values one after the other, each with its kind. It ends where the bytes are none.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next value, which has to be of this kind.
    fn of(&mut self, kind: u8) -> Option<&'a [u8]> {
        self.next().filter(|(tag, _)| *tag == kind).map(|(_, value)| value)
    }
}

impl<'a> Iterator for Der<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[tag, first], rest) = self.0.split_first_chunk()?;
        let (len, rest) = match usize::from(first) {
            len @ ..0x80 => (len, rest),
            long => {
                let (bytes, rest) = rest.split_at_checked(long & 0x7f)?;
                let within = bytes.len() <= 4;
                (within.then(|| bytes.iter().fold(0, |len, &byte| len << 8 | usize::from(byte)))?, rest)
            }
        };
        let (value, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some((tag, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    fn certificate(alternative: Vec<SanType>, common: Option<&str>) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Orders");
        if let Some(common) = common {
            params.distinguished_name.push(DnType::CommonName, common);
        }
        params.subject_alt_names = alternative;
        let key = KeyPair::generate().expect("a key");
        params.self_signed(&key).expect("a certificate").der().to_vec()
    }

    #[test]
    fn it_is_told_by_its_alternative_names_or_its_common_one() {
        let text = |text: &str| text.try_into().expect("ASCII");
        let alternative = vec![
            SanType::DnsName(text("ops.example")),
            SanType::URI(text("spiffe://example/ops")),
            SanType::Rfc822Name(text("ops@example")),
            SanType::IpAddress([10, 0, 0, 7].into()),
            SanType::DnsName(text("one.too.many")),
        ];
        let all = "ops.example, spiffe://example/ops, ops@example, 10.0.0.7";
        assert_eq!(of(&certificate(alternative, Some("ops"))), all);
        assert_eq!(of(&certificate(Vec::new(), Some("ops of ördérs\n"))), "ops of ördérs\u{fffd}");
        assert_eq!(of(&certificate(Vec::new(), Some(&"x".repeat(100)))), format!("{}…", "x".repeat(80)));
        assert_eq!(of(&certificate(Vec::new(), None)), "no name");
    }

    #[test]
    fn what_is_no_certificate_has_no_name_and_harms_nobody() {
        let whole = certificate(vec![SanType::DnsName("ops.example".try_into().expect("ASCII"))], Some("ops"));
        for cut in 0..whole.len() {
            of(&whole[..cut]);
            let mut other = whole.clone();
            other[cut] ^= 0xff;
            of(&other);
            other[cut] = 0x84;
            of(&other);
        }
        assert_eq!(of(&[]), "no name");
        assert_eq!(of(&[SEQUENCE, 0x85, 1, 1, 1, 1, 1]), "no name");
    }
}
