//! Work that nobody refused, and that stood where the stream was being built anew: it goes back by itself.

use crate::device::Room;
use crate::device::fork::Why;
use crate::device::forks::ForkId;
use crate::device::stream::Phase;
use crate::ids::{StreamId, StreamKind};
use crate::time::Now;

impl Why {
    /// Another page leads now, and has read the disk without it.
    pub(in crate::device) fn claimed() -> Self {
        let sentence = "another window of this browser took over while this one was asleep";
        Self::refused(CLAIMED.into(), sentence.into())
    }
}

impl Room {
    /// Why what is written while a stream is being built anew is set aside.
    pub(in crate::device) fn why_meanwhile(&self, id: StreamId) -> Why {
        let fork = ForkId { stream: id, whole: None };
        let moved = self.streams.get(&id).is_some_and(|stream| stream.moved);
        if moved && self.forks.of(fork).iter().all(|aside| aside.record.code == CLAIMED) {
            Why::claimed()
        } else {
            Why::later("written while the text was being built anew")
        }
    }

    /// Puts this page's own work back once all it builds on is here. Where anything of the fork was refused, or another page
    /// wrote some of it, a person decides.
    pub(in crate::device) fn return_moved(&mut self, id: StreamId, now: Now) {
        let Some(stream) = self.streams.get(&id) else { return };
        let ready = stream.phase == Phase::Ready && stream.leftovers.is_empty();
        if !ready || stream.returns == 0 || id.kind() == StreamKind::Chat {
            return;
        }
        let fork = ForkId { stream: id, whole: None };
        let pieces = self.forks.of(fork);
        let own = |replica| self.minted.contains(replica);
        let all_own = pieces.iter().all(|aside| aside.record.code == CLAIMED && own(&aside.replica));
        if pieces.is_empty() || !all_own {
            return;
        }
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.returns -= 1;
        }
        // What it builds on may still be on its way. What cannot be put back stays a fork, and people see it.
        if id == StreamId::DIRECTORY || self.fork_text(fork).is_ok_and(|text| text.is_complete) {
            let _ = self.reapply_fork(fork, "", now);
        }
    }
}

/// Code of work of a page that another page took the disk from.
const CLAIMED: &str = "disk.claimed";
