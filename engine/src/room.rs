//! A room: documents, people, and how it stands with relay and disk.

use std::sync::Arc;

use causeway_core::device::{ChatError, Connection, DocumentError, Input, Storage};
use causeway_core::ids::{PersonId, RoomId, StreamId};

use crate::channel::Channel;
use crate::documents::Documents;
use crate::engine::Inner;
use crate::follow::Events;
use crate::forks::Forks;
use crate::presence::Presence;
use crate::shared::Shared;
use crate::text::Text;

/// A room. Cheap to clone; all clones are one room, which stays open until its engine ends.
#[derive(Clone, Debug)]
pub struct Room {
    pub(crate) shared: Arc<Shared>,
    pub(crate) engine: Arc<Inner>,
}

impl Room {
    pub(crate) fn new(shared: Arc<Shared>, engine: Arc<Inner>) -> Self {
        Self { shared, engine }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &RoomId {
        &self.shared.name
    }

    /// The page on which a person can open this room in a browser, if there is a relay.
    #[must_use]
    pub fn page(&self) -> Option<String> {
        self.engine.relay().map(|relay| relay.page(&self.shared.name))
    }

    /// The names of its documents.
    #[must_use]
    pub fn documents(&self) -> Documents {
        Documents::new(self.clone())
    }

    /// Work the relay did not take.
    #[must_use]
    pub fn forks(&self) -> Forks {
        Forks::new(self.clone())
    }

    /// Opens a text, and follows it from now on. Wait for [`Text::ready`] before reading or writing. A text nobody has
    /// written yet comes into being with its first edit.
    ///
    /// # Errors
    /// The document is not a text.
    pub fn text(&self, id: StreamId) -> Result<Text, DocumentError> {
        self.shared.command(|core, _| core.open_text(id))?;
        Ok(Text::new(self.clone(), id))
    }

    /// The text that everybody finds who opens the room, before anybody has made a document.
    #[must_use]
    pub fn first_text(&self) -> Text {
        self.text(StreamId::first_document(&self.shared.name)).expect("the first document is a text")
    }

    /// Opens a channel, and follows it from now on. Wait for [`Channel::ready`] before reading or writing.
    ///
    /// # Errors
    /// The stream is no channel.
    pub fn channel(&self, id: StreamId) -> Result<Channel, ChatError> {
        self.shared.command(|core, _| core.open_channel(id))?;
        Ok(Channel::new(self.clone(), id))
    }

    /// The channel that everybody finds who opens the room.
    #[must_use]
    pub fn main_channel(&self) -> Channel {
        self.channel(StreamId::main_channel(&self.shared.name)).expect("the main channel is a channel")
    }

    /// Who uses this engine, the same in all rooms and on every day.
    #[must_use]
    pub fn person(&self) -> PersonId {
        self.shared.lock().core.person().expect("an engine speaks for somebody")
    }

    /// The other people.
    #[must_use]
    pub fn presence(&self) -> Presence {
        Presence::new(self.clone())
    }

    /// The link to the relay, as people see it.
    #[must_use]
    pub fn connection(&self) -> Connection {
        if self.engine.relay().is_none() {
            return Connection::Offline;
        }
        self.shared.lock().core.connection()
    }

    /// Waits until the relay answers. For ever, if it never does: combine it with a timeout.
    pub async fn online(&self) {
        self.shared.until(|state| (state.core.connection() == Connection::Online).then_some(())).await;
    }

    /// The disk of this device, as people see it.
    #[must_use]
    pub fn storage(&self) -> Storage {
        self.shared.lock().core.storage().clone()
    }

    /// Tries the relay again now: the network is back, or a person asked.
    pub fn reconnect(&self) {
        self.shared.command(|core, now| core.handle(Input::Reconnect, now));
    }

    /// What changes in this room from now on; a [`futures_util::Stream`] whose first item is
    /// [`Event::Reset`](crate::Event::Reset).
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(&self.shared)
    }
}
