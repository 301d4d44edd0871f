//! Pages of snapshots that devices ask for one by one, as somebody looks at them: one at a time for each link, in the
//! bulk lane.

use std::collections::VecDeque;

use crate::home::Home;
use crate::home::compaction::read_page;
use crate::home::lane::Lane;
use crate::home::reading::Reading;
use crate::ids::ConnId;
use crate::limits::{CATCH_UP_BYTES, LINK_PAGES};
use crate::storage::{Page, Scan};
use crate::stored;
use crate::wire::{self, Want};

/// What a link has asked for and not been sent.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pages: VecDeque<Want>,
    /// Whether the first of them is being read from the disk.
    is_reading: bool,
    /// So many pieces of it were sent. For each it is read again, so that a link that reads nothing holds nothing.
    sent: usize,
}

impl Home {
    pub(super) fn handle_want(&mut self, conn: ConnId, want: Want) {
        let Some(link) = self.conns.get_mut(&conn) else { return };
        if link.wanted.pages.len() < LINK_PAGES {
            link.wanted.pages.push_back(want);
            self.read_wanted(conn);
        }
        // Devices ask for no more at once: nobody waits for an answer to one beyond.
    }

    /// Reads the next page once there is room for a piece of it.
    pub(super) fn read_wanted(&mut self, conn: ConnId) {
        let loaded = self.load_is_done();
        let Some(link) = self.conns.get_mut(&conn) else { return };
        let room = loaded && link.fill.has_room(Lane::Bulk, CATCH_UP_BYTES);
        let Wanted { pages, is_reading, .. } = &mut link.wanted;
        let Some(want) = pages.front().copied().filter(|_| room && !*is_reading) else { return };
        *is_reading = true;
        let start = stored::page_key(&want.stream, &want.page);
        let end = [start.as_slice(), &[0]].concat();
        self.scan(Scan { start, end, max_bytes: 0, max_rows: 1 }, Reading::Wanted(conn, want));
    }

    /// Sends the next piece. One that is not there was replaced by a newer one: the device asks for the snapshot that has it.
    pub(super) fn handle_wanted(&mut self, conn: ConnId, want: Want, read: &Page) {
        let Some(link) = self.conns.get_mut(&conn) else { return };
        let Wanted { pages, is_reading, sent } = &mut link.wanted;
        *is_reading = false;
        if pages.front() != Some(&want) {
            return;
        }
        let row = read.rows.first().and_then(|(_, row)| read_page(&want.page, row));
        let mut frames = wire::snapshot::page_frames(&want, &row.unwrap_or_default(), CATCH_UP_BYTES);
        // Replaced while it was sent it is told from its beginning, as one that is not there.
        let at = if *sent < frames.len() { *sent } else { 0 };
        if !link.fill.has_room(Lane::Bulk, frames[at].len()) {
            return;
        }
        *sent = at + 1;
        if *sent == frames.len() {
            *sent = 0;
            pages.pop_front();
            self.figures.pages_sent += 1;
        }
        self.send_bytes(conn, Lane::Bulk, frames.swap_remove(at));
        self.read_wanted(conn);
    }

    /// After the room was read anew: what was being read is read again.
    pub(super) fn resume_wanted(&mut self) {
        self.conns.values_mut().for_each(|link| link.wanted.is_reading = false);
        for conn in self.conns.keys().copied().collect::<Vec<_>>() {
            self.read_wanted(conn);
        }
    }
}
