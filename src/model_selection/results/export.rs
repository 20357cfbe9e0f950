//! Results as CSV and JSON.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::SearchResults;
use crate::error::Result;

impl SearchResults {
    /// Writes one line for each candidate.
    ///
    /// The columns, in this order: `candidate`, the parameters, then for each scorer `split0_test_…` and so on,
    /// `mean_test_…`, `std_test_…`, `rank_test_…` and, when asked for, the same of `train`; `mean_fit_seconds`,
    /// `std_fit_seconds`, `mean_score_seconds`, `std_score_seconds`, `failed`, `diverged`, `stopped`, `rung`, `resource`. With
    /// several replicates the columns of fold 0 are `split0_seed0_test_…`, `split0_seed1_test_…`. Numbers are written so that
    /// they read back exactly.
    ///
    /// # Errors
    ///
    /// The writer's own.
    pub fn to_csv(&self, mut writer: impl Write) -> io::Result<()> {
        let splits: BTreeSet<(usize, usize)> =
            self.rows.iter().map(|row| (row.fold, row.replicate)).collect();
        let replicated = splits.iter().any(|(_, replicate)| *replicate > 0);
        let names: Vec<String> = splits
            .iter()
            .map(|(fold, replicate)| match replicated {
                true => format!("split{fold}_seed{replicate}"),
                false => format!("split{fold}"),
            })
            .collect();
        let with_train = self.candidates.iter().any(|candidate| candidate.train.is_some());
        let mut heads = vec!["candidate".to_string()];
        heads.extend(self.axes.iter().cloned());
        for scorer in &self.scorers {
            let name = &scorer.name;
            heads.extend(names.iter().map(|split| format!("{split}_test_{name}")));
            heads.extend(["mean", "std", "rank"].map(|figure| format!("{figure}_test_{name}")));
            if with_train {
                heads.extend(names.iter().map(|split| format!("{split}_train_{name}")));
                heads.extend(["mean", "std"].map(|figure| format!("{figure}_train_{name}")));
            }
        }
        heads.extend(
            [
                "mean_fit_seconds",
                "std_fit_seconds",
                "mean_score_seconds",
                "std_score_seconds",
                "failed",
                "diverged",
                "stopped",
                "rung",
                "resource",
            ]
            .map(String::from),
        );
        line(&mut writer, &heads)?;
        for candidate in &self.candidates {
            let fits: Vec<_> = self.fits(candidate.candidate).collect();
            let of = |split: &(usize, usize)| fits.iter().find(|row| (row.fold, row.replicate) == *split);
            let mut cells = vec![candidate.candidate.to_string()];
            cells.extend(self.axes.iter().map(|axis| {
                candidate.params.get(axis).map_or_else(String::new, |value| match value.json() {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                })
            }));
            for (place, score) in candidate.test.iter().enumerate() {
                cells.extend(splits.iter().map(|split| number(of(split).map(|row| row.test_scores[place]))));
                cells.extend([number(Some(score.mean)), number(Some(score.std)), score.rank.to_string()]);
                if with_train {
                    cells.extend(splits.iter().map(|split| {
                        number(of(split).and_then(|row| row.train_scores.as_ref()).map(|all| all[place]))
                    }));
                    let train = candidate.train.as_ref().map(|train| train[place]);
                    cells.extend([number(train.map(|t| t.mean)), number(train.map(|t| t.std))]);
                }
            }
            let (fit, score) = (candidate.fit_seconds, candidate.score_seconds);
            cells.extend([fit.mean, fit.std, score.mean, score.std].map(|seconds| number(Some(seconds))));
            cells.extend([candidate.failed, candidate.diverged, candidate.stopped, candidate.rung].map(text));
            cells.push(candidate.resource.map_or_else(String::new, text));
            line(&mut writer, &cells)?;
        }
        writer.flush()
    }

    /// Writes one line for each fit.
    ///
    /// The columns, in this order: `candidate`, `rung`, `fold`, `replicate`, the parameters, `status`, `message`, `seed`,
    /// `resource`, `epochs`, `best_epoch`, `updates`, `n_params`, `train_rows`, `stopping_rows`, `test_rows`, `test_…` for each
    /// scorer, `train_…` when asked for, `fit_seconds`, `cpu_seconds`, `score_seconds`. What is not known is empty.
    ///
    /// # Errors
    ///
    /// The writer's own.
    pub fn fits_to_csv(&self, mut writer: impl Write) -> io::Result<()> {
        let with_train = self.rows.iter().any(|row| row.train_scores.is_some());
        let mut heads = ["candidate", "rung", "fold", "replicate"].map(String::from).to_vec();
        heads.extend(self.axes.iter().cloned());
        heads.extend(["status", "message", "seed", "resource", "epochs", "best_epoch"].map(String::from));
        heads.extend(["updates", "n_params", "train_rows", "stopping_rows", "test_rows"].map(String::from));
        heads.extend(self.scorers.iter().map(|scorer| format!("test_{}", scorer.name)));
        if with_train {
            heads.extend(self.scorers.iter().map(|scorer| format!("train_{}", scorer.name)));
        }
        heads.extend(["fit_seconds", "cpu_seconds", "score_seconds"].map(String::from));
        line(&mut writer, &heads)?;
        for row in &self.rows {
            let params = &self.candidates[row.candidate].params;
            let mut cells = [row.candidate, row.rung, row.fold, row.replicate].map(text).to_vec();
            cells.extend(
                self.axes
                    .iter()
                    .map(|axis| params.get(axis).map_or_else(String::new, |value| value.to_string())),
            );
            cells.extend([row.status.name().to_string(), row.status.message().unwrap_or_default().into()]);
            let known = |value: Option<u64>| value.map_or_else(String::new, text);
            let counted = |value: Option<usize>| value.map_or_else(String::new, text);
            cells.extend([
                known(row.seed),
                known(row.resource),
                counted(row.epochs),
                counted(row.best_epoch),
            ]);
            cells.extend([known(row.updates), counted(row.n_params)]);
            cells.extend([row.train_rows, row.stopping_rows, row.test_rows].map(text));
            cells.extend(row.test_scores.iter().map(|&score| number(Some(score))));
            if with_train {
                let scores = |place: usize| row.train_scores.as_ref().map(|scores| scores[place]);
                cells.extend((0..self.scorers.len()).map(|place| number(scores(place))));
            }
            cells.extend([Some(row.fit_seconds), row.cpu_seconds, Some(row.score_seconds)].map(number));
            line(&mut writer, &cells)?;
        }
        writer.flush()
    }

    /// Everything as one JSON object: `axes`, `scorers`, `candidates` and `fits`.
    ///
    /// Lists keep their order (axes as given, candidates in the order of the grid, fits by candidate and fold), keys are
    /// sorted. Numbers that JSON does not have are the strings `"NaN"`, `"inf"` and `"-inf"`.
    ///
    /// # Errors
    ///
    /// [`Error::Json`](crate::Error::Json), which no value of these types causes.
    pub fn to_json(&self) -> Result<Value> {
        Ok(json!({
            "axes": self.axes,
            "scorers": serde_json::to_value(&self.scorers)?,
            "candidates": serde_json::to_value(&self.candidates)?,
            "fits": serde_json::to_value(&self.rows)?,
        }))
    }
}

fn text(value: impl ToString) -> String {
    value.to_string()
}

/// The shortest text that reads back as the same number; nothing for no number.
fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:?}"))
}

fn line(writer: &mut impl Write, cells: &[String]) -> io::Result<()> {
    let quoted: Vec<String> = cells
        .iter()
        .map(|cell| {
            if cell.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell.clone()
            }
        })
        .collect();
    writeln!(writer, "{}", quoted.join(","))
}

#[cfg(test)]
mod tests {
    use super::super::summary::tests::example;

    #[test]
    fn candidates_are_lines_with_columns_in_order() {
        let mut text = Vec::new();
        example().to_csv(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "candidate,penalty,split0_test_r2,split1_test_r2,mean_test_r2,std_test_r2,rank_test_r2,\
             split0_test_loss,split1_test_loss,mean_test_loss,std_test_loss,rank_test_loss,\
             mean_fit_seconds,std_fit_seconds,mean_score_seconds,std_score_seconds,failed,diverged,stopped,rung,resource"
        );
        assert_eq!(
            lines[1],
            "0,0.1,0.5,0.75,0.625,0.125,3,-0.5,-0.75,-0.625,0.125,3,0.0,0.0,0.0,0.0,0,0,0,0,"
        );
        assert!(lines[3].starts_with("2,0.3,0.9,NaN,NaN,NaN,4,") && lines[3].ends_with(",0,1,0,0,"));
    }

    #[test]
    fn fits_are_lines_and_text_with_commas_is_quoted() {
        let mut text = Vec::new();
        example().fits_to_csv(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 9);
        assert_eq!(
            lines[0],
            "candidate,rung,fold,replicate,penalty,status,message,seed,resource,epochs,best_epoch,updates,n_params,\
             train_rows,stopping_rows,test_rows,test_r2,test_loss,fit_seconds,cpu_seconds,score_seconds"
        );
        assert_eq!(lines[6], "2,0,1,0,0.3,diverged,\"too fast, far\",,,,,,,8,0,4,NaN,NaN,0.0,,0.0");
    }

    #[test]
    fn json_has_every_row_and_no_null() {
        let json = example().to_json().unwrap();
        assert_eq!(json["fits"].as_array().map(Vec::len), Some(8));
        assert_eq!(json["candidates"][1]["test"][0]["rank"], 1);
        assert_eq!(json["candidates"][0]["params"]["penalty"], 0.1);
        assert_eq!(json["fits"][5]["test_scores"][0], "NaN");
        assert_eq!(json["fits"][5]["status"], "diverged");
    }
}
