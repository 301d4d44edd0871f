//! Filling an empty folder from a backup.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use causeway_core::storage::{Commit, CommitError, Durability, StoreFailure};
use causeway_core::stored::{META, MetaRecord};
use causeway_core::time::Millis;

use super::{BackupError, BackupReader, Change, FolderError, Step, Summary};
use crate::folder::{self, Past, sync_folder};
use crate::limits::GROUP_BYTES;
use crate::{OpenError, Space, Store, StoreKind};

/// Why a backup was not restored. What was made of the folder until then is gone again.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The backup is not one, or not whole.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The folder cannot be filled.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The store cannot be opened there.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store does not take what it is given.
    #[error("The store failed: {0}")]
    Store(#[from] StoreFailure),
}

/// Fills a folder that is empty, or not there, with a store of this kind. The store is in a new epoch, so that devices bring
/// again what it lacks: the moment `now` of the wall clock, or one more than any that the backup knows of. `watch` is told
/// how far it is.
///
/// Until the last byte is on the disk the folder says that it is being restored, and is opened by nobody.
///
/// # Errors
/// See [`RestoreError`].
pub fn restore(
    source: impl Read,
    into: &Path,
    kind: StoreKind,
    now: Millis,
    watch: &mut dyn FnMut(&Summary),
) -> Result<Summary, RestoreError> {
    let reader = BackupReader::begin(source)?;
    if fs::metadata(into).is_ok_and(|found| !found.is_dir()) {
        return Err(OpenError::NotAFolder(into.into()).into());
    }
    let refuse = |e: io::Error| FolderError::Io { folder: into.into(), why: e };
    let was_there = match fs::read_dir(into).map(|mut found| found.next().is_none()) {
        Ok(true) => true,
        Ok(false) => return Err(FolderError::NotEmpty(into.into()).into()),
        Err(e) if e.kind() == ErrorKind::NotFound => false,
        Err(e) => return Err(refuse(e).into()),
    };
    fs::create_dir_all(into).map_err(refuse)?;
    let restored = fill_folder(reader, into, kind, now, watch);
    if restored.is_err() {
        // What cannot be taken away is refused when it is opened, as its mark goes last.
        let _ = folder::empty(into);
        if !was_there {
            let _ = fs::remove_dir(into);
        }
    }
    restored
}

fn fill_folder(
    reader: BackupReader<impl Read>,
    into: &Path,
    kind: StoreKind,
    now: Millis,
    watch: &mut dyn FnMut(&Summary),
) -> Result<Summary, RestoreError> {
    let refuse = |e: io::Error| FolderError::Io { folder: into.into(), why: e };
    let mark = into.join(folder::RESTORING);
    File::create(&mark).and_then(|mark| mark.sync_all()).and_then(|()| sync_folder(into)).map_err(refuse)?;
    let store = kind.open_after(into, Past::Restoring)?;
    let summary = fill(reader, &*store, now, watch)?;
    store.sync()?;
    drop(store);
    fs::remove_file(&mark).and_then(|()| sync_folder(into)).map_err(refuse)?;
    Ok(summary)
}

/// Writes all of a backup into a store that holds nothing, and the epoch. Nothing is synced.
///
/// # Errors
/// See [`RestoreError`].
pub fn fill(
    mut reader: BackupReader<impl Read>,
    store: &dyn Store,
    now: Millis,
    watch: &mut dyn FnMut(&Summary),
) -> Result<Summary, RestoreError> {
    let mut filling = Filling { store, space: own_space(), group: Vec::new(), bytes: 0, epoch: 1 };
    loop {
        match reader.next_step()? {
            Step::Room(space) => filling.space = space,
            Step::Changes(changes) => {
                for change in changes {
                    filling.change(change);
                }
                if filling.bytes >= GROUP_BYTES {
                    filling.write()?;
                }
                watch(&reader.so_far());
            }
            Step::RoomEnd => {}
            Step::End(summary) => {
                let epoch = now.0.max(filling.epoch + 1);
                filling.space = own_space();
                filling.change(Change::Put(META.to_vec(), MetaRecord { epoch }.encode()));
                filling.write()?;
                return Ok(summary);
            }
        }
    }
}

/// What waits to be written, in groups.
struct Filling<'a> {
    store: &'a dyn Store,
    space: Space,
    group: Vec<(Space, Commit)>,
    bytes: usize,
    /// The greatest epoch met.
    epoch: u64,
}

impl Filling<'_> {
    fn change(&mut self, change: Change) {
        // A row that could not be read is one that cannot be read: whoever looks for it knows that it was there.
        let change = if let Change::Lost(key) = change { Change::Put(key, Vec::new()) } else { change };
        if let Change::Put(key, value) = &change
            && key == META
        {
            self.epoch = self.epoch.max(MetaRecord::decode(value).map_or(0, |meta| meta.epoch));
        }
        let goes = matches!(change, Change::Delete(_) | Change::Clear(_));
        // Within a commit what goes, goes first.
        let fits = self
            .group
            .last()
            .is_some_and(|(space, commit)| *space == self.space && (!goes || commit.put.is_empty()));
        if !fits {
            let commit = Commit { durability: Durability::Relaxed, ..Commit::default() };
            self.group.push((self.space.clone(), commit));
        }
        if let Some((_, commit)) = self.group.last_mut() {
            self.bytes += add(commit, change);
        }
    }

    fn write(&mut self) -> Result<(), StoreFailure> {
        self.bytes = 0;
        for answer in self.store.apply_group(&std::mem::take(&mut self.group)) {
            answer.map_err(|error| match error {
                CommitError::Failed(failure) => failure,
                CommitError::Conflict { key } => StoreFailure::damaged(&key),
            })?;
        }
        Ok(())
    }
}

/// Adds to a commit and says how much.
fn add(commit: &mut Commit, change: Change) -> usize {
    match change {
        Change::Put(key, value) => {
            let bytes = key.len() + value.len();
            commit.put.push((key, value));
            bytes
        }
        Change::Delete(key) => {
            let bytes = key.len();
            commit.delete.push(key);
            bytes
        }
        Change::Clear(prefix) => {
            let bytes = prefix.len();
            commit.delete_prefix.push(prefix);
            bytes
        }
        Change::Lost(_) => 0,
    }
}

/// The space of what concerns all rooms. No room can be called that.
#[must_use]
pub fn own_space() -> Space {
    Space::new(".").expect("one byte is a name")
}

/// The epoch in the store's own row; 1 where no restore has written one, and none where it cannot be read.
#[must_use]
pub fn epoch_of(row: Option<&[u8]>) -> Option<u64> {
    row.map_or(Some(1), |row| MetaRecord::decode(row).ok().map(|meta| meta.epoch))
}
