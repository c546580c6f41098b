//! A row of small columns, one for each second: how busy something was of late.

use crate::view::style::theme::Theme;
use ratatui::text::{Line, Span};

/// Shares from 0 to 1, one column each, the oldest first. What is not nothing is never drawn as nothing.
pub(crate) fn sparkline(shares: &[f32], theme: &Theme) -> Line<'static> {
    let column = |share| Span::styled(theme.symbols().levels[level(share)], theme.heat(share));
    shares.iter().map(|&share| column(f64::from(share))).collect()
}

/// Which of nine levels, from nothing to full, a share from 0 to 1 is.
fn level(share: f64) -> usize {
    // A share that is not a number is none.
    (share.clamp(0.0, 1.0) * 8.0).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::options::{Charset, Palette};

    #[test]
    fn a_little_is_not_nothing() {
        let shares = [0.0, 0.001, 0.25, 0.5, 0.51, 1.0, 7.0, f32::NAN];
        let theme = Theme::new(Palette::Off, Charset::Unicode);
        assert_eq!(sparkline(&shares, &theme).to_string(), " ▁▂▄▅██ ");
        let theme = Theme::new(Palette::All, Charset::Ascii);
        assert_eq!(sparkline(&shares, &theme).to_string(), " ..:=## ");
    }
}
