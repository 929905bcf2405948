//! One chart as SVG: lines over the committee's size, what was measured as points, what theory says as thin lines.

use plotters::{
    coord::ranged1d::{DefaultFormatting, KeyPointHint},
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use std::{fmt::Write as _, ops::Range};

const SIZE: (u32, u32) = (760, 470);
/// Okabe and Ito's colours first, which people tell apart whatever their eyes. The last is theory's.
const COLOURS: [RGBColor; 11] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(180, 130, 0),
    RGBColor(110, 80, 220),
    RGBColor(140, 70, 40),
    RGBColor(120, 130, 60),
    RGBColor(150, 150, 150),
    RGBColor(40, 40, 40),
];
/// Which of them is theory's, since it lies over what was counted.
pub(super) const THEORY: usize = COLOURS.len() - 1;
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(222, 222, 222);

/// How values lie on the upright axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Each power of ten as high as the next.
    Logarithmic,
    /// From zero.
    Linear,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stroke {
    /// Points, joined.
    Measured,
    /// A thin line of dashes without points.
    Theory,
}

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// In the legend; empty: not there.
    pub(super) name: String,
    /// How it is drawn.
    pub(super) stroke: Stroke,
    /// Which colour.
    pub(super) colour: usize,
    /// `(n, value)`, ascending; values of zero or less do not appear on a logarithmic axis.
    pub(super) points: Vec<(f64, f64)>,
}

/// One chart. The axis of sizes is logarithmic.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    /// Of its file.
    pub(super) name: &'static str,
    /// Above it.
    pub(super) title: String,
    /// What it shows, in a sentence.
    pub(super) about: String,
    /// What the values are, with their unit.
    pub(super) values: &'static str,
    /// Of the values.
    pub(super) scale: Scale,
    /// The lines.
    pub(super) series: Vec<Series>,
}

impl Chart {
    /// The chart as an SVG document. `None`: there is nothing to draw.
    ///
    /// # Errors
    /// What the drawing library says.
    pub(super) fn svg(&self) -> Result<Option<String>, String> {
        let Some(frame) = Frame::of(self) else { return Ok(None) };
        let mut text = String::new();
        draw(self, &frame, SVGBackend::with_string(&mut text, SIZE).into_drawing_area()).map_err(|e| e.to_string())?;
        let label = format!("<svg role=\"img\" aria-label=\"{}\" ", escape(&self.title));
        Ok(Some(text.replacen("<svg ", &label, 1)))
    }

    fn visible(&self, series: &Series) -> Vec<(f64, f64)> {
        let is_shown = |point: &&(f64, f64)| point.0 > 0.0 && (self.scale == Scale::Linear || point.1 > 0.0);
        series.points.iter().filter(is_shown).map(|point| (point.0.log10(), self.height(point.1))).collect()
    }

    fn height(&self, value: f64) -> f64 {
        if self.scale == Scale::Logarithmic { value.log10() } else { value }
    }
}

/// The part of the plane that is shown, in the units of the drawing: logarithms where the axis is logarithmic.
struct Frame {
    x: (f64, f64),
    y: (f64, f64),
    /// The sizes that were measured.
    sizes: Vec<f64>,
    /// Where there are lines across.
    levels: Vec<f64>,
}

impl Frame {
    fn of(chart: &Chart) -> Option<Self> {
        let points: Vec<_> = chart.series.iter().flat_map(|series| chart.visible(series)).collect();
        let mut sizes: Vec<f64> = points.iter().map(|point| point.0).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        let (first, last) = (*sizes.first()?, *sizes.last()?);
        let low = points.iter().map(|point| point.1).fold(f64::INFINITY, f64::min);
        let high = points.iter().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max);
        // Lines rise to the right, and the legend stands to the left: half its height above them is enough.
        let named = chart.series.iter().filter(|series| !series.name.is_empty()).count();
        let legend = 0.02 * named as f64;
        let (y, levels) = match chart.scale {
            Scale::Logarithmic => {
                let low = (low - 0.1).floor();
                let high = high + (high - low) * legend / (1.0 - legend) + 0.1;
                ((low, high), (0..).map(|step| low + f64::from(step)).take_while(|level| *level <= high).collect())
            }
            Scale::Linear => {
                let step = step(high);
                let top = high.max(step) * (1.0 + 2.0 * legend / (1.0 - 2.0 * legend).max(0.3)) + 0.2 * step;
                ((0.0, top), (0..).map(|index| f64::from(index) * step).take_while(|level| *level <= top).collect())
            }
        };
        let margin = ((last - first) * 0.04).max(0.05);
        Some(Self { x: (first - margin, last + margin), y, sizes, levels })
    }
}

/// The distance between lines: 1, 2 or 5 times a power of ten, so that there are at most six.
fn step(high: f64) -> f64 {
    let rough = (high / 6.0).max(1e-9);
    let power = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough).unwrap_or(10.0 * power)
}

/// An axis whose marks are given.
struct Axis {
    from: f64,
    to: f64,
    marks: Vec<f64>,
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let part = (value - self.from) / (self.to - self.from);
        limit.0 + (part * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.marks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Failed = Box<dyn std::error::Error>;

fn draw(chart: &Chart, frame: &Frame, area: Area<'_>) -> Result<(), Failed> {
    area.fill(&WHITE)?;
    let x = Axis { from: frame.x.0, to: frame.x.1, marks: frame.sizes.clone() };
    let y = Axis { from: frame.y.0, to: frame.y.1, marks: frame.levels.clone() };
    let mut context = ChartBuilder::on(&area)
        .caption(&chart.title, ("sans-serif", 19).into_font().color(&INK))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(72)
        .build_cartesian_2d(x, y)?;
    let is_logarithmic = chart.scale == Scale::Logarithmic;
    context
        .configure_mesh()
        .x_labels(frame.sizes.len())
        .y_labels(frame.levels.len())
        .x_label_formatter(&|x| format!("{:.0}", 10f64.powf(*x)))
        .y_label_formatter(&|y| short(if is_logarithmic { 10f64.powf(*y) } else { *y }))
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(INK)
        .label_style(("sans-serif", 13).into_font().color(&INK))
        .x_desc("n, validators")
        .y_desc(chart.values)
        .draw()?;
    for series in &chart.series {
        let colour = COLOURS[series.colour % COLOURS.len()];
        let points = chart.visible(series);
        match series.stroke {
            Stroke::Measured => {
                let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2));
                context.draw_series(line)?.label(&series.name).legend(move |at| sample(at, colour, true));
                context.draw_series(points.iter().map(|point| Circle::new(*point, 4, colour.filled())))?;
            }
            Stroke::Theory => {
                let line = context.draw_series(DashedLineSeries::new(points, 4, 5, colour.stroke_width(1)))?;
                if !series.name.is_empty() {
                    line.label(&series.name).legend(move |at| sample(at, colour, false));
                }
            }
        }
    }
    context
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(GRID)
        .label_font(("sans-serif", 13).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Center)))
        .draw()?;
    area.present()?;
    Ok(())
}

/// A piece of the line for the legend.
fn sample(at: (i32, i32), colour: RGBColor, is_measured: bool) -> PathElement<(i32, i32)> {
    PathElement::new(vec![at, (at.0 + 18, at.1)], colour.stroke_width(if is_measured { 3 } else { 1 }))
}

/// A number for an axis: 950, 20k, 3M.
pub(super) fn short(value: f64) -> String {
    let (value, unit) = match value.abs() {
        size if size >= 1e9 => (value / 1e9, "G"),
        size if size >= 1e6 => (value / 1e6, "M"),
        size if size >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let mut text = String::new();
    let digits = if value == value.round() { 0 } else { 2 };
    let _infallible = write!(text, "{value:.digits$}{unit}");
    text
}

/// Text that may stand in HTML and in its attributes.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
