//! Which classes are taken for which.

use linfa::dataset::Label;
use ndarray::{Array1, Array2, ArrayBase, Data, Ix1};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::page::{Area, BLUE, Drawn, HEAD, Head, INK, SCALE, SOFT, font, page, text};
use crate::error::{Error, Result};
use crate::model_selection::Classes;

/// The most classes that have room for a picture.
const MOST_CLASSES: usize = 60;

/// Draws a confusion matrix as an SVG page: a row for each true class, a column for each predicted one.
///
/// ```text
/// count of a cell = Σ wᵢ over the rows of the true class i that are predicted as the column's
/// share           = count / Σ over the row: on the diagonal, the class' recall
/// ```
///
/// Cells are shaded by their share, so that a rare class is as easy to read as a common one. Up to 12 classes a cell shows count and
/// share, up to 25 the count. A class that is only predicted has a row of nothing.
///
/// # Errors
///
/// - [`Error::NoRows`] without rows
/// - [`Error::RowCount`] for predictions or weights that are not as many as the rows
/// - [`Error::Parameter`] for weights that are negative or not finite, or of which none is above 0, and for more than 60 classes
///
/// # Examples
///
/// ```
/// use linfa_mlp::model_selection::{StratifiedKFold, cross_val_predict};
/// use linfa_mlp::report::confusion_matrix;
/// use linfa_trees::DecisionTree;
///
/// let iris = linfa_datasets::iris();
/// let predicted = cross_val_predict(&DecisionTree::params(), &iris, &StratifiedKFold::new(5))?;
/// assert!(confusion_matrix(&iris.targets, &predicted, None)?.starts_with("<svg"));
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
pub fn confusion_matrix<L, S, T>(
    truth: &ArrayBase<S, Ix1>,
    predicted: &ArrayBase<T, Ix1>,
    weights: Option<&[f32]>,
) -> Result<String>
where
    L: Label,
    S: Data<Elem = L>,
    T: Data<Elem = L>,
{
    let matrix = Matrix::of(truth, predicted, weights)?;
    let layout = Layout::of(&matrix);
    page(layout.size(), |page| {
        let (head, body) = page.split_vertically(HEAD);
        matrix.draw_head(&head)?;
        matrix.draw(&body, &layout)
    })
}

/// From white to blue.
fn shade(share: f64) -> RGBColor {
    let towards = |blue: u8| (255.0 - 0.9 * share * (255.0 - f64::from(blue))).round() as u8;
    RGBColor(towards(BLUE.0), towards(BLUE.1), towards(BLUE.2))
}

/// Counts by true and predicted class.
struct Matrix {
    names: Vec<String>,
    counts: Array2<f64>,
    weighted: bool,
}

impl Matrix {
    fn of<L, S, T>(
        truth: &ArrayBase<S, Ix1>,
        predicted: &ArrayBase<T, Ix1>,
        weights: Option<&[f32]>,
    ) -> Result<Self>
    where
        L: Label,
        S: Data<Elem = L>,
        T: Data<Elem = L>,
    {
        let expected = truth.len();
        if expected == 0 {
            return Err(Error::NoRows { array: "the truth" });
        }
        let found = [("prediction", predicted.len()), ("weights", weights.map_or(expected, <[f32]>::len))];
        if let Some(&(array, found)) = found.iter().find(|(_, found)| *found != expected) {
            return Err(Error::RowCount { array, expected, found });
        }
        if let Some(weights) = weights {
            let bad = weights.iter().find(|weight| !(weight.is_finite() && **weight >= 0.0));
            crate::error::check("weights", bad.unwrap_or(&0.0), bad.is_none(), "finite and at least 0")?;
            let some = weights.iter().any(|&weight| weight > 0.0);
            crate::error::check("weights", "0 for every row", some, "above 0 for at least 1 row")?;
        }
        // Truth and prediction are numbered together, so that a class only one of them has gets a place too.
        let both: Array1<L> = truth.iter().chain(predicted).cloned().collect();
        let Classes { indices, names } = Classes::of(both.view());
        let allowed = format!("at most {MOST_CLASSES}");
        crate::error::check("the number of classes", names.len(), names.len() <= MOST_CLASSES, &allowed)?;
        let mut counts = Array2::zeros((names.len(), names.len()));
        let (truth, predicted) = indices.split_at(expected);
        for (row, (&class, &guess)) in truth.iter().zip(predicted).enumerate() {
            counts[(class, guess)] += weights.map_or(1.0, |weights| f64::from(weights[row]));
        }
        Ok(Matrix { names, counts, weighted: weights.is_some() })
    }

    fn share(&self, class: usize, guess: usize) -> f64 {
        let row = self.counts.row(class).sum();
        if row > 0.0 { self.counts[(class, guess)] / row } else { 0.0 }
    }

    fn count(&self, value: f64) -> String {
        if self.weighted && value.fract() != 0.0 { format!("{value:.1}") } else { format!("{value:.0}") }
    }

    fn draw_head(&self, area: &Area<'_>) -> Drawn {
        let (all, hits) = (self.counts.sum(), self.counts.diag().sum());
        let mut head = Head::new(area);
        head.words(&format!("accuracy {:.1} %", 100.0 * hits / all))?;
        let what = if self.weighted { "weight of the rows" } else { "rows" };
        head.note(format!("{} {what}", self.count(all)))
    }

    fn draw(&self, area: &Area<'_>, layout: &Layout) -> Drawn {
        let Layout { cell, left, top, .. } = *layout;
        let k = self.names.len() as i32;
        let scale = SCALE as i32;
        let at = |place: usize| place as i32 * cell;
        for class in 0..self.names.len() {
            for guess in 0..self.names.len() {
                let share = self.share(class, guess);
                let corner = (left + at(guess), top + at(class));
                let rectangle = [corner, (corner.0 + cell, corner.1 + cell)];
                area.draw(&Rectangle::new(rectangle, shade(share).filled())).map_err(text)?;
                self.draw_cell(area, layout, (class, guess), corner)?;
            }
        }
        for line in 0..=k {
            let (across, down) = (left + line * cell, top + line * cell);
            for ends in [[(left, down), (left + k * cell, down)], [(across, top), (across, top + k * cell)]] {
                area.draw(&PathElement::new(ends.to_vec(), RGBColor(205, 205, 205).stroke_width(SCALE)))
                    .map_err(text)?;
            }
        }
        let size = layout.letters();
        for (place, name) in self.names.iter().enumerate() {
            let middle = at(place) + cell / 2;
            let right = font(size, &INK).pos(Pos::new(HPos::Right, VPos::Center));
            area.draw(&Text::new(layout.shortened(name), (left - 8 * scale, top + middle), right))
                .map_err(text)?;
            let below = (left + middle, top + k * cell + 8 * scale);
            let style = if layout.turned {
                font(size, &INK).transform(FontTransform::Rotate270).pos(Pos::new(HPos::Right, VPos::Center))
            } else {
                font(size, &INK).pos(Pos::new(HPos::Center, VPos::Top))
            };
            area.draw(&Text::new(layout.shortened(name), below, style)).map_err(text)?;
        }
        let (_, height) = area.dim_in_pixel();
        let middle = Pos::new(HPos::Center, VPos::Center);
        let predicted = (left + k * cell / 2, height as i32 - 16 * scale);
        area.draw(&Text::new("predicted", predicted, font(13, &INK).pos(middle))).map_err(text)?;
        let turned = font(13, &INK).transform(FontTransform::Rotate270).pos(middle);
        area.draw(&Text::new("true", (18 * scale, top + k * cell / 2), turned)).map_err(text)?;
        // What the shades mean. Each step reaches to the bottom, so that no seams are left between them.
        let (bar, steps, bottom) = (left + k * cell + 26 * scale, 50, top + k * cell);
        for step in 0..steps {
            let from = top + step * k * cell / steps;
            let share = 1.0 - (f64::from(step) + 0.5) / f64::from(steps);
            let rest = [(bar, from), (bar + 12 * scale, bottom)];
            area.draw(&Rectangle::new(rest, shade(share).filled())).map_err(text)?;
        }
        let frame = [(bar, top), (bar + 12 * scale, bottom)];
        area.draw(&Rectangle::new(frame, SOFT.stroke_width(1))).map_err(text)?;
        let beside = Pos::new(HPos::Left, VPos::Center);
        for (share, name) in [(0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %")] {
            let place = bottom - (share * f64::from(k * cell)).round() as i32;
            let at = (bar + 18 * scale, place);
            area.draw(&Text::new(name, at, font(11, &SOFT).pos(beside))).map_err(text)?;
        }
        Ok(())
    }

    /// Count and share in a cell.
    fn draw_cell(
        &self,
        area: &Area<'_>,
        layout: &Layout,
        (class, guess): (usize, usize),
        corner: (i32, i32),
    ) -> Drawn {
        let (count, share) = (self.counts[(class, guess)], self.share(class, guess));
        if !layout.shows_counts || (count <= 0.0 && self.names.len() > 4) {
            return Ok(());
        }
        // White letters where the shade is darker than black ones bear.
        let (colour, soft) = match share {
            0.85.. => (WHITE, RGBColor(232, 241, 248)),
            0.2.. => (INK, RGBColor(70, 80, 88)),
            _ => (INK, SOFT),
        };
        let centre = Pos::new(HPos::Center, VPos::Center);
        let middle = (corner.0 + layout.cell / 2, corner.1 + layout.cell / 2);
        let shift = if layout.shows_shares { 8 * SCALE as i32 } else { 0 };
        let size = if layout.shows_shares { 14 } else { layout.letters() };
        let at = (middle.0, middle.1 - shift);
        area.draw(&Text::new(self.count(count), at, font(size, &colour).pos(centre))).map_err(text)?;
        if layout.shows_shares {
            let at = (middle.0, middle.1 + shift);
            let shown = format!("{:.1} %", 100.0 * share);
            area.draw(&Text::new(shown, at, font(11, &soft).pos(centre))).map_err(text)?;
        }
        Ok(())
    }
}

/// Where things stand, in drawn pixels.
struct Layout {
    cell: i32,
    left: i32,
    top: i32,
    classes: i32,
    below: i32,
    longest: usize,
    turned: bool,
    shows_counts: bool,
    shows_shares: bool,
}

impl Layout {
    fn of(matrix: &Matrix) -> Self {
        let scale = SCALE as i32;
        let k = matrix.names.len();
        let cell = match k {
            ..=3 => 96,
            4..=6 => 72,
            7..=12 => 54,
            13..=25 => 32,
            _ => 16,
        } * scale;
        let mut layout = Layout {
            cell,
            left: 0,
            top: 6 * scale,
            classes: k as i32,
            below: 0,
            longest: 18,
            turned: false,
            shows_counts: k <= 25,
            shows_shares: k <= 12,
        };
        let letter = layout.letters() as i32 * scale * 6 / 10;
        let longest = matrix.names.iter().map(|name| layout.shortened(name).chars().count()).max();
        let width = longest.unwrap_or(1) as i32 * letter;
        layout.turned = width > cell - 6 * scale;
        layout.left = (width + 44 * scale).max(72 * scale);
        layout.below = if layout.turned { width + 44 * scale } else { 56 * scale };
        layout
    }

    fn letters(&self) -> u32 {
        if self.classes <= 12 {
            13
        } else if self.classes <= 25 {
            11
        } else {
            9
        }
    }

    fn shortened(&self, name: &str) -> String {
        if name.chars().count() <= self.longest {
            return name.to_owned();
        }
        name.chars().take(self.longest - 1).chain(['…']).collect()
    }

    fn size(&self) -> (u32, u32) {
        let scale = SCALE as i32;
        let width = self.left + self.classes * self.cell + 90 * scale;
        let height = HEAD as i32 + self.top + self.classes * self.cell + self.below;
        // Room for the line above a small matrix.
        (width.max(400 * scale) as u32, height as u32)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn counts_and_shares_are_those_of_the_rows() {
        let (truth, predicted) = (array!["a", "a", "b", "b"], array!["a", "b", "b", "c"]);
        let matrix = Matrix::of(&truth, &predicted, None).unwrap();
        assert_eq!(matrix.names, ["a", "b", "c"]);
        assert_eq!(matrix.counts, array![[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]]);
        assert_eq!((matrix.share(0, 1), matrix.share(2, 2)), (0.5, 0.0));
        let weighted = Matrix::of(&truth, &predicted, Some(&[1.0, 3.0, 0.5, 0.0])).unwrap();
        assert_eq!(
            (weighted.share(0, 1), weighted.count(0.5), weighted.count(3.0)),
            (0.75, "0.5".into(), "3".into())
        );
    }

    #[test]
    fn any_number_of_classes_is_drawn_and_gives_the_same_bytes_twice() {
        for classes in [1, 2, 3, 7, 12, 13, 26, 60] {
            let truth = Array1::from_shape_fn(300, |row| row % classes);
            let predicted = Array1::from_shape_fn(300, |row| (row + usize::from(row % 5 == 0)) % classes);
            let svg = confusion_matrix(&truth, &predicted, None).unwrap();
            assert_eq!(svg, confusion_matrix(&truth, &predicted, None).unwrap());
            assert!(svg.starts_with("<svg") && !svg.contains("NaN"), "{classes}");
            // The line above has one share and the scale of shades three.
            assert_eq!(svg.matches(" %").count() > 4, classes <= 12, "{classes}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refused = |truth: &[usize], predicted: &[usize], weights: Option<&[f32]>| {
            let (truth, predicted) = (Array1::from(truth.to_vec()), Array1::from(predicted.to_vec()));
            confusion_matrix(&truth, &predicted, weights).unwrap_err()
        };
        assert!(matches!(refused(&[], &[], None), Error::NoRows { .. }));
        assert!(matches!(refused(&[1], &[1, 2], None), Error::RowCount { array: "prediction", .. }));
        assert!(matches!(refused(&[1], &[1], Some(&[])), Error::RowCount { array: "weights", .. }));
        for weight in [-1.0, 0.0, f32::NAN, f32::INFINITY] {
            assert!(matches!(refused(&[1], &[1], Some(&[weight])), Error::Parameter { .. }), "{weight}");
        }
        let many: Vec<usize> = (0..61).collect();
        assert!(matches!(refused(&many, &many, None), Error::Parameter { .. }));
    }
}
