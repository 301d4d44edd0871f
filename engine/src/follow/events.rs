//! Following a room: what has changed, to be read where it stands.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use causeway_core::device::Event as CoreEvent;
use causeway_core::ids::StreamId;
use futures_util::Stream;

use super::{Follower, FollowerId};
use crate::limits::EVENTS;
use crate::shared::Shared;

/// Something changed in a room. Where an event carries nothing, the getter of the same name has the new value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Read everything anew. The first item, and the next one of a follower that fell far behind.
    Reset,
    /// The list of documents.
    Documents,
    /// A channel: its posts, what is left to read of it, or its drafts.
    Channel(StreamId),
    /// The link to the relay.
    Connection,
    /// The other people.
    Presence,
    /// The disk of this device.
    Storage,
    /// What of one document is saved where.
    SaveStatus(StreamId),
    /// Work the relay did not take: there is more of it, or less.
    Forks,
    /// The relay refused work on a document; it is kept as a fork.
    Refused {
        /// Which document.
        document: StreamId,
        /// Machine code of the refusal.
        code: String,
        /// For people.
        sentence: String,
    },
    /// Something on the disk or from the relay could not be applied. The room goes on without it.
    Damaged {
        /// Which document.
        document: StreamId,
        /// Machine code.
        code: String,
    },
    /// A document has been deleted.
    Gone(StreamId),
}

/// The events of one room. A [`Stream`] that ends when the engine is closed.
#[derive(Debug)]
pub struct Events {
    room: Arc<Shared>,
    id: FollowerId,
}

/// Events that one follower has not pulled. One that carries nothing waits once, however often it was raised.
#[derive(Debug)]
pub(super) struct Waiting {
    events: VecDeque<Event>,
}

impl Events {
    pub(crate) fn new(room: &Arc<Shared>) -> Self {
        let mut state = room.lock();
        let id = state.followers.fresh();
        state.followers.rooms.insert(id, Follower::new(Waiting { events: [Event::Reset].into() }));
        Self { room: Arc::clone(room), id }
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let mut state = self.room.lock();
        self.room.pump(&mut state);
        let ended = state.followers.ended;
        let Some(follower) = state.followers.rooms.get_mut(&self.id) else { return Poll::Ready(None) };
        match follower.queue.events.pop_front() {
            Some(event) => Poll::Ready(Some(event)),
            None if ended => Poll::Ready(None),
            None => {
                follower.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.room.lock().followers.rooms.remove(&self.id);
    }
}

impl Waiting {
    pub(super) fn push(&mut self, event: &CoreEvent) {
        let Some(event) = shown(event) else { return };
        if self.events.contains(&event) {
            return;
        }
        if self.events.len() == EVENTS {
            self.events = [Event::Reset].into();
        } else {
            self.events.push_back(event);
        }
    }
}

/// An event of the core as an app sees it; steps of texts go to those who follow the text.
fn shown(event: &CoreEvent) -> Option<Event> {
    Some(match event {
        CoreEvent::Text { .. } => return None,
        CoreEvent::Directory => Event::Documents,
        CoreEvent::Channel(stream) => Event::Channel(*stream),
        CoreEvent::Connection => Event::Connection,
        CoreEvent::SaveStatus(stream) => Event::SaveStatus(*stream),
        CoreEvent::Others => Event::Presence,
        CoreEvent::Storage => Event::Storage,
        CoreEvent::Forks => Event::Forks,
        CoreEvent::Fork { stream, code, sentence } => {
            Event::Refused { document: *stream, code: code.clone(), sentence: sentence.clone() }
        }
        CoreEvent::Damaged { stream, code } => Event::Damaged { document: *stream, code: code.clone() },
        CoreEvent::Gone(stream) => Event::Gone(*stream),
    })
}
