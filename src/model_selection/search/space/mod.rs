//! Spaces: what a search chooses among.
//!
//! A [`Space`] is an estimator's builder and some [`Grid`]s over it. A grid asks questions (`which optimizer?`) and does to the
//! builder what the answers say; a guide answers them. So every space can be gone through ([`Space::combinations`]) and
//! drawn from ([`Space::draw`]), whether its axes are independent or one decides about another.

mod distribution;
mod draw;
mod grid;
mod unseen;
mod walk;

pub use distribution::{Distribution, Integer, LogInteger, LogUniform, Uniform};
pub use draw::Draw;
pub use grid::Grid;

pub(crate) use draw::{Answer, Guide, Question};
pub(crate) use unseen::Unseen;

use std::fmt;
use std::sync::Arc;

use super::candidates::Candidate;
use crate::error::Result;
use crate::rng::Stream;
use walk::Walk;

/// What tells two builders apart.
type Key<P> = Arc<dyn Fn(&P) -> String + Send + Sync>;

/// The settings among which a search chooses: an estimator's builder, and the grids over it.
pub struct Space<P> {
    prototype: P,
    grids: Vec<Grid<P>>,
    key: Option<Key<P>>,
    /// Axes that tell candidates apart though their builders are the same.
    apart: Vec<String>,
}

impl<P: Clone> Clone for Space<P> {
    fn clone(&self) -> Self {
        let (prototype, grids) = (self.prototype.clone(), self.grids.clone());
        Space { prototype, grids, key: self.key.clone(), apart: self.apart.clone() }
    }
}

impl<P: fmt::Debug> fmt::Debug for Space<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Space").field("prototype", &self.prototype).field("grids", &self.grids).finish()
    }
}

/// Answers by chance: each question has a stream of its own.
struct Chance(Stream);

impl Guide for Chance {
    fn answer(&mut self, question: &Question<'_>) -> f64 {
        self.0.named(question.name).uniform()
    }
}

/// Answers as before.
struct Replay<'a>(&'a [Answer]);

impl Guide for Replay<'_> {
    fn answer(&mut self, question: &Question<'_>) -> f64 {
        let before = self.0.iter().find(|answer| answer.name == question.name);
        before.map_or(0.0, |answer| answer.coordinate)
    }
}

impl<P> Space<P> {
    /// The builder alone, without axes yet.
    pub(super) fn of(prototype: P) -> Self {
        Space { prototype, grids: vec![Grid::new()], key: None, apart: Vec::new() }
    }

    /// Adds a grid.
    pub(super) fn push(&mut self, grid: Grid<P>) {
        // A grid that nobody gave an axis is only the place where `axis` would put one.
        self.grids.retain(|grid| !grid.is_empty());
        self.grids.push(grid);
    }

    /// Changes the last grid.
    pub(super) fn change_last(&mut self, change: impl FnOnce(Grid<P>) -> Grid<P>) {
        let last = self.grids.pop().unwrap_or_default();
        self.grids.push(change(last));
    }

    /// Takes candidates whose builders have the same key for one.
    pub(super) fn distinct_by(&mut self, key: impl Fn(&P) -> String + Send + Sync + 'static) {
        self.key = Some(Arc::new(key));
    }

    /// Takes candidates with different values on this axis for different ones, whatever their builders are.
    pub(super) fn keep_apart(&mut self, axis: String) {
        self.apart.push(axis);
    }

    /// The builder before anything was done to it.
    #[must_use]
    pub fn prototype(&self) -> &P {
        &self.prototype
    }

    /// Every combination of every grid, one grid after the other. Of candidates that the search takes for the same, the first
    /// is there.
    ///
    /// # Errors
    ///
    /// As [`Grid::candidates`].
    pub fn combinations(&self) -> Result<Vec<Candidate<P>>>
    where
        P: Clone,
    {
        let mut candidates = Vec::new();
        for grid in &self.grids {
            candidates.extend(grid.candidates(&self.prototype)?);
        }
        if self.key.is_some() {
            let mut seen = std::collections::HashSet::new();
            candidates.retain(|candidate| seen.insert(self.key(candidate)));
        }
        Ok(candidates)
    }

    /// The candidate drawn from this stream; none when a filter refuses it. Of several grids, each is as likely as any other.
    ///
    /// # Errors
    ///
    /// As [`Grid::candidates`], but any range may be drawn from.
    pub fn draw(&self, stream: Stream) -> Result<Option<Candidate<P>>>
    where
        P: Clone,
    {
        self.candidate(&mut Chance(stream))
    }

    /// The candidate that a guide leads to; none when a filter refuses it.
    pub(crate) fn candidate(&self, guide: &mut dyn Guide) -> Result<Option<Candidate<P>>>
    where
        P: Clone,
    {
        let count = self.grids.len();
        if count == 1 {
            return self.grids[0].candidate(&self.prototype, guide);
        }
        let middle = |place: usize| (place as f64 + 0.5) / count as f64;
        let question = Question { name: WHICH_GRID, count: Some(count), ordered: false, coordinate: &middle };
        let place = ((guide.answer(&question) * count as f64) as usize).min(count - 1);
        // The middle, so that equal candidates have equal answers.
        let coordinate = middle(place);
        let candidate = self.grids[place].candidate(&self.prototype, guide)?;
        Ok(candidate.map(|mut candidate| {
            candidate.answers.push(Answer { name: WHICH_GRID.into(), coordinate });
            candidate
        }))
    }

    /// The candidate with these answers.
    pub(crate) fn replay(&self, answers: &[Answer]) -> Result<Option<Candidate<P>>>
    where
        P: Clone,
    {
        self.candidate(&mut Replay(answers))
    }

    /// Every candidate, unless there are more than `limit` or they cannot be counted.
    fn all(&self, limit: usize) -> Option<Vec<Candidate<P>>>
    where
        P: Clone,
    {
        let mut walk = Walk::default();
        let mut candidates = Vec::new();
        for _ in 0..limit {
            candidates.extend(self.candidate(&mut walk).ok()?);
            if !walk.advance().ok()? {
                return Some(candidates);
            }
        }
        None
    }

    /// Refuses filters that kept none of so many.
    fn check_kept(&self, any: bool, all: usize) -> Result<()> {
        self.grids.first().map_or(Ok(()), |grid| grid.check_kept(any, all))
    }

    /// What tells a candidate from others.
    pub(crate) fn key(&self, candidate: &Candidate<P>) -> String {
        match &self.key {
            Some(key) => {
                let apart = self.apart.iter().filter_map(|axis| candidate.params.get(axis));
                apart.fold(key(&candidate.estimator), |key, value| format!("{key}\0{value}"))
            }
            None => {
                let grid = candidate.answers.iter().find(|answer| answer.name == WHICH_GRID);
                // A map with text keys and plain values can always be written.
                let params = serde_json::to_string(&candidate.params).unwrap_or_default();
                format!("{:?} {params}", grid.map(|grid| grid.coordinate))
            }
        }
    }
}

/// The name of the question which grid; a name that no axis has.
const WHICH_GRID: &str = "\0grid";

#[cfg(test)]
mod tests {
    use super::*;

    /// What a candidate builds: a list of texts.
    type Parts = Vec<String>;

    fn with(mut parts: Parts, part: impl ToString) -> Parts {
        parts.push(part.to_string());
        parts
    }

    fn space(grid: Grid<Parts>) -> Space<Parts> {
        let mut space = Space::of(Vec::new());
        space.push(grid);
        space
    }

    fn optimizers() -> Grid<Parts> {
        Grid::new().axis("width", [8, 16], with).vary(|p: Parts, draw| {
            let name = draw.choice("optimizer", ["adam", "sgd"]);
            let p = with(p, name);
            let p = with(p, draw.choice("rate", [0.1, 0.01, 0.001]));
            if name == "sgd" { with(p, draw.integer("momentum", 0..=3)) } else { p }
        })
    }

    #[test]
    fn conditional_spaces_have_as_many_candidates_as_the_closed_form_says() {
        assert_eq!(space(optimizers()).combinations().unwrap().len(), 2 * (3 + 3 * 4));
        for (depths, units, count) in [(1..=3, 3, 3 + 9 + 27), (0..=2, 3, 1 + 3 + 9), (2..=2, 3, 9)] {
            let layers = Grid::new().vary(move |_: Parts, draw| {
                draw.depth_and_units("hidden", depths.clone(), [8, 16, 32])
                    .iter()
                    .map(ToString::to_string)
                    .collect()
            });
            let candidates = space(layers).combinations().unwrap();
            let mut networks: Vec<_> = candidates.iter().map(|candidate| &candidate.estimator).collect();
            networks.sort();
            networks.dedup();
            assert_eq!((candidates.len(), networks.len()), (count, count), "{units} units");
        }
    }

    #[test]
    fn the_same_estimator_by_different_answers_is_one_candidate_where_asked_for() {
        // A dropout layer of rate 0 is none: 2 widths, each without dropout or with one of 2 rates after one of 2 layers.
        let grid = Grid::new().axis("width", [8, 16], with).vary(|p: Parts, draw| {
            let rate = draw.choice("dropout", [0, 1, 2]);
            let after = draw.choice("after", ["first", "last"]);
            if rate == 0 { p } else { with(with(p, rate), after) }
        });
        let mut space = space(grid);
        assert_eq!(space.combinations().unwrap().len(), 2 * 3 * 2);
        space.distinct_by(|parts| format!("{parts:?}"));
        assert_eq!(space.combinations().unwrap().len(), 2 * (1 + 2 * 2));
        let mut unseen = Unseen::of(&space, Stream::new(1));
        let mut drawn = 0;
        while unseen.next().unwrap().is_some() {
            drawn += 1;
        }
        assert_eq!(drawn, 10);
    }

    #[test]
    fn what_is_drawn_depends_on_the_name_and_not_on_the_order() {
        let drawn = |turned: bool| {
            let grid = Grid::new().vary(move |p: Parts, draw| {
                let names = if turned { ["b", "a"] } else { ["a", "b"] };
                let mut values = names.map(|name| (name, draw.uniform(name, 0.0, 1.0)));
                values.sort_by(|one, other| one.0.cmp(other.0));
                values.iter().fold(p, |p, (_, value)| with(p, value))
            });
            space(grid).draw(Stream::new(3)).unwrap().unwrap().estimator
        };
        assert_eq!(drawn(false), drawn(true));
        assert_ne!(drawn(false)[0], drawn(false)[1]);
    }

    #[test]
    fn finite_spaces_are_drawn_to_the_last_candidate_even_behind_unlikely_answers() {
        // One candidate in 4096 has 12 times the second value: chance alone would take long.
        let grid = Grid::new().vary(|p: Parts, draw| {
            let mut p = p;
            for i in 0..12 {
                if draw.choice(&format!("step {i}"), [false, true]) {
                    p = with(p, i);
                } else {
                    break;
                }
            }
            p
        });
        let space = space(grid);
        let mut unseen = Unseen::of(&space, Stream::new(5));
        let mut seen = Vec::new();
        while let Some(candidate) = unseen.next().unwrap() {
            seen.push(candidate.estimator.len());
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..=12).collect::<Vec<_>>());
    }

    #[test]
    fn several_grids_are_drawn_alike_and_not_taken_for_each_other() {
        let mut space = space(Grid::new().axis("rate", [1, 2], |p, v| with(p, format!("adam {v}"))));
        space.push(Grid::new().axis("rate", [1, 2], |p, v| with(p, format!("sgd {v}"))));
        let mut unseen = Unseen::of(&space, Stream::new(2));
        let mut seen = Vec::new();
        while let Some(candidate) = unseen.next().unwrap() {
            seen.push(candidate.estimator.concat());
        }
        seen.sort();
        assert_eq!(seen, ["adam 1", "adam 2", "sgd 1", "sgd 2"]);
    }

    #[test]
    fn impossible_questions_are_errors_that_name_them() {
        let error = |grid: Grid<Parts>| {
            let space = space(grid);
            let drawn = space.draw(Stream::new(1)).map(|_| ()).unwrap_err().to_string();
            assert_eq!(drawn, space.combinations().map(|_| ()).unwrap_err().to_string());
            drawn
        };
        let of = |draw: fn(&mut Draw<'_>)| {
            error(Grid::new().vary(move |p, d| {
                draw(d);
                p
            }))
        };
        assert_eq!(
            of(|draw| _ = draw.log_uniform("rate", 0.0, 1.0)),
            "rate: low must be finite and > 0, but is 0"
        );
        assert_eq!(
            of(|draw| _ = draw.uniform("rate", 1.0, 0.5)),
            "rate: high must be finite and above low (1.0), but is 0.5"
        );
        #[allow(clippy::reversed_empty_ranges)]
        let reversed = of(|draw| _ = draw.integer("units", 3..=2));
        assert_eq!(reversed, "units: range must be of at least 1 and at most 2⁵² numbers, but is 3 to 2");
        let twice = of(|draw| {
            draw.choice("a", [1]);
            draw.choice("a", [2]);
        });
        assert_eq!(twice, "axis must be a name that no other axis has, but is a");
        assert!(of(|_| panic!("out of order")).starts_with("the search space panicked: out of order"));
        // A panic that follows from an impossible range is that range's error.
        let follows = of(|draw| {
            let units = draw.log_integer("units", 0..=2);
            assert!(units > 0);
        });
        assert!(follows.starts_with("units: low must be"), "{follows}");
        assert!(error(Grid::new().filter(|_| true)).starts_with("grid must be a grid of at least one axis"));
    }

    #[test]
    fn ranges_of_any_numbers_cannot_be_gone_through() {
        let grid = Grid::new().axis_from("rate", Uniform::new(0.0, 1.0), with);
        let error = space(grid).combinations().unwrap_err().to_string();
        assert!(error.starts_with("axis rate must be a list or a range of whole numbers"), "{error}");
        let whole = Grid::new().axis_from("units", Integer::new(3..=5), with);
        assert_eq!(space(whole).combinations().unwrap().len(), 3);
    }
}
