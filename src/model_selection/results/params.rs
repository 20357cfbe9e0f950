//! The parameters of a candidate, printable and as JSON.

use std::any::Any;
use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::table::significant;

/// One parameter's value: its JSON form, and a short text for tables.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamValue {
    text: String,
    json: Value,
}

impl ParamValue {
    /// A value under a label of one's own.
    #[must_use]
    pub fn labelled(label: impl Into<String>) -> Self {
        let text = label.into();
        ParamValue { json: Value::String(text.clone()), text }
    }

    /// The forms of the values of one axis.
    ///
    /// A value with a `name` and settings, such as an optimizer, is shown by its name and by those settings that tell it
    /// from another value of the axis.
    pub(crate) fn of_axis<V: Serialize + 'static>(values: &[V]) -> serde_json::Result<Vec<Self>> {
        let forms: Vec<Value> = values.iter().map(json).collect::<serde_json::Result<_>>()?;
        Ok(forms.iter().map(|form| ParamValue { text: brief(form, &forms), json: form.clone() }).collect())
    }

    /// The forms of a value that was drawn; numbers have four significant digits in the text.
    pub(crate) fn of_drawn<V: Serialize + 'static>(value: &V) -> serde_json::Result<Self> {
        let json = json(value)?;
        let text = match &json {
            Value::Number(number) if number.is_f64() => significant(number.as_f64().unwrap_or(f64::NAN), 4),
            other => brief(other, &[]),
        };
        Ok(ParamValue { text, json })
    }

    /// The short text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The JSON form.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// A value that was written down with its text.
    pub(super) fn read(text: String, json: Value) -> Self {
        ParamValue { text, json }
    }

    /// The value as a number, when it is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        self.json.as_f64()
    }
}

/// JSON without the two traps of numbers: an `f32` keeps its short decimal form, and infinity or NaN are text, not null.
fn json<V: Serialize + 'static>(value: &V) -> serde_json::Result<Value> {
    let any: &dyn Any = value;
    let float = match (any.downcast_ref::<f32>(), any.downcast_ref::<f64>()) {
        (Some(single), _) => Some((single.to_string(), single.is_finite())),
        (_, Some(double)) => Some((double.to_string(), double.is_finite())),
        _ => None,
    };
    match float {
        Some((text, false)) => Ok(Value::String(text)),
        Some((text, true)) if any.is::<f32>() => serde_json::from_str::<f64>(&text).map(Value::from),
        _ => serde_json::to_value(value),
    }
}

fn brief(form: &Value, others: &[Value]) -> String {
    match form {
        Value::String(text) => text.clone(),
        Value::Null => "none".into(),
        Value::Number(number) => match number.as_f64() {
            Some(value) if number.is_f64() => format!("{value:?}"),
            _ => number.to_string(),
        },
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| brief(item, &[])).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let name = map.get("name").and_then(Value::as_str);
            let rivals: Vec<_> = others
                .iter()
                .filter_map(Value::as_object)
                .filter(|other| name.is_some() && other.get("name").and_then(Value::as_str) == name)
                .collect();
            let settings: Vec<String> = map
                .iter()
                .filter(|(key, value)| {
                    let tells_apart = rivals.iter().any(|rival| rival.get(*key) != Some(value));
                    *key != "name" && (name.is_none() || tells_apart)
                })
                .map(|(key, value)| format!("{key}={}", brief(value, &[])))
                .collect();
            match (name, settings.is_empty()) {
                (Some(name), true) => name.into(),
                (name, _) => format!("{}({})", name.unwrap_or_default(), settings.join(", ")),
            }
        }
        Value::Bool(value) => value.to_string(),
    }
}

impl fmt::Display for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// The parameters of a candidate, in the order of the axes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params(Vec<(String, ParamValue)>);

impl Params {
    pub(crate) fn with(mut self, name: &str, value: ParamValue) -> Self {
        self.push(name, value);
        self
    }

    pub(crate) fn push(&mut self, name: &str, value: ParamValue) {
        self.0.push((name.into(), value));
    }

    /// The value of a parameter, if the candidate has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ParamValue> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Names and values, in the order of the axes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ParamValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The number of parameters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `optimizer=adam, hidden=[32, 64]`
impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, value)) in self.0.iter().enumerate() {
            write!(f, "{}{name}={value}", if place == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// As a map from names to JSON forms.
impl Serialize for Params {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, &value.json)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn texts<V: Serialize + 'static>(values: &[V]) -> Vec<String> {
        ParamValue::of_axis(values).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn values_are_shown_as_they_are_typed() {
        assert_eq!(texts(&[0.01, 1.0, 1e-7]), ["0.01", "1.0", "1e-7"]);
        assert_eq!(texts(&[0.1_f32]), ["0.1"]);
        assert_eq!(texts(&[32_usize]), ["32"]);
        assert_eq!(texts(&["gini"]), ["gini"]);
        assert_eq!(texts(&[vec![32, 64]]), ["[32, 64]"]);
        assert_eq!(texts(&[Some(3), None]), ["3", "none"]);
        assert_eq!(texts(&[true]), ["true"]);
        assert_eq!(texts(&[f64::INFINITY]), ["inf"]);
        assert_eq!(texts(&[(1, "a")]), ["[1, a]"]);
    }

    #[test]
    fn parts_are_shown_by_what_tells_them_apart() {
        let adam = |rate: f64| json!({"name": "adam", "learning_rate": rate, "beta_1": 0.9});
        let sgd = json!({"name": "sgd", "learning_rate": 0.01});
        assert_eq!(texts(&[adam(0.001), sgd.clone()]), ["adam", "sgd"]);
        assert_eq!(
            texts(&[adam(0.001), adam(0.1), sgd]),
            ["adam(learning_rate=0.001)", "adam(learning_rate=0.1)", "sgd"]
        );
    }

    #[test]
    fn params_keep_the_order_of_the_axes() {
        let params = Params::default()
            .with("b", ParamValue::labelled("x"))
            .with("a", ParamValue::of_axis(&[2.5]).unwrap().remove(0));
        assert_eq!(params.to_string(), "b=x, a=2.5");
        assert_eq!(params.get("a").and_then(ParamValue::number), Some(2.5));
        assert_eq!(serde_json::to_string(&params).unwrap(), r#"{"b":"x","a":2.5}"#);
    }
}
