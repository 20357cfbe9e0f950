//! The tables, and how older ones become them.

use super::session::Server;
use crate::error::{Error, Result};

/// What makes each version out of the one before. A step is never changed once it was published: a new one is added.
const STEPS: [&str; 2] = [
    "CREATE TABLE mlp_study (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL UNIQUE,
        identity json NOT NULL,
        created timestamptz NOT NULL DEFAULT now(),
        created_by text NOT NULL
    );
    CREATE TABLE mlp_fit (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        study bigint NOT NULL REFERENCES mlp_study ON DELETE CASCADE,
        stage integer NOT NULL,
        slot bigint NOT NULL,
        key text NOT NULL,
        candidate text NOT NULL,
        fold integer NOT NULL,
        replicate integer NOT NULL,
        resource bigint,
        params json NOT NULL,
        row text,
        status text,
        scores double precision[],
        worker text,
        finished timestamptz,
        UNIQUE (study, stage, key)
    );
    CREATE INDEX mlp_fit_open ON mlp_fit (study, stage, slot, id) WHERE row IS NULL;
    CREATE INDEX mlp_fit_done ON mlp_fit (study, stage, finished) WHERE row IS NOT NULL;
    CREATE TABLE mlp_attempt (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        study bigint NOT NULL,
        fit bigint NOT NULL,
        worker text NOT NULL,
        backend integer NOT NULL,
        started timestamptz NOT NULL DEFAULT now(),
        leased timestamptz NOT NULL DEFAULT now(),
        ended timestamptz
    );
    CREATE INDEX mlp_attempt_fit ON mlp_attempt (fit) WHERE ended IS NULL;
    CREATE TABLE mlp_state (
        study bigint NOT NULL REFERENCES mlp_study ON DELETE CASCADE,
        candidate text NOT NULL,
        fold integer NOT NULL,
        replicate integer NOT NULL,
        goal text NOT NULL,
        bytes bytea NOT NULL,
        PRIMARY KEY (study, candidate, fold, replicate, goal)
    );",
    "CREATE VIEW mlp_candidates AS
    SELECT s.name AS study, f.params::text AS params, f.resource,
        count(*) AS fits,
        count(*) FILTER (WHERE f.status = 'fitted') AS done,
        count(*) FILTER (WHERE f.row IS NULL AND EXISTS (
            SELECT FROM mlp_attempt a JOIN pg_stat_activity p
            ON p.pid = a.backend AND (p.backend_start <= a.leased) IS NOT FALSE
            WHERE a.fit = f.id AND a.ended IS NULL)) AS running,
        count(*) FILTER (WHERE f.status <> 'fitted') AS failed,
        avg(f.scores[1]) FILTER (WHERE f.status = 'fitted') AS mean_test_score,
        stddev_pop(f.scores[1]) FILTER (WHERE f.status = 'fitted') AS std_test_score,
        min(f.id) AS first
    FROM mlp_fit f JOIN mlp_study s ON s.id = f.study
    GROUP BY s.name, f.candidate, f.params::text, f.resource;",
];

/// The version that this crate works with.
#[allow(clippy::cast_possible_wrap, reason = "there are few steps")]
pub(super) const VERSION: i32 = STEPS.len() as i32;

/// Makes the tables, or brings them up to date. Of processes that start at the same time, one does it and the others wait.
///
/// # Errors
///
/// [`Error::Database`] when the server cannot be reached or the tables cannot be made, [`Error::Parameter`] for tables of a
/// later version.
pub(super) fn prepare(server: &Server) -> Result<()> {
    let fail = |action| move |source| server.error(action, source);
    let mut link = server.connect().map_err(fail("cannot connect to"))?;
    let version = |link: &mut super::session::Link| -> Result<i32, postgres::Error> {
        let there = link.rows("SELECT to_regclass('mlp_schema') IS NOT NULL", &[])?;
        if !there[0].get::<_, bool>(0) {
            return Ok(0);
        }
        let found = link.rows("SELECT max(version) FROM mlp_schema", &[])?;
        Ok(found[0].get::<_, Option<i32>>(0).unwrap_or(0))
    };
    let newer = |found: i32| {
        let allowed = format!("at most {VERSION}, which this version of linfa-mlp knows");
        Error::parameter(format!("version of the tables in {server}"), found, allowed)
    };
    let unread = || fail("cannot read the tables in");
    match version(&mut link).map_err(unread())? {
        VERSION => return Ok(()),
        found if found > VERSION => return Err(newer(found)),
        _ => {}
    }
    let unmade = || fail("cannot make the tables in");
    // The key is "mlp" and stands for the tables of one database. The transaction begins behind the lock: one that waits for it
    // does not see what was made meanwhile. The lock ends with the connection.
    link.say("SELECT pg_advisory_lock(7171184)").map_err(unmade())?;
    link.say("BEGIN").map_err(unmade())?;
    let found = version(&mut link).map_err(unread())?;
    if found > VERSION {
        return Err(newer(found));
    }
    let rest = usize::try_from(found).unwrap_or(0);
    let mut all = String::from("CREATE TABLE IF NOT EXISTS mlp_schema (version integer NOT NULL);");
    STEPS[rest..].iter().for_each(|step| all.push_str(step));
    all.push_str(&format!("DELETE FROM mlp_schema; INSERT INTO mlp_schema VALUES ({VERSION}); COMMIT"));
    link.say(&all).map_err(unmade())
}
