//! A queue bounded by count and bytes, from which a thread takes whatever is waiting.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Count and bytes that something may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) count: usize,
    pub(super) bytes: usize,
}

/// Why an item was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turned {
    /// Too much is waiting.
    Full,
    /// The queue takes no more.
    Closed,
}

pub(super) struct Queue<T> {
    bounds: Bounds,
    waiting: Mutex<Waiting<T>>,
    arrived: Condvar,
}

struct Waiting<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    closed: bool,
}

impl<T> Queue<T> {
    pub(super) fn new(bounds: Bounds) -> Self {
        let waiting = Waiting { items: VecDeque::new(), bytes: 0, closed: false };
        Self { bounds, waiting: Mutex::new(waiting), arrived: Condvar::new() }
    }

    /// Appends an item, or hands it back. An item larger than the bound on bytes is taken when nothing else waits.
    pub(super) fn push(&self, item: T, bytes: usize) -> Result<(), (T, Turned)> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err((item, Turned::Closed));
        }
        let fits = waiting.bytes.saturating_add(bytes) <= self.bounds.bytes;
        if waiting.items.len() >= self.bounds.count || !(fits || waiting.items.is_empty()) {
            return Err((item, Turned::Full));
        }
        waiting.bytes += bytes;
        waiting.items.push_back((item, bytes));
        drop(waiting);
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits for something and takes as much as `most` allows, at least one item. `None` once the queue is closed and
    /// empty.
    pub(super) fn take(&self, most: Bounds) -> Option<Vec<T>> {
        let mut waiting = self.lock();
        while waiting.items.is_empty() {
            if waiting.closed {
                return None;
            }
            waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let mut taken = Vec::new();
        let mut bytes = 0usize;
        while let Some((_, next)) = waiting.items.front() {
            bytes = bytes.saturating_add(*next);
            if !taken.is_empty() && (taken.len() >= most.count || bytes > most.bytes) {
                break;
            }
            let Some((item, cost)) = waiting.items.pop_front() else { break };
            waiting.bytes -= cost;
            taken.push(item);
        }
        Some(taken)
    }

    /// Takes no more; what waits is still handed out.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        // Nothing of a caller's runs under this lock, so a panic cannot leave it half changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("waiting", &self.lock().items.len()).finish_non_exhaustive()
    }
}
