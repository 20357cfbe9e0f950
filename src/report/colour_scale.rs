//! Colours for numbers, and words and lines at places of a page.

use plotters::prelude::*;
use plotters::style::text_anchor::Pos;

use super::page::{Area, Drawn, INK, SCALE, text};

/// A text at a place of the page, in its pixels.
pub(super) fn write(
    area: &Area<'_>,
    words: impl Into<String>,
    place: (i32, i32),
    style: TextStyle<'_>,
    anchor: Pos,
) -> Drawn {
    area.draw(&Text::new(words.into(), place, style.pos(anchor))).map_err(text)
}

/// A line through places of the page.
pub(super) fn line(area: &Area<'_>, places: Vec<(i32, i32)>, colour: impl Into<ShapeStyle>) -> Drawn {
    area.draw(&PathElement::new(places, colour)).map_err(text)
}

/// About how wide a text of this size is, in pixels of the page.
pub(super) fn width(words: &str, size: u32) -> i32 {
    (words.chars().count() as f64 * f64::from(size * SCALE) * 0.56).ceil() as i32
}

/// The words, cut short to so many characters.
pub(super) fn shortened(words: &str, most: usize) -> String {
    if words.chars().count() <= most {
        return words.into();
    }
    words.chars().take(most - 1).chain(['…']).collect()
}

/// From dark blue over green to yellow, evenly in brightness, for a share of [0, 1]: matplotlib's viridis, which the
/// colour-blind can read, and which stays in order in print.
pub(super) fn viridis(share: f64) -> RGBColor {
    const COLOURS: [(u8, u8, u8); 9] = [
        (68, 1, 84),
        (71, 44, 122),
        (59, 81, 139),
        (44, 113, 142),
        (33, 144, 141),
        (39, 173, 129),
        (92, 200, 99),
        (170, 220, 50),
        (253, 231, 37),
    ];
    let place = share.clamp(0.0, 1.0) * (COLOURS.len() - 1) as f64;
    let first = (place as usize).min(COLOURS.len() - 2);
    let (from, to, part) = (COLOURS[first], COLOURS[first + 1], place - first as f64);
    let mix = |from: u8, to: u8| (f64::from(from) + part * (f64::from(to) - f64::from(from))).round() as u8;
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

/// Ink or white, whichever can be read on this colour.
pub(super) fn ink_on(colour: RGBColor) -> RGBColor {
    let RGBColor(red, green, blue) = colour;
    let brightness = 0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue);
    if brightness > 140.0 { INK } else { WHITE }
}
