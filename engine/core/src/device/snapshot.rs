//! A snapshot from the home (rule 8): applied to whatever is here, kept, and the entries it covers let go (rule 9).

use crate::chat::page::{check_contents, check_posts};
use crate::device::Room;
use crate::device::event::Event;
use crate::device::fork::Why;
use crate::device::journal::Tag;
use crate::device::load::{Reading, whole};
use crate::device::pages::Role;
use crate::device::stream::{Body, Phase, Stream};
use crate::directory;
use crate::ids::{ReplicaId, StreamId, StreamKind};
use crate::limits::{OWN_ENTRIES_KEPT, POST_PAGE_MOST, TRANSFER_BYTES};
use crate::log::{Dep, EntryName, Tip};
use crate::snapshot::{PageId, Root, SignedRoot, SnapshotId};
use crate::storage::{Durability, Page};
use crate::stored::{self, Prefix, TipRecord};
use crate::time::Now;
use crate::wire::{self, Chunk, Whole};
use crate::ydoc;

/// Something of which a part has come.
#[derive(Debug)]
pub(super) struct Arriving {
    of: Whole,
    total: usize,
    bytes: Vec<u8>,
}

/// The next piece; answers the whole if it was the last. What does not continue the piece before is dropped with it, and
/// so is what would have more than `most` bytes.
pub(super) fn gather(slot: &mut Option<Arriving>, chunk: Chunk, most: usize) -> Option<Vec<u8>> {
    let Chunk { of, at, total, bytes, .. } = chunk;
    let total = usize::try_from(total).unwrap_or(usize::MAX);
    if at == 0 && total <= most {
        *slot = Some(Arriving { of, total, bytes: Vec::new() });
    }
    let mut arriving = slot.take()?;
    if arriving.of != of || arriving.bytes.len() as u64 != at {
        return None;
    }
    arriving.bytes.extend_from_slice(&bytes);
    if arriving.bytes.len() >= arriving.total {
        return Some(arriving.bytes);
    }
    *slot = Some(arriving);
    None
}

impl Room {
    /// The next piece of a snapshot or of a page. Of one that is dropped the home is asked again.
    pub(super) fn handle_chunk(&mut self, chunk: Chunk, now: Now) {
        let id = chunk.stream;
        let snapshot = match chunk.of {
            Whole::Snapshot(snapshot) => snapshot,
            Whole::Page(page) => return self.handle_page_chunk(page, chunk, now),
        };
        let follows = self.role == Role::Following;
        let takes = |stream: &&mut Stream| match stream.phase {
            Phase::Ready => true,
            Phase::Loading | Phase::Rebuilding => follows || stream.lacks_snapshot,
            Phase::Meeting | Phase::Gone => false,
        };
        let Some(stream) = self.streams.get_mut(&id).filter(takes) else {
            return;
        };
        stream.note_heard(now);
        let Some(bytes) = gather(&mut stream.arriving, chunk, TRANSFER_BYTES) else { return };
        if self.take_snapshot(id, snapshot, &bytes, now).is_none() {
            self.events.damaged(id, "snapshot");
        }
    }

    /// `None`: it is not what it says, or not safe to apply; nothing of it was.
    fn take_snapshot(&mut self, id: StreamId, snapshot: SnapshotId, bytes: &[u8], now: Now) -> Option<()> {
        let (record, pages) = wire::snapshot::split(bytes)?;
        let root = SignedRoot::decode(record).ok()?.root;
        let ascending = root.coverage.is_sorted_by(|(a, _), (b, _)| a < b);
        if root.id() != snapshot || root.stream != id || !ascending || !are_of(&root, &pages) {
            return None;
        }
        let page = *pages.first()?;
        match id.kind() {
            StreamKind::Ydoc => ydoc::check_page(page, &root.log()).ok()?,
            StreamKind::Directory => drop(directory::check_page(page)?),
            StreamKind::Chat => {
                check_contents(page, root.pages.len() - 1)?;
                if let Some(newest) = pages.get(1) {
                    check_posts(newest)?;
                }
            }
            StreamKind::Amdoc | StreamKind::Comments => return None,
        }
        let stream = self.streams.get_mut(&id)?;
        if self.role == Role::Following && stream.phase != Phase::Ready {
            // It is read from the leader, and this is where it begins.
            stream.pages = pages.iter().take(2).map(|page| page.to_vec()).collect();
            stream.snapshot = Some(Box::new(root));
            return Some(());
        }
        let before = self.on_disk(&id);
        let declined = self.meet_copy(id, &root, now);
        let stream = self.streams.get_mut(&id)?;
        stream.question.declined |= declined;
        if declined {
            return Some(());
        }
        let was_here = stream.log.reaches(root.tips());
        if stream.would_lose_to(&root, self.role == Role::Leading) {
            stream.pass_over(snapshot, root.marks());
            return Some(());
        }
        stream.passed_over = None;
        stream.log.cover(root.tips(), &root.frontier);
        stream.rejoin_parted(&root);
        stream.lost.retain(|name| root.covered(&name.replica) < name.seq);
        stream.wants_newer = false;
        if let Body::Channel(open) = &mut stream.body {
            open.cover(&root, page, pages.get(1).copied(), was_here);
            self.events.push(Event::Channel(id));
        }
        stream.find_leftovers();
        self.apply_page(id, page);
        if self.role == Role::Leading {
            self.keep_snapshot(id, root, record, &pages, now);
            self.queue.tag(Tag::Snapshot { stream: id, before }, Durability::Relaxed);
        }
        if self.streams.get_mut(&id).is_some_and(|stream| std::mem::take(&mut stream.lacks_snapshot)) {
            // Own entries above the one that was lost stand on the disk and nowhere else.
            self.load_stream(id);
        }
        self.return_soon(id, now);
        self.retry_parked(id, now);
        self.work_off(id, now);
        self.fetch_older(id);
        Some(())
    }

    /// What a page does to the state of its stream. It has passed the guard.
    pub(super) fn apply_page(&mut self, id: StreamId, page: &[u8]) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        match &mut stream.body {
            Body::Text(document) => {
                document.weigh_anew();
                stream.backlog.push_state(page);
            }
            Body::Directory(directory) => {
                let decisions = directory::check_page(page).into_iter().flatten();
                decisions.for_each(|decision| directory.restore(decision));
                self.events.push(Event::Directory);
            }
            Body::Unopened | Body::Channel(_) => {}
        }
    }

    /// Rule 12, as for entries: a snapshot that covers what we did not write under a name of ours. Answers whether
    /// something has to come before the snapshot can be taken.
    fn meet_copy(&mut self, id: StreamId, root: &Root, now: Now) -> bool {
        let own = root.tips().filter(|(replica, _)| self.identities.contains_key(replica));
        let mut waits = false;
        for (replica, tip) in own.collect::<Vec<_>>() {
            let Some(stream) = self.streams.get(&id) else { return true };
            let here = stream.log.tip(&replica).seq;
            let writes_on = stream.document().is_some_and(|document| document.client() == replica.client());
            if stream.parted.contains(&replica) {
                continue;
            }
            let wrote = stream.wrote(&mark(replica, tip));
            if wrote != Some(true)
                && self.role == Role::Leading
                && let Some((_, first)) = self.unsaved_from(id, EntryName { replica, seq: 0 }).first()
                && first.name().seq <= tip.seq
            {
                if stream.lacks_snapshot {
                    // The row of that entry may say that it is ours, also where the home has let go of what is below.
                    self.mark_saved(id, &mark(replica, tip), now);
                    waits = true;
                    continue;
                }
                // It says where the chain ends, and not whether what was not called saved is on the way there.
                self.compare_chain(id, EntryName { replica, seq: tip.seq });
                return true;
            }
            if tip.seq > here && writes_on && !stream.journal.updates.is_empty() {
                self.close_replica(id, EntryName { replica, seq: here + 1 }, &Why::cloned(), now);
                return true;
            }
            if wrote == Some(false) {
                self.meet_other_words(id, EntryName { replica, seq: tip.seq }, now);
                return true;
            }
        }
        waits
    }

    /// Writes it to the disk, and lets go of what it covers.
    fn keep_snapshot(&mut self, id: StreamId, root: Root, record: &[u8], pages: &[&[u8]], now: Now) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.tail = 0;
        match &stream.snapshot {
            Some(before) => {
                for page in before.pages.iter().filter(|page| !root.pages.contains(page)) {
                    self.queue.delete(stored::page_key(&id, page));
                }
            }
            // Nobody knows which pages one has left that could not be read.
            None => self.queue.delete_prefix(stored::stream_prefix(Prefix::Page, &id)),
        }
        self.queue.put(stored::snapshot_key(&id), record.to_vec());
        for page in pages {
            let name = PageId::of(page);
            if root.pages.contains(&name)
                && (page.len() <= POST_PAGE_MOST || root.pages.first() == Some(&name))
            {
                self.queue.put(stored::page_key(&id, &name), stored::encode_piece(page));
            }
        }
        stream.snapshot = Some(Box::new(root));
        let Some(root) = self.streams.get(&id).and_then(|stream| stream.snapshot.as_ref()) else { return };
        let own = root.tips().filter(|(replica, _)| self.identities.contains_key(replica));
        for (replica, tip) in own.collect::<Vec<_>>() {
            let here = self.streams.get(&id).map(|stream| stream.log.tip(&replica));
            if here == Some(tip) {
                self.queue.put(stored::tip_key(&id, &replica), TipRecord::from(tip).encode());
            }
            self.mark_saved(id, &mark(replica, tip), now);
            if let Some(stream) = self.streams.get_mut(&id)
                && stream.saved.get(&replica).is_some_and(|saved| *saved >= tip.seq)
            {
                // What is another copy's is no word on ours.
                stream.question.note_at_least(mark(replica, tip));
            }
            if replica == self.current && here == Some(tip) {
                self.mint();
            }
        }
        self.forget_covered_heads(id);
        let (start, end) = stored::entry_range(&id, 0, u64::MAX);
        self.scan(whole(start, end), Reading::Sweep(id));
    }

    /// Entries that the snapshot covers leave the disk; this device's own stay for thirty days, for a home that is
    /// restored from a backup.
    pub(super) fn handle_sweep(&mut self, id: StreamId, page: Page, now: Now) {
        let since = self.home_time(now).since(OWN_ENTRIES_KEPT);
        let Some(stream) = self.streams.get(&id) else { return };
        let Some(root) = stream.snapshot.as_ref().filter(|_| stream.phase != Phase::Gone) else { return };
        let mut gone = Vec::new();
        for (key, value) in page.rows {
            let Ok(entry) = stored::decode_entry(value) else { continue };
            let EntryName { replica, seq } = entry.name();
            let kept = self.identities.contains_key(&replica) && entry.header().time >= since;
            if seq <= root.covered(&replica) && !kept {
                gone.push((key, stored::index_key(&id, &replica, seq)));
            }
        }
        for (row, index) in gone {
            self.queue.delete(row);
            self.queue.delete(index);
        }
        if let Some(start) = page.more {
            let (_, end) = stored::entry_range(&id, 0, u64::MAX);
            self.scan(whole(start, end), Reading::Sweep(id));
        }
    }
}

/// Whether the pages that a reader begins with are there. Of others those are kept that it names.
fn are_of(root: &Root, pages: &[&[u8]]) -> bool {
    let is_it = |number| root.opening(number) == pages.get(number).map(|page| PageId::of(page));
    is_it(0) && (root.pages.len() < 2 || is_it(1))
}

fn mark(replica: ReplicaId, tip: Tip) -> Dep {
    Dep { replica, seq: tip.seq, head: tip.head.short() }
}
