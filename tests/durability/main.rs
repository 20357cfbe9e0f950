//! Nothing lost, nothing let in: files of older versions, processes that are killed, disks that are full, files made up by hand,
//! and runs that go on to the same bytes whatever they are made of.

#![allow(clippy::float_cmp)]

mod continued;
mod crafted;
mod disk;
mod golden;
mod json;
mod killed;
mod process;
mod promises;
