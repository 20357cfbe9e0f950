//! Scores of a search over two parameters.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::number;
use super::colour_scale::{ink_on, line, shortened, viridis, width, write};
use super::page::{Area, Drawn, GRID, INK, SCALE, SOFT, font, page, text};
use super::search_table::{better, range, scored, share, values};
#[cfg(doc)]
use crate::error::Error;
use crate::error::{Result, check};
use crate::metric::Direction;
use crate::model_selection::{ParamValue, SearchResults};
use crate::persistence;

/// The most values of a parameter that have room.
const MOST: usize = 24;

const S: i32 = SCALE as i32;
const CELL_HEIGHT: i32 = 38 * S;
const HEAD: i32 = 46 * S;
const FOOT: i32 = 58 * S;
const BAR: i32 = 104 * S;

/// Draws the scores of a search as one SVG page: a column for each value of the parameter `x`, a row for each value of `y`, the
/// better the brighter. Where several candidates share a cell, because other parameters changed too, it is the best of them; a
/// cell of failures is crossed out, one without a candidate is empty. The best cell is framed.
///
/// # Errors
///
/// [`Error::Parameter`] for an unknown scorer or parameter, for one parameter twice, and for a parameter of more than 24 values:
/// [`parallel_coordinates`](super::parallel_coordinates) shows those.
///
/// # Examples
///
/// ```
/// use linfa::traits::Fit;
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{GridSearch, KFold};
/// use linfa_mlp::report::heat_map;
///
/// let search = GridSearch::new(ElasticNet::params())
///     .axis("penalty", [0.01, 0.1], |p, v| p.penalty(v))
///     .axis("l1_ratio", [0.2, 0.5, 0.8], |p, v| p.l1_ratio(v))
///     .cv(KFold::new(3))
///     .fit(&linfa_datasets::diabetes())?;
/// let svg = heat_map(search.results(), "r2", "penalty", "l1_ratio")?;
/// assert!(svg.starts_with("<svg"));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub fn heat_map(results: &SearchResults, scorer: &str, x: &str, y: &str) -> Result<String> {
    let map = Map::of(results, scorer, x, y)?;
    map.draw()
}

impl SearchResults {
    /// Writes the [heat map](heat_map) of two parameters to an SVG file.
    ///
    /// # Errors
    ///
    /// As [`heat_map`], and [`Error::File`] when the file cannot be written.
    pub fn plot_heat_map(&self, path: impl AsRef<Path>, scorer: &str, x: &str, y: &str) -> Result<()> {
        persistence::write_atomically(path, heat_map(self, scorer, x, y)?.as_bytes())
    }
}

/// A cell: how many candidates it has, and the best score of them, NaN when all failed.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cell {
    candidates: usize,
    score: f64,
}

#[derive(Debug)]
struct Map<'a> {
    scorer: &'a str,
    names: (&'a str, &'a str),
    columns: Vec<ParamValue>,
    rows: Vec<ParamValue>,
    /// Row by row.
    cells: Vec<Cell>,
    range: Option<(f64, f64)>,
    direction: Direction,
}

impl<'a> Map<'a> {
    fn of(results: &SearchResults, scorer: &'a str, x: &'a str, y: &'a str) -> Result<Self> {
        let (scores, direction) = scored(results, scorer)?;
        let (columns, rows) = (values(results, x)?, values(results, y)?);
        check("axes", format!("{x} twice"), x != y, "two different parameters")?;
        for (axis, count) in [(x, columns.len()), (y, rows.len())] {
            let allowed = format!("a parameter of at most {MOST} values");
            check("axis", format!("{axis} with {count}"), count <= MOST, &allowed)?;
        }
        let mut cells = vec![Cell { candidates: 0, score: f64::NAN }; columns.len() * rows.len()];
        for scored in &scores {
            let params = &results.candidates()[scored.candidate].params;
            let place = |axis: &str, values: &[ParamValue]| {
                let value = params.get(axis)?;
                values.iter().position(|other| other == value)
            };
            if let (Some(column), Some(row)) = (place(x, &columns), place(y, &rows)) {
                let cell = &mut cells[row * columns.len() + column];
                cell.candidates += 1;
                if better(scored.score, cell.score, direction) {
                    cell.score = scored.score;
                }
            }
        }
        let range = range(cells.iter().map(|cell| cell.score));
        Ok(Map { scorer, names: (x, y), columns, rows, cells, range, direction })
    }

    fn best(&self) -> Option<usize> {
        let mut best = None;
        for (place, cell) in self.cells.iter().enumerate() {
            let before: f64 = best.map_or(f64::NAN, |best: usize| self.cells[best].score);
            if better(cell.score, before, self.direction) {
                best = Some(place);
            }
        }
        best
    }

    fn draw(&self) -> Result<String> {
        let label = |value: &ParamValue| shortened(value.text(), 22);
        let columns: Vec<String> = self.columns.iter().map(label).collect();
        let rows: Vec<String> = self.rows.iter().map(label).collect();
        let widest = |labels: &[String]| labels.iter().map(|label| width(label, 11)).max().unwrap_or(0);
        let cell = (widest(&columns) + 14 * S).max(66 * S);
        let left = 44 * S + widest(&rows);
        let grid = (cell * columns.len() as i32, CELL_HEIGHT * rows.len() as i32);
        let title = format!("{}, mean over the folds", self.scorer);
        let note = if self.cells.iter().any(|cell| cell.candidates > 1) {
            "best over the other parameters"
        } else {
            ""
        };
        let words = width(&title, 14) + width(note, 12) + 100 * S;
        // The colour bar has room for three labels.
        let size = ((left + grid.0 + BAR).max(words), (HEAD + grid.1 + FOOT).max(170 * S));
        page((size.0 as u32, size.1 as u32), |page| {
            let (start, middle) = (Pos::new(HPos::Left, VPos::Center), Pos::new(HPos::Center, VPos::Center));
            write(page, &title, (left, 24 * S), font(14, &INK), start)?;
            if !note.is_empty() {
                write(page, note, (left + width(&title, 14) + 14 * S, 24 * S), font(12, &SOFT), start)?;
            }
            for (column, label) in columns.iter().enumerate() {
                let place = (left + cell * column as i32 + cell / 2, HEAD + grid.1 + 14 * S);
                write(page, label, place, font(11, &INK), middle)?;
            }
            let end = Pos::new(HPos::Right, VPos::Center);
            for (row, label) in rows.iter().enumerate() {
                let place = (left - 8 * S, HEAD + CELL_HEIGHT * row as i32 + CELL_HEIGHT / 2);
                write(page, label, place, font(11, &INK), end)?;
            }
            let named = |name: &str| name.replace('_', " ");
            let below = (left + grid.0 / 2, HEAD + grid.1 + 38 * S);
            write(page, named(self.names.0), below, font(13, &INK), middle)?;
            let turned = font(13, &INK).transform(FontTransform::Rotate270);
            write(page, named(self.names.1), (16 * S, HEAD + grid.1 / 2), turned, middle)?;

            for (place, one) in self.cells.iter().enumerate() {
                let (column, row) = ((place % columns.len()) as i32, (place / columns.len()) as i32);
                let corner = (left + cell * column, HEAD + CELL_HEIGHT * row);
                self.draw_cell(page, one, corner, cell)?;
            }
            if let Some(best) = self.best() {
                let (column, row) = ((best % columns.len()) as i32, (best / columns.len()) as i32);
                let corner = (left + cell * column, HEAD + CELL_HEIGHT * row);
                let frame = [(corner.0, corner.1), (corner.0 + cell, corner.1 + CELL_HEIGHT)];
                outline(page, frame, INK.stroke_width(2 * SCALE))?;
            }
            self.draw_bar(page, left + grid.0 + 24 * S)
        })
    }

    fn draw_cell(&self, page: &Area<'_>, cell: &Cell, (x, y): (i32, i32), cell_width: i32) -> Drawn {
        let frame = [(x + S / 2, y + S / 2), (x + cell_width - S / 2, y + CELL_HEIGHT - S / 2)];
        let Some(range) = self.range.filter(|_| cell.score.is_finite()) else {
            outline(page, frame, GRID.stroke_width(SCALE))?;
            if cell.candidates > 0 {
                line(page, vec![frame[0], frame[1]], SOFT.stroke_width(SCALE))?;
                line(
                    page,
                    vec![(frame[0].0, frame[1].1), (frame[1].0, frame[0].1)],
                    SOFT.stroke_width(SCALE),
                )?;
            }
            return Ok(());
        };
        let colour = viridis(share(cell.score, range, self.direction));
        page.draw(&Rectangle::new(frame, colour.filled())).map_err(text)?;
        let middle = Pos::new(HPos::Center, VPos::Center);
        let place = (x + cell_width / 2, y + CELL_HEIGHT / 2);
        write(page, digits(cell.score, range), place, font(12, &ink_on(colour)), middle)
    }

    /// The scale of colours, with the best score on top.
    fn draw_bar(&self, page: &Area<'_>, x: i32) -> Drawn {
        let Some((low, high)) = self.range else { return Ok(()) };
        let (top, height) = (HEAD, 110 * S);
        for step in 0..height {
            let colour = viridis(1.0 - f64::from(step) / f64::from(height - 1));
            page.draw(&Rectangle::new([(x, top + step), (x + 12 * S, top + step + 1)], colour.filled()))
                .map_err(text)?;
        }
        let (best, worst) = if self.direction == Direction::Maximize { (high, low) } else { (low, high) };
        let start = Pos::new(HPos::Left, VPos::Center);
        for (score, place) in
            [(best, top + 5 * S), (low / 2.0 + high / 2.0, top + height / 2), (worst, top + height - 5 * S)]
        {
            write(page, digits(score, (low, high)), (x + 18 * S, place), font(11, &INK), start)?;
        }
        Ok(())
    }
}

/// A score in as many digits as tell the scores of the range apart.
fn digits(score: f64, (low, high): (f64, f64)) -> String {
    number(score, if high > low { (high - low) / 50.0 } else { 0.0 })
}
/// A frame as thick as it is said to be: the edges of a rectangle are always one pixel.
fn outline(page: &Area<'_>, [(left, top), (right, bottom)]: [(i32, i32); 2], style: ShapeStyle) -> Drawn {
    // The first edge is drawn twice, so that it is joined to the last one.
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top), (right, top)];
    line(page, corners.to_vec(), style)
}
