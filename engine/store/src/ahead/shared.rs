//! What a store and the thread that carries share.

use std::io;
use std::mem;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::{JoinHandle, panicking};

use causeway_core::storage::{Commit, CommitError, FailureKind, StoreFailure};
use tracing::warn;

use super::carry::{Carry, Load, Stop, clear};
use super::failing::Failing;
use super::table::{Layers, Table};
use super::tail::Tail;
use super::view::View;
use super::{HeldUp, WriteAheadLimits};
use crate::database::Database;
use crate::folder::tip::Tip;
use crate::folder::{FolderLock, Mark, free_bytes, io_failure};
use crate::limits::{REDB_PIECE_ROWS, SPARE_BYTES};
use crate::rows::layout;
use crate::{Condition, Space, limits, watch};

/// A data folder that is open. Whoever needs several of its locks takes them in this order: `tail`, `busy`, `layers`.
pub(super) struct Shared {
    pub(super) limits: WriteAheadLimits,
    pub(super) folder: PathBuf,
    pub(super) tail: Mutex<Tail>,
    pub(super) layers: RwLock<Layers>,
    pub(super) tip: Tip,
    /// Stands while the database is written to.
    pub(super) mark: Mark,
    /// Some place of the database was found to be unwritable: nothing is carried any more.
    pub(super) is_unwritable: AtomicBool,
    /// Bytes that have to be free before rows are carried again, once there were too few.
    pub(super) wanted_bytes: AtomicU64,
    pub(super) failing: Failing,
    pub(super) condition: Arc<Condition>,
    /// Whether rows are being carried.
    pub(super) busy: Mutex<bool>,
    /// They no longer are.
    pub(super) idle: Condvar,
    /// What the thread that carries is about.
    pub(super) carrying: Arc<watch::Work>,
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
        let places = self.reach(group);
        let mut layers = self.layers_to_change();
        let staged = group.iter().zip(places).map(|((space, commit), place)| {
            place?;
            self.stage(tail, &mut layers, space, commit)
        });
        staged.collect()
    }

    /// Of each commit whether all rows that it changes can be written to the database one day, as far as that can be told: whoever
    /// writes where the disk does not read is told so, and not that it is saved. Rows that the log has were asked for before.
    fn reach(&self, group: &[(Space, Commit)]) -> Vec<Result<(), StoreFailure>> {
        let (mut keys, mut ends) = (Vec::new(), Vec::with_capacity(group.len()));
        let layers = self.layers();
        for (space, commit) in group {
            // One that is out of bounds is refused for that.
            if limits::check(commit).is_ok() {
                let changed = commit.delete.iter().chain(commit.put.iter().map(|(key, _)| key));
                let changed = changed.map(|key| layout::key(space, key));
                keys.extend(changed.filter(|tree_key| layers.get(tree_key).is_none()));
            }
            ends.push(keys.len());
        }
        drop(layers);
        if keys.is_empty() {
            return vec![Ok(()); group.len()];
        }
        match self.database.reach(&keys) {
            Ok(places) => {
                let mut places = places.into_iter();
                let mut before = 0;
                let all = |end: usize| {
                    let of_commit = places.by_ref().take(end - mem::replace(&mut before, end));
                    // To the last of them, or the next commit would be given what is left.
                    of_commit.fold(Ok(()), Result::and)
                };
                ends.into_iter().map(all).collect()
            }
            Err(failure) => vec![Err(failure); group.len()],
        }
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
        let places: Vec<_> = cleared.iter().map(|key| layout::key(space, key)).collect();
        if !places.is_empty() {
            self.database.reach(&places)?.into_iter().collect::<Result<(), _>>()?;
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
        let newest = self.layers().newest.bytes();
        newest > 0 && (tail.has_older_files() || self.is_beyond(self.limits.carry_bytes, newest, tail))
    }

    /// Notes how things stand, for whoever runs the store.
    pub(super) fn note_condition(&self, tail: &Tail) {
        let is_unwritable = self.is_unwritable.load(Ordering::SeqCst);
        self.condition.note_log(tail.bytes());
        if is_unwritable {
            self.condition.note_held_up(true);
        }
        if self.condition.note_refusing(is_unwritable && self.is_full(tail)) {
            warn!(
                "the store takes nothing more, as a part of its database cannot be written and its log is full: make a backup, and \
                 restore it into another folder"
            );
        }
    }

    /// Whether there are so many rows that no more are taken.
    pub(super) fn is_full(&self, tail: &Tail) -> bool {
        self.is_beyond(self.limits.full_bytes, self.layers().bytes(), tail)
    }

    /// Whether there is room for so many rows of so many bytes. It is the log that is to meet a full disk, which takes no harm from
    /// it.
    fn has_room(&self, rows: usize, bytes: usize) -> bool {
        let wanted = self.database.grows_by(rows, bytes as u64).saturating_add(SPARE_BYTES);
        let has_room = free_bytes(&self.folder).is_none_or(|free| free >= wanted);
        self.wanted_bytes.store(if has_room { 0 } else { wanted }, Ordering::SeqCst);
        has_room
    }

    /// Whether there is room for two pieces of what came last, and for the one for which there was none, so that what was stopped
    /// is not begun again at once.
    fn has_room_to_begin(&self) -> bool {
        let wanted = self.wanted_bytes.load(Ordering::SeqCst);
        if free_bytes(&self.folder).is_some_and(|free| free < wanted) {
            return false;
        }
        let (rows, bytes) = {
            let newest = &self.layers().newest;
            (newest.rows(), newest.bytes())
        };
        self.has_room(rows.min(2 * REDB_PIECE_ROWS), bytes.min(2 * self.limits.piece_bytes))
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
            return Ok(Begun::Not(HeldUp::Unwritable));
        }
        if !self.has_room_to_begin() {
            self.condition.note_held_up(true);
            return Ok(Begun::Not(HeldUp::NoRoom));
        }
        let (table, load) = self.take_up(tail)?;
        // Let go of before a thread is asked for: whoever carries, or is not given to it, says that it is done.
        *self.busy() = true;
        let carrying = Carrying(Arc::clone(self));
        let ours = (Arc::clone(&table), load.clone());
        let about = Arc::clone(&self.carrying);
        let work = move || {
            let _about = about.begin();
            carrying.run(&table, &load, None);
        };
        match spawn(Box::new(work)) {
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

    /// Returns when nothing is being carried. Whoever waits gets on with whoever carries.
    pub(super) fn wait_until_carried(&self) {
        let _waits = self.carrying.wait_for();
        let idle = self.idle.wait_while(self.busy(), |busy| *busy);
        drop(idle.unwrap_or_else(PoisonError::into_inner));
    }

    /// Carries everything, on this thread, if nothing is being carried and a commit was taken: who only reads changes nothing.
    pub(super) fn carry_the_rest(&self) -> Result<(), StoreFailure> {
        let mut tail = self.tail();
        let has_rows = tail.has_taken() && self.layers().newest.rows() > 0;
        if !has_rows || self.is_unwritable.load(Ordering::SeqCst) || !self.has_room_to_begin() {
            return Ok(());
        }
        let (table, load) = self.take_up(&mut tail)?;
        self.carry(&table, &load, Some(&mut tail))
    }

    /// Carries a table, or puts back what of it cannot be. Whoever holds the tail lends it.
    fn carry(&self, table: &Table, load: &Load, tail: Option<&mut Tail>) -> Result<(), StoreFailure> {
        // What refuses everything is not marked for it.
        self.database.check()?;
        let attempt = self.mark.begin().map_err(|e| io_failure(&e))?;
        let stop = self.write(table, load).inspect_err(|failure| match failure.kind {
            // What the disk refused it may take the next time.
            FailureKind::Full | FailureKind::Io => attempt.take_back(),
            FailureKind::Closed | FailureKind::Damaged | FailureKind::TooLarge | FailureKind::Busy => {
                attempt.gave_up();
            }
        })?;
        self.mark.clear().map_err(|e| io_failure(&e))?;
        let Some(stop) = stop else {
            self.layers_to_change().carried = None;
            self.condition.note_held_up(false);
            return clear(&load.files);
        };
        warn!(why = ?stop.why, "rows stay in the log, as the database cannot take them");
        self.is_unwritable.fetch_or(stop.why == HeldUp::Unwritable, Ordering::SeqCst);
        self.condition.note_held_up(true);
        let put_back = |tail: &mut Tail| {
            tail.take_back(load);
            self.layers_to_change().put_back(stop.behind.as_deref());
            self.note_condition(tail);
        };
        match tail {
            Some(tail) => put_back(tail),
            None => put_back(&mut self.tail()),
        }
        Ok(())
    }

    /// Writes a table to the database, or as much of it as that takes. What was written is on the disk when this returns.
    fn write(&self, table: &Table, load: &Load) -> Result<Option<Stop>, StoreFailure> {
        let has_room = |rows, bytes| {
            watch::step();
            self.failing.first().map_or_else(|| Ok(self.has_room(rows, bytes)), |first| Err(first.clone()))
        };
        let database = &*self.database;
        let mut stop = Carry { database, piece_bytes: self.limits.piece_bytes }.rows(table, has_room)?;
        if stop.is_none() {
            match database.write(&[], Some(load.batch)) {
                Err(failure) if failure.kind == FailureKind::Damaged => {
                    stop = Some(Stop { why: HeldUp::Unwritable, behind: None });
                }
                written => written?,
            }
        }
        database.sync()?;
        Ok(stop)
    }
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
    /// Something is in the way.
    Not(HeldUp),
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
