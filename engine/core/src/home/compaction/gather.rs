//! Reading from the disk what a job needs: the parent, for a verification the draft, and the entries between them.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

use crate::home::Home;
use crate::home::compaction::{Compaction, Purpose, read_page};
use crate::home::quarantine::Spoilt;
use crate::home::reading::Reading;
use crate::ids::StreamId;
use crate::limits::{SCAN_BYTES, SCAN_ROWS, SNAPSHOT_STEP_BYTES, SNAPSHOT_STEP_ENTRIES};
use crate::log::Entry;
use crate::snapshot::{Base, Job, PageId, SignedRoot};
use crate::storage::{FailureKind, Page, Scan, StoreFailure};
use crate::stored;
use crate::time::Now;

/// What has been read so far.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The parent's root as stored.
    pub(super) parent: Option<Vec<u8>>,
    /// The parent, with its first page and those the entries change.
    pub(super) base: Option<Base>,
    /// The draft, and its root as stored.
    pub(super) draft: Option<(SignedRoot, Vec<u8>)>,
    /// Pages of the draft that the parent does not have.
    draft_pages: Vec<Bytes>,
    /// Pages to be read, the last one first.
    wanted: Vec<PageId>,
    /// The entries above the parent.
    pub(super) entries: Vec<Entry>,
    /// Bytes of them.
    bytes: usize,
    /// Whether they are all here.
    is_whole: bool,
}

/// What is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::home) enum Step {
    Root,
    Page,
    Draft,
    Entries,
}

impl Gathered {
    /// Where the entries begin.
    fn first(&self) -> u64 {
        self.base.as_ref().map_or(0, |base| base.root.arrivals)
    }

    /// Whether the pages that are read now are the draft's: they come before the entries, and the parent's before the
    /// draft or after the entries.
    fn reads_draft(&self) -> bool {
        self.draft.is_some() && !self.is_whole
    }
}

impl Home {
    pub(super) fn gather_root(&mut self) {
        let Some(stream) = self.compaction.as_ref().map(|compaction| compaction.stream) else { return };
        self.gather_row(stored::snapshot_key(&stream), Step::Root);
    }

    fn gather_row(&mut self, start: Vec<u8>, step: Step) {
        let end = [start.as_slice(), &[0]].concat();
        let scan = Scan { start, end, max_bytes: SCAN_BYTES, max_rows: 1 };
        self.scan(scan, Reading::Gather(step));
    }

    pub(in crate::home) fn handle_gathered(
        &mut self,
        step: Step,
        result: Result<Page, StoreFailure>,
        now: Now,
    ) {
        let read = match result {
            Ok(page) => self.gather(step, page),
            Err(failure) if failure.kind == FailureKind::Damaged => {
                let Some(Compaction { stream, .. }) = &self.compaction else { return };
                return self.set_apart(*stream, &Spoilt::Place, now);
            }
            // Read again when the disk is better; nothing was lost.
            Err(_) => Err(Unread::Now),
        };
        match read {
            Ok(()) => {}
            Err(Unread::Now) => self.give_up(now),
            Err(Unread::Damaged) => {
                let Some(Compaction { stream, gathered, .. }) = &self.compaction else { return };
                let spoilt = match step {
                    Step::Page if gathered.reads_draft() => Spoilt::Draft,
                    Step::Root | Step::Page | Step::Entries => Spoilt::Parent,
                    Step::Draft => Spoilt::Draft,
                };
                self.set_apart(*stream, &spoilt, now);
            }
        }
    }

    fn gather(&mut self, step: Step, page: Page) -> Result<(), Unread> {
        if !page.damaged.is_empty() {
            return self.gather_damaged(step, &page.damaged);
        }
        let Some(compaction) = &mut self.compaction else { return Ok(()) };
        let (stream, gathered) = (compaction.stream, &mut compaction.gathered);
        let row = page.rows.first().map(|(_, value)| value.as_slice());
        match step {
            Step::Root => {
                if let Some(row) = row {
                    let SignedRoot { root, .. } = SignedRoot::decode(row).map_err(|_| Unread::Damaged)?;
                    gathered.parent = Some(row.to_vec());
                    gathered.wanted.extend(root.pages.first());
                    gathered.base = Some(Base { root: Arc::new(root), pages: Vec::new() });
                }
                self.gather_next(stream);
            }
            Step::Page => {
                let id = gathered.wanted.pop().ok_or(Unread::Damaged)?;
                let page = row.and_then(|row| read_page(&id, row));
                #[cfg(feature = "planted-bugs")]
                let page = page.or((self.planted == Some(crate::planted::Planted::UnverifiedDrop)
                    && gathered.draft.is_some())
                .then(Bytes::new));
                let page = page.ok_or(Unread::Damaged)?;
                match &mut gathered.base {
                    Some(base) if base.root.pages.contains(&id) => base.pages.push(page),
                    _ => gathered.draft_pages.push(page),
                }
                self.gather_next(stream);
            }
            Step::Draft => {
                let row = row.ok_or(Unread::Damaged)?;
                let draft = SignedRoot::decode(row).map_err(|_| Unread::Damaged)?;
                let before: BTreeSet<&PageId> =
                    gathered.base.iter().flat_map(|base| &base.root.pages).collect();
                let new = draft.root.pages.iter().filter(|page| !before.contains(page)).copied();
                gathered.wanted = new.collect();
                gathered.draft = Some((draft, row.to_vec()));
                self.gather_next(stream);
            }
            Step::Entries => return self.gather_page(stream, page),
        }
        Ok(())
    }

    /// An entry that cannot be read is asked of its author; what else cannot be stays as it is.
    fn gather_damaged(&mut self, step: Step, damaged: &[Vec<u8>]) -> Result<(), Unread> {
        match step {
            Step::Root | Step::Page | Step::Draft => Err(Unread::Damaged),
            Step::Entries => {
                for (stream, arrival) in damaged.iter().filter_map(|key| stored::parse_entry_key(key)) {
                    self.note_hole(stream, arrival);
                }
                Err(Unread::Now)
            }
        }
    }

    /// Pages first, then what comes after them.
    fn gather_next(&mut self, stream: StreamId) {
        let Some(Compaction { purpose, gathered, .. }) = &self.compaction else { return };
        if let Some(page) = gathered.wanted.last() {
            self.gather_row(stored::page_key(&stream, page), Step::Page);
        } else if gathered.is_whole {
            self.hand_out(stream);
        } else if *purpose == Purpose::Verify && gathered.draft.is_none() {
            self.gather_row(stored::draft_key(&stream), Step::Draft);
        } else {
            self.gather_entries(None);
        }
    }

    /// A job lacks pages of the parent, and takes so many entries with them.
    pub(super) fn gather_wanted(&mut self, pages: Vec<PageId>, entries: usize) {
        let Some(Compaction { stream, upto, gathered, .. }) = &mut self.compaction else { return };
        let (stream, first) = (*stream, gathered.first());
        gathered.entries.truncate(entries);
        gathered.wanted = pages;
        *upto = Some(first + gathered.entries.len() as u64);
        self.gather_next(stream);
    }

    fn gather_entries(&mut self, from: Option<Vec<u8>>) {
        let Some(compaction) = &self.compaction else { return };
        let durable = self.streams.get(&compaction.stream).map_or(0, |state| state.durable_arrivals);
        let first = compaction.gathered.first();
        let (start, end) = stored::entry_range(&compaction.stream, first, compaction.upto.unwrap_or(durable));
        let start = from.unwrap_or(start);
        self.scan(
            Scan { start, end, max_bytes: SCAN_BYTES, max_rows: SCAN_ROWS },
            Reading::Gather(Step::Entries),
        );
    }

    fn gather_page(&mut self, stream: StreamId, page: Page) -> Result<(), Unread> {
        let Some(compaction) = &mut self.compaction else { return Ok(()) };
        let gathered = &mut compaction.gathered;
        let first = gathered.first();
        for (key, value) in page.rows {
            let (_, arrival) = stored::parse_entry_key(&key).ok_or(Unread::Damaged)?;
            let Ok(entry) = stored::decode_entry(value) else {
                self.note_hole(stream, arrival);
                return Err(Unread::Now);
            };
            if arrival != first + gathered.entries.len() as u64 {
                return Err(Unread::Damaged);
            }
            gathered.bytes += entry.bytes().len();
            gathered.entries.push(entry);
        }
        let full = gathered.entries.len() >= SNAPSHOT_STEP_ENTRIES || gathered.bytes >= SNAPSHOT_STEP_BYTES;
        let may_stop = compaction.purpose == Purpose::Build && full;
        match page.more.filter(|_| !may_stop) {
            Some(start) => self.gather_entries(Some(start)),
            None => {
                gathered.is_whole = true;
                self.hand_out(stream);
            }
        }
        Ok(())
    }

    /// Everything is here: the shell has the next step.
    fn hand_out(&mut self, stream: StreamId) {
        let Some(compaction) = &mut self.compaction else { return };
        let gathered = &compaction.gathered;
        let (base, entries) = (gathered.base.clone(), gathered.entries.clone());
        compaction.upto.get_or_insert(gathered.first() + entries.len() as u64);
        let posts = self.plan.posts;
        let job = match compaction.purpose {
            Purpose::Build => Job::Build { stream, base, entries, posts },
            Purpose::Verify => {
                let Some((draft, _)) = &gathered.draft else { return };
                let pages = gathered.draft_pages.clone();
                Job::Verify { base, entries, root: Box::new(draft.root.clone()), pages, posts }
            }
            Purpose::Replace => return,
        };
        self.materialise(job, super::super::jobs::Work::Compaction);
    }
}

/// Why the disk did not give what a job needs.
enum Unread {
    /// It may another time.
    Now,
    /// It never will, until somebody mends it.
    Damaged,
}
