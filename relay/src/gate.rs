//! The store behind a gate: when it fails, the gate closes it, opens it again and lets requests through anew.
//!
//! A store whose write or fsync has failed refuses everything until it is opened again, because nobody knows what of it
//! is on the disk. Rooms read their state anew from the store that was opened.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use causeway_core::storage::{Commit, CommitError, FailureKind, Page, Scan, StoreFailure};
use causeway_store::{MemoryStore, OpenError, Space, Store, StoreHandle, StoreKind, WriterLimits};
use tracing::{info, warn};

use crate::limits::{REOPEN_FIRST, REOPEN_MOST};

/// Where a relay keeps its rooms, and how to open it again.
pub struct Storage {
    first: Arc<dyn Store>,
    reopen: Reopen,
}

type Reopen = Box<dyn Fn() -> Result<Arc<dyn Store>, OpenError> + Send + Sync>;

impl Storage {
    /// The embedded store of the default kind in a data folder, which is made where there is none.
    ///
    /// # Errors
    /// One sentence; nothing was touched.
    pub fn folder(folder: PathBuf) -> Result<Self, OpenError> {
        Self::folder_of(StoreKind::default(), folder)
    }

    /// The embedded store of this kind in a data folder, which is made where there is none.
    ///
    /// # Errors
    /// One sentence; nothing was touched.
    pub fn folder_of(kind: StoreKind, folder: PathBuf) -> Result<Self, OpenError> {
        let open = move || {
            let store = kind.open(&folder)?;
            // What a process wrote before it died, or before an fsync failed, may be readable and not yet on the disk.
            // Rooms call saved what they read, so it is put there first.
            let refuse = |why: StoreFailure| OpenError::Io { folder: folder.clone(), what: why.to_string() };
            store.sync().map_err(refuse)?;
            Ok(store)
        };
        Ok(Self { first: open()?, reopen: Box::new(open) })
    }

    /// Nothing on a disk: everything is gone when the process ends.
    #[must_use]
    pub fn memory() -> Self {
        Self::of(Arc::new(MemoryStore::new()))
    }

    /// Any other store, which recovers from its failures by itself.
    #[must_use]
    pub fn of(store: Arc<dyn Store>) -> Self {
        let again = Arc::clone(&store);
        Self { first: store, reopen: Box::new(move || Ok(Arc::clone(&again))) }
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Storage")
    }
}

/// The one way of all rooms to the store. Cheap to clone.
#[derive(Clone)]
pub(crate) struct StoreGate {
    shared: Arc<Shared>,
}

struct Shared {
    reopen: Reopen,
    state: Mutex<State>,
}

struct State {
    /// Absent while the store is being opened again, and after the end.
    handle: Option<StoreHandle>,
    /// Counts the openings, so that a late answer of a store that was replaced is not taken for a new failure.
    opening: u64,
    /// Openings since a commit last succeeded; zero while all is well.
    attempts: u32,
    ended: bool,
}

impl StoreGate {
    pub(crate) fn open(storage: Storage) -> Self {
        let Storage { first, reopen } = storage;
        let handle = StoreHandle::spawn(first, WriterLimits::default());
        let state = State { handle: Some(handle), opening: 0, attempts: 0, ended: false };
        Self { shared: Arc::new(Shared { reopen, state: Mutex::new(state) }) }
    }

    /// Queues a commit. `reply` may run on this thread, at once.
    pub(crate) fn commit(
        &self,
        space: Space,
        commit: Commit,
        reply: impl FnOnce(Result<(), CommitError>) + Send + 'static,
    ) {
        let Some((handle, opening)) = self.handle() else { return reply(Err(closed().into())) };
        let gate = self.clone();
        handle.commit(space, commit, move |answer| {
            match &answer {
                Ok(()) => gate.note_success(opening),
                Err(CommitError::Failed(failure)) => gate.note_failure(opening, failure),
                Err(CommitError::Conflict { .. }) => {}
            }
            reply(answer);
        });
    }

    /// Queues a scan. `reply` may run on this thread, at once.
    pub(crate) fn scan(
        &self,
        space: Space,
        scan: Scan,
        reply: impl FnOnce(Result<Page, StoreFailure>) + Send + 'static,
    ) {
        let Some((handle, opening)) = self.handle() else { return reply(Err(closed())) };
        let gate = self.clone();
        handle.scan(space, scan, move |answer| {
            if let Err(failure) = &answer {
                gate.note_failure(opening, failure);
            }
            reply(answer);
        });
    }

    /// Whether the store takes what it is given, as far as was last seen.
    pub(crate) fn works(&self) -> bool {
        let state = self.state();
        state.attempts == 0 && state.handle.is_some()
    }

    /// Writes what waits, syncs a last time and lets go of the store. Blocks for as long as the disk does.
    pub(crate) fn close(&self) -> Result<(), StoreFailure> {
        let handle = {
            let mut state = self.state();
            state.ended = true;
            state.handle.take()
        };
        handle.map_or(Ok(()), StoreHandle::close)
    }

    fn handle(&self) -> Option<(StoreHandle, u64)> {
        let state = self.state();
        state.handle.clone().map(|handle| (handle, state.opening))
    }

    fn note_success(&self, opening: u64) {
        let mut state = self.state();
        if state.attempts > 0 && state.opening == opening {
            state.attempts = 0;
            info!("the store works again");
        }
    }

    fn note_failure(&self, opening: u64, failure: &StoreFailure) {
        let passes = match failure.kind {
            // These concern one request, or one range; opening again would change nothing.
            FailureKind::Busy | FailureKind::TooLarge | FailureKind::Damaged => true,
            FailureKind::Full | FailureKind::Closed | FailureKind::Io => false,
        };
        let mut state = self.state();
        if passes || state.ended || state.opening != opening {
            return;
        }
        let Some(failed) = state.handle.take() else { return };
        if state.attempts == 0 {
            warn!(code = failure.code(), %failure, "the store fails; work stays on the devices until it is open again");
        }
        drop(state);
        let gate = self.clone();
        // Not on this thread, which is one of the store's own and is waited for.
        std::thread::spawn(move || gate.open_again(failed));
    }

    fn open_again(&self, failed: StoreHandle) {
        // The failure is known; what matters is that the threads have ended and the folder is free.
        let _ = failed.close();
        loop {
            let attempts = {
                let mut state = self.state();
                if state.ended {
                    return;
                }
                state.attempts = state.attempts.saturating_add(1);
                state.attempts
            };
            std::thread::sleep(REOPEN_FIRST.saturating_mul(1 << (attempts - 1).min(16)).min(REOPEN_MOST));
            let Ok(store) = (self.shared.reopen)() else { continue };
            let mut state = self.state();
            if !state.ended {
                state.opening += 1;
                state.handle = Some(StoreHandle::spawn(store, WriterLimits::default()));
            }
            return;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for StoreGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreGate")
    }
}

fn closed() -> StoreFailure {
    StoreFailure::new(FailureKind::Closed, "The store is being opened again; try again in a moment.")
}
