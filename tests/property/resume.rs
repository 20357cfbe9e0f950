//! A run that is paused, cloned, saved and read back ends at the same bytes as one that goes straight through.

use linfa::prelude::*;
use linfa::{Dataset, DatasetBase};
use linfa_mlp::callback::{Callback, Callbacks, View};
use linfa_mlp::error::Result;
use linfa_mlp::optimizer::Lbfgs;
use linfa_mlp::part::{self, Configured};
use linfa_mlp::train::{Run, Status, Until};
use linfa_mlp::{Float, MlpClassifier, MlpRegressor};
use ndarray::Axis;
use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::setting::{Setting, Task, cases, settings};

/// A user's callback that counts how often it is told of each moment: what is told twice shows in the bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Tally {
    told: [u64; 5],
}

impl Configured for Tally {
    const NAME: &'static str = "tally";
}

impl Callback for Tally {
    fn on_train_begin(&mut self, _view: &mut View<'_>) -> Result<()> {
        self.told[0] += 1;
        Ok(())
    }
    fn on_epoch_begin(&mut self, _view: &mut View<'_>) -> Result<()> {
        self.told[1] += 1;
        Ok(())
    }
    fn on_batch_end(&mut self, _view: &mut View<'_>) -> Result<()> {
        self.told[2] += 1;
        Ok(())
    }
    fn on_epoch_end(&mut self, view: &mut View<'_>) -> Result<()> {
        self.told[3] += 1;
        view.scale_learning_rate(0.9)
    }
    fn on_train_end(&mut self, _view: &mut View<'_>) -> Result<()> {
        self.told[4] += 1;
        Ok(())
    }
}

/// What happens to a run at a pause.
#[derive(Clone, Copy, Debug)]
enum Pause {
    Kept,
    Cloned,
    Saved,
}

/// Pauses: a place as a share of all updates, and what happens there.
fn pauses() -> impl Strategy<Value = Vec<(f64, Pause)>> {
    let pause = prop_oneof![Just(Pause::Kept), Just(Pause::Cloned), Just(Pause::Saved)];
    vec((0.0..1.0_f64, pause), 1..5).prop_map(|mut pauses: Vec<(f64, Pause)>| {
        pauses.sort_by(|a, b| a.0.total_cmp(&b.0));
        pauses
    })
}

const EPOCHS: usize = 5;

fn a_paused_run_equals_the_straight_one<F: Float>(
    setting: &Setting,
    pauses: &[(f64, Pause)],
) -> std::result::Result<(), TestCaseError> {
    let arrays = setting.arrays::<F>();
    let data = arrays.data(setting.n_training);
    let mut plan = setting.plan();
    plan.callbacks.push(Tally::default().into());
    let mut straight = Run::<F>::new(plan.clone(), setting.n_features).expect("a legal plan");
    let mut run = straight.clone();
    prop_assert_eq!(straight.advance(&data, Until::epochs(EPOCHS)).expect("trains"), Status::Finished);
    for &(share, pause) in pauses {
        let steps = (share * setting.steps(EPOCHS) as f64) as u64;
        let status = run.advance(&data, Until::epochs(EPOCHS).steps(steps)).expect("trains");
        prop_assert!(status == Status::Finished || run.steps() >= steps);
        run = match pause {
            Pause::Kept => run,
            Pause::Cloned => {
                let copy = run.clone();
                // The run that was cloned goes its own way and touches nothing of the copy.
                run.advance(&data, Until::epochs(EPOCHS + 1)).expect("trains");
                copy
            }
            Pause::Saved => {
                let bytes = run.to_bytes().expect("can be written");
                let read = Run::<F>::from_bytes(&bytes).expect("can be read");
                prop_assert!(read.to_bytes().expect("can be written") == bytes, "another file after reading");
                read
            }
        };
    }
    prop_assert_eq!(run.advance(&data, Until::epochs(EPOCHS)).expect("trains"), Status::Finished);
    prop_assert_eq!(run.history(), straight.history());
    prop_assert_eq!(run.steps(), straight.steps());
    prop_assert!(run.to_bytes().unwrap() == straight.to_bytes().unwrap(), "the bytes differ");
    prop_assert_eq!(
        run.result().predict(arrays.x.view()).unwrap(),
        straight.result().predict(arrays.x.view()).unwrap()
    );
    Ok(())
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn a_run_paused_anywhere_goes_on_to_the_same_bytes(setting in settings(), pauses in pauses()) {
        part::register::<Callbacks, Tally>().expect("the name is free");
        a_paused_run_equals_the_straight_one::<f64>(&setting, &pauses)?;
        a_paused_run_equals_the_straight_one::<f32>(&setting, &pauses)?;
    }

    #[test]
    fn a_search_over_all_rows_paused_anywhere_goes_on_to_the_same_bytes(
        setting in settings(), pauses in pauses(), memory in 1..4_usize,
    ) {
        part::register::<Callbacks, Tally>().expect("the name is free");
        let optimizer = Lbfgs::default().memory(memory).gradient_tolerance(1e-2).into();
        let hidden = setting.hidden.iter().map(|&(units, activation, _)| (units, activation, None)).collect();
        let setting = Setting { optimizer, hidden, batch_size: usize::MAX, ..setting };
        a_paused_run_equals_the_straight_one::<f64>(&setting, &pauses)?;
        a_paused_run_equals_the_straight_one::<f32>(&setting, &pauses)?;
    }

    #[test]
    fn every_update_is_a_place_to_pause(setting in settings()) {
        part::register::<Callbacks, Tally>().expect("the name is free");
        let setting = Setting { n_training: setting.n_training.min(9), batch_size: 4, ..setting };
        let all: Vec<_> = (0..=setting.steps(EPOCHS))
            .map(|step| ((step as f64 + 0.5) / setting.steps(EPOCHS) as f64, Pause::Saved))
            .collect();
        a_paused_run_equals_the_straight_one::<f32>(&setting, &all)?;
    }

    #[test]
    fn a_classifier_fitted_in_parts_equals_one_fitted_in_one_go(
        setting in settings(), parts in vec(1..4_usize, 1..4), split in prop_oneof![Just(0.0), 0.05..0.85],
    ) {
        let n_classes = match setting.task { Task::Classes(n) => n, _ => 2 };
        let setting = Setting {
            task: Task::Classes(n_classes), early_stopping: false, n_training: setting.n_training.max(9), ..setting
        };
        let arrays = setting.arrays::<f64>();
        let labels = ndarray::Array1::from_shape_fn(setting.n_rows(), |row| format!("class {}", row % n_classes));
        let dataset = DatasetBase::new(arrays.x.view(), labels);
        let dataset = match arrays.weights.clone() {
            Some(weights) => dataset.with_weights(weights),
            None => dataset,
        };
        let params = |epochs| MlpClassifier::params()
            .network(setting.hidden()).optimizer(setting.optimizer.clone()).batch_size(setting.batch_size)
            .shuffle(setting.shuffle).seed(setting.seed).validation_split(split).epochs(epochs);
        let mut model = None;
        let mut done = 0;
        for epochs in parts {
            done += epochs;
            let fitted = params(done).check().unwrap().fit_with(model, &dataset).expect("trains");
            let bytes = fitted.to_bytes().expect("can be written");
            let straight = params(done).fit(&dataset).expect("trains");
            prop_assert!(bytes == straight.to_bytes().unwrap(), "the bytes differ after {done} epochs");
            prop_assert_eq!(fitted.history(), straight.history());
            model = Some(MlpClassifier::from_bytes(&bytes).expect("can be read"));
        }
    }

    #[test]
    fn a_regressor_fitted_in_parts_equals_one_fitted_in_one_go(
        setting in settings(), parts in vec(1..4_usize, 1..4), split in prop_oneof![Just(0.0), 0.05..0.85],
    ) {
        let width = match setting.task { Task::Values(m) => m, _ => 1 };
        let setting = Setting {
            task: Task::Values(width), early_stopping: false, n_training: setting.n_training.max(9), ..setting
        };
        let arrays = setting.arrays::<f32>();
        let params = |epochs| MlpRegressor::params()
            .network(setting.hidden()).optimizer(setting.optimizer.clone()).batch_size(setting.batch_size)
            .shuffle(setting.shuffle).seed(setting.seed).validation_split(split).epochs(epochs);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("model.mlp");
        if width == 1 {
            let dataset = Dataset::new(arrays.x.clone(), arrays.y.index_axis(Axis(1), 0).to_owned());
            let mut model = None;
            let mut done = 0;
            for epochs in parts {
                done += epochs;
                let fitted = params(done).check().unwrap().fit_with(model, &dataset).expect("trains");
                fitted.save(&path).expect("can be written");
                let straight = params(done).fit(&dataset).expect("trains");
                prop_assert!(fitted.to_bytes().unwrap() == straight.to_bytes().unwrap(), "the bytes differ");
                model = Some(MlpRegressor::load(&path).expect("can be read"));
            }
        } else {
            let dataset = Dataset::new(arrays.x.clone(), arrays.y.clone());
            let mut model = None;
            let mut done = 0;
            for epochs in parts {
                done += epochs;
                let fitted = params(done).check().unwrap().fit_with(model, &dataset).expect("trains");
                fitted.save(&path).expect("can be written");
                let straight = params(done).fit(&dataset).expect("trains");
                prop_assert!(fitted.to_bytes().unwrap() == straight.to_bytes().unwrap(), "the bytes differ");
                model = Some(MlpRegressor::load(&path).expect("can be read"));
            }
        }
    }
}
