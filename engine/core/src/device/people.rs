//! Presence: mine and the others'. A device shows one state, whichever of its pages was used last.

use crate::device::Room;
use crate::ids::{PersonId, SiblingId};
use crate::limits::{PRESENCE_RENEWAL, PRESENCE_TICK};
use crate::presence::{InvalidState, Lease, State, Status};
use crate::time::{Millis, Now};
use crate::wire::{Body, Message};

/// What this device shows, and when it was last told.
#[derive(Debug, Default)]
pub(super) struct Mine {
    /// Per page, `None` for this one; the one that changed last comes last.
    pages: Vec<(Option<SiblingId>, State)>,
    changed: bool,
    told_at: Option<Millis>,
}

impl Mine {
    pub(super) fn due(&self, live: bool) -> Option<Millis> {
        if !live || self.pages.is_empty() {
            return None;
        }
        let told = self.told_at?;
        Some(told.after(if self.changed { PRESENCE_TICK } else { PRESENCE_RENEWAL }))
    }

    /// A page that is looked at counts before one that is not.
    fn shown(&self) -> Option<&State> {
        let awake = self.pages.iter().rev().find(|(_, state)| state.status != Status::Away);
        awake.or(self.pages.last()).map(|(_, state)| state)
    }

    fn state_of(&self, page: Option<SiblingId>) -> Option<&State> {
        self.pages.iter().find(|(of, _)| *of == page).map(|(_, state)| state)
    }
}

impl Room {
    /// Shows a state to the others: the latest wins, at most 20 a second leave.
    ///
    /// # Errors
    /// The state is out of bounds.
    pub fn set_presence(&mut self, state: State, now: Now) -> Result<(), InvalidState> {
        state.validate()?;
        if self.mine.state_of(None) != Some(&state) {
            self.show_page(None, state, now);
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

    /// A page of this device shows a state.
    pub(super) fn show_page(&mut self, page: Option<SiblingId>, state: State, now: Now) {
        // A repetition is no use of the page.
        if self.mine.state_of(page) != Some(&state) && state.validate().is_ok() {
            let before = self.mine.shown().cloned();
            self.mine.pages.retain(|(of, _)| *of != page);
            self.mine.pages.push((page, state));
            self.show_change(before.as_ref(), now);
        }
    }

    /// A page of this device is gone.
    pub(super) fn hide_page(&mut self, page: SiblingId, now: Now) {
        let before = self.mine.shown().cloned();
        self.mine.pages.retain(|(of, _)| *of != Some(page));
        self.show_change(before.as_ref(), now);
    }

    fn show_change(&mut self, before: Option<&State>, now: Now) {
        if self.mine.shown() == before {
            return;
        }
        self.mine.changed = true;
        let quiet = self.mine.told_at.is_none_or(|told| now.monotonic >= told.after(PRESENCE_TICK));
        if self.link.is_live() && quiet {
            self.send_presence(now);
        }
    }

    pub(super) fn send_presence(&mut self, now: Now) {
        if let Some(state) = self.mine.shown().cloned() {
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
