//! Where the server is and who we are: the URL, and what the environment adds to it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use postgres::Config;
use postgres::config::{Host, SslMode};

use super::passfile;
use crate::error::{Error, Result};

/// How connections are made. Its `Debug` form names server, database and user, and nothing that is secret.
#[derive(Clone)]
pub(super) struct Settings {
    pub config: Config,
    /// The certificates to trust.
    pub roots: Option<Roots>,
}

/// Whom to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Roots {
    /// The authorities in this file.
    File(PathBuf),
    /// The public authorities that browsers trust.
    Public,
}

/// The variables of the environment that libpq reads.
pub(super) type Environment = BTreeMap<String, String>;

/// Those of this process.
pub(super) fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("PG") || name == "HOME" || name == "USER")
        .collect()
}

impl Settings {
    /// Reads a URL (`postgresql://user@host:5432/database?sslmode=require`) or key-value pairs, and fills in what it leaves out.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for what cannot be read. The text of the URL is in no error: it may hold a password.
    pub(super) fn of(url: &str, environment: &Environment) -> Result<Self> {
        let var = |name: &str| environment.get(name).filter(|value| !value.is_empty());
        let (plain, mode, root) = without_tls(url);
        // What the parser says may repeat a part of the URL.
        let mut config = Config::from_str(&plain).map_err(|_| {
            let allowed =
                "a URL such as postgresql://user@host:5432/database, or pairs such as host=… dbname=…";
            Error::parameter("url of the database", "no such text (it is not shown)", allowed)
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            let host = var("PGHOST").map_or_else(|| default_host().to_string(), Clone::clone);
            host.split(',').for_each(|host| {
                config.host(host);
            });
        }
        if config.get_ports().is_empty()
            && let Some(port) = var("PGPORT")
        {
            let bad = || Error::parameter("PGPORT", port, "a port from 1 to 65535");
            config.port(port.parse().ok().filter(|&port: &u16| port > 0).ok_or_else(bad)?);
        }
        if config.get_user().is_none() {
            let user = var("PGUSER").or_else(|| var("USER"));
            config.user(user.map_or("postgres", String::as_str));
        }
        if config.get_dbname().is_none() {
            let user = config.get_user().unwrap_or_default().to_string();
            config.dbname(var("PGDATABASE").unwrap_or(&user));
        }
        if config.get_password().is_none() {
            let password = var("PGPASSWORD").cloned();
            if let Some(password) = password.or_else(|| passfile::password(&config, environment)) {
                config.password(password);
            }
        }
        let mode = mode.or_else(|| var("PGSSLMODE").cloned());
        config.ssl_mode(ssl_mode(mode.as_deref())?);
        let root = root.or_else(|| var("PGSSLROOTCERT").cloned());
        let own = var("HOME").map(|home| PathBuf::from(home).join(".postgresql/root.crt"));
        let roots = match root.as_deref() {
            _ if config.get_ssl_mode() == SslMode::Disable => None,
            Some("system") => Some(Roots::Public),
            Some(file) => Some(Roots::File(file.into())),
            None => Some(own.filter(|file| file.is_file()).map_or(Roots::Public, Roots::File)),
        };
        Ok(Settings { config, roots })
    }
}

/// As `server:5432/database`.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.config.get_hosts().iter().map(host_name);
        let hosts: Vec<String> =
            hosts.chain(self.config.get_hostaddrs().iter().map(ToString::to_string)).collect();
        let ports: Vec<String> = self.config.get_ports().iter().map(ToString::to_string).collect();
        let ports = if ports.is_empty() { String::new() } else { format!(":{}", ports.join(",")) };
        write!(f, "{}{ports}/{}", hosts.join(","), self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("server", &self.to_string())
            .field("user", &self.config.get_user())
            .field("roots", &self.roots)
            .finish_non_exhaustive()
    }
}

pub(super) fn host_name(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    }
}

/// The socket of the machine's own server, as Debian and libpq have it, or the loopback.
fn default_host() -> &'static str {
    let sockets = ["/var/run/postgresql", "/tmp"];
    let there = |folder: &&str| cfg!(unix) && PathBuf::from(folder).join(".s.PGSQL.5432").exists();
    sockets.into_iter().find(there).unwrap_or("localhost")
}

/// A mode of libpq. Certificates are verified in all of them but `disable`, which uses none.
fn ssl_mode(mode: Option<&str>) -> Result<SslMode> {
    match mode.unwrap_or("prefer") {
        "disable" => Ok(SslMode::Disable),
        "allow" | "prefer" => Ok(SslMode::Prefer),
        "require" | "verify-ca" | "verify-full" => Ok(SslMode::Require),
        other => {
            let allowed = "disable, allow, prefer, require, verify-ca or verify-full";
            Err(Error::parameter("sslmode", other, allowed))
        }
    }
}

/// The text without `sslmode` and `sslrootcert`, which the parser knows in part only, and their values.
fn without_tls(url: &str) -> (String, Option<String>, Option<String>) {
    let (mut mode, mut root) = (None, None);
    let mut take = |pair: &str| {
        let place = match pair.split_once('=') {
            Some(("sslmode", value)) => (&mut mode, value),
            Some(("sslrootcert", value)) => (&mut root, value),
            _ => return false,
        };
        *place.0 = Some(decoded(place.1));
        true
    };
    let is_url = url.starts_with("postgres://") || url.starts_with("postgresql://");
    let plain = match url.split_once('?').filter(|_| is_url) {
        Some((address, query)) => {
            let rest: Vec<&str> = query.split('&').filter(|pair| !take(pair)).collect();
            if rest.is_empty() { address.to_string() } else { format!("{address}?{}", rest.join("&")) }
        }
        None if is_url => url.to_string(),
        None => url.split_whitespace().filter(|pair| !take(pair)).collect::<Vec<_>>().join(" "),
    };
    (plain, mode, root)
}

/// A value of a URL: `%2F` is a slash.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = (*first == b'%').then(|| std::str::from_utf8(tail.get(..2)?).ok()).flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    fn of(url: &str, pairs: &[(&str, &str)]) -> Settings {
        Settings::of(url, &with(pairs)).unwrap()
    }

    #[test]
    fn the_environment_fills_what_the_url_leaves_out() {
        let pairs = [
            ("PGHOST", "db.example"),
            ("PGPORT", "6000"),
            ("PGUSER", "ann"),
            ("PGPASSWORD", "secret"),
            ("PGDATABASE", "search"),
        ];
        let settings = of("postgresql://", &pairs);
        assert_eq!(settings.to_string(), "db.example:6000/search");
        assert_eq!(settings.config.get_user(), Some("ann"));
        assert_eq!(settings.config.get_password(), Some(&b"secret"[..]));
        let settings = of("postgresql://bob:own@other:7/mine", &pairs);
        assert_eq!(settings.to_string(), "other:7/mine");
        assert_eq!(
            (settings.config.get_user(), settings.config.get_password()),
            (Some("bob"), Some(&b"own"[..]))
        );
        let settings = of("host=third", &[("USER", "eve")]);
        assert_eq!(settings.to_string(), "third/eve");
    }

    #[test]
    fn modes_and_roots_come_from_url_or_environment() {
        let of = |url, pairs: &[_]| {
            let settings = of(url, pairs);
            (settings.config.get_ssl_mode(), settings.roots)
        };
        let file = |path: &str| Some(Roots::File(path.into()));
        assert_eq!(of("postgres://h/d", &[]), (SslMode::Prefer, Some(Roots::Public)));
        assert_eq!(of("postgres://h/d?sslmode=disable", &[]), (SslMode::Disable, None));
        let url = "postgres://h/d?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.crt&connect_timeout=3";
        assert_eq!(of(url, &[("PGSSLMODE", "disable")]), (SslMode::Require, file("/etc/ca.crt")));
        let pairs = [("PGSSLMODE", "require"), ("PGSSLROOTCERT", "ca.pem")];
        assert_eq!(of("host=h sslmode=prefer", &pairs), (SslMode::Prefer, file("ca.pem")));
        assert_eq!(of("postgres://h/d?sslrootcert=system", &pairs), (SslMode::Require, Some(Roots::Public)));
        let error = Settings::of("postgres://h/d?sslmode=maybe", &with(&[])).unwrap_err().to_string();
        assert!(error.starts_with("sslmode must be disable"), "{error}");
    }

    #[test]
    fn nothing_secret_is_shown() {
        let settings = of("postgresql://ann:hunter2@db.example/search", &[]);
        assert!(!format!("{settings:?} {settings}").contains("hunter2"));
        for bad in [
            "postgresql://ann:hunter2@db.example:port/search",
            "postgresql://ann:hunter2@[db/search",
            "host=db password='hunter2",
            "hunter2",
            "password=hunter2 port=x",
        ] {
            let error = Settings::of(bad, &with(&[])).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{bad}: {error}");
        }
        let error = Settings::of("postgres://", &with(&[("PGPORT", "0")])).unwrap_err().to_string();
        assert!(error.starts_with("PGPORT must be"), "{error}");
    }
}
