//! Connections that are made again when they are lost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant, SystemTime};

use postgres::error::SqlState;
use postgres::types::ToSql;
use postgres::{Client, NoTls, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::settings::Settings;
use super::tls;
use crate::error::{Error, Result};
use crate::rng::Stream;

/// The shortest and the longest wait before a connection is tried again.
const WAITS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(10)];

/// How connections are made: to whom, and what they are told first.
#[derive(Clone)]
pub(super) struct Server {
    settings: Settings,
    tls: Option<MakeRustlsConnect>,
    /// For how long the server keeps the lock of somebody it does not hear of.
    pub lease: Duration,
    /// For how long a server that is away is waited for.
    pub patience: Duration,
    /// Who this process is.
    pub worker: String,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Server { settings, tls, lease, patience, worker } = self;
        f.debug_struct("Server")
            .field("settings", settings)
            .field("tls", &tls.is_some())
            .field("lease", lease)
            .field("patience", patience)
            .field("worker", worker)
            .finish()
    }
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.settings.fmt(f)
    }
}

impl Server {
    pub(super) fn new(settings: Settings) -> Result<Self> {
        let tls = settings.roots.as_ref().map(tls::connector).transpose()?;
        let (lease, patience) = (Duration::from_secs(60), Duration::from_secs(600));
        Ok(Server { settings, tls, lease, patience, worker: worker() })
    }

    /// A new connection. The server is told to end it when it hears nothing for as long as the lease, and so is the system.
    pub(super) fn connect(&self) -> Result<Link, postgres::Error> {
        let mut config = self.settings.config.clone();
        let third = (self.lease / 3).max(Duration::from_secs(1));
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        config.keepalives_idle(third).keepalives_interval(third).keepalives_retries(2);
        // A connection that is half open must not keep the signs of life of the others.
        config.tcp_user_timeout(third);
        if config.get_application_name().is_none() {
            config.application_name(&format!("linfa-mlp {}", self.worker));
        }
        let mut client = match &self.tls {
            Some(tls) => config.connect(tls.clone())?,
            None => config.connect(NoTls)?,
        };
        let (lease, seconds) = (self.lease.as_millis(), third.as_secs());
        // A statement only takes long where the server is in trouble.
        let statement = (4 * lease).max(60_000);
        client.batch_execute(&format!(
            "SET client_min_messages = warning; SET default_transaction_isolation = 'read committed'; \
             SET idle_in_transaction_session_timeout = {lease}; SET lock_timeout = {lease}; \
             SET statement_timeout = {statement}; SET tcp_keepalives_idle = {seconds}; \
             SET tcp_keepalives_interval = {seconds}; SET tcp_keepalives_count = 2; \
             SET tcp_user_timeout = {lease}"
        ))?;
        Ok(Link { client, prepared: BTreeMap::new(), in_transaction: false })
    }

    /// The error of something that could not be done.
    pub(super) fn error(&self, action: &'static str, source: postgres::Error) -> Error {
        Error::Database { action, database: self.to_string(), source: Box::new(Cause(source)) }
    }
}

/// An error of the client, whose own text leaves out the reason.
#[derive(Debug)]
struct Cause(postgres::Error);

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(error) = self.0.as_db_error() {
            return write!(f, "{}: {}", error.severity(), error.message());
        }
        write!(f, "{}", self.0)?;
        let mut cause = std::error::Error::source(&self.0);
        while let Some(inner) = cause {
            write!(f, ": {inner}")?;
            cause = inner.source();
        }
        Ok(())
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// Chance on which nothing depends that is computed: who waits for how long, and who looks where.
pub(super) fn chance() -> Stream {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Stream::new(u64::from(std::process::id())).at(u64::from(time.subsec_nanos()))
}

/// `host:process.start`: a process that is started again is another one, also where processes have the same number each time.
fn worker() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = || std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok();
    let host = kernel.or_else(named).unwrap_or_else(|| "somewhere".into());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("{}:{}.{:x}", host.trim(), std::process::id(), now.as_millis() & 0xff_ffff)
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("server", &self.server).finish_non_exhaustive()
    }
}

/// An open connection, and the statements that it knows.
pub(super) struct Link {
    client: Client,
    prepared: BTreeMap<&'static str, Statement>,
    /// Whether a transaction is open that nothing has been done in.
    pub in_transaction: bool,
}

type Params<'p> = &'p [&'p (dyn ToSql + Sync)];

impl Link {
    fn prepare(&mut self, sql: &'static str) -> Result<Statement, postgres::Error> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql)?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }

    pub(super) fn rows(
        &mut self,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, postgres::Error> {
        let statement = self.prepare(sql)?;
        self.client.query(&statement, params)
    }

    /// The rows that were changed.
    pub(super) fn change(&mut self, sql: &'static str, params: Params<'_>) -> Result<u64, postgres::Error> {
        let statement = self.prepare(sql)?;
        self.client.execute(&statement, params)
    }

    /// Statements without parameters, in one message.
    pub(super) fn say(&mut self, sql: &str) -> Result<(), postgres::Error> {
        self.client.batch_execute(sql)
    }
}

/// A connection that is made when it is needed.
pub(super) struct Session {
    server: Arc<Server>,
    link: Mutex<Option<Link>>,
}

impl Session {
    pub(super) fn new(server: &Arc<Server>) -> Self {
        Session { server: Arc::clone(server), link: Mutex::new(None) }
    }

    fn link(&self) -> MutexGuard<'_, Option<Link>> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something once. A connection on which something failed is given up, and with it all its locks.
    pub(super) fn once<R>(
        &self,
        what: impl FnOnce(&mut Link) -> Result<R, postgres::Error>,
    ) -> Result<R, postgres::Error> {
        self.on(&mut self.link(), what)
    }

    /// As [`once`](Session::once), unless the connection is at work for somebody else.
    pub(super) fn if_free<R>(
        &self,
        what: impl FnOnce(&mut Link) -> Result<R, postgres::Error>,
    ) -> Option<Result<R, postgres::Error>> {
        match self.link.try_lock() {
            Ok(mut held) => Some(self.on(&mut held, what)),
            Err(TryLockError::Poisoned(held)) => Some(self.on(&mut held.into_inner(), what)),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn on<R>(
        &self,
        held: &mut Option<Link>,
        what: impl FnOnce(&mut Link) -> Result<R, postgres::Error>,
    ) -> Result<R, postgres::Error> {
        let mut link = match held.take() {
            Some(link) if !link.client.is_closed() => link,
            _ => self.server.connect()?,
        };
        let done = what(&mut link)?;
        *held = Some(link);
        Ok(done)
    }

    /// Does something that may be done twice, again and again while the server is away, until `stop` says so.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] for what waiting does not mend, and when the server was away for too long.
    pub(super) fn run<R>(
        &self,
        action: &'static str,
        stop: &dyn Fn() -> bool,
        mut what: impl FnMut(&mut Link) -> Result<R, postgres::Error>,
    ) -> Result<R> {
        self.run_for(self.server.patience, action, stop, &mut what)
    }

    /// As [`run`](Session::run), for what only saves time: a lease is long enough to wait.
    pub(super) fn try_run<R>(
        &self,
        action: &'static str,
        mut what: impl FnMut(&mut Link) -> Result<R, postgres::Error>,
    ) -> Result<R> {
        let patience = self.server.patience.min(self.server.lease);
        self.run_for(patience, action, &|| false, &mut what)
    }

    fn run_for<R>(
        &self,
        patience: Duration,
        action: &'static str,
        stop: &dyn Fn() -> bool,
        mut what: impl FnMut(&mut Link) -> Result<R, postgres::Error>,
    ) -> Result<R> {
        let mut away = Away::new(patience);
        loop {
            match self.once(&mut what) {
                Ok(done) => return Ok(done),
                Err(error) if !passes(&error) || !away.wait(stop) => {
                    return Err(self.server.error(action, error));
                }
                Err(_) => {}
            }
        }
    }

    /// Says to the server that this process lives, unless it hears of it anyway. False when the connection was lost, and with it
    /// its locks.
    pub(super) fn beat(&self) -> bool {
        let Ok(mut held) = self.link.try_lock() else { return true };
        if held.as_mut().is_some_and(|link| link.say("SELECT 1").is_err()) {
            *held = None;
        }
        held.is_some()
    }

    /// The connection, closed by whoever drops it.
    pub(super) fn take(&self) -> Option<Link> {
        self.link().take()
    }

    /// Lets go of what the open transaction holds, if there is one.
    pub(super) fn rest(&self) {
        let mut held = self.link();
        let open = held.as_mut().filter(|link| link.in_transaction);
        if open.is_some_and(|link| link.say("ROLLBACK").map(|()| link.in_transaction = false).is_err()) {
            *held = None;
        }
    }
}

/// A server that is away.
pub(super) struct Away {
    since: Instant,
    patience: Duration,
    times: u32,
}

impl Away {
    pub(super) fn new(patience: Duration) -> Self {
        Away { since: Instant::now(), patience, times: 0 }
    }

    /// Waits a little longer each time, and not all processes as long. False when there is no more waiting.
    pub(super) fn wait(&mut self, stop: &dyn Fn() -> bool) -> bool {
        if self.since.elapsed() >= self.patience || stop() {
            return false;
        }
        let wait = WAITS[0].saturating_mul(1 << self.times.min(10)).min(WAITS[1]);
        let end = Instant::now() + wait.mul_f64(0.5 + 0.5 * chance().uniform());
        self.times += 1;
        while Instant::now() < end && !stop() {
            std::thread::sleep(WAITS[0].min(end.saturating_duration_since(Instant::now())));
        }
        true
    }
}

/// Whether an error may be gone the next time: the server is away, restarts, or is too busy.
pub(super) fn passes(error: &postgres::Error) -> bool {
    let Some(state) = error.code() else {
        // Without a state of the server it is the connection; but nobody gets past a wrong certificate.
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            if inner.is::<rustls::Error>() {
                return false;
            }
            let io = inner.downcast_ref::<std::io::Error>();
            if io.and_then(std::io::Error::get_ref).is_some_and(|inner| inner.is::<rustls::Error>()) {
                return false;
            }
            cause = inner.source();
        }
        return true;
    };
    let known = [
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        // What a server says that has become, or is not yet, the first of its kind.
        SqlState::READ_ONLY_SQL_TRANSACTION,
    ];
    // Connections, resources (a full disk among them), whoever looks after the server, and its system.
    let classes = ["08", "53", "57", "58"];
    let passing = classes.iter().any(|class| state.code().starts_with(class));
    known.contains(state) || (passing && *state != SqlState::DATABASE_DROPPED)
}

/// As [`passes`], of an error that [`Session::run`] gave.
pub(super) fn is_away(error: &Error) -> bool {
    let Error::Database { source, .. } = error else { return false };
    source.downcast_ref::<Cause>().is_some_and(|cause| passes(&cause.0))
}
