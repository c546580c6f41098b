//! What the server can be told on its command line. Parsing only: what it means is `run`'s business.

use std::{ffi::OsString, net::SocketAddr};

use clap::builder::PossibleValuesParser;

use crate::{Instrumentation, scenarios};

/// The scenario that is every trouble at once, but for those that leave no processor to others.
pub(crate) const ALL: &str = "all";

/// The options of the demo server, for its own command line and, flattened, for others that start one.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct Args {
    /// Where the echo service listens; port 0 picks a free one and prints it
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub echo_addr: SocketAddr,

    /// Where the console is served; port 0 picks a free one and prints it
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:6669")]
    pub console_addr: SocketAddr,

    /// Worker threads of the service's runtime; `--scenario all` adds one for each trouble that keeps a worker to itself
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: u16,

    /// Troubles and controls to switch on, separated by commas; `all` is every trouble at once that leaves a processor to others
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "healthy",
        value_parser = scenario_names(),
        hide_possible_values = true
    )]
    pub scenario: Vec<String>,

    /// How the server lets itself be seen.
    #[command(flatten)]
    pub instrumentation: Instrumentation,

    /// Echo requests per second from the built-in clients; 0 for none
    #[arg(long, value_name = "RATE", default_value_t = 50, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub load: u32,

    /// Log to stderr what this filter lets through, such as `info` or `demo_server=debug`
    #[arg(long, value_name = "FILTER", env = "RUST_LOG", hide_env_values = true)]
    pub log: Option<String>,

    /// Print the scenarios, what each does and which finding it must raise, and exit
    #[arg(long)]
    pub list: bool,

    /// Stop when stdin reaches its end, so that the server does not outlive the process that holds the other end
    #[arg(long, hide = true)]
    pub exit_with_stdin: bool,
}

impl Args {
    /// The same options as words of a command line, for a process that starts the server as its child.
    ///
    /// [`Args::list`] is left out: a listing needs no child.
    pub fn to_words(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![
            "--echo-addr".into(),
            self.echo_addr.to_string().into(),
            "--console-addr".into(),
            self.console_addr.to_string().into(),
            "--workers".into(),
            self.workers.to_string().into(),
            "--scenario".into(),
            self.scenario.join(",").into(),
            "--load".into(),
            self.load.to_string().into(),
        ];
        words.extend(self.instrumentation.to_words().map(OsString::from));
        if let Some(filter) = &self.log {
            words.extend(["--log".into(), filter.into()]);
        }
        if self.exit_with_stdin {
            words.push("--exit-with-stdin".into());
        }
        words
    }
}

/// The names that `--scenario` takes, so that a wrong one is answered with all the right ones.
fn scenario_names() -> PossibleValuesParser {
    PossibleValuesParser::new(scenarios().iter().map(|scenario| scenario.name).chain([ALL]))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn parse(words: &[&str]) -> Result<Args, clap::Error> {
        Cli::try_parse_from(std::iter::once("demo-server").chain(words.iter().copied())).map(|cli| cli.args)
    }

    #[test]
    fn defaults_are_the_ones_the_readme_names() {
        let args = parse(&[]).unwrap();
        assert_eq!(args.echo_addr.to_string(), "127.0.0.1:8080");
        assert_eq!(args.console_addr.to_string(), "127.0.0.1:6669");
        assert_eq!(args.workers, 4);
        assert_eq!(args.scenario, ["healthy"]);
    }

    #[test]
    fn words_parse_back_to_the_same_options() {
        let args = parse(&[
            "--console-addr",
            "127.0.0.1:0",
            "--scenario",
            "deadlock,churn",
            "--instrument",
            "console-subscriber",
            "--detail",
            "lean",
            "--settings",
            "environment",
            "--log",
            "info",
            "--load",
            "0",
            "--exit-with-stdin",
        ])
        .unwrap();
        let words: Vec<String> = args.to_words().into_iter().map(|word| word.into_string().unwrap()).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(parse(&words).unwrap(), args);
    }

    #[test]
    fn no_workers_is_refused() {
        assert!(parse(&["--workers", "0"]).is_err());
    }
}
