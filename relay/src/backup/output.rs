//! Where a backup is written: beside its name until it is whole and on the disk.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// What stands for stdin or stdout.
pub(super) const STANDARD: &str = "-";

/// A file under another name, or stdout. Dropped before it is kept it leaves nothing behind.
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

impl Output {
    pub(crate) fn open(name: &Path) -> Result<Self, Failure> {
        let into = if name == Path::new(STANDARD) { Into::Standard(io::stdout()) } else { Part::open(name)? };
        Ok(Self { into: BufWriter::with_capacity(WRITE_BYTES, into) })
    }

    /// Puts everything on the disk and gives it its name; answers how long it is, as far as that is known.
    pub(crate) fn keep(self) -> io::Result<u64> {
        match self.into.into_inner().map_err(io::IntoInnerError::into_error)? {
            Into::Standard(mut out) => out.flush().map(|()| 0),
            Into::File(mut part) => {
                part.file.sync_all()?;
                if part.name.exists() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                fs::rename(&part.beside, &part.name)?;
                part.kept = true;
                sync_folder_of(&part.name)?;
                Ok(part.written)
            }
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
        if name.exists() {
            return Err(Failure::InTheWay(name.into()));
        }
        let mut beside = OsString::from(name);
        beside.push(".part");
        let beside = PathBuf::from(beside);
        // What a backup that was killed has left is written over.
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&beside);
        let file = file.map_err(|why| Failure::Output { name: name.display().to_string(), why })?;
        Ok(Into::File(Self { file, written: 0, unsynced: 0, beside, name: name.into(), kept: false }))
    }
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
