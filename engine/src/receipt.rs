//! Following one edit on its way.

use causeway_core::device::{Receipt as CoreReceipt, ReceiptState};

use crate::room::Room;
use crate::shared::State;

/// Where one edit can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// On this device's disk: it survives the death of this program.
    Device,
    /// On the relay's disk, after its fsync: it survives this device.
    Relay,
    /// Applied by so many other devices that are connected; asked of the newest edit only.
    Seen(u32),
}

/// Why an edit will not get there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReached {
    /// The relay refused it; it is kept as a fork.
    #[error("the relay refused this edit; it is kept on this device")]
    Refused,
    /// The engine was closed before. What was on this device's disk is sent when it is opened again.
    #[error("the engine was closed before this edit got there")]
    Closed,
}

/// One edit, to be followed on its way. It may be dropped: the edit goes its way all the same.
#[derive(Clone, Debug)]
pub struct Receipt {
    room: Room,
    receipt: CoreReceipt,
}

impl Receipt {
    pub(crate) fn new(room: &Room, receipt: CoreReceipt) -> Self {
        Self { room: room.clone(), receipt }
    }

    /// Where the edit is now.
    #[must_use]
    pub fn state(&self) -> ReceiptState {
        self.room.shared.lock().core.receipt(&self.receipt)
    }

    /// Waits until the edit has got there. For ever while there is no link: combine it with a timeout.
    ///
    /// # Errors
    /// It will not: see [`NotReached`].
    pub async fn reached(&self, reach: Reach) -> Result<(), NotReached> {
        self.room.shared.until(|state| self.look(state, reach)).await
    }

    fn look(&self, state: &State, reach: Reach) -> Option<Result<(), NotReached>> {
        let at = state.core.receipt(&self.receipt);
        let there = match reach {
            Reach::Device => at.device,
            Reach::Relay => at.relay,
            Reach::Seen(devices) => at.seen_by >= devices,
        };
        match () {
            () if there => Some(Ok(())),
            () if at.refused => Some(Err(NotReached::Refused)),
            () if state.has_ended => Some(Err(NotReached::Closed)),
            () => None,
        }
    }
}
