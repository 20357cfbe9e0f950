//! Searches on a real PostgreSQL, which the tests start themselves: many processes find what one finds, whoever dies.
//!
//! Without a server on this machine (`/usr/lib/postgresql/*/bin`, or the `PATH`) every test says that it is skipped.

#![allow(clippy::float_cmp)]

mod contention;
mod faults;
mod link;
mod program;
mod refused;
mod same;
mod server;
mod tls;
