//! Who follows a room, and the bounded queue of each.

mod changes;
mod events;
mod statuses;
mod timelines;

use std::collections::BTreeMap;
use std::task::Waker;

use causeway_core::chat::TimelineChange;
use causeway_core::device::Event as CoreEvent;
use causeway_core::ids::StreamId;

pub use changes::{Change, Changes};
pub use events::{Event, Events};
pub use statuses::SaveStatuses;
pub use timelines::Timelines;

use changes::Steps;
use events::Waiting;
use timelines::Splices;

/// The followers of one room.
#[derive(Debug, Default)]
pub(crate) struct Followers {
    next: u64,
    texts: BTreeMap<FollowerId, Follower<Steps>>,
    channels: BTreeMap<FollowerId, Follower<Splices>>,
    rooms: BTreeMap<FollowerId, Follower<Waiting>>,
    statuses: BTreeMap<FollowerId, Follower<StreamId>>,
    /// Whether the directory has been read from the disk.
    pub(crate) directory_read: bool,
    ended: bool,
}

/// Names a follower inside its room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FollowerId(u64);

#[derive(Debug)]
struct Follower<Q> {
    queue: Q,
    waker: Option<Waker>,
}

impl<Q> Follower<Q> {
    fn new(queue: Q) -> Self {
        Self { queue, waker: None }
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Followers {
    /// Whether anybody follows.
    pub(crate) fn any(&self) -> bool {
        !(self.texts.is_empty()
            && self.channels.is_empty()
            && self.rooms.is_empty()
            && self.statuses.is_empty())
    }

    /// Passes an event on.
    pub(crate) fn tell(&mut self, event: &CoreEvent) {
        match event {
            CoreEvent::Text { stream, change, editor } => {
                for follower in self.texts.values_mut().filter(|follower| follower.queue.stream == *stream) {
                    follower.queue.push(change, *editor);
                    follower.wake();
                }
                return;
            }
            CoreEvent::Gone(stream) => {
                for follower in self.texts.values_mut().filter(|follower| follower.queue.stream == *stream) {
                    follower.queue.end();
                    follower.wake();
                }
                for follower in self.channels.values_mut().filter(|f| f.queue.stream == *stream) {
                    follower.queue.end();
                    follower.wake();
                }
            }
            CoreEvent::SaveStatus(stream) => {
                self.statuses
                    .values_mut()
                    .filter(|follower| follower.queue == *stream)
                    .for_each(Follower::wake);
            }
            CoreEvent::Directory => self.directory_read = true,
            CoreEvent::Connection
            | CoreEvent::Channel(_)
            | CoreEvent::Others
            | CoreEvent::Storage
            | CoreEvent::Forks
            | CoreEvent::Fork { .. }
            | CoreEvent::Damaged { .. } => {}
        }
        for follower in self.rooms.values_mut() {
            follower.queue.push(event);
            follower.wake();
        }
    }

    /// Passes a change of a channel on.
    pub(crate) fn tell_timeline(&mut self, stream: StreamId, change: &TimelineChange) {
        for follower in self.channels.values_mut().filter(|follower| follower.queue.stream == stream) {
            follower.queue.push(change);
            follower.wake();
        }
    }

    /// The room ends: followers get what waits and then the end of their stream.
    pub(crate) fn end(&mut self) {
        self.ended = true;
        self.texts.values_mut().for_each(Follower::wake);
        self.channels.values_mut().for_each(Follower::wake);
        self.rooms.values_mut().for_each(Follower::wake);
        self.statuses.values_mut().for_each(Follower::wake);
    }

    fn fresh(&mut self) -> FollowerId {
        self.next += 1;
        FollowerId(self.next)
    }
}
