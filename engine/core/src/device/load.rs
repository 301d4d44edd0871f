//! Reading one stream from the disk: its log, what it amounts to, and the journals of dead pages.

use bytes::Bytes;

use crate::device::event::{Change, Event, Storage};
use crate::device::journal::Tag;
use crate::device::pages::Role;
use crate::device::steps::{Backlog, Standing};
use crate::device::stream::{Body, Own, Phase, Stream, Unsaved};
use crate::device::take_over::Met;
use crate::device::{Room, failing};
use crate::directory::{self, Directory};
use crate::ids::{ReplicaId, SiblingId, StreamId};
use crate::limits::{SCAN_BYTES, SCAN_ROWS, STORE_RETRY};
use crate::log::{Dep, Entry, EntryKind};
use crate::snapshot::{PageId, SignedRoot};
use crate::storage::{Durability, Page, Scan, StoreFailure};
use crate::stored::{self, Prefix};
use crate::time::Now;
use crate::wire::{Place, Want};
use crate::write_queue::OpId;
use crate::ydoc::Document;

/// What a scan was for.
#[derive(Debug)]
pub(super) enum Reading {
    /// The start of the room.
    Boot,
    /// The root of a stream's snapshot.
    Root(StreamId, u64),
    /// Its pages, those to begin with, one after the other.
    Page(StreamId, u64),
    /// An older page of a channel that is looked at.
    Older(StreamId, PageId),
    /// The same for another page of this device.
    SiblingOlder(SiblingId, Want),
    /// Entries that a snapshot covers, to be let go.
    Sweep(StreamId),
    /// The entries of a stream, gathered so far.
    Entries(StreamId, u64, Vec<(u64, Entry)>),
    /// The journal a dead replica left in a stream, gathered so far.
    Journal(StreamId, u64, ReplicaId, Vec<Vec<u8>>),
    /// Entries of this device's replicas that the home has lost.
    Lost(StreamId),
    /// Where an entry of this device's stands, of which the home has told a head on this link.
    Told { stream: StreamId, mark: Dep },
    /// One number of a channel's read marker, told by another page.
    Read(Place),
    /// What was read of a channel.
    Channel(StreamId, u64),
    /// The entries of a stream that is in use already.
    Meeting(StreamId, u64, Met),
    /// The root of a snapshot for another page.
    SiblingRoot { page: SiblingId, stream: StreamId, walk: u64 },
    /// The pages to begin with, gathered so far, with the root as it is stored.
    SiblingPage { page: SiblingId, stream: StreamId, walk: u64, record: Vec<u8>, pages: Vec<Bytes> },
    /// Entries for another page.
    Sibling { page: SiblingId, stream: StreamId, walk: u64 },
}

impl Room {
    pub(super) fn handle_scanned(&mut self, op: OpId, result: Result<Page, StoreFailure>, now: Now) {
        let Some(reading) = self.scans.remove(&op) else { return };
        if result.is_ok() {
            // A disk that could not be read can be again. How writing goes the last commit tells, or the leader.
            match self.role {
                Role::Following => self.set_storage(self.uplink_storage.clone()),
                Role::Leading if self.boot.is_done() && !self.commit_failed => {
                    self.set_storage(Storage::Working);
                }
                Role::Leading => {}
            }
        }
        match (reading, result) {
            (Reading::Boot, result) => self.handle_boot_page(result, now),
            (Reading::Root(stream, turn), Ok(page)) => self.handle_root(stream, turn, &page),
            (Reading::Page(stream, turn), Ok(page)) => self.handle_page(stream, turn, &page),
            (Reading::Sweep(stream), Ok(page)) => self.handle_sweep(stream, page, now),
            // They are let go when the next snapshot comes.
            (Reading::Sweep(_), Err(_)) => {}
            (Reading::Entries(stream, turn, read), Ok(page)) => {
                self.handle_entry_page(stream, turn, read, page, now);
            }
            (Reading::Journal(stream, turn, replica, read), Ok(page)) => {
                self.handle_journal_page(stream, turn, replica, read, page, now);
            }
            (Reading::Lost(stream), Ok(page)) => self.handle_lost_page(stream, page, now),
            (Reading::Channel(stream, turn), Ok(page)) => self.handle_channel_page(stream, turn, page, now),
            (Reading::Meeting(stream, turn, met), Ok(page)) => {
                self.handle_met_page(stream, turn, met, page, now);
            }
            (Reading::Sibling { page, stream, walk }, Ok(rows)) => {
                self.handle_sibling_page(page, stream, walk, rows);
            }
            (Reading::SiblingRoot { page, stream, walk }, Ok(rows)) => {
                self.serve_root(page, stream, walk, rows);
            }
            (Reading::SiblingPage { page, stream, walk, record, pages }, Ok(rows)) => {
                self.serve_snapshot(page, stream, walk, record, pages, &rows);
            }
            (Reading::Older(stream, page), rows) => self.handle_older_row(stream, page, rows.ok().as_ref()),
            (Reading::SiblingOlder(page, want), rows) => {
                self.serve_older(page, want, rows.ok().as_ref());
            }
            (Reading::Told { stream, mark }, Ok(page)) => self.handle_told_row(stream, &mark, &page, now),
            // The next question asks again.
            (Reading::Told { .. }, Err(_)) => {}
            (Reading::Read(read), Ok(page)) => self.handle_read_row(&read, &page),
            // The page that told it tells it to the next leader too.
            (Reading::Read(_), Err(_)) => {}
            (
                Reading::Sibling { page, stream, walk }
                | Reading::SiblingRoot { page, stream, walk }
                | Reading::SiblingPage { page, stream, walk, .. },
                Err(_),
            ) => self.walk_later(page, stream, walk, now),
            // The stream goes on meanwhile, so it is not read anew; the home is asked again and then this disk.
            (Reading::Lost(stream), Err(_)) => {
                if let Some(state) = self.streams.get_mut(&stream) {
                    state.own = Own::Unread;
                }
                self.heads.finish(stream);
                self.subscribe_after(stream, now.monotonic.after(STORE_RETRY));
            }
            (
                Reading::Root(stream, _)
                | Reading::Page(stream, _)
                | Reading::Entries(stream, ..)
                | Reading::Journal(stream, ..)
                | Reading::Meeting(stream, ..)
                | Reading::Channel(stream, ..),
                Err(failure),
            ) => {
                self.set_storage(failing(&failure));
                self.wanted.insert(stream);
                self.disk_retry_at = Some(now.monotonic.after(STORE_RETRY));
            }
        }
    }

    /// Begins to read a stream, or to read it again.
    pub(super) fn load_stream(&mut self, stream: StreamId) {
        if self.role == Role::Leading && !self.boot.is_done() {
            self.wanted.insert(stream);
            return;
        }
        self.wanted.remove(&stream);
        if !self.streams.contains_key(&stream) {
            let new = self.new_stream(stream);
            self.streams.insert(stream, new);
        }
        let phase = self.streams[&stream].phase;
        if self.role == Role::Following {
            self.read_again(stream);
        } else if matches!(phase, Phase::Ready | Phase::Meeting) {
            self.meet_disk(stream);
        } else if phase == Phase::Gone {
            self.events.push(Event::SaveStatus(stream));
        } else if self.queue.is_idle() {
            self.scan_entries(stream);
        } else {
            // What is on its way to the disk belongs to what is read, and what was asked before that no longer counts.
            if let Some(state) = self.streams.get_mut(&stream) {
                state.reading += 1;
            }
            self.queue.tag(Tag::Load(stream), Durability::Relaxed);
        }
    }

    pub(super) fn scan_entries(&mut self, stream: StreamId) {
        let Some(state) = self.streams.get_mut(&stream) else { return };
        state.reading += 1;
        let turn = state.reading;
        (state.snapshot, state.pages, state.tail) = (None, Vec::new(), 0);
        (state.snapshot_lost, state.lacks_snapshot) = (false, false);
        state.passed_over = None;
        self.scan_row(stored::snapshot_key(&stream), Reading::Root(stream, turn));
    }

    pub(super) fn scan_row(&mut self, start: Vec<u8>, reading: Reading) {
        let end = [start.as_slice(), &[0]].concat();
        self.scan(whole(start, end), reading);
    }

    fn handle_root(&mut self, id: StreamId, turn: u64, page: &Page) {
        let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.reading == turn) else { return };
        let row = page.rows.first().map(|(_, value)| SignedRoot::decode(value).ok());
        let row = row.or(page.damaged.first().map(|_| None));
        let Some(root) = row else { return self.scan_tail(id, turn) };
        let first = root.as_ref().and_then(|root| root.root.opening(0));
        match (root, first) {
            (Some(root), Some(first)) => {
                stream.snapshot = Some(Box::new(root.root));
                self.scan_row(stored::page_key(&id, &first), Reading::Page(id, turn));
            }
            _ => self.lose_snapshot(id, turn),
        }
    }

    fn handle_page(&mut self, id: StreamId, turn: u64, page: &Page) {
        let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.reading == turn) else { return };
        let read = stream.pages.len();
        let opening = |number| stream.snapshot.as_ref().and_then(|root| root.opening(number));
        let (expected, next) = (opening(read), opening(read + 1));
        let page = page.rows.first().and_then(|(_, value)| stored::decode_piece(value).ok());
        match page.filter(|page| Some(PageId::of(page)) == expected) {
            Some(page) => {
                stream.pages.push(page.to_vec());
                if let Some(next) = next {
                    return self.scan_row(stored::page_key(&id, &next), Reading::Page(id, turn));
                }
                if stream.phase == Phase::Meeting {
                    self.meet_snapshot(id);
                }
                self.scan_tail(id, turn);
            }
            None => self.lose_snapshot(id, turn),
        }
    }

    /// Rule 16: without its snapshot the stream is read again when the home has sent it another.
    fn lose_snapshot(&mut self, id: StreamId, turn: u64) {
        if let Some(stream) = self.streams.get_mut(&id) {
            (stream.snapshot, stream.pages) = (None, Vec::new());
            // A stream that is in use has what the snapshot would bring.
            stream.snapshot_lost = stream.phase != Phase::Meeting;
        }
        self.events.damaged(id, "store.record");
        self.scan_tail(id, turn);
    }

    fn scan_tail(&mut self, id: StreamId, turn: u64) {
        let (start, end) = stored::entry_range(&id, 0, u64::MAX);
        let meets = self.streams.get(&id).is_some_and(|stream| stream.phase == Phase::Meeting);
        let reading = if meets {
            Reading::Meeting(id, turn, Met::default())
        } else {
            Reading::Entries(id, turn, Vec::new())
        };
        self.scan(whole(start, end), reading);
    }

    fn handle_entry_page(
        &mut self,
        id: StreamId,
        turn: u64,
        mut read: Vec<(u64, Entry)>,
        page: Page,
        now: Now,
    ) {
        let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.reading == turn) else { return };
        let mut damaged = !page.damaged.is_empty();
        // Nothing new is put in their place.
        for (_, arrival) in page.damaged.iter().filter_map(|key| stored::parse_entry_key(key)) {
            stream.arrivals = stream.arrivals.max(arrival + 1);
        }
        for (key, value) in page.rows {
            let Some((_, arrival)) = stored::parse_entry_key(&key) else { continue };
            stream.arrivals = stream.arrivals.max(arrival + 1);
            match stored::decode_entry(value) {
                Ok(entry) => read.push((arrival, entry)),
                Err(_) => damaged = true,
            }
        }
        if damaged {
            self.events.damaged(id, "store.record");
        }
        match page.more {
            Some(start) => {
                let (_, end) = stored::entry_range(&id, 0, u64::MAX);
                self.scan(whole(start, end), Reading::Entries(id, turn, read));
            }
            None => drop(self.build(id, read, now)),
        }
    }

    /// The log is built, and the text if there is one: sorts out what it amounts to.
    pub(super) fn finish_entries(
        &mut self,
        id: StreamId,
        standing: Standing,
        document: Option<Document>,
        now: Now,
    ) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let rebuilt = stream.phase == Phase::Rebuilding;
        let leads = self.role == Role::Leading;
        let own = |name: &ReplicaId| leads && self.identities.contains_key(name);
        let held = stream.take_held();
        let pages = std::mem::take(&mut stream.pages);
        let page = pages.first().map(Vec::as_slice);
        match &mut stream.body {
            Body::Directory(directory) => {
                *directory = Directory::default();
                let decisions = page.and_then(directory::check_page);
                decisions.into_iter().flatten().for_each(|decision| directory.restore(decision));
            }
            Body::Channel(open) => {
                open.restart();
                if let Some(root) = &stream.snapshot {
                    let (contents, newest) = (page.unwrap_or_default(), pages.get(1).map(Vec::as_slice));
                    open.cover(root, contents, newest, false);
                }
            }
            Body::Unopened | Body::Text(_) => {}
        }
        let lacks_snapshot = std::mem::take(&mut stream.snapshot_lost);
        // Not before: a snapshot that came while it was read would have covered it unseen.
        stream.lacks_snapshot = lacks_snapshot;
        stream.restore(standing, own);
        self.keep_closed_tips(id);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let (joining, mut apart) = if lacks_snapshot {
            let mut held = held;
            held.retain(|entry| stream.held_as(&entry.name()).is_none());
            (held, Vec::new())
        } else {
            stream.rejoin(held)
        };
        // What others wrote the home sends again.
        apart.retain(|entry| self.identities.contains_key(&entry.name().replica));
        // Before the text is built: it takes the name that is written under from here on.
        self.keep_apart(id, &apart, now);
        let current = self.current;
        let last = |stream: &Stream| Some(stream.outbox.get(&current)?.back()?.entry.name().seq);
        let behind = |stream: &&Stream| last(stream) > Some(stream.log.tip(&current).seq);
        let renamed = leads && !lacks_snapshot && self.streams.get(&id).filter(behind).is_some();
        if renamed {
            // What is written next would have the name of something that waits.
            self.mint();
        }
        let replica = self.current.client();
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if let (Body::Text(old), Some(document)) = (&mut stream.body, document) {
            let client = if rebuilt || renamed || !apart.is_empty() { replica } else { old.client() };
            let (mut document, copied) = document.under(client);
            old.editors().for_each(|editor| document.open_editor(editor));
            **old = document;
            if let Err(error) = copied {
                self.events.damaged(id, &format!("ydoc.apply: {error}"));
            }
        }
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.backlog = Backlog::default();
        if lacks_snapshot {
            // Nothing can be written on what is not here: it stays closed until the home has sent it.
            for entry in joining {
                let arrival = UNWRITTEN + entry.header().logical;
                let name = entry.name();
                stream.outbox.entry(name.replica).or_default().push_back(Unsaved {
                    arrival,
                    head: None,
                    entry,
                });
            }
            return self.subscribe(id, now);
        }
        for entry in joining {
            self.apply_entry(&entry);
            self.keep(entry, now);
        }
        if matches!(self.streams.get(&id).map(|stream| &stream.body), Some(Body::Channel(_))) {
            return self.read_channel(id);
        }
        self.read_leftovers(id, now);
    }

    /// Seals the journals that dead pages left in a stream, one after the other; then the stream can be used.
    pub(super) fn read_leftovers(&mut self, id: StreamId, now: Now) {
        let Some(turn) = self.streams.get(&id).map(|stream| stream.reading) else { return };
        let leftover = self.boot.leftovers.iter().find(|(stream, _)| *stream == id).copied();
        match leftover {
            Some((_, replica)) => {
                let prefix = stored::journal_stream(&id, &replica);
                let end = [prefix.as_slice(), &[0xff; 9]].concat();
                self.scan(whole(prefix, end), Reading::Journal(id, turn, replica, Vec::new()));
            }
            None => self.finish_load(id, now),
        }
    }

    fn handle_journal_page(
        &mut self,
        id: StreamId,
        turn: u64,
        replica: ReplicaId,
        mut read: Vec<Vec<u8>>,
        page: Page,
        now: Now,
    ) {
        // Opened meanwhile, the stream is read anew, and this with it.
        if self.streams.get(&id).is_none_or(|stream| stream.reading != turn) {
            return;
        }
        for (_, value) in &page.rows {
            match stored::decode_piece(value) {
                Ok(update) => read.push(update.to_vec()),
                Err(_) => self.events.damaged(id, "store.record"),
            }
        }
        for _ in &page.damaged {
            self.events.damaged(id, "store.record");
        }
        if let Some(start) = page.more {
            let end = [stored::journal_stream(&id, &replica).as_slice(), &[0xff; 9]].concat();
            return self.scan(whole(start, end), Reading::Journal(id, turn, replica, read));
        }
        self.boot.leftovers.retain(|left| *left != (id, replica));
        self.seal_leftover(id, replica, &read, now);
        self.read_leftovers(id, now);
    }

    /// The stream can be used; tell the app and ask the home, or take what the leader has sent meanwhile.
    pub(super) fn finish_load(&mut self, id: StreamId, now: Now) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.find_leftovers();
        if self.role == Role::Leading {
            // Whatever journal there was on the disk is sealed by now: nothing more comes of it.
            stream.leftovers.clear();
        }
        if stream.phase == Phase::Ready {
            // It was in use while the disk was met: what has changed is told already.
            self.events.push(Event::SaveStatus(id));
            self.serve_waiting(id);
            self.retry_parked(id, now);
            self.work_off(id, now);
            self.put_back(id, now);
            self.return_moved(id, now);
            return self.subscribe(id, now);
        }
        stream.phase = Phase::Ready;
        (stream.fork_told, stream.moved) = (false, false);
        match &stream.body {
            Body::Text(_) => {
                self.events.push(Event::Text { stream: id, change: Change::Reset, editor: None });
            }
            Body::Directory(_) => self.events.push(Event::Directory),
            Body::Channel(_) => self.events.push(Event::Channel(id)),
            Body::Unopened => {}
        }
        self.events.push(Event::SaveStatus(id));
        let meanwhile = std::mem::take(&mut stream.gathered);
        self.serve_waiting(id);
        match self.role {
            Role::Leading => self.subscribe(id, now),
            Role::Following => {
                self.handle_entries(meanwhile.into_iter().map(|(_, entry)| entry).collect(), now);
            }
        }
        self.fetch_older(id);
        self.put_back(id, now);
        self.return_moved(id, now);
    }

    /// Rows of one kind of a stream that a deleted or rebuilt stream leaves behind.
    pub(super) fn forget_rows(&mut self, id: &StreamId) {
        let log = [Prefix::Entry, Prefix::Index, Prefix::Tip, Prefix::Snapshot, Prefix::Page];
        for prefix in log.into_iter().chain([Prefix::Saved, Prefix::Read, Prefix::Vouched]) {
            self.queue.delete_prefix(stored::stream_prefix(prefix, id));
        }
        self.forget_heads(id);
    }
}

impl Reading {
    /// Whether it is a channel's own rows, in this turn: its entries are taken already.
    pub(super) fn is_of_channel(&self, id: StreamId, turn: u64) -> bool {
        matches!(self, Self::Channel(of, at) if (*of, *at) == (id, turn))
    }
}

impl Stream {
    /// Takes what stands of the entries that were read, and sorts out what the home has not saved.
    fn restore(&mut self, standing: Standing, own: impl Fn(&ReplicaId) -> bool) {
        self.log = standing.log;
        self.outbox.clear();
        // Below the snapshot the disk has some for thirty days.
        self.own = Own::Read;
        if let Some(root) = &self.snapshot {
            for (replica, tip) in root.tips() {
                if own(&replica) && self.saved_upto(&replica) < tip.seq {
                    self.own = Own::Unread;
                }
            }
        }
        for unsaved in standing.entries {
            let header = unsaved.entry.header();
            let joins = unsaved.head.is_some();
            let is_unsaved = own(&header.replica) && header.seq > self.saved_upto(&header.replica);
            // What does not join is offered too: the home asks for what it waits for, or says why it is refused.
            if is_unsaved && (joins || !self.is_refused(unsaved.entry.name())) {
                let entries = self.outbox.entry(header.replica).or_default();
                // One that waited and came back has two rows.
                let at = entries.partition_point(|held| held.entry.name().seq < header.seq);
                if entries.get(at).is_none_or(|held| held.entry.name() != unsaved.entry.name()) {
                    entries.insert(at, unsaved.clone());
                }
            }
            if !joins {
                continue;
            }
            self.tail += 1;
            let entry = &unsaved.entry;
            match (&mut self.body, header.kind) {
                (Body::Directory(directory), EntryKind::Edit) => {
                    if let Ok(op) = directory::check(entry.payload()) {
                        directory.apply(header, op);
                    }
                }
                (Body::Channel(open), _) => open.channel.apply(entry),
                _ => {}
            }
        }
    }
}

/// Arrival of what is held while the home's snapshot is waited for and stands in no row yet: behind all rows there can be.
pub(super) const UNWRITTEN: u64 = 1 << 63;

pub(super) fn whole(start: Vec<u8>, end: Vec<u8>) -> Scan {
    Scan { start, end, max_bytes: SCAN_BYTES, max_rows: SCAN_ROWS }
}
