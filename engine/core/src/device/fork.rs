//! Refused work: set aside, kept, never lost (rule 6).

use crate::device::Room;
use crate::device::event::Event;
use crate::device::journal::Tag;
use crate::device::stream::{Body, Phase, Sync};
use crate::ids::{ReplicaId, StreamId};
use crate::log::{Entry, Tip};
use crate::storage::Durability;
use crate::stored::{self, ForkRecord, Prefix};
use crate::time::Now;

impl Room {
    /// Ends a replica in a stream: its entries from `seq` on and what is not sealed become a fork, the stream is built
    /// again from what the home took, and writing goes on under a new replica.
    pub(super) fn close_replica(
        &mut self,
        id: StreamId,
        replica: ReplicaId,
        seq: u64,
        code: &str,
        sentence: &str,
        now: Now,
    ) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if !stream.closed.insert(replica) {
            return;
        }
        let refused = stream.outbox.remove(&replica).unwrap_or_default();
        let (kept, refused): (Vec<_>, Vec<_>) =
            refused.into_iter().partition(|(_, entry)| entry.name().seq < seq);
        if !kept.is_empty() {
            stream.outbox.insert(replica, kept.into());
        }
        for (arrival, entry) in &refused {
            self.queue.delete(stored::entry_key(&id, *arrival));
            self.queue.delete(stored::index_key(&id, &replica, entry.name().seq));
        }
        let record = |payload: Vec<u8>| ForkRecord {
            code: code.into(),
            sentence: sentence.into(),
            time: now.wall,
            payload,
        };
        for (_, entry) in &refused {
            let key = stored::fork_key(&id, &replica, entry.name().seq);
            self.queue.put(key, record(entry.payload().to_vec()).encode());
        }
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let tip: Tip = stream.log.tip(&replica);
        stream.marks.forks += 1;
        stream.marks.handle_refused();
        stream.phase = Phase::Rebuilding;
        stream.sync = Sync::Off;
        let was_writer = stream.document().is_some_and(|document| document.client() == replica.client());
        let unsealed = if was_writer { std::mem::take(&mut stream.journal).updates } else { Vec::new() };
        for (at, update) in (tip.seq.max(seq) + 1..).zip(unsealed) {
            self.queue.put(stored::fork_key(&id, &replica, at), record(update).encode());
        }
        self.queue.delete_prefix(stored::journal_stream(&id, &replica));
        self.queue.delete(stored::tip_key(&id, &replica));
        if replica == self.current {
            self.mint();
        }
        self.queue.tag(Tag::Rebuild(id), Durability::Strict);
        self.events.push(Event::Fork { stream: id, code: code.into(), sentence: sentence.into() });
        self.events.push(Event::SaveStatus(id));
    }

    /// What is written while a stream is being rebuilt belongs to the fork.
    pub(super) fn fork_edit(&mut self, id: StreamId, replica: ReplicaId, update: Vec<u8>, now: Now) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.journal.pieces += 1;
        // Behind every number an entry can have had.
        let at = FORK_EDITS + stream.journal.pieces;
        let sentence = "written while refused work was being set aside";
        let record = ForkRecord {
            code: "fork.later".into(),
            sentence: sentence.into(),
            time: now.wall,
            payload: update,
        };
        self.queue.put(stored::fork_key(&id, &replica, at), record.encode());
        self.queue.tag(Tag::Journaled { stream: id, edit: 0 }, Durability::Relaxed);
    }

    /// The stream has ended: what of this device's work it did not take is kept.
    pub(super) fn keep_unsaved(&mut self, id: StreamId, code: &str, sentence: &str) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let outbox = std::mem::take(&mut stream.outbox);
        let unsealed = std::mem::take(&mut stream.journal).updates;
        let entries: Vec<Entry> = outbox.into_values().flatten().map(|(_, entry)| entry).collect();
        if entries.is_empty() && unsealed.is_empty() {
            return;
        }
        stream.marks.forks += 1;
        stream.marks.handle_refused();
        if let Body::Text(document) = &stream.body {
            let current = self.identities.keys().find(|replica| replica.client() == document.client());
            let author = current.copied().unwrap_or(self.current);
            for (at, update) in (FORK_EDITS..).zip(unsealed) {
                let record = ForkRecord {
                    code: code.into(),
                    sentence: sentence.into(),
                    time: crate::time::Millis(0),
                    payload: update,
                };
                self.queue.put(stored::fork_key(&id, &author, at), record.encode());
            }
        }
        for entry in entries {
            let name = entry.name();
            let record = ForkRecord {
                code: code.into(),
                sentence: sentence.into(),
                time: entry.header().time,
                payload: entry.payload().to_vec(),
            };
            self.queue.put(stored::fork_key(&id, &name.replica, name.seq), record.encode());
        }
        self.queue.delete_prefix(stored::stream_prefix(Prefix::Journal, &id));
        self.events.push(Event::Fork { stream: id, code: code.into(), sentence: sentence.into() });
    }
}

/// Pieces of a fork that never were entries are numbered from here.
const FORK_EDITS: u64 = 1 << 62;
