//! What the handles of one room and its driver share: the room itself, who follows it, and how each wakes the other.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use causeway_core::device::{DocumentError, Event as CoreEvent, Output, Room as CoreRoom};
use causeway_core::ids::{EditorId, RoomId};
use causeway_core::time::{Millis, Now};
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::follow::Followers;
use crate::text::EditFailure;

/// One room, its followers, and the way to its driver.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) name: RoomId,
    clock: Clock,
    state: Mutex<State>,
    /// Wakes the driver: there is something to carry out.
    pub(crate) asked: Notify,
    /// Wakes those who wait for the room to come to some state.
    changed: Notify,
}

/// What the lock guards.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) core: CoreRoom,
    pub(crate) followers: Followers,
    /// What edits have led to; the driver carries it out.
    outputs: VecDeque<Output>,
    /// The timer the driver sleeps for.
    armed: Option<Millis>,
    /// Names given to editors.
    editors: u64,
    /// The engine is closing: nothing more is written.
    pub(crate) is_closed: bool,
    /// The driver has ended: nothing changes any more.
    pub(crate) has_ended: bool,
}

impl Shared {
    pub(crate) fn new(core: CoreRoom, clock: Clock) -> Self {
        let name = core.room().clone();
        let state = State {
            core,
            followers: Followers::default(),
            outputs: VecDeque::new(),
            armed: None,
            editors: 0,
            is_closed: false,
            has_ended: false,
        };
        Self { name, clock, state: Mutex::new(state), asked: Notify::new(), changed: Notify::new() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // An edit's closure is the only code of others that runs inside; core stands whatever it does.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to the room and has its effects carried out.
    pub(crate) fn command<T>(&self, act: impl FnOnce(&mut CoreRoom, Now) -> T) -> T {
        let mut state = self.lock();
        let answer = act(&mut state.core, self.clock.now());
        if state.gather() {
            self.asked.notify_one();
        }
        answer
    }

    /// As [`Shared::command`], for what must not happen once the engine is closing.
    pub(crate) fn write<T>(
        &self,
        act: impl FnOnce(&mut CoreRoom, Now) -> Result<T, DocumentError>,
    ) -> Result<T, EditFailure> {
        Ok(self.while_open(act).ok_or(EditFailure::Closed)??)
    }

    /// The same for whatever has another way to fail; `None`: the engine is closing.
    pub(crate) fn while_open<T>(&self, act: impl FnOnce(&mut CoreRoom, Now) -> T) -> Option<T> {
        let mut state = self.lock();
        if state.is_closed {
            return None;
        }
        let answer = act(&mut state.core, self.clock.now());
        if state.gather() {
            self.asked.notify_one();
        }
        Some(answer)
    }

    /// Takes what the room wants done, and tells everybody what has changed. Also says when to look again.
    pub(crate) fn take_outputs(&self) -> (VecDeque<Output>, Option<Millis>) {
        let mut state = self.lock();
        state.gather();
        self.pump(&mut state);
        state.armed = state.core.poll_timeout().map(|(at, _)| at);
        (std::mem::take(&mut state.outputs), state.armed)
    }

    /// Tells followers, and those who wait, what has changed.
    pub(crate) fn pump(&self, state: &mut State) {
        let mut told = false;
        while let Some(event) = state.core.poll_event() {
            if let CoreEvent::Channel(stream) = &event
                && let Some(change) = state.core.poll_timeline(*stream)
            {
                state.followers.tell_timeline(*stream, &change);
            }
            state.followers.tell(&event);
            told = true;
        }
        if told {
            self.changed.notify_waiters();
        }
    }

    /// Waits until `look` finds something. It looks again whenever anything has changed.
    pub(crate) async fn until<T>(&self, mut look: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(found) = look(&mut self.lock()) {
                return found;
            }
            changed.await;
        }
    }

    /// Nothing more is written. What was written before is still being kept.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_waiters();
    }

    /// The driver has ended: followers get what waits and then the end.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.has_ended = true;
        self.pump(&mut state);
        state.followers.end();
        self.changed.notify_waiters();
    }
}

impl State {
    /// A name for a new editor.
    pub(crate) fn fresh_editor(&mut self) -> EditorId {
        self.editors += 1;
        EditorId(self.editors)
    }

    /// Whether every edit is on this device's disk.
    pub(crate) fn is_on_disk(&self) -> bool {
        self.core.streams().all(|stream| self.core.save_status(stream).unsaved_on_device == 0)
    }

    /// Collects what the room wants done. Whether the driver has to know: typing that only grows the journal, for which
    /// a timer runs already, need not wake it.
    fn gather(&mut self) -> bool {
        while let Some(output) = self.core.poll_output() {
            self.outputs.push_back(output);
        }
        if !self.outputs.is_empty() || self.followers.any() {
            return true;
        }
        let due = self.core.poll_timeout().map(|(at, _)| at);
        due.is_some_and(|due| self.armed.is_none_or(|armed| due < armed))
    }
}
