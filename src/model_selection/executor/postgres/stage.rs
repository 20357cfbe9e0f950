//! A stage of a study: the fits of one rung, done by all processes together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::{Duration, Instant, SystemTime};

use super::session::{Link, Session, chance, is_away, passes};
use super::shift::{END, LEASED, Shift, THIS};
use super::study::{JoinedStudy, apart, gone, int, locked, misfit, row_of};
use crate::error::{Error, Result};
use crate::model_selection::executor::{FoldTasks, OpenFold, Work};
use crate::model_selection::observer::Task;
use crate::model_selection::results::FitRow;

/// How often rows of others are looked for while this process is at work.
const LOOK: Duration = Duration::from_secs(1);

/// A row may be seen this much later than its time says.
const LATE: Duration = Duration::from_secs(10);

/// How often a process that waits looks through all rows, in case one was seen later still.
const WHOLE: Duration = Duration::from_secs(30);

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
    pub foreign: Mutex<Vec<i64>>,
    /// What each thread is at.
    busy: Mutex<BTreeMap<usize, i64>>,
    /// The slot that this process is in.
    pub current: AtomicI64,
    /// The fits of each slot, in the order of their numbers.
    slots: BTreeMap<i64, Vec<i64>>,
    opened: Mutex<Vec<Weak<Opened<'a>>>>,
    delivered: Mutex<BTreeSet<i64>>,
    left: AtomicUsize,
    seen: Mutex<Seen>,
    /// Rows of fits whose lease was lost before they were written.
    pub unsaved: Mutex<BTreeMap<i64, FitRow>>,
    /// Held by the one thread that asks for work while there is none.
    pub asking: Mutex<()>,
    ended: AtomicBool,
    /// Threads that take fits.
    at_work: AtomicUsize,
    problem: Mutex<Option<Error>>,
}

/// How far the rows of others were read.
struct Seen {
    until: SystemTime,
    /// When all of them were; none for at once.
    whole: Option<Instant>,
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
        let read = || -> Result<BTreeMap<String, (i64, bool)>> {
            let found = study.control.run("cannot read the fits in", &stop, |link| {
                let sql = "SELECT key, id, row IS NULL FROM mlp_fit WHERE study = $1 AND stage = $2";
                link.rows(sql, &[&study.id, &number])
            })?;
            Ok(found.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect())
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
        let mut slots: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for (key, (id, open)) in ids {
            match by_key.remove(&key) {
                Some(fit) => {
                    slots.entry(slot_of(&folds[fit.place])).or_default().push(id);
                    fits.insert(id, fit);
                }
                None if open => foreign.push(id),
                None => {}
            }
        }
        slots.values_mut().for_each(|ids| ids.sort_unstable());
        // Processes that start together begin in different folds, if they can.
        let first = slots.keys().nth(chance().below(slots.len().max(1))).copied();
        let left = fits.len();
        let opened = Mutex::new(folds.iter().map(|_| Weak::new()).collect());
        let seen = Seen { until: SystemTime::UNIX_EPOCH, whole: Some(Instant::now()) };
        Ok(Some(Stage {
            study,
            number,
            work,
            done,
            folds,
            fits,
            foreign: Mutex::new(foreign),
            busy: Mutex::default(),
            current: AtomicI64::new(first.unwrap_or(0)),
            slots,
            opened,
            delivered: Mutex::default(),
            left: AtomicUsize::new(left),
            seen: Mutex::new(seen),
            unsaved: Mutex::default(),
            asking: Mutex::new(()),
            ended: AtomicBool::new(false),
            at_work: AtomicUsize::new(crate::model_selection::executor::Executor::threads(study)),
            problem: Mutex::new(None),
        }))
    }

    /// Whether there is nothing more to do here.
    pub(super) fn is_over(&self) -> bool {
        self.ended.load(Ordering::Acquire) || self.work.is_stopped()
    }

    /// Takes part until every fit has its row, whoever did it, or the search is to stop.
    pub(super) fn run(self) -> Result<()> {
        match apart(|| self.look(false)) {
            Err(error) if self.work.is_stopped() && is_away(&error) => return self.leave(),
            looked => looked?,
        }
        let shift = |thread: rayon::BroadcastContext<'_>| {
            let _watch = EndsByPanic(&self.ended);
            let lease = self.study.lease(thread.index());
            let outcome = Shift::new(&self, &lease, thread.index()).work();
            lease.rest();
            let last = self.at_work.fetch_sub(1, Ordering::AcqRel) == 1;
            // Where there is nothing left to do, nothing that fails matters.
            let matters = !self.work.is_stopped() && self.left.load(Ordering::Acquire) > 0;
            // A thread that gets no connection leaves the work to the others.
            if let Some(error) = outcome.err().filter(|error| matters && (last || !is_away(error))) {
                locked(&self.problem).get_or_insert(error);
                self.ended.store(true, Ordering::Release);
            }
        };
        // The leases of all threads exist before anybody keeps them alive.
        (0..crate::model_selection::executor::Executor::threads(self.study)).for_each(|thread| {
            self.study.lease(thread);
        });
        std::thread::scope(|scope| {
            let keepers = [scope.spawn(|| self.keep_alive()), scope.spawn(|| self.keep_looking())];
            let _watch = EndsByPanic(&self.ended);
            match &self.study.pool {
                Some(pool) => drop(pool.broadcast(shift)),
                None => drop(rayon::broadcast(shift)),
            }
            self.ended.store(true, Ordering::Release);
            keepers.iter().for_each(|keeper| keeper.thread().unpark());
        });
        let problem = locked(&self.problem).take();
        problem.map_or_else(|| self.leave(), Err)
    }

    /// Says that this process lives while its threads are at work, and takes leases again that were lost.
    fn keep_alive(&self) {
        let _watch = EndsByPanic(&self.ended);
        let third = self.study.server.lease / 3;
        while !self.ended.load(Ordering::Acquire) {
            std::thread::park_timeout(third);
            for (thread, lease) in self.study.leases().iter().enumerate() {
                let fit = locked(&self.busy).get(&thread).copied();
                if let (false, Some(fit)) = (lease.beat(), fit) {
                    self.lease_again(lease, fit);
                }
            }
        }
    }

    /// Takes the lease of a fit under way again, if nobody else has it now: then the attempt is one that has an end.
    fn lease_again(&self, lease: &Session, fit: i64) {
        let taken = lease.if_free(|link| {
            link.say("BEGIN")?;
            let backend = link.rows(THIS, &[&[fit].as_slice()])?.first().map(|row| row.get::<_, i32>(1));
            link.in_transaction = backend.is_some();
            if backend.is_none() {
                link.say("ROLLBACK")?;
            }
            Ok(backend)
        });
        let Some(Ok(taken)) = taken else { return };
        let worker = &self.study.server.worker;
        // Only those who look at the study miss it where it cannot be written.
        let _ = self.study.control.once(|link| match taken {
            Some(backend) => link.change(LEASED, &[&fit, worker, &backend]),
            None => link.change(END, &[&fit, worker]),
        });
    }

    /// Looks for rows of others while the threads are at work.
    fn keep_looking(&self) {
        let _watch = EndsByPanic(&self.ended);
        while !self.ended.load(Ordering::Acquire) {
            std::thread::park_timeout(LOOK);
            let found = self.study.control.if_free(|link| self.finished(link));
            // What cannot be read now is read later, by a thread that waits for the server.
            if let Some(Ok(found)) = found
                && let Err(error) = self.take(found)
            {
                locked(&self.problem).get_or_insert(error);
                self.ended.store(true, Ordering::Release);
            }
        }
    }

    /// Looks for rows of others; from time to time through all of them, if `again` says so, and whether the study is still there.
    pub(super) fn look(&self, again: bool) -> Result<()> {
        let stop = || self.is_over();
        let whole = again && {
            let mut seen = locked(&self.seen);
            let due = seen.whole.is_none_or(|time| time.elapsed() >= WHOLE);
            if due {
                seen.whole = Some(Instant::now());
                seen.until = SystemTime::UNIX_EPOCH;
            }
            due
        };
        let found = self.study.control.run("cannot read the rows in", &stop, |link| {
            let found = self.finished(link)?;
            let there =
                !whole || !link.rows("SELECT id FROM mlp_study WHERE id = $1", &[&self.study.id])?.is_empty();
            Ok(there.then_some(found))
        })?;
        self.take(found.ok_or_else(|| gone(&self.study.server))?)
    }

    /// The rows that were finished since the last time, as texts.
    fn finished(&self, link: &mut Link) -> Result<Vec<(i64, String)>, postgres::Error> {
        let since = {
            let seen = locked(&self.seen);
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

    /// A row was not needed: somebody else has written it, or the study is gone.
    pub(super) fn doubt(&self) {
        locked(&self.seen).whole = None;
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

    /// A fit of a slot, any: processes that begin there to look for an open one are not in each other's way.
    pub(super) fn somewhere_in(&self, slot: i64) -> i64 {
        let ids = self.slots.get(&slot).map_or(&[][..], Vec::as_slice);
        ids.get(chance().below(ids.len().max(1))).copied().unwrap_or(0)
    }

    /// Fits that are not to be taken here: somebody else's, and those that threads of this process are at.
    pub(super) fn not_to_take(&self) -> Vec<i64> {
        let mut ids = locked(&self.foreign).clone();
        ids.extend(locked(&self.busy).values());
        ids
    }

    /// Says what a thread is at.
    pub(super) fn is_at(&self, thread: usize, fit: Option<i64>) {
        let mut busy = locked(&self.busy);
        match fit {
            Some(fit) => drop(busy.insert(thread, fit)),
            None => drop(busy.remove(&thread)),
        }
    }

    /// Every task gets its row, also those of a search that was told to stop.
    fn leave(&self) -> Result<()> {
        if self.left.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        // Once: the server may be the reason why somebody stops the search.
        let last = apart(|| self.study.control.once(|link| self.finished(link)));
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
