//! A channel.

use causeway_core::chat::{Post, Unread};
use causeway_core::device::{ChatError, Draft};
use causeway_core::ids::StreamId;
use causeway_core::log::EntryName;

use crate::follow::Timelines;
use crate::receipt::Receipt;
use crate::room::Room;
use crate::shared::State;

/// A channel in which people talk, open for reading and writing. Cheap to clone. A post is named by the entry that said
/// it.
#[derive(Clone, Debug)]
pub struct Channel {
    room: Room,
    id: StreamId,
}

/// Why something was not said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChatFailure {
    /// The channel, the post or the words.
    #[error(transparent)]
    Chat(#[from] ChatError),
    /// The engine has been closed; nothing more can be written.
    #[error("the engine is closed")]
    Closed,
}

impl Channel {
    pub(crate) fn new(room: Room, id: StreamId) -> Self {
        Self { room, id }
    }

    /// Its id inside the room.
    #[must_use]
    pub fn id(&self) -> StreamId {
        self.id
    }

    /// Waits until what this device holds of the channel has been read; before, it can neither be read nor written.
    ///
    /// # Errors
    /// It has been deleted, or the engine was closed.
    pub async fn ready(&self) -> Result<(), ChatFailure> {
        let look = |state: &mut State| match state.core.channel_state(self.id) {
            Ok(()) => Some(Ok(())),
            Err(ChatError::NotOpen) if state.is_closed => Some(Err(ChatFailure::Closed)),
            Err(ChatError::NotOpen) => None,
            Err(error) => Some(Err(error.into())),
        };
        self.room.shared.until(look).await
    }

    /// Waits until the relay has sent all it had, on the link there is. For ever while there is none.
    pub async fn synced(&self) {
        self.room.shared.until(|state| state.core.is_synced(self.id).then_some(())).await;
    }

    /// The posts that are in memory, oldest first: of a long channel the newest and what [`Channel::older`] has brought.
    ///
    /// # Errors
    /// It is not [ready](Channel::ready), or deleted.
    pub fn posts(&self) -> Result<Vec<Post>, ChatError> {
        self.room.shared.lock().core.posts(self.id)
    }

    /// The newest page of the timeline as soon as the channel is ready, then every change to it; a
    /// [`futures_util::Stream`]. A follower that falls far behind gets the whole again.
    #[must_use]
    pub fn changes(&self) -> Timelines {
        Timelines::new(&self.room.shared, self.id)
    }

    /// Adds a page of older posts to what is followed, from this device's disk or the relay. The changes say when they are
    /// [out of reach](crate::Older::OutOfReach).
    pub fn older(&self) {
        self.room.shared.command(|core, _| core.older(self.id));
    }

    /// Says something, perhaps in answer to a post.
    ///
    /// # Errors
    /// See [`ChatFailure`].
    pub fn post(&self, text: &str, reply_to: Option<EntryName>) -> Result<Receipt, ChatFailure> {
        self.say(|core, now| core.post(self.id, text.to_owned(), reply_to, now))
    }

    /// Changes the text of one's own post.
    ///
    /// # Errors
    /// See [`ChatFailure`].
    pub fn amend(&self, post: EntryName, text: &str) -> Result<Receipt, ChatFailure> {
        self.say(|core, now| core.amend(self.id, post, text.to_owned(), now))
    }

    /// Removes one's own post.
    ///
    /// # Errors
    /// See [`ChatFailure`].
    pub fn retract(&self, post: EntryName) -> Result<Receipt, ChatFailure> {
        self.say(|core, now| core.retract(self.id, post, now))
    }

    /// Puts a reaction to a post, or takes one's own away.
    ///
    /// # Errors
    /// See [`ChatFailure`].
    pub fn react(&self, post: EntryName, emoji: &str, on: bool) -> Result<Receipt, ChatFailure> {
        self.say(|core, now| core.react(self.id, post, emoji.to_owned(), on, now))
    }

    /// What is left to read.
    #[must_use]
    pub fn unread(&self) -> Unread {
        self.room.shared.lock().core.unread(self.id)
    }

    /// Everything up to a post has been read, also where it is not here; without one, all there is.
    pub fn mark_read(&self, upto: Option<EntryName>) {
        self.room.shared.command(|core, _| core.mark_read(self.id, upto));
    }

    /// What the relay refused of what was said here.
    #[must_use]
    pub fn drafts(&self) -> Vec<Draft> {
        self.room.shared.lock().core.drafts(self.id)
    }

    /// Forgets a draft.
    pub fn discard_draft(&self, key: EntryName) {
        self.room.shared.command(|core, _| core.discard_draft(self.id, key));
    }

    fn say(
        &self,
        say: impl FnOnce(
            &mut causeway_core::device::Room,
            causeway_core::time::Now,
        ) -> Result<causeway_core::device::Receipt, ChatError>,
    ) -> Result<Receipt, ChatFailure> {
        let receipt = self.room.shared.while_open(say).ok_or(ChatFailure::Closed)??;
        Ok(Receipt::new(&self.room, receipt))
    }
}
