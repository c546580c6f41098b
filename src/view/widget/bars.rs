//! Horizontal bars: one share, several shares of one whole, and a histogram with its percentiles.
//!
//! ```text
//! p50   1.20 µs     2.00 µs ████████████      812
//! p90   3.91 µs     5.00 µs ████▌             301
//! p99   14.8 µs     10.0 µs                     0
//! max   15.0 ms     20.0 µs ▌                  37
//!                 outliers  ▏                   2
//! ```

use crate::{
    app::histogram::{Distribution, PERCENTS, Percentile},
    view::style::{numbers, text, theme::Theme},
};
use ratatui::{
    style::Style,
    text::{Line, Span},
};
use std::time::Duration;

/// A bar that fills a share, from 0 to 1, of exactly `width` columns. What is not nothing is never drawn as nothing.
pub(crate) fn bar(share: f64, width: usize, theme: &Theme) -> String {
    let eighths = &theme.symbols().eighths;
    let mut filled = (share.clamp(0.0, 1.0) * (width * 8) as f64).round() as usize;
    if share > 0.0 && width > 0 {
        filled = filled.max(1);
    }
    let mut bar = eighths[8].repeat(filled / 8);
    if !filled.is_multiple_of(8) {
        bar.push_str(eighths[filled % 8]);
    }
    bar.extend(std::iter::repeat_n(' ', width - filled.div_ceil(8)));
    bar
}

/// One part of a whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    /// How much of the whole, in any unit that all parts have in common.
    pub amount: f64,
    /// What draws it: one column.
    pub fill: &'static str,
    /// In which style.
    pub style: Style,
}

/// Parts of a whole, side by side in exactly `width` columns; a part that is not nothing gets a column if there is one for each.
pub(crate) fn shares(parts: &[Share], width: usize) -> Line<'static> {
    let columns = columns(parts, width);
    let cells = parts.iter().zip(columns).filter(|&(_, columns)| columns > 0);
    let mut line: Line = cells.map(|(part, columns)| Span::styled(part.fill.repeat(columns), part.style)).collect();
    let missing = width.saturating_sub(line.width());
    if missing > 0 {
        line.push_span(" ".repeat(missing));
    }
    line
}

fn columns(parts: &[Share], width: usize) -> Vec<usize> {
    let amounts: Vec<f64> = parts.iter().map(|part| if part.amount > 0.0 { part.amount } else { 0.0 }).collect();
    let whole: f64 = amounts.iter().sum();
    if whole <= 0.0 || !whole.is_finite() {
        return vec![0; parts.len()];
    }
    let mut columns: Vec<usize> = amounts
        .iter()
        .map(|amount| ((amount / whole * width as f64).floor() as usize).max(usize::from(*amount > 0.0)))
        .collect();
    // What rounding left over, or took too much of, is the largest part's.
    loop {
        let sum: usize = columns.iter().sum();
        let Some(largest) = (0..columns.len()).max_by(|&a, &b| {
            (columns[a], amounts[a]).partial_cmp(&(columns[b], amounts[b])).unwrap_or(std::cmp::Ordering::Equal)
        }) else {
            return columns;
        };
        match sum.cmp(&width) {
            std::cmp::Ordering::Equal => return columns,
            std::cmp::Ordering::Less => columns[largest] += width - sum,
            std::cmp::Ordering::Greater => columns[largest] -= 1,
        }
    }
}

/// The columns of a histogram's percentiles, with the space after them.
const PERCENTILES: usize = 16;

/// How many lines [`histogram`] has.
pub(crate) const HISTOGRAM_HEIGHT: usize = PERCENTS.len() + 1;

/// The percentiles and the bars of a distribution: [`HISTOGRAM_HEIGHT`] lines of exactly `width` columns.
pub(crate) fn histogram(values: &Distribution, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let bins = values.bins(HISTOGRAM_HEIGHT);
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or(0).max(1);
    let label = usize::from(numbers::DURATION_WIDTH) + 1;
    let count = usize::from(numbers::COUNT_WIDTH);
    // Two spaces: around the bar.
    let bar_width = width.saturating_sub(PERCENTILES + label + count + 2);
    let percentiles = percentiles(values, *theme);
    let lines = percentiles.into_iter().enumerate().map(|(row, (name, value))| {
        let mut line = Line::from(vec![
            Span::styled(format!("{name:<5}"), theme.label()),
            Span::raw(text::left(&value, PERCENTILES - 5, theme)),
        ]);
        if let Some(bin) = bins.get(row) {
            let share = bin.count as f64 / most as f64;
            let edge = bin.at_most.map_or_else(|| "outliers".to_owned(), |edge| numbers::duration(edge, theme));
            line.push_span(Span::styled(text::right(&edge, label, theme), theme.dim()));
            line.push_span(" ");
            line.push_span(Span::styled(bar(share, bar_width, theme), bar_style(bin.at_most, *theme)));
            line.push_span(" ");
            line.push_span(text::right(&numbers::count(bin.count), count, theme));
        }
        fit(line, width)
    });
    lines.collect()
}

fn bar_style(at_most: Option<Duration>, theme: Theme) -> Style {
    if at_most.is_none() { theme.notice() } else { theme.good() }
}

fn percentiles(values: &Distribution, theme: Theme) -> Vec<(String, String)> {
    let said = |percentile| match percentile {
        Some(Percentile::AtMost(value)) => numbers::duration(value, &theme),
        Some(Percentile::Over(value)) => format!("> {}", numbers::duration(value, &theme)),
        None => String::new(),
    };
    let mut rows: Vec<_> =
        PERCENTS.iter().map(|&percent| (format!("p{percent}"), said(values.percentile(percent)))).collect();
    rows.push(("max".into(), said(values.longest.map(Percentile::AtMost))));
    rows
}

/// A line in exactly `width` columns. Its spans must already be safe.
fn fit(line: Line<'static>, width: usize) -> Line<'static> {
    let mut fitted = Line::default();
    let mut room = width;
    for span in line.spans {
        let taken: String = span.content.chars().take(room).collect();
        room -= taken.chars().count();
        fitted.push_span(Span::styled(taken, span.style));
    }
    fitted.push_span(" ".repeat(room));
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::options::{Charset, Palette},
        update::Histogram,
    };
    use proptest::prelude::*;

    fn theme(charset: Charset) -> Theme {
        Theme::new(Palette::Off, charset)
    }

    fn drawn(lines: &[Line]) -> String {
        lines.iter().map(|line| line.to_string() + "|\n").collect()
    }

    #[test]
    fn a_bar_is_as_long_as_its_share() {
        let unicode = theme(Charset::Unicode);
        let ascii = theme(Charset::Ascii);
        assert_eq!(bar(0.5, 8, &unicode), "████    ");
        assert_eq!(bar(0.55, 8, &unicode), "████▍   ");
        assert_eq!(bar(0.001, 8, &unicode), "▏       ", "a little is not nothing");
        assert_eq!(bar(0.5, 8, &ascii), "####    ");
        assert_eq!([bar(0.0, 2, &unicode), bar(9.0, 2, &unicode), bar(f64::NAN, 2, &unicode)], ["  ", "██", "  "]);
        assert_eq!(bar(1.0, 0, &unicode), "");
    }

    #[test]
    fn each_part_of_a_whole_is_seen() {
        let part = |amount, fill| Share { amount, fill, style: Style::new() };
        let line = shares(&[part(98.0, "b"), part(0.1, "s"), part(2.0, "i")], 10);
        assert_eq!(line.to_string(), "bbbbbbbbsi");
        assert_eq!(shares(&[part(0.0, "b"), part(0.0, "s")], 4).to_string(), "    ");
        assert_eq!(shares(&[part(f64::NAN, "b"), part(-1.0, "s"), part(3.0, "i")], 4).to_string(), "iiii");
    }

    fn measured() -> Distribution {
        let buckets = vec![(1_207, 812), (4_095, 301), (15_103, 37)];
        Distribution::of_histogram(&Histogram { buckets, outliers: 2, largest_outlier: Some(1_500_000_000) })
    }

    #[test]
    fn a_histogram_in_unicode() {
        insta::assert_snapshot!(drawn(&histogram(&measured(), 60, &theme(Charset::Unicode))), @r"
        p10  1.20 µs     2.00 µs ████████████████████████████    812|
        p25  1.20 µs     5.00 µs ██████████▍                     301|
        p50  1.20 µs     10.0 µs                                   0|
        p75  4.09 µs     20.0 µs █▎                               37|
        p90  4.09 µs    outliers ▏                                 2|
        p95  4.09 µs                                                |
        p99  15.1 µs                                                |
        max  1.50 s                                                 |
        ");
    }

    #[test]
    fn a_histogram_in_ascii_and_narrow() {
        insta::assert_snapshot!(drawn(&histogram(&measured(), 38, &theme(Charset::Ascii))), @r"
        p10  1.20 us     2.00 us ######    812|
        p25  1.20 us     5.00 us ##-       301|
        p50  1.20 us     10.0 us             0|
        p75  4.09 us     20.0 us -          37|
        p90  4.09 us    outliers -           2|
        p95  4.09 us                          |
        p99  15.1 us                          |
        max  1.50 s                           |
        ");
    }

    #[test]
    fn a_histogram_of_nothing() {
        insta::assert_snapshot!(drawn(&histogram(&Distribution::default(), 20, &theme(Charset::Unicode))), @r"
        p10                 |
        p25                 |
        p50                 |
        p75                 |
        p90                 |
        p95                 |
        p99                 |
        max                 |
        ");
    }

    proptest! {
        #[test]
        fn every_width_is_exact(share in -1.0..2.0_f64, width in 0_usize..200, amounts in prop::collection::vec(-1.0..9.0_f64, 0..5)) {
            let parts: Vec<Share> = amounts.iter().map(|&amount| Share { amount, fill: "x", style: Style::new() }).collect();
            prop_assert_eq!(shares(&parts, width).width(), width);
            for charset in [Charset::Unicode, Charset::Ascii] {
                let theme = theme(charset);
                prop_assert_eq!(text::columns(&bar(share, width, &theme)), width);
                prop_assert!(histogram(&measured(), width, &theme).iter().all(|line| line.width() == width));
            }
        }
    }
}
