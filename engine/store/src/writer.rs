//! The threads between an asynchronous shell and a store, which must block.

mod queue;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use causeway_core::storage::{Commit, CommitError, Durability, FailureKind, Page, Scan, StoreFailure};

use self::queue::{Bounds, Queue, Turned};
use crate::limits::{GROUP_BYTES, GROUP_COMMITS, QUEUE_BYTES, QUEUE_COMMITS, QUEUE_SCANS, commit_bytes};
use crate::{Space, Store};

/// The bounds of a [`StoreHandle`]; the default is that of [`limits`](crate::limits).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterLimits {
    /// Commits that may wait.
    pub queue_commits: usize,
    /// Bytes of keys and values that may wait in commits.
    pub queue_bytes: usize,
    /// Scans that may wait.
    pub queue_scans: usize,
    /// Commits that share one fsync.
    pub group_commits: usize,
    /// Bytes of commits that share one fsync.
    pub group_bytes: usize,
}

impl Default for WriterLimits {
    fn default() -> Self {
        Self {
            queue_commits: QUEUE_COMMITS,
            queue_bytes: QUEUE_BYTES,
            queue_scans: QUEUE_SCANS,
            group_commits: GROUP_COMMITS,
            group_bytes: GROUP_BYTES,
        }
    }
}

/// A store with a thread that writes and a thread that reads. Cheap to clone; all clones share the two threads.
///
/// No call blocks except [`close`](Self::close). A reply runs on one of the two threads and must be short: hand the
/// result over and return. When a queue is full, or after `close`, the reply runs at once on the caller's thread, with
/// a failure of kind `Busy` or `Closed`; nothing was done then. Callers that keep at most one commit in flight per room
/// are never turned away unless tens of thousands of rooms write at once.
///
/// Commits are carried out in the order of the calls. While one group is being written the next gathers, so the number
/// of fsyncs follows the disk and not the number of rooms. Of one group the relaxed commits are answered first, once the
/// operating system has their bytes, and the strict ones after the one fsync, each in the order of the calls.
///
/// A scan shows every commit that was answered before the call, and may show some that were not answered yet.
///
/// When the last clone is dropped without `close`, what waits is still written and answered.
#[derive(Debug, Clone)]
pub struct StoreHandle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    writes: Arc<Queue<Write>>,
    reads: Arc<Queue<Read>>,
    ending: Mutex<Ending>,
}

#[derive(Debug)]
enum Ending {
    Running { writer: JoinHandle<Result<(), StoreFailure>>, reader: JoinHandle<()> },
    Ended(Result<(), StoreFailure>),
}

struct Write {
    space: Space,
    commit: Commit,
    reply: Box<dyn FnOnce(Result<(), CommitError>) + Send>,
}

/// What is done with the store, or with the reason why there is none.
type Read = Box<dyn FnOnce(Result<&dyn Store, StoreFailure>) + Send>;

impl StoreHandle {
    /// Starts the two threads of a store.
    ///
    /// # Panics
    /// When the operating system starts no thread, which nothing of ours would survive.
    #[must_use]
    pub fn spawn(store: Arc<dyn Store>, limits: WriterLimits) -> Self {
        let writes = Arc::new(Queue::new(Bounds { count: limits.queue_commits, bytes: limits.queue_bytes }));
        let reads = Arc::new(Queue::new(Bounds { count: limits.queue_scans, bytes: usize::MAX }));
        let group = Bounds { count: limits.group_commits, bytes: limits.group_bytes };
        let writer = {
            let (store, writes) = (Arc::clone(&store), Arc::clone(&writes));
            Builder::new().name("store-writer".into()).spawn(move || write_all(&*store, &writes, group))
        };
        let reader = {
            let reads = Arc::clone(&reads);
            Builder::new().name("store-reader".into()).spawn(move || read_all(&*store, &reads))
        };
        let ending = Mutex::new(Ending::Running {
            writer: writer.expect("the system starts a thread"),
            reader: reader.expect("the system starts a thread"),
        });
        Self { shared: Arc::new(Shared { writes, reads, ending }) }
    }

    /// Queues a commit; `reply` gets the answer, at the time its [`Durability`] says.
    pub fn commit(
        &self,
        space: Space,
        commit: Commit,
        reply: impl FnOnce(Result<(), CommitError>) + Send + 'static,
    ) {
        let bytes = commit_bytes(&commit);
        let write = Write { space, commit, reply: Box::new(reply) };
        if let Err((write, why)) = self.shared.writes.push(write, bytes) {
            (write.reply)(Err(turned_away(why).into()));
        }
    }

    /// Queues a scan; `reply` gets the page.
    pub fn scan(
        &self,
        space: Space,
        scan: Scan,
        reply: impl FnOnce(Result<Page, StoreFailure>) + Send + 'static,
    ) {
        self.read(Box::new(move |store| reply(store.and_then(|store| store.scan(&space, &scan)))));
    }

    /// Queues a question for the spaces behind `after` ([`Store::spaces`]); `reply` gets them.
    pub fn spaces(
        &self,
        after: Option<Space>,
        max: usize,
        reply: impl FnOnce(Result<Vec<Space>, StoreFailure>) + Send + 'static,
    ) {
        self.read(Box::new(move |store| reply(store.and_then(|store| store.spaces(after.as_ref(), max)))));
    }

    fn read(&self, read: Read) {
        if let Err((read, why)) = self.shared.reads.push(read, 0) {
            read(Err(turned_away(why)));
        }
    }

    /// Takes no more requests, waits until all that were taken are answered, and syncs a last time. Every clone is
    /// closed with this one; each that asks gets the same answer.
    ///
    /// Blocks for as long as the disk does, and must not be called from a reply, which would wait for itself.
    ///
    /// # Errors
    /// When the last sync failed: relaxed commits may be lost by a power cut. Strict ones had their own answers.
    pub fn close(self) -> Result<(), StoreFailure> {
        self.shared.close()
    }
}

impl Shared {
    fn shut(&self) {
        self.writes.close();
        self.reads.close();
    }

    fn close(&self) -> Result<(), StoreFailure> {
        self.shut();
        let mut ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
        let gave_up =
            || StoreFailure::new(FailureKind::Closed, "The store's thread gave up; open the store again.");
        let before = std::mem::replace(&mut *ending, Ending::Ended(Err(gave_up())));
        let outcome = match before {
            Ending::Running { writer, reader } => {
                let read = reader.join().map_err(|_| gave_up());
                writer.join().unwrap_or_else(|_| Err(gave_up())).and(read)
            }
            Ending::Ended(outcome) => outcome,
        };
        *ending = Ending::Ended(outcome.clone());
        outcome
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.shut();
    }
}

/// The writer thread: a group, one batch, one fsync, the answers.
fn write_all(store: &dyn Store, writes: &Queue<Write>, group: Bounds) -> Result<(), StoreFailure> {
    while let Some(taken) = writes.take(group) {
        write_group(store, taken);
    }
    store.sync()
}

type Reply = Box<dyn FnOnce(Result<(), CommitError>) + Send>;

fn write_group(store: &dyn Store, taken: Vec<Write>) {
    let mut replies = Vec::with_capacity(taken.len());
    let mut group = Vec::with_capacity(taken.len());
    for write in taken {
        replies.push((write.commit.durability, write.reply));
        group.push((write.space, write.commit));
    }
    let answers = store.apply_group(&group);
    debug_assert_eq!(answers.len(), replies.len(), "a store answers every commit of a group");

    let mut relaxed: Vec<Reply> = Vec::new();
    let mut strict: Vec<Reply> = Vec::new();
    for ((durability, reply), answer) in replies.into_iter().zip(answers) {
        match (answer, durability) {
            (Err(e), _) => answer_one(|| reply(Err(e))),
            (Ok(()), Durability::Relaxed) => relaxed.push(reply),
            (Ok(()), Durability::Strict) => strict.push(reply),
        }
    }
    if !relaxed.is_empty() {
        answer_all(relaxed, &store.settle());
    }
    if !strict.is_empty() {
        answer_all(strict, &store.sync());
    }
}

fn answer_all(replies: Vec<Reply>, outcome: &Result<(), StoreFailure>) {
    for reply in replies {
        let answer = outcome.clone().map_err(CommitError::from);
        answer_one(|| reply(answer));
    }
}

/// The reader thread.
fn read_all(store: &dyn Store, reads: &Queue<Read>) {
    while let Some(taken) = reads.take(Bounds { count: 1, bytes: usize::MAX }) {
        for read in taken {
            answer_one(|| read(Ok(store)));
        }
    }
}

/// Runs a reply. One that panics must not end the thread that all other rooms depend on.
fn answer_one(reply: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(reply));
}

fn turned_away(why: Turned) -> StoreFailure {
    match why {
        Turned::Full => {
            let sentence = "The store is busy and its queue is full; try again in a moment.";
            StoreFailure::new(FailureKind::Busy, sentence)
        }
        Turned::Closed => StoreFailure::new(FailureKind::Closed, "The store was closed."),
    }
}
