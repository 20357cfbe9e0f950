//! A stage of a study: the fits of one rung, done by all processes together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::{Duration, Instant, SystemTime};

use super::session::{Link, passes};
use super::shift::Shift;
use super::study::{JoinedStudy, apart, int, locked, misfit, row_of};
use crate::error::{Error, Result};
use crate::model_selection::executor::{FoldTasks, OpenFold, Work};
use crate::model_selection::observer::Task;
use crate::model_selection::results::FitRow;

/// How often rows of others are looked for while this process is at work.
const LOOK: Duration = Duration::from_secs(1);

/// A row may be seen this much later than its time says.
const LATE: Duration = Duration::from_secs(10);

/// A fit of the stage.
pub(super) struct Fit {
    pub key: String,
    /// Its fold's place in the work.
    pub place: usize,
    /// Candidates may be the same under several numbers.
    pub tasks: Vec<Task>,
}

/// An open fold that several threads use.
pub(super) type Opened<'a> = OnceLock<Box<dyn OpenFold + 'a>>;

/// The fits of one work, as this process sees them.
pub(super) struct Stage<'a> {
    pub study: &'a JoinedStudy,
    pub number: i32,
    pub work: &'a dyn Work,
    done: &'a (dyn Fn(FitRow) + Sync),
    folds: Vec<FoldTasks>,
    pub fits: BTreeMap<i64, Fit>,
    /// Fits that others want and this process does not, because it may spend less.
    pub foreign: Vec<i64>,
    /// The slot that this process is in.
    pub current: AtomicI64,
    opened: Mutex<Vec<Weak<Opened<'a>>>>,
    delivered: Mutex<BTreeSet<i64>>,
    left: AtomicUsize,
    seen: Mutex<Seen>,
    /// Rows of fits whose lease was lost before they were written.
    pub unsaved: Mutex<BTreeMap<i64, FitRow>>,
    /// Held by the one thread that asks for work while there is none.
    pub asking: Mutex<()>,
    ended: AtomicBool,
    problem: Mutex<Option<Error>>,
}

/// How far the rows of others were read.
struct Seen {
    until: SystemTime,
    whole: Instant,
}

/// Ends a stage when whoever holds it panics, which an observer may: the others would wait for ever.
struct EndsByPanic<'e>(&'e AtomicBool);

impl Drop for EndsByPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Release);
        }
    }
}

/// Folds with the same rows and preprocessing have the same slot in every process.
pub(super) fn slot_of(fold: &FoldTasks) -> i64 {
    let part = |number: usize| i64::try_from(number).unwrap_or(i64::MAX >> 20);
    (part(fold.fold) << 20) | part(fold.prefix)
}

impl<'a> Stage<'a> {
    /// Puts the fits of a work into the database, but for those that are there. None for a work without fits.
    pub(super) fn open(
        study: &'a JoinedStudy,
        number: i32,
        work: &'a dyn Work,
        done: &'a (dyn Fn(FitRow) + Sync),
    ) -> Result<Option<Self>> {
        let folds = work.folds();
        let mut by_key: BTreeMap<String, Fit> = BTreeMap::new();
        let mut order = Vec::new();
        for (place, fold) in folds.iter().enumerate() {
            for &task in &fold.tasks {
                let Some(key) = work.key(task) else {
                    let allowed = "one of this process for a search that has joined no study";
                    return Err(Error::parameter("executor", "a database", allowed));
                };
                let text = serde_json::to_string(&key)?;
                let fit = by_key.entry(text.clone()).or_insert_with(|| {
                    order.push((text.clone(), key));
                    Fit { key: text, place, tasks: Vec::new() }
                });
                fit.tasks.push(task);
            }
        }
        if by_key.is_empty() {
            return Ok(None);
        }
        let stop = || work.is_stopped();
        let read = || -> Result<BTreeMap<String, i64>> {
            let found = study.control.run("cannot read the fits in", &stop, |link| {
                let sql = "SELECT key, id FROM mlp_fit WHERE study = $1 AND stage = $2";
                link.rows(sql, &[&study.id, &number])
            })?;
            Ok(found.iter().map(|row| (row.get(0), row.get(1))).collect())
        };
        let ids = apart(|| -> Result<_> {
            let there = read()?;
            if order.iter().all(|(text, _)| there.contains_key(text)) {
                return Ok(there);
            }
            let of = |(text, _): &(String, _)| &by_key[text];
            let slots: Vec<i64> = order.iter().map(|one| slot_of(&folds[of(one).place])).collect();
            let keys: Vec<&String> = order.iter().map(|(text, _)| text).collect();
            let candidates: Vec<String> = order.iter().map(|(_, key)| key.candidate.to_string()).collect();
            let in_fold: Vec<i32> = order.iter().map(|(_, key)| int(key.fold)).collect();
            let replicates: Vec<i32> = order.iter().map(|(_, key)| int(key.replicate)).collect();
            let resource = |key: &crate::model_selection::journal::TaskKey| {
                key.resource.map(|resource| i64::try_from(resource).unwrap_or(i64::MAX))
            };
            let resources: Vec<Option<i64>> = order.iter().map(|(_, key)| resource(key)).collect();
            let params = |one: &(String, _)| serde_json::to_string(&work.params(of(one).tasks[0]));
            let params = order.iter().map(params).collect::<serde_json::Result<Vec<String>>>()?;
            study.control.run("cannot write the fits into", &stop, |link| {
                let sql = "INSERT INTO mlp_fit \
                           (study, stage, slot, key, candidate, fold, replicate, resource, params) \
                           SELECT $1::bigint, $2::int, slot, key, candidate, fold, replicate, resource, params::json \
                           FROM unnest($3::bigint[], $4::text[], $5::text[], $6::int[], $7::int[], \
                           $8::bigint[], $9::text[]) \
                           AS new (slot, key, candidate, fold, replicate, resource, params) \
                           ON CONFLICT (study, stage, key) DO NOTHING";
                let (study, stage) = (study.id, number);
                link.change(
                    sql,
                    &[&study, &stage, &slots, &keys, &candidates, &in_fold, &replicates, &resources, &params],
                )
            })?;
            read()
        })?;
        let mut fits = BTreeMap::new();
        let mut foreign = Vec::new();
        for (key, id) in ids {
            match by_key.remove(&key) {
                Some(fit) => {
                    fits.insert(id, fit);
                }
                None => foreign.push(id),
            }
        }
        let left = fits.len();
        let opened = Mutex::new(folds.iter().map(|_| Weak::new()).collect());
        let seen = Seen { until: SystemTime::UNIX_EPOCH, whole: Instant::now() };
        Ok(Some(Stage {
            study,
            number,
            work,
            done,
            folds,
            fits,
            foreign,
            current: AtomicI64::new(0),
            opened,
            delivered: Mutex::default(),
            left: AtomicUsize::new(left),
            seen: Mutex::new(seen),
            unsaved: Mutex::default(),
            asking: Mutex::new(()),
            ended: AtomicBool::new(false),
            problem: Mutex::new(None),
        }))
    }

    /// Whether there is nothing more to do here.
    pub(super) fn is_over(&self) -> bool {
        self.ended.load(Ordering::Acquire) || self.work.is_stopped()
    }

    /// Takes part until every fit has its row, whoever did it, or the search is to stop.
    pub(super) fn run(self) -> Result<()> {
        apart(|| self.look(false))?;
        let shift = |thread: rayon::BroadcastContext<'_>| {
            let _watch = EndsByPanic(&self.ended);
            let lease = self.study.lease(thread.index());
            let outcome = Shift::new(&self, &lease).work();
            lease.rest();
            // Where there is nothing left to do, nothing that fails matters.
            let matters = !self.work.is_stopped() && self.left.load(Ordering::Acquire) > 0;
            if let Some(error) = outcome.err().filter(|_| matters) {
                locked(&self.problem).get_or_insert(error);
                self.ended.store(true, Ordering::Release);
            }
        };
        // The leases of all threads exist before anybody keeps them alive.
        (0..crate::model_selection::executor::Executor::threads(self.study)).for_each(|thread| {
            self.study.lease(thread);
        });
        std::thread::scope(|scope| {
            let keeper = scope.spawn(|| self.keep_alive());
            let _watch = EndsByPanic(&self.ended);
            match &self.study.pool {
                Some(pool) => drop(pool.broadcast(shift)),
                None => drop(rayon::broadcast(shift)),
            }
            self.ended.store(true, Ordering::Release);
            keeper.thread().unpark();
        });
        let problem = locked(&self.problem).take();
        problem.map_or_else(|| self.leave(), Err)
    }

    /// Says that this process lives, and looks for rows of others, while the threads are at work.
    fn keep_alive(&self) {
        let _watch = EndsByPanic(&self.ended);
        let third = self.study.server.lease / 3;
        let mut beaten = Instant::now();
        while !self.ended.load(Ordering::Acquire) {
            std::thread::park_timeout(LOOK.min(third));
            if beaten.elapsed() >= third {
                beaten = Instant::now();
                self.study.leases().iter().for_each(|lease| lease.beat());
            }
            let found = self.study.control.if_free(|link| self.finished(link, false));
            // What cannot be read now is read later, by a thread that waits for the server.
            if let Some(Ok(found)) = found
                && let Err(error) = self.take(found)
            {
                locked(&self.problem).get_or_insert(error);
                self.ended.store(true, Ordering::Release);
            }
        }
    }

    /// Looks for rows of others.
    pub(super) fn look(&self, again: bool) -> Result<()> {
        let stop = || self.is_over();
        let found =
            self.study.control.run("cannot read the rows in", &stop, |link| self.finished(link, again))?;
        self.take(found)
    }

    /// The rows that were finished since the last time, as texts; `again` looks through all of them from time to time.
    fn finished(&self, link: &mut Link, again: bool) -> Result<Vec<(i64, String)>, postgres::Error> {
        let since = {
            let mut seen = locked(&self.seen);
            if again && seen.whole.elapsed() >= LATE {
                seen.whole = Instant::now();
                seen.until = SystemTime::UNIX_EPOCH;
            }
            seen.until.checked_sub(LATE).filter(|since| *since > SystemTime::UNIX_EPOCH)
        };
        let since = since.unwrap_or(SystemTime::UNIX_EPOCH);
        let sql = "SELECT id, finished FROM mlp_fit \
                   WHERE study = $1 AND stage = $2 AND row IS NOT NULL AND finished >= $3";
        let found = link.rows(sql, &[&self.study.id, &self.number, &since])?;
        let new: Vec<i64> = {
            let delivered = locked(&self.delivered);
            let ids = found.iter().map(|row| row.get::<_, i64>(0));
            ids.filter(|id| self.fits.contains_key(id) && !delivered.contains(id)).collect()
        };
        let mut rows = Vec::with_capacity(new.len());
        for some in new.chunks(500) {
            let texts = link.rows("SELECT id, row FROM mlp_fit WHERE id = ANY($1)", &[&some])?;
            rows.extend(texts.iter().map(|row| (row.get::<_, i64>(0), row.get::<_, String>(1))));
        }
        let last = found.iter().map(|row| row.get::<_, SystemTime>(1)).max();
        let mut seen = locked(&self.seen);
        seen.until = seen.until.max(last.unwrap_or(SystemTime::UNIX_EPOCH));
        Ok(rows)
    }

    fn take(&self, found: Vec<(i64, String)>) -> Result<()> {
        found.into_iter().try_for_each(|(id, text)| self.deliver(id, row_of(&self.study.server, &text)?))
    }

    /// Hands a row over, once.
    pub(super) fn deliver(&self, id: i64, row: FitRow) -> Result<()> {
        let Some(fit) = self.fits.get(&id).filter(|_| locked(&self.delivered).insert(id)) else {
            return Ok(());
        };
        locked(&self.unsaved).remove(&id);
        if self.work.counts(&row) {
            self.study.learn(&fit.key, &row);
        }
        for &task in &fit.tasks {
            let row = self.work.restore(task, row.clone()).ok_or_else(|| misfit(&self.study.server))?;
            (self.done)(row);
        }
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.ended.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// The open fold of a fit, which all threads of this process share as long as one of them holds it.
    pub(super) fn opened(&self, place: usize) -> Arc<Opened<'a>> {
        let mut opened = locked(&self.opened);
        opened[place].upgrade().unwrap_or_else(|| {
            let new = Arc::new(Opened::new());
            opened[place] = Arc::downgrade(&new);
            new
        })
    }

    /// Opens a fold, unless another thread has.
    pub(super) fn fold<'o>(&self, opened: &'o Opened<'a>, place: usize) -> &'o (dyn OpenFold + 'a) {
        &**opened.get_or_init(|| self.work.open(&self.folds[place]))
    }

    pub(super) fn slot(&self, place: usize) -> i64 {
        slot_of(&self.folds[place])
    }

    /// Every task gets its row, also those of a search that was told to stop.
    fn leave(&self) -> Result<()> {
        if self.left.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        // Once: the server may be the reason why somebody stops the search.
        let last = apart(|| self.study.control.once(|link| self.finished(link, false)));
        match last {
            Ok(found) => self.take(found)?,
            Err(error) if passes(&error) => {}
            Err(error) => return Err(self.study.server.error("cannot read the rows in", error)),
        }
        let finished = std::mem::take(&mut *locked(&self.unsaved));
        finished.into_iter().try_for_each(|(id, row)| self.deliver(id, row))?;
        for (id, fit) in &self.fits {
            if locked(&self.delivered).insert(*id) {
                let open = self.work.open(&self.folds[fit.place]);
                fit.tasks.iter().for_each(|&task| (self.done)(open.fit(task)));
            }
        }
        Ok(())
    }
}
