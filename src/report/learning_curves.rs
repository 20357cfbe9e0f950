//! Loss and metrics over the epochs.

use std::path::Path;

use plotters::prelude::*;

use super::axis::{Axis, Scale, is_drawn, round_step};
use super::page::{
    Area, BLUE, Drawn, GRID, HEAD, Head, INK, Mark, PANEL, SCALE, SOFT, VERMILION, font, grid, page, text,
};
use crate::error::{Error, Result};
use crate::history::{History, StopReason};
use crate::persistence;

const TRAINING: RGBColor = BLUE;
const VALIDATION: RGBColor = VERMILION;

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
    let panels = panels(history);
    let (rows, columns) = grid(panels.len());
    let size = (PANEL.0 * columns as u32, HEAD + PANEL.1 * rows as u32);
    page(size, |page| {
        let (head, body) = page.split_vertically(HEAD);
        let best = best(history);
        let validated = panels.iter().any(|panel| panel.validation.is_some());
        draw_head(&head, history, validated, best)?;
        for (panel, area) in panels.iter().zip(body.split_evenly((rows, columns))) {
            draw_panel(&area, panel, history.len(), best.map(|(epoch, _)| epoch))?;
        }
        Ok(())
    })
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

/// One line: what the colours mean, and on the right how long training was.
fn draw_head(
    head: &Area<'_>,
    history: &History,
    validated: bool,
    best: Option<(usize, &'static str)>,
) -> Drawn {
    let mut head = Head::new(head);
    head.entry("training", TRAINING, Mark::Line)?;
    if validated {
        head.entry("validation", VALIDATION, Mark::Line)?;
    }
    if let Some((epoch, name)) = best {
        head.entry(&format!("lowest {name}: epoch {}", epoch + 1), SOFT, Mark::Dashes)?;
    }
    let epochs = history.len();
    let mut note = format!("{epochs} epoch{}", if epochs == 1 { "" } else { "s" });
    if let Some(StopReason::Callback { name, .. }) = history.stop_reason() {
        note = format!("{note}, stopped by {name}");
    }
    head.note(note)
}

fn draw_panel(area: &Area<'_>, panel: &Panel<'_>, epochs: usize, best: Option<usize>) -> Drawn {
    let scale = Scale::of(panel.drawn(), panel.name == "loss");
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
        .build_cartesian_2d(Axis { range: (first, last), ticks: epoch_ticks(epochs) }, scale.axis())
        .map_err(text)?;
    epoch_mesh(&mut chart, &scale, panel.name)?;
    if let Some(epoch) = best {
        let at = epoch as f64 + 1.0;
        let line =
            DashedLineSeries::new([(at, low), (at, high)], 5 * SCALE, 3 * SCALE, SOFT.stroke_width(SCALE));
        chart.draw_series(line).map_err(text)?;
    }
    draw_curves(&mut chart, panel, &scale, best)
}

/// Lines and letters of a panel that has epochs on its horizontal axis.
pub(super) fn epoch_mesh(chart: &mut Chart<'_, '_>, scale: &Scale, name: &str) -> Drawn {
    let name = name.replace('_', " ");
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
        .map_err(text)
}

pub(super) type Chart<'c, 'b> = ChartContext<'c, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

fn draw_curves(chart: &mut Chart<'_, '_>, panel: &Panel<'_>, scale: &Scale, best: Option<usize>) -> Drawn {
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

/// The first epoch, and round numbers.
pub(super) fn epoch_ticks(epochs: usize) -> Vec<f64> {
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
    fn epochs_are_counted_from_one() {
        assert_eq!(epoch_ticks(1), [1.0]);
        assert_eq!(epoch_ticks(5), [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(epoch_ticks(45), [1.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0]);
    }
}
