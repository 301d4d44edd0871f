//! A data folder: whose it is, what made it, and every reason to refuse it, found before anything is changed.
//!
//! ```text
//! FORMAT      the kind of store and the number of its format
//! lock        held while the store is open
//! tip         how far the store was durable
//! carrying    while the database is written to
//! ahead/      the write-ahead log
//! sled/       or  rows.redb: the database
//! restoring   only while a backup is being restored
//! ```

pub(crate) mod again;
mod created;
mod format;
mod mark;
mod room;
pub(crate) mod tip;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use causeway_core::storage::{FailureKind, StoreFailure};

use self::created::Created;
pub(crate) use self::created::{Made, missing, sync_folder};
pub(crate) use self::format::kind_of;
use self::format::{FORMAT, FORMAT_BESIDE, Known, read_format, write_format};
use self::mark::CARRYING;
pub(crate) use self::mark::Mark;
pub(crate) use self::room::free_bytes;
use self::tip::{Noted, Tip};
use crate::{StoreKind, remains};

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
    /// An older version wrote it, in a format that this one does not read.
    #[error(
        "The data has format {found} and this version reads {known}; choose a new data folder, devices bring what they hold."
    )]
    OlderFormat {
        /// The format of the folder.
        found: u32,
        /// The only format that this version reads.
        known: u32,
    },
    /// Another kind of store wrote it.
    #[error(
        "The data folder {} is kept by the store {found} and {asked} was asked for; ask for {found} or choose another folder.",
        .folder.display()
    )]
    OtherKind {
        /// The folder.
        folder: PathBuf,
        /// The kind that keeps it.
        found: StoreKind,
        /// The kind that was asked for.
        asked: StoreKind,
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
    /// A backup is restored only where nothing is.
    #[error("The folder {} is not empty; choose another, or move away what is in it.", .0.display())]
    NotEmpty(PathBuf),
    /// A restore into it was broken off.
    #[error("A restore into {} was broken off; remove the folder and restore again.", .0.display())]
    HalfRestored(PathBuf),
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

/// What happened to a store before it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Past {
    /// Nothing that its files would not show.
    Plain,
    /// Its disk refused something in this process: what is read of its files need not be on the disk. The write-ahead log finds
    /// that out by itself.
    DiskFailed,
    /// There is none: it is about to be filled from a backup, by whoever opens it.
    Restoring,
}

/// A data folder that we have locked, and whose database is about to be opened. Unless it is kept, all that was made
/// goes away again.
pub(crate) struct Claim {
    pub(crate) folder: PathBuf,
    kind: StoreKind,
    created: Created,
    lock: FolderLock,
    /// What FORMAT says is not what it has to say from now on.
    is_older: bool,
}

impl Claim {
    /// Locks the folder of a store of this kind, creating it where there is none. Where a backup is to be restored, the
    /// folder is one that holds nothing, and says from now on that it is being restored.
    pub(crate) fn stake(folder: &Path, kind: StoreKind, past: Past) -> Result<Self, OpenError> {
        if fs::metadata(folder).is_ok_and(|found| !found.is_dir()) {
            return Err(OpenError::NotAFolder(folder.into()));
        }
        // Before anything is touched; what holds is looked at once more under the lock.
        if !folder.join(RESTORING).exists() {
            if past == Past::Restoring {
                holds_nothing(folder)?;
            }
            read_format(folder, kind)?;
        }
        let mut created = Created::default();
        created.folders(folder).map_err(|e| refusal(folder, &e))?;
        let lock = lock(folder, &mut created)?;
        let mut claim = Self { folder: folder.into(), kind, created, lock, is_older: false };
        claim.enter(past)?;
        Ok(claim)
    }

    /// Whoever held the lock until now may have been the first to write here, or to restore.
    fn enter(&mut self, past: Past) -> Result<(), OpenError> {
        let Self { folder, kind, created, lock, is_older } = self;
        let refuse = |e: io::Error| refusal(folder, &e);
        let mark = folder.join(RESTORING);
        if mark.exists() {
            return Err(OpenError::HalfRestored(folder.clone()));
        }
        // A restore that fails takes the lock's file away before its mark: where the mark is gone, this shows.
        if !lock.is_of(folder) {
            return Err(OpenError::Locked(folder.clone()));
        }
        match past {
            Past::Restoring => {
                holds_nothing(folder)?;
                created.add(Made::File(mark.clone()));
                File::create(&mark).and_then(|mark| mark.sync_all()).map_err(refuse)?;
                sync_folder(folder).map_err(refuse)?;
            }
            Past::Plain | Past::DiskFailed => {}
        }
        match read_format(folder, *kind)? {
            None if holds_rows(folder) => Err(damaged(folder, format!("{FORMAT} is missing"))),
            None => {
                created.add(Made::File(folder.join(FORMAT_BESIDE)));
                created.add(Made::File(folder.join(FORMAT)));
                write_format(folder, *kind).map_err(refuse)
            }
            Some(known) => {
                *is_older = matches!(known, Known::WithoutLog);
                Ok(())
            }
        }
    }

    /// Where the database lies.
    pub(crate) fn content(&self) -> PathBuf {
        self.folder.join(self.kind.content())
    }

    /// Where the write-ahead log lies.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join(AHEAD)
    }

    /// Where it is marked that the database is being written to.
    pub(crate) fn mark(&self) -> Mark {
        Mark::of(&self.folder)
    }

    /// Makes sure that what is read of the log, and of a database that was being written to, is on the disk. Answers whether the
    /// database had to be written again.
    pub(crate) fn settle(&self, past: Past) -> Result<bool, OpenError> {
        let is_doubtful = match self.kind {
            StoreKind::Sled => past == Past::DiskFailed,
            // Of one of an older format nothing says whether it was.
            StoreKind::Redb => self.is_older || self.mark().stands(),
        };
        let database = is_doubtful.then(|| self.content());
        [Some(self.log()), database]
            .into_iter()
            .flatten()
            .filter(|path| path.exists())
            .try_for_each(|path| again::write_again(&path))
            .map_err(|e| refusal(&self.folder, &e))?;
        Ok(is_doubtful)
    }

    /// Something more that goes away again unless the folder is kept.
    pub(crate) fn add(&mut self, made: Made) {
        self.created.add(made);
    }

    /// Whether there are rows in the database's file although the file `tip` is lost: then it must not open as one
    /// to which nobody has ever written. Where there is a tip, the database is held against that.
    pub(crate) fn holds_rows_without_tip(&self) -> Result<bool, OpenError> {
        let file = self.kind.file_in(&self.folder);
        let is_noted = matches!(tip::read(&self.folder.join(TIP)), Noted::Saved(_));
        if is_noted || !file.exists() {
            return Ok(false);
        }
        remains::holds_rows(self.kind, &file).map_err(|e| refusal(&self.folder, &e))
    }

    /// The number of the last commit that was noted as saved; zero where nothing says it.
    pub(crate) fn saved(&self) -> u64 {
        match tip::read(&self.folder.join(TIP)) {
            Noted::Saved(number) => number,
            Noted::Unreadable | Noted::Missing => 0,
        }
    }

    /// Opens the file `tip` and holds it against the last batch that there is.
    pub(crate) fn open_tip(&mut self, batch: u64) -> Result<Tip, OpenError> {
        let path = self.folder.join(TIP);
        if !path.exists() {
            self.created.add(Made::File(path.clone()));
        }
        let (tip, saved) = Tip::open(&path).map_err(|e| refusal(&self.folder, &e))?;
        match saved {
            Some(saved) if batch < saved => {
                return Err(damaged(&self.folder, format!("of {saved} saved batches it holds {batch}")));
            }
            Some(_) => {}
            None => tip.begin().map_err(|e| refusal(&self.folder, &e))?,
        }
        Ok(tip)
    }

    /// Makes the names of all that was made durable and keeps it. Hands out the lock.
    pub(crate) fn keep(self) -> Result<FolderLock, OpenError> {
        let Self { folder, kind, created, lock, is_older } = self;
        created.keep(&folder).map_err(|e| refusal(&folder, &e))?;
        if is_older {
            // From here on there may be a log, of which the version that knew the older format knows nothing. Last, as a folder
            // that is refused is left as it was.
            let mut beside = Created::default();
            beside.add(Made::File(folder.join(FORMAT_BESIDE)));
            let written = write_format(&folder, kind).and_then(|()| sync_folder(&folder));
            written.map_err(|e| refusal(&folder, &e))?;
        }
        Ok(lock)
    }
}

/// The lock of a data folder, let go of when it is dropped.
pub(crate) struct FolderLock(File);

impl FolderLock {
    /// Whether the file that is locked is still the one that others find in the folder.
    #[cfg(unix)]
    fn is_of(&self, folder: &Path) -> bool {
        use std::os::unix::fs::MetadataExt;
        let which = |file: fs::Metadata| (file.dev(), file.ino());
        let found = fs::metadata(folder.join(LOCK)).map(which);
        matches!((found, self.0.metadata().map(which)), (Ok(found), Ok(held)) if found == held)
    }

    /// Elsewhere a file that is open cannot be taken away.
    #[cfg(not(unix))]
    fn is_of(&self, _folder: &Path) -> bool {
        true
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Not left to closing the file: a process that was being spawned meanwhile holds a copy of it for a moment.
        let _ = self.0.unlock();
    }
}

fn lock(folder: &Path, created: &mut Created) -> Result<FolderLock, OpenError> {
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
    Ok(FolderLock(file))
}

/// Refuses a folder in which there is anything but the file that is locked.
fn holds_nothing(folder: &Path) -> Result<(), OpenError> {
    let found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(refusal(folder, &e)),
    };
    for found in found {
        if found.map_err(|e| refusal(folder, &e))?.file_name() != LOCK {
            return Err(OpenError::NotEmpty(folder.into()));
        }
    }
    Ok(())
}

/// Whether there is anything that a store has written.
fn holds_rows(folder: &Path) -> bool {
    let databases = StoreKind::ALL.into_iter().map(StoreKind::content);
    databases.chain([AHEAD]).any(|name| folder.join(name).exists())
}

pub(crate) fn damaged(folder: &Path, what: impl Into<String>) -> OpenError {
    OpenError::Damaged { folder: folder.into(), what: what.into() }
}

/// All of a backup is in the folder, and on the disk.
pub(crate) fn end_restoring(folder: &Path) -> Result<(), OpenError> {
    let unmarked = fs::remove_file(folder.join(RESTORING)).and_then(|()| sync_folder(folder));
    unmarked.map_err(|e| refusal(folder, &e))
}

/// Takes away what a store and a restore have made in a folder that was empty; the mark of the restore last, so that
/// nobody opens what is left if not all of it can be taken away.
pub(crate) fn empty(folder: &Path) -> io::Result<()> {
    for name in StoreKind::ALL.into_iter().map(StoreKind::content).chain([AHEAD]) {
        let content = folder.join(name);
        match fs::remove_dir_all(&content) {
            Err(e) if e.kind() == ErrorKind::NotADirectory => fs::remove_file(&content)?,
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            Ok(()) | Err(_) => {}
        }
    }
    for file in [TIP, CARRYING, LOCK, FORMAT_BESIDE, FORMAT, RESTORING] {
        match fs::remove_file(folder.join(file)) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// What the operating system said about the folder.
pub(crate) fn refusal(folder: &Path, error: &io::Error) -> OpenError {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => OpenError::NotWritable(folder.into()),
        ErrorKind::NotADirectory => OpenError::NotAFolder(folder.into()),
        _ if is_full(error) => OpenError::Full(folder.into()),
        _ => OpenError::Io { folder: folder.into(), what: error.to_string() },
    }
}

/// What the operating system said while the store was open.
pub(crate) fn io_failure(error: &io::Error) -> StoreFailure {
    if is_full(error) {
        return full_disk();
    }
    StoreFailure::new(FailureKind::Io, format!("The disk refused: {error}; look at it."))
}

pub(crate) fn full_disk() -> StoreFailure {
    StoreFailure::new(FailureKind::Full, "The disk is full; free some space.")
}

fn is_full(error: &io::Error) -> bool {
    // A process may also have been given a largest size of a file.
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

/// What is wrong with a database that has lost its beginning.
pub(crate) const OPENS_EMPTY: &str = "it opens as if nobody had ever written to it";

/// The folder of the write-ahead log.
pub(crate) const AHEAD: &str = "ahead";
pub(crate) const TIP: &str = "tip";
pub(crate) const LOCK: &str = "lock";
/// Stands there while a backup is being restored.
pub(crate) const RESTORING: &str = "restoring";
