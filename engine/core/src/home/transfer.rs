//! Snapshots on their way to readers: read from the disk once, encoded once, and shared by all who are sent it at the
//! same time.

use std::sync::{Arc, Weak};

use bytes::Bytes;

use crate::home::Home;
use crate::home::catch_up::Following;
use crate::home::compaction::read_page;
use crate::home::conn::Conn;
use crate::home::lane::Lane;
use crate::home::reading::Reading;
use crate::ids::{ConnId, StreamId};
use crate::limits::CATCH_UP_BYTES;
use crate::snapshot::{PageId, SignedRoot};
use crate::storage::{Page, Scan, StoreFailure};
use crate::stored;
use crate::wire;

/// A snapshot as frames.
#[derive(Debug)]
pub(super) struct Transfer {
    /// The walk goes on from here.
    arrivals: u64,
    frames: Vec<Bytes>,
}

/// The transfer of a stream's snapshot, while anybody is sent it.
#[derive(Debug, Default)]
pub(super) struct Shared {
    transfer: Weak<Transfer>,
    reading: bool,
}

/// How far a reader has been sent a snapshot.
#[derive(Debug)]
pub(super) enum Fetch {
    /// It waits until the link has been sent another one.
    Wanted,
    /// It is being read from the disk.
    Asked,
    /// So many frames were sent.
    Sent(Arc<Transfer>, usize),
}

/// Which row of a snapshot is being read.
#[derive(Debug)]
pub(super) enum Part {
    Root,
    /// The next page; what was read before.
    Page(Box<Read>),
}

/// A snapshot as far as it has been read.
#[derive(Debug)]
pub(super) struct Read {
    root: SignedRoot,
    record: Vec<u8>,
    pages: Vec<Bytes>,
    bytes: usize,
}

impl Read {
    /// The first page comes first, and then those of the end, the newest first, as far as they are sent.
    fn next(&self, most: usize) -> Option<PageId> {
        let pages = &self.root.root.pages;
        match self.pages.len() {
            0 => pages.first().copied(),
            read if read < pages.len() && (read == 1 || self.bytes < most) => Some(pages[pages.len() - read]),
            _ => None,
        }
    }
}

impl Home {
    /// Bytes of snapshots that are held because somebody is being sent them: one snapshot for each link at most.
    pub fn snapshot_bytes(&self) -> usize {
        let held = self.streams.values().filter_map(|state| state.shared.transfer.upgrade());
        held.map(|transfer| transfer.frames.iter().map(Bytes::len).sum::<usize>()).sum()
    }

    /// A reader needs the snapshot: from memory if somebody is being sent it, else from the disk.
    fn fetch(&mut self, stream: StreamId) {
        let Some(state) = self.streams.get_mut(&stream) else { return };
        let standing = state.snapshot.as_ref().map_or(0, |standing| standing.arrivals);
        match state.shared.transfer.upgrade().filter(|transfer| transfer.arrivals == standing) {
            Some(transfer) => self.hand_over(stream, Some(&transfer)),
            None if state.shared.reading => {}
            None => {
                state.shared.reading = true;
                self.read_part(stream, stored::snapshot_key(&stream), Part::Root);
            }
        }
    }

    fn read_part(&mut self, stream: StreamId, start: Vec<u8>, part: Part) {
        let end = [start.as_slice(), &[0]].concat();
        self.scan(Scan { start, end, max_bytes: 0, max_rows: 1 }, Reading::Part(stream, part));
    }

    pub(super) fn handle_part(&mut self, stream: StreamId, part: Part, result: Result<Page, StoreFailure>) {
        let row = result.ok().and_then(|page| page.rows.into_iter().next()).map(|(_, value)| value);
        let most = self.plan.sent;
        let replaced = |read: &Read, home: &Self| {
            let standing = home.streams.get(&stream).and_then(|state| state.snapshot.as_ref());
            standing.is_some_and(|standing| standing.id != read.root.root.id())
        };
        let read = match (part, row) {
            (Part::Root, Some(record)) => SignedRoot::decode(&record)
                .ok()
                .map(|root| Box::new(Read { root, record, pages: Vec::new(), bytes: 0 })),
            (Part::Page(mut read), Some(row)) => {
                let page = read.next(most).and_then(|id| read_page(&id, &row));
                page.map(|page| {
                    read.bytes += if read.pages.is_empty() { 0 } else { page.len() };
                    read.pages.push(page);
                    read
                })
            }
            // A newer one took its place meanwhile.
            (Part::Page(read), None) if replaced(&read, self) => {
                return self.read_part(stream, stored::snapshot_key(&stream), Part::Root);
            }
            (Part::Root | Part::Page(_), None) => None,
        };
        let Some(read) = read else { return self.hand_over(stream, None) };
        if let Some(next) = read.next(most) {
            return self.read_part(stream, stored::page_key(&stream, &next), Part::Page(read));
        }
        let Read { root, record, pages, .. } = *read;
        let frames = wire::snapshot::frames(&root.root, &record, &pages, CATCH_UP_BYTES);
        let transfer = Arc::new(Transfer { arrivals: root.root.arrivals, frames });
        self.hand_over(stream, Some(&transfer));
    }

    /// All who wait for it begin to be sent it; without it they are sent the entries.
    fn hand_over(&mut self, stream: StreamId, transfer: Option<&Arc<Transfer>>) {
        let Some(state) = self.streams.get_mut(&stream) else { return };
        state.shared.reading = false;
        if let Some(transfer) = transfer {
            state.shared.transfer = Arc::downgrade(transfer);
        }
        let mut waiting = Vec::new();
        for (conn, link) in &mut self.conns {
            if let Some(Following::Reading(walk)) = link.following_mut(&stream)
                && matches!(walk.fetch, Some(Fetch::Asked))
            {
                walk.fetch = transfer.map(|transfer| Fetch::Sent(Arc::clone(transfer), 0));
                walk.by_entries = transfer.is_none();
                waiting.push(*conn);
            }
        }
        for conn in waiting {
            self.continue_reading(conn, stream);
        }
    }

    /// Sends a reader as many frames as its lane takes; answers whether it has them all. A link is sent one snapshot after
    /// the other, so one that reads nothing keeps one in memory and not one for each stream it follows.
    pub(super) fn send_snapshot(&mut self, conn: ConnId, stream: StreamId) -> bool {
        loop {
            let Some(link) = self.conns.get_mut(&conn) else { return false };
            let may_fetch = link.may_fetch();
            let Some((walk, fill)) = link.walk_and_fill(&stream) else { return false };
            let (transfer, sent) = match &mut walk.fetch {
                None => return true,
                Some(Fetch::Wanted) => {
                    if may_fetch {
                        walk.fetch = Some(Fetch::Asked);
                        link.fetching = Some(stream);
                        self.fetch(stream);
                    }
                    return false;
                }
                Some(Fetch::Asked) => return false,
                Some(Fetch::Sent(transfer, sent)) => (transfer, sent),
            };
            let Some(frame) = transfer.frames.get(*sent).cloned() else {
                walk.next = Some(transfer.arrivals);
                walk.fetch = None;
                self.figures.snapshots_sent += 1;
                return true;
            };
            if !fill.has_room(Lane::Bulk, frame.len()) {
                return false;
            }
            *sent += 1;
            self.send_bytes(conn, Lane::Bulk, frame);
        }
    }
}

impl Conn {
    /// Whether a snapshot may be read for it: none is under way to it, and its lane takes the beginning.
    fn may_fetch(&self) -> bool {
        let under_way = self.fetching.and_then(|stream| self.following(&stream));
        let under_way = under_way.is_some_and(|following| match following {
            Following::Reading(walk) => matches!(walk.fetch, Some(Fetch::Asked | Fetch::Sent(..))),
            Following::Live | Following::Landing | Following::Comparing(_) => false,
        });
        !under_way && self.fill.has_room(Lane::Bulk, CATCH_UP_BYTES)
    }
}
