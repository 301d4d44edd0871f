//! Bugs that the simulator can switch on in a home; see [`Planted`].

use crate::home::Home;
use crate::home::append::Appended;
use crate::home::stream::HomeStream;
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::log::{Entry, Verdict};
use crate::planted::Planted;
use crate::snapshot::PageId;
use crate::storage::Durability;
use crate::stored::{self, HistoryRecord, IndexRecord, StreamRecord};
use crate::wire::Saved;

impl Home {
    /// Switches a bug on.
    pub fn plant(&mut self, bug: Planted) {
        self.planted = Some(bug);
    }

    pub(super) fn has_bug(&self, bug: Planted) -> bool {
        self.planted == Some(bug)
    }

    /// Says `saved` for what has just come, wherever it is.
    pub(super) fn call_saved(&mut self, conn: ConnId, stream: StreamId, replica: ReplicaId, seq: u64) {
        let tip = self.stream_mut(stream).log.tip(&replica);
        self.send(conn, &Saved { stream, replica, seq, head: tip.head.short() }.into());
    }

    /// Judges an entry as if all that others wrote were here.
    pub(super) fn judge_without_deps(&mut self, entry: &Entry, verdict: Verdict) -> Verdict {
        match verdict {
            Verdict::Waits(_) => self.stream_mut(entry.header().stream).log.judge_without_deps(entry),
            Verdict::Fresh(_) | Verdict::Known | Verdict::Refused(_) => verdict,
        }
    }

    /// Writes an entry that is here a second time.
    pub(super) fn append_again(&mut self, conn: ConnId, entry: Entry) {
        let (stream, name) = (entry.header().stream, entry.name());
        let state = self.stream_mut(stream);
        let arrival = state.arrivals;
        state.arrivals += 1;
        state.bytes += entry.bytes().len() as u64;
        let record = StreamRecord { arrivals: arrival + 1, bytes: state.bytes, jumps: state.jumps };
        let head = state.log.tip(&name.replica).head;
        self.queue.put(stored::entry_key(&stream, arrival), stored::encode_entry(&entry));
        let index = IndexRecord { arrival, head };
        self.queue.put(stored::index_key(&stream, &name.replica, name.seq), index.encode());
        self.queue.put(stored::stream_key(&stream), record.encode());
        self.queue.tag(Appended::Entry { conn, arrival, entry, jumps: 0 }, Durability::Strict);
    }
}

/// Takes the pages of a snapshot for read back.
pub(super) fn read_back_nothing(bug: Option<Planted>, unread: &mut Vec<PageId>) {
    if bug == Some(Planted::HistoryUnread) {
        unread.clear();
    }
}

/// Has history begin where the snapshot ends.
pub(super) fn begin_too_far(
    bug: Option<Planted>,
    history: HistoryRecord,
    state: &HomeStream,
) -> HistoryRecord {
    let begins = state.snapshot.as_ref().map_or(0, |standing| standing.arrivals);
    if bug == Some(Planted::HistoryTooFar) { HistoryRecord { begins, ..history } } else { history }
}
