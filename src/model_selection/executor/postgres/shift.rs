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

use super::session::{Session, chance, passes};
use super::stage::{Fit, Opened, Stage};
use super::study::locked;
use crate::error::Result;
use crate::model_selection::results::FitRow;

/// The shortest and the longest wait of a thread that has nothing to do.
const WAITS: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(5)];

/// How long a waiting thread sleeps at a time: others of its pool may need a hand.
const NAP: Duration = Duration::from_millis(2);

const IN_SLOT: &str = "SELECT id, pg_backend_pid() FROM mlp_fit \
     WHERE study = $1 AND stage = $2 AND row IS NULL AND slot = $3 AND id >= $4 AND id <> ALL($5) \
     ORDER BY id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED";

const ANYWHERE: &str = "SELECT id, pg_backend_pid() FROM mlp_fit \
     WHERE study = $1 AND stage = $2 AND row IS NULL AND id <> ALL($3) \
     ORDER BY slot, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED";

/// Whether there is one to take, without taking it.
const ANY: &str = "SELECT id, pg_backend_pid() FROM mlp_fit \
     WHERE study = $1 AND stage = $2 AND row IS NULL AND id <> ALL($3) \
     LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED";

pub(super) const THIS: &str = "SELECT id, pg_backend_pid() FROM mlp_fit \
     WHERE id = ANY($1) AND row IS NULL LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED";

/// Counts an attempt, if the lease is still held and there were not too many: attempts of other processes that have no end are
/// those of processes that died, unless it was the server that has ended since.
const ATTEMPT: &str = "WITH \
     died AS (SELECT DISTINCT worker FROM mlp_attempt \
         WHERE fit = $2 AND ended IS NULL AND worker <> $3 AND leased >= pg_postmaster_start_time()), \
     held AS (SELECT FROM pg_stat_activity WHERE pid = $4), \
     counted AS (INSERT INTO mlp_attempt (study, fit, worker, backend) \
         SELECT $1::bigint, $2::bigint, $3::text, $4::int \
         WHERE EXISTS (SELECT FROM held) AND (SELECT count(*) FROM died) < $5 RETURNING id) \
     SELECT EXISTS (SELECT FROM held), EXISTS (SELECT FROM counted), \
         (SELECT string_agg(worker, ', ' ORDER BY worker) FROM died)";

/// The attempt goes on behind another connection.
pub(super) const LEASED: &str = "UPDATE mlp_attempt SET backend = $3, leased = clock_timestamp() \
     WHERE fit = $1 AND worker = $2 AND ended IS NULL";

pub(super) const END: &str =
    "UPDATE mlp_attempt SET ended = clock_timestamp() WHERE fit = $1 AND worker = $2 AND ended IS NULL";

const WRITE: &str = "WITH attempt AS (UPDATE mlp_attempt SET ended = clock_timestamp() \
     WHERE fit = $1 AND worker = $2 AND ended IS NULL) \
     UPDATE mlp_fit SET row = $3, status = $4, scores = $5, worker = $2, finished = clock_timestamp() \
     WHERE id = $1 AND row IS NULL";

/// What comes of an attempt.
enum Attempt {
    Counted,
    /// With the reason.
    TooMany(String),
    /// The connection that held it is gone.
    LeaseLost,
}

pub(super) struct Shift<'s, 'a> {
    stage: &'s Stage<'a>,
    lease: &'s Session,
    thread: usize,
    /// The fold that this thread is in.
    held: Option<(usize, Arc<Opened<'a>>)>,
}

impl<'s, 'a> Shift<'s, 'a> {
    pub(super) fn new(stage: &'s Stage<'a>, lease: &'s Session, thread: usize) -> Self {
        Shift { stage, lease, thread, held: None }
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
            if self.may_claim()?
                && let Some(claimed) = self.claim()?
            {
                return Ok(Some(claimed));
            }
        }
        // Processes that have found nothing at the same time do not ask again at the same time.
        self.wait(wait.mul_f64(0.5 + 0.5 * chance().uniform()));
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

    /// Whether there is a fit to take, by one statement.
    fn may_claim(&self) -> Result<bool> {
        let stage = self.stage;
        if !locked(&stage.unsaved).is_empty() {
            return Ok(true);
        }
        let stop = || stage.is_over();
        let (study, number, others) = (stage.study.id, stage.number, stage.not_to_take());
        self.lease.run("cannot look for a fit in", &stop, |link| {
            Ok(!link.rows(ANY, &[&study, &number, &others])?.is_empty())
        })
    }

    /// Takes a fit: one that is finished here already, one of the fold that this process is in, or any.
    fn claim(&self) -> Result<Option<(i64, i32)>> {
        let stage = self.stage;
        let unsaved: Vec<i64> = locked(&stage.unsaved).keys().copied().collect();
        let own = self.held.as_ref().map(|(place, _)| stage.slot(*place));
        let slot = own.unwrap_or_else(|| stage.current.load(Ordering::Relaxed));
        let (study, number, others) = (stage.study.id, stage.number, stage.not_to_take());
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
            for from in [stage.somewhere_in(slot), 0] {
                if found.is_empty() {
                    found = link.rows(IN_SLOT, &[&study, &number, &slot, &from, &others])?;
                }
            }
            if found.is_empty() {
                found = link.rows(ANYWHERE, &[&study, &number, &others])?;
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
        let Some(fit) = stage.fits.get(&id) else {
            // Another process wants it, and has said so after this one came.
            locked(&stage.foreign).push(id);
            self.lease.rest();
            return Ok(());
        };
        stage.is_at(self.thread, Some(id));
        let done = self.attempt_fit(id, fit, backend);
        stage.is_at(self.thread, None);
        done
    }

    fn attempt_fit(&mut self, id: i64, fit: &Fit, backend: i32) -> Result<()> {
        let stage = self.stage;
        match self.attempt(id, backend)? {
            Attempt::Counted => {}
            Attempt::TooMany(why) => return self.write(id, stage.work.given_up(fit.tasks[0], why)),
            Attempt::LeaseLost => {
                self.lease.rest();
                return Ok(());
            }
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
    fn attempt(&self, id: i64, backend: i32) -> Result<Attempt> {
        let study = self.stage.study;
        let most = i64::try_from(study.max_attempts).unwrap_or(i64::MAX);
        let worker = &study.server.worker;
        let stop = || self.stage.is_over();
        study.control.run("cannot count an attempt in", &stop, |link| {
            let found = link.rows(ATTEMPT, &[&study.id, &id, worker, &backend, &most])?;
            let (held, counted, workers) =
                (found[0].get(0), found[0].get(1), found[0].get::<_, Option<String>>(2));
            Ok(match (held, counted) {
                (_, true) => Attempt::Counted,
                (true, false) => Attempt::TooMany(format!(
                    "given up after {most} attempts that never ended, by {}",
                    workers.unwrap_or_default()
                )),
                (false, false) => Attempt::LeaseLost,
            })
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
            not_written => {
                // Whatever happens to this thread, another one may write it.
                locked(&stage.unsaved).insert(id, row);
                self.end(id);
                stage.doubt();
                match not_written {
                    Err(error) if !passes(&error) => {
                        Err(study.server.error("cannot write a row into", error))
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}
