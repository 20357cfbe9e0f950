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
        // The environment has a say only where the text has none, whoever understood it.
        let unsaid = config.get_ssl_mode() == SslMode::Prefer;
        if let Some(mode) = mode.or_else(|| var("PGSSLMODE").filter(|_| unsaid).cloned()) {
            config.ssl_mode(ssl_mode(&mode)?);
        }
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
fn ssl_mode(mode: &str) -> Result<SslMode> {
    match mode {
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
    let mut take = |name: &str, value: String| {
        match name {
            "sslmode" => mode = Some(value),
            "sslrootcert" => root = Some(value),
            _ => return false,
        }
        true
    };
    let plain = if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        // User and password come first, and a password may hold anything.
        let address = url.find('@').map_or(0, |at| at + 1);
        match url[address..].find('?').map(|mark| url.split_at(address + mark)) {
            Some((before, query)) => {
                let mut taken = |pair: &&str| {
                    pair.split_once('=').is_some_and(|(name, value)| take(name, decoded(value)))
                };
                let rest: Vec<&str> = query[1..].split('&').filter(|pair| !taken(pair)).collect();
                if rest.is_empty() { before.to_string() } else { format!("{before}?{}", rest.join("&")) }
            }
            None => url.to_string(),
        }
    } else {
        let mut plain = String::new();
        let mut rest = url;
        while let Some((pair, name, value, after)) = next_pair(rest) {
            if !take(name, value) {
                plain.push_str(pair);
                plain.push(' ');
            }
            rest = after;
        }
        // What is no pair is for the parser to refuse.
        plain + rest
    };
    (plain, mode, root)
}

/// The first pair of a text such as `host = db password='two words'`, as it stands; its name, its value without quotes and
/// backslashes; and what follows. None when there is no whole one.
fn next_pair(text: &str) -> Option<(&str, &str, String, &str)> {
    let text = text.trim_start();
    let equals = text.find('=')?;
    let name = text[..equals].trim_end();
    let begin = equals + 1 + text[equals + 1..].len() - text[equals + 1..].trim_start().len();
    let quoted = text[begin..].starts_with('\'');
    let mut value = String::new();
    let mut letters = text[begin..].char_indices().skip(usize::from(quoted));
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => value.push(letters.next()?.1),
            '\'' if quoted => {
                let end = begin + at + 1;
                return Some((&text[..end], name, value, &text[end..]));
            }
            space if space.is_whitespace() && !quoted => {
                return Some((&text[..begin + at], name, value, &text[begin + at..]));
            }
            other => value.push(other),
        }
    }
    (!quoted).then_some((text, name, value, ""))
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
        let settings = of(r"host = h  password = 'two  \'words\'' sslmode=prefer user=a\ b", &[]);
        assert_eq!(settings.config.get_password(), Some(&b"two  'words'"[..]));
        assert_eq!(settings.config.get_user(), Some("a b"));
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
        // Spaces around the sign, quotes, and passwords with anything in them.
        let required = (SslMode::Require, Some(Roots::Public));
        assert_eq!(of("host=h sslmode = require", &[]), required);
        assert_eq!(of("host=h password='a  b\\' sslmode=disable' sslmode='require'", &[]), required);
        assert_eq!(of("postgres://ann:a?sslmode=disable@h/d?sslmode=require", &[]), required);
        assert_eq!(of("postgres://ann:a?b@h/d?sslmode=require", &[("PGSSLMODE", "disable")]), required);
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
