//! What one thread does in a stage: it takes a fit, does it and writes its row, until there is nothing left.
//!
//! ```text
//! the thread's own connection                             the process' control connection
//! BEGIN
//! SELECT … FOR NO KEY UPDATE SKIP LOCKED LIMIT 1          the lock is the lease: it ends with the connection
//!                                                         INSERT INTO mlp_attempt …   counted whatever happens next
//! … the fit …                                             heartbeats on the lease, states of survivors
//! UPDATE … WHERE row IS NULL; COMMIT
//! ```

use std::sync::atomic::Ordering;
use std::sync::{Arc, TryLockError};
use std::time::{Duration, Instant};

use super::session::{Session, passes};
use super::stage::{Opened, Stage};
use super::study::locked;
use crate::error::Result;
use crate::model_selection::results::FitRow;

/// The shortest and the longest wait of a thread that has nothing to do.
const WAITS: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];

/// How long a waiting thread sleeps at a time: others of its pool may need a hand.
const NAP: Duration = Duration::from_millis(2);

const IN_SLOT: &str = "SELECT id, pg_backend_pid() FROM mlp_fit \
     WHERE study = $1 AND stage = $2 AND row IS NULL AND slot = $3 AND id <> ALL($4) \
     ORDER BY id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED";

const ANYWHERE: &str = "SELECT id, pg_backend_pid() FROM mlp_fit \
     WHERE study = $1 AND stage = $2 AND row IS NULL AND id <> ALL($3) \
     ORDER BY slot, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED";

const THIS: &str = "SELECT id, pg_backend_pid() FROM mlp_fit \
     WHERE id = ANY($1) AND row IS NULL LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED";

/// Attempts of other processes that have no end are those of processes that died.
const ATTEMPT: &str = "INSERT INTO mlp_attempt (study, fit, worker, backend) SELECT $1::bigint, $2::bigint, $3::text, $4::int \
     WHERE (SELECT count(*) FROM mlp_attempt WHERE fit = $2 AND ended IS NULL AND worker <> $3) < $5";

const END: &str =
    "UPDATE mlp_attempt SET ended = clock_timestamp() WHERE fit = $1 AND worker = $2 AND ended IS NULL";

const WRITE: &str = "WITH attempt AS (UPDATE mlp_attempt SET ended = clock_timestamp() \
     WHERE fit = $1 AND worker = $2 AND ended IS NULL) \
     UPDATE mlp_fit SET row = $3, status = $4, scores = $5, worker = $2, finished = clock_timestamp() \
     WHERE id = $1 AND row IS NULL";

pub(super) struct Shift<'s, 'a> {
    stage: &'s Stage<'a>,
    lease: &'s Session,
    /// The fold that this thread is in.
    held: Option<(usize, Arc<Opened<'a>>)>,
}

impl<'s, 'a> Shift<'s, 'a> {
    pub(super) fn new(stage: &'s Stage<'a>, lease: &'s Session) -> Self {
        Shift { stage, lease, held: None }
    }

    /// Does fits until all of the stage have their rows.
    pub(super) fn work(&mut self) -> Result<()> {
        let stage = self.stage;
        while !stage.is_over() {
            if let Some((id, backend)) = self.claim()? {
                self.attend(id, backend)?;
                continue;
            }
            // Everything is done or under way.
            self.held = None;
            let mut wait = WAITS[0];
            while !stage.is_over() {
                if let Some((id, backend)) = self.ask(wait)? {
                    self.attend(id, backend)?;
                    break;
                }
                wait = (2 * wait).min(WAITS[1]);
            }
        }
        Ok(())
    }

    /// Waits; if no other thread of the process does, it looks for rows of others first, and for fits that have become free.
    fn ask(&self, wait: Duration) -> Result<Option<(i64, i32)>> {
        let asking = self.stage.asking.try_lock();
        if !matches!(asking, Err(TryLockError::WouldBlock)) {
            self.stage.look(true)?;
            if let Some(claimed) = self.claim()? {
                return Ok(Some(claimed));
            }
        }
        self.wait(wait);
        Ok(None)
    }

    /// Waits, and lends its hands to the other threads of the pool.
    fn wait(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end && !self.stage.is_over() {
            if rayon::yield_now() != Some(rayon::Yield::Executed) {
                std::thread::sleep(NAP);
            }
        }
    }

    /// Takes a fit: one that is finished here already, one of the fold that this process is in, or any.
    fn claim(&self) -> Result<Option<(i64, i32)>> {
        let stage = self.stage;
        let unsaved: Vec<i64> = locked(&stage.unsaved).keys().copied().collect();
        let own = self.held.as_ref().map(|(place, _)| stage.slot(*place));
        let slot = own.unwrap_or_else(|| stage.current.load(Ordering::Relaxed));
        let (study, number) = (stage.study.id, stage.number);
        let stop = || stage.is_over();
        self.lease.run("cannot take a fit from", &stop, |link| {
            if !link.in_transaction {
                link.say("BEGIN")?;
                link.in_transaction = true;
            }
            let mut found = Vec::new();
            if !unsaved.is_empty() {
                found = link.rows(THIS, &[&unsaved])?;
            }
            if found.is_empty() {
                found = link.rows(IN_SLOT, &[&study, &number, &slot, &stage.foreign])?;
            }
            if found.is_empty() {
                found = link.rows(ANYWHERE, &[&study, &number, &stage.foreign])?;
            }
            if found.is_empty() {
                link.say("ROLLBACK")?;
                link.in_transaction = false;
            }
            Ok(found.first().map(|row| (row.get(0), row.get(1))))
        })
    }

    /// Does a fit that this thread has the lease of.
    fn attend(&mut self, id: i64, backend: i32) -> Result<()> {
        let stage = self.stage;
        let finished = locked(&stage.unsaved).get(&id).cloned();
        if let Some(row) = finished {
            return self.write(id, row);
        }
        let fit = &stage.fits[&id];
        if let Some(why) = self.attempt(id, backend)? {
            return self.write(id, stage.work.given_up(fit.tasks[0], why));
        }
        if self.held.as_ref().is_none_or(|(place, _)| *place != fit.place) {
            // The memory of one fold is freed before the next takes its own.
            self.held = None;
            self.held = Some((fit.place, stage.opened(fit.place)));
            stage.current.store(stage.slot(fit.place), Ordering::Relaxed);
        }
        let Some((place, opened)) = &self.held else { return Ok(()) };
        let row = stage.fold(opened, *place).fit(fit.tasks[0]);
        if stage.work.counts(&row) {
            return self.write(id, row);
        }
        // Somebody else may do it: this attempt has an end, and the fit is free.
        self.end(id);
        self.lease.rest();
        stage.deliver(id, row)
    }

    /// Counts the attempt, or says why there shall be none.
    fn attempt(&self, id: i64, backend: i32) -> Result<Option<String>> {
        let study = self.stage.study;
        let most = i64::try_from(study.max_attempts).unwrap_or(i64::MAX);
        let worker = &study.server.worker;
        let stop = || self.stage.is_over();
        study.control.run("cannot count an attempt in", &stop, |link| {
            if link.change(ATTEMPT, &[&study.id, &id, worker, &backend, &most])? == 1 {
                return Ok(None);
            }
            let sql = "SELECT count(*), string_agg(worker, ', ' ORDER BY id) FROM mlp_attempt \
                       WHERE fit = $1 AND ended IS NULL AND worker <> $2";
            let found = link.rows(sql, &[&id, worker])?;
            let (count, workers) = (found[0].get::<_, i64>(0), found[0].get::<_, Option<String>>(1));
            let workers = workers.unwrap_or_default();
            Ok(Some(format!("given up after {count} attempts that never ended, by {workers}")))
        })
    }

    /// The attempt of a fit that is not written has ended all the same, if the server can be told.
    fn end(&self, id: i64) {
        let study = self.stage.study;
        let _ = study.control.once(|link| link.change(END, &[&id, &study.server.worker]));
    }

    /// Writes a row and lets go of the lease. A row whose lease was lost is kept until it is known who has written one.
    fn write(&self, id: i64, row: FitRow) -> Result<()> {
        let stage = self.stage;
        let study = stage.study;
        let text = serde_json::to_string(&row)?;
        let written = self.lease.once(|link| {
            if !link.in_transaction {
                // The connection is a new one: the lease went with the old.
                return Ok(false);
            }
            let status = row.status.name();
            let scores = &row.test_scores;
            let changed = link.change(WRITE, &[&id, &study.server.worker, &text, &status, scores])?;
            link.say("COMMIT AND CHAIN")?;
            Ok(changed == 1)
        });
        match written {
            Ok(true) => stage.deliver(id, row),
            Err(error) if !passes(&error) => Err(study.server.error("cannot write a row into", error)),
            Ok(false) | Err(_) => {
                locked(&stage.unsaved).insert(id, row);
                self.end(id);
                Ok(())
            }
        }
    }
}
