//! What a store and the thread that carries share.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::{Builder, JoinHandle, panicking};

use causeway_core::storage::{Commit, CommitError, FailureKind, StoreFailure};

use super::WriteAheadLimits;
use super::carry::{Load, carry, clear};
use super::failing::Failing;
use super::table::{Layers, Table};
use super::tail::Tail;
use super::view::View;
use crate::database::Database;
use crate::folder::tip::Tip;
use crate::folder::{FolderLock, io_failure};
use crate::rows::layout;
use crate::{Space, limits};

/// A data folder that is open. Whoever needs several of its locks takes them in this order: `tail`, `busy`, `layers`.
pub(super) struct Shared {
    pub(super) limits: WriteAheadLimits,
    pub(super) tail: Mutex<Tail>,
    pub(super) layers: RwLock<Layers>,
    pub(super) tip: Tip,
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

    /// Puts the log on the disk, and notes how far it is.
    pub(super) fn sync(&self, tail: &mut Tail) -> Result<(), StoreFailure> {
        let synced = tail.sync();
        let noted = synced.and_then(|news| news.map_or(Ok(()), |number| self.tip.note(number)));
        noted.map_err(|e| self.failing.fail(io_failure(&e)))
    }

    /// Whether there is enough to be carried. What another life left behind always is: a program that is killed each time does
    /// not have its whole life to read. It waits for the first commit, which finds out whether the disk takes anything.
    pub(super) fn has_enough(&self, tail: &Tail) -> bool {
        let newest = self.layers().newest.bytes();
        newest > 0 && (tail.has_older_files() || self.is_beyond(self.limits.carry_bytes, newest, tail))
    }

    /// Whether there are so many rows that no more are taken.
    pub(super) fn is_full(&self, tail: &Tail) -> bool {
        self.is_beyond(self.limits.full_bytes, self.layers().bytes(), tail)
    }

    /// A row that is written again and again makes the log longer and the memory no fuller.
    fn is_beyond(&self, bytes: usize, in_memory: usize, tail: &Tail) -> bool {
        in_memory >= bytes || tail.bytes() >= 2 * bytes as u64
    }

    /// Begins to carry what there is, on a thread of its own; nothing where that is already being done. Where the system gives
    /// no thread it is done on this one.
    pub(super) fn begin_to_carry(
        self: &Arc<Self>,
        tail: &mut Tail,
    ) -> Result<Option<JoinHandle<()>>, StoreFailure> {
        if *self.busy() {
            return Ok(None);
        }
        let (table, load) = self.take_up(tail)?;
        // Let go of before a thread is asked for: whoever carries, or is not given to it, says that it is done.
        *self.busy() = true;
        let carrying = Carrying(Arc::clone(self));
        let ours = (Arc::clone(&table), load.clone());
        match Builder::new().name("store-carrier".into()).spawn(move || carrying.run(&table, &load)) {
            Ok(thread) => Ok(Some(thread)),
            Err(_) => {
                let (table, load) = ours;
                Carrying(Arc::clone(self)).run(&table, &load);
                self.failing.check_writing().map(|()| None)
            }
        }
    }

    /// Makes the rows that came last those that are carried.
    fn take_up(&self, tail: &mut Tail) -> Result<(Arc<Table>, Load), StoreFailure> {
        self.sync(tail)?;
        let load = tail.turn();
        let mut layers = self.layers_to_change();
        let table = Arc::new(mem::take(&mut layers.newest));
        layers.carried = Some(Arc::clone(&table));
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
        if tail.bytes() == 0 {
            return Ok(());
        }
        let (table, load) = self.take_up(&mut tail)?;
        self.carry(&table, &load)
    }

    fn carry(&self, table: &Table, load: &Load) -> Result<(), StoreFailure> {
        let go_on = || self.failing.first().map_or(Ok(()), |first| Err(first.clone()));
        let piece_bytes = self.limits.piece_bytes.min(self.database.piece_bytes());
        carry(table, load, &*self.database, piece_bytes, go_on)?;
        self.layers_to_change().carried = None;
        clear(load)
    }
}

/// A thread's part in it, which ends however the thread does.
struct Carrying(Arc<Shared>);

impl Carrying {
    fn run(self, table: &Table, load: &Load) {
        if let Err(failure) = self.0.carry(table, load) {
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
