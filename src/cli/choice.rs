//! Values that a user chooses, the same on the command line and in a configuration file: how they are written and read.

#[cfg(feature = "otlp")]
use crate::export::Compression;
use crate::{
    app::options::{Charset, Palette},
    diagnose::{Finding, LINTS, Settings, Severity},
};
use clap::{
    ValueEnum,
    builder::{PossibleValue, PossibleValuesParser},
};
use std::{fmt, str::FromStr, time::Duration};

/// Every lint at once, where a lint can be named.
pub(super) const ALL: &str = "all";

/// Names that tokio-console has for lints of ours.
const ALIASES: &[(&str, &str)] = &[("never-yielded", "never-yields")];

/// Our name for a lint, from any name that it goes by.
pub(super) fn canonical(name: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, ours)| ours)
}

/// What `explain` takes: the name of one lint.
pub(super) fn one_lint_name() -> PossibleValuesParser {
    PossibleValuesParser::new(lint_values())
}

/// What `--warn` and `--allow` take: the names of lints, and `all`.
pub(super) fn lint_names() -> PossibleValuesParser {
    PossibleValuesParser::new(lint_values().chain([PossibleValue::new(ALL).help("Every lint")]))
}

/// What `--scenario` takes: a wrong name is answered with all the right ones.
#[cfg(feature = "demo")]
pub(super) fn scenario_names() -> PossibleValuesParser {
    PossibleValuesParser::new(demo_server::scenarios().iter().map(|scenario| scenario.name).chain([ALL]))
}

fn lint_values() -> impl Iterator<Item = PossibleValue> {
    LINTS.iter().map(|lint| {
        let aliases = ALIASES.iter().filter(|(_, ours)| *ours == lint.name).map(|(alias, _)| *alias);
        PossibleValue::new(lint.name).help(lint.summary).aliases(aliases)
    })
}

/// `LINT.THRESHOLD=VALUE`, known to be one that [`Settings`] takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThresholdSetting {
    /// The lint.
    pub lint: String,
    /// Its threshold.
    pub threshold: String,
    /// The value, as typed.
    pub value: String,
}

impl FromStr for ThresholdSetting {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let parts = typed.split_once('=').and_then(|(key, value)| Some((key.trim().split_once('.')?, value.trim())));
        let Some(((lint, threshold), value)) = parts else {
            return Err("write LINT.THRESHOLD=VALUE, as in never-yields.warning=250ms".into());
        };
        let lint = canonical(lint);
        Settings::default().set(lint, threshold, value).map_err(|error| error.to_string())?;
        Ok(Self { lint: lint.into(), threshold: threshold.into(), value: value.into() })
    }
}

/// How long what is over stays: a duration, or `none` for as long as there is room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetainFor(pub Option<Duration>);

/// Longer than anybody waits for anything; what clocks can count goes far beyond.
const LONGEST: Duration = Duration::from_secs(10 * 31_557_600);

/// How long to wait, or to watch.
pub(super) fn wait(typed: &str) -> Result<Duration, String> {
    let said = |error| format!("{error}; write a duration such as 30s or 2m");
    let duration = humantime::parse_duration(typed).map_err(said)?;
    if duration > LONGEST { Err("that is more than ten years".to_owned()) } else { Ok(duration) }
}

impl FromStr for RetainFor {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        if typed.eq_ignore_ascii_case("none") {
            return Ok(Self(None));
        }
        let duration = humantime::parse_duration(typed)
            .map_err(|error| format!("{error}; write a duration such as 30s or 2m, or `none`"))?;
        Ok(Self(Some(duration)))
    }
}

impl fmt::Display for RetainFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("none"),
            Some(duration) => humantime::format_duration(duration).fmt(f),
        }
    }
}

/// For how long the past is kept: a duration, or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryFor(pub Option<Duration>);

impl FromStr for HistoryFor {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let RetainFor(duration) = typed.parse()?;
        Ok(Self(duration.filter(|duration| !duration.is_zero())))
    }
}

impl fmt::Display for HistoryFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        RetainFor(self.0).fmt(f)
    }
}

/// A size in bytes, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub usize);

/// Units of a size, the largest first.
const UNITS: [(&str, usize); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl FromStr for Size {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let typed = typed.trim();
        let end = typed.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(typed.len());
        let (number, unit) = (&typed[..end], typed[end..].trim());
        let factor = UNITS
            .iter()
            .find(|(name, _)| {
                unit.eq_ignore_ascii_case(name) || (unit.len() == 1 && unit.eq_ignore_ascii_case(&name[..1]))
            })
            .map(|&(_, factor)| factor)
            .or(unit.is_empty().then_some(1));
        let bytes = factor.and_then(|factor| number.parse::<usize>().ok()?.checked_mul(factor));
        bytes
            .filter(|&bytes| bytes > 0)
            .map(Self)
            .ok_or_else(|| "write a size such as 64MiB, 512KiB or 1048576, greater than zero".into())
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, factor) = UNITS.iter().find(|(_, factor)| self.0.is_multiple_of(*factor)).unwrap_or(&("B", 1));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

/// A bound on memory: a size that leaves room for something to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryBound(pub Size);

/// The least that makes sense: some tens of thousands of tasks.
const LEAST_MEMORY: Size = Size(8 << 20);

impl FromStr for MemoryBound {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let size: Size = typed.parse()?;
        if size.0 < LEAST_MEMORY.0 {
            return Err(format!("write {LEAST_MEMORY} or more, such as 512MiB; without a unit it is in bytes"));
        }
        Ok(Self(size))
    }
}

impl fmt::Display for MemoryBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many colours there are to draw with, or that the environment is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum PaletteChoice {
    /// As many as the environment says that there are
    #[default]
    Auto,
    /// None
    Off,
    /// The terminal's first eight
    #[value(name = "8")]
    Eight,
    /// The terminal's own, bright ones included
    #[value(name = "16")]
    Sixteen,
    /// The 256 indexed ones
    #[value(name = "256")]
    Indexed,
    /// Every colour that there is
    All,
}

impl PaletteChoice {
    /// The palette, if it was chosen.
    pub fn palette(self) -> Option<Palette> {
        match self {
            Self::Auto => None,
            Self::Off => Some(Palette::Off),
            Self::Eight => Some(Palette::Eight),
            Self::Sixteen => Some(Palette::Sixteen),
            Self::Indexed => Some(Palette::Indexed),
            Self::All => Some(Palette::All),
        }
    }
}

/// Which characters to draw with, or that the environment is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum CharsetChoice {
    /// As the language says
    #[default]
    Auto,
    /// Lines, blocks and arrows
    Unicode,
    /// ASCII alone
    Ascii,
}

impl CharsetChoice {
    /// The character set, if it was chosen.
    pub fn charset(self) -> Option<Charset> {
        match self {
            Self::Auto => None,
            Self::Unicode => Some(Charset::Unicode),
            Self::Ascii => Some(Charset::Ascii),
        }
    }
}

/// A choice's name.
pub(super) fn name_of(choice: &impl ValueEnum) -> String {
    choice.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// A choice by its name; the error names all that there are.
pub(super) fn by_name<T: ValueEnum>(name: &str) -> Result<T, String> {
    T::from_str(name, true).map_err(|_| {
        let names: Vec<String> = T::value_variants().iter().map(name_of).collect();
        format!("{name:?} is none of: {}", names.join(", "))
    })
}

/// What is done to what is told by OTLP.
#[cfg(feature = "otlp")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompressionChoice {
    /// Nothing
    None,
    /// It is compressed: fewer bytes for some processor
    Gzip,
}

#[cfg(feature = "otlp")]
impl CompressionChoice {
    /// What was chosen.
    pub fn compression(self) -> Compression {
        match self {
            Self::None => Compression::None,
            Self::Gzip => Compression::Gzip,
        }
    }
}

/// How to print what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs; --print-schema describes it
    Json,
    /// For GitHub Actions: an annotation for each finding
    Github,
    /// SARIF 2.1.0, for code scanning: a rule for each lint, a result for each finding
    Sarif,
    /// JUnit's XML, for build servers: a case for each lint and target, skipped where the source cannot know
    Junit,
}

/// How to print what differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum DiffFormat {
    /// For people
    #[default]
    Text,
    /// For programs; --print-schema describes it
    Json,
}

/// A share, as in 10% or 0.5%.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percent(pub f64);

impl FromStr for Percent {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let number = typed.trim().trim_end_matches('%').trim_end().parse::<f64>().ok();
        let percent = number.filter(|percent| percent.is_finite() && *percent >= 0.0);
        percent.map(|percent| Self(percent / 100.0)).ok_or_else(|| "write a percentage such as 10% or 0.5%".into())
    }
}

/// From which severity on a finding is a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum FailOn {
    /// Any finding
    Note,
    /// A warning or worse
    #[default]
    Warning,
    /// A critical finding
    Critical,
    /// Whatever was found, exit with 0
    Never,
}

impl FailOn {
    /// Whether a finding of that severity is a failure.
    pub fn fails(self, severity: Severity) -> bool {
        match self {
            Self::Note => true,
            Self::Warning => severity >= Severity::Warning,
            Self::Critical => severity >= Severity::Critical,
            Self::Never => false,
        }
    }
}

/// What rings: a lint, or whatever is as bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlarmOn {
    /// Findings of this lint.
    Lint(&'static str),
    /// Findings of this severity, or worse.
    Severity(Severity),
}

impl AlarmOn {
    /// Whether a finding is one of those.
    pub fn is_of(&self, finding: &Finding) -> bool {
        match self {
            Self::Lint(name) => finding.lint.name == *name,
            Self::Severity(severity) => finding.severity >= *severity,
        }
    }
}

impl FromStr for AlarmOn {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let severities = [Severity::Note, Severity::Warning, Severity::Critical];
        let severity = severities.into_iter().find(|severity| severity.name() == typed).map(Self::Severity);
        let lint = || LINTS.iter().find(|lint| lint.name == canonical(typed)).map(|lint| Self::Lint(lint.name));
        severity.or_else(lint).ok_or_else(|| {
            "it is neither a severity (note, warning, critical) nor a lint; `holdup explain` lists those".to_owned()
        })
    }
}

/// An instant of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordedAt {
    /// So long before its end.
    BeforeEnd(Duration),
    /// So long after its beginning.
    AfterBeginning(Duration),
    /// By the wall clock, in nanoseconds since the Unix epoch.
    Wall(u64),
}

impl FromStr for RecordedAt {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let what =
            "it is no instant; type one as in 2026-11-28T03:12:05Z, -90s before the end or +5m after the beginning";
        let duration = |text| humantime::parse_duration(text).map_err(|_| what.to_owned());
        if let Some(before) = typed.strip_prefix('-') {
            return Ok(Self::BeforeEnd(duration(before)?));
        }
        if let Some(after) = typed.strip_prefix('+') {
            return Ok(Self::AfterBeginning(duration(after)?));
        }
        let timestamp: jiff::Timestamp = typed.parse().map_err(|_| what.to_owned())?;
        u64::try_from(timestamp.as_nanosecond()).map(Self::Wall).map_err(|_| what.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_or_is_in_bytes_and_reads_back() {
        let table = [("64MiB", 64 << 20), ("64 mib", 64 << 20), ("2G", 2 << 30), ("512k", 512 << 10), ("1000", 1000)];
        for (typed, bytes) in table {
            let size: Size = typed.parse().unwrap();
            assert_eq!(size.0, bytes, "{typed}");
            assert_eq!(size.to_string().parse(), Ok(size), "{typed}");
        }
        for wrong in ["", "0", "MiB", "-1", "1.5G", "12 parsecs", "99999999999999999999", "999999999999G"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
        assert_eq!(Size(512 << 20).to_string(), "512MiB");
    }

    /// What clocks cannot count ended the program.
    #[test]
    fn nobody_waits_for_longer_than_clocks_can_count() {
        assert_eq!(wait("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(wait("10y 1d").unwrap_err(), "that is more than ten years");
        assert_eq!(wait("400000000000y").unwrap_err(), "that is more than ten years");
        for wrong in ["a while", "-1s"] {
            assert!(wait(wrong).unwrap_err().contains("such as 30s"), "{wrong}");
        }
    }

    #[test]
    fn a_bound_on_memory_leaves_room_for_something() {
        assert_eq!("64MiB".parse::<MemoryBound>().unwrap().to_string(), "64MiB");
        for (typed, said) in [("512", "8MiB or more"), ("1MiB", "such as 512MiB"), ("much", "write a size such as")] {
            let error = typed.parse::<MemoryBound>().unwrap_err();
            assert!(error.contains(said), "{typed}: {error}");
        }
    }

    #[test]
    fn what_is_over_stays_for_a_duration_or_for_good() {
        assert_eq!("none".parse(), Ok(RetainFor(None)));
        assert_eq!("5days 2min".parse::<RetainFor>().unwrap().to_string(), "5days 2m");
        assert!("soon".parse::<RetainFor>().unwrap_err().contains("30s"));
    }

    #[test]
    fn a_threshold_is_checked_where_it_is_typed() {
        let set: ThresholdSetting = "never-yielded.warning = 250ms".parse().unwrap();
        assert_eq!(
            (set.lint.as_str(), set.threshold.as_str(), set.value.as_str()),
            ("never-yields", "warning", "250ms")
        );
        for (typed, said) in [
            ("never-yields=1s", "write LINT.THRESHOLD=VALUE"),
            ("nope.warning=1s", "the lints are"),
            ("never-yields.nope=1s", "it has: warning, critical"),
            ("never-yields.warning=soon", "takes a duration"),
        ] {
            let error = typed.parse::<ThresholdSetting>().unwrap_err();
            assert!(error.contains(said), "{typed}: {error}");
        }
    }

    #[test]
    fn a_finding_fails_from_the_severity_on_that_was_asked_for() {
        let fails =
            |fail_on: FailOn| [Severity::Note, Severity::Warning, Severity::Critical].map(|it| fail_on.fails(it));
        assert_eq!(fails(FailOn::Note), [true, true, true]);
        assert_eq!(fails(FailOn::Warning), [false, true, true]);
        assert_eq!(fails(FailOn::Critical), [false, false, true]);
        assert_eq!(fails(FailOn::Never), [false, false, false]);
        assert_eq!(FailOn::default(), FailOn::Warning);
    }
}
