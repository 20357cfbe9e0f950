//! Memory whose first element starts a cache line.

use super::Scalar;
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// Alignment of every [`Buffer`] in bytes: one cache line, one AVX-512 register.
///
/// A vector that straddles two lines costs two loads; aligned buffers made Adam a quarter faster.
pub const ALIGN: usize = 64;

/// `len` rounded up to a whole number of cache lines, to place tensors one after another in one buffer.
#[must_use]
pub const fn aligned_len<S>(len: usize) -> usize {
    len.next_multiple_of(ALIGN / size_of::<S>())
}

/// A fixed number of elements, zero at first, starting at a multiple of [`ALIGN`] bytes.
///
/// It dereferences to a slice.
pub struct Buffer<S> {
    start: NonNull<S>,
    len: usize,
}

impl<S: Scalar> Buffer<S> {
    /// A buffer of `len` zeros.
    #[must_use]
    pub fn zeros(len: usize) -> Self {
        if len == 0 {
            return Self { start: NonNull::dangling(), len };
        }
        let layout = layout::<S>(len);
        // SAFETY: the layout has a size above zero because `len` and the size of a `Scalar` have.
        let memory = unsafe { alloc_zeroed(layout) };
        match NonNull::new(memory.cast::<S>()) {
            Some(start) => Self { start, len },
            None => handle_alloc_error(layout),
        }
    }

    /// A buffer with the elements of `values`.
    #[must_use]
    pub fn from_slice(values: &[S]) -> Self {
        let mut buffer = Self::zeros(values.len());
        buffer.copy_from_slice(values);
        buffer
    }
}

impl<S> Buffer<S> {
    /// Where the elements begin: to be written through by whoever has them to itself.
    pub(super) fn start_of_all(&self) -> *mut S {
        self.start.as_ptr()
    }
}

fn layout<S>(len: usize) -> Layout {
    let bytes = len.checked_mul(size_of::<S>()).expect("a buffer's size fits an address");
    Layout::from_size_align(bytes, ALIGN).expect("64 is a power of two and the size fits an address")
}

impl<S> Drop for Buffer<S> {
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: `start` came from `alloc_zeroed` with this same layout and is freed only here.
            unsafe { dealloc(self.start.as_ptr().cast(), layout::<S>(self.len)) }
        }
    }
}

impl<S> Deref for Buffer<S> {
    type Target = [S];

    #[inline]
    fn deref(&self) -> &[S] {
        // SAFETY: `start` points to `len` initialised elements (all zero bits are a float), or dangles with `len` 0.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<S> DerefMut for Buffer<S> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [S] {
        // SAFETY: as in `deref`; the buffer owns its memory and is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

// SAFETY: a buffer owns its elements alone, as a `Box<[S]>` does.
unsafe impl<S: Send> Send for Buffer<S> {}
// SAFETY: a shared buffer gives shared slices only.
unsafe impl<S: Sync> Sync for Buffer<S> {}

impl<S: Scalar> Clone for Buffer<S> {
    fn clone(&self) -> Self {
        Self::from_slice(self)
    }

    fn clone_from(&mut self, source: &Self) {
        if self.len == source.len {
            self.copy_from_slice(source);
        } else {
            *self = source.clone();
        }
    }
}

impl<S> Default for Buffer<S> {
    fn default() -> Self {
        Self { start: NonNull::dangling(), len: 0 }
    }
}

impl<S: fmt::Debug> fmt::Debug for Buffer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<S: PartialEq> PartialEq for Buffer<S> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_aligned_and_zero() {
        for len in [1, 3, 16, 17, 1000] {
            let buffer = Buffer::<f32>::zeros(len);
            assert_eq!(buffer.as_ptr() as usize % ALIGN, 0);
            assert_eq!(&buffer[..], &vec![0.0; len][..]);
        }
    }

    #[test]
    fn an_empty_buffer_allocates_nothing() {
        let buffer = Buffer::<f64>::zeros(0);
        assert!(buffer.is_empty());
        assert_eq!(buffer, Buffer::default());
    }

    #[test]
    fn a_clone_is_independent() {
        let mut a = Buffer::from_slice(&[1.0, 2.0, 3.0]);
        let b = a.clone();
        a[0] = 9.0;
        assert_eq!(&b[..], &[1.0, 2.0, 3.0]);
        assert_eq!(format!("{b:?}"), "[1.0, 2.0, 3.0]");
        a.clone_from(&b);
        assert_eq!(a, b);
    }

    #[test]
    fn aligned_lengths_fill_whole_lines() {
        assert_eq!(aligned_len::<f32>(0), 0);
        assert_eq!(aligned_len::<f32>(1), 16);
        assert_eq!(aligned_len::<f32>(16), 16);
        assert_eq!(aligned_len::<f64>(9), 16);
    }
}
