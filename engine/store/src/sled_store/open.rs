//! Opening a data folder: every reason to refuse is found before anything is changed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::tip::Tip;
use super::{Numbers, is_full, row};
use crate::limits::SLED_CACHE_BYTES;

/// Why a data folder was not opened. Nothing in it was changed, with one exception: where the database itself is found
/// damaged, it may have cut off what it took for the end of an interrupted write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another part of this one, has it open.
    #[error("The data folder {} is in use by another process; end that one or choose another folder.", .0.display())]
    Locked(PathBuf),
    /// There is something else in its place.
    #[error("{} is not a folder; choose another data folder.", .0.display())]
    NotAFolder(PathBuf),
    /// The disk is read-only or the permissions do not allow it.
    #[error("The data folder {} is not writable; change its permissions or choose another folder.", .0.display())]
    NotWritable(PathBuf),
    /// A newer version wrote it.
    #[error("The data has format {found} and this version knows {known}; install a newer version.")]
    NewerFormat {
        /// The format of the folder.
        found: u32,
        /// The newest format that this version can read.
        known: u32,
    },
    /// It is not what was written. Where it says that saved batches are missing, someone who has no backup can go on
    /// with what is left by removing the file `tip` from the folder.
    #[error("The data folder {} is damaged ({what}); restore it from a backup.", .folder.display())]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// No space left to open it.
    #[error("The disk of the data folder {} is full; free some space.", .0.display())]
    Full(PathBuf),
    /// The operating system refused for another reason.
    #[error("The data folder {} cannot be opened: {what}.", .folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What the operating system said.
        what: String,
    },
}

/// What an open store holds.
pub(super) struct Opened {
    pub(super) db: sled::Db,
    pub(super) log: File,
    pub(super) tip: Tip,
    pub(super) numbers: Numbers,
    pub(super) lock: File,
}

pub(super) fn open(folder: &Path) -> Result<Opened, OpenError> {
    if fs::metadata(folder).is_ok_and(|found| !found.is_dir()) {
        return Err(OpenError::NotAFolder(folder.into()));
    }
    read_format(folder)?;
    let refuse = |e: io::Error| refusal(folder, &e);

    let mut created = Created::default();
    created.folders(folder).map_err(refuse)?;
    let lock = lock(folder, &mut created)?;
    // Once more under the lock: whoever held it until now may have been the first to write here.
    let format = read_format(folder)?;
    let tree = folder.join(TREE);
    match format {
        None if tree.exists() => {
            return Err(damaged(folder, format!("{FORMAT} is missing")));
        }
        None => write_format(folder, &mut created).map_err(refuse)?,
        Some(_) => {}
    }
    if tree.exists() {
        // sled creates and repairs as it opens, so ask first whether it may.
        match OpenOptions::new().read(true).write(true).open(tree.join(LOG)) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(refuse(e)),
            Ok(_) | Err(_) => {}
        }
    } else {
        created.add(Made::Tree(tree.clone()));
    }
    let db = open_sled(folder, &tree)?;
    let log = OpenOptions::new().write(true).open(tree.join(LOG)).map_err(refuse)?;
    let numbers = read_numbers(folder, &db)?;
    let tip = folder.join(TIP);
    if !tip.exists() {
        created.add(Made::File(tip.clone()));
    }
    let (tip, saved) = Tip::open(&tip).map_err(refuse)?;
    if numbers.batch < saved {
        return Err(damaged(folder, format!("of {saved} saved batches it holds {}", numbers.batch)));
    }
    created.keep(folder, &tree).map_err(refuse)?;
    Ok(Opened { db, log, tip, numbers, lock })
}

fn read_numbers(folder: &Path, db: &sled::Db) -> Result<Numbers, OpenError> {
    let last = db.last().map_err(|e| sled_refusal(folder, &e))?;
    let next_long = row::next_long(last.as_ref().map(|(key, _)| &key[..]));
    let batch = match db.get(row::NUMBER_KEY).map_err(|e| sled_refusal(folder, &e))? {
        None => 0,
        Some(raw) => row::decode_number(row::NUMBER_KEY, &raw)
            .ok_or_else(|| damaged(folder, "the number of its last batch is not readable"))?,
    };
    Ok(Numbers { next_long, batch })
}

fn lock(folder: &Path, created: &mut Created) -> Result<File, OpenError> {
    let path = folder.join(LOCK);
    let found = path.exists();
    let file = OpenOptions::new().create(true).append(true).open(&path).map_err(|e| refusal(folder, &e))?;
    match file.try_lock() {
        // Only who holds the lock may take the file away again.
        Ok(()) if !found => created.add(Made::File(path)),
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::Locked(folder.into())),
        Err(TryLockError::Error(e)) => return Err(refusal(folder, &e)),
    }
    Ok(file)
}

/// The format of the folder; `None` where nothing was written yet.
fn read_format(folder: &Path) -> Result<Option<u32>, OpenError> {
    let text = match fs::read(folder.join(FORMAT)) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(refusal(folder, &e)),
    };
    let parsed =
        std::str::from_utf8(&text).ok().and_then(|text| text.strip_prefix(FORMAT_WORDS)?.trim().parse().ok());
    match parsed {
        Some(found) if found > KNOWN_FORMAT => Err(OpenError::NewerFormat { found, known: KNOWN_FORMAT }),
        Some(found) => Ok(Some(found)),
        None => Err(damaged(folder, format!("{FORMAT} is not readable"))),
    }
}

/// Writes beside and renames, so that no power cut leaves an empty file that nobody could read.
fn write_format(folder: &Path, created: &mut Created) -> io::Result<()> {
    let beside = folder.join(FORMAT_BESIDE);
    created.add(Made::File(beside.clone()));
    let mut file = File::create(&beside)?;
    writeln!(file, "{FORMAT_WORDS}{KNOWN_FORMAT}")?;
    file.sync_all()?;
    created.add(Made::File(folder.join(FORMAT)));
    fs::rename(beside, folder.join(FORMAT))
}

fn open_sled(folder: &Path, tree: &Path) -> Result<sled::Db, OpenError> {
    let config = || sled::Config::new().path(tree).cache_capacity(SLED_CACHE_BYTES).flush_every_ms(None);
    let deadline = Instant::now() + CLOSING_PATIENCE;
    loop {
        let opened =
            catch_unwind(|| config().open()).map_err(|_| damaged(folder, "the embedded database gave up"))?;
        match opened {
            Ok(db) => return Ok(db),
            // We hold the lock of the folder, so this is a store of this process that was just dropped: a thread of
            // sled's pool still has the file open.
            Err(e) if is_sled_lock(&e) && Instant::now() < deadline => std::thread::sleep(CLOSING_PAUSE),
            Err(e) => return Err(sled_refusal(folder, &e)),
        }
    }
}

fn is_sled_lock(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(e) if e.to_string().contains("could not acquire lock"))
}

fn sled_refusal(folder: &Path, error: &sled::Error) -> OpenError {
    match error {
        sled::Error::Io(_) if is_sled_lock(error) => OpenError::Locked(folder.into()),
        sled::Error::Io(e) => refusal(folder, e),
        sled::Error::Corruption { .. } | sled::Error::Unsupported(_) => damaged(folder, error.to_string()),
        sled::Error::CollectionNotFound(_) | sled::Error::ReportableBug(_) => {
            OpenError::Io { folder: folder.into(), what: error.to_string() }
        }
    }
}

fn damaged(folder: &Path, what: impl Into<String>) -> OpenError {
    OpenError::Damaged { folder: folder.into(), what: what.into() }
}

fn refusal(folder: &Path, error: &io::Error) -> OpenError {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => OpenError::NotWritable(folder.into()),
        ErrorKind::NotADirectory => OpenError::NotAFolder(folder.into()),
        _ if is_full(error) => OpenError::Full(folder.into()),
        _ => OpenError::Io { folder: folder.into(), what: error.to_string() },
    }
}

/// What this attempt made; it is removed again unless the attempt succeeds.
#[derive(Default)]
struct Created(Vec<Made>);

enum Made {
    File(PathBuf),
    /// The data folder or one above it: removed only if it is empty.
    Folder(PathBuf),
    /// sled's folder, to which nobody ever wrote: removed whole.
    Tree(PathBuf),
}

impl Created {
    fn add(&mut self, made: Made) {
        self.0.push(made);
    }

    /// Creates the folder and those above it that are missing.
    fn folders(&mut self, folder: &Path) -> io::Result<()> {
        let missing: Vec<_> =
            folder.ancestors().take_while(|f| !f.as_os_str().is_empty() && !f.exists()).collect();
        for folder in missing.into_iter().rev() {
            match fs::create_dir(folder) {
                Ok(()) => self.add(Made::Folder(folder.into())),
                // Someone else was faster.
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Makes the names of the files durable, as sled fsyncs only what is in them, and keeps all that was made.
    fn keep(mut self, folder: &Path, tree: &Path) -> io::Result<()> {
        OpenOptions::new().write(true).open(tree.join("conf"))?.sync_all()?;
        sync_folder(tree)?;
        sync_folder(folder)?;
        for made in &self.0 {
            if let Made::Folder(path) = made {
                match path.canonicalize()?.parent().map_or(Ok(()), sync_folder) {
                    // We may put a folder there without being allowed to look at it.
                    Err(e) if e.kind() != ErrorKind::PermissionDenied => return Err(e),
                    Ok(()) | Err(_) => {}
                }
            }
        }
        self.0.clear();
        Ok(())
    }
}

impl Drop for Created {
    fn drop(&mut self) {
        for made in self.0.drain(..).rev() {
            let _ = match made {
                Made::File(path) => fs::remove_file(path),
                Made::Folder(path) => fs::remove_dir(path),
                Made::Tree(path) => fs::remove_dir_all(path),
            };
        }
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened like a file, and its file system keeps names in a journal of its own.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

const FORMAT: &str = "FORMAT";
const FORMAT_BESIDE: &str = "FORMAT.new";
const FORMAT_WORDS: &str = "causeway store, sled, format ";
const KNOWN_FORMAT: u32 = 1;

const TIP: &str = "tip";
const LOCK: &str = "lock";
const TREE: &str = "sled";
/// sled's one data file.
const LOG: &str = "db";

/// How long sled's threads may take to let go of a store that this process dropped. They finish writes of at most
/// 512 KiB each, which even a slow card does in a second.
const CLOSING_PATIENCE: Duration = Duration::from_secs(5);
const CLOSING_PAUSE: Duration = Duration::from_millis(5);
