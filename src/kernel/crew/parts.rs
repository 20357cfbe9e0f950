//! What can be cut into parts that different threads write.

use std::marker::PhantomData;
use std::ops::Range;

use super::MOST_PARTS;

/// Something in exclusive hands that is handed on in parts.
///
/// # Safety
///
/// Parts of different numbers do not overlap, and numbers below [`count`](Parts::count) are all legal.
pub(crate) unsafe trait Parts: Sync {
    /// A part: another thread may have it.
    type Part: Send;

    /// The number of parts.
    fn count(&self) -> usize;

    /// A part.
    ///
    /// # Safety
    ///
    /// `number` is below [`count`](Parts::count), and has not been asked for before.
    unsafe fn part(&self, number: usize) -> Self::Part;
}

/// Where to cut: in parts whose lengths differ by one at most, or at given places.
///
/// What is cut relies on the two constructors: the parts follow one another, and none reaches beyond the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cuts<'c>(Places<'c>);

#[derive(Clone, Copy, Debug)]
enum Places<'c> {
    /// `len` in so many parts.
    Even { len: usize, parts: usize },
    /// At the places between the first and the last.
    At(&'c [usize]),
}

impl<'c> Cuts<'c> {
    /// Parts whose lengths differ by one at most.
    pub(crate) fn even(len: usize, parts: usize) -> Self {
        assert!((1..=MOST_PARTS).contains(&parts), "there is a bit for each of 64 parts");
        Cuts(Places::Even { len, parts })
    }

    /// From each of the places to the next.
    pub(crate) fn at(places: &'c [usize]) -> Self {
        assert!(places.is_sorted(), "a part ends where the next one begins");
        Cuts(Places::At(places))
    }

    pub(super) fn parts(&self) -> usize {
        match &self.0 {
            Places::Even { parts, .. } => *parts,
            Places::At(places) => places.len().saturating_sub(1),
        }
    }

    /// The end of the last part.
    pub(super) fn end(&self) -> usize {
        match &self.0 {
            Places::Even { len, .. } => *len,
            Places::At(places) => places.last().copied().unwrap_or(0),
        }
    }

    /// From where to where a part reaches.
    pub(super) fn range(&self, number: usize) -> Range<usize> {
        match &self.0 {
            Places::Even { len, parts } => even_part(*len, number, *parts),
            Places::At(places) => places[number]..places[number + 1],
        }
    }
}

// SAFETY: ranges are plain numbers.
unsafe impl Parts for Cuts<'_> {
    type Part = Range<usize>;

    fn count(&self) -> usize {
        self.parts()
    }

    unsafe fn part(&self, number: usize) -> Range<usize> {
        self.range(number)
    }
}

/// Part `part` of `len` cut into `parts` of lengths that differ by one at most. A division takes longer than a small tile.
#[inline]
pub(in crate::kernel) fn even_part(len: usize, part: usize, parts: usize) -> Range<usize> {
    if parts == 1 { 0..len } else { len * part / parts..len * (part + 1) / parts }
}

/// Slices of a slice.
pub(crate) struct Slices<'a, T> {
    start: *mut T,
    len: usize,
    /// Elements of a unit in which the cuts are measured.
    width: usize,
    cuts: Cuts<'a>,
    owner: PhantomData<&'a mut [T]>,
}

// SAFETY: a part is an exclusive slice, which may go to another thread if its elements may.
unsafe impl<T: Send> Sync for Slices<'_, T> {}

impl<'a, T> Slices<'a, T> {
    /// Cut at those places, times the elements of a row. An empty slice has empty parts.
    pub(crate) fn of_rows(slice: &'a mut [T], width: usize, cuts: Cuts<'a>) -> Self {
        let width = if slice.is_empty() { 0 } else { width };
        let end = cuts.end().checked_mul(width);
        assert!(end.is_some_and(|end| end <= slice.len()), "the last part ends within the slice");
        Slices { start: slice.as_mut_ptr(), len: slice.len(), width, cuts, owner: PhantomData }
    }

    /// Cut at those places.
    pub(crate) fn of(slice: &'a mut [T], cuts: Cuts<'a>) -> Self {
        Slices::of_rows(slice, 1, cuts)
    }
}

// SAFETY: the cuts rise, so that their ranges do not overlap.
unsafe impl<'a, T: Send> Parts for Slices<'a, T> {
    type Part = &'a mut [T];

    fn count(&self) -> usize {
        self.cuts.parts()
    }

    unsafe fn part(&self, number: usize) -> &'a mut [T] {
        let Range { start, end } = self.cuts.range(number);
        let (start, end) = (start * self.width, end * self.width);
        debug_assert!(end <= self.len, "the constructor has seen to it");
        // SAFETY: the range ends within the slice, which is borrowed mutably for `'a`, and is handed out once.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), end - start) }
    }
}

// SAFETY: the same parts, several at a time.
unsafe impl<P: Parts, const N: usize> Parts for [P; N] {
    type Part = [P::Part; N];

    fn count(&self) -> usize {
        let count = self.first().map_or(0, P::count);
        assert!(self.iter().all(|parts| parts.count() == count), "all have the same number of parts");
        count
    }

    unsafe fn part(&self, number: usize) -> Self::Part {
        // SAFETY: the caller's promise.
        std::array::from_fn(|i| unsafe { self[i].part(number) })
    }
}

macro_rules! together {
    ($($parts:ident),+) => {
        // SAFETY: the parts of each do not overlap.
        unsafe impl<$($parts: Parts),+> Parts for ($($parts,)+) {
            type Part = ($($parts::Part,)+);

            #[allow(non_snake_case, reason = "a variable for each type")]
            fn count(&self) -> usize {
                let ($($parts,)+) = self;
                let counts = [$($parts.count()),+];
                assert!(counts.iter().all(|count| *count == counts[0]), "all have the same number of parts");
                counts[0]
            }

            #[allow(non_snake_case, reason = "a variable for each type")]
            unsafe fn part(&self, number: usize) -> Self::Part {
                let ($($parts,)+) = self;
                // SAFETY: the caller's promise.
                ($(unsafe { $parts.part(number) },)+)
            }
        }
    };
}

together!(A, B);
together!(A, B, C);
together!(A, B, C, D);
together!(A, B, C, D, E);
