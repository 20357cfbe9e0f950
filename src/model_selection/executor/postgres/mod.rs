//! Fits on many machines, which find each other in a PostgreSQL database.
//!
//! Every machine runs the whole program: data, candidates, rungs, ranking and refit are computed by each from the same rows, so
//! that all agree without a word. The database holds what they share.
//!
//! | table | holds |
//! | --- | --- |
//! | `mlp_study` | the name and identity of each study |
//! | `mlp_fit` | the fits, with their rows once they are finished |
//! | `mlp_attempt` | who has started which fit, and whether that came to an end |
//! | `mlp_state` | unfinished training of candidates that may go on |
//! | `mlp_candidates` | a view with a line for each candidate, to be read by people |
//!
//! The lock of a fit's row is its lease: the database lets go of it when a worker's process dies, when its link is cut, and when it
//! hangs, and the fit is free for the others at once.

mod passfile;
mod schema;
mod session;
mod settings;
mod shift;
mod stage;
mod status;
mod study;
mod tls;

pub use status::{CandidateStatus, StudyStatus};

use std::sync::Arc;
use std::time::Duration;

use rayon::ThreadPool;

use self::session::Server;
use self::settings::{Settings, environment};
use self::study::{JoinedStudy, Terms, apart};
use super::{Executor, Joined, SharedStore, Work};
use crate::error::{Error, Result, check};
use crate::model_selection::journal::Study;
use crate::model_selection::results::FitRow;

/// Runs a search on every machine that starts the same program with the same database and the same name of the study.
///
/// Machines may join, leave and die at any time. Each returns the same results and the same refitted model as
/// [`RayonExecutor`](super::RayonExecutor) does, times aside; a search that all have left goes on when somebody starts the
/// program again.
///
/// | setting | default | meaning |
/// | --- | --- | --- |
/// | [`connect`](Postgres::connect) | – | the database; the environment of libpq fills what the URL leaves out |
/// | [`study`](Postgres::study) | `default` | which rows belong together |
/// | [`tag`](Postgres::tag) | none | stands for code that has no settings; rows of another tag are refused |
/// | [`max_attempts`](Postgres::max_attempts) | 3 | how many processes a fit may end before it is given up as failed |
/// | [`retry_failed`](Postgres::retry_failed) | off | fits again what failed or was given up |
/// | [`pool`](Postgres::pool) | the current rayon pool | the threads of this machine that fit |
/// | [`lease`](Postgres::lease) | 60 s | how long the database waits for a sign of life; fits may be as long as they like |
/// | [`patience`](Postgres::patience) | 10 min | how long a database that is away is waited for |
///
/// # What is the same
///
/// A study is everything that a [journal](crate::model_selection::Journal) sees, and the candidates that the search starts
/// with. A program whose study is another one is refused, with both values: use another name.
///
/// # What happens when
///
/// | it happens that | then |
/// | --- | --- |
/// | a process is killed, or its machine lost | its fits are free for the others once the connection is closed |
/// | its link is cut, or it hangs | so they are after the lease |
/// | it comes back | its finished rows are written if nobody else has; else it takes what is there |
/// | a fit ends its process, again and again | it is given up after `max_attempts`, as failed; so is one whose processes were killed as often |
/// | the database restarts or is away | fits go on, connections are made again, for as long as `patience` |
/// | all processes are killed | the program that is started next goes on with the rows that are there |
/// | the search is told to stop | this process returns what there is; the others go on |
///
/// A fit that runs twice gives the same row, since its seed is its own: the first that is written counts.
///
/// # Security
///
/// Passwords come from the URL, `PGPASSWORD` or the password file, and are shown nowhere. Connections are encrypted when the
/// server can, and must be with `sslmode=require`; certificates are always verified, against `sslrootcert` (or
/// `PGSSLROOTCERT`), `~/.postgresql/root.crt` or else the public authorities.
///
/// # Examples
///
/// ```no_run
/// use linfa::traits::Fit;
/// use linfa_elasticnet::ElasticNet;
/// use linfa_mlp::model_selection::{GridSearch, KFold, Postgres};
///
/// let search = GridSearch::new(ElasticNet::params())
///     .axis("penalty", [0.01, 0.1, 1.0], |p, v| p.penalty(v))
///     .cv(KFold::new(5))
///     .executor(Postgres::connect("postgresql://ann@db.example/search")?.study("diabetes"))
///     .fit(&linfa_datasets::diabetes())?;
/// println!("{}", search.results());
/// # Ok::<(), linfa_mlp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Postgres {
    server: Arc<Server>,
    study: String,
    tag: Option<String>,
    max_attempts: usize,
    retry_failed: bool,
    pool: Option<Arc<ThreadPool>>,
}

impl Postgres {
    /// Connects to a database, and makes the tables when there are none.
    ///
    /// The URL is that of libpq, `postgresql://user:password@host:port/database?sslmode=…&sslrootcert=…`, or its pairs,
    /// `host=… dbname=…`. What it leaves out comes from `PGHOST`, `PGPORT`, `PGDATABASE`, `PGUSER`, `PGPASSWORD`, `PGPASSFILE`
    /// (or `~/.pgpass`), `PGSSLMODE` and `PGSSLROOTCERT`.
    ///
    /// # Errors
    ///
    /// - [`Error::Parameter`] for a URL that cannot be read, and for tables of a later version of this crate
    /// - [`Error::File`], [`Error::DataFile`] for a file of authorities that cannot be used
    /// - [`Error::Database`] when the server cannot be reached, does not let this user in, or does not let it make the tables
    ///
    /// No error shows the URL or a password.
    pub fn connect(url: impl AsRef<str>) -> Result<Self> {
        let server = Arc::new(Server::new(Settings::of(url.as_ref(), &environment())?)?);
        apart(|| schema::prepare(&server))?;
        Ok(Postgres {
            server,
            study: "default".into(),
            tag: None,
            max_attempts: 3,
            retry_failed: false,
            pool: None,
        })
    }

    /// The name of the study, by which processes find each other.
    #[must_use]
    pub fn study(mut self, name: impl Into<String>) -> Self {
        self.study = name.into();
        self
    }

    /// Stands for code that has no settings, such as a closure: see [`Journal::tag`](crate::model_selection::Journal::tag).
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// How many processes may end in the middle of a fit before it is given up; at least 1. What cannot be told apart from it
    /// counts too: a machine that is lost, a process that a scheduler kills.
    #[must_use]
    pub fn max_attempts(mut self, max_attempts: usize) -> Self {
        self.max_attempts = max_attempts;
        self
    }

    /// Fits again what failed or was given up before, once the reason is gone. For a study that nobody else is at: others keep the
    /// failed rows that they have seen.
    #[must_use]
    pub fn retry_failed(mut self) -> Self {
        self.retry_failed = true;
        self
    }

    /// The threads that fit, and wait for other machines, instead of the current pool.
    #[must_use]
    pub fn pool(mut self, pool: Arc<ThreadPool>) -> Self {
        self.pool = Some(pool);
        self
    }

    /// How long the database keeps the fits of a process that it does not hear of: from a second to a day. A process that lives says
    /// so three times as often.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        Arc::make_mut(&mut self.server).lease = lease;
        self
    }

    /// How long a database that is away is waited for, before the search ends with an error.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        Arc::make_mut(&mut self.server).patience = patience;
        self
    }

    /// What the study looks like now, from any machine. None when nobody has begun it.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] when it cannot be read.
    pub fn status(&self) -> Result<Option<StudyStatus>> {
        apart(|| status::read(&self.server, &self.study))
    }

    /// Removes the study with its rows. Says whether there was one.
    ///
    /// It waits for the fits that are under way, for as long as a [`lease`](Postgres::lease). Processes that are at the study notice
    /// within a minute, and end with an error.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] when it cannot be removed, also because a fit under way takes longer than the lease: end its process first.
    pub fn forget(&self) -> Result<bool> {
        let name = &self.study;
        let gone = apart(|| -> Result<u64, postgres::Error> {
            let mut link = self.server.connect()?;
            let gone = link.change("DELETE FROM mlp_study WHERE name = $1", &[name])?;
            // One after the other: a process that writes a row has its attempt first and the row then.
            let sql =
                "DELETE FROM mlp_attempt a WHERE NOT EXISTS (SELECT FROM mlp_study s WHERE s.id = a.study)";
            link.change(sql, &[])?;
            Ok(gone)
        });
        gone.map(|gone| gone > 0).map_err(|error| self.server.error("cannot remove a study from", error))
    }
}

impl SharedStore for Postgres {
    fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    fn join(&self, study: &Study) -> Result<Joined> {
        check("study", "empty", !self.study.is_empty(), "at least one letter")?;
        check("max_attempts", self.max_attempts, self.max_attempts >= 1, "at least 1")?;
        let lease = self.server.lease;
        let seconds = format!("{} s", lease.as_secs_f64());
        let day = Duration::from_secs(24 * 60 * 60);
        check("lease", seconds, (Duration::from_secs(1)..=day).contains(&lease), "from 1 s to a day")?;
        let (max_attempts, retry_failed) = (self.max_attempts, self.retry_failed);
        let terms = Terms { pool: self.pool.clone(), max_attempts, retry_failed };
        let joined = apart(|| JoinedStudy::join(Arc::clone(&self.server), &self.study, study, terms))?;
        let joined = Arc::new(joined);
        Ok(Joined { store: Arc::clone(&joined) as _, executor: joined })
    }
}

impl Executor for Postgres {
    fn threads(&self) -> usize {
        self.pool.as_ref().map_or_else(rayon::current_num_threads, |pool| pool.current_num_threads())
    }

    fn store(&self) -> Option<&dyn SharedStore> {
        Some(self)
    }

    fn execute(&self, _: &dyn Work, _: &(dyn Fn(FitRow) + Sync)) -> Result<()> {
        let allowed = "one of this process for fits of which more is kept than a row";
        Err(Error::parameter("executor", "a database", allowed))
    }
}
