//! Where a backup is written: beside its name until it is whole and on the disk.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// What stands for stdin or stdout.
pub(crate) const STANDARD: &str = "-";

/// A file under another name, or stdout. Dropped before it is kept it leaves nothing behind; only one that is killed leaves
/// a file whose name ends in `.part`.
pub(crate) struct Output {
    into: BufWriter<Into>,
}

enum Into {
    Standard(io::Stdout),
    File(Part),
}

struct Part {
    file: File,
    written: u64,
    /// What may still be only in memory.
    unsynced: u64,
    beside: PathBuf,
    name: PathBuf,
    kept: bool,
}

/// Where a backup has come to lie.
pub(crate) struct Kept {
    /// How long it is, as far as that is known.
    pub(crate) bytes: u64,
    /// Another name than was asked for: something has appeared there meanwhile.
    pub(crate) elsewhere: Option<PathBuf>,
}

impl Output {
    pub(crate) fn open(name: &Path) -> Result<Self, Failure> {
        let into = if name == Path::new(STANDARD) { Into::Standard(io::stdout()) } else { Part::open(name)? };
        Ok(Self { into: BufWriter::with_capacity(WRITE_BYTES, into) })
    }

    /// Where it is written until it is whole; nowhere for stdout.
    pub(crate) fn beside(&self) -> Option<&Path> {
        match self.into.get_ref() {
            Into::Standard(_) => None,
            Into::File(part) => Some(&part.beside),
        }
    }

    /// Puts everything on the disk and gives it its name.
    pub(crate) fn keep(self) -> io::Result<Kept> {
        match self.into.into_inner().map_err(io::IntoInnerError::into_error)? {
            Into::Standard(mut out) => out.flush().map(|()| Kept { bytes: 0, elsewhere: None }),
            Into::File(part) => part.keep(),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.into.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

impl Write for Into {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(out) => out.write(bytes),
            Self::File(part) => {
                let count = part.file.write(bytes)?;
                part.written += count as u64;
                part.unsynced += count as u64;
                if part.unsynced >= SYNC_BYTES {
                    part.unsynced = 0;
                    part.file.sync_data()?;
                }
                Ok(count)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(out) => out.flush(),
            Self::File(part) => part.file.flush(),
        }
    }
}

impl Part {
    fn open(name: &Path) -> Result<Into, Failure> {
        // Also where a link leads nowhere.
        if name.symlink_metadata().is_ok() {
            return Err(Failure::InTheWay(name.into()));
        }
        let beside = with_ending(name, &format!("{}.part", chance()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&beside);
        let file = file.map_err(|why| Failure::Output { name: name.display().to_string(), why })?;
        Ok(Into::File(Self { file, written: 0, unsynced: 0, beside, name: name.into(), kept: false }))
    }

    fn keep(mut self) -> io::Result<Kept> {
        self.file.sync_all()?;
        let elsewhere = match name_once(&self.beside, &self.name) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                let other = with_ending(&self.name, &chance());
                name_once(&self.beside, &other)?;
                Some(other)
            }
            named => named.map(|()| None)?,
        };
        self.kept = true;
        sync_folder_of(&self.name)?;
        Ok(Kept { bytes: self.written, elsewhere })
    }
}

/// Gives a file another name, unless there is something of that name.
fn name_once(beside: &Path, name: &Path) -> io::Result<()> {
    match fs::hard_link(beside, name) {
        Ok(()) => fs::remove_file(beside),
        Err(e) if matches!(e.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => Err(e),
        // Not every file system has links: an empty file keeps the name for ours.
        Err(_) => {
            OpenOptions::new().write(true).create_new(true).open(name)?;
            fs::rename(beside, name).inspect_err(|_| drop(fs::remove_file(name)))
        }
    }
}

fn with_ending(name: &Path, ending: &str) -> PathBuf {
    let mut longer = OsString::from(name);
    longer.push(".");
    longer.push(ending);
    longer.into()
}

/// A word that nobody else comes upon.
fn chance() -> String {
    let mut word = [0; 8];
    getrandom::fill(&mut word).expect("the system has randomness");
    format!("{:016x}", u64::from_le_bytes(word))
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.beside);
        }
    }
}

/// Elsewhere a folder cannot be opened like a file, and its file system keeps names in a journal of its own.
fn sync_folder_of(name: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = name.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// Few calls.
const WRITE_BYTES: usize = 256 * 1024;
/// Bytes after which what was written is put on the disk: were it all left to the end, the relay's own syncs would wait for
/// it.
const SYNC_BYTES: u64 = 8 << 20;

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn written(name: &Path, what: &[u8]) -> Output {
        let mut out = Output::open(name).unwrap();
        out.write_all(what).unwrap();
        out
    }

    fn names(folder: &Path) -> Vec<String> {
        let found = fs::read_dir(folder).unwrap();
        found.map(|found| found.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn rl13_two_backups_of_one_name_are_both_whole() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("rooms.backup");
        let (first, second) = (written(&name, b"first"), written(&name, b"the second"));
        let kept = first.keep().unwrap();
        assert!(kept.bytes == 5 && kept.elsewhere.is_none());
        let other = second.keep().unwrap().elsewhere.unwrap();
        assert_eq!(fs::read(&name).unwrap(), b"first");
        assert_eq!(fs::read(&other).unwrap(), b"the second");
        assert_eq!(names(folder.path()).len(), 2, "and nothing else is left");
    }

    #[test]
    fn rl13_what_lies_beside_a_backup_is_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let (name, mine) = (folder.path().join("rooms.backup"), folder.path().join("mine"));
        fs::write(&mine, "mine").unwrap();
        symlink(&mine, folder.path().join("rooms.backup.part")).unwrap();
        drop(written(&name, b"broken off"));
        assert_eq!(names(folder.path()).len(), 2, "what was broken off is gone");
        written(&name, b"whole").keep().unwrap();
        assert_eq!(
            (fs::read(&mine).unwrap(), fs::read(&name).unwrap()),
            (b"mine".to_vec(), b"whole".to_vec())
        );
        let leads_nowhere = folder.path().join("other.backup");
        symlink(folder.path().join("nowhere"), &leads_nowhere).unwrap();
        assert!(matches!(Output::open(&leads_nowhere), Err(Failure::InTheWay(_))));
    }
}
