//! Numbers that JSON does not have, as text; in binary formats they are what they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number that is written as `"NaN"`, `"inf"` or `"-inf"` when JSON has no number for it.
#[derive(Clone, Copy)]
pub(crate) struct Number(pub f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() || !serializer.is_human_readable() {
            serializer.serialize_f64(self.0)
        } else {
            serializer.collect_str(&self.0)
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(f64),
    Text(String),
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return f64::deserialize(deserializer).map(Number);
        }
        match NumberOrText::deserialize(deserializer)? {
            NumberOrText::Number(number) => Ok(Number(number)),
            NumberOrText::Text(text) => text.parse().map(Number).map_err(de::Error::custom),
        }
    }
}

/// For `#[serde(serialize_with)]` on a number.
pub(crate) fn single<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    Number(*value).serialize(serializer)
}

/// For `#[serde(deserialize_with)]` on a number.
pub(crate) fn read_single<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Number::deserialize(deserializer).map(|number| number.0)
}

/// For `#[serde(with)]` on a list of numbers.
pub(crate) mod list {
    use super::*;

    pub fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().copied().map(Number))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let numbers = Vec::<Number>::deserialize(deserializer)?;
        Ok(numbers.into_iter().map(|number| number.0).collect())
    }
}

/// For `#[serde(with)]` on a list of numbers that may be missing.
pub(crate) mod option_list {
    use super::*;

    pub fn serialize<S: Serializer>(values: &Option<Vec<f64>>, serializer: S) -> Result<S::Ok, S::Error> {
        let numbers: Option<Vec<Number>> =
            values.as_ref().map(|values| values.iter().copied().map(Number).collect());
        numbers.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<f64>>, D::Error> {
        let numbers = Option::<Vec<Number>>::deserialize(deserializer)?;
        Ok(numbers.map(|numbers| numbers.into_iter().map(|number| number.0).collect()))
    }
}

/// For `#[serde(with)]` on lists of numbers by name.
pub(crate) mod lists {
    use super::*;

    pub fn serialize<S: Serializer>(
        lists: &BTreeMap<String, Vec<f64>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let numbers = |values: &Vec<f64>| values.iter().copied().map(Number).collect::<Vec<_>>();
        serializer.collect_map(lists.iter().map(|(name, values)| (name, numbers(values))))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, Vec<f64>>, D::Error> {
        let lists = BTreeMap::<String, Vec<Number>>::deserialize(deserializer)?;
        let plain = |numbers: Vec<Number>| numbers.into_iter().map(|number| number.0).collect();
        Ok(lists.into_iter().map(|(name, numbers)| (name, plain(numbers))).collect())
    }
}

/// For `#[serde(with)]` on columns of numbers.
pub(crate) mod columns {
    use super::*;

    pub fn serialize<S: Serializer>(columns: &[Vec<f64>], serializer: S) -> Result<S::Ok, S::Error> {
        let numbers = |values: &Vec<f64>| values.iter().copied().map(Number).collect::<Vec<_>>();
        serializer.collect_seq(columns.iter().map(numbers))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<f64>>, D::Error> {
        let columns = Vec::<Vec<Number>>::deserialize(deserializer)?;
        Ok(columns.into_iter().map(|column| column.into_iter().map(|number| number.0).collect()).collect())
    }
}
