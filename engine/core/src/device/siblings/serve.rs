//! What the other pages are sent: the disk's entries, and from then on what gets there.

use bytes::Bytes;

use crate::device::answers;
use crate::device::fork::Why;
use crate::device::load::Reading;
use crate::device::pages::{PageOutput, Role};
use crate::device::stream::{Phase, Stream};
use crate::device::{Output, Room};
use crate::ids::{ReplicaId, SiblingId, StreamId};
use crate::limits::{CATCH_UP_BYTES, FRAME_ENTRIES, STORE_RETRY};
use crate::log::{Dep, Digest, Entry, EntryName, Group};
use crate::snapshot::SignedRoot;
use crate::storage::{Page, Scan};
use crate::stored;
use crate::time::Now;
use crate::wire::{self, Body, Compare, Lost, Message, Need, Place, Refused, Saved, Subscribe, Synced};

/// What a page holds of a stream, in the order of replicas.
pub(in crate::device) type Held = Vec<(ReplicaId, u64)>;

/// A stream that a page follows.
#[derive(Debug)]
pub(super) struct Follows {
    stream: StreamId,
    /// Its newest question.
    question: u64,
    /// What it has asked for by name and was not sent yet.
    asked: Option<EntryName>,
    following: Following,
}

/// How far a page has been sent a stream.
#[derive(Debug)]
enum Following {
    /// It has asked before the stream could be used here.
    Early(Digest),
    /// It is telling what it holds.
    Telling(Held),
    /// It lacks something.
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
    pub(super) fn serve_subscribe(&mut self, page: SiblingId, subscribe: &Subscribe) {
        let Subscribe { stream: id, question, digest, .. } = *subscribe;
        if !self.streams.contains_key(&id) {
            self.load_stream(id);
        }
        self.set_following(page, id, Following::Early(digest));
        if let Some(follows) = self.follows(page, id) {
            follows.question = question;
            follows.asked = None;
        }
        if self.is_served(&id) {
            self.serve_question(page, id, &digest);
        }
    }

    fn serve_question(&mut self, page: SiblingId, id: StreamId, digest: &Digest) {
        if let Some(stream) = self.streams.get(&id) {
            // Before what it may lack: it must not call that saved.
            let unsent = first_unsent(id, stream, self.current);
            self.send_to(page, &unsent.into());
        }
        if self.streams.get(&id).is_some_and(|stream| stream.log.digest() == *digest) {
            self.set_following(page, id, Following::Live);
            self.send_synced(page, id);
        } else if *digest == Digest::NOTHING {
            self.set_following(page, id, Following::Wanted(Held::new()));
            self.serve_waiting(id);
        } else {
            self.set_following(page, id, Following::Telling(Held::new()));
            self.ask_page(page, id, Group(0).first());
        }
    }

    /// Pages of one device are near each other: what differs is not looked for, all is told.
    fn ask_page(&mut self, page: SiblingId, stream: StreamId, from: ReplicaId) {
        let Some(Follows { question, .. }) = self.follows(page, stream) else { return };
        let (groups, above, own, more) = (Vec::new(), Vec::new(), Vec::new(), false);
        let compare = Compare { stream, question: *question, from, groups, above, own, more };
        self.send_to(page, &compare.into());
    }

    pub(super) fn serve_compared(&mut self, page: SiblingId, compared: Compare) {
        let Compare { stream: id, question, above, own, more, .. } = compared;
        let newest = self.follows(page, id).is_some_and(|follows| follows.question == question);
        if !newest || self.tell_lost_before(page, id, &above) {
            return;
        }
        let Some(follows) = self.follows(page, id) else { return };
        let Following::Telling(held) = &mut follows.following else { return };
        held.extend(above);
        for (replica, seq) in own {
            let at = held.partition_point(|(other, _)| *other < replica);
            held.insert(at, (replica, seq));
        }
        if let Some((from, _)) = held.last().copied().filter(|_| more) {
            return self.ask_page(page, id, from);
        }
        let held = std::mem::take(held);
        if self.tell_refused_before(page, id, &held) {
            // It reads the stream again.
            return;
        }
        self.set_following(page, id, Following::Wanted(held));
        self.serve_waiting(id);
    }

    /// Of refused work that a page still holds it has not heard; answers whether there is any.
    fn tell_refused_before(&mut self, page: SiblingId, id: StreamId, held: &Held) -> bool {
        let Some(stream) = self.streams.get(&id) else { return false };
        let closed = stream.closed.iter().filter(|(replica, from)| {
            seq_of(held, replica) >= **from && stream.log.tip(replica).seq < **from
        });
        let closed: Vec<EntryName> =
            closed.map(|(replica, from)| EntryName { replica: *replica, seq: *from }).collect();
        self.tell_unheard(page, id, &closed)
    }

    /// Of this device's chains it holds more than there is and was told that it is kept: that was refused, and the fork of it
    /// has gone. Answers whether there is any.
    fn tell_lost_before(&mut self, page: SiblingId, id: StreamId, above: &[(ReplicaId, u64)]) -> bool {
        let Some(stream) = self.streams.get(&id).filter(|_| self.is_served(&id)) else { return false };
        let mut gone = Vec::new();
        for (replica, held) in above {
            let here = stream.log.tip(replica).seq.max(self.boot.tip(id, *replica));
            if *held > here && self.identities.contains_key(replica) {
                gone.push(EntryName { replica: *replica, seq: here + 1 });
            }
        }
        self.tell_unheard(page, id, &gone)
    }

    fn tell_unheard(&mut self, page: SiblingId, stream: StreamId, refused: &[EntryName]) -> bool {
        for EntryName { replica, seq } in refused.iter().copied() {
            let Why { code, sentence, .. } = Why::unheard();
            self.send_to(page, &Refused { stream, replica, seq, code, sentence }.into());
        }
        !refused.is_empty()
    }

    pub(super) fn serve_need(&mut self, page: SiblingId, need: &Need) {
        let mut held = self.on_disk(&need.stream);
        if let Some((_, seq)) = held.iter_mut().find(|(replica, _)| *replica == need.replica) {
            let is_there = (1..=*seq).contains(&need.from);
            *seq = need.from - 1;
            self.set_following(page, need.stream, Following::Wanted(held));
            if let Some(follows) = self.follows(page, need.stream) {
                follows.asked = is_there.then_some(EntryName { replica: need.replica, seq: need.from });
            }
            self.serve_waiting(need.stream);
        }
    }

    /// Whether anybody looks at a stream from another page.
    pub(in crate::device) fn is_watched(&self, id: &StreamId) -> bool {
        self.siblings.pages.iter().any(|page| page.follows.iter().any(|follows| follows.stream == *id))
    }

    fn is_served(&self, id: &StreamId) -> bool {
        self.streams.get(id).is_some_and(Stream::is_read)
    }

    /// The stream can be used: whoever waits for it is served.
    pub(in crate::device) fn serve_waiting(&mut self, id: StreamId) {
        if !self.is_served(&id) {
            return;
        }
        for at in 0..self.siblings.pages.len() {
            let page = self.siblings.pages[at].id;
            if let Some(Following::Early(digest)) = self.served(page, id) {
                let digest = *digest;
                self.serve_question(page, id, &digest);
            }
        }
        let mut walks = Vec::new();
        for page in &mut self.siblings.pages {
            let follows = page.follows.iter_mut().find(|follows| follows.stream == id);
            if let Some(Follows { following: following @ Following::Wanted(_), .. }) = follows {
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
        let Some(Following::Reading { held, .. }) = self.served(page, id) else { return false };
        let held = held.clone();
        let root = self.streams.get(&id).and_then(|stream| stream.snapshot.as_ref());
        root.is_some_and(|root| root.tips().any(|(replica, tip)| seq_of(&held, &replica) < tip.seq))
    }

    pub(in crate::device) fn serve_root(&mut self, page: SiblingId, id: StreamId, walk: u64, rows: Page) {
        let Some((_, record)) = rows.rows.into_iter().next() else { return };
        let root = SignedRoot::decode(&record).ok().map(|signed| signed.root);
        if let Some(first) = root.and_then(|root| root.opening(0)) {
            let reading = Reading::SiblingPage { page, stream: id, walk, record, pages: Vec::new() };
            self.scan_row(stored::page_key(&id, &first), reading);
        }
    }

    /// Where the snapshot was replaced while it was read, the page asks again.
    pub(in crate::device) fn serve_snapshot(
        &mut self,
        page: SiblingId,
        id: StreamId,
        walk: u64,
        record: Vec<u8>,
        mut pages: Vec<Bytes>,
        rows: &Page,
    ) {
        let Ok(SignedRoot { root, .. }) = SignedRoot::decode(&record) else { return };
        let content = rows.rows.first().and_then(|(_, value)| stored::decode_piece(value).ok());
        let current = self.served(page, id).is_some_and(|following| following.is_walk(walk));
        if let Some(content) = content.filter(|_| current) {
            pages.push(Bytes::copy_from_slice(content));
            if let Some(next) = root.opening(pages.len()) {
                let reading = Reading::SiblingPage { page, stream: id, walk, record, pages };
                return self.scan_row(stored::page_key(&id, &next), reading);
            }
            for frame in wire::snapshot::frames(&root, &record, &pages, CATCH_UP_BYTES) {
                self.outputs.push_back(Output::Page(PageOutput::Send(page, frame)));
            }
            if let Some(follows) = self.follows(page, id) {
                follows.asked = follows.asked.filter(|name| root.covered(&name.replica) < name.seq);
            }
            self.walk_from_start(page, id, walk);
        }
    }

    /// A snapshot came to the disk in the place of entries: whoever looks on is sent it.
    pub(in crate::device) fn publish_snapshot(&mut self, id: StreamId, before: &[(ReplicaId, u64)]) {
        for page in &mut self.siblings.pages {
            for follows in page.follows.iter_mut().filter(|follows| follows.stream == id) {
                let held = match &mut follows.following {
                    Following::Live => before.to_vec(),
                    // What it is being sent may stand on the disk no more.
                    Following::Reading { held, .. } => std::mem::take(held),
                    Following::Early(_) | Following::Telling(_) | Following::Wanted(_) => continue,
                };
                follows.following = Following::Wanted(held);
            }
        }
        self.serve_waiting(id);
    }

    /// A page begins with a snapshot that is not on the disk any more: it is sent the one that is.
    pub(in crate::device) fn serve_anew(&mut self, page: SiblingId, id: StreamId) {
        if self.served(page, id).is_some() {
            self.set_following(page, id, Following::Wanted(Held::new()));
            self.serve_waiting(id);
        }
    }

    /// A walk for another page could not be read on: it begins anew when the disk is tried again.
    pub(in crate::device) fn walk_later(&mut self, page: SiblingId, id: StreamId, walk: u64, now: Now) {
        if let Some(Following::Reading { held, walk: current, .. }) = self.served(page, id)
            && *current == walk
        {
            let held = std::mem::take(held);
            self.set_following(page, id, Following::Wanted(held));
            self.disk_retry_at.get_or_insert(now.monotonic.after(STORE_RETRY));
        }
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
        let Some(Following::Reading { held, walk: current, again }) = self.served(page, id) else { return };
        if *current != walk {
            return;
        }
        let last = rows.rows.last().map(|(key, _)| [key.as_slice(), &[0]].concat());
        let lacks = |name: EntryName| name.seq > seq_of(held, &name.replica);
        let entries = rows.rows.into_iter().filter_map(|(_, value)| stored::decode_entry(value).ok());
        let entries: Vec<Entry> = entries.filter(|entry| lacks(entry.name())).collect();
        let more = rows.more.or_else(|| std::mem::take(again).then_some(last).flatten());
        if let Some(follows) = self.follows(page, id) {
            follows.asked = follows.asked.filter(|name| entries.iter().all(|entry| entry.name() != *name));
        }
        if !entries.is_empty() {
            self.send_to(page, &Message::Entries(entries));
        }
        match more {
            Some(start) => self.walk(page, id, walk, start),
            None => {
                self.set_following(page, id, Following::Live);
                self.tell_lost(page, id);
                self.send_synced(page, id);
            }
        }
    }

    /// What a page has asked for does not read: it would ask again at once for as long as it is not told.
    fn tell_lost(&mut self, page: SiblingId, id: StreamId) {
        let asked = self.follows(page, id).and_then(|follows| follows.asked.take());
        if let Some(name) = asked {
            self.send_to(page, &Lost::damaged(id, name).into());
        }
    }

    /// A page that cannot be read now is asked for again by the one that wants it.
    fn send_synced(&mut self, page: SiblingId, id: StreamId) {
        let Some(stream) = self.streams.get(&id) else { return };
        let gone = stream.phase == Phase::Gone;
        let digest = stream.log.digest();
        let on_disk = self.on_disk(&id);
        let entries = on_disk.iter().fold(0u64, |sum, (_, seq)| sum.wrapping_add(*seq));
        let Some(Follows { question, .. }) = self.follows(page, id) else { return };
        let synced = Synced { stream: id, question: *question, digest, entries, gone };
        let written = self.siblings.page(page).map_or_else(Vec::new, |page| page.replicas.clone());
        for replica in &written {
            self.tell_kept(page, id, *replica, seq_of(&on_disk, replica));
        }
        self.send_to(page, &synced.into());
        for replica in written {
            self.tell_saved(page, id, replica);
        }
    }

    /// Whether the home lacks work of this device has changed: the pages that look on show it too.
    pub(in crate::device) fn tell_unsent(&mut self) {
        if self.role == Role::Following || self.siblings.pages.is_empty() {
            return;
        }
        for (id, stream) in self.streams.iter_mut() {
            let unsent = stream.has_outbox();
            if stream.unsent_told == unsent || !stream.is_read() {
                continue;
            }
            stream.unsent_told = unsent;
            let bytes = wire::encode(&first_unsent(*id, stream, self.current).into());
            for page in &self.siblings.pages {
                if page.follows.iter().any(|follows| follows.stream == *id) {
                    self.outputs.push_back(Output::Page(PageOutput::Send(page.id, bytes.clone())));
                }
            }
        }
    }

    fn tell_kept(&mut self, page: SiblingId, stream: StreamId, replica: ReplicaId, seq: u64) {
        if seq > 0 {
            self.send_to(page, &Body::Kept(Place { stream, replica, seq }).into());
        }
    }

    fn tell_saved(&mut self, page: SiblingId, stream: StreamId, replica: ReplicaId) {
        let state = self.streams.get(&stream);
        let saved = state.and_then(|state| state.mark(replica, *state.saved.get(&replica)?));
        if let Some(Dep { replica, seq, head }) = saved {
            self.send_to(page, &Saved { stream, replica, seq, head }.into());
        }
    }

    /// What is on the disk of a stream: all that is known but what is on its way there.
    pub(in crate::device) fn on_disk(&self, id: &StreamId) -> Held {
        let Some(stream) = self.streams.get(id) else { return Held::new() };
        let mut above: Held = stream.log.tips().map(|(replica, tip)| (replica, tip.seq)).collect();
        for entry in self.queue.waiting().filter_map(|tag| tag.entry()) {
            let name = entry.name();
            if entry.header().stream == *id
                && let Ok(at) = above.binary_search_by_key(&name.replica, |(replica, _)| *replica)
            {
                above[at].1 = above[at].1.min(name.seq - 1);
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
                    let kept = Body::Kept(Place { stream: id, replica, seq });
                    frames.push((page.id, wire::encode(&kept.into())));
                }
                // What is sealed here of the journal it left it has never seen.
                if page.has_brought(id, entry.name()) {
                    continue;
                }
                let follows = page.follows.iter_mut().find(|follows| follows.stream == id);
                match follows.map(|follows| &mut follows.following) {
                    Some(Following::Live) => wanted.push(entry),
                    Some(Following::Reading { again, .. }) => *again = true,
                    Some(Following::Early(_) | Following::Telling(_) | Following::Wanted(_)) | None => {}
                }
            }
            frames.extend(answers::frames(wanted).into_iter().map(|frame| (page.id, frame)));
        }
        for (page, bytes) in frames {
            self.outputs.push_back(Output::Page(PageOutput::Send(page, bytes)));
        }
    }

    /// The entry is here already: it is kept, or will be when what is on its way has reached the disk.
    pub(super) fn serve_known(&mut self, page: SiblingId, id: StreamId, name: EntryName) {
        let seq = seq_of(&self.on_disk(&id), &name.replica);
        self.tell_kept(page, id, name.replica, seq);
        self.tell_saved(page, id, name.replica);
    }

    /// Work was refused and taken off the disk: the other pages let go of it too, and read the stream again.
    pub(in crate::device) fn tell_closed(&mut self, id: StreamId, closed: &[EntryName], why: &Why) {
        for page in &mut self.siblings.pages {
            page.follows.retain(|follows| follows.stream != id);
        }
        for EntryName { replica, seq } in closed.iter().copied() {
            let Why { code, sentence, .. } = why.clone();
            self.send_to_all(&Refused { stream: id, replica, seq, code, sentence }.into());
        }
    }

    pub(in crate::device) fn tell_gone(&mut self, id: StreamId) {
        let pages = self.siblings.pages.iter();
        let watching = pages.filter(|page| page.follows.iter().any(|follows| follows.stream == id));
        for page in watching.map(|page| page.id).collect::<Vec<_>>() {
            self.send_synced(page, id);
        }
    }

    fn follows(&mut self, page: SiblingId, id: StreamId) -> Option<&mut Follows> {
        self.siblings.page(page)?.follows.iter_mut().find(|follows| follows.stream == id)
    }

    fn served(&mut self, page: SiblingId, id: StreamId) -> Option<&mut Following> {
        self.follows(page, id).map(|follows| &mut follows.following)
    }

    fn set_following(&mut self, page: SiblingId, id: StreamId, following: Following) {
        if let Some(held) = self.served(page, id) {
            *held = following;
        } else if let Some(page) = self.siblings.page(page) {
            page.follows.push(Follows { stream: id, question: 0, asked: None, following });
        }
    }
}

impl Following {
    fn is_walk(&self, number: u64) -> bool {
        matches!(self, Self::Reading { walk, .. } if *walk == number)
    }
}

/// The first entry of this device that the home has not called saved; number 0 for none.
fn first_unsent(id: StreamId, stream: &Stream, anybody: ReplicaId) -> Body {
    for held in stream.outbox.values() {
        if let Some(first) = held.front() {
            return Body::Unsent(Place::of(id, first.entry.name()));
        }
    }
    Body::Unsent(Place { stream: id, replica: anybody, seq: 0 })
}

fn seq_of(held: &[(ReplicaId, u64)], replica: &ReplicaId) -> u64 {
    held.binary_search_by_key(replica, |(of, _)| *of).map_or(0, |at| held[at].1)
}
