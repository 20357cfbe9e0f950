//! The tree-structured Parzen estimator: draw where good candidates are more likely than others.

mod parzen;

use parzen::Parzen;

use super::random::stream;
use super::{Strategy, Tried};
use crate::error::{Result, check};
use crate::model_selection::search::candidates::Candidate;
use crate::model_selection::search::space::{Answer, Guide, Question, Space, Unseen};
use crate::rng::Stream;

/// Draws from which a question's answer is chosen, as in the paper.
const DRAWS: usize = 24;

/// Suggestions that were there before, or that a filter refuses, after which chance takes over.
const PATIENCE: u64 = 24;

/// Learns from what was tried, parameter by parameter:
///
/// ```text
/// ℓ(x)   the density of the values of the best ⌈n/10⌉ candidates, 25 at most
/// g(x)   that of the others
/// x      the one of 24 draws from ℓ with the largest ℓ(x)/g(x)
/// ```
///
/// The first candidates are drawn by chance. A candidate whose fits failed, or that has no finite score, is one of the others.
/// A parameter that only some candidates have is learnt from those.
///
/// Suggestions of one round do not know each other's scores: each treats those before it as some of the others ("constant
/// liar"), so that they spread. What is suggested depends on the seed and on finished rounds, never on which fit came first.
///
/// # References
///
/// J. Bergstra, R. Bardenet, Y. Bengio, B. Kégl, *Algorithms for Hyper-Parameter Optimization*, NIPS 2011, section 4.
/// S. Watanabe, *Tree-Structured Parzen Estimator*, arXiv:2304.11127, 2023, for the share of the best and the widths, which
/// are Optuna's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tpe {
    pub(in crate::model_selection::search) n_candidates: usize,
    pub(in crate::model_selection::search) n_startup: usize,
    pub(in crate::model_selection::search) parallel: usize,
    pub(in crate::model_selection::search) seed: u64,
}

impl Default for Tpe {
    /// 10 candidates by chance, then 40 that are learnt, one at a time.
    fn default() -> Self {
        Tpe { n_candidates: 50, n_startup: 10, parallel: 1, seed: 0 }
    }
}

impl Tpe {
    /// This many candidates, of which the first 10 are drawn by chance.
    #[must_use]
    pub fn new(n_candidates: usize, seed: u64) -> Self {
        Tpe { n_candidates, seed, ..Tpe::default() }
    }

    /// How many candidates are drawn by chance before the first that is learnt. The default is 10.
    #[must_use]
    pub fn n_startup(mut self, n_startup: usize) -> Self {
        self.n_startup = n_startup;
        self
    }

    /// How many candidates are suggested at a time. The default is 1.
    #[must_use]
    pub fn parallel(mut self, parallel: usize) -> Self {
        self.parallel = parallel;
        self
    }
}

impl Strategy for Tpe {
    fn next_round<P: Clone>(&self, space: &Space<P>, tried: &Tried<'_>) -> Result<Vec<Candidate<P>>> {
        check("n_candidates", self.n_candidates, self.n_candidates > 0, "at least 1")?;
        check("n_startup", self.n_startup, self.n_startup > 0, "at least 1")?;
        check("parallel", self.parallel, self.parallel > 0, "at least 1")?;
        let startup = tried.is_empty();
        let round = if startup { self.n_startup } else { self.parallel };
        let round = round.min(self.n_candidates.saturating_sub(tried.len()));

        let mut unseen = Unseen::of(space, stream(self.seed));
        for answers in tried.answers() {
            if let Some(candidate) = space.replay(answers)? {
                unseen.new_one(candidate);
            }
        }
        let (best, mut others) = divided(tried);
        let mut candidates: Vec<Candidate<P>> = Vec::new();
        while candidates.len() < round {
            let learnt = if startup {
                None
            } else {
                let place = (tried.len() + candidates.len()) as u64;
                let stream = stream(self.seed).named("learnt").at(place);
                self.suggest(space, &mut unseen, &best, &others, stream)?
            };
            let candidate = match learnt {
                Some(candidate) => Some(candidate),
                None => unseen.next()?,
            };
            let Some(candidate) = candidate else { break };
            others.push(candidate.answers.clone());
            candidates.push(candidate);
        }
        Ok(candidates)
    }

    fn forecast(&self, _: usize) -> usize {
        self.n_candidates
    }

    fn asked(&self) -> Option<usize> {
        Some(self.n_candidates)
    }
}

impl Tpe {
    /// A candidate that was not there before, if the densities lead to one.
    fn suggest<P: Clone>(
        &self,
        space: &Space<P>,
        unseen: &mut Unseen<'_, P>,
        best: &[Vec<Answer>],
        others: &[Vec<Answer>],
        stream: Stream,
    ) -> Result<Option<Candidate<P>>> {
        for attempt in 0..PATIENCE {
            let mut guide = Learnt { best, others, stream: stream.at(attempt) };
            let suggested = space.candidate(&mut guide)?;
            if let Some(candidate) = suggested.and_then(|candidate| unseen.new_one(candidate)) {
                return Ok(Some(candidate));
            }
        }
        Ok(None)
    }
}

/// The answers of the best candidates, and of the others.
fn divided(tried: &Tried<'_>) -> (Vec<Vec<Answer>>, Vec<Vec<Answer>>) {
    let losses = tried.losses();
    let mut order: Vec<usize> = (0..tried.len()).collect();
    // Infinite and NaN losses come last; of equals the earlier comes first.
    let rank = |i: usize| if losses[i].is_finite() { losses[i] } else { f64::INFINITY };
    order.sort_by(|&a, &b| rank(a).total_cmp(&rank(b)));
    let finite = losses.iter().filter(|loss| loss.is_finite()).count();
    let best = tried.len().div_ceil(10).min(25).min(finite);
    let answers = |places: &[usize]| places.iter().map(|&i| tried.answers()[i].clone()).collect();
    (answers(&order[..best]), answers(&order[best..]))
}

/// Answers as the best candidates do, and the others do not.
struct Learnt<'a> {
    best: &'a [Vec<Answer>],
    others: &'a [Vec<Answer>],
    stream: Stream,
}

impl Guide for Learnt<'_> {
    fn answer(&mut self, question: &Question<'_>) -> f64 {
        let density = |candidates: &[Vec<Answer>]| {
            let same = |answer: &&Answer| answer.name == question.name;
            let places: Vec<f64> = candidates
                .iter()
                .filter_map(|answers| answers.iter().find(same))
                .map(|a| a.coordinate)
                .collect();
            match question.count.filter(|_| !question.ordered) {
                Some(categories) => Parzen::of_categories(&places, categories),
                None => Parzen::of_numbers(places),
            }
        };
        let (best, others) = (density(self.best), density(self.others));
        let mut stream = self.stream.named(question.name);
        let mut chosen = (0.0, f64::NEG_INFINITY);
        for _ in 0..DRAWS {
            let place = best.sample(&mut stream);
            let gain = best.ln_density(place) - others.ln_density(place);
            if gain > chosen.1 {
                chosen = (place, gain);
            }
        }
        chosen.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::Random;
    use super::*;
    use crate::model_selection::search::space::Grid;

    /// The loss that a candidate says itself, worked out by the function that draws.
    fn known() -> Space<f64> {
        let mut space = Space::of(0.0);
        space.push(Grid::new().vary(|_, draw| {
            let rate = draw.log_uniform("rate", 1e-5, 1.0);
            let off = (rate.log10() + 2.3).powi(2);
            let units = draw.integer("units", 1..=100) as f64;
            let shape = (units / 100.0 - 0.3).powi(2) * 4.0;
            match draw.choice("optimizer", ["sgd", "adam", "rms_prop"]) {
                "sgd" => off + shape + 0.5 + (draw.uniform("momentum", 0.0, 1.0) - 0.9).powi(2),
                "adam" => off + shape + (draw.uniform("decay", 0.0, 1.0) - 0.2).powi(2),
                // What fails is never a good candidate.
                _ => f64::NAN,
            }
        }));
        space
    }

    /// The losses of a whole search.
    fn losses(strategy: &impl Strategy, space: &Space<f64>) -> Vec<f64> {
        let (mut losses, mut answers) = (Vec::new(), Vec::new());
        loop {
            let round = strategy.next_round(space, &Tried::of(&losses, &answers)).unwrap();
            if round.is_empty() {
                return losses;
            }
            for candidate in round {
                losses.push(candidate.estimator);
                answers.push(candidate.answers);
            }
        }
    }

    fn best(losses: &[f64]) -> f64 {
        losses.iter().copied().fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn it_finds_better_candidates_than_chance_on_most_seeds() {
        for parallel in [1, 4] {
            let mut gains = Vec::new();
            for seed in 0..50 {
                let learnt = best(&losses(&Tpe::new(60, seed).parallel(parallel), &known()));
                let chance = best(&losses(&Random::new(60, seed), &known()));
                gains.push(chance.ln() - learnt.ln());
            }
            let wins = gains.iter().filter(|gain| **gain > 0.0).count();
            let mean = gains.iter().sum::<f64>() / 50.0;
            let deviation = (gains.iter().map(|gain| (gain - mean).powi(2)).sum::<f64>() / 49.0).sqrt();
            let t = mean / (deviation / 50.0_f64.sqrt());
            // A fair coin gives 37 heads of 50 or more once in 2000 times; t has 49 degrees of freedom.
            assert!(wins >= 37 && t > 4.0, "{parallel} at a time: {wins} wins, t = {t}");
        }
    }

    #[test]
    fn what_fails_is_avoided() {
        let failures = |losses: &[f64]| losses.iter().filter(|loss| loss.is_nan()).count();
        let (mut learnt, mut chance) = (0, 0);
        for seed in 0..20 {
            learnt += failures(&losses(&Tpe::new(60, seed), &known())[10..]);
            chance += failures(&losses(&Random::new(60, seed), &known())[10..]);
        }
        assert!(2 * learnt < chance, "{learnt} failures, by chance {chance}");
        let all = vec![f64::NAN; 10];
        let startup = Tpe::new(20, 1).next_round(&known(), &Tried::nothing()).unwrap();
        let answers: Vec<_> = startup.into_iter().map(|candidate| candidate.answers).collect();
        assert_eq!(Tpe::new(20, 1).next_round(&known(), &Tried::of(&all, &answers)).unwrap().len(), 1);
    }

    #[test]
    fn suggestions_depend_on_the_seed_and_the_table_alone() {
        let with = |seed, parallel| losses(&Tpe::new(30, seed).parallel(parallel), &known());
        let bits = |losses: Vec<f64>| losses.into_iter().map(f64::to_bits).collect::<Vec<_>>();
        assert_eq!(bits(with(3, 4)), bits(with(3, 4)));
        assert_ne!(bits(with(3, 4)), bits(with(4, 4)));
        // It begins as chance does.
        assert_eq!(bits(with(3, 1))[..10], bits(losses(&Random::new(10, 3), &known())));
        assert_eq!(with(3, 7).len(), 30);
    }

    #[test]
    fn no_candidate_is_suggested_twice_and_a_small_space_ends() {
        let mut space = Space::of(0.0);
        space.push(Grid::new().axis("a", [1.0, 2.0, 3.0, 4.0], |p: f64, v| p + v).axis(
            "b",
            [0.1, 0.2, 0.3],
            |p, v| p + v,
        ));
        let mut all = losses(&Tpe::new(50, 0).n_startup(3), &space);
        all.sort_by(f64::total_cmp);
        all.dedup();
        assert_eq!(all.len(), 12);
    }

    #[test]
    fn misuse_is_an_error() {
        let error = |tpe: Tpe| tpe.next_round(&known(), &Tried::nothing()).unwrap_err().to_string();
        assert_eq!(error(Tpe::new(0, 0)), "n_candidates must be at least 1, but is 0");
        assert_eq!(error(Tpe::new(9, 0).n_startup(0)), "n_startup must be at least 1, but is 0");
        assert_eq!(error(Tpe::new(9, 0).parallel(0)), "parallel must be at least 1, but is 0");
        assert_eq!(Tpe::new(4, 0).next_round(&known(), &Tried::nothing()).unwrap().len(), 4);
    }
}
