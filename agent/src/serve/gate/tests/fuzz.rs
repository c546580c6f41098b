//! Files of tokens and certificates that nobody wrote: each is used, or refused in words that show none of it.

// One way to damage bytes, for all that is read.
#[path = "../../../../../memory/tests/damage/mod.rs"]
mod damage;

use super::*;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file of its owner alone, which is written again and again.
struct Own(PathBuf);

impl Own {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("holdup-fuzz-{name}-{}", std::process::id()));
        let own = Self(path);
        own.write(b"");
        #[cfg(unix)]
        fs::set_permissions(&own.0, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("it is ours");
        own
    }

    fn write(&self, bytes: &[u8]) -> &Path {
        fs::write(&self.0, bytes).expect("there is room");
        &self.0
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // Nothing else is to be done with it.
        let _ = fs::remove_file(&self.0);
    }
}

fn is_taken(access: &Access) -> bool {
    match Gate::new(access, &Place::Tcp(([127, 0, 0, 1], 6669).into()), Audit::silent()) {
        Ok(_) => true,
        Err(error) => {
            assert!(!error.to_string().contains(READS), "{error}");
            false
        }
    }
}

#[test]
fn any_token_file_is_read() {
    let corpus = [
        READS.to_owned(),
        format!("# ours\r\n\n{READS}\n  {PAUSES}\twatch, pause \n"),
        format!("{READS} watch+pause,\u{feff}{PAUSES} pause\n\u{2028}0123456789abcdef watch watch"),
    ];
    let file = Own::new("tokens");
    let read = |bytes: &[u8]| {
        is_taken(&Access { token_file: Some(file.write(bytes).to_owned()), ..Access::default() });
        let given = String::from_utf8_lossy(bytes).into_owned();
        is_taken(&Access { token: Some(Secret::new(given)), ..Access::default() });
    };
    damage::mix(&corpus.map(String::into_bytes), read);
}

#[cfg(feature = "tls")]
#[test]
fn any_certificate_and_key_are_read() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (good, good_key) = (Own::new("certificate"), Own::new("key"));
    good.write(made.cert.pem().as_bytes());
    good_key.write(made.signing_key.serialize_pem().as_bytes());
    let file = Own::new("damaged");
    let taken = |certificate: &Path, key: &Path, authority: Option<&Path>| {
        let [certificate, key, client_ca] = [Some(certificate), Some(key), authority].map(|path| path.map(Into::into));
        is_taken(&Access { certificate, key, client_ca, ..Access::default() })
    };
    assert!(taken(&good.0, &good_key.0, Some(&good.0)), "undamaged, they can be used");
    let both = made.cert.pem() + &made.signing_key.serialize_pem();
    let corpus = [made.cert.pem(), made.signing_key.serialize_pem(), both, made.cert.pem().repeat(3)];
    let read = |bytes: &[u8]| {
        let damaged = file.write(bytes);
        taken(damaged, &good_key.0, None);
        taken(&good.0, damaged, None);
        taken(&good.0, &good_key.0, Some(damaged));
    };
    damage::mix(&corpus.map(String::into_bytes), read);
}

/// `/dev/zero` is one: whoever names it by mistake must not lose the service for it.
#[cfg(all(target_os = "linux", feature = "tls"))]
#[test]
fn a_file_that_never_ends_is_refused() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (good, tokens) = (Own::new("beside-endless"), Own::new("endless"));
    good.write(made.cert.pem().as_bytes());
    let zero = || Some("/dev/zero".into());
    let of_tls = Access { certificate: Some(good.0.clone()), key: zero(), ..Access::default() };
    // Its owner alone may read it: a gigabyte, all of it a hole.
    fs::OpenOptions::new().write(true).open(&tokens.0).and_then(|file| file.set_len(1 << 30)).expect("a hole");
    let of_tokens = Access { token_file: Some(tokens.0.clone()), ..Access::default() };
    for access in [of_tls, of_tokens] {
        let refused = Gate::new(&access, &Place::Tcp(([127, 0, 0, 1], 6669).into()), Audit::silent());
        let said = refused.map(|_| ()).expect_err("it has no end").to_string();
        assert!(said.contains("more than 1 MiB"), "{said}");
    }
}
