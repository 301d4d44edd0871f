//! Waking whoever waits inside sled for a write that has failed.
//!
//! sled 0.34.7 writes a buffer that its last writer leaves on a thread of its own. If that write fails, the thread notes the
//! failure and wakes nobody (`Log::exit_reservation`): whoever waits there for the write, a flush or a read of what is not
//! on the disk yet, waits for ever. Any later flush meets the failure that was noted, wakes everybody and fails at once. So
//! whenever a call is inside sled for long, another flush follows it there.
//!
//! Two things this does not end: a panic of one of sled's own threads, which notes no failure; and where a process has two
//! stores on sled, a call of the second that waits to write keeps the flush out, as sled has one lock for all of them.

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
    changed: Condvar,
}

#[derive(Default)]
struct Inside {
    calls: Vec<Call>,
    next: u64,
    /// Nobody looks at the calls until one enters.
    asleep: bool,
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
        if std::mem::take(&mut inside.asleep) {
            self.calls.changed.notify_all();
        }
        Entered { calls: &self.calls, number }
    }

    /// Waits for the flushes that still are inside; nothing holds the database then. Nobody else may be inside for good.
    pub(super) fn end(&mut self) {
        self.calls.inside().ended = true;
        self.calls.changed.notify_all();
        // Whatever it may have panicked with has been printed.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
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
    /// Looks at the calls now and then while there are some, so that entering and leaving seldom wake anybody.
    fn watch(&self) {
        let mut flushes: Vec<JoinHandle<()>> = Vec::new();
        let mut inside = self.inside();
        while !inside.ended {
            inside = self.pause(inside);
            flushes.retain(|flush| !flush.is_finished());
            let now = Instant::now();
            let late = inside.calls.iter_mut().find(|call| call.is_late(now));
            if let Some(db) = late.map(Call::follow) {
                drop(inside);
                flushes.extend(flush_beside(db));
                inside = self.inside();
            }
        }
        drop(inside);
        for flush in flushes {
            // What panics there is caught there.
            let _ = flush.join();
        }
    }

    fn pause<'a>(&self, mut inside: MutexGuard<'a, Inside>) -> MutexGuard<'a, Inside> {
        if inside.calls.is_empty() {
            inside.asleep = true;
            let woken = self.changed.wait_while(inside, |inside| inside.asleep && !inside.ended);
            return woken.unwrap_or_else(PoisonError::into_inner);
        }
        self.changed.wait_timeout(inside, LOOK).unwrap_or_else(PoisonError::into_inner).0
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Call {
    fn is_late(&self, now: Instant) -> bool {
        let inside = now.saturating_duration_since(self.since);
        self.followed < MOST_FLUSHES && inside >= LATE.saturating_mul(1 << self.followed)
    }

    fn follow(&mut self) -> sled::Db {
        self.followed += 1;
        self.db.clone()
    }
}

/// On a thread of its own: where nothing has failed yet, it waits as the others do.
fn flush_beside(db: sled::Db) -> Option<JoinHandle<()>> {
    let flush = move || {
        // The call that is late hears of a failure itself.
        let _ = catch_unwind(AssertUnwindSafe(move || drop(db.flush())));
    };
    let started = Builder::new().name("sled-flush".into()).spawn(flush);
    started.inspect_err(|why| warn!(%why, "no thread can be started that would wake a waiting one")).ok()
}

/// How often the calls are looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How long a call may be inside sled before a flush follows it; each further one waits twice as long, since it may wait
/// there itself. A slow card takes about a second for a commit.
const LATE: Duration = Duration::from_secs(1);
/// The last one comes after nine hours; nothing that fails so late is expected.
const MOST_FLUSHES: u32 = 16;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn open(folder: &std::path::Path) -> sled::Db {
        sled::Config::new().path(folder).flush_every_ms(None).open().unwrap()
    }

    fn until(what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !holds() {
            assert!(Instant::now() < deadline, "{what}");
            // pace: between two looks
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn st4_a_call_that_is_long_inside_is_followed_less_and_less_often() {
        let folder = tempfile::tempdir().unwrap();
        let since = Instant::now();
        let mut call = Call { number: 0, db: open(folder.path()), since, followed: 0 };
        for wait in [LATE, 2 * LATE, 4 * LATE] {
            assert!(!call.is_late(since + wait - Duration::from_millis(1)), "{wait:?}");
            assert!(call.is_late(since + wait), "{wait:?}");
            drop(call.follow());
        }
        call.followed = MOST_FLUSHES;
        assert!(!call.is_late(since + Duration::from_secs(1 << 20)), "there is a last one");
    }

    #[test]
    fn st4_a_flush_follows_a_call_that_stays_inside_and_nothing_holds_the_database_in_the_end() {
        const BUFFERED: &[u8] = b"left in the buffer of the database by whoever is inside";
        let folder = tempfile::tempdir().unwrap();
        let db = open(folder.path());
        let mut watch = Watch::start().unwrap();
        let (first, second) = (watch.enter(&db), watch.enter(&db));
        drop(first);
        assert_eq!(watch.calls.inside().calls.iter().map(|call| call.number).collect::<Vec<_>>(), [1]);
        db.insert("key", BUFFERED).unwrap();
        until("nothing was flushed beside a call that stays inside", || {
            let log = fs::read(folder.path().join("db")).unwrap();
            log.windows(BUFFERED.len()).any(|bytes| bytes == BUFFERED)
        });
        drop(second);
        watch.end();
        drop(db);
        until("somebody still holds the database", || {
            sled::Config::new().path(folder.path()).flush_every_ms(None).open().is_ok()
        });
    }

    #[test]
    fn st4_whoever_watches_sleeps_while_nobody_is_inside_and_wakes_for_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(folder.path());
        let watch = Watch::start().unwrap();
        for _ in 0..3 {
            until("it stays awake", || watch.calls.inside().asleep);
            let inside = watch.enter(&db);
            assert!(!watch.calls.inside().asleep);
            until("it sleeps on", || watch.calls.inside().calls[0].followed > 0);
            drop(inside);
        }
    }
}
