//! In which form pages are told: as the request asks for.

use crate::{page::Target, write::write};

/// One of the two that Prometheus has always read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `OpenMetrics` 1.0.
    OpenMetrics,
    /// Prometheus' own text, 0.0.4.
    Text,
}

impl Format {
    /// What is asked for by a header `Accept`: `OpenMetrics` 1.0 where it is wanted no less than text, and text otherwise.
    pub fn of(accept: Option<&str>) -> Self {
        let (mut openmetrics, mut text) = (0.0_f32, 0.0_f32);
        for range in accept.unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let (mut version, mut weight) = (None, 1.0_f32);
            for (name, value) in parts.filter_map(|part| part.split_once('=')) {
                match name.trim().to_ascii_lowercase().as_str() {
                    "version" => version = Some(value.trim().trim_matches('"').to_owned()),
                    // What is no number asks for nothing.
                    "q" => weight = value.trim().parse().unwrap_or(0.0),
                    _ => {}
                }
            }
            match (kind.as_str(), version.as_deref()) {
                ("application/openmetrics-text", None | Some("1.0.0")) => openmetrics = openmetrics.max(weight),
                ("text/plain", None | Some("0.0.4")) => text = text.max(weight),
                _ => {}
            }
        }
        if openmetrics > 0.0 && openmetrics >= text { Self::OpenMetrics } else { Self::Text }
    }

    /// The header `Content-Type` of it.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// What these targets tell.
    pub fn write(self, targets: Vec<Target>) -> String {
        write(self, targets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_told() {
        let by_default = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(Format::of(Some(by_default)), Format::OpenMetrics);
        assert_eq!(Format::of(Some("application/openmetrics-text; version=\"1.0.0\"; q=0.6")), Format::OpenMetrics);
        assert_eq!(Format::of(Some("Application/OpenMetrics-Text")), Format::OpenMetrics);
        for text in [
            None,
            Some(""),
            Some("*/*"),
            Some("text/plain;version=0.0.4"),
            Some("application/openmetrics-text;version=0.0.1"),
            Some("application/openmetrics-text;version=1.0.0;q=0"),
            Some("application/openmetrics-text;version=1.0.0;q=x"),
            Some("application/openmetrics-text;version=1.0.0;q=0.3,text/plain;q=0.5"),
            Some(";;;===,,,q=1"),
        ] {
            assert_eq!(Format::of(text), Format::Text, "{text:?}");
        }
    }
}
