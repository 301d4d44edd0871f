//! Following a text: the whole of it, then every change.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use causeway_core::device::Change as CoreChange;
use causeway_core::ids::{EditorId, StreamId};
use causeway_core::ydoc::Delta;
use futures_util::Stream;

use super::{Follower, FollowerId};
use crate::limits::STEPS;
use crate::shared::Shared;

/// How a text changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The whole text: forget what you had. The first item, and the next one of a follower that fell far behind.
    Reset(String),
    /// One step from the text as it was.
    Delta {
        /// What changed, in UTF-16 units.
        delta: Delta,
        /// The editor of this engine that made the change, if one did.
        editor: Option<EditorId>,
    },
}

/// The changes of one text. A [`Stream`] that ends when the document is deleted or the engine closed.
#[derive(Debug)]
pub struct Changes {
    room: Arc<Shared>,
    id: FollowerId,
}

/// Steps that one follower has not pulled.
#[derive(Debug)]
pub(super) struct Steps {
    pub(super) stream: StreamId,
    /// An editor that follows is not told its own changes: it shows them already.
    except: Option<EditorId>,
    steps: VecDeque<(Delta, Option<EditorId>)>,
    wants_reset: bool,
    ended: bool,
}

impl Changes {
    pub(crate) fn new(room: &Arc<Shared>, stream: StreamId, except: Option<EditorId>) -> Self {
        let mut state = room.lock();
        let id = state.followers.fresh();
        let steps = Steps { stream, except, steps: VecDeque::new(), wants_reset: true, ended: false };
        state.followers.texts.insert(id, Follower::new(steps));
        Self { room: Arc::clone(room), id }
    }
}

impl Stream for Changes {
    type Item = Change;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Change>> {
        let mut state = self.room.lock();
        // Under one lock: the text of a reset holds exactly the steps that are not told any more.
        self.room.pump(&mut state);
        let state = &mut *state;
        let Some(follower) = state.followers.texts.get_mut(&self.id) else { return Poll::Ready(None) };
        let queue = &mut follower.queue;
        if queue.wants_reset
            && let Ok(text) = state.core.text(queue.stream)
        {
            queue.wants_reset = false;
            queue.steps.clear();
            return Poll::Ready(Some(Change::Reset(text)));
        }
        if let Some((delta, editor)) = queue.steps.pop_front() {
            return Poll::Ready(Some(Change::Delta { delta, editor }));
        }
        if queue.ended || state.followers.ended {
            return Poll::Ready(None);
        }
        follower.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.room.lock().followers.texts.remove(&self.id);
    }
}

impl Steps {
    pub(super) fn push(&mut self, change: &CoreChange, editor: Option<EditorId>) {
        if self.wants_reset || (editor.is_some() && editor == self.except) {
            return;
        }
        match change {
            CoreChange::Delta(delta) if self.steps.len() < STEPS => {
                self.steps.push_back((delta.clone(), editor));
            }
            CoreChange::Delta(_) | CoreChange::Reset => {
                self.steps.clear();
                self.wants_reset = true;
            }
        }
    }

    pub(super) fn end(&mut self) {
        self.ended = true;
    }
}
