//! Undo of one editor: only its own steps, however much others have written since.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use yrs::undo::{Options, UndoManager};
use yrs::{Doc, Origin, TextRef};

use crate::limits::UNDO_PAUSE;
use crate::time::Millis;

/// The time of the running edit, which the undo stack reads to join keystrokes into steps.
#[derive(Clone, Default)]
pub(super) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(super) fn set(&self, now: Millis) {
        self.0.store(now.0, Ordering::Relaxed);
    }
}

/// One editor's undo stack.
pub(super) struct Editor {
    manager: UndoManager<()>,
}

impl Editor {
    pub(super) fn new(doc: &Doc, text: &TextRef, origin: Origin, clock: &Clock) -> Self {
        let time = clock.clone();
        let mut manager = UndoManager::with_options(Options {
            capture_timeout_millis: UNDO_PAUSE.0,
            tracked_origins: [origin].into(),
            capture_transaction: None,
            timestamp: Arc::new(move || time.0.load(Ordering::Relaxed)),
            init_undo_stack: Vec::new(),
            init_redo_stack: Vec::new(),
        });
        manager.expand_scope(doc, text);
        Self { manager }
    }

    pub(super) fn undo(&mut self) -> bool {
        self.manager.undo_blocking()
    }

    pub(super) fn redo(&mut self) -> bool {
        self.manager.redo_blocking()
    }

    pub(super) fn can(&self) -> (bool, bool) {
        (self.manager.can_undo(), self.manager.can_redo())
    }

    pub(super) fn end_step(&mut self) {
        self.manager.reset();
    }
}
