//! Who is here.

use causeway_core::ids::PersonId;
use causeway_core::presence::{InvalidState, Lease, State};

use crate::room::Room;

/// The people of a room. It is never stored, and empty while there is no link.
#[derive(Clone, Debug)]
pub struct Presence {
    room: Room,
}

impl Presence {
    pub(crate) fn new(room: Room) -> Self {
        Self { room }
    }

    /// Shows this state to the others. The latest wins; at most 20 a second leave.
    ///
    /// # Errors
    /// The state is out of bounds.
    pub fn show(&self, state: State) -> Result<(), InvalidState> {
        self.room.shared.command(|core, now| core.set_presence(state, now))
    }

    /// Whose presence it is, as the relay says: somebody on two devices is there twice.
    #[must_use]
    pub fn person_of(&self, lease: Lease) -> Option<PersonId> {
        self.room.shared.lock().core.person_of(lease)
    }

    /// The other people, in the order they came.
    #[must_use]
    pub fn others(&self) -> Vec<(Lease, State)> {
        let state = self.room.shared.lock();
        state.core.others().map(|(lease, state)| (lease, state.clone())).collect()
    }
}
