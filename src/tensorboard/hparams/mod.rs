//! The HParams table: one row for every candidate of a search, one column for every hyper-parameter and metric.
//!
//! A search is a directory. The [`Experiment`] is written once at its root; every fit is a *session* in a directory of its
//! own, and sessions with the same group name share a row, in which TensorBoard shows the mean of their metrics.
//! So the folds of a cross-validation are sessions of one group:
//!
//! ```text
//! root/                          Experiment::summary
//! root/c000/fold0/               Experiment::session_start, group "c000"; session_end
//! root/c000/fold0/validation/    the scalar epoch_accuracy: Metric::new("epoch_accuracy").group("validation")
//! root/c000/fold1/               …
//! ```
//!
//! The metric of a session is the last point of its curve.
//!
//! # Examples
//!
//! ```
//! use linfa_mlp::tensorboard::hparams::{Experiment, HParam, Metric, Status, session_end};
//! use linfa_mlp::tensorboard::{EventWriter, Summary};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let logs = tempfile::tempdir()?;
//! # let (root, now) = (logs.path(), 1.7e9);
//! let search = Experiment::new()
//!     .hparam(HParam::one_of("units", [16, 64]))
//!     .hparam(HParam::between("learning_rate", 1e-4, 1e-1))
//!     .metric(Metric::new("epoch_accuracy").group("validation").display_name("accuracy"));
//! EventWriter::create(root)?.write(0, now, search.summary(now))?;
//!
//! let mut session = EventWriter::create(&root.join("c000/fold0"))?;
//! session.write(0, now, search.session_start("c000", now, [("units", 16.into()), ("learning_rate", 0.01.into())])?)?;
//! let mut validation = EventWriter::create(&root.join("c000/fold0/validation"))?;
//! validation.write(0, now, Summary::scalar("epoch_accuracy", 0.93))?;
//! session.write(0, now, session_end(Status::Success, now + 1.0))?;
//! session.flush()?;
//! validation.flush()?;
//!
//! assert!(search.session_start("c001", now, [("momentum", 0.9.into())]).is_err());
//! # Ok(())
//! # }
//! ```

mod column;
mod value;

use std::collections::BTreeMap;

use prost::Message;
use thiserror::Error;

use super::message::{
    self, HParamsData, HParamsPluginData, SessionEnd, SessionStart, SessionStatus, Variant,
};
use super::summary::Summary;

pub use column::{HParam, Metric};
pub use value::{HParamKind, HParamValue};

const PLUGIN: &str = "hparams";
const EXPERIMENT_TAG: &str = "_hparams_/experiment";
const SESSION_START_TAG: &str = "_hparams_/session_start_info";
const SESSION_END_TAG: &str = "_hparams_/session_end_info";

/// Why a session does not fit the table.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HParamError {
    /// TensorBoard would not show it.
    #[error("the experiment has no hyper-parameter `{name}`")]
    Undeclared {
        /// The name in the session.
        name: String,
    },
    /// TensorBoard could not sort the column.
    #[error("hyper-parameter `{name}` must be a {expected}, but is a {found}")]
    Kind {
        /// The hyper-parameter.
        name: String,
        /// Its kind in the experiment.
        expected: HParamKind,
        /// The kind of its value in the session.
        found: HParamKind,
    },
}

/// A search as TensorBoard shows it: the columns of the table.
///
/// See the [module](self) for where its summaries belong.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Experiment {
    hparams: Vec<HParam>,
    metrics: Vec<Metric>,
    description: String,
}

impl Experiment {
    /// An experiment without columns.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a hyper-parameter.
    #[must_use]
    pub fn hparam(mut self, hparam: HParam) -> Self {
        self.hparams.push(hparam);
        self
    }

    /// Adds a metric.
    #[must_use]
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metrics.push(metric);
        self
    }

    /// A description in Markdown.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// The summary for the root of the search; `created` in seconds since 1970.
    pub fn summary(&self, created: f64) -> Summary {
        let experiment = message::Experiment {
            description: self.description.clone(),
            time_created_secs: created,
            hparam_infos: self.hparams.iter().map(HParam::info).collect(),
            metric_infos: self.metrics.iter().map(Metric::info).collect(),
        };
        summary(EXPERIMENT_TAG, HParamsData::Experiment(experiment))
    }

    /// The first summary of a session: the row it belongs to, when it started (seconds since 1970), and the values of its
    /// hyper-parameters. The cells of those that are missing stay empty.
    ///
    /// # Errors
    ///
    /// - [`HParamError::Undeclared`]: a name is not among the experiment's.
    /// - [`HParamError::Kind`]: a value is not of the declared kind. Where texts are declared, every value is one.
    pub fn session_start<N: AsRef<str>>(
        &self,
        group: &str,
        started: f64,
        values: impl IntoIterator<Item = (N, HParamValue)>,
    ) -> Result<Summary, HParamError> {
        let hparams = values
            .into_iter()
            .map(|(name, value)| self.cell(name.as_ref(), value))
            .collect::<Result<BTreeMap<_, _>, _>>()?;
        let session = SessionStart { hparams, group_name: group.to_owned(), start_time_secs: started };
        Ok(summary(SESSION_START_TAG, HParamsData::SessionStart(session)))
    }

    fn cell(&self, name: &str, value: HParamValue) -> Result<(String, Variant), HParamError> {
        let Some(hparam) = self.hparams.iter().find(|hparam| hparam.name == name) else {
            return Err(HParamError::Undeclared { name: name.to_owned() });
        };
        let value = match (hparam.kind, value.kind()) {
            (expected, found) if expected == found => value,
            (HParamKind::Text, _) => value.into_text(),
            (expected, found) => return Err(HParamError::Kind { name: name.to_owned(), expected, found }),
        };
        Ok((name.to_owned(), value.into_variant()))
    }
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// It ran to its end.
    Success,
    /// It failed or diverged.
    Failure,
}

/// The last summary of a session; `ended` in seconds since 1970. A session without it is shown as unfinished.
pub fn session_end(status: Status, ended: f64) -> Summary {
    let status = match status {
        Status::Success => SessionStatus::Success,
        Status::Failure => SessionStatus::Failure,
    };
    let session = SessionEnd { status: status.into(), end_time_secs: ended };
    summary(SESSION_END_TAG, HParamsData::SessionEnd(session))
}

fn summary(tag: &str, data: HParamsData) -> Summary {
    Summary::metadata_only(tag, PLUGIN, HParamsPluginData { data: Some(data) }.encode_to_vec())
}

#[cfg(test)]
mod tests {
    use super::super::message::{HParamDomain, HParamType, Interval, Kind, List, MetricName};
    use super::*;

    fn data(summary: &Summary) -> HParamsData {
        let content = &summary.plugin_data().expect("a plugin").content;
        HParamsPluginData::decode(&content[..]).unwrap().data.expect("data")
    }

    fn search() -> Experiment {
        Experiment::new()
            .description("a **search**")
            .hparam(HParam::one_of("units", [16, 64]).display_name("hidden units").description("width"))
            .hparam(HParam::between("learning_rate", 1e-4, 1e-1))
            .hparam(HParam::any("nesterov", HParamKind::Flag))
            .hparam(HParam::one_of::<HParamValue>("depth", [3.into(), "none".into()]))
            .metric(Metric::new("epoch_accuracy").group("validation").display_name("accuracy"))
    }

    #[test]
    fn an_experiment_declares_its_columns() {
        let summary = search().summary(12.5);
        assert_eq!((summary.tag(), summary.plugin()), ("_hparams_/experiment", "hparams"));
        let HParamsData::Experiment(experiment) = data(&summary) else { panic!("not an experiment") };
        assert_eq!((experiment.time_created_secs, &*experiment.description), (12.5, "a **search**"));

        let units = &experiment.hparam_infos[0];
        let number = |value| Variant { kind: Some(Kind::Number(value)) };
        assert_eq!(
            (&*units.name, &*units.display_name, &*units.description),
            ("units", "hidden units", "width")
        );
        assert_eq!((units.kind(), units.differs), (HParamType::Float64, true));
        assert_eq!(
            units.domain,
            Some(HParamDomain::Discrete(List { values: vec![number(16.0), number(64.0)] }))
        );

        let rate = &experiment.hparam_infos[1];
        assert_eq!(rate.domain, Some(HParamDomain::Interval(Interval { min_value: 1e-4, max_value: 1e-1 })));
        let flag = &experiment.hparam_infos[2];
        assert_eq!((flag.kind(), &flag.domain), (HParamType::Bool, &None));

        let metric = &experiment.metric_infos[0];
        let name = MetricName { group: "validation".into(), tag: "epoch_accuracy".into() };
        assert_eq!((metric.name.as_ref(), &*metric.display_name), (Some(&name), "accuracy"));
    }

    #[test]
    fn a_session_holds_its_row_and_its_values() {
        let values = [("units", 16.into()), ("nesterov", true.into()), ("depth", 3.into())];
        let summary = search().session_start("c000", 7.0, values).unwrap();
        assert_eq!(summary.tag(), "_hparams_/session_start_info");
        let HParamsData::SessionStart(session) = data(&summary) else { panic!("not a session's start") };
        assert_eq!((&*session.group_name, session.start_time_secs), ("c000", 7.0));
        let kinds: Vec<_> =
            session.hparams.into_iter().map(|(name, value)| (name, value.kind.unwrap())).collect();
        let expected = [
            ("depth".to_owned(), Kind::Text("3".into())),
            ("nesterov".to_owned(), Kind::Flag(true)),
            ("units".to_owned(), Kind::Number(16.0)),
        ];
        assert_eq!(kinds, expected);

        let summary = session_end(Status::Failure, 8.0);
        assert_eq!(summary.tag(), "_hparams_/session_end_info");
        let end = SessionEnd { status: SessionStatus::Failure.into(), end_time_secs: 8.0 };
        assert_eq!(data(&summary), HParamsData::SessionEnd(end));
    }

    #[test]
    fn values_that_do_not_fit_the_table_are_errors() {
        let undeclared = search().session_start("c000", 0.0, [("momentum", 0.9.into())]);
        assert_eq!(undeclared, Err(HParamError::Undeclared { name: "momentum".into() }));
        let text = search().session_start("c000", 0.0, [("learning_rate", "auto".into())]);
        let expected = (HParamKind::Number, HParamKind::Text);
        assert!(
            matches!(&text, Err(HParamError::Kind { expected: e, found: f, .. }) if (*e, *f) == expected)
        );
        let message = "hyper-parameter `learning_rate` must be a number, but is a text";
        assert_eq!(text.unwrap_err().to_string(), message);
    }
}
