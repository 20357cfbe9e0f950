//! A server of a test's own.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running server with an empty data folder; it ends with the value.
pub struct Server {
    folder: TempDir,
    programs: PathBuf,
    pub port: u16,
    settings: String,
}

/// Where `initdb` and `pg_ctl` are.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
}

pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.starts_with(b"0"))
}

/// A command as somebody whom the server lets run it: it refuses root.
fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

fn run(command: &mut Command) {
    let output = command.output().expect("the command starts");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}");
}

impl Server {
    /// A new server, or none, with a word about it, where there is no PostgreSQL.
    pub fn start() -> Option<Server> {
        Server::with("", |_| {})
    }

    /// With these settings of the command line, after `prepare` has seen the data folder.
    pub fn with(settings: &str, prepare: impl FnOnce(&Path)) -> Option<Server> {
        let Some(programs) = programs() else {
            eprintln!("skipped: there is no PostgreSQL on this machine (Debian's package is postgresql)");
            return None;
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let data = folder.path().join("data");
        let mut initdb = command(programs.join("initdb"));
        run(initdb
            .args(["--no-sync", "-U", "mlp", "--auth-local=trust", "--auth-host=scram-sha-256", "-E", "UTF8"])
            .arg("-D")
            .arg(&data));
        prepare(&data);
        if is_root() {
            run(Command::new("chown").arg("-R").arg("postgres").arg(&data));
        }
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.expect("a free port").port();
        let server = Server { folder, programs, port, settings: settings.into() };
        server.control(&["start"]);
        Some(server)
    }

    /// `pg_ctl`.
    fn control(&self, arguments: &[&str]) {
        let sockets = self.folder.path().display();
        let options = format!(
            "-k {sockets} -p {} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200 {}",
            self.port, self.settings
        );
        let mut control = command(self.programs.join("pg_ctl"));
        control.arg("-D").arg(self.folder.path().join("data")).args(["-w", "-o", &options, "-l"]);
        control.arg(self.folder.path().join("log")).args(arguments);
        // The server must not hold the test's own output open.
        let status = control.stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.expect("pg_ctl starts").success(), "{}", self.log());
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends it as a crash does, and starts it again after that time.
    pub fn crash(&self, away: Duration) {
        self.control(&["stop", "-m", "immediate"]);
        std::thread::sleep(away);
        self.control(&["start"]);
    }

    /// Through its socket, as the user who may do everything.
    pub fn url(&self) -> String {
        format!(
            "host={} port={} user=mlp dbname=postgres sslmode=disable",
            self.folder.path().display(),
            self.port
        )
    }

    pub fn client(&self) -> postgres::Client {
        postgres::Client::connect(&self.url(), postgres::NoTls).expect("the server answers")
    }

    /// The processor time that all processes of the server have taken so far, on Linux.
    pub fn cpu_seconds(&self) -> f64 {
        const TICKS: f64 = 100.0;
        let file = self.folder.path().join("data").join("postmaster.pid");
        let first = fs::read_to_string(file).expect("the server runs");
        let first = first.lines().next().expect("a number").to_string();
        let mut ticks = 0.0;
        for process in fs::read_dir("/proc").expect("there is /proc").flatten() {
            let Ok(stat) = fs::read_to_string(process.path().join("stat")) else { continue };
            // Behind the name, which may hold anything: state, parent, …
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            let number = |field: usize| fields[field].parse().unwrap_or(0.0);
            if process.file_name() == first.as_str() {
                // With that of the children that have ended.
                ticks += number(11) + number(12) + number(13) + number(14);
            } else if fields[1] == first {
                ticks += number(11) + number(12);
            }
        }
        ticks / TICKS
    }

    /// A statement, and the first column of what it gives, as text.
    pub fn sql(&self, statement: &str) -> Vec<String> {
        let messages = self.client().simple_query(statement).expect("the statement is right");
        let text = |message: &postgres::SimpleQueryMessage| match message {
            postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("null").to_string()),
            _ => None,
        };
        messages.iter().filter_map(text).collect()
    }

    pub fn count(&self, statement: &str) -> usize {
        self.sql(statement)[0].parse().expect("a number")
    }

    /// The rows that are written.
    pub fn rows(&self) -> usize {
        let there = self.sql("SELECT to_regclass('mlp_fit') IS NOT NULL");
        if there == ["t"] { self.count("SELECT count(*) FROM mlp_fit WHERE row IS NOT NULL") } else { 0 }
    }

    /// Waits until so many rows are written.
    pub fn wait_for_rows(&self, rows: usize) {
        let begin = Instant::now();
        while self.rows() < rows {
            assert!(
                begin.elapsed() < Duration::from_secs(120),
                "{} of {rows} rows\n{}",
                self.rows(),
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = command(self.programs.join("pg_ctl"));
        stop.arg("-D").arg(self.folder.path().join("data")).args(["-m", "immediate", "stop"]);
        let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}
