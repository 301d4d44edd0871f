//! How much all rooms have to write, and how long each then lets things gather.
//!
//! A commit costs the same for one entry and for ten, and so does a message. While the relay has little to do nothing
//! waits; while it has much, a room that has asked for a commit looks at what arrives only at the next beat. All rooms
//! have the same beat, so that their commits share an fsync.

use std::sync::atomic::{AtomicU64, Ordering};

use causeway_core::time::Millis;

use crate::limits::{BEAT, BUSY_COMMITS, BUSY_WINDOW};

/// Commits that rooms asked for in this window of time and in the one before. A count that is lost at the turn of two
/// windows changes nothing.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    window: AtomicU64,
    asked: AtomicU64,
    before: AtomicU64,
}

impl Pace {
    /// A room asks for a commit. Where the relay has much to do: until when it lets things gather.
    pub(crate) fn note_commit(&self, now: Millis) -> Option<Millis> {
        let window = now.0 / BUSY_WINDOW.0;
        let last = self.window.fetch_max(window, Ordering::Relaxed);
        if window > last {
            let asked = self.asked.swap(0, Ordering::Relaxed);
            self.before.store(if window == last + 1 { asked } else { 0 }, Ordering::Relaxed);
        }
        self.asked.fetch_add(1, Ordering::Relaxed);
        let is_busy = self.before.load(Ordering::Relaxed) >= BUSY_COMMITS;
        is_busy.then(|| Millis((now.0 / BEAT.0 + 1) * BEAT.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many commits in one window, spread over it; whether the last had to wait.
    fn window(pace: &Pace, number: u64, commits: u64) -> bool {
        let at = |commit| Millis(number * BUSY_WINDOW.0 + commit * BUSY_WINDOW.0 / commits);
        let waits: Vec<_> = (0..commits).map(|commit| pace.note_commit(at(commit))).collect();
        for (commit, until) in waits.iter().enumerate() {
            let now = at(commit as u64);
            assert!(
                until.is_none_or(|until| until > now && until.0 - now.0 <= BEAT.0 && until.0 % BEAT.0 == 0)
            );
        }
        waits.last().is_some_and(Option::is_some)
    }

    #[test]
    fn rooms_wait_for_the_beat_only_after_a_window_with_many_commits() {
        let pace = Pace::default();
        assert!(!window(&pace, 1, BUSY_COMMITS - 1));
        assert!(!window(&pace, 2, BUSY_COMMITS), "the window before had few");
        assert!(window(&pace, 3, BUSY_COMMITS));
        assert!(window(&pace, 4, 1), "the window before had many");
        assert!(!window(&pace, 5, 1));
        window(&pace, 6, BUSY_COMMITS);
        assert!(!window(&pace, 8, 1), "nothing was written for a whole window");
    }
}
