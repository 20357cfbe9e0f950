//! A study that this process has joined: its rows and states, and the stages that are run of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rayon::ThreadPool;

use super::session::{Server, Session, is_away};
use super::stage::Stage;
use crate::error::{Error, Result};
use crate::model_selection::executor::{Executor, FitStore, Work};
use crate::model_selection::journal::{Digest, StateOf, Study, TaskKey};
use crate::model_selection::results::FitRow;

/// The lock's value. Nothing panics while it is held.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs this on a thread of its own: the client refuses to wait on one that drives asynchronous tasks, as the caller's may.
pub(super) fn apart<R: Send>(run: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| {
        scope.spawn(run).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Fits that failed are open again, and nobody's attempts at them count.
const FREE: &str = "WITH free AS (UPDATE mlp_fit \
     SET row = NULL, status = NULL, scores = NULL, worker = NULL, finished = NULL \
     WHERE study = $1 AND status = 'failed' RETURNING id) \
     UPDATE mlp_attempt SET ended = clock_timestamp() \
     WHERE ended IS NULL AND fit IN (SELECT id FROM free)";

/// How a process takes part in a study.
pub(super) struct Terms {
    pub pool: Option<Arc<ThreadPool>>,
    pub max_attempts: usize,
    pub retry_failed: bool,
}

/// A study of the database, joined.
#[derive(Debug)]
pub(super) struct JoinedStudy {
    pub server: Arc<Server>,
    pub id: i64,
    pub pool: Option<Arc<ThreadPool>>,
    pub max_attempts: usize,
    /// For everything but leases: what is said here is kept at once.
    pub control: Session,
    /// The connections that hold the leases, one for each thread.
    leases: Mutex<Vec<Arc<Session>>>,
    /// The finished fits that are known.
    rows: Mutex<BTreeMap<String, FitRow>>,
    /// How many there were at the beginning.
    found: usize,
    /// Every process runs the same works in the same order, so that their number is the same everywhere.
    stage: AtomicI32,
}

impl JoinedStudy {
    /// Joins the study of that name, and begins it when there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Database`], and [`Error::OtherSharedStudy`] when the name is taken.
    pub(super) fn join(
        server: Arc<Server>,
        name: &str,
        study: &Study,
        Terms { pool, max_attempts, retry_failed }: Terms,
    ) -> Result<Self> {
        let control = Session::new(&server);
        let identity = serde_json::to_string(study)?;
        let (id, there) = control.run("cannot join a study in", &|| false, |link| {
            let sql = "INSERT INTO mlp_study (name, identity, created_by) VALUES ($1, $2::text::json, $3) \
                       ON CONFLICT (name) DO NOTHING";
            link.change(sql, &[&name, &identity, &server.worker])?;
            let found = link.rows("SELECT id, identity::text FROM mlp_study WHERE name = $1", &[&name])?;
            Ok(found.first().map(|row| (row.get::<_, i64>(0), row.get::<_, String>(1))))
        })?
        .ok_or_else(|| gone(&server))?;
        let there: Study = serde_json::from_str(&there).map_err(|_| {
            Error::parameter(
                format!("identity of the study {name:?} in {server}"),
                "unreadable",
                "what this version of linfa-mlp has written; use another name",
            )
        })?;
        if let Some((what, there, here)) = study.difference(&there) {
            let (study, database) = (name.to_string(), server.to_string());
            return Err(Error::OtherSharedStudy { study, database, what, there, search: here });
        }
        if retry_failed {
            control.run("cannot free the failed fits in", &|| false, |link| link.change(FREE, &[&id]))?;
        }
        let mut rows = BTreeMap::new();
        let mut last = i64::MIN;
        loop {
            let sql = "SELECT id, key, row FROM mlp_fit \
                       WHERE study = $1 AND row IS NOT NULL AND id > $2 ORDER BY id LIMIT 1000";
            let found =
                control.run("cannot read the rows in", &|| false, |link| link.rows(sql, &[&id, &last]))?;
            let Some(end) = found.last() else { break };
            last = end.get(0);
            for row in &found {
                rows.insert(row.get::<_, String>(1), row_of(&server, row.get(2))?);
            }
        }
        Ok(JoinedStudy {
            id,
            pool,
            max_attempts,
            control,
            leases: Mutex::default(),
            found: rows.len(),
            rows: Mutex::new(rows),
            stage: AtomicI32::new(0),
            server,
        })
    }

    /// The connection of a thread.
    pub(super) fn lease(&self, thread: usize) -> Arc<Session> {
        let mut leases = locked(&self.leases);
        while leases.len() <= thread {
            leases.push(Arc::new(Session::new(&self.server)));
        }
        Arc::clone(&leases[thread])
    }

    /// All of them.
    pub(super) fn leases(&self) -> Vec<Arc<Session>> {
        locked(&self.leases).clone()
    }

    /// Keeps a row in mind, for a later stage that has the same fit.
    pub(super) fn learn(&self, key: &str, row: &FitRow) {
        locked(&self.rows).insert(key.to_string(), row.clone());
    }
}

/// A row as it was written.
pub(super) fn row_of(server: &Server, text: &str) -> Result<FitRow> {
    serde_json::from_str(text).map_err(|source| Error::Database {
        action: "cannot read a row in",
        database: server.to_string(),
        source: Box::new(source),
    })
}

/// The error of a study that somebody has removed.
pub(super) fn gone(server: &Server) -> Error {
    let source = "somebody has removed it".into();
    Error::Database { action: "cannot go on with a study in", database: server.to_string(), source }
}

/// The error of a row that cannot be of its fit.
pub(super) fn misfit(server: &Server) -> Error {
    let source = "it has another number of rows or scores than its fit".into();
    Error::Database { action: "cannot use a row in", database: server.to_string(), source }
}

impl FitStore for JoinedStudy {
    fn row(&self, task: &TaskKey, could_be: &dyn Fn(&FitRow) -> bool) -> Result<Option<FitRow>> {
        let rows = locked(&self.rows);
        let Some(row) = rows.get(&serde_json::to_string(task)?) else { return Ok(None) };
        if could_be(row) { Ok(Some(row.clone())) } else { Err(misfit(&self.server)) }
    }

    fn store_state(&self, of: StateOf, bytes: &[u8]) {
        let StateOf { candidate, fold, replicate, goal, .. } = of;
        let Ok(goal) = serde_json::to_string(&goal) else { return };
        let candidate = candidate.to_string();
        // A state saves time and nothing else.
        let _ = self.control.try_run("cannot keep a state in", |link| {
            let sql = "INSERT INTO mlp_state (study, candidate, fold, replicate, goal, bytes) \
                       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
            link.change(sql, &[&self.id, &candidate, &int(fold), &int(replicate), &goal, &bytes])
        });
    }

    fn load_state(&self, of: StateOf) -> Option<Vec<u8>> {
        let StateOf { candidate, fold, replicate, goal, .. } = of;
        let goal = serde_json::to_string(&goal).ok()?;
        let candidate = candidate.to_string();
        let found = self.control.try_run("cannot read a state in", |link| {
            let sql = "SELECT bytes FROM mlp_state \
                       WHERE study = $1 AND candidate = $2 AND fold = $3 AND replicate = $4 AND goal = $5";
            link.rows(sql, &[&self.id, &candidate, &int(fold), &int(replicate), &goal])
        });
        found.ok()?.first().map(|row| row.get(0))
    }

    /// States of other candidates are those of processes that are further on.
    fn keep_states(&self, _: Option<usize>, _: &[Digest], dropped: &[Digest]) {
        let dropped: Vec<String> = dropped.iter().map(ToString::to_string).collect();
        let _ = apart(|| {
            self.control.try_run("cannot remove states in", |link| {
                let sql = "DELETE FROM mlp_state WHERE study = $1 AND candidate = ANY($2)";
                link.change(sql, &[&self.id, &dropped])
            })
        });
    }

    fn note(&self) -> Option<String> {
        (self.found > 0).then(|| format!("{} rows of the study were in {}", self.found, self.server))
    }
}

/// A count as the tables have it.
pub(super) fn int(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

impl Executor for JoinedStudy {
    fn threads(&self) -> usize {
        self.pool.as_ref().map_or_else(rayon::current_num_threads, |pool| pool.current_num_threads())
    }

    fn execute(&self, work: &dyn Work, done: &(dyn Fn(FitRow) + Sync)) -> Result<()> {
        let number = self.stage.fetch_add(1, Ordering::Relaxed);
        match Stage::open(self, number, work, done) {
            Ok(Some(stage)) => stage.run(),
            Ok(None) => Ok(()),
            // The server may be the reason why somebody stops the search.
            Err(error) if work.is_stopped() && is_away(&error) => {
                for fold in work.folds() {
                    let open = work.open(&fold);
                    fold.tasks.iter().for_each(|&task| done(open.fit(task)));
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

impl Drop for JoinedStudy {
    /// Closing a connection waits for it: see [`apart`].
    fn drop(&mut self) {
        let leases = locked(&self.leases);
        let links: Vec<_> =
            leases.iter().map(Arc::as_ref).chain([&self.control]).map(Session::take).collect();
        apart(|| drop(links));
    }
}
