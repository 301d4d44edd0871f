//! `Seen by n others`: how many links have applied the newest entry of a replica.
//!
//! Only the newest entry counts, so a told version costs one look-up. Telling the counts walks the links of the room once
//! per replica that wrote, at most four times a second.

use std::collections::{BTreeMap, BTreeSet};

use crate::home::Home;
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::limits::SEEN_TICK;
use crate::time::Now;
use crate::wire::{Have, Seen};

/// Readers of one stream.
#[derive(Debug, Default)]
pub(super) struct Readers {
    newest: BTreeMap<ReplicaId, Newest>,
}

#[derive(Debug, Default)]
struct Newest {
    seq: u64,
    links: BTreeSet<ConnId>,
    told: Option<(u64, u32)>,
}

impl Readers {
    pub(super) fn handle_tip(&mut self, replica: ReplicaId, seq: u64) {
        let newest = self.newest.entry(replica).or_default();
        newest.seq = seq;
        newest.links.clear();
    }

    fn handle_have(&mut self, conn: ConnId, replica: ReplicaId, seq: u64) {
        if let Some(newest) = self.newest.get_mut(&replica)
            && seq >= newest.seq
        {
            newest.links.insert(conn);
        }
    }

    /// Another link speaks for a replica now: it has been told nothing yet.
    fn handle_author(&mut self, replica: &ReplicaId) {
        if let Some(newest) = self.newest.get_mut(replica) {
            newest.told = None;
        }
    }

    fn forget(&mut self, conn: ConnId) {
        for newest in self.newest.values_mut() {
            newest.links.remove(&conn);
        }
    }

    /// Counts that changed since they were told.
    fn news(
        &mut self,
        mut is_author: impl FnMut(&ReplicaId) -> Vec<ConnId>,
    ) -> Vec<(ConnId, ReplicaId, u64, u32)> {
        let mut news = Vec::new();
        for (replica, newest) in &mut self.newest {
            let authors = is_author(replica);
            let links = newest.links.iter().filter(|conn| !authors.contains(conn)).count();
            let count = (newest.seq, u32::try_from(links).unwrap_or(u32::MAX));
            if newest.told != Some(count) && !authors.is_empty() {
                newest.told = Some(count);
                news.extend(authors.into_iter().map(|conn| (conn, *replica, count.0, count.1)));
            }
        }
        news
    }
}

impl Home {
    pub(super) fn handle_have(&mut self, conn: ConnId, have: &Have, now: Now) {
        self.handle_held(conn, &have.stream, have.above.iter().copied(), now);
    }

    pub(super) fn handle_held(
        &mut self,
        conn: ConnId,
        stream: &StreamId,
        above: impl Iterator<Item = (ReplicaId, u64)>,
        now: Now,
    ) {
        let Some(state) = self.streams.get_mut(stream) else { return };
        for (replica, seq) in above {
            state.readers.handle_have(conn, replica, seq);
        }
        self.expect_seen(now);
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
        let conns = &self.conns;
        let authors = |replica: &ReplicaId| {
            conns.iter().filter(|(_, link)| link.proven.contains(replica)).map(|(conn, _)| *conn).collect()
        };
        let news: Vec<_> = self
            .streams
            .iter_mut()
            .flat_map(|(stream, state)| state.readers.news(authors).into_iter().map(|news| (*stream, news)))
            .collect();
        for (stream, (conn, replica, seq, links)) in news {
            self.send(conn, &Seen { stream, replica, seq, links }.into());
        }
    }
}
