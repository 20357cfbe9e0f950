//! Journals of searches: killed at any moment and started again, a search gives the same bytes and repeats no finished fit;
//! a file that is damaged, or belongs to something else, is an error and never a wrong row.

#![allow(clippy::float_cmp)]

mod damage;
mod halving;
mod identity;
mod killed;
mod nested;
mod program;
mod replay;
mod restored;
mod shards;
