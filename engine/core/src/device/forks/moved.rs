//! Work that nobody refused, and that stood where the stream was being built anew: it goes back by itself.

use crate::device::Room;
use crate::device::fork::Why;
use crate::device::forks::ForkId;
use crate::device::stream::{Phase, Stream};
use crate::ids::{StreamId, StreamKind};
use crate::limits::{RETURN_PAUSE, RETURN_PAUSE_LONGEST};
use crate::time::{Millis, Now};

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

    /// Entries have come that moved work may build on.
    pub(in crate::device) fn return_soon(&mut self, id: StreamId, now: Now) {
        let returns = self.streams.get_mut(&id).and_then(|stream| stream.returns.as_mut());
        if let Some(Return { at, pause }) = returns {
            at.get_or_insert(now.monotonic.after(*pause));
        }
    }

    pub(in crate::device) fn return_due(&self) -> Option<Millis> {
        self.streams.values().filter_map(|stream| stream.returns.as_ref()?.at).min()
    }

    pub(in crate::device) fn tick_returns(&mut self, now: Now) {
        let due = |stream: &Stream| stream.returns.as_ref().and_then(|returns| returns.at);
        let due = self.streams.iter().filter(|(_, stream)| due(stream).is_some_and(|at| at <= now.monotonic));
        for id in due.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.return_moved(id, now);
        }
    }

    /// Puts this page's own work back once all it builds on is here. Where anything of the fork was refused, or another page
    /// wrote some of it, a person decides.
    pub(in crate::device) fn return_moved(&mut self, id: StreamId, now: Now) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let is_whole = stream.leftovers.is_empty() && stream.backlog.is_empty();
        let ready = stream.phase == Phase::Ready && is_whole;
        let Some(returns) = &mut stream.returns else { return };
        returns.at = None;
        if !ready {
            return;
        }
        let fork = ForkId { stream: id, whole: None };
        let pieces = self.forks.of(fork);
        let own = |replica| self.minted.contains(replica);
        let all_own = pieces.iter().all(|aside| aside.record.code == CLAIMED && own(&aside.replica));
        // What it builds on may still be on its way. What cannot be put back stays a fork, and people see it.
        let ends = pieces.is_empty() || id.kind() == StreamKind::Chat;
        let whole = || id == StreamId::DIRECTORY || self.fork_text(fork).is_ok_and(|text| text.is_complete);
        let done = ends || (all_own && whole() && self.reapply_fork(fork, "", now).is_ok());
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if done {
            stream.returns = None;
        } else if let Some(Return { pause, .. }) = &mut stream.returns {
            *pause = Millis(pause.0 * 2).min(RETURN_PAUSE_LONGEST);
        }
    }
}

/// Moved work that has not gone back.
#[derive(Debug)]
pub(in crate::device) struct Return {
    /// When it is looked at again.
    at: Option<Millis>,
    /// How long after entries have come.
    pause: Millis,
}

impl Return {
    pub(in crate::device) fn new() -> Self {
        Self { at: None, pause: RETURN_PAUSE }
    }
}

/// Code of work of a page that another page took the disk from.
const CLAIMED: &str = "disk.claimed";
