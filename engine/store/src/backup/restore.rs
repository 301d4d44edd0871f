//! Filling an empty folder from a backup.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use causeway_core::ids::StreamId;
use causeway_core::storage::{Commit, CommitError, Durability, StoreFailure};
use causeway_core::stored::{META, MetaRecord};

use super::{BackupError, BackupReader, Change, Fresh, Step, Summary, own_space, rejoin};
use crate::folder::{self, Past};
use crate::limits::GROUP_BYTES;
use crate::{OpenError, Space, Store, StoreKind, WriteAheadLimits};

/// Why a backup was not restored. Unless it says otherwise, what was made of the folder until then is gone again.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The backup is not one, or not whole.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The folder is not empty, in use, or cannot be filled.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store does not take what it is given.
    #[error("The store failed: {0}")]
    Store(#[from] StoreFailure),
    /// What was made of the folder could not be taken away. Nobody opens it.
    #[error("{why} What was restored is still in {} ({left}); remove it.", .folder.display())]
    Left {
        /// Why the backup was not restored.
        why: Box<RestoreError>,
        /// Where it lies.
        folder: PathBuf,
        /// Why it is still there.
        left: io::Error,
    },
}

/// Fills a folder that is empty, or not there, with a store of this kind. The store is in a new epoch, later than any that
/// the backup knows of, so that devices bring again what it lacks. `watch` is told how far it is.
///
/// Until the last byte is on the disk the folder says that it is being restored, and is opened by nobody.
///
/// # Errors
/// See [`RestoreError`].
pub fn restore(
    source: impl Read,
    into: &Path,
    kind: StoreKind,
    fresh: Fresh,
    watch: &mut dyn FnMut(&Summary),
) -> Result<Summary, RestoreError> {
    let reader = BackupReader::begin(source)?;
    let missing = folder::missing(into);
    let store = kind.open_after(into, Past::Restoring, WriteAheadLimits::default())?;
    // From here on all that is in the folder is ours.
    let filled = fill(reader, &*store, fresh, watch).and_then(|summary| {
        store.sync()?;
        Ok(summary)
    });
    drop(store);
    let restored = filled.and_then(|summary| {
        folder::end_restoring(into)?;
        Ok(summary)
    });
    restored.map_err(|why| match folder::empty(into) {
        Ok(()) => {
            // Somebody may have put something there meanwhile, which is theirs.
            let _ = missing.iter().try_for_each(fs::remove_dir);
            why
        }
        Err(left) => RestoreError::Left { why: Box::new(why), folder: into.into(), left },
    })
}

/// Writes all of a backup into a store that holds nothing, and the epoch. Nothing is synced.
///
/// # Errors
/// See [`RestoreError`].
pub fn fill(
    mut reader: BackupReader<impl Read>,
    store: &dyn Store,
    fresh: Fresh,
    watch: &mut dyn FnMut(&Summary),
) -> Result<Summary, RestoreError> {
    let mut filling =
        Filling { store, space: own_space(), group: Vec::new(), bytes: 0, epoch: 1, torn: Vec::new() };
    loop {
        match reader.next_step()? {
            Step::Room(space) => filling.space = space,
            Step::Changes(changes) => {
                for change in changes {
                    filling.change(change)?;
                }
                watch(&reader.so_far());
            }
            Step::RoomEnd => filling.rejoin()?,
            Step::Gap(_) => {}
            Step::End(summary) => {
                let epoch = fresh.epoch_after(filling.epoch).ok_or_else(|| reader.damaged(NO_EPOCH))?;
                filling.space = own_space();
                filling.change(Change::Put(META.to_vec(), MetaRecord { epoch }.encode()))?;
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
    /// Streams of the space that lack a row which others hang on.
    torn: Vec<StreamId>,
}

impl Filling<'_> {
    fn change(&mut self, change: Change) -> Result<(), StoreFailure> {
        let change = match change {
            // It is restored as one that cannot be read: whoever looks for it knows that it was there.
            Change::Lost(key) => {
                self.torn.extend(rejoin::hangs_on(&key));
                Change::Put(key, Vec::new())
            }
            Change::LeftOut => {
                self.torn.clear();
                Change::Clear(Vec::new())
            }
            change @ (Change::Put(..) | Change::Delete(_) | Change::Clear(_)) => change,
        };
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
        if self.bytes >= GROUP_BYTES { self.write() } else { Ok(()) }
    }

    /// The space has ended: what of it is torn is made anew of what is left.
    fn rejoin(&mut self) -> Result<(), StoreFailure> {
        let mut torn = std::mem::take(&mut self.torn);
        torn.sort_unstable();
        torn.dedup();
        for stream in torn {
            self.write()?;
            for change in rejoin::changes(self.store, &self.space, &stream)? {
                self.change(change)?;
            }
        }
        Ok(())
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

/// Adds to a commit and says what that costs.
fn add(commit: &mut Commit, change: Change) -> usize {
    let bytes = match change {
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
        Change::Lost(_) | Change::LeftOut => 0,
    };
    bytes + CHANGE_COST
}

/// What a change costs beside its bytes: it may be the only one of its commit, which has a space of its own.
const CHANGE_COST: usize = 512;

const NO_EPOCH: &str = "it is of an epoch behind which there is none";
