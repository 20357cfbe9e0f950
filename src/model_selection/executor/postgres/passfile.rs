//! The password file: lines of `host:port:database:user:password`.

use std::fs;
use std::path::PathBuf;

use postgres::Config;

use super::settings::{Environment, host_name};

/// The password that the file has for this server and user. As libpq does it, a file that others may read is left alone.
pub(super) fn password(config: &Config, environment: &Environment) -> Option<String> {
    let named = environment.get("PGPASSFILE").map(PathBuf::from);
    let path = named.or_else(|| Some(PathBuf::from(environment.get("HOME")?).join(".pgpass")))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if fs::metadata(&path).ok()?.permissions().mode() & 0o077 != 0 {
            return None;
        }
    }
    let text = fs::read_to_string(path).ok()?;
    let host = config.get_hosts().first().map(host_name)?;
    // A socket is called localhost here.
    let host = if host.starts_with('/') { "localhost".to_string() } else { host };
    let port = config.get_ports().first().copied().unwrap_or(5432).to_string();
    of_text(&text, [&host, &port, config.get_dbname()?, config.get_user()?])
}

fn of_text(text: &str, sought: [&str; 4]) -> Option<String> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let [host, port, database, user, password] = fields.as_slice() else { return None };
        let fits = [host, port, database, user].into_iter().zip(sought);
        let mut fits = fits.map(|(field, sought)| field == "*" || field == sought);
        fits.all(|fits| fits).then(|| password.clone())
    })
}

/// The fields of a line; a backslash makes a colon or a backslash a letter like any other.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        let last = fields.len() - 1;
        match letter {
            '\\' => fields[last].extend(letters.next()),
            ':' if fields.len() < 5 => fields.push(String::new()),
            letter => fields[last].push(letter),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_gives_the_password() {
        let text = "# mine\nother:*:*:*:no\n*:6000:search:ann:a\\:b\\\\c:d\n*:*:*:*:any\nshort:line\n";
        let of = |sought| of_text(text, sought);
        assert_eq!(of(["db", "6000", "search", "ann"]).as_deref(), Some("a:b\\c:d"));
        assert_eq!(of(["db", "6001", "search", "ann"]).as_deref(), Some("any"));
        assert_eq!(of(["other", "1", "x", "y"]).as_deref(), Some("no"));
        assert_eq!(of_text("db:1:a:b:p\n", ["db", "2", "a", "b"]), None);
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_others_may_read_is_left_alone() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pass");
        fs::write(&path, "*:*:*:*:secret\n").unwrap();
        let environment = Environment::from([("PGPASSFILE".into(), path.display().to_string())]);
        let mut config = Config::new();
        config.host("db").dbname("d").user("u");
        for (mode, found) in [(0o600, Some("secret")), (0o640, None), (0o604, None)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(password(&config, &environment).as_deref(), found, "{mode:o}");
        }
    }
}
