//! What somebody brings that others wrote (rule 11): a home that was restored from a backup asks whoever holds more of a chain
//! than it has. A signed head comes first, then the entries up to there; they are let in together, once they give that head.

use crate::home::Home;
use crate::home::heads::ChainName;
use crate::ids::ConnId;
use crate::limits::{FORWARD_WAIT, HEADS_GROWN, LINK_ASKED, LINK_PARK_BYTES, ROOM_PARK_BYTES};
use crate::log::{Entry, Head, SignedHead, StreamLog};
use crate::time::Now;
use crate::wire::{ErrorCode, Need};

/// A chain on its way, from where it stood here to its signed head.
#[derive(Debug)]
pub(super) struct Forwarded {
    signed: SignedHead,
    /// Where it stood.
    from: (u64, Head),
    /// Where what has come leads to.
    head: Head,
    entries: Vec<Entry>,
    bytes: usize,
}

impl Home {
    /// Asks a link for entries; of a chain that is not its own, for a signed head with them.
    pub(super) fn need(&mut self, conn: ConnId, need: Need, now: Now) {
        let Some(link) = self.conns.get(&conn) else { return };
        if link.forwards && !link.proven.contains(&need.replica) {
            self.need_forwarded(conn, need, now);
        } else {
            self.send(conn, &need.into());
        }
    }

    /// Asks a reader for what it holds and the home does not: one reader at a time for each chain.
    pub(super) fn need_forwarded(&mut self, conn: ConnId, need: Need, now: Now) {
        let chain = (need.stream, need.replica);
        let forwarders = &mut self.heads.forwarders;
        let asked = |(other, at): &(ConnId, crate::time::Millis)| {
            self.conns.contains_key(other) && now.monotonic < at.after(FORWARD_WAIT)
        };
        if forwarders.get(&chain).is_some_and(asked) {
            return;
        }
        if forwarders.len() >= HEADS_GROWN {
            forwarders.retain(|_, asked_of| asked(asked_of));
        }
        let full = forwarders.len() >= HEADS_GROWN;
        let Some(link) = self.conns.get_mut(&conn).filter(|link| link.forwards && !full) else { return };
        if link.asked.len() < LINK_ASKED || link.asked.contains(&chain) {
            link.asked.insert(chain);
            forwarders.insert(chain, (conn, now.monotonic));
            self.send(conn, &need.into());
        }
    }

    /// The signature holds: what leads to that head is taken from this link.
    pub(super) fn expect_forwarded(&mut self, conn: ConnId, signed: SignedHead) {
        let chain = (signed.stream, signed.name.replica);
        let tip = self.streams.get(&chain.0).map(|state| state.log.tip(&chain.1));
        let tip = tip.unwrap_or_else(|| StreamLog::new(chain.0).tip(&chain.1));
        self.drop_forwarded(conn, &chain);
        if signed.name.seq > tip.seq
            && let Some(link) = self.conns.get_mut(&conn)
        {
            let forwarded = Forwarded {
                signed,
                from: (tip.seq, tip.head),
                head: tip.head,
                entries: Vec::new(),
                bytes: 0,
            };
            link.forwarded.insert(chain, forwarded);
        }
    }

    /// An entry that its link did not write: of no use but as the next one up to a signed head.
    pub(super) fn handle_forwarded(&mut self, conn: ConnId, entry: Entry) {
        let chain = (entry.header().stream, entry.header().replica);
        let busy = self.stopping || self.is_full(&chain.0) || self.is_damaged(&chain.0);
        let Some(link) = self.conns.get_mut(&conn) else { return };
        let Some(forwarded) = link.forwarded.get_mut(&chain) else { return };
        let next = forwarded.from.0 + 1 + forwarded.entries.len() as u64;
        if entry.header().seq != next {
            return;
        }
        let size = entry.bytes().len();
        let full = link.waiting_bytes + size > LINK_PARK_BYTES || self.waiting_bytes + size > ROOM_PARK_BYTES;
        if busy || full {
            return self.drop_forwarded(conn, &chain);
        }
        forwarded.head = forwarded.head.next(&entry);
        forwarded.entries.push(entry.detached());
        forwarded.bytes += size;
        link.waiting_bytes += size;
        self.waiting_bytes += size;
        if next == forwarded.signed.name.seq {
            self.take_forwarded(conn, &chain);
        }
    }

    /// All of it is here.
    fn take_forwarded(&mut self, conn: ConnId, chain: &ChainName) {
        let Some(Forwarded { signed, from, head, entries, bytes }) = self.remove_forwarded(conn, chain)
        else {
            return;
        };
        self.release_waiting(conn, bytes);
        if head != signed.head {
            let sentence = "entries of somebody else are not those that they signed for";
            return self.fail(conn, ErrorCode::Unproven, sentence);
        }
        let tip = self.streams.get(&chain.0).map(|state| state.log.tip(&chain.1));
        let here = tip.map_or((0, Head::START), |tip| (tip.seq, tip.head));
        if here != from {
            // Its author, or somebody else, was faster.
            return;
        }
        self.figures.entries_brought += entries.len() as u64;
        for entry in entries {
            self.land(conn, entry);
        }
        self.keep_head(conn, signed);
    }

    fn drop_forwarded(&mut self, conn: ConnId, chain: &ChainName) {
        let bytes = self.remove_forwarded(conn, chain).map_or(0, |forwarded| forwarded.bytes);
        self.release_waiting(conn, bytes);
    }

    fn remove_forwarded(&mut self, conn: ConnId, chain: &ChainName) -> Option<Forwarded> {
        self.conns.get_mut(&conn)?.forwarded.remove(chain)
    }

    fn release_waiting(&mut self, conn: ConnId, bytes: usize) {
        if let Some(link) = self.conns.get_mut(&conn) {
            link.waiting_bytes = link.waiting_bytes.saturating_sub(bytes);
            self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes);
        }
    }
}
