//! What all pictures share: sizes, colours, axes and numbers on them.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::prelude::*;
use plotters::style::text_anchor::Pos;

/// Everything is drawn at twice its size, because plotters rounds coordinates to whole pixels.
pub(super) const SCALE: u32 = 2;

/// Blue and vermilion, which the colour-blind can tell apart, from M. Okabe and K. Ito's palette.
pub(super) const TRAINING: RGBColor = RGBColor(0, 114, 178);
pub(super) const VALIDATION: RGBColor = RGBColor(213, 94, 0);
pub(super) const INK: RGBColor = RGBColor(45, 45, 45);
pub(super) const SOFT: RGBColor = RGBColor(130, 130, 130);
pub(super) const GRID: RGBColor = RGBColor(228, 228, 228);

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

pub(super) fn text(problem: impl std::fmt::Display) -> String {
    problem.to_string()
}

pub(super) fn font(size: u32, colour: &RGBColor) -> TextStyle<'_> {
    ("sans-serif", size * SCALE).into_font().color(colour)
}

/// An axis with ticks of our own: those of plotters are not always there, and panic for some ranges.
pub(super) struct Axis {
    pub range: (f64, f64),
    pub ticks: Vec<f64>,
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (value - self.range.0) / (self.range.1 - self.range.0);
        from + (share * f64::from(to - from)).round() as i32
    }

    fn key_points<H: KeyPointHint>(&self, _: H) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range.0..self.range.1
    }
}

/// The least of 1, 2, 5, 10, 20 … (and their like below 1) that is not below `step`.
pub(super) fn round_step(step: f64) -> f64 {
    let decade = 10_f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|factor| factor * decade)
        .find(|round| *round >= step)
        .unwrap_or(10.0 * decade)
}

/// Some seven round numbers.
pub(super) fn linear_ticks(low: f64, high: f64) -> Vec<f64> {
    let step = round_step((high - low) / 7.0);
    let first = (low / step).ceil();
    (0..16).map(|i| (first + f64::from(i)) * step).take_while(|tick| *tick <= high).collect()
}

/// Whole decades, and 2 and 5 between them when there are few.
pub(super) fn logarithmic_ticks(low: f64, high: f64) -> Vec<f64> {
    let between: &[f64] = if high - low <= 3.2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let step = ((high - low) / 8.0).ceil().max(1.0);
    let first = (low / step).floor() as i32;
    let decades = (0..12).map(|i| f64::from(first + i) * step);
    let ticks = decades.flat_map(|decade| between.iter().map(move |factor| decade + factor.log10()));
    ticks.filter(|tick| (low..=high).contains(tick)).collect()
}

/// A number on an axis whose ticks are `step` apart (0: unknown), in few characters.
pub(super) fn number(value: f64, step: f64) -> String {
    // Ticks are multiples of steps: what should be 0 may be -0.
    if value.abs() < step * 1e-6 {
        return "0".into();
    }
    if value != 0.0 && !(1e-4..1e5).contains(&value.abs()) {
        let decade = |value: f64| value.abs().log10().floor();
        let digits = if step > 0.0 { decade(value) - decade(step) } else { 0.0 };
        let digits = digits.clamp(0.0, 6.0) as usize;
        return format!("{value:.digits$e}");
    }
    let decimals = if step > 0.0 { (-step.log10().floor()).clamp(0.0, 12.0) as usize } else { 4 };
    let rounded = format!("{value:.decimals$}");
    if step > 0.0 || !rounded.contains('.') {
        return rounded;
    }
    rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Makes the picture appear at the size it was meant for.
pub(super) fn shown_at_half_size(svg: &str) -> String {
    let Some((open, rest)) = svg.split_once('>') else { return svg.to_owned() };
    let halved: Vec<String> = open
        .split(' ')
        .map(|word| {
            let size = |name: &str| {
                let digits = word.strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"')?;
                let size: u32 = digits.parse().ok()?;
                Some(format!("{name}=\"{}\"", size / SCALE))
            };
            size("width").or_else(|| size("height")).unwrap_or_else(|| word.to_owned())
        })
        .collect();
    format!("{}>{rest}", halved.join(" "))
}

/// A text at a place of the page, in its pixels.
pub(super) fn write(
    area: &Area<'_>,
    words: impl Into<String>,
    place: (i32, i32),
    style: TextStyle<'_>,
    anchor: Pos,
) -> std::result::Result<(), String> {
    area.draw(&Text::new(words.into(), place, style.pos(anchor))).map_err(text)
}

/// A line through places of the page.
pub(super) fn line(
    area: &Area<'_>,
    places: Vec<(i32, i32)>,
    colour: impl Into<ShapeStyle>,
) -> std::result::Result<(), String> {
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
