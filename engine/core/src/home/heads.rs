//! Signed heads (rule 11): when a chain rests its author is asked to sign where it stands. The home keeps that and passes it
//! on to devices that keep it too, so that any of them can bring the chain again to a home that has lost it.

use std::collections::BTreeMap;

use crate::home::Home;
use crate::home::lane::Lane;
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::limits::{HEAD_LATE, HEAD_REST, HEADS_GROWN, HEADS_TOLD, LINK_ASKED};
use crate::log::SignedHead;
use crate::stored;
use crate::time::{Millis, Now};
use crate::wire::{self, Body, ErrorCode, Place};

/// One chain of one stream.
pub(super) type ChainName = (StreamId, ReplicaId);

/// Chains whose newest heads are not signed yet.
#[derive(Debug, Default)]
pub(super) struct Heads {
    grown: BTreeMap<ChainName, Grown>,
    due: Option<Millis>,
    /// Who was asked last to forward a chain, and when.
    pub(super) forwarders: BTreeMap<ChainName, (ConnId, Millis)>,
}

/// A chain that has grown since its author was asked.
#[derive(Clone, Copy, Debug)]
struct Grown {
    since: Millis,
    last: Millis,
    author: ConnId,
}

impl Grown {
    /// When its author is asked: once it rests, but not much later than it has begun.
    fn due(&self) -> Millis {
        self.last.after(HEAD_REST).min(self.since.after(HEAD_LATE))
    }
}

impl Heads {
    /// Entries of a chain have reached the disk.
    pub(super) fn note(&mut self, chain: ChainName, author: ConnId, now: Now) {
        let at = now.monotonic;
        if let Some(grown) = self.grown.get_mut(&chain) {
            (grown.last, grown.author) = (at, author);
        } else if self.grown.len() < HEADS_GROWN {
            let grown = Grown { since: at, last: at, author };
            self.grown.insert(chain, grown);
            self.due.get_or_insert(grown.due());
        }
    }

    /// When to hand in the time.
    pub(super) fn due(&self) -> Option<Millis> {
        self.due
    }

    fn take_due(&mut self, now: Millis) -> Vec<(ChainName, ConnId)> {
        let due = self.grown.iter().filter(|(_, grown)| grown.due() <= now);
        let due: Vec<_> = due.map(|(chain, grown)| (*chain, grown.author)).collect();
        for (chain, _) in &due {
            self.grown.remove(chain);
        }
        self.due = self.grown.values().map(Grown::due).min();
        due
    }
}

impl Home {
    pub(super) fn tick_heads(&mut self, now: Now) {
        if self.heads.due.is_none_or(|at| now.monotonic < at) {
            return;
        }
        for ((stream, replica), author) in self.heads.take_due(now.monotonic) {
            let Some(state) = self.streams.get(&stream) else { continue };
            let seq = state.durable_seq(&replica);
            let is_signed = state.vouched.get(&replica).is_some_and(|signed| signed.name.seq >= seq);
            let link = self.conns.get_mut(&author).filter(|link| link.proven.contains(&replica));
            let Some(link) = link.filter(|link| !is_signed && link.asked.len() < LINK_ASKED) else {
                continue;
            };
            link.asked.insert((stream, replica));
            self.send(author, &Body::Attest(Place { stream, replica, seq }).into());
        }
    }

    /// What was not asked for is passed over, so that nobody makes the home check signatures as they like.
    pub(super) fn handle_vouched(&mut self, conn: ConnId, signed: SignedHead) {
        let chain = (signed.stream, signed.name.replica);
        let Some(link) = self.conns.get_mut(&conn) else { return };
        if !link.asked.remove(&chain) {
            return;
        }
        let own = link.proven.contains(&chain.1);
        if !signed.is_signed(&self.room) {
            return self.fail(conn, ErrorCode::Unproven, "the signature of a chain's head does not hold");
        }
        if own { self.keep_head(conn, signed) } else { self.expect_forwarded(conn, signed) }
    }

    /// Keeps a signed head of what is here, and passes it on.
    pub(super) fn keep_head(&mut self, conn: ConnId, signed: SignedHead) {
        let (stream, name) = (signed.stream, signed.name);
        let Some(state) = self.streams.get_mut(&stream) else { return };
        let newest = state.vouched.get(&name.replica).map_or(0, |signed| signed.name.seq);
        let covered = state.covered(&name.replica);
        if state.log.head_at(&name) != Some(signed.head) || name.seq <= newest.max(covered) {
            return;
        }
        self.queue.put(stored::vouched_key(&stream, &name.replica), signed.encode());
        state.vouched.insert(name.replica, signed.clone());
        let frame = wire::encode(&signed.into());
        let keepers = self.conns.iter().filter(|(other, link)| **other != conn && link.forwards);
        let keepers = keepers.filter_map(|(other, link)| {
            let lane = link.lane_of(&stream)?;
            link.fill.has_room(lane, frame.len()).then_some((*other, lane))
        });
        for (keeper, lane) in keepers.collect::<Vec<_>>() {
            self.send_bytes(keeper, lane, frame.clone());
        }
    }

    /// A reader has all there is: once for each stream it is sent the signed heads there are.
    pub(super) fn tell_heads(&mut self, conn: ConnId, stream: StreamId) {
        let Some(state) = self.streams.get(&stream) else { return };
        let Some(link) = self.conns.get_mut(&conn).filter(|link| link.forwards) else { return };
        let heads = state.vouched.values().take(HEADS_TOLD);
        let frames: Vec<u8> = heads.flat_map(|signed| wire::encode(&signed.clone().into())).collect();
        if !frames.is_empty()
            && link.fill.has_room(Lane::Bulk, frames.len())
            && link.heads_told.insert(stream)
        {
            self.send_bytes(conn, Lane::Bulk, frames.into());
        }
    }

    /// What a snapshot covers its home has signed for.
    pub(super) fn forget_covered_heads(&mut self) {
        for (stream, state) in &mut self.streams {
            let Some(standing) = &state.snapshot else { continue };
            let queue = &mut self.queue;
            state.vouched.retain(|replica, signed| {
                let stays = signed.name.seq > standing.covered(replica);
                if !stays {
                    queue.delete(stored::vouched_key(stream, replica));
                }
                stays
            });
        }
    }
}
