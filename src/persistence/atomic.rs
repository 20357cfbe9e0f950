//! Files that are either the old one or the new one, never half of it.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

/// Writes a file so that a crash leaves the old one or the new one: a temporary file in the same folder, synced, renamed,
/// and the folder synced.
///
/// # Errors
///
/// [`Error::File`] names the path; the old file, if there is one, is whole and the temporary one gone.
pub fn write_atomically(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let path = path.as_ref();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_file_name(format!(".{name}.{}.{number}.part", std::process::id()));
    let written = write_and_sync(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    written.map_err(|source| {
        // The file may not be there; what matters is the first error.
        let _ = fs::remove_file(&temporary);
        Error::File { action: "cannot write", path: path.into(), source }
    })?;
    sync_folder(path);
    Ok(())
}

/// Removes a file; one that is gone already is no error.
///
/// # Errors
///
/// [`Error::File`] names the path.
pub fn remove(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    match fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::File { action: "cannot remove", path: path.into(), source })
        }
        _ => Ok(()),
    }
}

fn write_and_sync(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a rename or a new file durable. Some file systems and systems cannot; the file is whole all the same.
pub(crate) fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
