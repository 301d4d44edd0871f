//! Waking whoever waits inside sled for a write that has failed.
//!
//! sled 0.34.7 writes a buffer that its last writer leaves on a thread of its own. If that write fails, the thread notes the
//! failure and wakes nobody (`Log::exit_reservation`): whoever waits there for the write, a flush or a read of what is not
//! on the disk yet, waits for ever. Any later flush meets the failure that was noted, wakes everybody and fails at once. So
//! whenever a call is inside sled for long, another flush follows it there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use tracing::warn;

/// Watches the calls of one store; it ends with this.
pub(super) struct Watch {
    calls: Arc<Calls>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Calls {
    inside: Mutex<Inside>,
    ended: Condvar,
}

#[derive(Default)]
struct Inside {
    calls: Vec<Call>,
    next: u64,
    ended: bool,
}

/// A call that is inside sled.
struct Call {
    number: u64,
    db: sled::Db,
    since: Instant,
    /// Flushes that have followed it.
    followed: u32,
}

/// The call is inside sled for as long as this lives.
pub(super) struct Entered<'a> {
    calls: &'a Calls,
    number: u64,
}

impl Watch {
    pub(super) fn start() -> std::io::Result<Self> {
        let calls = Arc::<Calls>::default();
        let watched = Arc::clone(&calls);
        let thread = Builder::new().name("sled-watch".into()).spawn(move || watched.watch())?;
        Ok(Self { calls, thread: Some(thread) })
    }

    pub(super) fn enter(&self, db: &sled::Db) -> Entered<'_> {
        let mut inside = self.calls.inside();
        let number = inside.next;
        inside.next += 1;
        inside.calls.push(Call { number, db: db.clone(), since: Instant::now(), followed: 0 });
        Entered { calls: &self.calls, number }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.calls.inside().ended = true;
        self.calls.ended.notify_all();
        // Whatever it may have panicked with has been printed.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let mut inside = self.calls.inside();
        let at = inside.calls.iter().position(|call| call.number == self.number);
        let left = at.map(|at| inside.calls.swap_remove(at));
        drop(inside);
        drop(left);
    }
}

impl Calls {
    /// Looks at the calls now and then, so that entering and leaving wake nobody.
    fn watch(&self) {
        let mut inside = self.inside();
        while !inside.ended {
            inside = self.ended.wait_timeout(inside, LOOK).unwrap_or_else(PoisonError::into_inner).0;
            let late = inside.calls.iter_mut().find(|call| call.is_late());
            if let Some(db) = late.map(Call::follow) {
                drop(inside);
                flush_beside(db);
                inside = self.inside();
            }
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Call {
    fn is_late(&self) -> bool {
        self.since.elapsed() >= LATE.saturating_mul(1 << self.followed.min(MOST_DOUBLINGS))
    }

    fn follow(&mut self) -> sled::Db {
        self.followed += 1;
        self.db.clone()
    }
}

/// On a thread of its own: where nothing has failed yet, it waits as the others do.
fn flush_beside(db: sled::Db) {
    let flush = move || {
        // The call that is late hears of a failure itself. Where that call has left, this is what closes the database.
        let _ = catch_unwind(AssertUnwindSafe(move || drop(db.flush())));
    };
    if let Err(why) = Builder::new().name("sled-flush".into()).spawn(flush) {
        warn!(%why, "no thread can be started that would wake a waiting one");
    }
}

/// How often the calls are looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How long a call may be inside sled before a flush follows it; each further one waits twice as long, since it may wait
/// there itself. A slow card takes about a second for a commit.
const LATE: Duration = Duration::from_secs(1);
/// Some eighteen hours: a call that long inside has sixteen threads beside it.
const MOST_DOUBLINGS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn st4_a_call_that_is_long_inside_is_followed_and_then_less_and_less_often() {
        let folder = tempfile::tempdir().unwrap();
        let db = sled::open(folder.path()).unwrap();
        let now = Instant::now();
        let mut call = Call { number: 0, db, since: now, followed: 0 };
        assert!(!call.is_late());
        call.since = now.checked_sub(LATE).unwrap();
        assert!(call.is_late());
        drop(call.follow());
        assert!(!call.is_late(), "the next one comes after twice the time");
        call.since = now.checked_sub(LATE * 2).unwrap();
        assert!(call.is_late());
    }

    #[test]
    fn st4_what_is_inside_is_watched_until_it_leaves_and_nothing_holds_the_database_then() {
        let folder = tempfile::tempdir().unwrap();
        let db = sled::open(folder.path()).unwrap();
        let watch = Watch::start().unwrap();
        let (first, second) = (watch.enter(&db), watch.enter(&db));
        drop(first);
        assert_eq!(watch.calls.inside().calls.iter().map(|call| call.number).collect::<Vec<_>>(), [1]);
        let deadline = Instant::now() + Duration::from_secs(20);
        while watch.calls.inside().calls[0].followed == 0 {
            assert!(Instant::now() < deadline, "nothing follows a call that stays inside");
            // pace: between two looks
            std::thread::sleep(Duration::from_millis(20));
        }
        drop(second);
        drop(watch);
        drop(db);
        let deadline = Instant::now() + Duration::from_secs(20);
        while sled::open(folder.path()).is_err() {
            assert!(Instant::now() < deadline, "somebody still holds the database");
            // pace: between two looks
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
