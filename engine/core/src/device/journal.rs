//! From edits to entries: the journal, sealing, and what the disk answers (rule 3).

use causeway_guard::Limits;
use causeway_guard::ydoc::parts;

use crate::device::event::{Connection, Event, Storage};
use crate::device::fork::Why;
use crate::device::pages::Role;
use crate::device::receipts::Receipt;
use crate::device::stream::{Phase, Stream, Sync, Unsaved, Unsealed};
use crate::device::{Output, Room, failing};
use crate::ids::{ReplicaId, SiblingId, StreamId, StreamKind};
use crate::limits::{JOURNAL_BYTES, JOURNAL_INTERVAL, SEAL_INTERVAL, SEAL_INTERVAL_APART, STORE_RETRY};
use crate::log::{Entry, EntryKind, EntryName, Header, Verdict};
use crate::storage::{CommitError, Durability};
use crate::stored::{self, IndexRecord, ReplicaRecord, TipRecord};
use crate::time::{Millis, Now};
use crate::wire::{self, Place};
use crate::write_queue::{OpId, Stored};
use crate::ydoc;

/// What becomes durable with a commit.
#[derive(Debug)]
pub(super) enum Tag {
    /// A sealed entry of this device.
    Sealed(Box<Unsaved>),
    /// An entry of somebody else.
    Taken(Box<Entry>),
    /// The journal of a stream up to an edit; zero for pieces of a fork.
    Journaled { stream: StreamId, edit: u64 },
    /// Refused work was set aside; the stream is read again.
    Rebuild(StreamId),
    /// A stream waits to be read until everything before is on the disk.
    Load(StreamId),
    /// A snapshot, and what was known of its stream before.
    Snapshot { stream: StreamId, before: Vec<(ReplicaId, u64)> },
    /// Work that is refused because others' words stand there, if the disk is still this page's.
    Outrun { stream: StreamId, from: EntryName, why: Why },
    /// Damage, if the disk is still this page's.
    Suspicion { stream: StreamId, code: &'static str },
    /// A piece of another page's fork.
    Aside { page: SiblingId, stream: StreamId, replica: ReplicaId, seq: u64 },
    /// Pieces of forks were put back or discarded, and go.
    AsideDone(Vec<Place>),
}

impl Tag {
    pub(super) fn entry(&self) -> Option<&Entry> {
        match self {
            Self::Sealed(unsaved) => Some(&unsaved.entry),
            Self::Taken(entry) => Some(entry),
            Self::Journaled { .. }
            | Self::Rebuild(_)
            | Self::Load(_)
            | Self::Snapshot { .. }
            | Self::Outrun { .. }
            | Self::Suspicion { .. }
            | Self::Aside { .. }
            | Self::AsideDone(_) => None,
        }
    }

    /// Whether pieces of forks reach the disk with it.
    fn is_of_forks(&self) -> bool {
        matches!(self, Self::Journaled { edit: 0, .. } | Self::Aside { .. })
    }
}

/// What an entry is made of beside its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content<'a> {
    pub(super) kind: EntryKind,
    pub(super) target: Option<EntryName>,
    pub(super) payload: &'a [u8],
}

impl Room {
    /// Takes an update made here. It applies already; from here on it must not be lost. The caller seals it if that is due.
    pub(super) fn record_edit(&mut self, id: StreamId, update: Vec<u8>, now: Now) -> Receipt {
        self.remember_replica();
        let Some(stream) = self.streams.get_mut(&id) else { return Receipt { stream: id, edit: 0 } };
        let journal = &mut stream.journal;
        journal.bytes += update.len();
        journal.updates.push(Unsealed { edits: 1, update });
        journal.since.get_or_insert(now.monotonic);
        let edit = stream.marks.handle_edit();
        self.events.push(Event::SaveStatus(id));
        Receipt { stream: id, edit }
    }

    /// When the next journal is to be sealed or written.
    pub(super) fn journal_due(&self) -> Option<Millis> {
        let due = |(id, stream): (&StreamId, &Stream)| [self.seal_due(*id), self.write_due(stream)];
        self.streams.iter().flat_map(due).flatten().min()
    }

    pub(super) fn tick_journals(&mut self, now: Now) {
        for id in self.streams.keys().copied().collect::<Vec<_>>() {
            self.seal_if_due(id, now);
            if self.write_due(&self.streams[&id]).is_some_and(|due| due <= now.monotonic) {
                self.write_journal(id);
            }
        }
    }

    /// With a link an entry is sealed at once after a pause and then at most every 50 ms; without one when the journal
    /// is full, so that a day written offline becomes a handful of entries. Where only other pages of the device look
    /// on, it is at most one a second.
    fn seal_due(&self, id: StreamId) -> Option<Millis> {
        let stream = self.streams.get(&id)?;
        let journal = &stream.journal;
        if journal.updates.is_empty() || journal.sealing || stream.phase != Phase::Ready {
            return None;
        }
        if journal.bytes >= JOURNAL_BYTES {
            return Some(Millis(0));
        }
        let pace = self.seal_pace(id, stream)?;
        Some(journal.sealed_at.map_or(Millis(0), |at| at.after(pace)))
    }

    /// Shortest time between two seals; `None`: nobody would hear of it.
    fn seal_pace(&self, id: StreamId, stream: &Stream) -> Option<Millis> {
        let follows = matches!(stream.sync, Sync::Following(_));
        match self.role {
            Role::Leading if follows => Some(SEAL_INTERVAL),
            Role::Leading => self.is_watched(&id).then_some(SEAL_INTERVAL_APART),
            Role::Following if !follows => None,
            Role::Following if self.connection() == Connection::Online => Some(SEAL_INTERVAL),
            Role::Following => Some(SEAL_INTERVAL_APART),
        }
    }

    /// When the journal of a stream is to be written. A page that follows has nowhere to write to.
    fn write_due(&self, stream: &Stream) -> Option<Millis> {
        let waiting = stream.journal.written < stream.journal.updates.len();
        let writes = waiting && stream.phase == Phase::Ready && self.role == Role::Leading;
        stream.journal.since.filter(|_| writes).map(|since| since.after(JOURNAL_INTERVAL))
    }

    pub(super) fn seal_if_due(&mut self, id: StreamId, now: Now) {
        if self.seal_due(id).is_some_and(|due| due <= now.monotonic) {
            self.seal(id, now);
        }
    }

    /// Numbers and chains what has gathered, and hands it to the disk.
    pub(super) fn seal(&mut self, id: StreamId, now: Now) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.document().is_none() {
            return;
        }
        let replica = self.author(id);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let Ok(payloads) = payloads(&stream.journal.updates) else {
            return self.events.damaged(id, "ydoc.merge");
        };
        let journal = std::mem::take(&mut stream.journal);
        stream.journal.sealed_at = Some(now.monotonic);
        stream.journal.sealing = self.role == Role::Leading;
        let edit = stream.marks.newest() - journal.updates.iter().map(|unsealed| unsealed.edits).sum::<u64>();
        self.seal_payloads(id, replica, &payloads, edit, now);
        if journal.pieces > 0 {
            self.queue.delete_prefix(stored::journal_stream(&id, &replica));
        }
    }

    /// Seals what was written under a replica after an edit. When one is refused, all that come after it belong to the
    /// fork: most build on it, and what they take out goes with what it puts in. Answers how many were sealed.
    fn seal_payloads(
        &mut self,
        id: StreamId,
        replica: ReplicaId,
        payloads: &[(u64, Vec<u8>)],
        mut edit: u64,
        now: Now,
    ) -> usize {
        let mut sealed = 0;
        if self.streams.get(&id).is_some_and(|stream| !stream.log.is_born()) {
            self.seal_payload(id, replica, EntryKind::Create, &[], 0, now);
        }
        for (edits, payload) in payloads {
            if self.is_closed(id, &replica) {
                let why = Why::later("written after an earlier change of the same page was refused");
                self.keep_pieces(id, replica, std::slice::from_ref(payload), &why, now);
                continue;
            }
            edit += edits;
            let completed = if *edits > 0 { edit } else { 0 };
            self.seal_payload(id, replica, EntryKind::Edit, payload, completed, now);
            sealed += usize::from(!self.is_closed(id, &replica));
        }
        sealed
    }

    fn is_closed(&self, id: StreamId, replica: &ReplicaId) -> bool {
        self.streams.get(&id).is_none_or(|stream| stream.closed.contains_key(replica))
    }

    /// One entry of one of this device's replicas, about no other.
    pub(super) fn seal_payload(
        &mut self,
        id: StreamId,
        replica: ReplicaId,
        kind: EntryKind,
        payload: &[u8],
        edit: u64,
        now: Now,
    ) {
        self.seal_content(id, replica, Content { kind, target: None, payload }, edit, now);
    }

    /// One entry of one of this device's replicas.
    pub(super) fn seal_content(
        &mut self,
        id: StreamId,
        replica: ReplicaId,
        Content { kind, target, payload }: Content<'_>,
        edit: u64,
        now: Now,
    ) {
        let time = self.home_time(now);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        // The home has other words there. A post builds on none of them. A text does; and what is about a post has its rank
        // by what it builds on, so without that it would lose in silence to what it changes.
        let stands_alone = id.kind() == StreamKind::Chat
            && matches!(kind, EntryKind::Create | EntryKind::Introduce | EntryKind::Post);
        let (deps, logical) =
            stream.log.next_place_apart(&replica, |other| stands_alone && stream.parted.contains(other));
        let seq = stream.log.tip(&replica).seq + 1;
        let payload_hash = [0; 32];
        let header = Header {
            stream: id,
            replica,
            seq,
            deps,
            logical,
            time,
            kind,
            target,
            key_epoch: 0,
            payload_hash,
        };
        let entry = wire::entry::build(header, payload);
        match stream.log.judge_new(&entry) {
            Verdict::Fresh(accepted) => {
                stream.log.extend(&entry, accepted);
                if let Some(open) = stream.channel_mut() {
                    open.channel.apply(&entry);
                }
            }
            Verdict::Refused(refusal) => {
                let why = Why::unsound(&refusal);
                self.keep_pieces(id, replica, &[payload.to_vec()], &why, now);
                return self.close_replica(id, EntryName { replica, seq: seq + 1 }, &why, now);
            }
            Verdict::Known | Verdict::Waits(_) => return,
        }
        stream.marks.handle_sealed(entry.name(), edit);
        self.keep(entry, now);
    }

    /// Puts an accepted entry on this device's disk; answers its arrival number.
    pub(super) fn store_entry(&mut self, entry: &Entry) -> u64 {
        let (id, name) = (entry.header().stream, entry.name());
        let Some(stream) = self.streams.get_mut(&id) else { return 0 };
        let arrival = stream.arrivals;
        stream.arrivals += 1;
        stream.tail += 1;
        let tip = stream.log.tip(&name.replica);
        let head = stream.log.head_at(&name).unwrap_or(tip.head);
        let index = IndexRecord { arrival, head };
        self.queue.put(stored::entry_key(&id, arrival), stored::encode_entry(entry));
        self.queue.put(stored::index_key(&id, &name.replica, name.seq), index.encode());
        self.queue.put(stored::tip_key(&id, &name.replica), TipRecord::from(tip).encode());
        arrival
    }

    /// Rule 3: what a dead page left is sealed under its own replica, which then writes no more.
    pub(super) fn seal_leftover(&mut self, id: StreamId, replica: ReplicaId, pieces: &[Vec<u8>], now: Now) {
        let Some(stream) = self.streams.get(&id) else { return };
        let last = stream.outbox.get(&replica).and_then(|entries| entries.back());
        if last.is_some_and(|last| last.entry.name().seq > stream.log.tip(&replica).seq) {
            // It comes behind what waits for others' entries, and is found at a later start.
            return;
        }
        if !pieces.is_empty() {
            let pieces: Vec<Unsealed> =
                pieces.iter().map(|piece| Unsealed { edits: 0, update: piece.clone() }).collect();
            match payloads(&pieces) {
                Ok(payloads) => {
                    let sealed = self.seal_payloads(id, replica, &payloads, 0, now);
                    for (_, payload) in &payloads[..sealed] {
                        self.apply_update(id, payload);
                    }
                }
                Err(_) => {
                    let sentence = "what a closed page left cannot be read as a change of this text";
                    let why = Why::refused("ydoc.merge".into(), sentence.into());
                    let pieces: Vec<Vec<u8>> = pieces.into_iter().map(|piece| piece.update).collect();
                    self.keep_pieces(id, replica, &pieces, &why, now);
                    self.events.damaged(id, "ydoc.merge");
                }
            }
        }
        self.queue.delete_prefix(stored::journal_stream(&id, &replica));
    }

    /// Promise 1: what is not sealed within 50 ms is written as it is.
    fn write_journal(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.document().is_none() {
            return;
        }
        let replica = self.author(id);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let journal = &mut stream.journal;
        // What is joined for the disk need not be joined again when it is sealed, and fits into an entry then.
        let Ok(pieces) = payloads(&journal.updates[journal.written..]) else { return };
        journal.updates.truncate(journal.written);
        for (edits, update) in pieces {
            let key = stored::journal_key(&id, &replica, journal.pieces);
            self.queue.put(key, stored::encode_piece(&update));
            journal.updates.push(Unsealed { edits, update });
            journal.pieces += 1;
        }
        journal.written = journal.updates.len();
        journal.since = None;
        stream.journal_on_disk = true;
        let edit = stream.marks.newest();
        self.queue.tag(Tag::Journaled { stream: id, edit }, Durability::Relaxed);
        self.take_forks_along(id, edit);
    }

    /// Who writes in a stream here: its document keeps the name it was opened under.
    pub(super) fn author(&self, id: StreamId) -> ReplicaId {
        let client = self.streams.get(&id).and_then(Stream::document).map(ydoc::Document::client);
        let author = self.identities.keys().find(|replica| Some(replica.client()) == client);
        author.copied().unwrap_or(self.current)
    }

    /// The key of the current replica goes to the disk before anything written under it.
    pub(super) fn remember_replica(&mut self) {
        if !self.current_on_disk {
            self.current_on_disk = true;
            self.remember(self.current);
        }
    }

    pub(super) fn remember(&mut self, replica: ReplicaId) {
        if let Some(identity) = self.identities.get(&replica) {
            let record = ReplicaRecord { secret: *identity.secret() };
            self.queue.put(stored::replica_key(&replica), record.encode());
        }
    }

    pub(super) fn handle_stored(&mut self, op: OpId, result: Result<(), CommitError>, now: Now) {
        if self.handle_claimed(op, &result, now) {
            return;
        }
        match self.queue.handle_stored(op, result) {
            Some(Stored::Durable(tags)) => {
                self.commit_failed = false;
                self.set_storage(Storage::Working);
                // What came from the home under a refused name is what stands there.
                let stands = |tag: &&Tag| !matches!(tag, Tag::Sealed(held) if self.is_refused(&held.entry));
                let entries: Vec<Entry> =
                    tags.iter().filter(stands).filter_map(Tag::entry).cloned().collect();
                let forked = tags.iter().any(Tag::is_of_forks);
                for tag in tags {
                    self.handle_durable(tag, now);
                }
                if forked {
                    self.tell_kept_asides();
                }
                // Other pages must not call saved what they are shown now.
                self.tell_unsent();
                self.publish(&entries);
                self.settle_forks();
            }
            // Rule 3: another page has taken the disk over while this one was asleep.
            Some(Stored::Failed(CommitError::Conflict { .. })) => {
                if !self.commit_failed {
                    // What was on its way to the disk is not there for the new leader to find.
                    self.streams
                        .iter_mut()
                        .for_each(|(_, stream)| stream.journal_on_disk &= stream.journal_landed);
                }
                self.step_down(now);
            }
            Some(Stored::Failed(CommitError::Failed(failure))) => {
                self.set_storage(failing(&failure));
                self.commit_failed = true;
                self.disk_retry_at = Some(now.monotonic.after(STORE_RETRY));
            }
            None => {}
        }
    }

    fn is_refused(&self, entry: &Entry) -> bool {
        self.streams.get(&entry.header().stream).is_none_or(|stream| stream.is_refused(entry.name()))
    }

    pub(super) fn retry_disk(&mut self) {
        self.disk_retry_at = None;
        if self.role == Role::Following {
            for stream in std::mem::take(&mut self.wanted) {
                self.load_stream(stream);
            }
            return;
        }
        if !self.boot.is_done() {
            return self.boot_next();
        }
        for stream in std::mem::take(&mut self.wanted) {
            self.load_stream(stream);
        }
        for stream in self.streams.keys().copied().collect::<Vec<_>>() {
            self.serve_waiting(stream);
        }
        let op = super::fresh_op(&mut self.next_op);
        if let Some((op, commit)) = self.queue.retry(op) {
            self.outputs.push_back(Output::Commit(op, commit));
        }
    }

    fn handle_durable(&mut self, tag: Tag, now: Now) {
        match tag {
            Tag::Sealed(unsaved) => self.handle_sealed(*unsaved, now),
            Tag::Journaled { stream: id, edit } => {
                if let Some(stream) = self.streams.get_mut(&id) {
                    stream.journal_landed |= edit > 0;
                    stream.marks.handle_on_disk(edit);
                    self.events.push(Event::SaveStatus(id));
                }
            }
            Tag::Rebuild(stream) | Tag::Load(stream) => self.scan_entries(stream),
            Tag::Aside { page, stream, replica, seq } => {
                self.answer_aside(page, stream, replica, seq);
            }
            Tag::AsideDone(names) => self.tell_aside_done(&names),
            Tag::Snapshot { stream, before } => self.publish_snapshot(stream, &before),
            Tag::Outrun { stream, from, why } => self.give_way(stream, from, &why, now),
            Tag::Suspicion { stream, code } => {
                self.events.damaged(stream, code);
            }
            Tag::Taken(_) => {}
        }
    }

    /// The entry is on this device's disk: now it may leave.
    fn handle_sealed(&mut self, unsaved: Unsaved, now: Now) {
        let entry = unsaved.entry.clone();
        let (id, name) = (entry.header().stream, entry.name());
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.document().is_none_or(|document| document.client() == name.replica.client()) {
            stream.journal.sealing = false;
            // A piece may have been written behind it.
            (stream.journal_on_disk, stream.journal_landed) = (stream.journal.pieces > 0, false);
        }
        if stream.is_refused(name) {
            return;
        }
        stream.marks.handle_kept(name);
        let follows = matches!(stream.sync, Sync::Following(_));
        if follows && !stream.has_outbox() {
            stream.sync = Sync::Following(now.monotonic);
        }
        let saved = stream.saved.get(&name.replica).copied().unwrap_or(0);
        let held = stream.outbox.entry(name.replica).or_default();
        // Posts that a restored home lacks are on the disk as well, though not read from there yet.
        let first = if held.is_empty() { saved + 1 } else { name.seq };
        held.push_back(unsaved);
        if let Some(open) = stream.channel_mut() {
            open.channel.touch_all(name.replica, first, name.seq);
            self.events.push(Event::Channel(id));
        }
        self.events.push(Event::SaveStatus(id));
        if follows {
            #[cfg(feature = "planted-bugs")]
            if self.planted == Some(crate::planted::Planted::OutboxForgets) && stream.channel().is_none() {
                stream.outbox.clear();
                if let Some(open) = stream.channel_mut() {
                    // The bug is not that where posts are is told late.
                    open.channel.show_anew();
                }
            }
            self.offer(&[entry], now);
        }
        self.seal_if_due(id, now);
    }
}

/// Updates joined into payloads that each fit into an entry, with how many each completes: a journal grows beyond that while
/// the disk does not answer, one edit may change thousands of places, and what is typed key by key is many blocks.
fn payloads(updates: &[Unsealed]) -> Result<Vec<(u64, Vec<u8>)>, ydoc::ApplyError> {
    let mut payloads = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, unsealed) in updates.iter().enumerate() {
        if at > start && bytes + unsealed.update.len() > JOURNAL_BYTES {
            add_payloads(&mut payloads, &updates[start..at])?;
            (start, bytes) = (at, 0);
        }
        bytes += unsealed.update.len();
    }
    if start < updates.len() {
        add_payloads(&mut payloads, &updates[start..])?;
    }
    Ok(payloads)
}

fn add_payloads(payloads: &mut Vec<(u64, Vec<u8>)>, updates: &[Unsealed]) -> Result<(), ydoc::ApplyError> {
    let parts = parts(ydoc::merge(updates)?, &Limits::default());
    payloads.extend(parts.into_iter().map(|part| (0, part)));
    // Nothing of it is whole before the last part is.
    if let Some((edits, _)) = payloads.last_mut() {
        *edits = updates.iter().map(|unsealed| unsealed.edits).sum();
    }
    Ok(())
}
