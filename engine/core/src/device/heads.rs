//! Signed heads (rule 11). Every device signs those of its own chains when the home asks. One that forwards keeps those of
//! others, holds what it has against them, and with them brings what others wrote to a home that has lost it.

use crate::device::Room;
use crate::device::answers::frames;
use crate::device::event::Event;
use crate::device::load::{Reading, whole};
use crate::device::pages::Role;
use crate::ids::{ReplicaId, StreamId};
use crate::limits::HEADS_TOLD;
use crate::log::{EntryName, SignedHead};
use crate::storage::Page;
use crate::stored;
use crate::wire::{Need, Place};

/// Whether this device keeps signed heads of others. Browsers do without: to check a signature would take 2 kB of their
/// artefact.
pub(super) const FORWARDS: bool = cfg!(not(target_arch = "wasm32"));

/// Signed heads of others, and what the home has asked for because of them.
#[derive(Debug, Default)]
pub(super) struct Heads {
    /// One for each chain.
    kept: Vec<SignedHead>,
    asked: Vec<Asked>,
}

/// Entries of a chain that the home lacks.
#[derive(Clone, Debug)]
struct Asked {
    need: Need,
    /// Whether the disk is being read for it.
    read: bool,
}

impl Heads {
    /// Read from the disk.
    pub(super) fn restore(&mut self, signed: SignedHead) {
        self.kept.push(signed);
    }

    /// The link has ended, and what was asked on it no longer counts.
    pub(super) fn forget_asked(&mut self) {
        self.asked.clear();
    }

    fn of(&self, stream: StreamId, replica: ReplicaId) -> Option<&SignedHead> {
        self.kept.iter().find(|signed| (signed.stream, signed.name.replica) == (stream, replica))
    }
}

impl Room {
    /// The home asks for the signature of a chain of ours: it stands for what was written here, whatever the home has.
    pub(super) fn handle_attest(&mut self, Place { stream, replica, seq }: Place) {
        let log = self.streams.get(&stream).map(|stream| &stream.log);
        let head = log.and_then(|log| log.head_at(&EntryName { replica, seq }));
        if let (Some(head), Some(identity)) = (head, self.identities.get(&replica)) {
            let signed = identity.vouch(stream, seq, head, &self.room);
            self.send(&signed.into());
        }
    }

    /// A chain of somebody else up to here is as its author signed it, or it is not.
    pub(super) fn handle_vouched(&mut self, signed: SignedHead) {
        let (id, name) = (signed.stream, signed.name);
        let own = self.identities.contains_key(&name.replica);
        if !FORWARDS || self.role == Role::Following || own {
            return;
        }
        let newest = self.heads.of(id, name.replica).map_or(0, |signed| signed.name.seq);
        let Some(stream) = self.streams.get(&id).filter(|_| name.seq > newest) else { return };
        // What is not here cannot be held against it, nor forwarded.
        let Some(here) = stream.log.head_at(&name) else { return };
        if !signed.is_signed(&self.room) {
            return;
        }
        if here != signed.head {
            return self.events.push(Event::Damaged { stream: id, code: "home.differs".into() });
        }
        if stream.snapshot.as_ref().is_some_and(|root| root.covered(&name.replica) >= name.seq) {
            return;
        }
        self.queue.put(stored::vouched_key(&id, &name.replica), signed.encode());
        self.heads.kept.retain(|kept| (kept.stream, kept.name.replica) != (id, name.replica));
        self.heads.kept.push(signed);
    }

    /// The home lacks what somebody else wrote and this device holds, signed.
    pub(super) fn forward(&mut self, need: &Need) {
        if !FORWARDS || self.role == Role::Following || self.heads.asked.len() >= HEADS_TOLD {
            return;
        }
        let Need { stream: id, replica, from, .. } = *need;
        let Some(signed) = self.heads.of(id, replica).filter(|signed| signed.name.seq >= from).cloned()
        else {
            return;
        };
        let root = self.streams.get(&id).and_then(|stream| stream.snapshot.as_ref());
        if root.is_some_and(|root| root.covered(&replica) >= from) {
            // What comes first is here in a snapshot only.
            return;
        }
        let to = signed.name.seq;
        self.send(&signed.into());
        let is_read = self.heads.asked.iter().any(|asked| asked.need.stream == id);
        self.heads.asked.push(Asked { need: Need { stream: id, replica, from, to }, read: !is_read });
        if !is_read {
            self.read_forwarded(id);
        }
    }

    fn read_forwarded(&mut self, id: StreamId) {
        let (start, end) = stored::entry_range(&id, 0, u64::MAX);
        self.scan(whole(start, end), Reading::Forwarded(id));
    }

    pub(super) fn handle_forwarded_page(&mut self, id: StreamId, page: Page) {
        let wanted = |name: EntryName| {
            self.heads.asked.iter().any(|Asked { need, read }| {
                *read
                    && (need.stream, need.replica) == (id, name.replica)
                    && (need.from..=need.to).contains(&name.seq)
            })
        };
        let entries = page.rows.into_iter().filter_map(|(_, row)| stored::decode_entry(row).ok());
        let entries: Vec<_> = entries.filter(|entry| wanted(entry.name())).collect();
        frames(entries.iter().collect()).into_iter().for_each(|frame| self.send_bytes(frame));
        if let Some(start) = page.more.filter(|_| !self.heads.asked.is_empty()) {
            let (_, end) = stored::entry_range(&id, 0, u64::MAX);
            return self.scan(whole(start, end), Reading::Forwarded(id));
        }
        self.heads.asked.retain(|asked| asked.need.stream != id || !asked.read);
        let more = self.heads.asked.iter_mut().filter(|asked| asked.need.stream == id);
        if more.map(|asked| asked.read = true).count() > 0 {
            self.read_forwarded(id);
        }
    }

    /// What a snapshot covers its home has signed for, and the entries go.
    pub(super) fn forget_covered_heads(&mut self, id: StreamId) {
        if !FORWARDS {
            return;
        }
        let Self { heads, streams, queue, .. } = self;
        let Some(root) = streams.get(&id).and_then(|stream| stream.snapshot.as_ref()) else { return };
        heads.kept.retain(|signed| {
            let stays = signed.stream != id || signed.name.seq > root.covered(&signed.name.replica);
            if !stays {
                queue.delete(stored::vouched_key(&id, &signed.name.replica));
            }
            stays
        });
    }

    /// The stream has ended.
    pub(super) fn forget_heads(&mut self, id: &StreamId) {
        self.heads.kept.retain(|signed| signed.stream != *id);
    }
}
