//! All parameters of a search side by side.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::{linear_ticks, logarithmic_ticks, number};
use super::colour_scale::{line, shortened, viridis, width, write};
use super::page::{Area, Drawn, INK, SCALE, SOFT, font, page, text};
use super::search_table::{Scored, better, range, scored, share, values};
#[cfg(doc)]
use crate::error::Error;
use crate::error::{Result, check};
use crate::metric::Direction;
use crate::model_selection::{ParamValue, SearchResults};
use crate::persistence;

const S: i32 = SCALE as i32;
const HEIGHT: i32 = 300 * S;
const HEAD: i32 = 74 * S;
const FOOT: i32 = 26 * S;
/// Between two axes, at least.
const GAP: i32 = 132 * S;

/// A ratio of values from which a logarithmic axis shows more.
const DECADES: f64 = 50.0;

/// Draws a search as one SVG page: an axis for each parameter that changes and one for the score on the right, and a line
/// through the values of each candidate, the better the brighter, the best one thick. A candidate without a parameter passes
/// its axis at the bottom, below all values; one that failed is grey and ends before the score.
///
/// # Errors
///
/// [`Error::Parameter`] for an unknown scorer, and for results in which no parameter changes.
///
/// # Examples
///
/// ```
/// use linfa::traits::Fit;
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{KFold, LogUniform, RandomSearch, Uniform};
/// use linfa_mlp::report::parallel_coordinates;
///
/// let search = RandomSearch::new(ElasticNet::params())
///     .axis_from("penalty", LogUniform::new(1e-4, 10.0), |p, v| p.penalty(v))
///     .axis_from("l1_ratio", Uniform::new(0.0, 1.0), |p, v| p.l1_ratio(v))
///     .cv(KFold::new(3))
///     .fit(&linfa_datasets::diabetes())?;
/// assert!(parallel_coordinates(search.results(), "r2")?.starts_with("<svg"));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub fn parallel_coordinates(results: &SearchResults, scorer: &str) -> Result<String> {
    let (scores, direction) = scored(results, scorer)?;
    let mut axes = Vec::new();
    for name in results.axes() {
        let values = values(results, name)?;
        let everywhere = results.candidates().iter().all(|summary| summary.params.get(name).is_some());
        if values.len() > 1 || !everywhere {
            axes.push(Axis::of(name, &values, !everywhere));
        }
    }
    check("results", "without a parameter that changes", !axes.is_empty(), "of candidates that differ")?;
    let picture = Picture { results, scorer, scores, direction, axes };
    picture.draw()
}

impl SearchResults {
    /// Writes the [parallel coordinates](parallel_coordinates) of the search to an SVG file.
    ///
    /// # Errors
    ///
    /// As [`parallel_coordinates`], and [`Error::File`] when the file cannot be written.
    pub fn plot_parallel_coordinates(&self, path: impl AsRef<Path>, scorer: &str) -> Result<()> {
        persistence::write_atomically(path, parallel_coordinates(self, scorer)?.as_bytes())
    }
}

/// An axis: its name, and where on it values stand, from 0 at the bottom to 1 at the top.
#[derive(Debug)]
struct Axis {
    name: String,
    kind: Kind,
    /// Room at the bottom for candidates that do not have the parameter.
    gap: bool,
}

#[derive(Debug)]
enum Kind {
    /// Numbers, or their logarithms, between these ends.
    Numbers { low: f64, high: f64, logarithmic: bool },
    /// Values one above the other.
    Values(Vec<ParamValue>),
}

impl Axis {
    fn of(name: &str, values: &[ParamValue], gap: bool) -> Self {
        let numbers: Option<Vec<f64>> = values.iter().map(ParamValue::number).collect();
        let kind = match numbers {
            Some(numbers) if numbers.len() > 1 => {
                let (low, high) = (numbers[0], numbers[numbers.len() - 1]);
                Kind::Numbers { low, high, logarithmic: low > 0.0 && high / low >= DECADES }
            }
            _ => Kind::Values(values.to_vec()),
        };
        Axis { name: name.into(), kind, gap }
    }

    fn place(&self, value: &ParamValue) -> f64 {
        let share = match &self.kind {
            Kind::Numbers { low, high, logarithmic } => {
                let value = value.number().unwrap_or(*low);
                if *logarithmic {
                    (value.log10() - low.log10()) / (high.log10() - low.log10())
                } else {
                    (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)
                }
            }
            Kind::Values(values) => {
                let place = values.iter().position(|other| other == value).unwrap_or(0);
                (place as f64 + 0.5) / values.len() as f64
            }
        };
        self.above_gap(share)
    }

    fn above_gap(&self, share: f64) -> f64 {
        if self.gap { 0.16 + 0.84 * share } else { share }
    }

    /// Labels and their places.
    fn ticks(&self) -> Vec<(String, f64)> {
        match &self.kind {
            Kind::Numbers { low, high, logarithmic } => {
                let (low, high, back): (f64, f64, fn(f64) -> f64) = if *logarithmic {
                    (low.log10(), high.log10(), |place| 10_f64.powf(place))
                } else {
                    (*low, *high, |place| place)
                };
                let ticks = if *logarithmic { logarithmic_ticks(low, high) } else { linear_ticks(low, high) };
                let step = ticks.windows(2).map(|pair| pair[1] - pair[0]).next().unwrap_or(0.0);
                let step = if *logarithmic { 0.0 } else { step };
                let place = |tick: f64| self.above_gap((tick / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0));
                ticks.into_iter().map(|tick| (number(back(tick), step), place(tick))).collect()
            }
            Kind::Values(values) => {
                // Of very many values, some.
                let every = values.len().div_ceil(16);
                values
                    .iter()
                    .step_by(every)
                    .map(|value| (shortened(value.text(), 20), self.place(value)))
                    .collect()
            }
        }
    }
}

struct Picture<'a> {
    results: &'a SearchResults,
    scorer: &'a str,
    scores: Vec<Scored>,
    direction: Direction,
    axes: Vec<Axis>,
}

impl Picture<'_> {
    fn draw(&self) -> Result<String> {
        let range = range(self.scores.iter().map(|one| one.score));
        let ticks: Vec<Vec<(String, f64)>> = self.axes.iter().map(Axis::ticks).collect();
        let widest =
            |ticks: &[(String, f64)]| ticks.iter().map(|(label, _)| width(label, 11)).max().unwrap_or(0);
        // Labels stand left of their axis.
        let mut x = 24 * S;
        let mut places = Vec::new();
        for (i, (axis, ticks)) in self.axes.iter().zip(&ticks).enumerate() {
            let room = widest(ticks).max(width(&axis.name, 13) / 2) + 14 * S;
            x += if i == 0 { room } else { room.max(GAP - 10 * S) + 20 * S };
            places.push(x);
        }
        let last = x + GAP;
        let right = 30 * S + width(self.scorer, 13) / 2;
        let size = (last + right.max(78 * S), HEAD + HEIGHT + FOOT);
        page((size.0 as u32, size.1 as u32), |page| self.draw_on(page, range, &ticks, &places))
    }

    fn draw_on(
        &self,
        page: &Area<'_>,
        range: Option<(f64, f64)>,
        ticks: &[Vec<(String, f64)>],
        places: &[i32],
    ) -> Drawn {
        let last = places.last().map_or(0, |x| x + GAP);
        let down = |share: f64| HEAD + ((1.0 - share) * f64::from(HEIGHT)).round() as i32;

        let failed = self.scores.iter().filter(|one| one.score.is_nan()).count();
        let mut title = format!("{} candidates", self.scores.len());
        if failed > 0 {
            title += &format!(", {failed} without a score");
        }
        let start = Pos::new(HPos::Left, VPos::Center);
        write(page, title, (24 * S, 20 * S), font(13, &SOFT), start)?;

        for one in self.in_order() {
            let params = &self.results.candidates()[one.candidate].params;
            let mut points: Vec<(i32, i32)> = self
                .axes
                .iter()
                .zip(places)
                .map(|(axis, x)| {
                    let place = params.get(&axis.name).map_or(0.0, |value| axis.place(value));
                    (*x, down(place))
                })
                .collect();
            match range.filter(|_| one.score.is_finite()) {
                Some(range) => {
                    points.push((last, down(score_place(one.score, range))));
                    let share = share(one.score, range, self.direction);
                    let colour = viridis(share);
                    let best = self.best() == Some(one.candidate);
                    if best {
                        line(page, points.clone(), INK.stroke_width(5 * SCALE))?;
                    }
                    let thick = if best { 3 } else { 1 } * SCALE + SCALE / 2;
                    let see_through = colour.mix(if best { 1.0 } else { 0.45 + 0.5 * share });
                    line(page, points, see_through.stroke_width(thick))?;
                }
                None => line(page, points, SOFT.mix(0.4).stroke_width(SCALE))?,
            }
        }

        let middle = Pos::new(HPos::Center, VPos::Center);
        let end = Pos::new(HPos::Right, VPos::Center);
        for ((axis, ticks), x) in self.axes.iter().zip(ticks).zip(places) {
            line(page, vec![(*x, down(0.0)), (*x, down(1.0))], INK.stroke_width(SCALE))?;
            write(page, axis.name.replace('_', " "), (*x, HEAD - 20 * S), font(13, &INK), middle)?;
            for (label, place) in ticks {
                let y = down(*place);
                line(page, vec![(x - 4 * S, y), (*x, y)], INK.stroke_width(SCALE))?;
                // White below the text, so that lines do not cross it.
                let wide = width(label, 11);
                let back = [(x - 9 * S - wide, y - 7 * S), (x - 6 * S, y + 7 * S)];
                page.draw(&Rectangle::new(back, WHITE.mix(0.8).filled())).map_err(text)?;
                write(page, label, (x - 8 * S, y), font(11, &INK), end)?;
            }
            if axis.gap {
                write(page, "none", (x - 8 * S, down(0.0)), font(11, &SOFT), end)?;
            }
        }
        line(page, vec![(last, down(0.0)), (last, down(1.0))], INK.stroke_width(SCALE))?;
        write(page, self.scorer.replace('_', " "), (last, HEAD - 20 * S), font(13, &INK), middle)?;
        if let Some((low, high)) = range {
            let ticks = if high > low { linear_ticks(low, high) } else { vec![low] };
            let step = ticks.windows(2).map(|pair| pair[1] - pair[0]).next().unwrap_or(0.0);
            for tick in ticks {
                let y = down(score_place(tick, (low, high)));
                line(page, vec![(last, y), (last + 4 * S, y)], INK.stroke_width(SCALE))?;
                write(page, number(tick, step), (last + 8 * S, y), font(11, &INK), start)?;
            }
        }
        Ok(())
    }

    /// The worst first, so that the best lie on top.
    fn in_order(&self) -> Vec<Scored> {
        let mut order = self.scores.clone();
        order.sort_by(|a, b| {
            let before = |one: f64, other: f64| better(other, one, self.direction);
            if before(a.score, b.score) {
                std::cmp::Ordering::Less
            } else if before(b.score, a.score) {
                std::cmp::Ordering::Greater
            } else {
                b.candidate.cmp(&a.candidate)
            }
        });
        order
    }

    fn best(&self) -> Option<usize> {
        self.in_order().last().filter(|one| one.score.is_finite()).map(|one| one.candidate)
    }
}

/// A score's place on its axis: higher is higher, whichever is better.
fn score_place(score: f64, (low, high): (f64, f64)) -> f64 {
    if high > low { (score / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0) } else { 0.5 }
}
