//! A step length that satisfies the strong Wolfe conditions.

/// A step has to lower the loss by this share of what the slope at the start promises (SciPy's `ftol`).
const DECREASE: f64 = 1e-3;
/// And to leave at most this share of that slope (SciPy's `gtol`).
const CURVATURE: f64 = 0.9;
/// How far a step may reach beyond the one before it.
const REACH: (f64, f64) = (1.5, 10.0);
/// How close a trial may come to an end of its bracket, as a share of it.
const MARGIN: f64 = 0.1;

/// A point on the line: the step that leads there, the loss and its slope along the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trial {
    pub(super) step: f64,
    pub(super) loss: f64,
    pub(super) slope: f64,
}

/// The loss along a line.
pub(super) trait Line {
    /// Goes to the point at that step.
    fn at(&mut self, step: f64) -> Trial;
    /// Remembers the point it was at last: the best one so far.
    fn keep(&mut self);
}

/// Looks for a step within that many trials, `first` being the first. Gives the trial that is kept: one that satisfies
///
/// ```text
/// φ(t) ≤ φ(0) + 10⁻³ t φ′(0)        |φ′(t)| ≤ 0.9 |φ′(0)|
/// ```
///
/// or, when the trials are used up or the numbers do not resolve it any more, the lowest that satisfies the first of the two,
/// if there was one.
///
/// # References
///
/// J. Nocedal, S. J. Wright, *Numerical Optimization*, 2nd edition, 2006, algorithms 3.5 and 3.6, eq. 3.59.
pub(super) fn search(line: &mut dyn Line, start: Trial, first: f64, trials: u64) -> Option<Trial> {
    let is_low = |trial: Trial| trial.loss <= start.loss + DECREASE * trial.step * start.slope;
    let is_flat = |trial: Trial| trial.slope.abs() <= -CURVATURE * start.slope;
    let mut before = start;
    let mut step = first;
    for used in 1..=trials {
        let now = line.at(step);
        if !is_low(now) || (before.step > 0.0 && now.loss >= before.loss) {
            return zoom(line, start, (before, now), trials - used);
        }
        line.keep();
        if is_flat(now) {
            return Some(now);
        }
        if now.slope >= 0.0 {
            return zoom(line, start, (now, before), trials - used);
        }
        let (least, most) = (step * REACH.0, step * REACH.1);
        let wanted = lowest(before, now);
        step = if wanted.is_finite() && wanted > step { wanted.clamp(least, most) } else { most };
        before = now;
    }
    (before.step > 0.0).then_some(before)
}

/// Narrows a bracket: `low` satisfies the first condition and is the lowest so far, and downhill from it lies `high`.
fn zoom(
    line: &mut dyn Line,
    start: Trial,
    (mut low, mut high): (Trial, Trial),
    trials: u64,
) -> Option<Trial> {
    for trial in 1..=trials {
        let width = high.step - low.step;
        // Every third trial halves the bracket, so that it gets narrow whatever the cubic says.
        let share = (lowest(low, high) - low.step) / width;
        let share =
            if trial % 3 == 0 || !share.is_finite() { 0.5 } else { share.clamp(MARGIN, 1.0 - MARGIN) };
        let step = low.step + share * width;
        let resolved = step.total_cmp(&low.step).is_ne() && step.total_cmp(&high.step).is_ne();
        if !resolved {
            break;
        }
        let now = line.at(step);
        let is_low = now.loss <= start.loss + DECREASE * step * start.slope;
        if !is_low || now.loss >= low.loss {
            high = now;
            continue;
        }
        line.keep();
        if now.slope.abs() <= -CURVATURE * start.slope {
            return Some(now);
        }
        if now.slope * width >= 0.0 {
            high = low;
        }
        low = now;
    }
    (low.step > 0.0).then_some(low)
}

/// Where the cubic through two trials and their slopes is lowest; not finite where it has no minimum.
fn lowest(a: Trial, b: Trial) -> f64 {
    let first = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.step - b.step);
    let second = (b.step - a.step).signum() * (first * first - a.slope * b.slope).sqrt();
    b.step - (b.step - a.step) * (b.slope + second - first) / (b.slope - a.slope + 2.0 * second)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function with its derivative, and the steps that were tried.
    struct Function {
        of: fn(f64) -> (f64, f64),
        tried: Vec<f64>,
        kept: Option<f64>,
    }

    impl Line for Function {
        fn at(&mut self, step: f64) -> Trial {
            self.tried.push(step);
            let (loss, slope) = (self.of)(step);
            Trial { step, loss, slope }
        }
        fn keep(&mut self) {
            self.kept = self.tried.last().copied();
        }
    }

    fn run(of: fn(f64) -> (f64, f64), first: f64, trials: u64) -> (Function, Option<Trial>) {
        let mut line = Function { of, tried: vec![], kept: None };
        let (loss, slope) = of(0.0);
        let found = search(&mut line, Trial { step: 0.0, loss, slope }, first, trials);
        assert_eq!(line.kept, found.map(|trial| trial.step), "what is given is what is kept");
        assert!(line.tried.len() as u64 <= trials);
        (line, found)
    }

    /// The three functions of Moré and Thuente (1994), section 5, that are given without spline.
    fn one(t: f64) -> (f64, f64) {
        let b = 2.0;
        (-t / (t * t + b), (t * t - b) / (t * t + b).powi(2))
    }
    fn two(t: f64) -> (f64, f64) {
        let u = t + 0.004;
        (u.powi(5) - 2.0 * u.powi(4), 5.0 * u.powi(4) - 8.0 * u.powi(3))
    }
    fn parabola(t: f64) -> (f64, f64) {
        ((t - 3.0) * (t - 3.0), 2.0 * (t - 3.0))
    }

    #[test]
    fn both_conditions_hold_from_steps_far_too_short_and_far_too_long() {
        for of in [one, two, parabola] {
            for first in [1e-3, 1e-1, 1e1, 1e3] {
                let (line, found) = run(of, first, 20);
                let found = found.unwrap_or_else(|| panic!("none from {first}: {:?}", line.tried));
                let (loss, slope) = of(0.0);
                assert!(found.loss <= loss + DECREASE * found.step * slope, "{first}: {found:?}");
                assert!(found.slope.abs() <= -CURVATURE * slope, "{first}: {found:?}");
            }
        }
    }

    #[test]
    fn the_cubic_through_a_parabola_is_the_parabola() {
        let at = |step: f64| Trial { step, loss: parabola(step).0, slope: parabola(step).1 };
        assert!((lowest(at(0.0), at(1.0)) - 3.0).abs() < 1e-12);
        assert!((lowest(at(7.0), at(4.0)) - 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_wall_is_backed_away_from() {
        let walled = |t: f64| if t > 0.5 { (f64::INFINITY, f64::NAN) } else { (-t, -1.0) };
        let (line, found) = run(walled, 100.0, 20);
        // There is no flat point: the lowest of the trials is taken.
        let found = found.expect("some step is lower");
        assert!(found.step > 0.0 && found.step <= 0.5 && line.tried.len() > 5, "{found:?}");
    }

    #[test]
    fn nothing_is_found_where_nothing_is_lower() {
        let (_, found) = run(|t| (t, -1.0), 1.0, 20);
        assert_eq!(found, None);
        let (line, found) = run(parabola, 1e-3, 0);
        assert_eq!((line.tried.len(), found), (0, None));
        let (_, found) = run(|_| (f64::NAN, f64::NAN), 1.0, 20);
        assert_eq!(found, None);
    }

    #[test]
    fn a_descent_without_end_uses_its_trials_and_no_more() {
        let (line, found) = run(|t| (-t, -1.0), 1.0, 7);
        assert_eq!(line.tried.len(), 7);
        assert_eq!(found.map(|trial| trial.step), line.tried.last().copied());
    }
}
