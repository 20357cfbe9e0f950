//! Where the files of a data set are.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Where the files of a data set are looked for, in this order:
///
/// 1. a folder that is [given](Self::folder), else the one that `LINFA_MLP_DATA` names;
/// 2. the user's cache: `linfa-mlp` in `$XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches` (macOS) or `%LOCALAPPDATA%`
///    (Windows);
/// 3. the network, with the feature `download`: what is fetched goes into the cache.
///
/// In a folder, a file may lie in a sub-folder of the data set's name (`mnist`), and may be unpacked (without `.gz`).
///
/// | variable | meaning |
/// | --- | --- |
/// | `LINFA_MLP_DATA` | a folder of data |
/// | `LINFA_MLP_OFFLINE` | anything but `0`: the network is not used |
/// | `LINFA_MLP_MIRROR` | an address that takes the place of the public mirrors |
///
/// # Examples
///
/// ```
/// use linfa_mlp::{Error, datasets::Source};
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let error = Source::new().folder(folder).cache(folder).offline().mnist::<f32>().unwrap_err();
/// let Error::NoDataFile { file, .. } = error else { panic!("{error}") };
/// assert_eq!(file, "train-labels-idx1-ubyte.gz");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Source {
    folder: Option<PathBuf>,
    cache: Option<PathBuf>,
    offline: bool,
    #[cfg(feature = "download")]
    pub(super) network: super::download::Network,
}

/// A file of a data set.
#[derive(Clone, Copy, Debug)]
pub(super) struct DataFile {
    pub(super) data_set: &'static str,
    pub(super) folder: &'static str,
    pub(super) name: &'static str,
    pub(super) bytes: u64,
    /// In hexadecimal digits.
    pub(super) sha256: &'static str,
}

impl Source {
    /// As the environment says.
    pub fn new() -> Self {
        Source::of(|name| std::env::var_os(name))
    }

    fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let folder = |name: &str| variable(name).map(PathBuf::from);
        let cache = if cfg!(windows) {
            folder("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            folder("HOME").map(|home| home.join("Library/Caches"))
        } else {
            // A relative path there is to be ignored, says the specification.
            let xdg = folder("XDG_CACHE_HOME").filter(|path| path.is_absolute());
            xdg.or_else(|| folder("HOME").map(|home| home.join(".cache")))
        };
        Source {
            folder: folder("LINFA_MLP_DATA"),
            cache: cache.map(|cache| cache.join("linfa-mlp")),
            offline: variable("LINFA_MLP_OFFLINE").is_some_and(|value| value != "0"),
            #[cfg(feature = "download")]
            network: super::download::Network::new(variable("LINFA_MLP_MIRROR")),
        }
    }

    /// A source that looks into no folder, whatever the environment of the tests says.
    #[cfg(test)]
    pub(super) fn nowhere() -> Self {
        Source::of(|_| None)
    }

    /// Looks into that folder first, in place of `LINFA_MLP_DATA`.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Keeps what is fetched in that folder, in place of the user's cache.
    pub fn cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// Never uses the network.
    pub fn offline(mut self) -> Self {
        self.offline = true;
        self
    }

    /// Finds a file and reads it. One in the cache that is damaged is fetched again.
    pub(super) fn read<T>(&self, file: &DataFile, read: impl Fn(&Path) -> Result<T>) -> Result<T> {
        if let Some(path) = self.folder.as_deref().and_then(|folder| file.find(folder)) {
            return read(&path);
        }
        if let Some(path) = self.cache.as_deref().and_then(|folder| file.find(folder)) {
            match read(&path) {
                Err(Error::DataFile { .. }) if cfg!(feature = "download") && !self.offline => {}
                done => return done,
            }
        }
        read(&self.fetch(file)?)
    }

    /// Fetches a file into the cache.
    fn fetch(&self, file: &DataFile) -> Result<PathBuf> {
        let missing = |reason: String| {
            let folders: Vec<&Path> =
                [&self.folder, &self.cache].into_iter().flatten().map(|path| &**path).collect();
            let shown = |path: &Path| path.join(file.folder).display().to_string();
            let searched = folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>();
            Error::NoDataFile {
                data_set: file.data_set,
                file: file.name.into(),
                searched: if folders.is_empty() { "any folder".into() } else { searched.join(" or ") },
                reason,
                folder: folders
                    .first()
                    .map_or("the folder that LINFA_MLP_DATA names".into(), |path| shown(path)),
                about: format!("{} bytes, SHA-256 {}", file.bytes, file.sha256),
            }
        };
        if self.offline {
            return Err(missing("the network is not to be used".into()));
        }
        #[cfg(feature = "download")]
        {
            let Some(cache) = &self.cache else {
                return Err(missing("there is no cache folder to fetch it into".into()));
            };
            let target = cache.join(file.folder).join(file.name);
            self.network.fetch(file, &target).map_err(missing)?;
            Ok(target)
        }
        #[cfg(not(feature = "download"))]
        Err(missing("fetching it needs the feature `download`".into()))
    }
}

impl Default for Source {
    fn default() -> Self {
        Source::new()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Source { folder, cache, offline, .. } = self;
        f.debug_struct("Source")
            .field("folder", folder)
            .field("cache", cache)
            .field("offline", offline)
            .finish_non_exhaustive()
    }
}

impl DataFile {
    /// The file in a folder or the data set's sub-folder, packed or not.
    fn find(&self, folder: &Path) -> Option<PathBuf> {
        let unpacked = self.name.strip_suffix(".gz");
        let names = || std::iter::once(self.name).chain(unpacked);
        let folders = [folder.join(self.folder), folder.to_owned()];
        folders.iter().flat_map(|folder| names().map(|name| folder.join(name))).find(|path| path.is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Source {
        Source::of(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into()))
    }

    #[test]
    fn the_environment_chooses_folders_and_the_network() {
        let source = of(&[("LINFA_MLP_DATA", "/data"), ("LINFA_MLP_OFFLINE", "1")]);
        assert_eq!((source.folder, source.cache, source.offline), (Some("/data".into()), None, true));
        assert!(!of(&[("LINFA_MLP_OFFLINE", "0")]).offline);
        let empty = of(&[("LINFA_MLP_DATA", ""), ("LINFA_MLP_OFFLINE", "")]);
        assert_eq!((empty.folder, empty.offline), (None, false));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_cache_is_where_the_desktop_says() {
        let cache = |variables| of(variables).cache;
        assert_eq!(cache(&[("HOME", "/home/a")]), Some("/home/a/.cache/linfa-mlp".into()));
        let both = [("HOME", "/home/a"), ("XDG_CACHE_HOME", "/cache")];
        assert_eq!(cache(&both), Some("/cache/linfa-mlp".into()));
        let relative = [("HOME", "/home/a"), ("XDG_CACHE_HOME", "cache")];
        assert_eq!(cache(&relative), Some("/home/a/.cache/linfa-mlp".into()));
    }

    #[test]
    fn what_is_missing_is_said_with_file_folder_and_checksum() {
        let text = Source::nowhere().folder("/nowhere").offline().mnist::<f32>().unwrap_err().to_string();
        for part in [
            "cannot find train-labels-idx1-ubyte.gz of MNIST in /nowhere; ",
            "the network is not to be used; ",
            "put it into /nowhere/mnist (28881 bytes, SHA-256 3552534a",
        ] {
            assert!(text.contains(part), "{text}");
        }
        let text = Source::nowhere().offline().mnist::<f32>().unwrap_err().to_string();
        assert!(
            text.contains("in any folder") && text.contains("the folder that LINFA_MLP_DATA names"),
            "{text}"
        );
    }
}
