//! What the other pages are sent: the disk's entries, and from then on what gets there.

use crate::device::fork::Why;
use crate::device::load::Reading;
use crate::device::pages::PageOutput;
use crate::device::stream::Phase;
use crate::device::{Output, Room};
use crate::ids::{ReplicaId, SiblingId, StreamId};
use crate::limits::{CATCH_UP_BYTES, FRAME_ENTRIES};
use crate::log::{Dep, Entry, EntryName};
use crate::snapshot::SignedRoot;
use crate::storage::{Page, Scan};
use crate::stored;
use crate::wire::{self, Kept, Message, Need, Refused, Saved, Subscribe, Synced, Version};

/// What a page holds of a stream: the part of its version that matters here.
pub(in crate::device) type Held = Vec<(ReplicaId, u64)>;

/// How far a page has been sent a stream.
#[derive(Debug)]
pub(super) enum Following {
    /// It waits until the stream can be used here.
    Wanted(Held),
    /// It is sent the disk's entries.
    Reading {
        held: Held,
        /// Which walk along the disk.
        walk: u64,
        /// Whether more has come to the disk since.
        again: bool,
    },
    /// It is sent what comes to the disk.
    Live,
}

impl Room {
    pub(super) fn serve_subscribe(&mut self, page: SiblingId, subscribe: Subscribe) {
        let Subscribe { stream: id, version, digest, .. } = subscribe;
        if !self.streams.contains_key(&id) {
            self.load_stream(id);
        }
        let in_step = self.streams.get(&id).is_some_and(|stream| stream.log.digest() == digest);
        if in_step && self.is_served(&id) {
            self.set_following(page, id, Following::Live);
            return self.send_synced(page, id);
        }
        let held = version.above.iter().map(|mark| (mark.replica, mark.seq)).collect();
        self.set_following(page, id, Following::Wanted(held));
        self.serve_waiting(id);
    }

    pub(super) fn serve_need(&mut self, page: SiblingId, need: &Need) {
        let mut held = self.on_disk(&need.stream);
        if let Some((_, seq)) = held.iter_mut().find(|(replica, _)| *replica == need.replica) {
            *seq = need.from - 1;
            self.set_following(page, need.stream, Following::Wanted(held));
            self.serve_waiting(need.stream);
        }
    }

    /// Whether anybody looks at a stream from another page.
    pub(in crate::device) fn is_watched(&self, id: &StreamId) -> bool {
        self.siblings.pages.iter().any(|page| page.follows.iter().any(|(stream, _)| stream == id))
    }

    fn is_served(&self, id: &StreamId) -> bool {
        self.streams.get(id).is_some_and(|stream| matches!(stream.phase, Phase::Ready | Phase::Gone))
    }

    /// The stream can be used: whoever waits for it is served.
    pub(in crate::device) fn serve_waiting(&mut self, id: StreamId) {
        if !self.is_served(&id) {
            return;
        }
        let mut walks = Vec::new();
        for page in &mut self.siblings.pages {
            let following = page.follows.iter_mut().find(|(stream, _)| *stream == id);
            if let Some((_, following @ Following::Wanted(_))) = following {
                let Following::Wanted(held) = std::mem::replace(following, Following::Live) else { continue };
                self.siblings.walks += 1;
                let walk = self.siblings.walks;
                *following = Following::Reading { held, walk, again: false };
                walks.push((page.id, walk));
            }
        }
        for (page, walk) in walks {
            if self.lacks_covered(page, id) {
                self.scan_row(stored::snapshot_key(&id), Reading::SiblingRoot { page, stream: id, walk });
            } else {
                self.walk_from_start(page, id, walk);
            }
        }
    }

    /// Whether the disk has a snapshot in the place of something a page does not hold.
    fn lacks_covered(&mut self, page: SiblingId, id: StreamId) -> bool {
        let Some(Following::Reading { held, .. }) = self.follows(page, id) else { return false };
        let held = held.clone();
        let root = self.streams.get(&id).and_then(|stream| stream.snapshot.as_ref());
        root.is_some_and(|root| root.tips().any(|(replica, tip)| seq_of(&held, &replica) < tip.seq))
    }

    pub(in crate::device) fn serve_root(&mut self, page: SiblingId, id: StreamId, walk: u64, rows: Page) {
        let Some((_, record)) = rows.rows.into_iter().next() else { return };
        let root = SignedRoot::decode(&record).ok().map(|signed| signed.root);
        if let Some(first) = root.as_ref().and_then(|root| root.pages.first()) {
            let reading = Reading::SiblingPage { page, stream: id, walk, record };
            self.scan_row(stored::page_key(&id, first), reading);
        }
    }

    /// Where the snapshot was replaced while it was read, the page asks again.
    pub(in crate::device) fn serve_snapshot(
        &mut self,
        page: SiblingId,
        id: StreamId,
        walk: u64,
        record: &[u8],
        rows: &Page,
    ) {
        let Ok(SignedRoot { root, .. }) = SignedRoot::decode(record) else { return };
        let content = rows.rows.first().and_then(|(_, value)| stored::decode_piece(value).ok());
        let current = self.follows(page, id).is_some_and(|following| following.is_walk(walk));
        if let Some(content) = content.filter(|_| current) {
            for frame in wire::snapshot::frames(&root, record, content, CATCH_UP_BYTES) {
                self.outputs.push_back(Output::Page(PageOutput::Send(page, frame)));
            }
            self.walk_from_start(page, id, walk);
        }
    }

    /// A snapshot came to the disk in the place of entries: whoever looks on is sent it.
    pub(in crate::device) fn publish_snapshot(&mut self, id: StreamId, before: &[(ReplicaId, u64)]) {
        for page in &mut self.siblings.pages {
            for (_, following) in page.follows.iter_mut().filter(|(stream, _)| *stream == id) {
                if matches!(following, Following::Live) {
                    *following = Following::Wanted(before.to_vec());
                }
            }
        }
        self.serve_waiting(id);
    }

    fn walk_from_start(&mut self, page: SiblingId, id: StreamId, walk: u64) {
        let (start, _) = stored::entry_range(&id, 0, 0);
        self.walk(page, id, walk, start);
    }

    fn walk(&mut self, page: SiblingId, id: StreamId, walk: u64, start: Vec<u8>) {
        let (_, end) = stored::entry_range(&id, 0, u64::MAX);
        let scan = Scan { start, end, max_bytes: CATCH_UP_BYTES, max_rows: FRAME_ENTRIES };
        self.scan(scan, Reading::Sibling { page, stream: id, walk });
    }

    pub(in crate::device) fn handle_sibling_page(
        &mut self,
        page: SiblingId,
        id: StreamId,
        walk: u64,
        rows: Page,
    ) {
        let Some(Following::Reading { held, walk: current, again }) = self.follows(page, id) else { return };
        if *current != walk {
            return;
        }
        let last = rows.rows.last().map(|(key, _)| [key.as_slice(), &[0]].concat());
        let lacks = |name: EntryName| name.seq > seq_of(held, &name.replica);
        let entries = rows.rows.into_iter().filter_map(|(_, value)| stored::decode_entry(value).ok());
        let entries: Vec<Entry> = entries.filter(|entry| lacks(entry.name())).collect();
        let more = rows.more.or_else(|| std::mem::take(again).then_some(last).flatten());
        if !entries.is_empty() {
            self.send_to(page, &Message::Entries(entries));
        }
        match more {
            Some(start) => self.walk(page, id, walk, start),
            None => {
                self.set_following(page, id, Following::Live);
                self.send_synced(page, id);
            }
        }
    }

    /// A page that cannot be read now is asked for again by the one that wants it.
    fn send_synced(&mut self, page: SiblingId, id: StreamId) {
        let Some(stream) = self.streams.get(&id) else { return };
        let gone = stream.phase == Phase::Gone;
        let digest = stream.log.digest();
        let saved: Vec<Dep> = stream.saved.iter().filter_map(|(of, seq)| stream.mark(*of, *seq)).collect();
        let above = self
            .on_disk(&id)
            .into_iter()
            .map(|(replica, seq)| stream.mark(replica, seq).unwrap_or(Dep { replica, seq, head: [0; 8] }));
        let version = Version { snapshot: None, above: above.collect() };
        self.send_to(page, &Synced { stream: id, version, digest, gone }.into());
        for Dep { replica, seq, head } in saved {
            if self.siblings.page(page).is_some_and(|page| page.replicas.contains(&replica)) {
                self.send_to(page, &Saved { stream: id, replica, seq, head }.into());
            }
        }
    }

    /// What is on the disk of a stream: all that is known but what is on its way there.
    pub(in crate::device) fn on_disk(&self, id: &StreamId) -> Held {
        let Some(stream) = self.streams.get(id) else { return Held::new() };
        let mut above: Held = stream.log.tips().map(|(replica, tip)| (replica, tip.seq)).collect();
        for entry in self.queue.waiting().filter_map(|tag| tag.entry()) {
            let name = entry.name();
            if entry.header().stream == *id
                && let Some((_, seq)) = above.iter_mut().find(|(replica, _)| *replica == name.replica)
            {
                *seq = (*seq).min(name.seq - 1);
            }
        }
        above.retain(|(_, seq)| *seq > 0);
        above
    }

    /// Entries are on the disk: only now do the other pages hear of them, and their authors that they are kept.
    pub(in crate::device) fn publish(&mut self, entries: &[Entry]) {
        if entries.is_empty() {
            return;
        }
        let mut frames = Vec::new();
        for page in &mut self.siblings.pages {
            let mut wanted: Vec<&Entry> = Vec::new();
            for entry in entries {
                let (id, EntryName { replica, seq }) = (entry.header().stream, entry.name());
                if page.replicas.contains(&replica) {
                    let kept = Kept { stream: id, replica, seq };
                    frames.push((page.id, wire::encode(&kept.into())));
                    continue;
                }
                match page.follows.iter_mut().find(|(stream, _)| *stream == id) {
                    Some((_, Following::Live)) => wanted.push(entry),
                    Some((_, Following::Reading { again, .. })) => *again = true,
                    Some((_, Following::Wanted(_))) | None => {}
                }
            }
            for run in wanted.chunks(FRAME_ENTRIES) {
                frames.push((page.id, wire::encode_entries(run.iter().copied())));
            }
        }
        for (page, bytes) in frames {
            self.outputs.push_back(Output::Page(PageOutput::Send(page, bytes)));
        }
    }

    /// The entry is here already: it is kept, or will be when what is on its way has reached the disk.
    pub(super) fn serve_known(&mut self, page: SiblingId, id: StreamId, name: EntryName) {
        let on_disk = self.on_disk(&id);
        let Some((replica, seq)) = on_disk.into_iter().find(|(replica, _)| *replica == name.replica) else {
            return;
        };
        self.send_to(page, &Kept { stream: id, replica, seq }.into());
        let stream = self.streams.get(&id);
        let saved = stream.and_then(|stream| stream.mark(replica, *stream.saved.get(&replica)?));
        if let Some(Dep { replica, seq, head }) = saved {
            self.send_to(page, &Saved { stream: id, replica, seq, head }.into());
        }
    }

    /// Work was refused and taken off the disk: the other pages let go of it too, and read the stream again.
    pub(in crate::device) fn tell_closed(&mut self, id: StreamId, closed: &[EntryName], why: &Why) {
        for page in &mut self.siblings.pages {
            page.follows.retain(|(stream, _)| *stream != id);
        }
        for EntryName { replica, seq } in closed.iter().copied() {
            let Why { code, sentence, .. } = why.clone();
            self.send_to_all(&Refused { stream: id, replica, seq, code, sentence }.into());
        }
    }

    pub(in crate::device) fn tell_gone(&mut self, id: StreamId) {
        let pages = self.siblings.pages.iter();
        let watching = pages.filter(|page| page.follows.iter().any(|(stream, _)| *stream == id));
        for page in watching.map(|page| page.id).collect::<Vec<_>>() {
            self.send_synced(page, id);
        }
    }

    fn follows(&mut self, page: SiblingId, id: StreamId) -> Option<&mut Following> {
        let follows = &mut self.siblings.page(page)?.follows;
        follows.iter_mut().find(|(stream, _)| *stream == id).map(|(_, following)| following)
    }

    fn set_following(&mut self, page: SiblingId, id: StreamId, following: Following) {
        if let Some(held) = self.follows(page, id) {
            *held = following;
        } else if let Some(page) = self.siblings.page(page) {
            page.follows.push((id, following));
        }
    }
}

impl Following {
    fn is_walk(&self, number: u64) -> bool {
        matches!(self, Self::Reading { walk, .. } if *walk == number)
    }
}

fn seq_of(held: &[(ReplicaId, u64)], replica: &ReplicaId) -> u64 {
    held.iter().find(|(of, _)| of == replica).map_or(0, |(_, seq)| *seq)
}
