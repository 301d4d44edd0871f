//! Where a device has lost its own snapshot and the home's covers more of its names than was called saved here: whether that is
//! what this device wrote is compared entry by entry, before the snapshot is taken and lets go of it (rules 12 and 16).

use crate::device::Room;
use crate::device::fork::Why;
use crate::device::stream::{Stream, Sync, Unsaved};
use crate::ids::{ReplicaId, StreamId};
use crate::log::{Dep, Entry, EntryName, Tip};
use crate::snapshot::Root;
use crate::stored;
use crate::time::Now;
use crate::wire::Need;

impl Room {
    /// Asks for what the home has under this device's names where that is not known to be what stands here. Answers whether
    /// it has to come before the snapshot can be taken.
    pub(super) fn compare_with_own(&mut self, id: StreamId, root: &Root, now: Now) -> bool {
        let own = root.tips().filter(|(replica, _)| self.identities.contains_key(replica));
        let mut asked = Vec::new();
        for (replica, tip) in own.collect::<Vec<_>>() {
            let Some(stream) = self.streams.get_mut(&id) else { return true };
            let Some((from, to)) = stream.unsaved_below(&replica, tip) else { continue };
            let wrote = stream.wrote(&Dep { replica, seq: tip.seq, head: tip.head.short() });
            if wrote == Some(true) {
                continue;
            }
            stream.comparing.insert(replica, to);
            if wrote == Some(false) {
                self.handle_cloned(id, replica, now);
                return true;
            }
            asked.push(Need { stream: id, replica, from, to });
        }
        for need in &asked {
            self.send(&need.clone().into());
        }
        !asked.is_empty()
    }

    /// What the home has under a name of this device's has come: all up to it is saved, or another copy's is there.
    pub(super) fn compare_own(&mut self, entry: &Entry, now: Now) {
        let (id, name) = (entry.header().stream, entry.name());
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.sync = Sync::Following(now.monotonic);
        let first = stream.outbox.get(&name.replica).and_then(|unsaved| unsaved.front());
        let Some(first) = first.filter(|first| first.entry.name() == name) else { return };
        if first.entry.bytes() != entry.bytes() {
            return self.close_replica(id, name, &Why::cloned(), now);
        }
        stream.forget_outbox(name);
        stream.saved.insert(name.replica, name.seq);
        stream.marks.handle_saved(name);
        self.queue.put(stored::saved_key(&id, &name.replica), stored::encode_number(name.seq));
        if stream.end_comparison(&name.replica) {
            // Now the snapshot says nothing that is not known.
            self.subscribe(id, now);
        }
    }

    /// The home does not have any more what it would be compared with, so nobody knows whether it has these words.
    pub(super) fn keep_uncompared(&mut self, id: StreamId, name: EntryName, now: Now) {
        let first = self.streams.get(&id).and_then(|stream| stream.outbox.get(&name.replica)?.front());
        if first.is_some_and(|first| first.entry.name() == name) {
            let sentence = "the room may have it, and keeps nothing any more to compare it with";
            self.close_replica(id, name, &Why::refused("entry.uncompared".into(), sentence.into()), now);
        }
    }
}

impl Stream {
    /// The first and the last of what was not called saved of a chain that a snapshot covers.
    fn unsaved_below(&self, replica: &ReplicaId, tip: Tip) -> Option<(u64, u64)> {
        let number = |unsaved: &Unsaved| unsaved.entry.name().seq;
        let unsaved = self.outbox.get(replica)?;
        let (first, last) = (number(unsaved.front()?), number(unsaved.back()?));
        (first <= tip.seq).then_some((first, last.min(tip.seq)))
    }

    /// Whether the last chain is through.
    fn end_comparison(&mut self, replica: &ReplicaId) -> bool {
        let next = self.outbox.get(replica).and_then(|unsaved| unsaved.front());
        let upto = self.comparing.get(replica).copied().unwrap_or(0);
        if next.is_none_or(|next| next.entry.name().seq > upto) {
            self.comparing.remove(replica);
        }
        self.comparing.is_empty()
    }
}
