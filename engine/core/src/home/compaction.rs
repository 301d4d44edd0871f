//! Snapshots, made in one line for one stream at a time (rule 8), and the entries they cover moved to the archive
//! (rule 9).
//!
//! gather (parent, entries) → build → **draft** and new pages on the disk → gather again, from the disk → verify → in one
//! commit the draft becomes the snapshot, the covered entries become segments of the archive, what of the parent's pages it
//! does not have goes.
//! Until that last commit nothing is dropped, so a crash anywhere leaves at most a draft, which the next start discards.

mod gather;

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::home::Home;
use crate::home::append::Appended;
use crate::home::archive::places;
use crate::home::quarantine::Spoilt;
use crate::home::stream::HomeStream;
use crate::ids::{ReplicaId, StreamId};
use crate::limits::{
    POST_PAGE_POSTS, SNAPSHOT_BYTES, SNAPSHOT_ENTRIES, SNAPSHOT_PAGES_SENT, SNAPSHOT_QUIET, SNAPSHOT_RETRY,
};
#[cfg(feature = "planted-bugs")]
use crate::planted::Planted;
use crate::replica::Identity;
use crate::snapshot::{Built, Done, JobError, PageId, Root, Segment, SnapshotId, has_snapshots};
use crate::storage::{Durability, Expect};
use crate::stored::{self, HOME_KEY, Prefix, ReplicaRecord};
use crate::time::{Millis, Now};

use gather::Gathered;
pub(super) use gather::Step;

/// When streams get snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactionPlan {
    /// Entries above the last one.
    pub entries: u64,
    /// Or bytes of them.
    pub bytes: u64,
    /// How long a stream is left alone after an entry.
    pub quiet: Millis,
    /// Posts on one page of a channel; it is cut when it has twice as many.
    pub posts: usize,
    /// Bytes of its newest pages that are sent with a snapshot; the newest one always is.
    pub sent: usize,
}

impl Default for CompactionPlan {
    fn default() -> Self {
        Self {
            entries: SNAPSHOT_ENTRIES,
            bytes: SNAPSHOT_BYTES,
            quiet: SNAPSHOT_QUIET,
            posts: POST_PAGE_POSTS,
            sent: SNAPSHOT_PAGES_SENT,
        }
    }
}

impl CompactionPlan {
    fn is_due(&self, (entries, bytes): (u64, u64)) -> bool {
        entries >= self.entries || bytes >= self.bytes
    }

    /// A tail so long that its snapshot waits for nothing.
    fn is_late(&self, (entries, bytes): (u64, u64)) -> bool {
        entries >= 4 * self.entries || bytes >= 4 * self.bytes
    }
}

/// The snapshot of a stream that stands.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) id: SnapshotId,
    /// Entries below this arrival are in the archive.
    pub(super) arrivals: u64,
    bytes: u64,
    pub(super) pages: Vec<PageId>,
    /// Up to where each chain is covered, in the order of replicas.
    pub(super) covered: Vec<(ReplicaId, u64)>,
}

impl Standing {
    pub(super) fn of(root: &Root) -> Self {
        Self {
            id: root.id(),
            arrivals: root.arrivals,
            bytes: root.bytes,
            pages: root.pages.clone(),
            covered: root.coverage.iter().map(|(replica, tip)| (*replica, tip.seq)).collect(),
        }
    }

    /// Up to which entry a chain is covered; zero for none.
    pub(super) fn covered(&self, replica: &ReplicaId) -> u64 {
        let at = self.covered.binary_search_by_key(replica, |(covered, _)| *covered);
        at.map_or(0, |at| self.covered[at].1)
    }
}

/// A snapshot in the making.
#[derive(Debug)]
pub(super) struct Compaction {
    stream: StreamId,
    /// What the next job is for.
    purpose: Purpose,
    gathered: Gathered,
    /// The arrival behind the last entry that is covered; settled by the first gathering.
    upto: Option<u64>,
    /// The pages of the draft, once that is written.
    draft_pages: Vec<PageId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Build,
    Verify,
    /// None: it is right, and the commit that puts it in the place of entries is on its way.
    Replace,
}

impl Home {
    /// When streams get snapshots, if not as `limits.rs` says.
    pub fn plan_compaction(&mut self, plan: CompactionPlan) {
        self.plan = plan;
    }

    /// A stream has grown, or the room was just read: looks whether a snapshot is due.
    pub(super) fn expect_compaction(&mut self, stream: &StreamId, now: Now) {
        let Some(state) = self.streams.get(stream) else { return };
        let (tail, plan) = (state.tail(), self.plan);
        if !state.has_sound_rows() || !plan.is_due(tail) {
            return;
        }
        let quiet = now.monotonic.after(plan.quiet);
        self.compact_at = match state.compacts_from(now) {
            None => return,
            Some(later) if later > now.monotonic => Some(self.compact_at.map_or(later, |at| at.min(later))),
            Some(_) => Some(self.compact_at.filter(|_| plan.is_late(tail)).map_or(quiet, |at| at.min(quiet))),
        };
    }

    /// Starts on the stream with the longest tail.
    pub(super) fn tick_compaction(&mut self, now: Now) {
        if self.compaction.is_some() || self.stopping || !self.load_is_done() {
            return;
        }
        let plan = self.plan;
        let due = |state: &HomeStream| state.may_compact(now) && plan.is_due(state.tail());
        let longest =
            self.streams.iter().filter(|(_, state)| due(state)).max_by_key(|(_, state)| state.tail());
        let Some((stream, state)) = longest else { return self.next_compaction(now) };
        if self.retention.is_at_work() || (!self.queue.is_idle() && !plan.is_late(state.tail())) {
            self.compact_at = Some(now.monotonic.after(SNAPSHOT_RETRY));
            if self.retention.is_at_work() {
                self.retention.make_way(now);
            }
            return;
        }
        self.compaction = Some(Compaction {
            stream: *stream,
            purpose: Purpose::Build,
            gathered: Gathered::default(),
            upto: None,
            draft_pages: Vec::new(),
        });
        self.gather_root();
    }

    pub(super) fn handle_compacted(&mut self, done: Result<Done, JobError>, now: Now) {
        let Some(stream) = self.compaction.as_ref().map(|compaction| compaction.stream) else { return };
        if !self.may_go_on(stream, now) {
            return self.give_up(now);
        }
        #[cfg(feature = "planted-bugs")]
        let done = self.skip_verification(done);
        match done {
            Ok(Done::Built(built)) => self.write_draft(built),
            Ok(Done::Verified(segments)) => self.write_snapshot(segments, now),
            Ok(Done::Wants { pages, entries }) => self.gather_wanted(pages, entries),
            Ok(Done::Unpacked(_)) => {}
            Err(JobError::Busy) => {
                self.give_up(now);
                self.compact_at = Some(now.monotonic.after(SNAPSHOT_RETRY));
            }
            Err(error) => self.set_apart(stream, &Spoilt::Job(error), now),
        }
    }

    /// A planted bug: what was found wrong is taken for right.
    #[cfg(feature = "planted-bugs")]
    fn skip_verification(&self, done: Result<Done, JobError>) -> Result<Done, JobError> {
        let verifies =
            self.compaction.as_ref().is_some_and(|compaction| compaction.purpose == Purpose::Verify);
        if verifies && self.has_bug(Planted::UnverifiedDrop) { Ok(Done::Verified(Vec::new())) } else { done }
    }

    /// Leaves the snapshot that was being made; what of it is on the disk goes.
    pub(super) fn give_up(&mut self, now: Now) {
        let Some(compaction) = self.compaction.take() else { return };
        if compaction.purpose == Purpose::Verify {
            self.discard_draft(compaction.stream, &compaction.draft_pages);
        }
        self.next_compaction(now);
    }

    fn next_compaction(&mut self, now: Now) {
        self.compact_at = None;
        for stream in self.streams.keys().copied().collect::<Vec<_>>() {
            self.expect_compaction(&stream, now);
        }
    }

    /// A draft that never became a snapshot.
    pub(super) fn discard_draft(&mut self, stream: StreamId, pages: &[PageId]) {
        self.queue.delete(stored::draft_key(&stream));
        let standing = self.streams.get(&stream).and_then(|state| state.snapshot.as_ref());
        let standing = standing.map_or(&[][..], |standing| &standing.pages);
        for page in pages.iter().filter(|page| !standing.contains(page)) {
            self.queue.delete(stored::page_key(&stream, page));
        }
    }

    fn write_draft(&mut self, built: Built) {
        let Some(mut compaction) = self.compaction.take() else { return };
        let stream = compaction.stream;
        let (Some(arrivals), Some(key)) = (compaction.upto, self.signing_key()) else { return };
        let Gathered { base, .. } = &compaction.gathered;
        let bytes: usize = compaction.gathered.entries.iter().map(|entry| entry.bytes().len()).sum();
        let root = Root {
            stream,
            parent: base.as_ref().map(|base| base.root.id()),
            arrivals,
            bytes: base.as_ref().map_or(0, |base| base.root.bytes) + bytes as u64,
            coverage: built.coverage,
            frontier: built.frontier,
            pages: built.pages,
            content: built.content,
        };
        self.expect_parent(stream, compaction.gathered.parent.clone());
        for page in &built.written {
            self.queue.put(stored::page_key(&stream, &PageId::of(page)), stored::encode_piece(page));
        }
        compaction.draft_pages.clone_from(&root.pages);
        self.queue.put(stored::draft_key(&stream), root.sign(&key, &self.room).encode());
        compaction.purpose = Purpose::Verify;
        compaction.gathered = Gathered::default();
        self.compaction = Some(compaction);
        self.queue.tag(Appended::Drafted, Durability::Strict);
    }

    /// The draft is on the disk: everything is read back from there.
    pub(super) fn handle_drafted(&mut self, now: Now) {
        if self.compaction.as_ref().is_some_and(|compaction| self.may_go_on(compaction.stream, now)) {
            self.gather_root();
        } else {
            self.give_up(now);
        }
    }

    fn may_go_on(&self, stream: StreamId, now: Now) -> bool {
        self.streams.get(&stream).is_some_and(|state| state.may_compact(now))
    }

    /// Promise 4: the replacement is on the disk and verified; only this commit drops what it covers.
    fn write_snapshot(&mut self, segments: Vec<Segment>, now: Now) {
        let Some(compaction) = self.compaction.as_mut() else { return };
        let stream = compaction.stream;
        compaction.purpose = Purpose::Replace;
        let gathered = std::mem::take(&mut compaction.gathered);
        let Some((root, record)) = gathered.draft else { return };
        self.expect_parent(stream, gathered.parent);
        self.queue.expect(Expect { key: stored::draft_key(&stream), value: Some(record.clone()) });
        let first = gathered.base.as_ref().map_or(0, |base| base.root.arrivals);
        for (arrival, entry) in (first..).zip(&gathered.entries) {
            let name = entry.name();
            self.queue.delete(stored::entry_key(&stream, arrival));
            self.queue.delete(stored::index_key(&stream, &name.replica, name.seq));
        }
        let stays: BTreeSet<&PageId> = root.root.pages.iter().collect();
        let old = gathered.base.iter().flat_map(|base| &base.root.pages);
        for old in old.filter(|old| !stays.contains(old)) {
            self.queue.delete(stored::page_key(&stream, old));
        }
        self.queue.delete(stored::draft_key(&stream));
        self.queue.put(stored::snapshot_key(&stream), record);
        for (key, value) in places(&stream, first, &gathered.entries, &segments) {
            self.queue.put(key, value);
        }
        for Segment { end, bytes } in segments {
            self.queue.put(stored::archive_key(&stream, end), stored::encode_segment(now.wall, &bytes));
        }
        let standing = Box::new(Standing::of(&root.root));
        self.end_quarantine(stream);
        self.queue.tag(Appended::Compacted { stream, standing }, Durability::Strict);
    }

    /// Whether entries of a stream may have left their rows, and it is not known yet that they are in the archive: a store
    /// shows a commit to readers before it answers for it.
    pub(super) fn is_replacing(&self, stream: &StreamId) -> bool {
        let of =
            |compaction: &Compaction| compaction.stream == *stream && compaction.purpose == Purpose::Replace;
        self.compaction.as_ref().is_some_and(of)
    }

    /// The snapshot stands.
    pub(super) fn handle_snapshot(&mut self, stream: StreamId, standing: Standing, now: Now) {
        if let Some(state) = self.streams.get_mut(&stream).filter(|state| !state.log.is_gone()) {
            let before = state.snapshot.replace(standing);
            before.into_iter().for_each(|before| self.forget_covered_heads(stream, &before));
        }
        self.figures.snapshots_made += 1;
        self.compaction = None;
        self.next_compaction(now);
    }

    /// In one line: the snapshot is made only while its parent stands.
    fn expect_parent(&mut self, stream: StreamId, parent: Option<Vec<u8>>) {
        self.queue.expect(Expect { key: stored::snapshot_key(&stream), value: parent });
    }

    /// The home's key for this room, made when it is first needed.
    fn signing_key(&mut self) -> Option<Identity> {
        if self.home_key.is_none() {
            let secret = self.entropy.bytes();
            self.home_key = Some(Identity::from_secret(&secret));
            self.queue.put(HOME_KEY.to_vec(), ReplicaRecord { secret }.encode());
        }
        self.home_key.clone()
    }
}

impl HomeStream {
    /// Entries on the disk above the snapshot, and their bytes.
    pub(super) fn tail(&self) -> (u64, u64) {
        let (arrivals, bytes) =
            self.snapshot.as_ref().map_or((0, 0), |standing| (standing.arrivals, standing.bytes));
        (self.durable_arrivals.saturating_sub(arrivals), self.durable_bytes.saturating_sub(bytes))
    }

    fn may_compact(&self, now: Now) -> bool {
        self.has_sound_rows() && self.compacts_from(now).is_some_and(|from| from <= now.monotonic)
    }

    /// Whether it is of a kind that has snapshots, and one could be made of what is on the disk.
    fn has_sound_rows(&self) -> bool {
        let sound = !self.damaged && !self.has_strays && self.holes.is_empty();
        sound && !self.log.is_gone() && has_snapshots(self.log.stream().kind())
    }
}

/// The rows of a stream that its snapshots and its archive take.
pub(super) const SNAPSHOT_ROWS: [Prefix; 7] = [
    Prefix::Snapshot,
    Prefix::Draft,
    Prefix::Page,
    Prefix::History,
    Prefix::Archive,
    Prefix::Place,
    Prefix::Quarantine,
];

/// A page as read from its row, if it is the one its key names.
pub(crate) fn read_page(id: &PageId, row: &[u8]) -> Option<Bytes> {
    let page = stored::decode_piece(row).ok()?;
    (PageId::of(page) == *id).then(|| Bytes::copy_from_slice(page))
}
