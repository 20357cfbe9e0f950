//! The settings of a layer, none of which is left out.

use serde_json::{Map, Value};

use crate::error::{Error, Result, check};

/// A JSON object whose keys are asked for one after the other; what was not asked for is an error.
pub(super) struct Settings {
    place: String,
    left: Map<String, Value>,
}

impl Settings {
    /// Of an object.
    pub(super) fn of(place: impl Into<String>, value: Value) -> Result<Self> {
        let place = place.into();
        match value {
            Value::Object(left) => Ok(Settings { place, left }),
            other => Err(Error::parameter(place, brief(&other), "a JSON object")),
        }
    }

    /// Of a text of a file's metadata.
    pub(super) fn of_text(place: &str, text: &str) -> Result<Value> {
        serde_json::from_str(text).map_err(|error| Error::Format {
            kind: "safetensors",
            problem: format!("its metadata {place}: {error}"),
        })
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// A value; null where there is none.
    pub(super) fn take(&mut self, key: &str) -> Value {
        self.left.remove(key).unwrap_or(Value::Null)
    }

    /// Whether a value is there, and is null.
    pub(super) fn is_null(&self, key: &str) -> bool {
        self.left.get(key).is_some_and(Value::is_null)
    }

    /// A text that has to be there.
    pub(super) fn text(&mut self, key: &str) -> Result<String> {
        match self.take(key) {
            Value::String(text) => Ok(text),
            other => Err(self.wrong(key, &other, "a text")),
        }
    }

    /// A number, or its default.
    pub(super) fn number(&mut self, key: &str, default: f64) -> Result<f64> {
        match self.take(key) {
            Value::Null => Ok(default),
            other => other.as_f64().ok_or_else(|| self.wrong(key, &other, "a number")),
        }
    }

    /// A yes or no, or its default.
    pub(super) fn flag(&mut self, key: &str, default: bool) -> Result<bool> {
        match self.take(key) {
            Value::Null => Ok(default),
            other => other.as_bool().ok_or_else(|| self.wrong(key, &other, "true or false")),
        }
    }

    /// Takes settings that change nothing here.
    pub(super) fn without(&mut self, keys: &[&str]) -> &mut Self {
        for key in keys {
            self.left.remove(*key);
        }
        self
    }

    /// Checks that a setting has the only value that is known here, or is missing.
    pub(super) fn only(&mut self, key: &str, known: &Value) -> Result<()> {
        let found = self.take(key);
        let same =
            found.is_null() || found == *known || found.as_f64().is_some_and(|n| Some(n) == known.as_f64());
        check(&self.path(key), brief(&found), same, &brief(known))
    }

    /// What is left, without nulls.
    pub(super) fn rest(mut self) -> Value {
        self.left.retain(|_, value| !value.is_null());
        Value::Object(self.left)
    }

    /// Checks that nothing is left.
    pub(super) fn finish(self) -> Result<()> {
        match self.left.iter().find(|(_, value)| !value.is_null()) {
            Some((key, value)) => Err(self.wrong(key, value, "unset: it is not known here")),
            None => Ok(()),
        }
    }

    /// The error of a value.
    pub(super) fn wrong(&self, key: &str, found: &Value, allowed: &str) -> Error {
        Error::parameter(self.path(key), brief(found), allowed)
    }

    fn path(&self, key: &str) -> String {
        format!("{}: {key}", self.place)
    }
}

/// A value in few characters.
pub(super) fn brief(value: &Value) -> String {
    let text = match value {
        Value::Null => "missing".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
