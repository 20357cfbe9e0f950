//! Columns of the table: hyper-parameters and metrics.

use super::super::message::{HParamDomain, HParamInfo, HParamType, Interval, List, MetricInfo, MetricName};
use super::value::{HParamKind, HParamValue};

/// A column of the table: a hyper-parameter and the values it may take.
#[derive(Clone, Debug, PartialEq)]
pub struct HParam {
    pub(super) name: String,
    display_name: String,
    description: String,
    pub(super) kind: HParamKind,
    domain: Option<Domain>,
}

#[derive(Clone, Debug, PartialEq)]
enum Domain {
    OneOf(Vec<HParamValue>),
    Between(f64, f64),
}

impl HParam {
    /// A hyper-parameter that takes one of `values`: TensorBoard offers each as a check box.
    ///
    /// Values that occur again are left out, and so are numbers that are not finite. Values of more than one kind, say 3
    /// and "none", all become texts, here and in every session, because TensorBoard can only sort a column of one kind.
    pub fn one_of<V: Into<HParamValue>>(
        name: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values: Vec<HParamValue> = values.into_iter().map(Into::into).collect();
        let mut kinds = values.iter().map(HParamValue::kind);
        let first = kinds.next().unwrap_or(HParamKind::Text);
        let kind = if kinds.all(|kind| kind == first) { first } else { HParamKind::Text };

        let mut distinct = Vec::new();
        for value in values {
            let value = if kind == HParamKind::Text { value.into_text() } else { value };
            // TensorBoard answers with JSON, which has no NaN; it is also never equal to itself.
            let shown = !matches!(value, HParamValue::Number(number) if !number.is_finite());
            if shown && !distinct.contains(&value) {
                distinct.push(value);
            }
        }
        Self { domain: Some(Domain::OneOf(distinct)), ..Self::any(name, kind) }
    }

    /// A number from an interval: TensorBoard offers its ends to filter by.
    pub fn between(name: impl Into<String>, min: f64, max: f64) -> Self {
        Self { domain: Some(Domain::Between(min, max)), ..Self::any(name, HParamKind::Number) }
    }

    /// A hyper-parameter of which only the kind is known.
    pub fn any(name: impl Into<String>, kind: HParamKind) -> Self {
        Self {
            name: name.into(),
            display_name: String::new(),
            description: String::new(),
            kind,
            domain: None,
        }
    }

    /// The title of the column, instead of the name.
    #[must_use]
    pub fn display_name(mut self, display_name: impl Into<String>) -> Self {
        self.display_name = display_name.into();
        self
    }

    /// A description in Markdown.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    pub(super) fn info(&self) -> HParamInfo {
        let kind = match self.kind {
            HParamKind::Number => HParamType::Float64,
            HParamKind::Text => HParamType::String,
            HParamKind::Flag => HParamType::Bool,
        };
        let domain = self.domain.clone().map(|domain| match domain {
            Domain::OneOf(values) => HParamDomain::Discrete(List {
                values: values.into_iter().map(HParamValue::into_variant).collect(),
            }),
            Domain::Between(min_value, max_value) => {
                HParamDomain::Interval(Interval { min_value, max_value })
            }
        });
        HParamInfo {
            name: self.name.clone(),
            display_name: self.display_name.clone(),
            description: self.description.clone(),
            kind: kind.into(),
            domain,
            // TensorBoard puts the columns that tell the rows apart first.
            differs: !matches!(&self.domain, Some(Domain::OneOf(values)) if values.len() < 2),
        }
    }
}

/// A column of the table: the last point of a curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    tag: String,
    group: String,
    display_name: String,
    description: String,
}

impl Metric {
    /// The curve `tag` in the session's own directory.
    pub fn new(tag: impl Into<String>) -> Self {
        Self {
            tag: tag.into(),
            group: String::new(),
            display_name: String::new(),
            description: String::new(),
        }
    }

    /// Takes the curve from this directory below the session's, say `validation`.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = group.into();
        self
    }

    /// The title of the column, instead of group and tag.
    #[must_use]
    pub fn display_name(mut self, display_name: impl Into<String>) -> Self {
        self.display_name = display_name.into();
        self
    }

    /// A description in Markdown.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    pub(super) fn info(&self) -> MetricInfo {
        MetricInfo {
            name: Some(MetricName { group: self.group.clone(), tag: self.tag.clone() }),
            display_name: self.display_name.clone(),
            description: self.description.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(hparam: &HParam) -> Vec<HParamValue> {
        match hparam.domain.clone() {
            Some(Domain::OneOf(values)) => values,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn mixed_values_become_texts_and_repeated_ones_one() {
        let mixed = HParam::one_of::<HParamValue>("depth", [3.into(), "none".into(), "3".into(), 0.5.into()]);
        assert_eq!(mixed.kind, HParamKind::Text);
        assert_eq!(domain(&mixed), ["3".into(), "none".into(), "0.5".into()]);
        let numbers = HParam::one_of("alpha", [f64::NAN, 0.1, f64::INFINITY, 0.1]);
        assert_eq!((numbers.kind, domain(&numbers)), (HParamKind::Number, vec![0.1.into()]));
        assert!(!numbers.info().differs);
    }
}
