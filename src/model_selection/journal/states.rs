//! Unfinished training beside a journal: where the survivors of a rung go on from after a restart.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::digest::{Digest, Digester};
use super::identity::Study;
use crate::model_selection::fit::continue_rows::Goal;
use crate::persistence;

/// A folder with a file for each fit that may go on, named by the study, the candidate's content, fold, replicate and how far it
/// has come.
///
/// The files save time and nothing else: what is missing or damaged is trained again, to the same bytes. So what goes wrong
/// with them stops no search.
#[derive(Debug)]
pub(super) struct States {
    folder: PathBuf,
    study: Digest,
}

/// The folder beside a journal.
pub(super) fn folder_of(journal: &Path) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(".states");
    name.into()
}

/// The fit whose state it is: what a store knows unfinished training by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StateOf {
    /// The candidate's content.
    pub candidate: Digest,
    /// The fold, from 0.
    pub fold: usize,
    /// The replicate with a seed of its own, from 0.
    pub replicate: usize,
    /// The outer fold of a search inside a cross-validation.
    pub outer: Option<usize>,
    /// How far it has come.
    pub goal: Goal,
}

impl States {
    pub(super) fn beside(journal: &Path, study: &Study) -> Self {
        let mut digester = Digester::new();
        digester.text(serde_json::to_string(study).unwrap_or_default());
        States { folder: folder_of(journal), study: digester.digest() }
    }

    fn path(&self, of: StateOf) -> PathBuf {
        let StateOf { candidate, fold, replicate, outer, goal } = of;
        let unit = if matches!(goal, Goal::Epochs { .. }) { 'e' } else { 'u' };
        let scope = self.scope(outer);
        self.folder.join(format!("{scope}-{candidate}-{fold}-{replicate}-{unit}{}", goal.now()))
    }

    /// How the names of the files of a search begin: those of a search in an outer fold are its own.
    fn scope(&self, outer: Option<usize>) -> String {
        outer.map_or_else(|| self.study.to_string(), |outer| format!("{}-outer{outer}", self.study))
    }

    pub(super) fn store(&self, of: StateOf, bytes: &[u8]) {
        if fs::create_dir_all(&self.folder).is_ok() {
            let _ = persistence::write_atomically(self.path(of), bytes);
        }
    }

    pub(super) fn load(&self, of: StateOf) -> Option<Vec<u8>> {
        fs::read(self.path(of)).ok()
    }

    /// Removes the states of this search but those of these candidates, and the folder when it is empty.
    pub(super) fn keep(&self, outer: Option<usize>, candidates: &[Digest]) {
        let Ok(files) = fs::read_dir(&self.folder) else { return };
        let scope = self.scope(outer);
        let kept: Vec<String> = candidates.iter().map(|candidate| format!("{scope}-{candidate}-")).collect();
        for file in files.flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            let is_ours = name.starts_with(&format!("{scope}-"));
            if is_ours && !kept.iter().any(|kept| name.starts_with(kept)) {
                let _ = fs::remove_file(file.path());
            }
        }
        let _ = fs::remove_dir(&self.folder);
    }
}
