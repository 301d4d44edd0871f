//! How a store stands, beside what it answers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What whoever runs a store wants to know of it. It is read without waiting for the store, and also when that is gone.
#[derive(Debug, Default)]
pub struct Condition {
    refuses: AtomicBool,
    log_bytes: AtomicU64,
    held_up: AtomicBool,
}

impl Condition {
    /// Whether it takes commits, as far as opening it again would change anything: false where what lies on its disk has to be
    /// put in order first.
    #[must_use]
    pub fn takes_commits(&self) -> bool {
        !self.refuses.load(Ordering::Relaxed)
    }

    /// Bytes of commits in the log before its database; zero where there is none.
    #[must_use]
    pub fn log_bytes(&self) -> u64 {
        self.log_bytes.load(Ordering::Relaxed)
    }

    /// Whether its log grows although the database should take what is in it.
    #[must_use]
    pub fn is_held_up(&self) -> bool {
        self.held_up.load(Ordering::Relaxed)
    }

    pub(crate) fn note_log(&self, bytes: u64) {
        self.log_bytes.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn note_held_up(&self, is_held_up: bool) {
        self.held_up.store(is_held_up, Ordering::Relaxed);
    }

    /// Answers whether it is news.
    pub(crate) fn note_refusing(&self, refuses: bool) -> bool {
        self.refuses.swap(refuses, Ordering::Relaxed) != refuses
    }
}
