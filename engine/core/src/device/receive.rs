//! Entries of others, from the home.

use crate::device::Room;
use crate::device::event::{Change, Event};
use crate::device::fork::Why;
use crate::device::stream::{Body, Phase};
use crate::directory;
use crate::ids::StreamId;
use crate::limits::SEEN_TICK;
use crate::log::{Accepted, Entry, EntryKind, EntryName, Missing, Verdict};
use crate::time::{Millis, Now};
use crate::wire::{Have, Need};

impl Room {
    pub(super) fn handle_entries(&mut self, entries: Vec<Entry>, now: Now) {
        for entry in entries {
            let id = entry.header().stream;
            let before = self.streams.get(&id).map_or(0, |stream| stream.arrivals);
            self.take_entry(&entry, now);
            if self.streams.get(&id).is_some_and(|stream| stream.arrivals > before) {
                self.retry_parked(id, now);
            }
        }
        let streams = &self.streams;
        let here = |stream, name| streams.get(&stream).is_some_and(|stream| stream.park.holds(name));
        let lost = |stream, name| streams.get(&stream).is_some_and(|stream| stream.lost.contains(&name));
        let mut wants = self.wants.take(here);
        wants.retain(|(stream, missing)| {
            !lost(*stream, EntryName { replica: missing.replica, seq: missing.from })
        });
        for (stream, Missing { replica, from, to }) in wants {
            self.send(&Need { stream, replica, from, to }.into());
        }
    }

    fn take_entry(&mut self, entry: &Entry, now: Now) {
        let id = entry.header().stream;
        let Some(stream) = self.streams.get_mut(&id) else { return };
        // What arrives before the disk is read is asked for again by the version told then.
        if stream.phase != Phase::Ready {
            return;
        }
        match stream.log.judge(entry) {
            Verdict::Fresh(accepted) => self.accept(entry, accepted, now),
            Verdict::Known => {}
            Verdict::Waits(missing) => {
                stream.park.push((), entry.detached());
                self.wants.add(id, &missing);
            }
            // Rule 16: the home took it and this device cannot. It is counted and told, and nobody dies of it.
            Verdict::Refused(refusal) => {
                self.events.push(Event::Damaged { stream: id, code: refusal.code().into() });
            }
        }
    }

    pub(super) fn retry_parked(&mut self, id: StreamId, now: Now) {
        loop {
            let Some(stream) = self.streams.get_mut(&id) else { return };
            if stream.park.is_empty() {
                return;
            }
            let mut ready = Vec::new();
            for ((), entry) in stream.park.drain() {
                if matches!(stream.log.judge(&entry), Verdict::Waits(_)) {
                    stream.park.push((), entry);
                } else {
                    ready.push(entry);
                }
            }
            if ready.is_empty() {
                return;
            }
            for entry in ready {
                self.take_entry(&entry, now);
            }
        }
    }

    fn accept(&mut self, entry: &Entry, accepted: Accepted, now: Now) {
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
        stream.to_tell.insert(replica);
        self.mine_have(now);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        match (&mut stream.body, header.kind) {
            (Body::Text(document), EntryKind::Edit) => match document.apply(entry.payload()) {
                Ok(Some(delta)) => {
                    self.events.push(Event::Text { stream: id, change: Change::Delta(delta), editor: None });
                }
                Ok(None) => {}
                Err(error) => {
                    self.events.push(Event::Damaged { stream: id, code: format!("ydoc.apply: {error}") });
                }
            },
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
        self.store_entry(entry);
        if own && replica == self.current {
            // The same, before we wrote anything more: what is there is taken, and documents opened from now on are
            // written under a new name.
            self.mint();
        }
    }

    fn mine_have(&mut self, now: Now) {
        self.have_at.get_or_insert(now.monotonic.after(SEEN_TICK));
    }

    pub(super) fn have_due(&self) -> Option<Millis> {
        self.have_at
    }

    /// Tells the home what was applied, a few times a second at most.
    pub(super) fn tick_have(&mut self, now: Now) {
        if self.have_at.is_none_or(|at| now.monotonic < at) {
            return;
        }
        self.have_at = None;
        let live = self.link.is_live();
        let mut told: Vec<Have> = Vec::new();
        for (id, stream) in self.streams.iter_mut() {
            let grown = std::mem::take(&mut stream.to_tell);
            if live && !grown.is_empty() {
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
