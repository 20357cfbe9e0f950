//! Threads that share one piece of work after another: a fit's own, and idle threads of the pool.
//!
//! A step of training is a handful of pieces, each some tenths of a millisecond long. To wake a thread for a piece would cost
//! more than the piece is worth. So a [`Crew`] offers places, once, as jobs of the current rayon pool: a thread that has nothing
//! else to do takes one, and for some milliseconds waits for parts of a piece by looking, not by sleeping. Whoever leads the
//! crew never waits for help that has not come. It takes every part that nobody else has taken.
//!
//! [`Parts`] are what a piece consists of: exclusive ranges of rows or weights. No part is handed out twice, and none outlives the
//! call that shares them.

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::hint::spin_loop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::Yield;

mod blocks;
mod forced;
mod parts;

pub(crate) use blocks::{Block, Matrices};
pub use forced::{helped_parts, with_shared_steps};
pub(super) use parts::even_part;
pub(crate) use parts::{Cuts, Parts, Slices};

/// The most parts of a piece: one bit for each.
pub(crate) const MOST_PARTS: usize = 64;

/// Multiplications of a piece from which on a second thread pays, and those that every further thread should find. See
/// `benches/README.md`, "Threads inside a fit".
const SHARED_FROM: usize = 1 << 20;

/// Fewest multiplications of a part; and most, so that a helper who comes in the middle of a piece finds something to do.
const LEAST_PART: usize = 1 << 17;
const MOST_OF_PART: usize = 1 << 25;

/// Fewest rows of a part, unless there are fewer: for less the products lose more than a thread gains.
const LEAST_ROWS: usize = 16;

/// How long a helper stays before it looks for other work in its pool.
const STAY: Duration = Duration::from_millis(10);

/// How long a helper looks for a part before it goes: longer than a piece that nobody shares, shorter than the time to write a
/// file.
const PATIENCE: Duration = Duration::from_millis(2);

/// Looks in a row before the processor is offered to another process.
const LOOKS: u32 = 1 << 14;

/// Somebody who has work to share, and those who help.
#[derive(Debug)]
pub(crate) struct Crew {
    post: Option<Arc<Post>>,
    /// How many helpers were away at the last step. A cell: one thread leads, and shares one piece at a time, so that a part of a
    /// piece cannot get at the crew.
    away: Cell<usize>,
}

impl Crew {
    /// Nobody but the caller.
    pub(crate) fn alone() -> Self {
        Crew { post: None, away: Cell::new(0) }
    }

    /// The caller, and idle threads of the current rayon pool if pieces of that many multiplications are worth it. All together
    /// are never more than the pool has threads.
    pub(crate) fn for_pieces_of(work: usize) -> Self {
        // The number of threads is asked for last: the question alone starts the global pool.
        if helpers_for(work) == 0 || rayon::current_num_threads() == 1 {
            return Crew::alone();
        }
        let most = (rayon::current_num_threads() - 1).min(MOST_PARTS - 1);
        Crew { post: Some(Arc::new(Post { most, ..Post::default() })), away: Cell::new(0) }
    }

    /// Offers the places that are not taken, for pieces of that many multiplications. To be called once a step.
    pub(crate) fn recruit(&self, work: usize) {
        let Some(post) = &self.post else { return };
        self.look_who_is_away(post);
        let taken = post.helpers() + post.offered.load(Relaxed);
        for _ in taken..post.most.min(helpers_for(work)) {
            post.offered.fetch_add(1, Relaxed);
            let post = Arc::clone(post);
            rayon::spawn(move || {
                HELPING.set(HELPING.get() + 1);
                post.help();
                HELPING.set(HELPING.get() - 1);
            });
        }
        if forced::is_on() {
            forced::wait_until(|| post.present.load(Relaxed) > 0);
        }
    }

    /// One who looks for other work is back in a moment, unless there was some: then it is away for longer than a step.
    fn look_who_is_away(&self, post: &Post) {
        let away = post.away.load(Relaxed);
        post.busy.store(self.away.replace(away).min(away), Relaxed);
    }

    /// The most members there can be.
    pub(crate) fn places(&self) -> usize {
        1 + self.post.as_ref().map_or(0, |post| post.most)
    }

    /// Parts into which to cut a piece of `rows` rows and that many multiplications. The number decides no bit.
    pub(crate) fn parts(&self, rows: usize, work: usize) -> usize {
        let Some(post) = &self.post else { return 1 };
        if forced::is_on() {
            return rows.clamp(1, self.places());
        }
        let members = 1 + post.helpers();
        members.max(work / MOST_OF_PART).min(rows / LEAST_ROWS).min(work / LEAST_PART).clamp(1, MOST_PARTS)
    }

    /// Calls `work` for every part, each on the first thread that is free, and returns when all are done.
    ///
    /// A panic in a part is passed on when the others are done.
    pub(crate) fn share<P: Parts>(&self, parts: P, work: impl Fn(P::Part) + Sync) {
        let count = parts.count();
        assert!(count <= MOST_PARTS, "there is a bit for each of 64 parts");
        // SAFETY: each number below the count is asked for once: by the loop, or by whoever has taken its bit.
        let call = |number| work(unsafe { parts.part(number) });
        match &self.post {
            Some(post) if count > 1 => post.run(count, &call),
            _ => (0..count).for_each(call),
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        if let Some(post) = &self.post {
            post.closed.store(true, Relaxed);
        }
    }
}

/// The helpers that find enough to do in pieces of that many multiplications.
fn helpers_for(work: usize) -> usize {
    if forced::is_on() { usize::MAX } else { (work / SHARED_FROM).saturating_sub(1) }
}

thread_local! {
    /// The helpers on this thread's stack: see [`Post::help`].
    static HELPING: Cell<u32> = const { Cell::new(0) };
}

/// A function on some number, without its type.
#[derive(Clone, Copy)]
struct Task {
    data: *const (),
    call: unsafe fn(*const (), usize),
}

impl Task {
    fn of<F: Fn(usize) + Sync>(work: &F) -> Self {
        /// # Safety
        ///
        /// `data` is a `W` that lives.
        unsafe fn call<W: Fn(usize)>(data: *const (), number: usize) {
            // SAFETY: the caller's promise.
            unsafe { (*data.cast::<W>())(number) }
        }
        Task { data: std::ptr::from_ref(work).cast(), call: call::<F> }
    }
}

/// Where a piece is posted, and its parts are taken from.
#[derive(Default)]
struct Post {
    /// A bit for each part that nobody has taken.
    open: AtomicU64,
    /// Parts that are not done.
    left: AtomicUsize,
    /// Parts of the piece.
    count: AtomicUsize,
    task: UnsafeCell<Option<Task>>,
    /// Helpers that have a place.
    present: AtomicUsize,
    /// Those of them that look whether the pool has other work, or are at it.
    away: AtomicUsize,
    /// Those of them that are at it, as far as the leader knows: others may have their places meanwhile.
    busy: AtomicUsize,
    /// Places that wait in the pool.
    offered: AtomicUsize,
    /// The most helpers there can be.
    most: usize,
    closed: AtomicBool,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `task` is written by the one thread that runs pieces, while no part is open and none is left to be done. It is read by
// those who have taken a part, which is before that part is done. `open` and `left` order the two.
unsafe impl Sync for Post {}
// SAFETY: the function behind a task is `Sync`, and the task is nothing else.
unsafe impl Send for Post {}

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (present, offered) = (self.present.load(Relaxed), self.offered.load(Relaxed));
        f.debug_struct("Post").field("present", &present).field("offered", &offered).finish_non_exhaustive()
    }
}

impl Post {
    /// Runs a piece of `count` parts. Only the owner of the crew does, one piece after another.
    fn run<F: Fn(usize) + Sync>(&self, count: usize, work: &F) {
        assert_eq!(self.left.load(Relaxed), 0, "one piece comes after another");
        // SAFETY: no part is open or left, so nobody reads the task.
        unsafe { *self.task.get() = Some(Task::of(work)) }
        self.count.store(count, Relaxed);
        self.left.store(count, Relaxed);
        // Whoever takes a part sees all of the above.
        self.open.store(u64::MAX >> (MOST_PARTS - count), Release);
        forced::give_way();
        while let Some(number) = self.take(0) {
            self.work(number);
        }
        // `work` may not die before those who have taken parts are done with it.
        let mut looks = 0_u32;
        while self.left.load(Acquire) > 0 {
            look_again(&mut looks);
        }
        let panic = self.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    /// Takes a part, the first from `start` on: so threads come to the same parts in every piece, whose data they have at hand.
    fn take(&self, start: usize) -> Option<usize> {
        let mut open = self.open.load(Relaxed);
        while open != 0 {
            let number = (open.rotate_right(start as u32).trailing_zeros() as usize + start) % MOST_PARTS;
            let bit = 1 << number;
            let before = self.open.fetch_and(!bit, AcqRel);
            if before & bit != 0 {
                return Some(number);
            }
            open = before & !bit;
        }
        None
    }

    /// Does a part that has been taken.
    fn work(&self, number: usize) {
        // SAFETY: the part has been taken and is not done: the task is its own, and stays until it is done.
        let call = AssertUnwindSafe(|| unsafe {
            if let Some(task) = *self.task.get() {
                (task.call)(task.data, number);
            }
        });
        if let Err(panic) = catch_unwind(call) {
            let mut first = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
            if first.is_none() {
                *first = Some(panic);
            } else {
                // To drop it might panic once more, before the part is done.
                std::mem::forget(panic);
            }
        }
        self.left.fetch_sub(1, Release);
    }

    /// Helpers that can be counted on.
    fn helpers(&self) -> usize {
        self.present.load(Relaxed).saturating_sub(self.busy.load(Relaxed)).min(self.most)
    }

    /// Takes a place for a helper, unless all are taken; gives the number of the helper, from 1.
    fn enter(&self) -> Option<usize> {
        let places = self.most + self.busy.load(Relaxed);
        let free = |present: usize| (present < places).then_some(present + 1);
        self.present.fetch_update(Relaxed, Relaxed, free).ok().map(|present| present + 1)
    }

    /// Helps until the crew is closed, nothing is to be done or the pool has other work.
    ///
    /// That other work runs on top of this call. It may be a place in another crew, where others wait in turn: a helper on top of
    /// a helper goes instead, or the stack would grow for as long as two fits last.
    fn help(&self) {
        let seat = self.enter();
        self.offered.fetch_sub(1, Relaxed);
        let Some(seat) = seat else { return };
        let (mut looks, mut since, mut start) = (0_u32, Instant::now(), Instant::now());
        while !self.closed.load(Relaxed) {
            let members = 1 + self.present.load(Relaxed);
            if let Some(number) = self.take(seat.min(members - 1) * self.count.load(Relaxed) / members) {
                self.work(number);
                forced::count_help();
                looks = 0;
                continue;
            }
            if looks == 0 {
                since = Instant::now();
                if since - start > STAY {
                    // What waits in the pool comes first. The place is kept meanwhile: pieces are cut for this thread too.
                    self.away.fetch_add(1, Relaxed);
                    let goes = HELPING.get() > 1 || rayon::yield_now() == Some(Yield::Executed);
                    self.away.fetch_sub(1, Relaxed);
                    if goes || self.present.load(Relaxed) > self.most + self.busy.load(Relaxed) {
                        break;
                    }
                    (start, since) = (Instant::now(), Instant::now());
                }
            }
            look_again(&mut looks);
            if looks.is_multiple_of(256) && since.elapsed() > PATIENCE {
                break;
            }
        }
        self.present.fetch_sub(1, Relaxed);
    }
}

/// A pause between two looks at what another thread has done.
fn look_again(looks: &mut u32) {
    *looks = looks.saturating_add(1);
    if *looks < LOOKS { spin_loop() } else { std::thread::yield_now() }
}

#[cfg(test)]
mod tests;
