//! What an agent has kept by itself, as a recording: asked for, or from a file that it wrote.

use super::keeping::{KeepError, make};
use crate::{
    cli::{Error, Outcome, args::RecordArgs, config::Config, log},
    number::{humanize, humanize_bytes, plural},
    record::{self, Header, Recorder, Writer},
    session::Session,
    source::{self, Past, Target},
    update::{Event, Part},
};
use std::{
    fs,
    io::{BufWriter, Write},
    path::Path,
    time::Duration,
};

/// What was recorded is passed on this often, by the target's clock.
const PASSED_ON: Duration = Duration::from_secs(60);

/// What came of it.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::cli) struct Made {
    lasted: Duration,
    updates: u64,
    is_cut: bool,
}

/// Fetches it, writes the file, and says what came of that.
pub(super) fn run(args: &RecordArgs, config: &Config) -> Result<Outcome, Error> {
    log::start(&config.log, |text| log::on_stderr(&text))?;
    let target = &config.target;
    let bytes = match target {
        Target::Recording(path) => fs::read(path).map_err(|error| unreadable(path, &error))?,
        Target::Tcp { .. } | Target::Tls { .. } | Target::Unix(_) => {
            let runtime = crate::cli::runtime()?;
            let fetched = runtime.block_on(source::fetch_past(target, &config.source()));
            fetched.map_err(|reason| Error::NoPast { target: target.clone(), reason })?
        }
        Target::Pid(_) | Target::Name(_) | Target::Core(_) => {
            let reason = "the past is kept by an agent, and this is no address of one".to_owned();
            return Err(Error::NoPast { target: target.clone(), reason });
        }
    };
    let past = Past::new(bytes).map_err(|error| Error::NoPast { target: target.clone(), reason: error.to_string() })?;
    let path = args.output.as_path();
    let file = BufWriter::new(make(path)?);
    let written = write(past, &target.to_string(), Session::new(&config.lints, config.retention()), file)
        .and_then(|(file, made)| Ok((file.into_inner().map_err(std::io::IntoInnerError::into_error)?, made)));
    let (file, made) = written.map_err(|error| KeepError::Write { path: path.to_owned(), error })?;
    let size = file.metadata().map_or(0, |file| file.len());
    let cut = if made.is_cut { "; its end is missing or damaged" } else { "" };
    // Nobody who cannot be told needs to be.
    let _ = writeln!(
        std::io::stderr(),
        "recorded the past {}, {}: {}, {}{cut}",
        humanize(made.lasted),
        plural(made.updates, "update"),
        path.display(),
        humanize_bytes(size)
    );
    Ok(Outcome::Done)
}

/// A file that an agent wrote, as a recording.
pub(in crate::cli) fn of_file(path: &Path, session: Session) -> Result<Vec<u8>, Error> {
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    let say = |error: String| Error::Recording(format!("{}: {error}", path.display()));
    let past = Past::new(bytes).map_err(|error| say(error.to_string()))?;
    write(past, &path.display().to_string(), session, Vec::new())
        .map(|(recording, _)| recording)
        .map_err(|error| say(error.to_string()))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::Recording(format!("{}: {error}", path.display()))
}

/// Writes it as a recording: what was told is on record as of the instants that it is of.
fn write<W: Write>(mut past: Past, target: &str, mut session: Session, to: W) -> Result<(W, Made), record::Error> {
    let mut recorder = Recorder::new();
    let mut waiting: Vec<Event> = Vec::new();
    let mut writer = None;
    let mut to = Some(to);
    let (mut first, mut passed_on) = (None, Duration::ZERO);
    let mut made = Made::default();
    while let Some(event) = past.next_event() {
        let Event::Update(update) = &event else {
            waiting.push(event);
            continue;
        };
        let (now, is_last) = (update.now, update.part == Part::Last);
        waiting.push(event);
        // When something was is known with its time.
        let Some(now) = now.or(session.model().now()) else { continue };
        let first = *first.get_or_insert(now);
        let (at, wall) = (made.lasted.max(now.since(first)), now.nanos());
        if let Some(to) = to.take() {
            writer = Some(Writer::new(to, &Header::new(target, wall))?);
        }
        for event in waiting.drain(..) {
            recorder.push(at, wall, event.clone(), &session)?;
            session.apply(event);
            recorder.applied(at, &session)?;
        }
        made.lasted = at;
        made.updates += u64::from(is_last);
        if let Some(writer) = &mut writer
            && at.saturating_sub(passed_on) >= PASSED_ON
        {
            passed_on = at;
            recorder.take(at)?.into_iter().try_for_each(|out| writer.put(out))?;
        }
    }
    made.is_cut = past.is_cut();
    let Some(mut writer) = writer else { return Err(record::Error::Nothing) };
    recorder.end()?.into_iter().try_for_each(|out| writer.put(out))?;
    Ok((writer.finish()?, made))
}
