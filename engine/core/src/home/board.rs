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
        let (mut to, mut silent) = (Vec::new(), Vec::new());
        for (conn, state) in &mut self.conns {
            let told = state.nonce().is_some() && state.fill.is_empty(Lane::Presence);
            if !state.miss(if told { rest } else { &changed }.iter().copied()) {
                silent.push(*conn);
            } else if told {
                state.fill.add(Lane::Presence, bytes.len());
                to.push(*conn);
            }
        }
        self.send_to_all(to, Lane::Presence, bytes);
        for conn in silent {
            self.fail(conn, ErrorCode::Silent, "this link has taken nothing for too long");
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
