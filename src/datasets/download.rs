//! Files from the network: whole and right, or not there.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sha2::{Digest, Sha256};
use ureq::Agent;

use super::Source;
use super::source::DataFile;

/// Where MNIST has been kept since its first home no longer answers.
const MIRRORS: [&str; 2] =
    ["https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist"];

/// A server that says nothing for so long is given up.
const SILENCE: Duration = Duration::from_secs(30);

/// A file takes at most so many times the longest silence: 10 minutes, unless told otherwise.
const LONGEST: u32 = 20;

/// How far a file has come.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// The file's name.
    pub file: &'a str,
    /// Bytes that have come.
    pub received: u64,
    /// Bytes of the whole file.
    pub total: u64,
}

type Watcher = Arc<dyn Fn(&Progress<'_>) + Send + Sync>;

#[derive(Clone)]
pub(super) struct Network {
    mirrors: Vec<String>,
    silence: Duration,
    watcher: Option<Watcher>,
}

impl Source {
    /// Asks that address, in place of the public mirrors: `https://my.host/mnist`.
    pub fn mirror(mut self, address: impl Into<String>) -> Self {
        self.network.mirrors = vec![address.into()];
        self
    }

    /// Asks that address when those before it have failed.
    pub fn or_mirror(mut self, address: impl Into<String>) -> Self {
        self.network.mirrors.push(address.into());
        self
    }

    /// Gives a server up that is silent for so long (30 seconds, unless told otherwise), and one that takes more than 20
    /// times as long for a file. Less than a millisecond counts as one.
    pub fn timeout(mut self, silence: Duration) -> Self {
        self.network.silence = silence.max(Duration::from_millis(1));
        self
    }

    /// Tells how far a file has come, whenever some of it comes.
    pub fn progress(mut self, watcher: impl Fn(&Progress<'_>) + Send + Sync + 'static) -> Self {
        self.network.watcher = Some(Arc::new(watcher));
        self
    }

    /// Shows a bar on the terminal while a file comes.
    #[cfg(feature = "progress")]
    pub fn progress_bar(self) -> Self {
        let bar = indicatif::ProgressBar::no_length();
        let style = indicatif::ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}");
        let bar = style.map(|style| bar.clone().with_style(style)).unwrap_or(bar);
        self.progress(move |progress| {
            if bar.message() != progress.file || bar.is_finished() {
                bar.reset();
                bar.set_message(progress.file.to_owned());
            }
            bar.set_length(progress.total);
            bar.set_position(progress.received);
            if progress.received == progress.total {
                bar.finish_and_clear();
            }
        })
    }
}

impl Network {
    /// The public mirrors, or the one that the environment names.
    pub(super) fn new(mirror: Option<OsString>) -> Self {
        let mirrors = match mirror {
            Some(mirror) => vec![mirror.to_string_lossy().into_owned()],
            None => MIRRORS.map(str::to_owned).to_vec(),
        };
        Network { mirrors, silence: SILENCE, watcher: None }
    }

    /// Fetches a file from the first mirror that has it; the error lists what each of them said.
    pub(super) fn fetch(&self, file: &DataFile, target: &Path) -> Result<(), String> {
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)
                .map_err(|error| format!("the folder {} cannot be made ({error})", folder.display()))?;
        }
        let mut said = Vec::new();
        for mirror in &self.mirrors {
            let address = format!("{}/{}", mirror.trim_end_matches('/'), file.name);
            match self.fetch_from(&address, file, target) {
                Ok(()) => return Ok(()),
                Err(problem) => said.push(format!("{address}: {problem}")),
            }
        }
        Err(if said.is_empty() { "there is no mirror to ask".into() } else { said.join("; ") })
    }

    fn agent(&self, address: &str) -> Agent {
        let local = ["http://127.", "http://localhost", "http://[::1]"];
        let mut config = Agent::config_builder()
            .timeout_connect(Some(self.silence))
            .timeout_per_read(Some(self.silence))
            .timeout_recv_response(Some(self.silence))
            .timeout_global(Some(self.silence.saturating_mul(LONGEST)))
            .max_redirects(5)
            // Who asks for a safe address is not led to an unsafe one.
            .https_only(address.starts_with("https:"))
            .accept_encoding("identity")
            .user_agent(concat!("linfa-mlp/", env!("CARGO_PKG_VERSION")));
        if local.iter().any(|host| address.starts_with(host)) {
            config = config.proxy(None);
        }
        config.build().into()
    }

    fn fetch_from(&self, address: &str, file: &DataFile, target: &Path) -> Result<(), String> {
        let response = self.agent(address).get(address).call().map_err(|error| error.to_string())?;
        let body = response.into_body();
        if let Some(bytes) = body.content_length().filter(|bytes| *bytes != file.bytes) {
            return Err(format!("it has {bytes} bytes, not {}", file.bytes));
        }
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let part = target.with_file_name(format!(".{}.{}.{number}.part", file.name, std::process::id()));
        let done = self.receive(body.into_reader(), file, &part).and_then(|()| {
            fs::rename(&part, target).map_err(|error| format!("cannot write {} ({error})", target.display()))
        });
        if done.is_err() {
            // It may not be there; what matters is the first error.
            let _ = fs::remove_file(&part);
        }
        done
    }

    /// Writes what comes to a file, and checks its length and checksum.
    fn receive(&self, mut from: impl Read, file: &DataFile, to: &Path) -> Result<(), String> {
        let unwritten = |error: std::io::Error| format!("cannot write {} ({error})", to.display());
        let mut out = File::create(to).map_err(unwritten)?;
        let (mut received, mut hash) = (0, Sha256::new());
        let mut chunk = vec![0; 1 << 16];
        loop {
            let read = from.read(&mut chunk).map_err(|error| format!("after {received} bytes: {error}"))?;
            if read == 0 {
                break;
            }
            received += read as u64;
            if received > file.bytes {
                return Err(format!("it goes on after the {} bytes it should have", file.bytes));
            }
            hash.update(&chunk[..read]);
            out.write_all(&chunk[..read]).map_err(unwritten)?;
            if let Some(watcher) = &self.watcher {
                watcher(&Progress { file: file.name, received, total: file.bytes });
            }
        }
        if received < file.bytes {
            return Err(format!("it ends after {received} of {} bytes", file.bytes));
        }
        let found: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if found != file.sha256 {
            return Err(format!("its SHA-256 is {found}, not {}", file.sha256));
        }
        out.sync_all().map_err(unwritten)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Result};
    use std::io::{BufRead, BufReader};
    use std::net::{TcpListener, TcpStream};
    use std::path::PathBuf;
    use std::sync::Mutex;
    use std::time::Instant;

    const HELLO: DataFile = DataFile {
        data_set: "HELLO",
        folder: "hello",
        name: "hello.bin",
        bytes: 11,
        sha256: "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
    };

    /// A server on this machine that gives each request to a closure; it ends with the test program.
    struct Server {
        address: String,
        asked: Arc<Mutex<Vec<String>>>,
    }

    fn serve(answer: impl Fn(&str, &mut TcpStream) + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines =
                    BufReader::new(stream.try_clone().unwrap()).lines().map_while(|line| line.ok());
                let Some(first) = lines.next() else { continue };
                let path = first.split(' ').nth(1).unwrap().to_owned();
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                log.lock().unwrap().push(path.clone());
                answer(&path, &mut stream);
            }
        });
        Server { address, asked }
    }

    fn say(stream: &mut TcpStream, head: &str, body: &[u8]) {
        // A client that has heard enough may have gone.
        let _ = write!(stream, "HTTP/1.1 {head}\r\nConnection: close\r\n\r\n")
            .and_then(|()| stream.write_all(body));
    }

    fn whole(_: &str, stream: &mut TcpStream) {
        say(stream, "200 OK\r\nContent-Length: 11", b"hello world");
    }

    fn source(server: &Server, cache: &Path) -> Source {
        let mut source =
            Source::new().cache(cache).mirror(&server.address).timeout(Duration::from_millis(300));
        source.network.watcher = None;
        source
    }

    fn read(source: &Source) -> Result<String> {
        source.read(&HELLO, |path| {
            let text = fs::read_to_string(path).unwrap();
            let problem = || Error::DataFile { kind: "HELLO", path: path.into(), problem: "damaged".into() };
            if text == "hello world" { Ok(text) } else { Err(problem()) }
        })
    }

    /// Asks a server that must fail: what is said, with nothing left in the cache.
    fn failure(answer: impl Fn(&str, &mut TcpStream) + Send + 'static) -> String {
        let (server, cache) = (serve(answer), tempfile::tempdir().unwrap());
        let error = read(&source(&server, cache.path())).unwrap_err();
        assert!(matches!(error, Error::NoDataFile { .. }), "{error}");
        assert_eq!(fs::read_dir(cache.path().join("hello")).unwrap().count(), 0, "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("{}/hello.bin: ", server.address)), "{text}");
        assert!(text.contains("put it into") && text.contains("11 bytes, SHA-256 b94d27b9"), "{text}");
        text
    }

    #[test]
    fn a_file_is_fetched_once_and_then_read_from_the_cache() {
        let (server, cache) = (serve(whole), tempfile::tempdir().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let source = source(&server, cache.path())
            .progress(move |now| log.lock().unwrap().push((now.file.to_owned(), now.received, now.total)));
        assert_eq!(read(&source).unwrap(), "hello world");
        assert_eq!(read(&source).unwrap(), "hello world");
        assert_eq!(read(&source.clone().offline()).unwrap(), "hello world");
        assert_eq!(*server.asked.lock().unwrap(), ["/hello.bin"]);
        assert_eq!(seen.lock().unwrap().last(), Some(&("hello.bin".into(), 11, 11)));
        let files: Vec<PathBuf> =
            fs::read_dir(cache.path().join("hello")).unwrap().map(|f| f.unwrap().path()).collect();
        assert_eq!(files, [cache.path().join("hello/hello.bin")]);
    }

    #[test]
    fn a_damaged_file_of_the_cache_is_fetched_again() {
        let (server, cache) = (serve(whole), tempfile::tempdir().unwrap());
        let path = cache.path().join("hello/hello.bin");
        fs::create_dir(cache.path().join("hello")).unwrap();
        fs::write(&path, "hello w").unwrap();
        let source = source(&server, cache.path());
        assert!(matches!(read(&source.clone().offline()), Err(Error::DataFile { .. })));
        assert_eq!(read(&source).unwrap(), "hello world");
        // In a folder of the user's own it is left alone.
        fs::write(&path, "hello w").unwrap();
        assert!(matches!(read(&source.folder(cache.path())), Err(Error::DataFile { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "hello w");
    }

    #[test]
    fn the_next_mirror_is_asked_when_one_fails() {
        let broken = serve(|_, stream| say(stream, "500 Internal Server Error\r\nContent-Length: 0", b""));
        let (server, cache) = (serve(whole), tempfile::tempdir().unwrap());
        let source = source(&broken, cache.path()).or_mirror(format!("{}/", server.address));
        assert_eq!(read(&source).unwrap(), "hello world");
        assert_eq!(*server.asked.lock().unwrap(), ["/hello.bin"]);
    }

    #[test]
    fn what_is_wrong_cut_or_too_long_is_not_kept() {
        let text = failure(|_, stream| say(stream, "200 OK\r\nContent-Length: 11", b"hello_world"));
        assert!(text.contains("its SHA-256 is "), "{text}");
        let text = failure(|_, stream| say(stream, "200 OK\r\nContent-Length: 11", b"hello w"));
        assert!(text.contains("after 7 bytes") || text.contains("after 7 of 11 bytes"), "{text}");
        let text = failure(|_, stream| say(stream, "200 OK", b"hello w"));
        assert!(text.contains("it ends after 7 of 11 bytes"), "{text}");
        let text = failure(|_, stream| say(stream, "200 OK\r\nContent-Length: 12", b"hello world!"));
        assert!(text.contains("it has 12 bytes, not 11"), "{text}");
        let text = failure(|_, stream| {
            say(stream, "200 OK", b"");
            // Without a length, as much as the client takes.
            while stream.write_all(&[0; 4096]).is_ok() {}
        });
        assert!(text.contains("it goes on after the 11 bytes"), "{text}");
        let text = failure(|_, stream| say(stream, "404 Not Found\r\nContent-Length: 3", b"no!"));
        assert!(text.contains("404"), "{text}");
        assert!(!failure(|_, stream| drop(stream.write_all(b"no HTTP at all\r\n\r\n"))).is_empty());
    }

    #[test]
    fn a_silent_server_is_given_up() {
        for head in [None, Some("200 OK\r\nContent-Length: 11")] {
            let start = Instant::now();
            let text = failure(move |_, stream| {
                if let Some(head) = head {
                    say(stream, head, b"hello");
                }
                std::thread::sleep(Duration::from_secs(4));
            });
            assert!(text.contains("timeout"), "{text}");
            assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
        }
    }

    #[test]
    fn redirects_are_followed_but_not_for_ever() {
        let cache = tempfile::tempdir().unwrap();
        let server = serve(|path, stream| match path {
            "/hello.bin" => say(stream, "302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0", b""),
            _ => whole(path, stream),
        });
        assert_eq!(read(&source(&server, cache.path())).unwrap(), "hello world");
        assert_eq!(*server.asked.lock().unwrap(), ["/hello.bin", "/elsewhere"]);
        let text =
            failure(|_, stream| say(stream, "302 Found\r\nLocation: /hello.bin\r\nContent-Length: 0", b""));
        assert!(text.contains("redirect"), "{text}");
    }

    #[test]
    fn offline_and_nobody_there_say_which_file_to_put_where() {
        let (server, cache) = (serve(whole), tempfile::tempdir().unwrap());
        let text = read(&source(&server, cache.path()).offline()).unwrap_err().to_string();
        let place = format!("put it into {}", cache.path().join("hello").display());
        assert!(text.contains("the network is not to be used") && text.contains(&place), "{text}");
        assert!(server.asked.lock().unwrap().is_empty());
        // A port that was free a moment ago.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for address in
            [format!("http://{port}"), "no address".into(), "ftp://127.0.0.1".into(), String::new()]
        {
            let text = read(&source(&server, cache.path()).mirror(&address)).unwrap_err().to_string();
            assert!(text.contains(&place), "{address}: {text}");
        }
        // A cache that cannot be made: there is a file of its name.
        fs::write(cache.path().join("file"), "").unwrap();
        let text = read(&source(&server, &cache.path().join("file"))).unwrap_err().to_string();
        assert!(text.contains("cannot be made"), "{text}");
    }

    #[test]
    fn many_at_once_fetch_one_whole_file() {
        let (server, cache) = (serve(whole), tempfile::tempdir().unwrap());
        let source = source(&server, cache.path()).timeout(Duration::from_secs(5));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(read(&source).unwrap(), "hello world"));
            }
        });
        assert_eq!(fs::read_dir(cache.path().join("hello")).unwrap().count(), 1);
    }
}
