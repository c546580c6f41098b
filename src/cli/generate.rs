//! `holdup gen-config` and `holdup gen-completion`: what a shell or an editor is given.

use super::{Args, choice::name_of, config::Config, file::ENABLED};
use crate::{
    diagnose::{LINTS, Settings, Threshold},
    source::{CatchUp, Token},
};
use clap::CommandFactory;
use clap_complete::Shell;
use std::{fmt::Write, path::PathBuf};
use toml::Value;

/// The configuration as a file that reads back to it, with what each key means.
pub(super) fn config_file(config: &Config) -> String {
    let mut out = String::from("# The configuration of holdup. What is left out is at its default.\n");
    let screen = &config.screen;
    entry(&mut out, "The service to watch.", "target", config.target.to_string());
    entry(
        &mut out,
        "How long ended tasks and dropped resources stay; \"none\" keeps them.",
        "retain-for",
        config.retain_for.to_string(),
    );
    entry(
        &mut out,
        "How much memory what is known of the target may take; what is over goes first.",
        "max-memory",
        config.max_memory.to_string(),
    );
    entry(
        &mut out,
        "For how long what was shown can be gone back to; \"none\" keeps no past.",
        "history",
        config.history.to_string(),
    );
    entry(&mut out, "The largest single message that is accepted.", "max-message", config.max_message.to_string());
    let catch_up = config.catch_up == CatchUp::Allowed;
    entry(&mut out, "Whether a target that lags may be asked to catch up.", "catch-up", catch_up);

    out += "\n[credentials]\n";
    let credentials = &config.credentials;
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    // A token itself stands in no file that others may read.
    let token = match &credentials.token {
        Some(Token::File(file)) => Some(file.display().to_string()),
        Some(Token::Given(_)) | None => None,
    };
    let help = "A file whose first word is the token that the target asks for; nobody but its owner may read it.";
    optional(&mut out, help, "token-file", token.as_ref());
    optional(
        &mut out,
        "The authorities that are believed instead of the system's, as PEM.",
        "ca",
        path(&credentials.ca).as_ref(),
    );
    let help = "The certificate that shows who this client is, as PEM.";
    optional(&mut out, help, "cert", path(&credentials.certificate).as_ref());
    optional(&mut out, "The key of that certificate, as PEM.", "key", path(&credentials.key).as_ref());
    let help = "The name that the target's certificate must have, where it is not the host's.";
    optional(&mut out, help, "server-name", credentials.server_name.as_ref());

    out += "\n[screen]\n";
    entry(
        &mut out,
        "auto, off, 8, 16, 256 or all. auto asks NO_COLOR, COLORTERM and TERM.",
        "palette",
        name_of(&screen.palette),
    );
    entry(&mut out, "auto, unicode or ascii. auto asks the language.", "charset", name_of(&screen.charset));
    optional(&mut out, "Instead of COLORTERM.", "colorterm", screen.colorterm.as_ref());
    optional(&mut out, "Instead of LC_ALL, LC_CTYPE and LANG.", "lang", screen.lang.as_ref());

    out += "\n[log]\n";
    entry(
        &mut out,
        "What is logged, such as info or holdup::source=trace; off is nothing.",
        "filter",
        config.log.filter.clone(),
    );
    entry(&mut out, "Where the log files go.", "dir", config.log.dir.display().to_string());

    lints(&mut out, &config.lints);
    out
}

fn lints(out: &mut String, settings: &Settings) {
    for lint in LINTS {
        let _ = write!(out, "\n# {}\n[lints.{}]\n", lint.summary, lint.name);
        let _ = writeln!(out, "{ENABLED} = {}", settings.is_enabled(lint));
        for param in lint.params {
            entry(out, param.help, param.name, value(settings.value(lint, param)));
        }
    }
}

/// A threshold as a configuration file has it.
pub(super) fn value(threshold: Threshold) -> Value {
    match threshold {
        Threshold::Time(time) => humantime::format_duration(time).to_string().into(),
        Threshold::Count(count) | Threshold::Bytes(count) => {
            i64::try_from(count).map_or_else(|_| count.to_string().into(), Value::from)
        }
        Threshold::Share(share) => share.into(),
    }
}

fn entry(out: &mut String, help: &str, key: &str, value: impl Into<Value>) {
    let _ = writeln!(out, "# {help}\n{key} = {}", value.into());
}

/// A key that is not set stands as a comment.
fn optional(out: &mut String, help: &str, key: &str, value: Option<&String>) {
    match value {
        Some(value) => entry(out, help, key, value.clone()),
        None => drop(writeln!(out, "# {help}\n# {key} = \"\"")),
    }
}

/// A shell's completions.
pub(super) fn completions(shell: Shell) -> Vec<u8> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "holdup", &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::{
            choice::{CharsetChoice, MemoryBound, PaletteChoice, RetainFor, Size},
            environment::Environment,
            file,
        },
        diagnose::Lint,
        source::Credentials,
    };
    use std::{path::Path, time::Duration};

    fn thresholds(config: &Config) -> Vec<(&'static str, bool, Vec<Threshold>)> {
        let of_lint = |lint: &&'static Lint| {
            let values = lint.params.iter().map(|param| config.lints.value(lint, param)).collect();
            (lint.name, config.lints.is_enabled(lint), values)
        };
        LINTS.iter().map(of_lint).collect()
    }

    fn round_trip(config: &Config) -> Config {
        let text = config_file(config);
        let mut read = Config::defaults(&Environment::default());
        read.apply_file(file::parse(Path::new("generated"), &text).unwrap_or_else(|error| panic!("{error}\n{text}")));
        read
    }

    #[test]
    fn what_is_printed_reads_back_to_the_same_settings() {
        let defaults = Config::defaults(&Environment::default());
        let mut changed = defaults.clone();
        changed.target = "unix:///run/a \"quoted\" path.sock".parse().unwrap();
        changed.retain_for = RetainFor(None);
        changed.max_message = Size(12_345);
        changed.max_memory = MemoryBound(Size(1 << 30));
        changed.catch_up = CatchUp::Forbidden;
        changed.screen.palette = PaletteChoice::Indexed;
        changed.screen.charset = CharsetChoice::Ascii;
        changed.screen.colorterm = Some("24bit".into());
        changed.screen.lang = Some("de_DE.UTF-8".into());
        changed.credentials = Credentials {
            token: Some(Token::File("/run/secrets/holdup".into())),
            ca: Some("ca.pem".into()),
            certificate: Some("me.pem".into()),
            key: Some("me.key".into()),
            server_name: Some("orders.internal".into()),
        };
        changed.log.filter = "debug".into();
        changed.log.dir = "/var/log/holdup".into();
        for (lint, threshold, value) in [
            ("never-yields", "warning", "1h 1ms 3ns"),
            ("task-leak", "live", "18446744073709551615"),
            ("self-wakes", "share", "33.3%"),
            ("large-future", "size", "4096"),
        ] {
            changed.lints.set(lint, threshold, value).unwrap();
        }
        changed.lints.disable("deadlock").unwrap();
        for config in [defaults, changed] {
            let read = round_trip(&config);
            assert_eq!(thresholds(&read), thresholds(&config));
            assert_eq!(
                (&read.target, read.retain_for, read.max_memory, read.max_message),
                (&config.target, config.retain_for, config.max_memory, config.max_message)
            );
            assert_eq!(read.credentials, config.credentials);
            assert_eq!((read.catch_up, &read.screen, &read.log), (config.catch_up, &config.screen, &config.log));
        }
    }

    #[test]
    fn a_threshold_is_printed_as_it_is_typed() {
        assert_eq!(value(Threshold::Time(Duration::from_millis(250))).as_str(), Some("250ms"));
        assert_eq!(value(Threshold::Count(5)).as_integer(), Some(5));
    }
}
