//! Results through serde: what was measured is written, what follows from it is worked out again.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{FitRow, ParamValue, Params, ScorerInfo, SearchResults};

/// The results as they stand in files.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    scorers: Vec<ScorerInfo>,
    /// The parameters of each candidate.
    candidates: Vec<Vec<Named>>,
    fits: Vec<FitRow>,
    /// The number of candidates that the search was asked for.
    #[serde(default)]
    asked: Option<usize>,
}

/// A parameter. Its text is not always that of the value alone: it shows what tells the values of an axis apart.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
    value: Value,
    text: String,
}

impl Serialize for SearchResults {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = |(name, value): (&str, &ParamValue)| Named {
            name: name.into(),
            value: value.json().clone(),
            text: value.text().into(),
        };
        let of = |params: &Params| params.iter().map(named).collect();
        let saved = Saved {
            scorers: self.scorers.clone(),
            candidates: self.candidates.iter().map(|candidate| of(&candidate.params)).collect(),
            fits: self.rows.clone(),
            asked: self.asked,
        };
        saved.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SearchResults {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Saved { scorers, candidates, mut fits, asked } = Saved::deserialize(deserializer)?;
        if scorers.is_empty() || candidates.is_empty() {
            return Err(D::Error::custom("results have a scorer and a candidate at least"));
        }
        for (place, row) in fits.iter().enumerate() {
            let of_scorers = |scores: &Vec<f64>| scores.len() == scorers.len();
            let fits_in = row.candidate < candidates.len()
                && of_scorers(&row.test_scores)
                && row.train_scores.as_ref().is_none_or(of_scorers);
            if !fits_in {
                let problem = format!("row {place} has another candidate or other scores than the results");
                return Err(D::Error::custom(problem));
            }
        }
        fits.sort_by_key(|row| (row.candidate, row.rung, row.fold, row.replicate));
        let read = |params: Vec<Named>| {
            let values =
                params.into_iter().map(|Named { name, value, text }| (name, ParamValue::read(text, value)));
            values.fold(Params::default(), |params, (name, value)| params.with(&name, value))
        };
        let params = candidates.into_iter().map(read).collect();
        Ok(SearchResults::new(scorers, params, fits).asked(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::super::summary::tests::example;
    use super::*;

    #[test]
    fn results_read_back_are_the_results_written() {
        let results = example().asked(Some(9));
        let text = serde_json::to_string(&results).unwrap();
        let read: SearchResults = serde_json::from_str(&text).unwrap();
        // NaN is not equal to itself: the texts are compared.
        assert_eq!(format!("{read:?}"), format!("{results:?}"));
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }

    #[test]
    fn rows_that_do_not_fit_are_refused() {
        let whole = serde_json::to_value(example()).unwrap();
        let spoils: [fn(&mut Value); 5] = [
            |json| json["scorers"] = serde_json::json!([]),
            |json| json["candidates"] = serde_json::json!([]),
            |json| json["fits"][0]["candidate"] = 99.into(),
            |json| json["fits"][0]["test_scores"] = serde_json::json!([0.5]),
            |json| json["fits"][0]["train_scores"] = serde_json::json!([]),
        ];
        for (place, spoil) in spoils.iter().enumerate() {
            let mut json = whole.clone();
            spoil(&mut json);
            assert!(serde_json::from_value::<SearchResults>(json).is_err(), "{place}");
        }
        assert!(serde_json::from_value::<SearchResults>(whole).is_ok());
    }
}
