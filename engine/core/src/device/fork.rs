//! Refused work: set aside, kept, never lost (rule 6).

use crate::device::Room;
use crate::device::event::Event;
use crate::device::journal::Tag;
use crate::device::pages::Role;
use crate::device::receipts::Receipt;
use crate::device::stream::{Phase, Stream, Sync};
use crate::ids::{ReplicaId, StreamId};
use crate::log::{Entry, EntryName};
use crate::storage::Durability;
use crate::stored::{self, ForkRecord, Prefix};
use crate::time::Now;
use crate::wire::Aside;

/// Why work became a fork.
#[derive(Clone, Debug)]
pub(super) struct Why {
    /// Machine code.
    pub(super) code: String,
    /// For people.
    pub(super) sentence: String,
}

impl Why {
    /// Another copy of this device's store writes under the same names.
    pub(super) fn cloned() -> Self {
        Self {
            code: "replica.cloned".into(),
            sentence: "this device's store was copied: another one writes under its name".into(),
        }
    }
}

impl Room {
    /// Ends a replica in a stream: its entries from `from` on, those of this device that came after them, and what is
    /// not sealed become a fork; the stream is built again from what the home took, and writing goes on under a new
    /// replica.
    pub(super) fn close_replica(&mut self, id: StreamId, from: EntryName, why: &Why, now: Now) {
        if self.streams.get(&id).is_none_or(|stream| stream.closed.contains_key(&from.replica)) {
            return;
        }
        if self.role == Role::Following {
            return self.close_followed(id, from, why, now);
        }
        let refused = self.branch(id, from);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let mut closing = vec![from];
        stream.closed.insert(from.replica, from.seq);
        for (_, entry) in &refused {
            let name = entry.name();
            let first = stream.closed.entry(name.replica).or_insert(name.seq);
            *first = (*first).min(name.seq);
            closing.push(name);
        }
        closing.retain(|name| stream.closed[&name.replica] == name.seq);
        closing.dedup();
        let closed = stream.closed.clone();
        for (replica, entries) in stream.outbox.iter_mut() {
            entries.retain(|held| closed.get(replica).is_none_or(|from| held.entry.name().seq < *from));
        }
        stream.outbox.retain(|_, entries| !entries.is_empty());
        stream.phase = Phase::Rebuilding;
        stream.sync = Sync::Off;
        for (arrival, entry) in &refused {
            let EntryName { replica, seq } = entry.name();
            self.queue.delete(stored::entry_key(&id, *arrival));
            self.queue.delete(stored::index_key(&id, &replica, seq));
            self.queue.delete(stored::tip_key(&id, &replica));
        }
        for (_, entry) in refused {
            self.keep_fork(id, entry.name(), entry.payload().to_vec(), why, now);
        }
        self.keep_journal(id, why, now);
        self.tell_fork(id, why);
        self.tell_closed(id, &closing, why);
        if closed.contains_key(&self.current) {
            self.mint();
        }
        self.queue.tag(Tag::Rebuild(id), Durability::Strict);
    }

    /// The unsaved entries of a replica from `from` on, and those of any replica of this device that arrived here after
    /// the first of them: they may build on it.
    fn branch(&self, id: StreamId, from: EntryName) -> Vec<(u64, Entry)> {
        let Some(first) = self.unsaved_from(id, from).iter().map(|(arrival, _)| *arrival).min() else {
            return Vec::new();
        };
        let all = self
            .identities
            .keys()
            .flat_map(|replica| self.unsaved_from(id, EntryName { replica: *replica, seq: 0 }));
        all.filter(|(arrival, _)| *arrival >= first).collect()
    }

    /// The stream has ended: what of this device's work it did not take is kept.
    pub(super) fn keep_unsaved(&mut self, id: StreamId, why: &Why, now: Now) {
        let replicas: Vec<ReplicaId> = self.identities.keys().copied().collect();
        let unsaved: Vec<(u64, Entry)> = replicas
            .into_iter()
            .flat_map(|replica| self.unsaved_from(id, EntryName { replica, seq: 0 }))
            .collect();
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.outbox.clear();
        if unsaved.is_empty() && stream.journal.updates.is_empty() {
            return;
        }
        for (_, entry) in unsaved {
            self.keep_fork(id, entry.name(), entry.payload().to_vec(), why, now);
        }
        self.keep_journal(id, why, now);
        self.queue.delete_prefix(stored::stream_prefix(Prefix::Journal, &id));
        self.tell_fork(id, why);
    }

    /// What is written while a stream is being rebuilt belongs to the fork.
    pub(super) fn fork_edit(
        &mut self,
        id: StreamId,
        replica: ReplicaId,
        update: Vec<u8>,
        now: Now,
    ) -> Receipt {
        let Some(stream) = self.streams.get_mut(&id) else { return Receipt { stream: id, edit: 0 } };
        let edit = stream.marks.handle_forked_edit();
        let why =
            Why { code: "fork.later".into(), sentence: "written while the text was being built anew".into() };
        if !stream.fork_told {
            self.tell_fork(id, &why);
        }
        self.keep_pieces(id, replica, &[update], &why, now);
        self.queue.tag(Tag::Journaled { stream: id, edit: 0 }, Durability::Relaxed);
        Receipt { stream: id, edit }
    }

    /// Keeps work that never was an entry. Pieces are numbered by the clock, so that none takes the place of another.
    pub(super) fn keep_pieces(
        &mut self,
        id: StreamId,
        replica: ReplicaId,
        pieces: &[Vec<u8>],
        why: &Why,
        now: Now,
    ) {
        for piece in pieces {
            self.fork_pieces += 1;
            let seq = FORK_EDITS + now.wall.0 % (1 << 45) * (1 << 16) + self.fork_pieces % (1 << 16);
            self.keep_fork(id, EntryName { replica, seq }, piece.clone(), why, now);
        }
    }

    /// Keeps one piece of a fork on the disk.
    pub(super) fn keep_fork(&mut self, id: StreamId, name: EntryName, payload: Vec<u8>, why: &Why, now: Now) {
        self.keep_draft(id, name, &payload, why);
        let Why { code, sentence } = why.clone();
        let record = ForkRecord { code, sentence, time: now.wall, payload };
        match self.role {
            Role::Leading => self.queue.put(stored::fork_key(&id, &name.replica, name.seq), record.encode()),
            Role::Following => {
                self.hand_aside(Aside { stream: id, replica: name.replica, seq: name.seq, record });
            }
        }
    }

    /// Another page's work is kept as a fork on this disk.
    pub(super) fn note_fork(&mut self, id: StreamId, replica: ReplicaId, seq: u64) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if seq < FORK_EDITS && !stream.closed.contains_key(&replica) {
            stream.closed.insert(replica, seq);
            stream.marks.forks += 1;
            self.events.push(Event::SaveStatus(id));
        }
    }

    /// Entries of a replica that the home has not called saved, on this disk or on their way there.
    pub(super) fn unsaved_from(&self, id: StreamId, from: EntryName) -> Vec<(u64, Entry)> {
        let outbox = self.streams.get(&id).and_then(|stream| stream.outbox.get(&from.replica));
        let sealed = self.queue.waiting().filter_map(|tag| match tag {
            Tag::Sealed(unsaved) if unsaved.entry.header().stream == id => Some(&**unsaved),
            Tag::Sealed(_)
            | Tag::Taken(_)
            | Tag::Journaled { .. }
            | Tag::Rebuild(_)
            | Tag::Load(_)
            | Tag::Snapshot { .. }
            | Tag::Cloned { .. }
            | Tag::Suspicion { .. }
            | Tag::Aside { .. } => None,
        });
        let of_replica = |name: EntryName| name.replica == from.replica && name.seq >= from.seq;
        let all = outbox.into_iter().flatten().chain(sealed);
        all.filter(|held| of_replica(held.entry.name()))
            .map(|held| (held.arrival, held.entry.clone()))
            .collect()
    }

    /// Moves what is not sealed into the fork.
    pub(super) fn keep_journal(&mut self, id: StreamId, why: &Why, now: Now) {
        let author = self.author(id);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let journal = std::mem::take(&mut stream.journal).updates;
        let updates: Vec<Vec<u8>> = journal.into_iter().map(|unsealed| unsealed.update).collect();
        self.keep_pieces(id, author, &updates, why, now);
        self.queue.delete_prefix(stored::journal_stream(&id, &author));
    }

    pub(super) fn tell_fork(&mut self, id: StreamId, why: &Why) {
        if let Some(Stream { marks, closed, phase, fork_told, .. }) = self.streams.get_mut(&id) {
            let gone = *phase == Phase::Gone;
            *fork_told = true;
            marks.forks += 1;
            marks.handle_refused(|name| {
                !gone && closed.get(&name.replica).is_none_or(|first| name.seq < *first)
            });
        }
        let Why { code, sentence } = why.clone();
        self.events.push(Event::Fork { stream: id, code, sentence });
        self.events.push(Event::SaveStatus(id));
    }
}

/// Pieces of a fork that never were entries are numbered from here.
pub(super) const FORK_EDITS: u64 = 1 << 62;
