//! Scores along one parameter.

use std::path::Path;

use plotters::prelude::*;

use super::axis::{Axis, Scale, is_drawn};
use super::page::{
    Area, BLUE, Drawn, GRID, HEAD, Head, INK, Mark, PANEL, SCALE, SOFT, VERMILION, font, grid, page, text,
};
use crate::error::{Error, Result};
use crate::metric::Direction;
use crate::model_selection::{MeanStd, ScoreCurve};
use crate::persistence;

const TRAINING: RGBColor = BLUE;
const TEST: RGBColor = VERMILION;

/// Draws a learning curve or a validation curve as one SVG page: a panel for each scorer, with the mean test and training score
/// and a band of one standard deviation over the folds on either side. The value with the best mean test score is marked.
///
/// Numbers stand where they belong; numbers above 0 that span decades stand on a logarithmic axis; other values stand side by
/// side. Scores that are not finite leave a gap.
///
/// # Errors
///
/// [`Error::Parameter`] for a curve without values.
///
/// # Examples
///
/// ```
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{KFold, Scorer, TrainSizes, learning_curve};
/// use linfa_mlp::report::score_curve;
///
/// let (params, diabetes) = (ElasticNet::params(), linfa_datasets::diabetes());
/// let curve = learning_curve(&params, &diabetes, &TrainSizes::default(), &KFold::new(3), &[Scorer::r2()])?;
/// assert!(score_curve(&curve)?.starts_with("<svg"));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub fn score_curve(curve: &ScoreCurve) -> Result<String> {
    if curve.values().next().is_none() || curve.scorers().is_empty() {
        return Err(Error::parameter("curve", "without values", "one of at least 1 value and 1 scorer"));
    }
    let across = Across::of(curve);
    let panels: Vec<Panel> =
        curve.scorers().iter().filter_map(|scorer| Panel::of(curve, &scorer.name)).collect();
    let (rows, columns) = grid(panels.len());
    page((PANEL.0 * columns as u32, HEAD + PANEL.1 * rows as u32), |page| {
        let (top, body) = page.split_vertically(HEAD);
        let mut head = Head::new(&top);
        if panels.iter().any(Panel::has_training) {
            head.entry("training", TRAINING, Mark::Line)?;
        }
        head.entry("test", TEST, Mark::Line)?;
        head.entry("best test score", SOFT, Mark::Dashes)?;
        let folds = curve.test_scores(&curve.scorers()[0].name).map_or(0, |scores| scores[0].len());
        head.note(format!("mean ± standard deviation of {folds} folds"))?;
        for (panel, area) in panels.iter().zip(body.split_evenly((rows, columns))) {
            panel.draw(&area, &across)?;
        }
        Ok(())
    })
}

impl ScoreCurve {
    /// Writes the [picture](score_curve) of the curve to an SVG file.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a curve without values, [`Error::File`] when the file cannot be written.
    pub fn plot(&self, path: impl AsRef<Path>) -> Result<()> {
        persistence::write_atomically(path, score_curve(self)?.as_bytes())
    }
}

/// The horizontal axis: where each value of the parameter stands.
struct Across {
    title: String,
    places: Vec<f64>,
    scale: Scale,
    /// What stands at the ticks, unless it is their number.
    names: Option<Vec<String>>,
}

impl Across {
    fn of(curve: &ScoreCurve) -> Self {
        let title = curve.parameter().replace('_', " ");
        let numbers = curve.numbers().filter(|numbers| numbers.iter().all(|&number| is_drawn(number)));
        if let Some(numbers) = numbers {
            let scale = Scale::of(numbers.iter().copied(), true);
            let title = if scale.logarithmic { format!("{title}, logarithmic") } else { title };
            let places = numbers.iter().map(|&number| scale.place(number)).collect();
            return Across { title, places, scale, names: None };
        }
        let names: Vec<String> = curve.values().map(|value| shortened(value.text())).collect();
        let places: Vec<f64> = (0..names.len()).map(|place| place as f64).collect();
        let range = (-0.5, names.len() as f64 - 0.5);
        let scale = Scale { logarithmic: false, range, ticks: places.clone() };
        Across { title, places, scale, names: Some(names) }
    }

    fn label(&self, place: f64) -> String {
        match &self.names {
            Some(names) => names.get(place.round() as usize).cloned().unwrap_or_default(),
            None => self.scale.label(place),
        }
    }
}

/// The beginning of a long text.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(14).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// A scorer's curves.
struct Panel {
    name: String,
    curves: Vec<(Vec<MeanStd>, RGBColor)>,
    best: Option<usize>,
}

impl Panel {
    fn of(curve: &ScoreCurve, scorer: &str) -> Option<Self> {
        let (test, train) = (curve.test(scorer)?, curve.train(scorer)?);
        let info = curve.scorers().iter().find(|info| info.name == scorer)?;
        let sign = if info.direction == Direction::Maximize { 1.0 } else { -1.0 };
        let finite = test.iter().enumerate().filter(|(_, score)| score.mean.is_finite());
        // The first of equals, as a search takes it.
        let best = finite.rev().max_by(|(_, a), (_, b)| (sign * a.mean).total_cmp(&(sign * b.mean)));
        let best = best.map(|(place, _)| place);
        let mut curves = vec![(train, TRAINING), (test, TEST)];
        curves.retain(|(scores, colour)| *colour == TEST || scores.iter().any(|score| !score.mean.is_nan()));
        Some(Panel { name: scorer.replace('_', " "), curves, best })
    }

    fn has_training(&self) -> bool {
        self.curves.len() > 1
    }

    fn draw(&self, area: &Area<'_>, across: &Across) -> Drawn {
        let ends = |score: &MeanStd| [score.mean - score.std, score.mean + score.std];
        let drawn = self.curves.iter().flat_map(|(scores, _)| scores.iter().flat_map(ends));
        let scale = Scale::of(drawn.filter(|value| is_drawn(*value)), false);
        let mut chart = ChartBuilder::on(area)
            .margin_top(8 * SCALE)
            .margin_right(22 * SCALE)
            .margin_left(6 * SCALE)
            .margin_bottom(6 * SCALE)
            .x_label_area_size(42 * SCALE)
            .y_label_area_size(58 * SCALE)
            .build_cartesian_2d(across.scale.axis(), scale.axis())
            .map_err(text)?;
        chart
            .configure_mesh()
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(SOFT.stroke_width(SCALE))
            .x_desc(&across.title)
            .y_desc(&self.name)
            .label_style(font(11, &INK))
            .axis_desc_style(font(13, &INK))
            .x_label_formatter(&|place| across.label(*place))
            .y_label_formatter(&|place| scale.label(*place))
            .draw()
            .map_err(text)?;
        if let Some(best) = self.best {
            let (at, (low, high)) = (across.places[best], scale.range);
            let ends = [(at, low), (at, high)];
            let line = DashedLineSeries::new(ends, 5 * SCALE, 3 * SCALE, SOFT.stroke_width(SCALE));
            chart.draw_series(line).map_err(text)?;
        }
        self.draw_curves(&mut chart, across)
    }

    fn draw_curves(
        &self,
        chart: &mut ChartContext<'_, SVGBackend<'_>, Cartesian2d<Axis, Axis>>,
        across: &Across,
    ) -> Drawn {
        let pieces = |scores: &[MeanStd]| -> Vec<Vec<(f64, MeanStd)>> {
            let points: Vec<(f64, MeanStd)> =
                across.places.iter().copied().zip(scores.iter().copied()).collect();
            let missing = |(_, score): &(f64, MeanStd)| !is_drawn(score.mean) || !is_drawn(score.std);
            points.split(missing).filter(|piece| !piece.is_empty()).map(<[_]>::to_vec).collect()
        };
        // All bands lie below all lines.
        for (scores, colour) in &self.curves {
            for piece in pieces(scores) {
                let above = piece.iter().map(|(place, score)| (*place, score.mean + score.std));
                let below = piece.iter().rev().map(|(place, score)| (*place, score.mean - score.std));
                let band = Polygon::new(above.chain(below).collect::<Vec<_>>(), colour.mix(0.16));
                chart.draw_series([band]).map_err(text)?;
            }
        }
        for (scores, colour) in &self.curves {
            for piece in pieces(scores) {
                let line = piece.iter().map(|(place, score)| (*place, score.mean));
                chart
                    .draw_series(LineSeries::new(line.clone(), colour.stroke_width(2 * SCALE)))
                    .map_err(text)?;
                let dots = line.map(|point| Circle::new(point, 3 * SCALE, colour.filled()));
                chart.draw_series(dots).map_err(text)?;
            }
        }
        Ok(())
    }
}
