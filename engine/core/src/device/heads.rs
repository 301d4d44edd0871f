//! Signed heads (rule 11). A device signs those of its own chains when the home asks, keeps those of others that the home hands
//! out, and with them brings what others wrote to a home that has lost it.

use crate::device::Room;
use crate::device::pages::Role;
use crate::device::stream::Phase;
use crate::ids::{ReplicaId, StreamId};
use crate::limits::{HEADS_HELD, LINK_FORWARDED};
use crate::log::{EntryName, SignedHead};
use crate::stored;
use crate::wire::{Body, Need, Place};

/// Signed heads of others, and what the home has asked for because of them.
#[derive(Debug, Default)]
pub(super) struct Heads {
    /// The newest one of each chain.
    kept: Vec<SignedHead>,
    asked: Vec<Asked>,
}

/// Entries of a chain that the home lacks.
#[derive(Clone, Debug)]
struct Asked {
    need: Need,
    /// Whether the disk is being read for it, from the beginning.
    read: bool,
}

impl Heads {
    /// Keeps one instead of the one before it.
    pub(super) fn keep(&mut self, signed: SignedHead) {
        self.kept.retain(|kept| kept.stream != signed.stream || kept.name.replica != signed.name.replica);
        self.kept.push(signed);
    }

    /// Takes one from the disk, which has one of each chain.
    pub(super) fn load(&mut self, signed: SignedHead) {
        self.kept.push(signed);
    }

    /// The home does not take what somebody else wrote: no more of it is sent.
    pub(super) fn let_be(&mut self, id: StreamId, replica: ReplicaId) {
        self.asked.retain(|asked| (asked.need.stream, asked.need.replica) != (id, replica));
    }

    /// Streams of which something can be brought.
    pub(super) fn streams(&self) -> Vec<StreamId> {
        self.kept.iter().map(|signed| signed.stream).collect()
    }

    /// The link has ended, and what was asked on it no longer counts.
    pub(super) fn forget_asked(&mut self) {
        self.asked.clear();
    }

    /// The disk is read for all that was asked of a stream; whether that is anything.
    pub(super) fn begin(&mut self, id: StreamId) -> bool {
        let of_stream = self.asked.iter_mut().filter(|asked| asked.need.stream == id);
        of_stream.map(|asked| asked.read = true).count() > 0
    }

    /// The disk is read for it from the beginning, later.
    pub(super) fn put_off(&mut self, id: StreamId) {
        let of_stream = self.asked.iter_mut().filter(|asked| asked.need.stream == id);
        of_stream.for_each(|asked| asked.read = false);
    }

    /// The disk was read to its end.
    pub(super) fn finish(&mut self, id: StreamId) {
        self.asked.retain(|asked| asked.need.stream != id || !asked.read);
    }

    /// Whether an entry is to be brought.
    pub(super) fn wants(&self, id: StreamId, name: EntryName) -> bool {
        self.asked.iter().any(|Asked { need, read }| {
            *read
                && (need.stream, need.replica) == (id, name.replica)
                && (need.from..=need.to).contains(&name.seq)
        })
    }

    fn of(&self, id: StreamId, replica: ReplicaId) -> Option<&SignedHead> {
        self.kept.iter().find(|kept| kept.stream == id && kept.name.replica == replica)
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

    /// A chain of somebody else up to here is as its author signed it. What is not here is nothing to vouch for, and what the
    /// snapshot covers its home has signed for. Where the chain no longer remembers its head there, whoever is shown it finds
    /// out whether it fits.
    pub(super) fn handle_vouched(&mut self, signed: SignedHead) {
        let SignedHead { stream: id, name, head, .. } = signed;
        let Some(stream) = self.streams.get(&id).filter(|stream| stream.phase == Phase::Ready) else {
            return;
        };
        let kept = self.heads.of(id, name.replica).map_or(0, |kept| kept.name.seq);
        let newer = name.seq > kept.max(stream.covered(&name.replica));
        let fits = name.seq <= stream.log.tip(&name.replica).seq
            && stream.log.head_at(&name).is_none_or(|here| here == head);
        let others = self.role == Role::Leading && !self.identities.contains_key(&name.replica);
        if newer && fits && others && self.is_signed(&signed) {
            if kept == 0 && self.heads.kept.len() >= HEADS_HELD {
                // The one that has not changed for longest.
                let SignedHead { stream, name, .. } = self.heads.kept.remove(0);
                self.queue.delete(stored::vouched_key(&stream, &name.replica));
            }
            self.queue.put(stored::vouched_key(&id, &name.replica), signed.encode());
            self.heads.keep(signed);
        }
    }

    /// Browsers have no room for the check: they believe the home that they keep it for, and the home that is shown it checks
    /// it.
    fn is_signed(&self, signed: &SignedHead) -> bool {
        cfg!(target_arch = "wasm32") || signed.is_signed(&self.room)
    }

    /// The home lacks what somebody else wrote. It is brought if its author has signed it and it is here entry by entry; else
    /// it stays here, and both the home and the app are told.
    pub(super) fn forward(&mut self, need: &Need) {
        let Need { stream: id, replica, from, .. } = *need;
        let Some(stream) = self.streams.get(&id).filter(|_| self.role == Role::Leading) else { return };
        let signed = self.heads.of(id, replica).filter(|signed| signed.name.seq >= from);
        let signed = signed.filter(|_| stream.covered(&replica) < from).cloned();
        if let Some(signed) = signed {
            if self.heads.asked.len() >= LINK_FORWARDED {
                // The home asks again.
                return;
            }
            let to = signed.name.seq;
            self.send(&signed.into());
            self.heads.asked.push(Asked { need: Need { stream: id, replica, from, to }, read: false });
            return self.read_for_home(id);
        }
        if stream.phase == Phase::Ready && stream.log.tip(&replica).seq >= from {
            self.suspect(id, "home.unsigned");
        }
        self.send(&Body::Attest(Place { stream: id, replica, seq: 0 }).into());
    }

    /// What a snapshot covers its home has signed for, and the entries go.
    pub(super) fn forget_covered_heads(&mut self, id: StreamId) {
        let Self { heads, streams, queue, .. } = self;
        let Some(stream) = streams.get(&id) else { return };
        heads.kept.retain(|signed| {
            let stays = signed.stream != id || signed.name.seq > stream.covered(&signed.name.replica);
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
