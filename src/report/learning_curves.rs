//! Loss and metrics over the epochs.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::page::{
    Area, Axis, GRID, INK, SCALE, SOFT, TRAINING, VALIDATION, font, linear_ticks, logarithmic_ticks, number,
    round_step, shown_at_half_size, text,
};
use crate::error::{Error, Result};
use crate::history::{History, StopReason};
use crate::persistence;

const PANEL: (u32, u32) = (460 * SCALE, 330 * SCALE);
const HEAD: u32 = 44 * SCALE;

/// A ratio of losses from which a logarithmic axis shows more.
const DECADES: f64 = 50.0;

/// Draws the curves of a run as one SVG page: a panel for the loss and one for each metric, each with the training and the
/// validation curve. The epoch of the lowest validation loss (without validation rows: of the lowest loss) is marked. The
/// axis of a loss that spans decades is logarithmic. Values that are not finite leave a gap.
///
/// # Errors
///
/// [`Error::Parameter`] for a history without epochs.
///
/// # Examples
///
/// ```
/// use linfa_mlp::prelude::*;
/// use linfa_mlp::report::learning_curves;
/// use ndarray::{Array, Axis};
///
/// let x = Array::linspace(0.0, 1.0, 20).insert_axis(Axis(1));
/// let mut model = Sequential::new()
///     .add(Dense::new(1))
///     .compile(1, Sgd::new(0.1), MeanSquaredError, [linfa_mlp::metric::Mae])?;
/// let history = model.fit(&x, &x, &Training::epochs(8).validation_split(0.2))?;
/// assert!(learning_curves(history)?.starts_with("<svg"));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub fn learning_curves(history: &History) -> Result<String> {
    if history.is_empty() {
        return Err(Error::parameter("history", "without epochs", "one of at least 1 epoch"));
    }
    let mut svg = String::new();
    draw(history, &mut svg).map_err(|problem| Error::Format { kind: "picture", problem })?;
    Ok(shown_at_half_size(&svg))
}

impl History {
    /// Writes the [learning curves](learning_curves) to an SVG file.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a history without epochs, [`Error::File`] when the file cannot be written.
    pub fn plot(&self, path: impl AsRef<Path>) -> Result<()> {
        persistence::write_atomically(path, learning_curves(self)?.as_bytes())
    }
}

/// A figure: its curve on the training rows, and on the validation rows.
struct Panel<'a> {
    name: &'a str,
    training: Option<&'a [f64]>,
    validation: Option<&'a [f64]>,
}

impl Panel<'_> {
    fn curves(&self) -> impl Iterator<Item = (&[f64], RGBColor)> {
        let training = self.training.map(|values| (values, TRAINING));
        training.into_iter().chain(self.validation.map(|values| (values, VALIDATION)))
    }

    fn drawn(&self) -> impl Iterator<Item = f64> {
        self.curves().flat_map(|(values, _)| values.iter().copied()).filter(|value| is_drawn(*value))
    }
}

/// Whether a value has a place in the picture: differences of larger ones may overflow.
fn is_drawn(value: f64) -> bool {
    value.abs() < 1e150
}

fn panels(history: &History) -> Vec<Panel<'_>> {
    let figures = history.names().iter().filter(|name| !name.starts_with("val_") && *name != "learning_rate");
    let panel =
        |name| Panel { name, training: history.get(name), validation: history.get(&format!("val_{name}")) };
    figures.map(|name| panel(name)).collect()
}

/// The epoch, from 0, of the lowest validation loss or else loss, and the name of that loss.
fn best(history: &History) -> Option<(usize, &'static str)> {
    ["val_loss", "loss"].into_iter().find_map(|name| {
        let losses = history.get(name)?.iter().enumerate().filter(|(_, loss)| loss.is_finite());
        let (epoch, _) = losses.min_by(|(_, a), (_, b)| a.total_cmp(b))?;
        Some((epoch, name))
    })
}

fn draw(history: &History, svg: &mut String) -> std::result::Result<(), String> {
    let panels = panels(history);
    let columns = if panels.len() > 4 { 3 } else { panels.len().min(2) };
    let rows = panels.len().div_ceil(columns);
    let size = (PANEL.0 * columns as u32, HEAD + PANEL.1 * rows as u32);
    let page = SVGBackend::with_string(svg, size).into_drawing_area();
    page.fill(&WHITE).map_err(text)?;
    let (head, body) = page.split_vertically(HEAD);
    let best = best(history);
    let validated = panels.iter().any(|panel| panel.validation.is_some());
    draw_head(&head, history, validated, best)?;
    for (panel, area) in panels.iter().zip(body.split_evenly((rows, columns))) {
        draw_panel(&area, panel, history.len(), best.map(|(epoch, _)| epoch))?;
    }
    page.present().map_err(text)
}

/// One line: what the colours mean, and on the right how long training was.
fn draw_head(
    head: &Area<'_>,
    history: &History,
    validated: bool,
    best: Option<(usize, &'static str)>,
) -> std::result::Result<(), String> {
    let scale = SCALE as i32;
    let middle = 26 * scale;
    let left = Pos::new(HPos::Left, VPos::Center);
    let mut x = 62 * scale;
    let mut entry = |name: &str, colour: RGBColor, dashed: bool| -> std::result::Result<(), String> {
        let pieces: &[(i32, i32)] = if dashed { &[(0, 5), (8, 13), (16, 21)] } else { &[(0, 22)] };
        let width = if dashed { 1 } else { 2 };
        for (from, to) in pieces {
            let line = vec![(x + from * scale, middle), (x + to * scale, middle)];
            head.draw(&PathElement::new(line, colour.stroke_width(width * SCALE))).map_err(text)?;
        }
        head.draw(&Text::new(name.to_owned(), (x + 29 * scale, middle), font(13, &INK).pos(left)))
            .map_err(text)?;
        x += (29 + 24) * scale + name.chars().count() as i32 * 7 * scale;
        Ok(())
    };
    entry("training", TRAINING, false)?;
    if validated {
        entry("validation", VALIDATION, false)?;
    }
    if let Some((epoch, name)) = best {
        entry(&format!("lowest {name}: epoch {}", epoch + 1), SOFT, true)?;
    }
    let epochs = history.len();
    let mut note = format!("{epochs} epoch{}", if epochs == 1 { "" } else { "s" });
    if let Some(StopReason::Callback { name, .. }) = history.stop_reason() {
        note = format!("{note}, stopped by {name}");
    }
    let (width, _) = head.dim_in_pixel();
    let room = width as i32 - 22 * scale - note.chars().count() as i32 * 7 * scale;
    if x < room {
        let right = Pos::new(HPos::Right, VPos::Center);
        let place = (width as i32 - 22 * scale, middle);
        head.draw(&Text::new(note, place, font(13, &SOFT).pos(right))).map_err(text)?;
    }
    Ok(())
}

fn draw_panel(
    area: &Area<'_>,
    panel: &Panel<'_>,
    epochs: usize,
    best: Option<usize>,
) -> std::result::Result<(), String> {
    let scale = Scale::of(panel);
    let (low, high) = scale.range;
    // A single epoch stands in the middle.
    let (first, last) = if epochs == 1 { (0.0, 2.0) } else { (1.0, epochs as f64) };
    let mut chart = ChartBuilder::on(area)
        .margin_top(8 * SCALE)
        .margin_right(22 * SCALE)
        .margin_left(6 * SCALE)
        .margin_bottom(6 * SCALE)
        .x_label_area_size(42 * SCALE)
        .y_label_area_size(58 * SCALE)
        .build_cartesian_2d(
            Axis { range: (first, last), ticks: epoch_ticks(epochs) },
            Axis { range: (low, high), ticks: scale.ticks.clone() },
        )
        .map_err(text)?;
    let name = panel.name.replace('_', " ");
    chart
        .configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(SOFT.stroke_width(SCALE))
        .x_desc("epoch")
        .y_desc(if scale.logarithmic { format!("{name}, logarithmic") } else { name })
        .label_style(font(11, &INK))
        .axis_desc_style(font(13, &INK))
        .x_label_formatter(&|epoch| format!("{epoch:.0}"))
        .y_label_formatter(&|place| scale.label(*place))
        .draw()
        .map_err(text)?;
    if let Some(epoch) = best {
        let at = epoch as f64 + 1.0;
        let line =
            DashedLineSeries::new([(at, low), (at, high)], 5 * SCALE, 3 * SCALE, SOFT.stroke_width(SCALE));
        chart.draw_series(line).map_err(text)?;
    }
    draw_curves(&mut chart, panel, &scale, best)
}

type Chart<'c, 'b> = ChartContext<'c, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

fn draw_curves(
    chart: &mut Chart<'_, '_>,
    panel: &Panel<'_>,
    scale: &Scale,
    best: Option<usize>,
) -> std::result::Result<(), String> {
    for (values, colour) in panel.curves() {
        let points: Vec<(f64, f64)> =
            values.iter().enumerate().map(|(epoch, value)| (epoch as f64 + 1.0, *value)).collect();
        for piece in points.split(|(_, value)| !is_drawn(*value)) {
            let piece = piece.iter().map(|(epoch, value)| (*epoch, scale.place(*value)));
            let line = LineSeries::new(piece.clone(), colour.stroke_width(2 * SCALE));
            chart.draw_series(line).map_err(text)?;
            if values.len() <= 25 || piece.len() == 1 {
                let dots = piece.map(|point| Circle::new(point, 3 * SCALE, colour.filled()));
                chart.draw_series(dots).map_err(text)?;
            }
        }
    }
    // The best epoch's values, as rings on the curves.
    for (values, colour) in panel.curves() {
        let value = best.and_then(|epoch| Some((epoch as f64 + 1.0, *values.get(epoch)?)));
        if let Some((epoch, value)) = value.filter(|(_, value)| is_drawn(*value)) {
            let at = (epoch, scale.place(value));
            let disc = Circle::new(at, 5 * SCALE, WHITE.filled());
            let ring = Circle::new(at, 5 * SCALE, colour.stroke_width(2 * SCALE));
            chart.draw_series([disc, ring]).map_err(text)?;
        }
    }
    Ok(())
}

/// Where values stand on the vertical axis; all places on a logarithmic one are exponents of 10.
#[derive(Clone, Debug, PartialEq)]
struct Scale {
    logarithmic: bool,
    range: (f64, f64),
    ticks: Vec<f64>,
}

impl Scale {
    fn of(panel: &Panel<'_>) -> Self {
        let infinite = (f64::INFINITY, f64::NEG_INFINITY);
        let (low, high) =
            panel.drawn().fold(infinite, |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return Scale { logarithmic: false, range: (0.0, 1.0), ticks: linear_ticks(0.0, 1.0) };
        }
        if panel.name == "loss" && low > 0.0 && high / low >= DECADES {
            let space = 0.04 * (high / low).log10();
            let (low, high) = (low.log10() - space, high.log10() + space);
            return Scale { logarithmic: true, range: (low, high), ticks: logarithmic_ticks(low, high) };
        }
        let space = if high > low { (high - low) * 0.05 } else { high.abs().max(1e-3) * 0.1 };
        let (low, high) = (low - space, high + space);
        Scale { logarithmic: false, range: (low, high), ticks: linear_ticks(low, high) }
    }

    fn place(&self, value: f64) -> f64 {
        if self.logarithmic { value.log10() } else { value }
    }

    fn label(&self, place: f64) -> String {
        if self.logarithmic {
            return number(10_f64.powf(place), 0.0);
        }
        let step = self.ticks.windows(2).map(|pair| pair[1] - pair[0]).next().unwrap_or(0.0);
        number(place, step)
    }
}

/// The first epoch, and round numbers.
fn epoch_ticks(epochs: usize) -> Vec<f64> {
    let step = round_step(epochs as f64 / 9.0).max(1.0);
    let rounds = (1..12).map(|i| f64::from(i) * step).filter(|tick| *tick > 1.0 && *tick <= epochs as f64);
    std::iter::once(1.0).chain(rounds).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(columns: &[(&str, &[f64])]) -> History {
        let names: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut history = History::default();
        history.begin(&names, 0);
        for epoch in 0..columns[0].1.len() {
            let values: Vec<f64> = columns.iter().map(|(_, values)| values[epoch]).collect();
            history.push(&names, &values, epoch as f64);
        }
        history
    }

    #[test]
    fn any_history_can_be_drawn_and_gives_the_same_bytes_twice() {
        let nan = f64::NAN;
        let cases: [&[(&str, &[f64])]; 5] = [
            &[("loss", &[0.5])],
            &[("loss", &[nan, nan])],
            &[("loss", &[1e-300, 1e300, f64::INFINITY]), ("val_loss", &[0.0, -1.0, nan])],
            &[("loss", &[3.0, 3.0]), ("accuracy", &[0.5, 0.5]), ("learning_rate", &[0.1, 0.1])],
            &[("loss", &[1000.0, 10.0, 1.0]), ("val_loss", &[nan, 2.0, 3.0])],
        ];
        for columns in cases {
            let history = history(columns);
            let svg = learning_curves(&history).unwrap();
            assert_eq!(svg, learning_curves(&history).unwrap());
            assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{columns:?}");
            assert!(!svg.contains("NaN"), "{columns:?}");
        }
        assert!(learning_curves(&History::default()).is_err());
    }

    #[test]
    fn the_best_epoch_is_that_of_the_lowest_validation_loss() {
        let losses = [("loss", &[3.0, 2.0, 1.0][..]), ("val_loss", &[f64::NAN, 1.0, 2.0][..])];
        assert_eq!(best(&history(&losses)), Some((1, "val_loss")));
        assert_eq!(best(&history(&losses[..1])), Some((2, "loss")));
    }

    #[test]
    fn numbers_on_an_axis_are_short() {
        let steps =
            [(0.1 + 0.2, 0.1), (-1e-17, 0.1), (2e-5, 1e-5), (120_000.0, 2e4), (-0.25, 0.05), (10.0, 5.0)];
        let shown = steps.map(|(value, step)| number(value, step));
        assert_eq!(shown, ["0.3", "0", "2e-5", "1.2e5", "-0.25", "10"]);
        assert_eq!(
            [1e-4, 0.005, 200.0, 1e6].map(|value| number(value, 0.0)),
            ["0.0001", "0.005", "200", "1e6"]
        );
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(epoch_ticks(1), [1.0]);
        assert_eq!(epoch_ticks(5), [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(epoch_ticks(45), [1.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0]);
        assert_eq!(linear_ticks(0.1, 3.9), [1.0, 2.0, 3.0]);
        for (low, high) in [(0.0, 1e-9), (-1e149, 1e149), (0.999, 1.0), (5.0, 5.5)] {
            assert!((3..=9).contains(&linear_ticks(low, high).len()), "{low} {high}");
        }
        for (low, high) in [(-0.1, 1.7), (-3.0, 0.0), (-300.0, 150.0), (-5.1, 4.9)] {
            assert!((3..=11).contains(&logarithmic_ticks(low, high).len()), "{low} {high}");
        }
    }
}
