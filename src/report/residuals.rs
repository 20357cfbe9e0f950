//! How far predictions are from the truth.

use linfa::Float;
use ndarray::{ArrayBase, Data, Ix1};
use plotters::prelude::*;

use super::axis::{Scale, is_drawn};
use super::page::{
    Area, BLUE, Drawn, GRID, HEAD, Head, INK, Mark, PANEL, SCALE, SOFT, VERMILION, font, page, text,
};
use crate::error::{Error, Result};

/// The most points that are drawn.
const MOST_POINTS: usize = 5_000;

/// Draws the predictions of a regression as an SVG page of two panels: predicted against true values with the line where both are
/// equal, and the residuals (true − predicted) against the predicted values.
///
/// Points off the line show what the model misses; residuals that fan out, bend or stand apart show how. Above 5 000 rows every
/// so-manieth is drawn; the figures in the line above are of all rows.
///
/// # Errors
///
/// - [`Error::NoRows`] without rows, [`Error::RowCount`] for predictions that are not as many
/// - [`Error::NotFinite`] for a value that is NaN, infinite or too large to draw
///
/// # Examples
///
/// ```
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{KFold, cross_val_predict};
/// use linfa_mlp::report::residuals;
///
/// let diabetes = linfa_datasets::diabetes();
/// let predicted = cross_val_predict(&ElasticNet::params(), &diabetes, &KFold::new(5))?;
/// assert!(residuals(&diabetes.targets, &predicted)?.starts_with("<svg"));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub fn residuals<F, S, T>(truth: &ArrayBase<S, Ix1>, predicted: &ArrayBase<T, Ix1>) -> Result<String>
where
    F: Float,
    S: Data<Elem = F>,
    T: Data<Elem = F>,
{
    if truth.is_empty() {
        return Err(Error::NoRows { array: "the truth" });
    }
    if predicted.len() != truth.len() {
        return Err(Error::RowCount { array: "prediction", expected: truth.len(), found: predicted.len() });
    }
    let wide = |value: &F| value.to_f64().unwrap_or(f64::NAN);
    let points: Vec<(f64, f64)> = truth.iter().map(wide).zip(predicted.iter().map(wide)).collect();
    for (row, &(truth, predicted)) in points.iter().enumerate() {
        for (array, value) in [("the truth", truth), ("the prediction", predicted)] {
            if !is_drawn(value) {
                return Err(Error::NotFinite { array, row, column: 0, value });
            }
        }
    }
    let every = points.len().div_ceil(MOST_POINTS);
    let shown: Vec<(f64, f64)> = points.iter().copied().step_by(every).collect();
    page((2 * PANEL.0, HEAD + PANEL.1), |page| {
        let (head, body) = page.split_vertically(HEAD);
        draw_head(&head, &points, every)?;
        let panels = body.split_evenly((1, 2));
        // One scale for both axes: the line of equality is then the diagonal.
        let both = Scale::of(shown.iter().flat_map(|&(truth, predicted)| [truth, predicted]), false);
        let pairs = Panel { across: "true", up: "predicted", line: [both.range.0, both.range.1] };
        pairs.draw(&panels[0], &shown, &both, &both)?;
        let errors: Vec<(f64, f64)> =
            shown.iter().map(|&(truth, predicted)| (predicted, truth - predicted)).collect();
        let (across, up) = (
            Scale::of(errors.iter().map(|error| error.0), false),
            Scale::of(errors.iter().map(|error| error.1).chain([0.0]), false),
        );
        let residuals = Panel { across: "predicted", up: "true − predicted", line: [0.0, 0.0] };
        residuals.draw(&panels[1], &errors, &across, &up)
    })
}

/// What the line means, and the figures of all rows.
fn draw_head(area: &Area<'_>, points: &[(f64, f64)], every: usize) -> Drawn {
    let n = points.len() as f64;
    let mean = points.iter().map(|point| point.0).sum::<f64>() / n;
    let squares: f64 = points.iter().map(|(truth, predicted)| (truth - predicted).powi(2)).sum();
    let spread: f64 = points.iter().map(|(truth, _)| (truth - mean).powi(2)).sum();
    let mut head = Head::new(area);
    head.entry("no error", VERMILION, Mark::Line)?;
    head.words(&format!("root of the mean squared error: {}", short((squares / n).sqrt())))?;
    if spread > 0.0 {
        head.words(&format!("R²: {:.4}", 1.0 - squares / spread))?;
    }
    let rows = points.len();
    head.note(if every == 1 { format!("{rows} rows") } else { format!("{rows} rows, 1 of {every} drawn") })
}

/// Four significant digits.
fn short(value: f64) -> String {
    if value == 0.0 || (1e-3..1e5).contains(&value) {
        let decimals = if value == 0.0 { 0 } else { (3 - value.log10().floor() as i32).max(0) as usize };
        return format!("{value:.decimals$}");
    }
    format!("{value:.3e}")
}

/// Two titles, and the heights at which the line of no error starts and ends.
struct Panel {
    across: &'static str,
    up: &'static str,
    line: [f64; 2],
}

impl Panel {
    fn draw(&self, area: &Area<'_>, points: &[(f64, f64)], across: &Scale, up: &Scale) -> Drawn {
        let mut chart = ChartBuilder::on(area)
            .margin_top(8 * SCALE)
            .margin_right(22 * SCALE)
            .margin_left(6 * SCALE)
            .margin_bottom(6 * SCALE)
            .x_label_area_size(42 * SCALE)
            .y_label_area_size(58 * SCALE)
            .build_cartesian_2d(across.axis(), up.axis())
            .map_err(text)?;
        chart
            .configure_mesh()
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(SOFT.stroke_width(SCALE))
            .x_desc(self.across)
            .y_desc(self.up)
            .label_style(font(11, &INK))
            .axis_desc_style(font(13, &INK))
            .x_label_formatter(&|place| across.label(*place))
            .y_label_formatter(&|place| up.label(*place))
            .draw()
            .map_err(text)?;
        let (from, to) = across.range;
        let line =
            LineSeries::new([(from, self.line[0]), (to, self.line[1])], VERMILION.stroke_width(2 * SCALE));
        chart.draw_series(line).map_err(text)?;
        // Many points are fainter, so that crowds show.
        let strength = if points.len() > 1_000 { 0.25 } else { 0.5 };
        let radius = if points.len() > 1_000 { 2 * SCALE } else { 3 * SCALE };
        let dots = points.iter().map(|&point| Circle::new(point, radius, BLUE.mix(strength).filled()));
        chart.draw_series(dots).map_err(text)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, array};

    use super::*;

    #[test]
    fn any_finite_values_are_drawn_and_give_the_same_bytes_twice() {
        let cases: [(Array1<f64>, Array1<f64>); 4] = [
            (array![1.0], array![1.0]),
            (array![2.0, 2.0, 2.0], array![1.0, 2.0, 3.0]),
            (array![-1e149, 1e149], array![1e-300, 0.0]),
            (Array1::linspace(0.0, 1.0, 12_001), Array1::linspace(0.1, 0.9, 12_001)),
        ];
        for (truth, predicted) in cases {
            let svg = residuals(&truth, &predicted).unwrap();
            assert_eq!(svg, residuals(&truth, &predicted).unwrap());
            assert!(svg.starts_with("<svg") && !svg.contains("NaN"), "{truth}");
            assert_eq!(svg.contains("1 of 3 drawn"), truth.len() > 10_000);
            assert!(svg.matches("<circle").count() >= 2 * truth.len().min(4_000));
        }
    }

    #[test]
    fn the_figures_are_of_all_rows() {
        let svg = residuals(&array![1.0, 2.0, 3.0], &array![1.0, 2.0, 6.0]).unwrap();
        assert!(svg.contains("R²: -3.5000") && svg.contains("error: 1.732"), "{svg}");
        assert_eq!([0.0, 0.01234, 12.3456, 123_456.0].map(short), ["0", "0.01234", "12.35", "1.235e5"]);
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let none: Array1<f64> = array![];
        assert!(matches!(residuals(&none, &none), Err(Error::NoRows { .. })));
        let short = residuals(&array![1.0_f32, 2.0], &array![1.0]);
        assert!(matches!(short, Err(Error::RowCount { array: "prediction", expected: 2, found: 1 })));
        for value in [f64::NAN, f64::INFINITY, 1e200] {
            let error = residuals(&array![1.0, 2.0], &array![1.0, value]).unwrap_err();
            assert!(matches!(error, Error::NotFinite { array: "the prediction", row: 1, .. }), "{error}");
        }
    }
}
