//! Refused work: set aside, kept, never lost (rule 6).

use crate::device::Room;
use crate::device::documents::chunks;
use crate::device::event::Event;
use crate::device::forks::{ForkId, LATER};
use crate::device::journal::Tag;
use crate::device::pages::Role;
use crate::device::receipts::Receipt;
use crate::device::stream::{Body, Phase, Stream, Sync};
use crate::ids::{ReplicaId, StreamId};
use crate::log::{Entry, EntryName, Refusal};
use crate::storage::Durability;
use crate::stored::{self, ForkPart, ForkRecord, Prefix, TipRecord};
use crate::time::Now;
use crate::wire::{Aside, Place};

/// Why work became a fork.
#[derive(Clone, Debug)]
pub(super) struct Why {
    /// Machine code.
    pub(super) code: String,
    /// For people.
    pub(super) sentence: String,
    /// What the work builds on will not be here, so the text is kept whole.
    pub(super) apart: bool,
}

impl Why {
    /// The home or the log says so.
    pub(super) fn refused(code: String, sentence: String) -> Self {
        Self { apart: matches!(code.as_str(), CLONED | CHAIN), code, sentence }
    }

    /// This device's own log does not take it. The code says why; the sentences for all of them weigh a kilobyte and more
    /// of what a browser downloads.
    pub(super) fn unsound(refusal: &Refusal) -> Self {
        let sentence = "it breaks a rule that all devices keep, so no other would take it";
        Self::refused(refusal.code().into(), sentence.into())
    }

    /// It builds on work that was refused.
    pub(super) fn later(sentence: &str) -> Self {
        Self::refused(LATER.into(), sentence.into())
    }

    /// It was refused while this page had no link to the one that led.
    pub(super) fn unheard() -> Self {
        Self::later("written on top of a change that had been refused")
    }

    /// Another copy of this device's store writes under the same names.
    pub(super) fn cloned() -> Self {
        let sentence = "this device's store was copied: another one writes under its name";
        Self::refused(CLONED.into(), sentence.into())
    }

    fn gone() -> Self {
        let sentence = "the document was deleted before this was saved".into();
        Self { code: "stream.gone".into(), sentence, apart: true }
    }
}

impl Room {
    /// Ends a replica in a stream: its entries from `from` on, those of this device that came after them, and what is
    /// not sealed become a fork; the stream is built again from what the home took, and writing goes on under a new
    /// replica.
    pub(super) fn close_replica(&mut self, id: StreamId, from: EntryName, why: &Why, now: Now) {
        let Some(stream) = self.streams.get(&id) else { return };
        let (is_refused, builds) = (stream.is_refused(from), stream.phase == Phase::Rebuilding);
        if is_refused && (builds || self.role == Role::Following || self.unsaved_from(id, from).is_empty()) {
            // Unless what came back from a home under that name has to give way to the words of the next.
            return;
        }
        if self.role == Role::Following {
            return self.close_followed(id, from, why, now);
        }
        let refused = self.branch(id, from);
        if why.apart && self.streams.get(&id).is_some_and(Stream::is_shown) {
            self.apply_fresh(id);
        }
        let Some(stream) = self.streams.get(&id) else { return };
        let writes = !stream.journal.updates.is_empty();
        let keeps = !refused.is_empty() || writes || !stream.parted.contains(&from.replica);
        // What came from one home under a name that was given up may be kept already.
        let entries = refused.iter().map(|(_, entry)| entry.clone());
        let (again, new): (Vec<Entry>, Vec<Entry>) =
            entries.partition(|entry| stream.is_refused(entry.name()));
        let is_new = writes || !new.is_empty() || again.is_empty();
        // What never joined is not in the text.
        let shown = refused.iter().all(|(_, entry)| {
            let EntryName { replica, seq } = entry.name();
            stream.log.tip(&replica).seq >= seq
        });
        let whole = self.whole_text(id).filter(|_| why.apart && keeps && shown && is_new);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let mut closing = vec![from];
        let first = stream.closed.entry(from.replica).or_insert(from.seq);
        *first = from.seq.min(*first);
        for (_, entry) in &refused {
            let name = entry.name();
            let first = stream.closed.entry(name.replica).or_insert(name.seq);
            *first = (*first).min(name.seq);
            closing.push(name);
        }
        closing.retain(|name| *name == from || stream.closed[&name.replica] == name.seq);
        closing.dedup();
        let closed = stream.closed.clone();
        for (replica, entries) in stream.outbox.iter_mut() {
            entries.retain(|held| closed.get(replica).is_none_or(|from| held.entry.name().seq < *from));
        }
        stream.outbox.retain(|_, entries| !entries.is_empty());
        stream.phase = Phase::Rebuilding;
        stream.lacks_snapshot = false;
        stream.reading += 1;
        stream.sync = Sync::Off;
        self.stop_reading_lost(id);
        for (arrival, entry) in &refused {
            let EntryName { replica, seq } = entry.name();
            self.queue.delete(stored::entry_key(&id, *arrival));
            self.queue.delete(stored::index_key(&id, &replica, seq));
            self.queue.delete(stored::tip_key(&id, &replica));
        }
        if keeps {
            let again = if whole.is_some() { Vec::new() } else { self.not_kept(id, again) };
            self.set_aside(id, &new, whole, why, now);
            for entry in &again {
                self.keep_pieces(id, entry.name().replica, &[entry.payload().to_vec()], why, now);
            }
            if is_new || !again.is_empty() {
                self.tell_fork(id, why);
            }
        } else {
            self.events.damaged(id, &why.code);
        }
        self.tell_closed(id, &closing, why);
        if closed.contains_key(&self.current) {
            self.mint();
        }
        self.queue.tag(Tag::Rebuild(id), Durability::Strict);
    }

    /// What stands below refused work keeps its place in the chain: by that a device knows at its next start what it wrote.
    pub(super) fn keep_closed_tips(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get(&id).filter(|_| self.role == Role::Leading) else { return };
        if stream.lacks_snapshot {
            // The chain may stand further than the rows that are left of it.
            return;
        }
        for replica in stream.closed.keys() {
            let tip = stream.log.tip(replica);
            if tip.seq > 0 {
                self.queue.put(stored::tip_key(&id, replica), TipRecord::from(tip).encode());
            }
        }
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

    /// Whether a text nobody looks at is read first, so that it can be kept whole; what it was for is found out again.
    pub(super) fn open_first(&mut self, id: StreamId) -> bool {
        let Some(stream) = self.streams.get(&id) else { return false };
        let wrote = stream.has_outbox() || self.count_forks(id) > 0;
        let unread = matches!(stream.body, Body::Unopened) && stream.phase == Phase::Ready;
        self.role == Role::Leading && wrote && unread && self.open_text(id).is_ok()
    }

    /// The stream has ended: what of this device's work it did not take is kept.
    pub(super) fn keep_unsaved(&mut self, id: StreamId, now: Now) {
        let replicas: Vec<ReplicaId> = self.identities.keys().copied().collect();
        let unsaved =
            replicas.into_iter().flat_map(|replica| self.unsaved_from(id, EntryName { replica, seq: 0 }));
        let unsaved: Vec<Entry> = unsaved.map(|(_, entry)| entry).collect();
        let forked = self.role == Role::Leading && self.count_forks(id) > 0;
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.outbox.clear();
        if unsaved.is_empty() && stream.journal.updates.is_empty() && !forked {
            return;
        }
        // What was refused before builds on a text that goes now.
        self.apply_fresh(id);
        let changes = ForkId { stream: id, whole: None };
        let before = if self.role == Role::Leading { self.fork_text(changes).ok() } else { None };
        // Pieces of which something is missing are not in it.
        let joins = before.as_ref().is_none_or(|fork| fork.is_complete);
        let whole = before.map(|fork| fork.text).or_else(|| self.whole_text(id));
        let why = Why::gone();
        if whole.is_some() && forked && joins {
            self.discard_fork(changes);
        }
        // Nor is what waits for something.
        let waits = |entry: &&Entry| {
            let name = entry.name();
            self.streams.get(&id).is_some_and(|stream| stream.log.tip(&name.replica).seq < name.seq)
        };
        let waiting: Vec<Entry> = unsaved.iter().filter(waits).filter(|_| whole.is_some()).cloned().collect();
        self.set_aside(id, &unsaved, whole, &why, now);
        waiting.iter().for_each(|entry| self.keep_entry(entry, &why, now));
        self.queue.delete_prefix(stored::stream_prefix(Prefix::Journal, &id));
        self.tell_fork(id, &why);
    }

    /// The text as it stands here, with what the home has not taken yet.
    pub(super) fn whole_text(&self, id: StreamId) -> Option<String> {
        let stream = self.streams.get(&id)?;
        let written = matches!(stream.phase, Phase::Ready | Phase::Meeting);
        Some(stream.document().filter(|_| written)?.text())
    }

    /// Keeps refused entries and the journal, or the whole text in their place.
    pub(super) fn set_aside(
        &mut self,
        id: StreamId,
        refused: &[Entry],
        whole: Option<String>,
        why: &Why,
        now: Now,
    ) {
        let Some(whole) = whole else {
            for entry in refused {
                self.keep_entry(entry, why, now);
            }
            return self.keep_journal(id, why, now);
        };
        let author = self.author(id);
        for chunk in chunks(&whole) {
            let name = self.piece_name(author, now);
            self.keep_fork(id, name, ForkPart::Text, chunk.as_bytes().to_vec(), why, now);
        }
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.take_journal();
        }
        self.queue.delete_prefix(stored::journal_stream(&id, &author));
    }

    /// What came from one home under a name that was given up gives way to the words of the next, whenever the device goes from
    /// one to the other: those of them that no piece keeps.
    fn not_kept(&self, id: StreamId, mut again: Vec<Entry>) -> Vec<Entry> {
        let mut kept = self.forks.payloads(id);
        again.retain(|entry| {
            let same = (entry.name().replica, entry.payload());
            let at = kept.iter().position(|kept| *kept == same);
            at.map(|at| kept.swap_remove(at)).is_none()
        });
        again
    }

    /// What is written while a stream is being rebuilt belongs to the fork.
    pub(super) fn fork_edit(
        &mut self,
        id: StreamId,
        replica: ReplicaId,
        update: Vec<u8>,
        now: Now,
    ) -> Receipt {
        let why = self.why_meanwhile(id);
        let Some(stream) = self.streams.get_mut(&id) else { return Receipt { stream: id, edit: 0 } };
        let edit = stream.marks.handle_forked_edit();
        let told = stream.fork_told;
        self.keep_pieces(id, replica, &[update], &why, now);
        if !told {
            self.tell_fork(id, &why);
        }
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
            let name = self.piece_name(replica, now);
            self.keep_fork(id, name, ForkPart::Change, piece.clone(), why, now);
        }
    }

    pub(super) fn keep_entry(&mut self, entry: &Entry, why: &Why, now: Now) {
        let (stream, mut name, payload) = (entry.header().stream, entry.name(), entry.payload().to_vec());
        if self.forks.has_other(&Place::of(stream, name), &payload) {
            name = self.piece_name(name.replica, now);
        }
        self.keep_fork(stream, name, ForkPart::Change, payload, why, now);
    }

    fn piece_name(&mut self, replica: ReplicaId, now: Now) -> EntryName {
        self.fork_pieces += 1;
        let seq = FORK_EDITS + now.wall.0 % (1 << 45) * (1 << 16) + self.fork_pieces % (1 << 16);
        EntryName { replica, seq }
    }

    /// Keeps one piece of a fork: on the disk, or with the page that has it.
    fn keep_fork(
        &mut self,
        stream: StreamId,
        EntryName { replica, seq }: EntryName,
        part: ForkPart,
        payload: Vec<u8>,
        why: &Why,
        now: Now,
    ) {
        let Why { code, sentence, .. } = why.clone();
        let record = ForkRecord { code, sentence, time: now.wall, part, payload };
        let aside = Aside { stream, replica, seq, record };
        match self.role {
            Role::Leading => {
                self.put_aside(aside);
                self.queue.tag(Tag::Journaled { stream, edit: 0 }, Durability::Relaxed);
            }
            Role::Following => {
                self.send_if_live(&aside.clone().into());
                self.forks.hold(aside, false);
                self.tell_forks(stream);
            }
        }
    }

    /// To the disk. The other pages hear of it when it is there.
    pub(super) fn put_aside(&mut self, aside: Aside) {
        let Aside { stream, replica, seq, .. } = aside;
        self.queue.put(stored::fork_key(&stream, &replica, seq), aside.record.encode());
        self.forks.hold(aside, false);
        self.tell_forks(stream);
    }

    /// Another page's work is kept as a fork on this disk. What stands here already as an entry is taken back.
    pub(super) fn note_fork(&mut self, id: StreamId, name: EntryName, why: &Why, now: Now) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if name.seq >= FORK_EDITS || stream.is_refused(name) {
            return;
        }
        let saved = stream.saved.get(&name.replica).copied().unwrap_or(0);
        if stream.phase == Phase::Ready && stream.log.tip(&name.replica).seq >= name.seq {
            if saved < name.seq {
                self.close_replica(id, name, why, now);
            }
        } else {
            stream.closed.insert(name.replica, name.seq);
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
            | Tag::Outrun { .. }
            | Tag::Suspicion { .. }
            | Tag::Aside { .. }
            | Tag::AsideDone(_) => None,
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
        let journal = stream.take_journal();
        let updates: Vec<Vec<u8>> = journal.into_iter().map(|unsealed| unsealed.update).collect();
        self.keep_pieces(id, author, &updates, why, now);
        self.queue.delete_prefix(stored::journal_stream(&id, &author));
    }

    pub(super) fn tell_fork(&mut self, id: StreamId, why: &Why) {
        if let Some(Stream { marks, closed, phase, fork_told, .. }) = self.streams.get_mut(&id) {
            let gone = *phase == Phase::Gone;
            *fork_told = true;
            marks.handle_refused(|name| {
                !gone && closed.get(&name.replica).is_none_or(|first| name.seq < *first)
            });
        }
        self.note_forks_on_disk(id);
        let Why { code, sentence, .. } = why.clone();
        self.events.push(Event::Fork { stream: id, code, sentence });
        self.events.push(Event::SaveStatus(id));
    }

    /// Pieces of forks have reached the disk of a page that leads.
    pub(super) fn tell_kept_asides(&mut self) {
        let waiting = self.queue.puts().filter_map(|(key, _)| Place::of_fork_key(key));
        let mut noted = None;
        for aside in self.forks.keep_but(waiting) {
            let stream = aside.stream;
            self.send_to_all(&aside.into());
            if noted.replace(stream) != Some(stream) {
                self.note_forks_on_disk(stream);
            }
        }
    }

    /// What was refused counts as on this device when no piece of it waits for the disk any more.
    pub(super) fn note_forks_on_disk(&mut self, id: StreamId) {
        let waits = self.forks.waits(id);
        if let Some(stream) = self.streams.get_mut(&id).filter(|_| !waits) {
            stream.marks.handle_forks_on_disk();
            self.events.push(Event::SaveStatus(id));
        }
    }
}

/// Code of work that a copy of this device's store stands in the way of.
const CLONED: &str = "replica.cloned";
/// Code of work that builds on what stands otherwise at the home.
pub(super) const CHAIN: &str = "entry.chain";
/// Pieces of a fork that never were entries are numbered from here.
pub(super) const FORK_EDITS: u64 = 1 << 62;
