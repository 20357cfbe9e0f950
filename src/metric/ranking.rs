//! The scores of all rows in order: the state behind ROC-AUC and average precision.
//!
//! Both ask how rows of a class stand against the rest when a threshold goes down through the scores. Rows of equal
//! score cross it together, so ties are exact.
//!
//! State: the number of truths and of scores in a row, then for each row its weight, truths and scores. Two classes
//! are one truth and the score of class 1; more are the class index and all scores; labels are a truth and a score
//! each.

use super::Batch;
use super::average::{Average, by_weight, mean};
use crate::float::Float;

const HEADER: usize = 2;

/// Adds the rows of a batch.
pub(super) fn update<F: Float>(state: &mut Vec<f64>, batch: &Batch<'_, F>) {
    let labels = batch.task().has_labels();
    let binary = !labels && batch.n_classes() == 2;
    let n_truths = if labels { batch.n_outputs } else { 1 };
    let n_scores = if binary { 1 } else { batch.n_outputs };
    if state.is_empty() {
        state.extend([n_truths as f64, n_scores as f64]);
    }
    state.reserve(batch.rows() * (1 + n_truths + n_scores));
    for (row, weight) in batch.weighted_rows() {
        state.push(weight);
        if labels {
            state.extend((0..n_truths).map(|label| f64::from(u8::from(batch.label(row, label)))));
        } else {
            state.push(batch.class(row) as f64);
        }
        if binary {
            // The output that is not looked at can be NaN too.
            state.push(if batch.is_nan(row) { f64::NAN } else { batch.score(row, 1) });
        } else {
            state.extend((0..n_scores).map(|column| batch.output(row, column)));
        }
    }
}

/// One row as one class against the rest sees it.
#[derive(Clone, Copy)]
struct Scored {
    score: f64,
    positive: bool,
    weight: f64,
}

/// Weights of the rows that cross the threshold together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Step {
    /// Of the class.
    pub(super) positives: f64,
    /// Of the rest.
    pub(super) negatives: f64,
}

/// A figure of the steps, from the highest score down, averaged over classes; NaN without rows or with a NaN score.
pub(super) fn value(state: &[f64], average: Average, figure: fn(&[Step]) -> f64) -> f64 {
    let Some((&[n_truths, n_scores], rows)) = state.split_first_chunk::<HEADER>() else { return f64::NAN };
    let (n_truths, n_scores) = (n_truths as usize, n_scores as usize);
    let row_len = 1 + n_truths + n_scores;
    if rows.is_empty()
        || rows.chunks_exact(row_len).any(|row| row[1 + n_truths..].iter().any(|score| score.is_nan()))
    {
        return f64::NAN;
    }
    let scored = |column: usize| {
        rows.chunks_exact(row_len).map(move |row| Scored {
            weight: row[0],
            positive: if n_truths == n_scores { row[1 + column] > 0.5 } else { row[1] as usize == column },
            score: row[1 + n_truths + column],
        })
    };
    if n_scores == 1 || average == Average::Micro {
        return figure(&steps((0..n_scores).flat_map(scored).collect()));
    }
    let figures: Vec<(f64, f64)> = (0..n_scores)
        .map(|column| {
            let steps = steps(scored(column).collect());
            (figure(&steps), steps.iter().map(|step| step.positives).sum())
        })
        .collect();
    match average {
        Average::Weighted => by_weight(figures.into_iter()),
        _ => mean(figures.into_iter().map(|(figure, _)| (figure, 1.0))),
    }
}

fn steps(mut rows: Vec<Scored>) -> Vec<Step> {
    // Scores are not NaN here; −0 and 0 are equal, as total_cmp would not have it.
    rows.sort_by(|a, b| b.score.partial_cmp(&a.score).unwrap_or(std::cmp::Ordering::Equal));
    let tied = rows.chunk_by(|before, after| after.score >= before.score);
    tied.map(|rows| {
        let weight = |positive| -> f64 {
            rows.iter().filter(|row| row.positive == positive).map(|row| row.weight).sum()
        };
        Step { positives: weight(true), negatives: weight(false) }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(positives: f64, negatives: f64) -> Step {
        Step { positives, negatives }
    }

    #[test]
    fn equal_scores_make_one_step() {
        let row = |score, positive, weight| Scored { score, positive, weight };
        let rows =
            vec![row(0.0, true, 1.0), row(0.7, true, 2.0), row(-0.0, false, 3.0), row(0.7, false, 4.0)];
        assert_eq!(steps(rows), [step(2.0, 4.0), step(1.0, 3.0)]);
    }

    #[test]
    fn classes_stand_against_the_rest_and_labels_alone() {
        let positives = |steps: &[Step]| steps.iter().map(|step| step.positives).sum();
        let (targets, outputs) = ([1.0, 1.0, 0.0], [0.5, 0.3, 0.2]);
        let mut state = Vec::new();
        // As one-hot the row is of class 0 only: positives 1, 0, 0.
        update(&mut state, &Batch::new(&targets, 3, &outputs, 3));
        assert!((value(&state, Average::Macro, positives) - 1.0 / 3.0).abs() < 1e-15);
        state.clear();
        update(&mut state, &Batch::new(&targets, 3, &outputs, 3).multilabel());
        assert!((value(&state, Average::Macro, positives) - 2.0 / 3.0).abs() < 1e-15);
        assert!((value(&state, Average::Micro, positives) - 2.0).abs() < 1e-15);
    }
}
