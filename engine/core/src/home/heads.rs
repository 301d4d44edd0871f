//! Signed heads (rule 11): when a chain rests its author is asked to sign where it stands. The home keeps that and hands it to
//! devices, so that any of them can bring the chain again to a home that has lost it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::home::Home;
use crate::home::compaction::Standing;
use crate::home::conn::Conn;
use crate::home::forwarded::Forwarders;
use crate::home::lane::Lane;
use crate::home::stream::HomeStream;
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::limits::{
    HEAD_LATE, HEAD_REST, HEADS_GROWN, HEADS_KEPT, HEADS_RECENT, HEADS_TICK, HEADS_TOLD, LINK_ATTESTS,
};
use crate::log::SignedHead;
use crate::stored;
use crate::time::{Millis, Now};
use crate::wire::{self, Body, ErrorCode, Place};

/// One chain of one stream.
pub(super) type ChainName = (StreamId, ReplicaId);

/// Chains whose newest heads are not signed yet, or not handed out.
#[derive(Debug, Default)]
pub(super) struct Heads {
    grown: BTreeMap<ChainName, Grown>,
    ask_at: Option<Millis>,
    fresh: BTreeSet<ChainName>,
    tell_at: Option<Millis>,
    pub(super) forwarders: Forwarders,
    /// The time of the input at hand.
    now: Millis,
}

/// A chain that has grown since its author was asked.
#[derive(Clone, Copy, Debug)]
struct Grown {
    since: Millis,
    last: Millis,
    author: ConnId,
}

/// A signed head that is kept.
#[derive(Clone, Debug)]
pub(super) struct Vouched {
    pub(super) signed: SignedHead,
    /// When it came, if that was since the room was read.
    pub(super) at: Option<Millis>,
}

impl Grown {
    /// When its author is asked: once it rests, but not much later than it has begun.
    fn due(&self) -> Millis {
        self.last.after(HEAD_REST).min(self.since.after(HEAD_LATE))
    }
}

impl Heads {
    pub(super) fn note_time(&mut self, now: Now) {
        self.now = now.monotonic;
    }

    /// Entries of a chain have reached the disk.
    pub(super) fn note(&mut self, chain: ChainName, author: ConnId, now: Now) {
        let at = now.monotonic;
        if let Some(grown) = self.grown.get_mut(&chain) {
            (grown.last, grown.author) = (at, author);
        } else if self.grown.len() < HEADS_GROWN {
            let grown = Grown { since: at, last: at, author };
            self.grown.insert(chain, grown);
            self.ask_at.get_or_insert(grown.due());
        }
    }

    /// When to hand in the time.
    pub(super) fn due(&self) -> Option<Millis> {
        self.ask_at.into_iter().chain(self.tell_at).min()
    }

    fn take_due(&mut self, now: Millis) -> Vec<(ChainName, ConnId)> {
        let due = self.grown.iter().filter(|(_, grown)| grown.due() <= now);
        let due: Vec<_> = due.map(|(chain, grown)| (*chain, grown.author)).collect();
        for (chain, _) in &due {
            self.grown.remove(chain);
        }
        self.ask_at = self.grown.values().map(Grown::due).min();
        due
    }
}

impl Home {
    pub(super) fn tick_heads(&mut self, now: Now) {
        if self.heads.ask_at.is_some_and(|at| now.monotonic >= at) {
            for (chain, author) in self.heads.take_due(now.monotonic) {
                self.ask_for_head(chain, author);
            }
        }
        if self.heads.tell_at.is_some_and(|at| now.monotonic >= at) {
            self.heads.tell_at = None;
            self.tell_fresh_heads();
        }
    }

    fn ask_for_head(&mut self, chain: ChainName, author: ConnId) {
        let (stream, replica) = chain;
        let Some(seq) = self.streams.get(&stream).and_then(|state| state.lacks_head(&replica)) else {
            return;
        };
        let link = self.conns.get_mut(&author).filter(|link| link.proven.contains(&replica));
        let Some(link) = link.filter(|link| link.attests.len() < LINK_ATTESTS) else { return };
        link.attests.insert(chain);
        self.send(author, &Body::Attest(Place { stream, replica, seq }).into());
    }

    /// An author has come, who may have left before it was asked.
    pub(super) fn expect_heads(&mut self, conn: ConnId, replica: ReplicaId, now: Now) {
        for (stream, state) in &self.streams {
            if state.lacks_head(&replica).is_some_and(|seq| seq > state.covered(&replica)) {
                self.heads.note((*stream, replica), conn, now);
            }
        }
    }

    /// An author has signed where its chain stands. What it was not asked for is passed over, so that nobody makes the home
    /// check signatures as they like.
    pub(super) fn handle_attested(&mut self, conn: ConnId, signed: SignedHead, now: Now) {
        let chain = (signed.stream, signed.name.replica);
        if !self.conns.get_mut(&conn).is_some_and(|link| link.attests.remove(&chain)) {
            return;
        }
        if !signed.is_signed(&self.room) {
            return self.fail(conn, ErrorCode::Unproven, "the signature of a chain's head does not hold");
        }
        self.keep_head(signed, now);
    }

    /// Keeps a signed head of what is on the disk, to hand it out. Of a copied store's two sides the one that was not taken
    /// signs for other entries: that is passed over.
    pub(super) fn keep_head(&mut self, signed: SignedHead, now: Now) {
        let (stream, name) = (signed.stream, signed.name);
        let Some(state) = self.streams.get_mut(&stream).filter(|state| state.may_keep(&signed)) else {
            return;
        };
        self.queue.put(stored::vouched_key(&stream, &name.replica), signed.encode());
        state.vouched.insert(name.replica, Vouched { signed, at: Some(now.monotonic) });
        if self.heads.fresh.len() < HEADS_GROWN {
            self.heads.fresh.insert((stream, name.replica));
            self.heads.tell_at.get_or_insert(now.monotonic.after(HEADS_TICK));
        }
    }

    /// All that were kept since the last time, one frame for all readers of a stream.
    fn tell_fresh_heads(&mut self) {
        let mut fresh: BTreeMap<StreamId, Vec<ReplicaId>> = BTreeMap::new();
        for (stream, replica) in std::mem::take(&mut self.heads.fresh) {
            fresh.entry(stream).or_default().push(replica);
        }
        for (stream, replicas) in fresh {
            for replicas in replicas.chunks(HEADS_TOLD) {
                let Some(state) = self.streams.get(&stream) else { continue };
                let frames = frames(replicas.iter().filter_map(|replica| state.vouched.get(replica)));
                if frames.is_empty() {
                    continue;
                }
                let (mut live, mut landing) = (Vec::new(), Vec::new());
                for (conn, link) in &mut self.conns {
                    let lane = link.lane_of(&stream).filter(|lane| link.fill.has_room(*lane, frames.len()));
                    let Some(lane) = lane else {
                        link.miss_heads(&stream);
                        continue;
                    };
                    if link.has_proven_all(replicas) {
                        continue;
                    }
                    link.fill.add(lane, frames.len());
                    if lane == Lane::Bulk { &mut landing } else { &mut live }.push(*conn);
                }
                self.send_to_all(landing, Lane::Bulk, frames.clone());
                self.send_to_all(live, Lane::Entries, frames);
            }
        }
    }

    /// A reader has all there is: once it is sent the signed heads there are, or the recent ones if it lacked nothing.
    pub(super) fn tell_heads(&mut self, conn: ConnId, stream: StreamId, lacked: bool) {
        let Some(state) = self.streams.get(&stream).filter(|state| !state.vouched.is_empty()) else { return };
        let now = self.heads.now;
        let recent = |vouched: &Vouched| vouched.at.is_some_and(|at| now < at.after(HEADS_RECENT));
        let told = state.vouched.values().filter(|vouched| lacked || recent(vouched));
        let told: Vec<&Vouched> = told.collect();
        let told: Vec<Bytes> = told.chunks(HEADS_TOLD).map(|heads| frames(heads.iter().copied())).collect();
        let Some(link) = self.conns.get_mut(&conn) else { return };
        if told.is_empty() || !link.tell_heads(&stream) {
            return;
        }
        for frames in told {
            let Some(link) = self.conns.get_mut(&conn) else { return };
            if !link.fill.has_room(Lane::Bulk, frames.len()) {
                return link.miss_heads(&stream);
            }
            self.send_bytes(conn, Lane::Bulk, frames);
        }
    }

    /// A snapshot has followed another: of what that one covers devices that come now have no entries. Who comes from before
    /// has kept its heads with them.
    pub(super) fn forget_covered_heads(&mut self, stream: StreamId, before: &Standing) {
        let Some(state) = self.streams.get_mut(&stream) else { return };
        let queue = &mut self.queue;
        state.vouched.retain(|replica, vouched| {
            let stays = vouched.signed.name.seq > before.covered(replica);
            if !stays {
                queue.delete(stored::vouched_key(&stream, replica));
            }
            stays
        });
    }
}

impl HomeStream {
    /// Up to where a chain is on the disk, if its head there is not signed.
    fn lacks_head(&self, replica: &ReplicaId) -> Option<u64> {
        let (seq, kept) = (self.durable_seq(replica), self.vouched_seq(replica));
        (seq > kept).then_some(seq)
    }

    fn vouched_seq(&self, replica: &ReplicaId) -> u64 {
        self.vouched.get(replica).map_or(0, |vouched| vouched.signed.name.seq)
    }

    fn may_keep(&self, signed: &SignedHead) -> bool {
        let (name, kept) = (signed.name, self.vouched_seq(&signed.name.replica));
        let sound = !self.log.is_gone() && !self.damaged;
        let here =
            name.seq <= self.durable_seq(&name.replica) && self.log.head_at(&name) == Some(signed.head);
        sound && here && name.seq > kept && (kept > 0 || self.vouched.len() < HEADS_KEPT)
    }
}

impl Conn {
    fn has_proven_all(&self, replicas: &[ReplicaId]) -> bool {
        replicas.iter().all(|replica| self.proven.contains(replica))
    }
}

fn frames<'a>(heads: impl Iterator<Item = &'a Vouched>) -> Bytes {
    heads.flat_map(|vouched| wire::encode(&vouched.signed.clone().into())).collect()
}
