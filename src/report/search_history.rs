//! How a search got better.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::{Axis, linear_ticks, number, round_step};
use super::colour_scale::write;
use super::page::{Area, BLUE, Drawn, GRID, INK, SCALE, SOFT, VERMILION, font, page, text};
use super::search_table::{Scored, better, range, scored};
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::metric::Direction;
use crate::model_selection::SearchResults;
use crate::persistence;

const S: i32 = SCALE as i32;
const PAGE: (u32, u32) = (640 * SCALE, 360 * SCALE);
const HEAD: u32 = 40 * SCALE;

/// Draws a search as one SVG page: a dot for the score of each candidate, in the order in which they were tried, and a line for
/// the best so far. Candidates without a score are crosses at the bottom.
///
/// # Errors
///
/// [`Error::Parameter`] for an unknown scorer.
///
/// # Examples
///
/// ```
/// use linfa::traits::Fit;
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{KFold, LogUniform, RandomSearch};
/// use linfa_mlp::report::search_history;
///
/// let search = RandomSearch::new(ElasticNet::params())
///     .axis_from("penalty", LogUniform::new(1e-4, 10.0), |p, v| p.penalty(v))
///     .cv(KFold::new(3))
///     .fit(&linfa_datasets::diabetes())?;
/// assert!(search_history(search.results(), "r2")?.starts_with("<svg"));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub fn search_history(results: &SearchResults, scorer: &str) -> Result<String> {
    let (scores, direction) = scored(results, scorer)?;
    page(PAGE, |page| draw(page, &scores, direction, scorer))
}

impl SearchResults {
    /// Writes the [history](search_history) of the search to an SVG file.
    ///
    /// # Errors
    ///
    /// As [`search_history`], and [`Error::File`] when the file cannot be written.
    pub fn plot_history(&self, path: impl AsRef<Path>, scorer: &str) -> Result<()> {
        persistence::write_atomically(path, search_history(self, scorer)?.as_bytes())
    }
}

/// The best score up to each candidate, from the first that has one.
fn best_so_far(scores: &[Scored], direction: Direction) -> Vec<(usize, f64)> {
    let mut best = f64::NAN;
    let mut line = Vec::new();
    for one in scores {
        if better(one.score, best, direction) {
            best = one.score;
        }
        if !best.is_nan() {
            line.push((one.candidate, best));
        }
    }
    line
}

fn draw(page: &Area<'_>, scores: &[Scored], direction: Direction, scorer: &str) -> Drawn {
    let (head, body) = page.split_vertically(HEAD);
    let (low, high) = range(scores.iter().map(|one| one.score))
        .filter(|(low, high)| low.abs() < 1e150 && high.abs() < 1e150)
        .unwrap_or((0.0, 1.0));
    let space = if high > low { (high - low) * 0.06 } else { high.abs().max(1e-3) * 0.1 };
    let (low, high) = (low - space, high + space);
    let count = scores.len() as f64;
    let ticks = linear_ticks(low, high);
    let step = ticks.windows(2).map(|pair| pair[1] - pair[0]).next().unwrap_or(0.0);
    let every = round_step(count / 10.0).max(1.0);
    let whole = (0..12).map(|i| f64::from(i) * every).filter(|tick| *tick < count).collect();
    let mut chart = ChartBuilder::on(&body)
        .margin_top(8 * SCALE)
        .margin_right(22 * SCALE)
        .margin_left(6 * SCALE)
        .margin_bottom(6 * SCALE)
        .x_label_area_size(42 * SCALE)
        .y_label_area_size(62 * SCALE)
        .build_cartesian_2d(
            Axis { range: (-0.5, count - 0.5), ticks: whole },
            Axis { range: (low, high), ticks },
        )
        .map_err(text)?;
    chart
        .configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(SOFT.stroke_width(SCALE))
        .x_desc("candidate")
        .y_desc(format!("{}, mean over the folds", scorer.replace('_', " ")))
        .label_style(font(11, &INK))
        .axis_desc_style(font(13, &INK))
        .x_label_formatter(&|candidate| format!("{candidate:.0}"))
        .y_label_formatter(&|score| number(*score, step))
        .draw()
        .map_err(text)?;
    let drawn = |score: f64| (low..=high).contains(&score);
    let dots = scores.iter().filter(|one| drawn(one.score));
    let dots =
        dots.map(|one| Circle::new((one.candidate as f64, one.score), 3 * SCALE, BLUE.mix(0.75).filled()));
    chart.draw_series(dots).map_err(text)?;
    let crosses = scores.iter().filter(|one| !drawn(one.score));
    let crosses = crosses.map(|one| {
        Cross::new((one.candidate as f64, low + space * 0.4), 3 * SCALE, SOFT.stroke_width(SCALE))
    });
    chart.draw_series(crosses).map_err(text)?;
    // Steps: the best stays the best until the next one.
    let line = best_so_far(scores, direction);
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for (candidate, best) in &line {
        if let Some((_, before)) = steps.last().copied() {
            steps.push((*candidate as f64, before));
        }
        steps.push((*candidate as f64, *best));
    }
    let steps = steps.into_iter().filter(|(_, best)| drawn(*best));
    chart.draw_series(LineSeries::new(steps, VERMILION.stroke_width(2 * SCALE))).map_err(text)?;

    let left = Pos::new(HPos::Left, VPos::Center);
    let middle = 24 * S;
    head.draw(&Circle::new((74 * S, middle), 3 * SCALE, BLUE.filled())).map_err(text)?;
    write(&head, "candidate", (84 * S, middle), font(13, &INK), left)?;
    head.draw(&PathElement::new(
        vec![(168 * S, middle), (190 * S, middle)],
        VERMILION.stroke_width(2 * SCALE),
    ))
    .map_err(text)?;
    write(&head, "best so far", (197 * S, middle), font(13, &INK), left)?;
    let failed = scores.iter().filter(|one| !drawn(one.score)).count();
    if failed > 0 {
        head.draw(&Cross::new((290 * S, middle), 3 * SCALE, SOFT.stroke_width(SCALE))).map_err(text)?;
        write(&head, format!("without a score: {failed}"), (300 * S, middle), font(13, &INK), left)?;
    }
    Ok(())
}
