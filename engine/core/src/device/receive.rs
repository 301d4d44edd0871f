//! Entries of others, from the home or the leader.

use crate::device::Room;
use crate::device::event::Event;
use crate::device::fork::Why;
use crate::device::journal::Tag;
use crate::device::pages::Role;
use crate::device::stream::{Body, Phase, Stream};
use crate::directory;
use crate::ids::StreamId;
use crate::limits::{SEEN_TICK, SEEN_WRITERS};
use crate::log::{Accepted, Entry, EntryKind, EntryName, Missing, Refusal, Verdict};
use crate::storage::Durability;
use crate::time::{Millis, Now};
use crate::wire::{Have, Need};

impl Room {
    pub(super) fn handle_entries(&mut self, entries: Vec<Entry>, now: Now) {
        let mut met: Vec<StreamId> = Vec::new();
        for entry in entries {
            let id = entry.header().stream;
            if met.last() != Some(&id) {
                met.push(id);
            }
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.note_heard(now);
            }
            if self.lets_in(&entry, now) {
                self.note_landed(id, entry.name(), now);
            }
        }
        for id in met {
            self.work_off(id, now);
            // While it is read anew the log still has what was sealed here.
            if let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.phase == Phase::Ready) {
                stream.find_leftovers();
            }
            self.return_soon(id, now);
        }
        let streams = &self.streams;
        let here = |stream, name| streams.get(&stream).is_some_and(|stream| stream.park.holds(name));
        let lost = |stream, name: EntryName| {
            // Of a chain that was given up nothing is taken.
            let has = |stream: &Stream| stream.lost.contains(&name) || stream.parted.contains(&name.replica);
            streams.get(&stream).is_some_and(has)
        };
        let mut wants = self.wants.take(here);
        wants.retain(|(stream, missing)| {
            !lost(*stream, EntryName { replica: missing.replica, seq: missing.from })
        });
        for (stream, Missing { replica, from, to }) in wants {
            if self.identities.contains_key(&replica)
                && let Some(state) = self.streams.get_mut(&stream)
            {
                state.question.compared.insert(replica);
            }
            self.send(&Need { stream, replica, from, to }.into());
        }
    }

    fn take_entry(&mut self, entry: &Entry, now: Now) {
        let id = entry.header().stream;
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if self.role == Role::Following && matches!(stream.phase, Phase::Loading | Phase::Rebuilding) {
            return self.gather(entry, now);
        }
        // What arrives before the disk is read is asked for again by the version told then.
        if stream.phase != Phase::Ready && !stream.lacks_snapshot {
            return;
        }
        if stream.parted.contains(&entry.header().replica) {
            // Nothing is put on top of it. It comes with a snapshot.
            return;
        }
        if self.role == Role::Leading && self.is_returned(entry) {
            self.take_returned(entry);
            if self.is_returned(entry) {
                return;
            }
        }
        let takes = |stream: &&mut Stream| stream.phase == Phase::Ready && !stream.backlog.is_full();
        let Some(stream) = self.streams.get_mut(&id).filter(takes) else {
            return;
        };
        match stream.log.judge(entry) {
            Verdict::Fresh(accepted) => self.accept(entry, accepted, now),
            Verdict::Known => {}
            Verdict::Waits(missing) => {
                stream.park.push(entry.detached(), &missing);
                self.wants.add(id, &missing);
            }
            // Rule 12: what the home has under a name of ours is not what we wrote.
            Verdict::Refused(Refusal::Equivocation)
                if self.identities.contains_key(&entry.header().replica) =>
            {
                self.meet_other_words(id, entry.name(), now);
            }
            Verdict::Refused(Refusal::Chain) if self.builds_on_other_words(entry) => {}
            // Rule 16: the home took it and this device cannot. It is counted and told, and nobody dies of it.
            Verdict::Refused(refusal) => self.suspect(id, refusal.code()),
        }
    }

    /// Damage, if this page leads still: to one that slept while another sealed what it had left, the truth looks like it.
    /// The disk knows.
    pub(super) fn suspect(&mut self, stream: StreamId, code: &'static str) {
        if self.role == Role::Leading {
            self.queue.tag(Tag::Suspicion { stream, code }, Durability::Relaxed);
        } else {
            self.events.damaged(stream, code);
        }
    }

    /// Takes an entry, and says whether it was let in.
    fn lets_in(&mut self, entry: &Entry, now: Now) -> bool {
        let id = entry.header().stream;
        let arrivals = |room: &Self| room.streams.get(&id).map_or(0, |stream| stream.arrivals);
        let before = arrivals(self);
        self.take_entry(entry, now);
        arrivals(self) > before
    }

    /// More than one entry may have landed, of which nobody took note one by one.
    pub(super) fn retry_parked(&mut self, id: StreamId, now: Now) {
        if let Some(stream) = self.streams.get_mut(&id) {
            let waited = stream.park.drain();
            self.unpark(id, waited, now);
        }
    }

    /// An entry has landed: takes those that waited for it and for each other.
    pub(super) fn note_landed(&mut self, id: StreamId, name: EntryName, now: Now) {
        if let Some(stream) = self.streams.get_mut(&id) {
            let waited = stream.park.take(name);
            self.unpark(id, waited, now);
        }
    }

    fn unpark(&mut self, id: StreamId, mut waited: Vec<Entry>, now: Now) {
        while let Some(entry) = waited.pop() {
            let Some(stream) = self.streams.get_mut(&id) else { return };
            if let Verdict::Waits(missing) = stream.log.judge(&entry) {
                stream.park.push(entry, &missing);
            } else if self.lets_in(&entry, now)
                && let Some(stream) = self.streams.get_mut(&id)
            {
                waited.append(&mut stream.park.take(entry.name()));
            }
        }
    }

    /// Takes an entry that was judged. What it does to a text waits for [`Room::work_off`].
    pub(super) fn accept(&mut self, entry: &Entry, accepted: Accepted, now: Now) {
        let header = entry.header();
        let (id, replica) = (header.stream, header.replica);
        let own = self.identities.contains_key(&replica);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let writes_on = stream.document().is_some_and(|document| document.client() == replica.client());
        if own && writes_on && !stream.journal.updates.is_empty() {
            // Rule 12: an entry under our own name that we did not write, while we have written others under it.
            let from = EntryName { replica, seq: stream.log.tip(&replica).seq + 1 };
            return self.close_replica(id, from, &Why::cloned(), now);
        }
        stream.log.extend(entry, accepted);
        stream.lost.retain(|name| *name != entry.name());
        if header.kind == EntryKind::Delete {
            return self.handle_gone(id, now);
        }
        if stream.to_tell.len() <= SEEN_WRITERS {
            stream.to_tell.insert(replica);
        }
        self.apply_later(entry, accepted);
        self.mine_have(now);
        self.store_entry(entry);
        if self.role == Role::Leading {
            self.queue.tag(Tag::Taken(Box::new(entry.clone())), Durability::Relaxed);
        }
        if own && self.role == Role::Leading {
            // Others are sent only what is durable there, and so is all before it.
            self.note_saved(id, entry.name(), None);
        }
        if own && replica == self.current {
            // The same, before we wrote anything more: what is there is taken, and documents opened from now on are
            // written under a new name.
            self.mint();
        }
    }

    /// What an entry does to the state of its stream; what it does to a text waits for [`Room::work_off`].
    pub(super) fn apply_later(&mut self, entry: &Entry, accepted: Accepted) {
        let header = entry.header();
        match self.streams.get_mut(&header.stream) {
            Some(stream) if header.kind == EntryKind::Edit && stream.document().is_some() => {
                stream.backlog.push(entry.payload(), accepted.places);
            }
            _ => self.apply_entry(entry),
        }
    }

    /// What an entry does to the state of its stream.
    pub(super) fn apply_entry(&mut self, entry: &Entry) {
        let header = entry.header();
        let id = header.stream;
        let Some(stream) = self.streams.get_mut(&id) else { return };
        match (&mut stream.body, header.kind) {
            (Body::Text(_), EntryKind::Edit) => self.apply_update(id, entry.payload()),
            (Body::Directory(directory), EntryKind::Edit) => {
                if let Ok(op) = directory::check(entry.payload()) {
                    directory.apply(header, op);
                    self.events.push(Event::Directory);
                }
            }
            (Body::Channel(open), _) => {
                open.channel.apply(entry);
                self.events.push(Event::Channel(id));
            }
            _ => {}
        }
    }

    /// Applies an update to the text if it is open. Of one that is still being read nobody is told before its reset.
    pub(super) fn apply_update(&mut self, id: StreamId, update: &[u8]) {
        if let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.document().is_some()) {
            stream.backlog.push(update, 0);
            self.apply_fresh(id);
        }
    }

    pub(super) fn mine_have(&mut self, now: Now) {
        self.have_at.get_or_insert(now.monotonic.after(SEEN_TICK));
    }

    pub(super) fn have_due(&self) -> Option<Millis> {
        self.have_at
    }

    /// Tells the home what was applied, a few times a second at most. Of more chains than a home counts readers for nothing
    /// is told: the next question says it with its digest.
    pub(super) fn tick_have(&mut self, now: Now) {
        if self.have_at.is_none_or(|at| now.monotonic < at) {
            return;
        }
        self.have_at = None;
        let live = self.link.is_live() && self.role == Role::Leading;
        let mut told: Vec<Have> = Vec::new();
        for (id, stream) in self.streams.iter_mut().filter(|(_, stream)| stream.backlog.is_empty()) {
            let grown = std::mem::take(&mut stream.to_tell);
            if live && (1..=SEEN_WRITERS).contains(&grown.len()) {
                let above =
                    grown.into_iter().map(|replica| (replica, stream.log.tip(&replica).seq)).collect();
                told.push(Have { stream: *id, above });
            }
        }
        for have in told {
            self.send(&have.into());
        }
    }

    /// The streams this room holds.
    pub fn streams(&self) -> impl Iterator<Item = StreamId> {
        self.streams.keys().copied()
    }
}
