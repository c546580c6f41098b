//! What everything that a user can set comes to: defaults, then the user's file, then the local file, then the environment,
//! then the command line. Merged here, once; whoever runs a subcommand reads no file and no environment.

use super::{
    args::{
        CheckArgs, CredentialArgs, FileArgs, LinkArgs, LintArgs, MemoryArgs, Options, ScreenArgs, SymbolArgs, WatchArgs,
    },
    choice::{ALL, CharsetChoice, HistoryFor, MemoryBound, PaletteChoice, RetainFor, Size, canonical},
    environment::{Environment, Screen},
    file::{self, ConfigFile, FileError},
    log::Log,
};
use crate::{
    app::{self, options::ValuesForm},
    diagnose::{LINTS, SettingError, Settings},
    model::Retention,
    record::Limits,
    source::{self, Beside, CatchUp, CredentialError, Credentials, MemoryOptions, Stacks, Target, Token},
};
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// For how long what was shown can be gone back to, where nobody says.
const HISTORY: Duration = Duration::from_secs(600);

/// The past takes this part of the memory at most, and no more than that.
const PART_OF_PAST: usize = 8;
const MOST_PAST: usize = 64 << 20;

/// Every setting, decided.
#[derive(Debug, Clone)]
pub struct Config {
    /// The service to watch.
    pub target: Target,
    /// Which lints run, and from where on they fire.
    pub lints: Settings,
    /// How long what is over stays.
    pub retain_for: RetainFor,
    /// How much memory what is known of the target may take.
    pub max_memory: MemoryBound,
    /// For how long what was shown can be gone back to.
    pub history: HistoryFor,
    /// The largest single message that is accepted.
    pub max_message: Size,
    /// Whether a target that lags may be asked to catch up.
    pub catch_up: CatchUp,
    /// Who this client is to the target, and whom it believes.
    pub credentials: Credentials,
    /// How memory is read.
    pub memory: MemoryOptions,
    /// Whether what frames hold is read.
    pub values: ValuesForm,
    /// How it looks.
    pub screen: Screen,
    /// holdup's own log.
    pub log: Log,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A configuration file is not one.
    #[error(transparent)]
    File(#[from] FileError),
    /// A setting of the command line was refused.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A token or a certificate cannot be used.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
    /// What is named to read memory by is not there.
    #[error("cannot open {}, which {option} names: {error}", .path.display())]
    Symbols {
        /// The option.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

impl Config {
    /// What holds when nobody sets anything. The log's directory is the only thing that depends on the machine.
    pub fn defaults(environment: &Environment) -> Self {
        let source::Options { max_message, catch_up, .. } = source::Options::default();
        Self {
            target: Target::default(),
            lints: Settings::default(),
            retain_for: RetainFor(Retention::default().keep),
            max_memory: MemoryBound(Size(Retention::default().max_bytes)),
            history: HistoryFor(Some(HISTORY)),
            max_message: Size(max_message),
            catch_up,
            credentials: Credentials::default(),
            memory: MemoryOptions { beside: Beside::Allowed, ..MemoryOptions::default() },
            values: ValuesForm::default(),
            screen: Screen::default(),
            log: Log { filter: "off".into(), dir: environment.state_dir.clone() },
        }
    }

    /// Defaults, configuration files, and what the environment sets. The command line goes on top of it.
    pub fn load(environment: &Environment, files: &[&FileArgs]) -> Result<Self, ConfigError> {
        let mut config = Self::defaults(environment);
        let chosen = files.iter().rev().find_map(|files| files.config.as_ref());
        for file in file::read(chosen, &environment.config_files)? {
            config.apply_file(file);
        }
        if let Some(filter) = &environment.rust_log {
            config.log.filter.clone_from(filter);
        }
        if environment.token.is_some() {
            config.credentials.token.clone_from(&environment.token);
        }
        Ok(config)
    }

    /// Takes in a configuration file. What it says of lints was checked when it was read.
    pub fn apply_file(&mut self, file: ConfigFile) {
        let ConfigFile {
            target,
            retain_for,
            max_memory,
            history,
            max_message,
            catch_up,
            credentials,
            screen,
            log,
            lints,
        } = file;
        replace(&mut self.history, history);
        replace(&mut self.target, target);
        replace(&mut self.retain_for, retain_for);
        replace(&mut self.max_memory, max_memory);
        replace(&mut self.max_message, max_message);
        replace(&mut self.catch_up, catch_up);
        self.apply_credentials(CredentialArgs {
            token_file: credentials.token_file,
            ca: credentials.ca,
            cert: credentials.cert,
            key: credentials.key,
            server_name: credentials.server_name,
        });
        replace(&mut self.screen.palette, screen.palette);
        replace(&mut self.screen.charset, screen.charset);
        self.screen.colorterm = screen.colorterm.or(self.screen.colorterm.take());
        self.screen.lang = screen.lang.or(self.screen.lang.take());
        replace(&mut self.log.filter, log.filter);
        replace(&mut self.log.dir, log.dir);
        lints.apply(&mut self.lints);
    }

    /// Takes in the live view's options.
    pub fn apply(&mut self, options: &Options) -> Result<(), ConfigError> {
        self.apply_lints(&options.lints)?;
        self.apply_link(&options.link);
        self.apply_memory(&options.memory, None)?;
        replace(&mut self.history, options.past.history);
        self.apply_screen(&options.screen);
        self.apply_files(&options.files);
        Ok(())
    }

    /// Takes in how targets are checked.
    pub fn apply_check(&mut self, args: &CheckArgs) -> Result<(), ConfigError> {
        self.apply_lints(&args.lints)?;
        self.apply_link(&args.link);
        self.apply_memory(&args.memory, args.exe.as_ref())?;
        self.apply_files(&args.files);
        Ok(())
    }

    /// Takes in how a target is watched.
    pub fn apply_watch(&mut self, args: &WatchArgs) -> Result<(), ConfigError> {
        self.apply_lints(&args.lints)?;
        self.apply_link(&args.link);
        self.apply_symbols(&args.symbols)?;
        self.apply_files(&args.files);
        Ok(())
    }

    /// Takes in which lints run. What is named weighs more than `all`, and `--allow` more than `--warn`.
    pub fn apply_lints(&mut self, args: &LintArgs) -> Result<(), ConfigError> {
        let named = |names: &'_ [String]| names.iter().any(|name| name == ALL);
        for lint in LINTS {
            if named(&args.allow) {
                self.lints.disable(lint.name)?;
            } else if named(&args.warn) {
                self.lints.enable(lint.name)?;
            }
        }
        for name in args.warn.iter().filter(|name| *name != ALL) {
            self.lints.enable(canonical(name))?;
        }
        for name in args.allow.iter().filter(|name| *name != ALL) {
            self.lints.disable(canonical(name))?;
        }
        for set in &args.set {
            self.lints.set(&set.lint, &set.threshold, &set.value)?;
        }
        Ok(())
    }

    /// Takes in what is said of the connection.
    pub fn apply_link(&mut self, args: &LinkArgs) {
        replace(&mut self.retain_for, args.retain_for);
        replace(&mut self.max_memory, args.max_memory);
        replace(&mut self.max_message, args.max_message);
        if args.no_catch_up {
            self.catch_up = CatchUp::Forbidden;
        }
        self.apply_credentials(args.credentials.clone());
    }

    /// Takes in who this client is.
    pub fn apply_credentials(&mut self, args: CredentialArgs) {
        let CredentialArgs { token_file, ca, cert, key, server_name } = args;
        let credentials = &mut self.credentials;
        credentials.token = token_file.map(Token::File).or(credentials.token.take());
        credentials.ca = ca.or(credentials.ca.take());
        credentials.certificate = cert.or(credentials.certificate.take());
        credentials.key = key.or(credentials.key.take());
        credentials.server_name = server_name.or(credentials.server_name.take());
    }

    /// What would keep any connection from being made, before one is tried.
    pub fn check_credentials(&self) -> Result<(), ConfigError> {
        self.check_credentials_for([&self.target])
    }

    /// The same for these targets.
    pub fn check_credentials_for<'a>(&self, targets: impl IntoIterator<Item = &'a Target>) -> Result<(), ConfigError> {
        let is_asked = |target: &Target| matches!(target, Target::Tcp { .. } | Target::Tls { .. } | Target::Unix(_));
        if targets.into_iter().any(is_asked) { Ok(self.credentials.check()?) } else { Ok(()) }
    }

    /// Takes in what is said of how memory is read.
    pub fn apply_memory(&mut self, args: &MemoryArgs, executable: Option<&PathBuf>) -> Result<(), ConfigError> {
        self.apply_symbols(&args.symbols)?;
        let memory = &mut self.memory;
        memory.executable = executable.cloned().or(memory.executable.take());
        if args.asked.values {
            self.values = ValuesForm::Read;
        }
        if args.asked.stop {
            memory.stacks = Stacks::Stopping;
        }
        Ok(())
    }

    /// Takes in where what is needed of the executable is, which stands above everything else. A file that is not there is told at once:
    /// whether it is needed is known of a process alone, and not of each.
    pub fn apply_symbols(&mut self, args: &SymbolArgs) -> Result<(), ConfigError> {
        for (option, file) in [("--debug", &args.debug), ("--layout", &args.layout)] {
            if let Some(path) = file {
                let told = |error| ConfigError::Symbols { option, path: path.clone(), error };
                can_be_opened(path).map_err(told)?;
            }
        }
        let memory = &mut self.memory;
        memory.debug = args.debug.clone().or(memory.debug.take());
        memory.layout = args.layout.clone().or(memory.layout.take());
        if args.no_memory {
            memory.beside = Beside::Forbidden;
        }
        Ok(())
    }

    pub(super) fn apply_screen(&mut self, args: &ScreenArgs) {
        replace(&mut self.screen.palette, args.palette);
        if args.no_colors {
            self.screen.palette = PaletteChoice::Off;
        }
        if args.ascii_only {
            self.screen.charset = CharsetChoice::Ascii;
        }
        if args.colorterm.is_some() {
            self.screen.colorterm.clone_from(&args.colorterm);
        }
        if args.lang.is_some() {
            self.screen.lang.clone_from(&args.lang);
        }
    }

    /// Takes in what is said of the log.
    pub fn apply_files(&mut self, args: &FileArgs) {
        replace(&mut self.log.filter, args.log.clone());
        replace(&mut self.log.dir, args.log_dir.clone());
    }

    /// What is kept of tasks and resources that are over.
    pub fn retention(&self) -> Retention {
        Retention { keep: self.retain_for.0, max_bytes: self.max_memory.0.0, ..Retention::default() }
    }

    /// The same where the past takes a part of the memory.
    fn retention_beside_the_past(&self) -> Retention {
        let past = self.past().map_or(0, |past| past.bytes);
        let retention = self.retention();
        Retention { max_bytes: retention.max_bytes.saturating_sub(past), ..retention }
    }

    /// How much of the past is kept beside what is known; none where it is not wanted.
    pub fn past(&self) -> Option<Limits> {
        let lasts = self.history.0?;
        Some(Limits { lasts, bytes: (self.max_memory.0.0 / PART_OF_PAST).min(MOST_PAST) })
    }

    /// How the link behaves.
    pub fn source(&self) -> source::Options {
        source::Options {
            max_message: self.max_message.0,
            catch_up: self.catch_up,
            credentials: self.credentials.clone(),
            memory: self.memory.clone(),
            ..source::Options::default()
        }
    }

    /// What the live view is told, with what the environment says of the terminal where nothing was chosen.
    pub fn app(&self, environment: &Environment) -> app::Options {
        app::Options {
            settings: self.lints.clone(),
            retention: self.retention_beside_the_past(),
            palette: environment.palette(&self.screen),
            charset: environment.charset(&self.screen),
            values: self.values,
            ..app::Options::default()
        }
    }
}

/// Whether this is a file that can be opened. What is none, as a pipe, is not opened: that could wait for ever.
fn can_be_opened(path: &Path) -> io::Result<()> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    File::open(path).map(drop)
}

fn replace<T>(value: &mut T, with: Option<T>) {
    if let Some(with) = with {
        *value = with;
    }
}
