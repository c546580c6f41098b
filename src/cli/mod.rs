//! What the user types: arguments, config file, their merge, and one small file for each subcommand.
//!
//! Everything a user can set comes to one [`Config`]: defaults, files, the [`Environment`], the command line. [`run`] picks
//! the subcommand and says what came of it; only `main` knows exit codes and stderr.

mod args;
mod check;
mod choice;
mod config;
mod demo;
mod diff;
mod environment;
mod error;
mod explain;
mod export;
mod file;
mod generate;
mod grab;
mod info;
mod layout;
mod live;
mod log;
#[cfg(feature = "mcp")]
mod mcp;
mod out;
mod ps;
mod record;
mod recorded;
mod replay;
mod run;
mod share;
mod targets;
mod tree;
mod watch;

pub use args::Args;
pub use config::{Config, ConfigError};
pub use environment::Environment;
pub use error::{Error, Outcome};

use args::{Command, FileArgs, Options};

/// Runs what the user typed.
pub fn run(args: Args, environment: &Environment) -> Result<Outcome, Error> {
    let Args { targets, list, options: before, command } = args;
    if let (true, Some(_)) = (targets.len() > 1 || list.is_some(), &command) {
        return Err(Error::ManyBefore);
    }
    let load = |more: &[&FileArgs]| -> Result<Config, Error> {
        let mut config = Config::load(environment, &[&[&before.files], more].concat())?;
        config.apply(&before)?;
        if let Some(target) = targets.first() {
            config.target.clone_from(target);
        }
        Ok(config)
    };
    let with = |options: &Options| -> Result<Config, Error> {
        let mut config = load(&[&options.files])?;
        config.apply(options)?;
        Ok(config)
    };
    match command {
        None => {
            let config = load(&[])?;
            if targets.len() > 1 || list.is_some() {
                return live::run_fleet(targets::all(&targets, list.as_deref())?, &config, environment);
            }
            match &config.target {
                crate::source::Target::Recording(path) => {
                    replay::run(std::slice::from_ref(path), None, &config, environment)
                }
                _ => live::run(&config, environment),
            }
        }
        Some(Command::Demo(args)) => demo::run(&args, with(&args.options)?, environment),
        Some(Command::Check(args)) if args.print_schema => done(out::print(check::schema(&args))),
        Some(Command::Check(args)) => {
            let mut config = load(&[&args.files])?;
            config.apply_check(&args)?;
            check::run(&args, &config)
        }
        Some(Command::Tree(args)) => {
            let mut config = load(&[&args.files])?;
            config.apply_memory(&args.memory, args.exe.as_ref())?;
            config.apply_files(&args.files);
            config.target = args.target.clone();
            if args.ascii_only {
                config.screen.charset = choice::CharsetChoice::Ascii;
            }
            tree::run(&args, &config, environment)
        }
        Some(Command::Record(args)) => {
            let mut config = load(&[&args.watch.files])?;
            config.apply_watch(&args.watch)?;
            config.target = args.target.clone().unwrap_or(config.target);
            record::run(&args, &config)
        }
        Some(Command::Diff(args)) if args.print_schema => done(out::print(crate::report::DIFF_SCHEMA)),
        Some(Command::Diff(args)) => {
            let mut config = load(&[&args.watch.files])?;
            config.apply_watch(&args.watch)?;
            diff::run(&args, &config)
        }
        Some(Command::Export(mut args)) => {
            args.targets.extend(targets.first().cloned());
            export::run(&args, load(&[&args.files])?)
        }
        #[cfg(feature = "mcp")]
        Some(Command::Mcp(mut args)) => {
            args.targets.extend(targets.first().cloned());
            mcp::run(&args, load(&[&args.files])?)
        }
        Some(Command::Info(args)) => info::run(&args),
        Some(Command::Replay(args)) => {
            let mut config = load(&[&args.files])?;
            config.apply_screen(&args.screen);
            config.apply_files(&args.files);
            replay::run(&args.recording, args.at, &config, environment)
        }
        Some(Command::Share(args)) => share::run(&args),
        Some(Command::Ps(args)) => ps::run(&args),
        Some(Command::Grab(args)) => grab::run(&args),
        Some(Command::Layout(args)) => layout::run(&args),
        Some(Command::Core(args)) => {
            let mut config = with(&args.options)?;
            config.memory.executable.clone_from(&args.exe);
            config.target = crate::source::Target::Core(args.file.clone());
            live::run(&config, environment)
        }
        Some(Command::Run(args)) => run::run(&args, with(&args.options)?, environment),
        Some(Command::Explain { lint }) => {
            let lint = lint.as_deref().and_then(|name| crate::diagnose::lint(choice::canonical(name)));
            done(out::print(&lint.map_or_else(explain::list, explain::one)))
        }
        Some(Command::GenConfig(args)) => {
            let mut config = with(&args.options)?;
            config.target = args.target.clone().unwrap_or(config.target);
            done(out::print(&generate::config_file(&config)))
        }
        Some(Command::GenCompletion { shell }) => done(out::print_bytes(&generate::completions(shell))),
        #[cfg(feature = "demo")]
        Some(Command::DemoServer(args)) => demo_server::run(args).map(|()| Outcome::Done).map_err(Error::DemoServer),
    }
}

/// What the link runs on, while whoever watches has this thread. One more is enough, however many processors there are: messages
/// are decoded one after the other, and each thread that takes part keeps memory of its own.
fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(Error::Runtime)
}

fn done(printed: Result<(), Error>) -> Result<Outcome, Error> {
    printed.map(|()| Outcome::Done)
}
