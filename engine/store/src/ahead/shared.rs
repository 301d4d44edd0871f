//! What a store and the thread that carries share.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::{JoinHandle, panicking};

use causeway_core::storage::{Commit, CommitError, FailureKind, StoreFailure};
use tracing::warn;

use super::WriteAheadLimits;
use super::carry::{Carry, Load, clear};
use super::failing::Failing;
use super::table::{Layers, Table};
use super::tail::Tail;
use super::view::View;
use crate::database::{Database, Row};
use crate::folder::tip::Tip;
use crate::folder::{FolderLock, Mark, free_bytes, io_failure};
use crate::limits::{KEPT_BYTES, ROW_COST, SPARE_BYTES};
use crate::rows::layout;
use crate::{Space, limits};

/// A data folder that is open. Whoever needs several of its locks takes them in this order: `tail`, `busy`, `layers`.
pub(super) struct Shared {
    pub(super) limits: WriteAheadLimits,
    pub(super) folder: PathBuf,
    pub(super) tail: Mutex<Tail>,
    pub(super) layers: RwLock<Layers>,
    pub(super) tip: Tip,
    /// Stands while the database is written to.
    pub(super) mark: Mark,
    /// Too much of the database was found to be unwritable: nothing is carried any more.
    pub(super) is_unwritable: AtomicBool,
    pub(super) failing: Failing,
    /// Whether rows are being carried.
    pub(super) busy: Mutex<bool>,
    /// They no longer are.
    pub(super) idle: Condvar,
    pub(super) database: Box<dyn Database>,
    /// Released last, after the database has closed its files.
    pub(super) _lock: FolderLock,
}

impl Shared {
    /// Nothing of ours panics while one of the locks is held, and databases are guarded.
    pub(super) fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn layers(&self) -> RwLockReadGuard<'_, Layers> {
        self.layers.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn layers_to_change(&self) -> RwLockWriteGuard<'_, Layers> {
        self.layers.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn busy(&self) -> MutexGuard<'_, bool> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds commits to the records that wait and to the rows in memory.
    pub(super) fn stage_all(
        &self,
        tail: &mut Tail,
        group: &[(Space, Commit)],
    ) -> Vec<Result<(), CommitError>> {
        let mut layers = self.layers_to_change();
        let stage = |(space, commit): &(Space, Commit)| self.stage(tail, &mut layers, space, commit);
        group.iter().map(stage).collect()
    }

    fn stage(
        &self,
        tail: &mut Tail,
        layers: &mut Layers,
        space: &Space,
        commit: &Commit,
    ) -> Result<(), CommitError> {
        limits::check(commit)?;
        let view = View { layers, database: &*self.database };
        for expect in &commit.expect {
            let found = view.get(space, &expect.key)?;
            if found != expect.value {
                return Err(CommitError::Conflict { key: expect.key.clone() });
            }
        }
        let mut cleared = Vec::new();
        for prefix in &commit.delete_prefix {
            cleared.extend(view.keys(space, prefix)?);
        }
        let gone = commit.delete.iter().chain(&cleared).map(|key| (&key[..], None));
        let changes = gone.chain(commit.put.iter().map(|(key, value)| (&key[..], Some(&value[..]))));
        if changes.clone().next().is_none() {
            return Ok(());
        }
        tail.stage(space, changes.clone())?;
        for (key, value) in changes {
            layers.newest.set(layout::key(space, key), value.map(<[u8]>::to_vec));
        }
        Ok(())
    }

    /// Puts the log on the disk, and notes how far it is. Whoever waited for the tail may find that somebody else has failed: an
    /// fsync that is asked once more says that all is well.
    pub(super) fn sync(&self, tail: &mut Tail) -> Result<(), StoreFailure> {
        self.failing.check_writing()?;
        let synced = tail.sync();
        let noted = synced.and_then(|news| news.map_or(Ok(()), |number| self.tip.note(number)));
        noted.map_err(|e| self.failing.fail(io_failure(&e)))
    }

    /// Whether there is enough to be carried. What another life left behind always is: a program that is killed each time does
    /// not have its whole life to read. It waits for the first commit, which finds out whether the disk takes anything.
    pub(super) fn has_enough(&self, tail: &Tail) -> bool {
        let newest = self.layers().bytes_of_newest();
        newest > 0 && (tail.has_older_files() || self.is_beyond(self.limits.carry_bytes, newest, tail))
    }

    /// Whether there are so many rows that no more are taken.
    pub(super) fn is_full(&self, tail: &Tail) -> bool {
        self.is_beyond(self.limits.full_bytes, self.layers().bytes(), tail)
    }

    /// Whether there is room for so many bytes of rows. It is the log that is to meet a full disk, which takes no harm from it.
    fn has_room(&self, bytes: usize) -> bool {
        let wanted = self.database.grows_by(bytes as u64);
        free_bytes(&self.folder).is_none_or(|free| free >= wanted.saturating_add(SPARE_BYTES))
    }

    /// Whether there is room for two pieces of what came last, so that what was stopped is not begun again at once.
    fn has_room_to_begin(&self) -> bool {
        self.has_room(self.layers().newest.bytes().min(2 * self.piece_bytes()))
    }

    fn piece_bytes(&self) -> usize {
        self.limits.piece_bytes.min(self.database.piece_bytes())
    }

    /// A row that is written again and again makes the log longer and the memory no fuller.
    fn is_beyond(&self, bytes: usize, in_memory: usize, tail: &Tail) -> bool {
        in_memory >= bytes || tail.bytes() >= 2 * bytes as u64
    }

    /// Begins to carry what there is, on a thread of its own or, where the system gives none, on this one.
    pub(super) fn begin_to_carry(
        self: &Arc<Self>,
        tail: &mut Tail,
        spawn: impl FnOnce(Work) -> io::Result<JoinHandle<()>>,
    ) -> Result<Begun, StoreFailure> {
        if *self.busy() {
            return Ok(Begun::Before);
        }
        if self.is_unwritable.load(Ordering::SeqCst) {
            return Ok(Begun::Unwritable);
        }
        if !self.has_room_to_begin() {
            return Ok(Begun::NoRoom);
        }
        let (table, load) = self.take_up(tail)?;
        // Let go of before a thread is asked for: whoever carries, or is not given to it, says that it is done.
        *self.busy() = true;
        let carrying = Carrying(Arc::clone(self));
        let ours = (Arc::clone(&table), load.clone());
        match spawn(Box::new(move || carrying.run(&table, &load, None))) {
            Ok(thread) => Ok(Begun::On(thread)),
            Err(_) => {
                let (table, load) = ours;
                Carrying(Arc::clone(self)).run(&table, &load, Some(tail));
                self.failing.check_writing().map(|()| Begun::Before)
            }
        }
    }

    /// Makes the rows that came last those that are carried.
    fn take_up(&self, tail: &mut Tail) -> Result<(Arc<Table>, Load), StoreFailure> {
        self.sync(tail)?;
        let load = tail.turn();
        let mut layers = self.layers_to_change();
        let table = layers.take_up();
        Ok((table, load))
    }

    /// Returns when nothing is being carried.
    pub(super) fn wait_until_carried(&self) {
        let idle = self.idle.wait_while(self.busy(), |busy| *busy);
        drop(idle.unwrap_or_else(PoisonError::into_inner));
    }

    /// Carries everything, on this thread, if nothing is being carried and a commit was taken: who only reads changes nothing.
    pub(super) fn carry_the_rest(&self) -> Result<(), StoreFailure> {
        let mut tail = self.tail();
        let may = self.has_room_to_begin() && !self.is_unwritable.load(Ordering::SeqCst);
        if !tail.has_taken() || !may {
            return Ok(());
        }
        let (table, load) = self.take_up(&mut tail)?;
        self.carry(&table, &load, Some(&mut tail))
    }

    /// Carries a table, or puts it back where not all of it can be. Whoever holds the tail lends it.
    fn carry(&self, table: &Table, load: &Load, tail: Option<&mut Tail>) -> Result<(), StoreFailure> {
        let wanted = self.piece_bytes().min(table.bytes());
        let goes_on =
            || self.failing.first().map_or_else(|| Ok(self.has_room(wanted)), |first| Err(first.clone()));
        let database = &*self.database;
        // What refuses everything is not marked for it.
        database.check()?;
        self.mark.set().map_err(|e| io_failure(&e))?;
        let rest = Carry { database, piece_bytes: self.piece_bytes() }.rows(table, goes_on)?;
        let bytes = rest.left.iter().map(|row| cost(*row)).sum::<usize>();
        if !rest.is_all || bytes > KEPT_BYTES {
            database.sync()?;
            self.mark.clear().map_err(|e| io_failure(&e))?;
            self.is_unwritable.fetch_or(bytes > KEPT_BYTES, Ordering::SeqCst);
            warn!(bytes, "rows stay in the log, as the database cannot take them");
            self.with(tail, |tail| {
                tail.take_back(load);
                self.layers_to_change().put_back();
            });
            return Ok(());
        }
        if !rest.left.is_empty() {
            self.with(tail, |tail| self.keep(tail, &rest.left))?;
        }
        database.write(&[], Some(load.batch))?;
        database.sync()?;
        self.layers_to_change().carried = None;
        self.mark.clear().map_err(|e| io_failure(&e))?;
        clear(load)
    }

    /// Does something at the tail, which may have been lent.
    fn with<T>(&self, tail: Option<&mut Tail>, work: impl FnOnce(&mut Tail) -> T) -> T {
        match tail {
            Some(tail) => work(tail),
            None => work(&mut self.tail()),
        }
    }

    /// Writes rows to the end of the log that cannot be written to the database, unless newer ones stand there. They stay in
    /// memory, and are tried again with whatever is carried next.
    pub(super) fn keep(&self, tail: &mut Tail, left: &[Row<'_>]) -> Result<(), StoreFailure> {
        self.failing.check()?;
        warn!(rows = left.len(), "places of the database cannot be written; their rows stay in the log");
        let mut kept = 0;
        let mut layers = self.layers_to_change();
        for (tree_key, value) in left {
            let Some(space) = layout::space_of(tree_key).filter(|_| !layers.newest.holds(tree_key)) else {
                continue;
            };
            tail.stage_kept(&space, (layout::key_of(tree_key), *value))?;
            layers.newest.set(tree_key.to_vec(), value.map(<[u8]>::to_vec));
            kept += cost((tree_key, *value));
        }
        layers.kept = kept;
        drop(layers);
        tail.write().map_err(|e| io_failure(&e))?;
        self.sync(tail)
    }
}

/// What a row costs in memory.
fn cost((key, value): Row<'_>) -> usize {
    key.len() + value.map_or(0, <[u8]>::len) + ROW_COST
}

/// What a thread is given to do.
pub(super) type Work = Box<dyn FnOnce() + Send>;

/// What came of an attempt to carry.
#[derive(Debug)]
pub(super) enum Begun {
    /// A thread does it.
    On(JoinHandle<()>),
    /// It was being done already, or is done.
    Before,
    /// The disk has no room for it.
    NoRoom,
    /// Too much of the database cannot be written.
    Unwritable,
}

/// A thread's part in it, which ends however the thread does.
struct Carrying(Arc<Shared>);

impl Carrying {
    fn run(self, table: &Table, load: &Load, tail: Option<&mut Tail>) {
        if let Err(failure) = self.0.carry(table, load, tail) {
            self.0.failing.fail_in_passing(failure);
        }
    }
}

impl Drop for Carrying {
    fn drop(&mut self) {
        if panicking() {
            let sentence = "The store's thread gave up; open the store again.";
            self.0.failing.fail_in_passing(StoreFailure::new(FailureKind::Closed, sentence));
        }
        *self.0.busy() = false;
        self.0.idle.notify_all();
    }
}
