//! Latency against size, as a picture: one line for each place that pages are taken from.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::groups::Subject;
use crate::tally::{Measure, Tally, spread};

const SIZE: (u32, u32) = (1000, 440);
/// Told apart by people who see few colours, too (after Okabe and Ito).
const COLORS: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(213, 94, 0),
];
/// Room above the highest point, for the names of the lines.
const HEADROOM: f64 = 1.45;

/// Its name, and a time in microseconds for each size.
type Line = (&'static str, Vec<(f64, f64)>);
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws the medians of all subjects that are points. On white, which is readable on a dark page too.
pub fn draw(file: &Path, subjects: &[Subject], found: &[Vec<Tally>]) -> Result<()> {
    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    root.fill(&WHITE).map_err(error)?;
    for (area, measure) in root.split_evenly((1, 2)).iter().zip([Measure::P50, Measure::P99]) {
        panel(area, measure.name(), &lines(subjects, found, measure))?;
    }
    root.present().map_err(error)
}

/// The errors of the library hold what other threads cannot have.
fn error(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("cannot draw: {error}")
}

fn lines(subjects: &[Subject], found: &[Vec<Tally>], measure: Measure) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (subject, tallies) in subjects.iter().zip(found) {
        let median = spread(tallies.iter().filter_map(|tally| tally.get(measure)));
        let (Some((name, size)), Some([median, ..])) = (subject.point, median) else { continue };
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 members")]
        let point = (size as f64, median);
        match lines.iter_mut().find(|(line, _)| *line == name) {
            Some((_, points)) => points.push(point),
            None => lines.push((name, vec![point])),
        }
    }
    lines
}

fn panel(area: &Area<'_>, caption: &str, lines: &[Line]) -> Result<()> {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let sizes = points().map(|(size, _)| *size);
    let (least, most) = (sizes.clone().fold(f64::INFINITY, f64::min), sizes.fold(1.0, f64::max));
    let top = points().map(|(_, time)| *time).fold(1.0, f64::max) * HEADROOM;
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(48)
        .y_label_area_size(72)
        .build_cartesian_2d((least.min(most / 10.0)..most * 1.2).log_scale(), 0.0..top)
        .map_err(error)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .max_light_lines(1)
        .light_line_style(WHITE)
        .x_desc("members of the project")
        .y_desc("µs until the answer, 32 connections")
        .x_label_formatter(&|size| power(*size))
        .y_label_formatter(&|time| format!("{time:.0}"))
        .label_style(("sans-serif", 14))
        .draw()
        .map_err(error)?;
    for ((name, points), color) in lines.iter().zip(COLORS) {
        let style = color.stroke_width(2);
        chart
            .draw_series(LineSeries::new(points.iter().copied(), style).point_size(3))
            .map_err(error)?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE)
        .label_font(("sans-serif", 14))
        .draw()
        .map_err(error)
}

/// A power of ten with its exponent raised.
fn power(size: f64) -> String {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let exponent = size.log10();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sizes are from 1 to 10^8"
    )]
    let digit = RAISED.get(exponent.round() as usize);
    match digit {
        Some(digit) if (exponent - exponent.round()).abs() < 1e-9 => format!("10{digit}"),
        _ => format!("{size:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::groups;
    use crate::groups::tests::sizes;
    use crate::tally::tests::tally;

    #[test]
    fn sizes_are_written_as_powers() {
        assert_eq!([1000.0, 1_000_000.0, 2500.0].map(power), ["10³", "10⁶", "2500"]);
    }

    #[test]
    fn every_place_has_a_line_with_every_size() {
        let groups = groups(&sizes());
        let group = groups.iter().find(|group| group.key == "sizes").unwrap();
        let found: Vec<_> = group.subjects.iter().map(|_| vec![tally(100, 700)]).collect();
        let lines = lines(&group.subjects, &found, Measure::P50);
        assert_eq!(lines.len(), COLORS.len());
        assert!(lines.iter().all(|(_, points)| points.len() == 2));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plot.svg");
        draw(&file, &group.subjects, &found).unwrap();
        let svg = std::fs::read_to_string(file).unwrap();
        for text in ["page 1", "last page", "p50", "p99", "10³", "members of the project"] {
            assert!(svg.contains(text), "no {text}");
        }
    }
}
