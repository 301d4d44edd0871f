//! Following a channel: its newest page, then every change.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use causeway_core::chat::TimelineChange;
use causeway_core::ids::StreamId;
use futures_util::Stream;

use super::{Follower, FollowerId};
use crate::limits::SPLICES;
use crate::shared::Shared;

/// The changes of one channel. A [`Stream`] that ends when the channel is deleted or the engine closed.
#[derive(Debug)]
pub struct Timelines {
    room: Arc<Shared>,
    id: FollowerId,
}

/// Splices that one follower has not pulled.
#[derive(Debug)]
pub(super) struct Splices {
    pub(super) stream: StreamId,
    splices: VecDeque<TimelineChange>,
    wants_reset: bool,
    ended: bool,
}

impl Timelines {
    pub(crate) fn new(room: &Arc<Shared>, stream: StreamId) -> Self {
        let mut state = room.lock();
        let id = state.followers.fresh();
        let splices = Splices { stream, splices: VecDeque::new(), wants_reset: true, ended: false };
        state.followers.channels.insert(id, Follower::new(splices));
        Self { room: Arc::clone(room), id }
    }
}

impl Stream for Timelines {
    type Item = TimelineChange;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<TimelineChange>> {
        let mut state = self.room.lock();
        // Under one lock: the posts of a reset hold exactly the splices that are not told any more.
        self.room.pump(&mut state);
        let state = &mut *state;
        let Some(follower) = state.followers.channels.get_mut(&self.id) else { return Poll::Ready(None) };
        let queue = &mut follower.queue;
        if queue.wants_reset
            && let Some(reset) = state.core.shown_timeline(queue.stream)
        {
            queue.wants_reset = false;
            queue.splices.clear();
            return Poll::Ready(Some(reset));
        }
        if let Some(splice) = queue.splices.pop_front() {
            return Poll::Ready(Some(splice));
        }
        if queue.ended || state.followers.ended {
            return Poll::Ready(None);
        }
        follower.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Timelines {
    fn drop(&mut self) {
        self.room.lock().followers.channels.remove(&self.id);
    }
}

impl Splices {
    pub(super) fn push(&mut self, change: &TimelineChange) {
        if self.wants_reset {
            return;
        }
        match change {
            TimelineChange::Splice { .. } if self.splices.len() < SPLICES => {
                self.splices.push_back(change.clone());
            }
            TimelineChange::Splice { .. } | TimelineChange::Reset { .. } => {
                self.splices.clear();
                self.wants_reset = true;
            }
        }
    }

    pub(super) fn end(&mut self) {
        self.ended = true;
    }
}
