//! Following where the work on a document is saved.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use causeway_core::device::SaveStatus;
use causeway_core::ids::StreamId;
use futures_util::Stream;

use super::{Follower, FollowerId};
use crate::shared::Shared;

/// The save status of one document, now and whenever it is another. Whoever pulls late gets the latest only. A
/// [`Stream`] that ends when the engine is closed.
#[derive(Debug)]
pub struct SaveStatuses {
    room: Arc<Shared>,
    id: FollowerId,
    stream: StreamId,
    told: Option<SaveStatus>,
}

impl SaveStatuses {
    pub(crate) fn new(room: &Arc<Shared>, stream: StreamId) -> Self {
        let mut state = room.lock();
        let id = state.followers.fresh();
        state.followers.statuses.insert(id, Follower::new(stream));
        Self { room: Arc::clone(room), id, stream, told: None }
    }
}

impl Stream for SaveStatuses {
    type Item = SaveStatus;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<SaveStatus>> {
        let room = Arc::clone(&self.room);
        let mut state = room.lock();
        let status = state.core.save_status(self.stream);
        if self.told != Some(status) {
            self.told = Some(status);
            return Poll::Ready(Some(status));
        }
        if state.followers.ended {
            return Poll::Ready(None);
        }
        if let Some(follower) = state.followers.statuses.get_mut(&self.id) {
            follower.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for SaveStatuses {
    fn drop(&mut self) {
        self.room.lock().followers.statuses.remove(&self.id);
    }
}
