//! The store behind a gate: when it fails, the gate closes it, opens it again and lets requests through anew.
//!
//! A store whose write or fsync has failed refuses everything until it is opened again, because nobody knows what of it
//! is on the disk. Until then requests are answered with the failure that closed it; whoever asked asks again later.
//!
//! A store that stands still, a call of which does not come back, cannot be opened again: the call still has it. The gate only sees
//! that, if somebody looks; what helps is a new process.

mod storage;

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use causeway_core::storage::{Commit, CommitError, FailureKind, Page, Scan, StoreFailure};
use tracing::{info, warn};

use self::storage::Reopen;
pub use self::storage::Storage;
use crate::folder::Past;
use crate::limits::{READ_PATIENCE, REOPEN_FIRST, REOPEN_MOST, REOPEN_TRUST};
use crate::tap::{Following, Tap};
use crate::watch::Watch;
use crate::{Condition, Space, StoreHandle, WriterLimits};

/// The one way of all rooms to the store. Cheap to clone; all clones are one gate.
///
/// Requests are those of [`StoreHandle`], with its bounds and its order. Once the last clone is gone the gate lets go of
/// the store after what waits was written.
#[derive(Clone)]
pub struct StoreGate {
    held: Arc<Held>,
}

/// What the clones of a gate share; requests under way and the thread that opens the store again hold only what is
/// inside, so that they do not keep an abandoned gate alive.
struct Held(Arc<Shared>);

struct Shared {
    reopen: Reopen,
    tap: Tap,
    watch: Watch,
    /// How long a call may get no further.
    patience: Duration,
    state: Mutex<State>,
    /// The gate has ended, or an opening has.
    moved: Condvar,
}

struct State {
    /// Absent while the store is being opened again, and after the end.
    handle: Option<StoreHandle>,
    /// Of the store that is open, or was last.
    condition: Arc<Condition>,
    /// Counts the openings, so that a late answer of a store that was replaced is not taken for a new failure.
    opening: u64,
    /// A commit has succeeded since it was opened, or nothing has failed yet.
    proven: bool,
    /// Openings, since it last went well for a while: on a disk that is nearly full small commits may pass between them.
    attempts: u32,
    /// When it was last opened again.
    reopened: Option<Instant>,
    /// The last failure: what whoever asks meanwhile is told.
    why: StoreFailure,
    /// What happened to the store that is open, or was last.
    past: Past,
    /// A thread is at it.
    reopening: bool,
    ended: bool,
}

impl StoreGate {
    /// Starts the threads of the store.
    ///
    /// # Panics
    /// When the operating system starts no thread.
    #[must_use]
    pub fn open(storage: Storage) -> Self {
        let (tap, watch) = (Tap::default(), Watch::default());
        let before = (tap.clone(), watch.clone());
        let Storage { first, reopen, patience } =
            storage.watched(move |store| before.1.before(before.0.before(store)));
        let condition = first.condition();
        let handle = StoreHandle::spawn(first, WriterLimits::default());
        let state = State {
            condition,
            handle: Some(handle),
            opening: 0,
            proven: true,
            attempts: 0,
            reopened: None,
            why: StoreFailure::new(FailureKind::Closed, "The store was closed."),
            past: Past::Plain,
            reopening: false,
            ended: false,
        };
        let (state, moved) = (Mutex::new(state), Condvar::new());
        let shared = Shared { reopen, tap, watch, patience, state, moved };
        Self { held: Arc::new(Held(Arc::new(shared))) }
    }

    /// Queues a commit. `reply` may run on this thread, at once.
    pub fn commit(
        &self,
        space: Space,
        commit: Commit,
        reply: impl FnOnce(Result<(), CommitError>) + Send + 'static,
    ) {
        let (handle, opening) = match self.shared().handle() {
            Ok(open) => open,
            Err(why) => return reply(Err(why.into())),
        };
        let shared = Arc::clone(self.shared());
        handle.commit(space, commit, move |answer| {
            match &answer {
                Ok(()) => shared.note_success(opening),
                Err(CommitError::Failed(failure)) => shared.note_failure(opening, failure),
                Err(CommitError::Conflict { .. }) => {}
            }
            reply(answer);
        });
    }

    /// Queues a scan. `reply` may run on this thread, at once.
    pub fn scan(
        &self,
        space: Space,
        scan: Scan,
        reply: impl FnOnce(Result<Page, StoreFailure>) + Send + 'static,
    ) {
        let (handle, opening) = match self.shared().handle() {
            Ok(open) => open,
            Err(why) => return reply(Err(why)),
        };
        let shared = Arc::clone(self.shared());
        handle.scan(space, scan, move |answer| {
            if let Err(failure) = &answer {
                shared.note_unread(opening, failure);
            }
            reply(answer);
        });
    }

    /// Queues a question for the spaces that hold at least one row, from behind `after`, at most `max` of them. `reply` may
    /// run on this thread, at once.
    pub fn spaces(
        &self,
        after: Option<Space>,
        max: usize,
        reply: impl FnOnce(Result<Vec<Space>, StoreFailure>) + Send + 'static,
    ) {
        let (handle, opening) = match self.shared().handle() {
            Ok(open) => open,
            Err(why) => return reply(Err(why)),
        };
        let shared = Arc::clone(self.shared());
        handle.spaces(after, max, move |answer| {
            if let Err(failure) = &answer {
                shared.note_unread(opening, failure);
            }
            reply(answer);
        });
    }

    /// The same as [`scan`](Self::scan), and waits for the page; a store that has too much to do is asked again. Blocks.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn scan_and_wait(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        wait(|reply| self.scan(space.clone(), scan.clone(), reply))
    }

    /// The same as [`spaces`](Self::spaces), and waits for them. Blocks.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn spaces_and_wait(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        wait(|reply| self.spaces(after.cloned(), max, reply))
    }

    /// The same as [`commit`](Self::commit), and waits until it is made. Blocks.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub fn commit_and_wait(&self, space: &Space, commit: Commit) -> Result<(), CommitError> {
        let (answer, answered) = mpsc::channel();
        // We wait for it.
        self.commit(space.clone(), commit, move |done| drop(answer.send(done)));
        answered.recv().unwrap_or_else(|_| Err(no_answer().into()))
    }

    /// The right to take down what is committed to one space after the other; nothing where somebody else has it.
    pub(crate) fn follow(&self) -> Option<Following> {
        self.shared().tap.follow()
    }

    /// Whether the store takes what it is given, as far as was last seen. Where nobody commits anything after it was
    /// opened again, a while without a failure is enough.
    #[must_use]
    pub fn works(&self) -> bool {
        if self.stands_still() >= self.shared().patience {
            return false;
        }
        let state = self.shared().state();
        let trusted = || state.reopened.is_some_and(|at| at.elapsed() >= REOPEN_TRUST);
        state.handle.is_some() && state.condition.takes_commits() && (state.proven || trusted())
    }

    /// How the store that is open stands, or the last one did. Waits for nothing.
    #[must_use]
    pub fn condition(&self) -> Arc<Condition> {
        Arc::clone(&self.shared().state().condition)
    }

    /// For how long a call to the store, or closing or opening it again, has got no further, as far as somebody has looked; zero
    /// where none is under way. What was called saved is saved, and nothing in this process can free a call that waits for
    /// ever: whoever can end the process and have it started anew should. Waits for nothing.
    #[must_use]
    pub fn stands_still(&self) -> Duration {
        self.shared().watch.stands_still()
    }

    /// Looks at the calls that are under way, `passed` after the last look; where nobody looks none is ever seen to stand still.
    /// A process that was stopped meanwhile has not waited for its disk: whoever looks every second had better not say that
    /// minutes have passed. Answers as [`stands_still`](Self::stands_still) does.
    pub fn look(&self, passed: Duration) -> Duration {
        self.shared().watch.look(passed);
        self.stands_still()
    }

    /// Writes what waits, syncs a last time and lets go of the store: afterwards its folder is free. Blocks for as long as
    /// the disk does, and must not be called from a reply.
    ///
    /// # Errors
    /// When the last sync failed: relaxed commits may be lost by a power cut. Strict ones had their own answers.
    pub fn close(&self) -> Result<(), StoreFailure> {
        let handle = self.shared().end();
        let closed = handle.map_or(Ok(()), StoreHandle::close);
        let shared = self.shared();
        let opened = shared.moved.wait_while(shared.state(), |state| state.reopening);
        drop(opened);
        closed
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.held.0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.0.end());
    }
}

impl Shared {
    /// The store and the number of its opening, or why there is none.
    fn handle(&self) -> Result<(StoreHandle, u64), StoreFailure> {
        let state = self.state();
        let handle = state.handle.clone().ok_or_else(|| state.why.clone())?;
        Ok((handle, state.opening))
    }

    /// Nothing is let through any more, and nothing opened again.
    fn end(&self) -> Option<StoreHandle> {
        let mut state = self.state();
        state.ended = true;
        self.moved.notify_all();
        state.handle.take()
    }

    fn note_success(&self, opening: u64) {
        let mut state = self.state();
        if !state.proven && state.opening == opening {
            state.proven = true;
            info!("the store works again");
        }
    }

    /// What cannot be read concerns whoever asked for it. Only a store that reads nothing any more is opened again.
    fn note_unread(self: &Arc<Self>, opening: u64, failure: &StoreFailure) {
        match failure.kind {
            FailureKind::Closed => self.note_failure(opening, failure),
            FailureKind::Busy
            | FailureKind::TooLarge
            | FailureKind::Damaged
            | FailureKind::Full
            | FailureKind::Io => {}
        }
    }

    fn note_failure(self: &Arc<Self>, opening: u64, failure: &StoreFailure) {
        let past = match failure.kind {
            // These concern one request, or one range; opening again would change nothing.
            FailureKind::Busy | FailureKind::TooLarge | FailureKind::Damaged => return,
            FailureKind::Closed => Past::Plain,
            FailureKind::Full | FailureKind::Io => Past::DiskFailed,
        };
        let mut state = self.state();
        if state.ended || state.opening != opening {
            return;
        }
        if past == Past::DiskFailed {
            // Also where somebody has met the closed store first.
            state.past = past;
        }
        let Some(failed) = state.handle.take() else { return };
        if state.reopened.is_some_and(|at| at.elapsed() >= REOPEN_TRUST) {
            state.attempts = 0;
        }
        if state.attempts == 0 {
            warn!(code = failure.code(), %failure, "the store fails; work waits until it is open again");
        }
        state.why = failure.clone();
        state.proven = false;
        state.reopening = true;
        drop(state);
        let shared = Arc::clone(self);
        // Not on this thread, which is one of the store's own and is waited for.
        std::thread::spawn(move || shared.open_again(failed));
    }

    fn open_again(&self, failed: StoreHandle) {
        let closing = self.watch.begin();
        // The failure is known; what matters is that the threads have ended, every answer was noted and the folder is free.
        let _ = failed.close();
        drop(closing);
        while let Some(pause) = self.next_pause() {
            let waited = self.moved.wait_timeout_while(self.state(), pause, |state| !state.ended);
            if waited.unwrap_or_else(PoisonError::into_inner).0.ended {
                break;
            }
            let past = self.state().past;
            let opening = self.watch.begin_to_open();
            let Ok(store) = (self.reopen)(past) else { continue };
            drop(opening);
            let mut state = self.state();
            if !state.ended {
                state.opening += 1;
                state.past = Past::Plain;
                state.reopened = Some(Instant::now());
                state.condition = store.condition();
                state.handle = Some(StoreHandle::spawn(store, WriterLimits::default()));
            }
            break;
        }
        self.state().reopening = false;
        self.moved.notify_all();
    }

    /// How long to wait before the next attempt, which it counts; nothing after the end.
    fn next_pause(&self) -> Option<Duration> {
        let mut state = self.state();
        let doubled = REOPEN_FIRST.saturating_mul(1 << state.attempts.min(16));
        state.attempts = state.attempts.saturating_add(1);
        (!state.ended).then(|| doubled.min(REOPEN_MOST))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the store's answer, and asks again while it has too much to do.
fn wait<T: Send + 'static>(
    question: impl Fn(Box<dyn FnOnce(Result<T, StoreFailure>) + Send>),
) -> Result<T, StoreFailure> {
    for pause in READ_PATIENCE {
        // One for each question: a store that lets go of it without an answer is not waited for.
        let (answers, answered) = mpsc::channel();
        question(Box::new(move |answer| drop(answers.send(answer))));
        match answered.recv() {
            Ok(Err(busy)) if busy.kind == FailureKind::Busy => std::thread::sleep(pause),
            Ok(answer) => return answer,
            Err(_) => return Err(no_answer()),
        }
    }
    Err(StoreFailure::new(FailureKind::Busy, "The store has too much to do; try again later."))
}

fn no_answer() -> StoreFailure {
    StoreFailure::new(FailureKind::Closed, "The store was closed.")
}

impl fmt::Debug for StoreGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreGate")
    }
}

#[cfg(test)]
mod tests;
