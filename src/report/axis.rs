//! Axes with round ticks, and where values stand on them.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

/// A ratio of values from which a logarithmic axis shows more.
const DECADES: f64 = 50.0;

/// Whether a value has a place in a picture: differences of larger ones may overflow.
pub(super) fn is_drawn(value: f64) -> bool {
    value.abs() < 1e150
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

/// Where values stand on an axis; all places on a logarithmic one are exponents of 10.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    pub logarithmic: bool,
    pub range: (f64, f64),
    pub ticks: Vec<f64>,
}

impl Scale {
    /// For values that [are drawn](is_drawn). With `decades`, values that span decades get a logarithmic axis.
    pub(super) fn of(values: impl IntoIterator<Item = f64>, decades: bool) -> Self {
        let infinite = (f64::INFINITY, f64::NEG_INFINITY);
        let (low, high) =
            values.into_iter().fold(infinite, |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return Scale { logarithmic: false, range: (0.0, 1.0), ticks: linear_ticks(0.0, 1.0) };
        }
        if decades && low > 0.0 && high / low >= DECADES {
            let space = 0.04 * (high / low).log10();
            let (low, high) = (low.log10() - space, high.log10() + space);
            return Scale { logarithmic: true, range: (low, high), ticks: logarithmic_ticks(low, high) };
        }
        let space = if high > low { (high - low) * 0.05 } else { high.abs().max(1e-3) * 0.1 };
        let (low, high) = (low - space, high + space);
        Scale { logarithmic: false, range: (low, high), ticks: linear_ticks(low, high) }
    }

    pub(super) fn place(&self, value: f64) -> f64 {
        if self.logarithmic { value.log10() } else { value }
    }

    /// The axis itself.
    pub(super) fn axis(&self) -> Axis {
        Axis { range: self.range, ticks: self.ticks.clone() }
    }

    pub(super) fn label(&self, place: f64) -> String {
        if self.logarithmic {
            return number(10_f64.powf(place), 0.0);
        }
        let step = self.ticks.windows(2).map(|pair| pair[1] - pair[0]).next().unwrap_or(0.0);
        number(place, step)
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
    let rounded = match rounded.strip_prefix('-') {
        // What is nothing in these digits has no sign.
        Some(digits) if digits.bytes().all(|digit| matches!(digit, b'0' | b'.')) => digits.to_owned(),
        _ => rounded,
    };
    if step > 0.0 || !rounded.contains('.') {
        return rounded;
    }
    rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_on_an_axis_are_short() {
        let steps =
            [(0.1 + 0.2, 0.1), (-1e-17, 0.1), (2e-5, 1e-5), (120_000.0, 2e4), (-0.25, 0.05), (-0.004, 0.05)];
        let shown = steps.map(|(value, step)| number(value, step));
        assert_eq!(shown, ["0.3", "0", "2e-5", "1.2e5", "-0.25", "0.00"]);
        assert_eq!(
            [1e-4, 0.005, 200.0, 1e6].map(|value| number(value, 0.0)),
            ["0.0001", "0.005", "200", "1e6"]
        );
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(linear_ticks(0.1, 3.9), [1.0, 2.0, 3.0]);
        for (low, high) in [(0.0, 1e-9), (-1e149, 1e149), (0.999, 1.0), (5.0, 5.5)] {
            assert!((3..=9).contains(&linear_ticks(low, high).len()), "{low} {high}");
        }
        for (low, high) in [(-0.1, 1.7), (-3.0, 0.0), (-300.0, 150.0), (-5.1, 4.9)] {
            assert!((3..=11).contains(&logarithmic_ticks(low, high).len()), "{low} {high}");
        }
    }
}
