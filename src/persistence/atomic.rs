//! Files that are either the old one or the new one, never half of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

/// Writes a file so that a crash leaves the old one or the new one: a temporary file in the same folder, synced, renamed,
/// and the folder synced.
///
/// The temporary file of `model.mlp` is `.model.mlp.part`. What a killed process has left under that name is written over by
/// the next one; while another process or thread is writing it, a name of one's own is taken.
///
/// # Errors
///
/// [`Error::File`] names the path; the old file, if there is one, is whole and the temporary one gone.
pub fn write_atomically(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    replace(path, bytes).map_err(|source| Error::File { action: "cannot write", path: path.into(), source })
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // The lock of the temporary file is held until it has its own name.
    let (mut file, temporary) = temporary(path)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path))
        .inspect_err(|_| {
            // What matters is the first error.
            let _ = fs::remove_file(&temporary);
        });
    drop(file);
    written?;
    sync_folder(path);
    Ok(())
}

/// An empty file beside the path, that nobody else writes.
fn temporary(path: &Path) -> io::Result<(File, PathBuf)> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it names no file"));
    };
    let name = name.to_string_lossy();
    // Names end at 255 bytes on most systems.
    let name = if name.len() <= 200 {
        name.into_owned()
    } else {
        format!("{:08x}", crc32c::crc32c(name.as_bytes()))
    };
    #[cfg(unix)]
    {
        let shared = path.with_file_name(format!(".{name}.part"));
        if let Some(file) = take(&shared)? {
            return Ok((file, shared));
        }
    }
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let own = path.with_file_name(format!(".{name}.{}.{number}.part", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&own) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return opened.map(|file| (file, own)),
        }
    }
}

/// The file of that name, emptied; none when somebody else has it, or something else is there.
#[cfg(unix)]
fn take(path: &Path) -> io::Result<Option<File>> {
    use std::os::unix::fs::MetadataExt;
    // To open a pipe would wait for its reader, and to open a link would make or change the file of somebody else.
    let opened = match fs::symlink_metadata(path) {
        Ok(there) if there.is_file() && there.nlink() == 1 => OpenOptions::new().write(true).open(path),
        Ok(_) => return Ok(None),
        Err(_) => OpenOptions::new().write(true).create_new(true).open(path),
    };
    let file = match opened {
        Ok(file) => file,
        // Others come and go between the two calls. A folder that is missing is found missing once more.
        Err(error) if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    if file.try_lock().is_err() {
        return Ok(None);
    }
    // Before the lock was had, it may have become the file of its writer.
    let here = file.metadata()?;
    let is_here = |there: fs::Metadata| (there.dev(), there.ino()) == (here.dev(), here.ino());
    if !fs::symlink_metadata(path).is_ok_and(is_here) || here.nlink() != 1 {
        return Ok(None);
    }
    file.set_len(0)?;
    Ok(Some(file))
}

/// Removes a file; one that is gone already is no error.
///
/// # Errors
///
/// [`Error::File`] names the path.
pub fn remove(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(Error::File { action: "cannot remove", path: path.into(), source })
        }
        _ => Ok(()),
    }
}

/// Makes a rename or a new file durable. Some file systems and systems cannot; the file is whole all the same.
pub(crate) fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let files = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_takes_the_place_of_the_old_one_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mlp");
        for bytes in [&b"first"[..], b"", b"the second one"] {
            write_atomically(&path, bytes).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
            assert_eq!(names(folder.path()), ["a.mlp"]);
        }
        let long = folder.path().join("x".repeat(255));
        write_atomically(&long, b"long").unwrap();
        assert_eq!((fs::read(&long).unwrap(), names(folder.path()).len()), (b"long".to_vec(), 2));
    }

    #[test]
    #[cfg(unix)]
    fn what_a_killed_process_left_is_written_over_and_what_is_being_written_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (path, part) = (folder.path().join("a.mlp"), folder.path().join(".a.mlp.part"));
        fs::write(&part, "half of a much longer file").unwrap();
        write_atomically(&path, b"whole").unwrap();
        assert_eq!(
            (fs::read(&path).unwrap(), names(folder.path())),
            (b"whole".to_vec(), vec!["a.mlp".into()])
        );

        let other = File::create(&part).unwrap();
        other.lock().unwrap();
        write_atomically(&path, b"beside another").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"beside another");
        assert_eq!(names(folder.path()), [".a.mlp.part", "a.mlp"]);
        drop(other);

        // A link under that name is not followed to the file of somebody else.
        let precious = folder.path().join("precious");
        for link in [std::os::unix::fs::symlink::<&Path, &Path>, |a, b| fs::hard_link(a, b)] {
            fs::write(&precious, "kept").unwrap();
            fs::remove_file(&part).unwrap();
            link(&precious, &part).unwrap();
            write_atomically(&path, b"as well").unwrap();
            assert_eq!(
                (fs::read(&path).unwrap(), fs::read(&precious).unwrap()),
                (b"as well".to_vec(), b"kept".to_vec())
            );
        }
    }

    #[test]
    #[cfg(unix)]
    fn what_else_lies_under_the_temporary_names_is_left_alone() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let part = at(".a.mlp.part");
        fs::write(at("precious"), "kept").unwrap();
        // Names that would be taken instead: those of this process, for some time.
        for number in 0..2000 {
            symlink(at("precious"), at(&format!(".a.mlp.{}.{number}.part", std::process::id()))).unwrap();
        }
        let write = |bytes: &'static [u8]| {
            let (path, (done, wait)) = (at("a.mlp"), std::sync::mpsc::channel());
            std::thread::spawn(move || done.send(write_atomically(path, bytes)));
            wait.recv_timeout(std::time::Duration::from_secs(60)).expect("nothing to wait for").unwrap();
            assert_eq!(fs::read(at("a.mlp")).unwrap(), bytes);
            assert_eq!(fs::read(at("precious")).unwrap(), b"kept");
        };
        symlink(at("nowhere"), &part).unwrap();
        write(b"beside a link");
        assert!(!at("nowhere").exists());
        fs::remove_file(&part).unwrap();
        fs::create_dir(&part).unwrap();
        write(b"beside a folder");
        fs::remove_dir(&part).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&part).status().unwrap().success());
        write(b"beside a pipe");
        assert!(part.exists());
    }

    #[test]
    fn threads_that_write_one_file_leave_one_of_their_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mlp");
        std::thread::scope(|scope| {
            for thread in 0..8_u8 {
                let path = &path;
                scope.spawn(move || {
                    (0..20).for_each(|_| write_atomically(path, &[thread; 4000]).unwrap());
                });
            }
        });
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.len() == 4000 && bytes.iter().all(|byte| *byte == bytes[0]));
        assert_eq!(names(folder.path()), ["a.mlp"]);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named_and_nothing_is_left_there() {
        let folder = tempfile::tempdir().unwrap();
        let (file, inner) = (folder.path().join("file"), folder.path().join("inner"));
        fs::write(&file, "old").unwrap();
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join("x"), "").unwrap();
        for path in [
            inner.clone(),
            folder.path().join("missing/a"),
            file.join("a"),
            "".into(),
            "/".into(),
            "..".into(),
        ] {
            let error = write_atomically(&path, b"new").unwrap_err();
            assert!(
                matches!(&error, Error::File { action: "cannot write", path: named, .. } if *named == path),
                "{error}"
            );
        }
        assert_eq!(names(folder.path()), ["file", "inner"]);
        assert_eq!((fs::read(&file).unwrap(), names(&inner)), (b"old".to_vec(), vec!["x".into()]));
    }
}
