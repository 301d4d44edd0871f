//! `Seen by n others`: how many links have applied the newest entry of a replica.
//!
//! Only the newest entry counts, and only those who wrote last, so a told version costs one look-up each. Counts that
//! changed are told at most four times a second.

use std::collections::{BTreeMap, BTreeSet};

use crate::home::Home;
use crate::home::held::Held;
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::limits::{SEEN_TICK, SEEN_WRITERS};
use crate::log::EntryName;
use crate::time::Now;
use crate::wire::{Have, Seen};

/// Readers of one stream.
#[derive(Debug, Default)]
pub(super) struct Readers {
    newest: BTreeMap<ReplicaId, Newest>,
    /// Whether a count may have changed since they were told.
    changed: bool,
}

#[derive(Debug, Default)]
struct Newest {
    seq: u64,
    arrival: u64,
    links: BTreeSet<ConnId>,
    told: Option<(u64, usize)>,
}

impl Readers {
    /// An entry is on the disk.
    pub(super) fn handle_tip(&mut self, name: EntryName, arrival: u64) {
        if self.newest.len() == SEEN_WRITERS && !self.newest.contains_key(&name.replica) {
            let longest_ago = self.newest.iter().min_by_key(|(_, newest)| newest.arrival);
            if let Some(replica) = longest_ago.map(|(replica, _)| *replica) {
                self.newest.remove(&replica);
            }
        }
        let newest = self.newest.entry(name.replica).or_default();
        (newest.seq, newest.arrival) = (name.seq, arrival);
        newest.links.clear();
        self.changed = true;
    }

    fn handle_have(&mut self, conn: ConnId, replica: ReplicaId, seq: u64) {
        if let Some(newest) = self.newest.get_mut(&replica)
            && seq >= newest.seq
        {
            self.changed |= newest.links.insert(conn);
        }
    }

    fn handle_held(&mut self, conn: ConnId, held: &Held) {
        for (replica, newest) in &mut self.newest {
            if held.has(newest.arrival, replica, newest.seq) {
                self.changed |= newest.links.insert(conn);
            }
        }
    }

    /// Another link speaks for a replica now: it has been told nothing yet.
    fn handle_author(&mut self, replica: &ReplicaId) {
        if let Some(newest) = self.newest.get_mut(replica) {
            newest.told = None;
            self.changed = true;
        }
    }

    fn forget(&mut self, conn: ConnId) {
        for newest in self.newest.values_mut() {
            self.changed |= newest.links.remove(&conn);
        }
    }

    /// Counts that changed since they were told, for those who wrote and are here.
    fn news(&mut self, authors: &BTreeMap<ReplicaId, ConnId>) -> Vec<(ConnId, EntryName, usize)> {
        let mut news = Vec::new();
        if !std::mem::take(&mut self.changed) {
            return news;
        }
        for (replica, newest) in &mut self.newest {
            let Some(author) = authors.get(replica) else { continue };
            let links = newest.links.len() - usize::from(newest.links.contains(author));
            if newest.told.replace((newest.seq, links)) != Some((newest.seq, links)) {
                news.push((*author, EntryName { replica: *replica, seq: newest.seq }, links));
            }
        }
        news
    }
}

impl Home {
    pub(super) fn handle_have(&mut self, conn: ConnId, have: &Have, now: Now) {
        let Some(state) = self.streams.get_mut(&have.stream) else { return };
        for (replica, seq) in &have.above {
            state.readers.handle_have(conn, *replica, *seq);
        }
        self.expect_seen(now);
    }

    /// What a reader comes with counts as applied.
    pub(super) fn note_reader(&mut self, conn: ConnId, stream: &StreamId, held: &Held) {
        if let Some(state) = self.streams.get_mut(stream) {
            state.readers.handle_held(conn, held);
        }
    }

    pub(super) fn handle_author(&mut self, replica: &ReplicaId, now: Now) {
        for state in self.streams.values_mut() {
            state.readers.handle_author(replica);
        }
        self.expect_seen(now);
    }

    pub(super) fn forget_reader(&mut self, conn: ConnId, now: Now) {
        self.expect_seen(now);
        for state in self.streams.values_mut() {
            state.readers.forget(conn);
        }
    }

    pub(super) fn expect_seen(&mut self, now: Now) {
        self.seen_at.get_or_insert(now.monotonic.after(SEEN_TICK));
    }

    pub(super) fn send_seen(&mut self) {
        let mut authors: BTreeMap<ReplicaId, ConnId> = BTreeMap::new();
        for (conn, link) in &self.conns {
            authors.extend(link.proven.iter().map(|replica| (*replica, *conn)));
        }
        let news: Vec<_> = self
            .streams
            .iter_mut()
            .flat_map(|(stream, state)| state.readers.news(&authors).into_iter().map(|news| (*stream, news)))
            .collect();
        for (stream, (conn, EntryName { replica, seq }, links)) in news {
            let links = u32::try_from(links).unwrap_or(u32::MAX);
            self.send(conn, &Seen { stream, replica, seq, links }.into());
        }
    }
}
