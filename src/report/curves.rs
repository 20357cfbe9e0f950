//! Curves of several runs in one picture.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::{Axis, Scale, is_drawn};
use super::learning_curves::{epoch_mesh, epoch_ticks};
use super::page::{Area, Drawn, HEAD, INK, SCALE, SOFT, font, page, text};
use crate::error::{Result, check};
use crate::history::{History, StopReason};
use crate::persistence;

/// A panel beside others. One alone has room for a longer legend.
const PANEL: (u32, u32) = (400 * SCALE, 340 * SCALE);
const ALONE: u32 = 460 * SCALE;
/// Above a panel: its title, and what was broken off in it.
const TITLE: u32 = 32 * SCALE;
/// Panels in a row.
const COLUMNS: usize = 3;
/// Values above this many times the median first value are not shown: one run that explodes would flatten all others.
const HEADROOM: f64 = 1000.0;
/// From small to large: blue, teal, green, amber, red, each of its own lightness.
const COLOURS: [(u8, u8, u8); 5] =
    [(38, 43, 128), (26, 122, 168), (70, 168, 96), (240, 166, 30), (196, 36, 36)];

/// One value of many runs over their epochs: panels beside each other with the same axes, and in each a named curve for every run.
///
/// A curve has the colour of its name, in all panels; the colours go from blue to red in the order in which names come up first, so
/// names in rising order read like a scale. A run that diverged, or was ended by another error, ends in a cross. The axis is
/// logarithmic when the values are positive and span decades; what lies far above the beginnings of all runs is cut off.
///
/// ```
/// use linfa_mlp::prelude::*;
/// use linfa_mlp::report::Curves;
/// use ndarray::{Array, Axis};
///
/// let x = Array::linspace(0.0, 1.0, 20).insert_axis(Axis(1));
/// let mut curves = Curves::of("loss").panel("sgd");
/// for rate in [0.001, 0.1, 1e9] {
///     let mut model = Sequential::new().add(Dense::new(1)).compile(1, Sgd::new(rate), MeanSquaredError, ())?;
///     let outcome = model.fit(&x, &x, &Training::epochs(50));
///     assert_eq!(outcome.is_err(), rate > 1.0);
///     curves = curves.curve(rate.to_string(), model.history());
/// }
/// assert!(curves.to_svg()?.starts_with("<svg"));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Curves {
    value: String,
    /// What the names tell apart.
    names_are: String,
    panels: Vec<Panel>,
}

#[derive(Clone, Debug)]
struct Panel {
    title: String,
    curves: Vec<Curve>,
}

#[derive(Clone, Debug)]
struct Curve {
    name: String,
    values: Vec<f64>,
    /// Whether the run diverged, or an error ended it.
    broken: bool,
}

impl Curves {
    /// Of that column of the histories: `loss`, `val_accuracy` …
    #[must_use]
    pub fn of(value: impl Into<String>) -> Self {
        Curves { value: value.into(), names_are: String::new(), panels: Vec::new() }
    }

    /// What the names of the curves tell apart, written before them: `learning rate`.
    #[must_use]
    pub fn by(mut self, what: impl Into<String>) -> Self {
        self.names_are = what.into();
        self
    }

    /// Begins a panel with that title: the curves that follow are drawn in it.
    #[must_use]
    pub fn panel(mut self, title: impl Into<String>) -> Self {
        self.panels.push(Panel { title: title.into(), curves: Vec::new() });
        self
    }

    /// Draws a run; without a panel before it, in one without title. A history that does not have the value, as one without
    /// epochs, leaves a name in the legend and, if the run was broken off, a cross at its beginning.
    #[must_use]
    pub fn curve(mut self, name: impl Into<String>, history: &History) -> Self {
        if self.panels.is_empty() {
            self = self.panel("");
        }
        let values = history.get(&self.value).unwrap_or_default().to_vec();
        let broken = matches!(history.stop_reason(), None | Some(StopReason::Diverged { .. }));
        let curve = Curve { name: name.into(), values, broken };
        if let Some(panel) = self.panels.last_mut() {
            panel.curves.push(curve);
        }
        self
    }

    /// The picture as SVG.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](crate::Error::Parameter) without a curve.
    pub fn to_svg(&self) -> Result<String> {
        let curves = self.panels.iter().map(|panel| panel.curves.len()).sum::<usize>();
        check("number of curves", curves, curves >= 1, "at least 1")?;
        let columns = self.panels.len().min(COLUMNS);
        let rows = self.panels.len().div_ceil(columns);
        let width = if columns > 1 { PANEL.0 * columns as u32 } else { ALONE };
        let lines = legend_lines(&self.names(), self.legend_start(), width);
        let head = HEAD + (lines.len() as u32).saturating_sub(1) * 24 * SCALE;
        let size = (width, head + PANEL.1 * rows as u32);
        page(size, |page| self.draw(page, head, &lines, (rows, columns)))
    }

    /// Writes the picture to an SVG file.
    ///
    /// # Errors
    ///
    /// As [`to_svg`](Self::to_svg), and [`Error::File`](crate::Error::File) when the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        persistence::write_atomically(path, self.to_svg()?.as_bytes())
    }

    fn curves(&self) -> impl Iterator<Item = &Curve> {
        self.panels.iter().flat_map(|panel| &panel.curves)
    }

    /// The names in the order in which they come up.
    fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for curve in self.curves() {
            if !names.contains(&curve.name.as_str()) {
                names.push(&curve.name);
            }
        }
        names
    }

    /// The vertical axis of all panels.
    fn scale(&self) -> Scale {
        let mut firsts: Vec<f64> = self.curves().filter_map(|curve| curve.values.first().copied()).collect();
        firsts.retain(|value| value.is_finite());
        firsts.sort_by(f64::total_cmp);
        let limit = firsts.get(firsts.len() / 2).map_or(f64::INFINITY, |median| median.abs() * HEADROOM);
        let drawn = self.curves().flat_map(|curve| &curve.values).copied();
        let drawn = drawn.filter(|value| is_drawn(*value)).map(|value| value.min(limit));
        Scale::of(drawn, self.value.ends_with("loss"))
    }

    fn draw(&self, page: &Area<'_>, head: u32, lines: &[Vec<usize>], grid: (usize, usize)) -> Drawn {
        let names = self.names();
        let (top, body) = page.split_vertically(head);
        self.draw_legend(&top, lines, &names)?;
        let scale = self.scale();
        let epochs = self.curves().map(|curve| curve.values.len()).max().unwrap_or(0).max(1);
        let mut panels = self.panels.iter().zip(body.split_evenly(grid));
        panels.try_for_each(|(panel, area)| self.draw_panel(&area, panel, &scale, epochs, &names))
    }

    /// Where the names of the legend begin.
    fn legend_start(&self) -> u32 {
        let what = self.names_are.chars().count() as u32;
        (64 + if what > 0 { 7 * what + 18 } else { 0 }) * SCALE
    }

    fn draw_legend(&self, head: &Area<'_>, lines: &[Vec<usize>], names: &[&str]) -> Drawn {
        let scale = SCALE as i32;
        let left = Pos::new(HPos::Left, VPos::Center);
        let what = Text::new(self.names_are.clone(), (64 * scale, 22 * scale), font(13, &SOFT).pos(left));
        head.draw(&what).map_err(text)?;
        for (row, line) in lines.iter().enumerate() {
            let (mut x, y) = (self.legend_start() as i32, (22 + 24 * row as i32) * scale);
            for &place in line {
                let name = names[place];
                let stroke = colour(names, name).stroke_width(3 * SCALE);
                head.draw(&PathElement::new(vec![(x, y), (x + 22 * scale, y)], stroke)).map_err(text)?;
                head.draw(&Text::new(name.to_owned(), (x + 29 * scale, y), font(13, &INK).pos(left)))
                    .map_err(text)?;
                x += entry_width(name) as i32;
            }
        }
        Ok(())
    }

    fn draw_panel(
        &self,
        area: &Area<'_>,
        panel: &Panel,
        scale: &Scale,
        epochs: usize,
        names: &[&str],
    ) -> Drawn {
        let (_, high) = scale.range;
        let titled = self.panels.iter().any(|panel| !panel.title.is_empty())
            || self.curves().any(|curve| curve.broken);
        let (first, last) = if epochs == 1 { (0.0, 2.0) } else { (1.0, epochs as f64) };
        let middle = Pos::new(HPos::Left, VPos::Center);
        let title = Text::new(
            panel.title.clone(),
            (64 * SCALE as i32, 12 * SCALE as i32),
            font(15, &INK).pos(middle),
        );
        area.draw(&title).map_err(text)?;
        let mut chart = ChartBuilder::on(area)
            .margin_top(if titled { TITLE } else { 8 * SCALE })
            .margin_right(18 * SCALE)
            .margin_left(6 * SCALE)
            .margin_bottom(6 * SCALE)
            .x_label_area_size(42 * SCALE)
            .y_label_area_size(58 * SCALE)
            .build_cartesian_2d(Axis { range: (first, last), ticks: epoch_ticks(epochs) }, scale.axis())
            .map_err(text)?;
        epoch_mesh(&mut chart, scale, &self.value)?;
        for curve in &panel.curves {
            let colour = colour(names, &curve.name);
            let points: Vec<(f64, f64)> = (1..).map(f64::from).zip(curve.values.iter().copied()).collect();
            for piece in points.split(|(_, value)| !is_drawn(*value)) {
                // A line that leaves the panel runs along its upper edge.
                let piece = piece.iter().map(|(epoch, value)| (*epoch, scale.place(*value).min(high)));
                chart
                    .draw_series(LineSeries::new(piece.clone(), colour.stroke_width(2 * SCALE)))
                    .map_err(text)?;
                if piece.len() == 1 {
                    chart
                        .draw_series(piece.map(|at| Circle::new(at, 3 * SCALE, colour.filled())))
                        .map_err(text)?;
                }
            }
            if curve.broken {
                let end = points.iter().rev().find(|(_, value)| is_drawn(*value));
                let (epoch, place) =
                    end.map_or((1.0, high), |(epoch, value)| (*epoch, scale.place(*value).min(high)));
                let cross = Cross::new((epoch, place), 6 * SCALE as i32, colour.stroke_width(2 * SCALE));
                chart.draw_series([cross]).map_err(text)?;
            }
        }
        let broken: Vec<&str> =
            panel.curves.iter().filter(|curve| curve.broken).map(|curve| curve.name.as_str()).collect();
        if !broken.is_empty() {
            let (width, _) = area.dim_in_pixel();
            let place = (width as i32 - 18 * SCALE as i32, 12 * SCALE as i32);
            let right = Pos::new(HPos::Right, VPos::Center);
            let note = format!("× broken off: {}", broken.join(", "));
            area.draw(&Text::new(note, place, font(12, &SOFT).pos(right))).map_err(text)?;
        }
        Ok(())
    }
}

/// The colour of a name: its place among all of them, on the scale from blue to red.
fn colour(names: &[&str], name: &str) -> RGBColor {
    let place = names.iter().position(|other| *other == name).unwrap_or(0);
    let share = if names.len() > 1 { place as f64 / (names.len() - 1) as f64 } else { 0.25 };
    let at = share * (COLOURS.len() - 1) as f64;
    let from = (at as usize).min(COLOURS.len() - 2);
    let ((r, g, b), (to_r, to_g, to_b)) = (COLOURS[from], COLOURS[from + 1]);
    let between = |a: u8, b: u8| {
        let share = at - from as f64;
        (f64::from(a) * (1.0 - share) + f64::from(b) * share).round() as u8
    };
    RGBColor(between(r, to_r), between(g, to_g), between(b, to_b))
}

/// The width of a legend entry: its line and its name.
fn entry_width(name: &str) -> u32 {
    (29 + 22 + name.chars().count() as u32 * 7) * SCALE
}

/// The places of names in the lines of the legend.
fn legend_lines(names: &[&str], start: u32, width: u32) -> Vec<Vec<usize>> {
    let mut lines: Vec<Vec<usize>> = vec![Vec::new()];
    let mut used = start;
    for (place, name) in names.iter().enumerate() {
        let wanted = entry_width(name);
        if used + wanted > width && lines.last().is_some_and(|line| !line.is_empty()) {
            lines.push(Vec::new());
            used = start;
        }
        used += wanted;
        if let Some(line) = lines.last_mut() {
            line.push(place);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn history(losses: &[f64], broken: bool) -> History {
        let names = ["loss".to_owned()];
        let mut history = History::default();
        history.begin(&names, 0);
        losses.iter().for_each(|loss| history.push(&names, &[*loss], 0.0));
        history.stop((!broken).then_some(StopReason::Completed));
        history
    }

    #[test]
    fn any_runs_can_be_drawn_and_give_the_same_bytes_twice() {
        let nan = f64::NAN;
        let cases: [&[f64]; 8] = [
            &[],
            &[nan],
            &[1.0],
            &[1.0, nan, 2.0],
            &[0.0, -1.0],
            &[1e-300, 1e300],
            &[f64::INFINITY],
            &[3.0; 200],
        ];
        let mut all = Curves::of("loss");
        for (i, losses) in cases.into_iter().enumerate() {
            for broken in [false, true] {
                let curves = Curves::of("loss").curve("one", &history(losses, broken));
                let svg = curves.to_svg().unwrap();
                assert_eq!(svg, curves.to_svg().unwrap());
                assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{losses:?}");
                assert!(!svg.contains("NaN"), "{losses:?}");
                assert_eq!(svg.contains("broken off: one"), broken, "{losses:?}");
                all = all
                    .panel(format!("panel {i}"))
                    .curve(format!("name {i} {broken}"), &history(losses, broken));
            }
        }
        let svg = all.to_svg().unwrap();
        assert!(svg.contains("panel 7") && svg.contains("name 0 false"));
        // A column that no run has leaves empty panels.
        assert!(Curves::of("no_such").curve("one", &history(&[1.0], false)).to_svg().is_ok());
    }

    #[test]
    fn without_a_curve_there_is_no_picture() {
        for curves in [Curves::of("loss"), Curves::of("loss").panel("empty")] {
            assert!(
                matches!(curves.to_svg(), Err(Error::Parameter { name, .. }) if name == "number of curves")
            );
        }
    }

    #[test]
    fn a_run_that_explodes_does_not_flatten_the_others() {
        let curves = Curves::of("loss")
            .curve("good", &history(&[2.0, 1.0, 0.5], false))
            .curve("fair", &history(&[2.5, 2.0, 1.8], false))
            .curve("bad", &history(&[3.0, 1e5, 1e12], true));
        let (low, high) = curves.scale().range;
        assert!(high < 6000.0_f64.log10() && low < 0.5_f64.log10(), "{low} {high}");
    }

    #[test]
    fn a_name_has_one_colour_and_the_ends_of_the_scale_are_blue_and_red() {
        let names = ["a", "b", "c"];
        assert_eq!(colour(&names, "a"), RGBColor(38, 43, 128));
        assert_eq!(colour(&names, "b"), RGBColor(70, 168, 96));
        assert_eq!(colour(&names, "c"), RGBColor(196, 36, 36));
        assert_ne!(colour(&["a"], "a"), colour(&names, "a"));
    }
}
