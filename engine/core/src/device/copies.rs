//! A copy of this device's store that came to life (rule 12): it writes under the names that stand in it, as this device does.
//!
//! A number says nothing about the words under it. What the home has of a chain of ours is compared entry by entry, from the
//! one behind those that were called saved, and nothing is put on top of what is not known to be there.

use crate::device::Room;
use crate::device::event::Event;
use crate::device::fork::Why;
use crate::device::journal::Tag;
use crate::device::pages::Role;
use crate::device::stream::{Body, Phase, Stream};
use crate::ids::{ReplicaId, StreamId};
use crate::limits::CHAIN_RECENT;
use crate::log::{Dep, Entry, EntryName, Head, Missing};
use crate::snapshot::Root;
use crate::storage::Durability;
use crate::stored;
use crate::time::Now;
use crate::wire::{Need, Saved};

/// Heads of chains along which somebody walks on the disk: those too that are older than a chain remembers. There is no room for
/// that in browsers, where a home that has lost much is believed when it has all of a chain again.
#[derive(Debug, Default)]
pub(super) struct Heads {
    #[cfg(not(target_arch = "wasm32"))]
    last: crate::sorted::SortedMap<ReplicaId, (u64, Head)>,
}

impl Heads {
    /// The head at the next entry; `None` where the row before it could not be read.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn pass(&mut self, entry: &Entry, stream: &Stream) -> Option<Head> {
        let name = entry.name();
        let before = match self.last.get(&name.replica) {
            Some((at, head)) if at + 1 == name.seq => Some(*head),
            Some(_) | None => (name.seq == 1).then_some(Head::START),
        };
        let head = before.map(|head| head.next(entry)).or_else(|| stream.log.head_at(&name))?;
        self.last.insert(name.replica, (name.seq, head));
        Some(head)
    }

    /// The head at the next entry, if its chain remembers it.
    #[cfg(target_arch = "wasm32")]
    pub(super) fn pass(&mut self, entry: &Entry, stream: &Stream) -> Option<Head> {
        stream.log.head_at(&entry.name())
    }
}

impl Room {
    /// An entry under a name of ours comes from the home. This device has lost it, or has not heard that it is saved; or the
    /// other copy wrote it.
    pub(super) fn take_returned(&mut self, entry: &Entry, now: Now) {
        let (id, name) = (entry.header().stream, entry.name());
        let EntryName { replica, seq } = name;
        let Some(stream) = self.streams.get(&id) else { return };
        let (saved, tip) = (stream.saved_upto(&replica), stream.log.tip(&replica).seq);
        if saved < tip && seq > saved + 1 {
            // What stands here below it may be other than what stands there.
            return self.wants.add(id, &[Missing { replica, from: saved + 1, to: seq }]);
        }
        if saved < tip && seq > saved {
            let ours = self.held_from(id, name).find(|held| held.entry.name() == name);
            return match ours.map(|held| (held.entry.bytes() == entry.bytes(), held.head)) {
                Some((true, head)) => self.note_returned(id, name, head),
                Some((false, _)) => self.handle_cloned(id, replica, now),
                // It is on the disk, and was called saved before.
                None => self.read_lost(id),
            };
        }
        self.judge(entry, now);
        let Some(stream) = self.streams.get(&id) else { return };
        if seq == tip + 1 && stream.phase == Phase::Ready && stream.log.tip(&replica).seq == seq {
            // All below it is saved.
            self.note_returned(id, name, None);
        }
    }

    /// What came back is saved, which the page that wrote it hears too.
    fn note_returned(&mut self, id: StreamId, name: EntryName, head: Option<[u8; 8]>) {
        self.note_saved(id, name);
        let EntryName { replica, seq } = name;
        let known = || Some(self.streams.get(&id)?.log.head_at(&name)?.short());
        if let Some(head) = head.or_else(known) {
            self.pass_on(replica, || Saved { stream: id, replica, seq, head }.into());
        }
    }

    /// Whether what somebody else builds on is not what stands here under a name of ours. Then that is asked for: where ours
    /// differs it becomes a fork, and this entry comes again.
    pub(super) fn builds_on_other_words(&mut self, entry: &Entry) -> bool {
        let id = entry.header().stream;
        let Some(stream) = self.streams.get(&id).filter(|_| self.role == Role::Leading) else { return false };
        for dep in &entry.header().deps {
            let from = stream.saved_upto(&dep.replica) + 1;
            let own = self.identities.contains_key(&dep.replica);
            if own && dep.seq >= from && stream.wrote(dep) == Some(false) {
                self.wants.add(id, &[Missing { replica: dep.replica, from, to: dep.seq }]);
                return true;
            }
        }
        false
    }

    /// The home holds a chain of ours up to `to`, and not as it stands here: where it begins to differ is found out.
    pub(super) fn compare_chain(&mut self, id: StreamId, replica: ReplicaId, to: u64) {
        let Some(stream) = self.streams.get(&id) else { return };
        let from = stream.saved_upto(&replica) + 1;
        self.send_if_live(&Need { stream: id, replica, from, to }.into());
    }

    /// The same of a snapshot, which says only how chains end. Answers whether it has to wait.
    pub(super) fn meet_copy(&mut self, id: StreamId, root: &Root, now: Now) -> bool {
        let own = root.tips().filter(|(replica, _)| self.identities.contains_key(replica));
        for (replica, tip) in own.collect::<Vec<_>>() {
            let Some(stream) = self.streams.get(&id) else { return true };
            let (saved, here) = (stream.saved_upto(&replica), stream.log.tip(&replica).seq);
            let mark = Dep { replica, seq: tip.seq, head: tip.head.short() };
            let writes_on = stream.document().is_some_and(|document| document.client() == replica.client());
            if tip.seq > saved && here > saved && stream.wrote(&mark) != Some(true) {
                self.compare_chain(id, replica, tip.seq);
                return true;
            }
            if tip.seq > here && writes_on && !stream.journal.updates.is_empty() {
                self.close_replica(id, EntryName { replica, seq: here + 1 }, &Why::cloned(), now);
                return true;
            }
            if stream.wrote(&mark) == Some(false) {
                self.handle_cloned(id, replica, now);
                return true;
            }
        }
        false
    }

    /// The home holds other words under a name of ours, so this store was copied and the other copy was first.
    /// What this one wrote and did not send in time becomes a fork.
    pub(super) fn handle_cloned(&mut self, id: StreamId, replica: ReplicaId, now: Now) {
        let told =
            |tag: &Tag| matches!(tag, Tag::Cloned { stream, replica: of } if (*stream, *of) == (id, replica));
        if self.role == Role::Leading && !self.queue.waiting().any(told) {
            // To a page that slept while another sealed what it had left it looks the same: the disk knows.
            self.queue.tag(Tag::Cloned { stream: id, replica }, Durability::Relaxed);
        } else if self.role == Role::Following {
            self.leave_clone(id, replica, now);
        }
    }

    /// The disk is this page's, so it is the other copy that wrote.
    pub(super) fn leave_clone(&mut self, id: StreamId, replica: ReplicaId, now: Now) {
        let saved = self.streams.get(&id).map_or(0, |stream| stream.saved_upto(&replica));
        let unsaved = self.unsaved_from(id, EntryName { replica, seq: saved + 1 });
        if !unsaved.is_empty() && self.open_first(id) {
            return;
        }
        match unsaved.iter().map(|(_, entry)| entry.name().seq).min() {
            Some(seq) => self.close_replica(id, EntryName { replica, seq }, &Why::cloned(), now),
            None => self.events.damaged(id, "replica.cloned"),
        }
    }

    /// The other copy has written on under this name: it is left to it, also by a text that is written under it.
    pub(super) fn leave_name(&mut self, id: StreamId, replica: ReplicaId) {
        if replica == self.current {
            self.mint();
        }
        let client = self.current.client();
        let document = self.streams.get_mut(&id).and_then(|stream| stream.document_mut());
        if let Some(document) = document.filter(|document| document.client() == replica.client()) {
            // What yrs has written itself it can read.
            if let Ok(renamed) = document.renamed(client) {
                *document = renamed;
            }
        }
    }

    /// A home in a new epoch may lack what it called saved, and have the other copy's words there. As far as heads are remembered
    /// here, it has to say so again.
    pub(super) fn doubt_saved(&mut self) {
        for (id, stream) in self.streams.iter_mut() {
            for (replica, saved) in stream.saved.iter_mut() {
                let covered = stream.snapshot.as_ref().map_or(0, |root| root.covered(replica));
                let known = stream.log.tip(replica).seq.saturating_sub(CHAIN_RECENT as u64).max(covered);
                if self.identities.contains_key(replica) && *saved > known {
                    *saved = known;
                    // Whoever reads the stream again can compare all of it.
                    self.queue.put(stored::saved_key(id, replica), stored::encode_number(0));
                }
            }
            if let Body::Channel(open) = &mut stream.body {
                open.channel.show_anew();
                self.events.push(Event::Channel(*id));
            }
        }
    }
}
