//! Presence: mine and the others'.

use crate::device::Room;
use crate::ids::PersonId;
use crate::limits::{PRESENCE_RENEWAL, PRESENCE_TICK};
use crate::presence::{InvalidState, Lease, State};
use crate::time::{Millis, Now};
use crate::wire::{Body, Message};

/// What this device shows, and when it was last told.
#[derive(Debug, Default)]
pub(super) struct Mine {
    state: Option<State>,
    changed: bool,
    told_at: Option<Millis>,
}

impl Mine {
    pub(super) fn due(&self, live: bool) -> Option<Millis> {
        if !live || self.state.is_none() {
            return None;
        }
        let told = self.told_at?;
        Some(told.after(if self.changed { PRESENCE_TICK } else { PRESENCE_RENEWAL }))
    }
}

impl Room {
    /// Shows a state to the others: the latest wins, at most 20 a second leave.
    ///
    /// # Errors
    /// The state is out of bounds.
    pub fn set_presence(&mut self, state: State, now: Now) -> Result<(), InvalidState> {
        state.validate()?;
        if self.mine.state.as_ref() == Some(&state) {
            return Ok(());
        }
        self.mine.state = Some(state);
        self.mine.changed = true;
        let quiet = self.mine.told_at.is_none_or(|told| now.monotonic >= told.after(PRESENCE_TICK));
        if self.link.is_live() && quiet {
            self.send_presence(now);
        }
        Ok(())
    }

    /// The other people in the room.
    pub fn others(&self) -> impl Iterator<Item = (Lease, &State)> {
        self.others.iter()
    }

    /// Whose presence it is, as the home says: two links of one person are two leases.
    pub fn person_of(&self, lease: Lease) -> Option<PersonId> {
        self.others.person(lease)
    }

    pub(super) fn send_presence(&mut self, now: Now) {
        if let Some(state) = self.mine.state.clone() {
            self.mine.changed = false;
            self.mine.told_at = Some(now.monotonic);
            self.send(&Message::Other(Body::Present(state)));
        }
    }

    pub(super) fn tick_presence(&mut self, now: Now) {
        if self.mine.due(self.link.is_live()).is_some_and(|due| now.monotonic >= due) {
            self.send_presence(now);
        }
    }
}
