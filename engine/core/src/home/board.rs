//! Presence on its way to the links: one frame a tick for all who keep up, and for the others how things then stand.

use crate::home::Home;
use crate::home::lane::Lane;
use crate::ids::ConnId;
use crate::limits::BOARD_CHANGES;
use crate::time::Now;
use crate::wire::{self, ErrorCode};

impl Home {
    pub(super) fn send_presence(&mut self, now: Now) {
        let Some(mut changes) = self.presence.poll_changes(now.monotonic) else { return };
        let changed: Vec<ConnId> = changes.iter().map(|change| ConnId(change.lease.0)).collect();
        // What does not fit a frame is told as it then is, once the lane has drained.
        changes.truncate(BOARD_CHANGES);
        let rest = &changed[changes.len()..];
        let bytes = wire::encode(&changes.into());
        for conn in self.conns.keys().copied().collect::<Vec<_>>() {
            let Some(state) = self.conns.get_mut(&conn) else { continue };
            let told = state.nonce().is_some() && state.fill.is_empty(Lane::Presence);
            let taken = state.miss(if told { rest } else { &changed }.iter().copied());
            if told {
                self.send_bytes(conn, Lane::Presence, bytes.clone());
            }
            if !taken {
                self.fail(conn, ErrorCode::Silent, "this link has taken nothing for too long");
            }
        }
    }

    /// Tells a link how those stand now whom it was not told of.
    pub(super) fn send_missed(&mut self, conn: ConnId) {
        let Some(link) = self.conns.get_mut(&conn) else { return };
        let missed = link.take_missed();
        if !missed.is_empty() {
            let latest = self.presence.latest(missed);
            self.send_bytes(conn, Lane::Presence, wire::encode(&latest.into()));
        }
    }
}
