//! A watch over the calls of a store: which are under way, and for how long they have got no further.
//!
//! A thread that waits inside a database for what never comes brings no failure, nothing in the process can free it, and all
//! rooms wait behind it. Nor does a disk that hangs bring one. So each call is noted for as long as it lasts. One that does a lot
//! one after the other says so with [`step`], and is not taken for one that waits.
//!
//! Time is told by whoever looks, as a process that was stopped for a while looks like one that waits: nothing here reads a clock.
//!
//! Who waits for a lock that another call holds does not get on with that one's steps; only who waits for rows to be carried does
//! ([`Work::wait_for`]). Locks are held for long only where one commit clears a great many rows on a slow disk.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use causeway_core::storage::{Commit, CommitError, Page, Scan, StoreFailure};

use crate::limits::{CALL_PATIENCE, OPENING_PATIENCE};
use crate::{Condition, Space, Store};

/// The calls that are under way. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Watch(Arc<Mutex<Vec<Noted>>>);

/// A call, as whoever looked last has seen it.
struct Noted {
    work: Arc<Work>,
    /// What one step of it may take that does not count.
    patience: Duration,
    steps: u64,
    /// How long it has taken no step.
    still: Duration,
}

/// What a thread is about.
#[derive(Default)]
pub(crate) struct Work {
    steps: AtomicU64,
    /// What another thread is about, for which this one waits.
    waits_for: Mutex<Option<Arc<Work>>>,
}

thread_local! {
    /// What this thread is about.
    static ABOUT: RefCell<Option<Arc<Work>>> = const { RefCell::new(None) };
}

/// What this thread is about has got on.
pub(crate) fn step() {
    ABOUT.with_borrow(|about| {
        if let Some(work) = about {
            work.steps.fetch_add(1, Ordering::Relaxed);
        }
    });
}

impl Work {
    /// This thread is about it until the answer is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> About {
        About { before: ABOUT.replace(Some(Arc::clone(self))), on_its_thread: PhantomData }
    }

    /// What this thread is about waits for it until the answer is dropped.
    pub(crate) fn wait_for(self: &Arc<Self>) -> WaitsFor {
        let waits = ABOUT.with_borrow(Clone::clone);
        if let Some(work) = &waits {
            *work.other() = Some(Arc::clone(self));
        }
        WaitsFor(waits)
    }

    fn steps(&self) -> u64 {
        let others = self.other().as_ref().map_or(0, |work| work.steps.load(Ordering::Relaxed));
        self.steps.load(Ordering::Relaxed).wrapping_add(others)
    }

    fn other(&self) -> MutexGuard<'_, Option<Arc<Work>>> {
        // Nothing panics while it is held.
        self.waits_for.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread is about something until this is dropped, on that thread.
pub(crate) struct About {
    /// What it was about, of which this is a part.
    before: Option<Arc<Work>>,
    on_its_thread: PhantomData<*const ()>,
}

impl Drop for About {
    fn drop(&mut self) {
        ABOUT.set(self.before.take());
    }
}

/// One waits for another until this is dropped.
pub(crate) struct WaitsFor(Option<Arc<Work>>);

impl Drop for WaitsFor {
    fn drop(&mut self) {
        if let Some(work) = &self.0 {
            work.other().take();
        }
    }
}

/// A call for as long as it lasts, on its own thread.
pub(crate) struct UnderWay {
    watch: Watch,
    work: Arc<Work>,
    _about: About,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.watch.lock().retain(|noted| !Arc::ptr_eq(&noted.work, &self.work));
    }
}

impl Watch {
    /// The store with its calls under the watch.
    pub(crate) fn before(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(Watched { store, watch: self.clone() })
    }

    /// A call that begins now.
    pub(crate) fn begin(&self) -> UnderWay {
        self.begin_with(CALL_PATIENCE)
    }

    /// The opening of a store, in which a database may read all of its log and nothing is seen of it.
    pub(crate) fn begin_to_open(&self) -> UnderWay {
        self.begin_with(OPENING_PATIENCE)
    }

    fn begin_with(&self, patience: Duration) -> UnderWay {
        let work = Arc::<Work>::default();
        let noted = Noted { work: Arc::clone(&work), patience, steps: 0, still: Duration::ZERO };
        self.lock().push(noted);
        let about = work.begin();
        UnderWay { watch: self.clone(), work, _about: about }
    }

    /// So much time has passed since somebody looked.
    pub(crate) fn look(&self, passed: Duration) {
        for noted in self.lock().iter_mut() {
            let steps = noted.work.steps();
            noted.still = if steps == noted.steps { noted.still + passed } else { Duration::ZERO };
            noted.steps = steps;
        }
    }

    /// For how long the one that has waited longest has got no further, as far as somebody has looked; zero where none is under way.
    pub(crate) fn stands_still(&self) -> Duration {
        let longest = self.lock().iter().map(|noted| noted.still.saturating_sub(noted.patience)).max();
        longest.unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Noted>> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Watched {
    store: Arc<dyn Store>,
    watch: Watch,
}

impl Store for Watched {
    fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        let _under_way = self.watch.begin();
        self.store.apply(space, commit)
    }

    fn apply_group(&self, group: &[(Space, Commit)]) -> Vec<Result<(), CommitError>> {
        let _under_way = self.watch.begin();
        self.store.apply_group(group)
    }

    fn settle(&self) -> Result<(), StoreFailure> {
        let _under_way = self.watch.begin();
        self.store.settle()
    }

    fn sync(&self) -> Result<(), StoreFailure> {
        let _under_way = self.watch.begin();
        self.store.sync()
    }

    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        let _under_way = self.watch.begin();
        self.store.scan(space, scan)
    }

    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        let _under_way = self.watch.begin();
        self.store.spaces(after, max)
    }

    fn condition(&self) -> Arc<Condition> {
        self.store.condition()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn st8_the_one_that_waits_longest_counts_until_it_is_over() {
        let watch = Watch::default();
        watch.look(LONG);
        assert_eq!(watch.stands_still(), Duration::ZERO);
        let first = watch.begin();
        watch.look(LONG);
        let second = watch.begin();
        step();
        watch.look(LONG);
        assert_eq!(watch.stands_still(), 2 * LONG, "the second gets on, the first does not");
        drop(second);
        step();
        watch.look(LONG);
        assert_eq!(watch.stands_still(), Duration::ZERO, "what the thread was about before");
        watch.look(LONG);
        assert_eq!(watch.stands_still(), LONG);
        drop(first);
        assert_eq!(watch.stands_still(), Duration::ZERO);
        step();
    }

    #[test]
    fn st8_an_opening_has_longer_for_a_step() {
        let watch = Watch::default();
        let _opening = watch.begin_to_open();
        watch.look(OPENING_PATIENCE);
        assert_eq!(watch.stands_still(), Duration::ZERO);
        watch.look(LONG);
        assert_eq!(watch.stands_still(), LONG);
        step();
        watch.look(OPENING_PATIENCE);
        assert_eq!(watch.stands_still(), Duration::ZERO);
    }

    #[test]
    fn st8_a_thread_gets_on_with_another_only_while_it_waits_for_that() {
        let (watch, other) = (Watch::default(), Arc::<Work>::default());
        let step_of_other = || {
            let other = Arc::clone(&other);
            let work = move || {
                let _about = other.begin();
                step();
            };
            std::thread::spawn(work).join().unwrap();
        };
        let _call = watch.begin();
        step_of_other();
        watch.look(LONG);
        assert_eq!(watch.stands_still(), LONG);
        let waits = other.wait_for();
        watch.look(LONG);
        step_of_other();
        watch.look(LONG);
        assert_eq!(watch.stands_still(), Duration::ZERO);
        drop(waits);
        watch.look(LONG);
        step_of_other();
        watch.look(LONG);
        assert_eq!(watch.stands_still(), LONG);
    }
}
