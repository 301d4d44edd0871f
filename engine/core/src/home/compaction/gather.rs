//! Reading from the disk what a job needs: the parent, for a verification the draft, and the entries between them.

use crate::home::Home;
use crate::home::compaction::{Purpose, read_page, shared};
use crate::home::quarantine::Spoilt;
use crate::home::reading::Reading;
use crate::ids::StreamId;
use crate::limits::{SCAN_BYTES, SCAN_ROWS, SNAPSHOT_STEP_BYTES, SNAPSHOT_STEP_ENTRIES};
use crate::log::Entry;
use crate::snapshot::{Base, Job, PageId, SignedRoot};
use crate::storage::{Page, Scan, StoreFailure};
use crate::stored;
use crate::time::Now;

/// What has been read so far.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The parent's root as stored.
    pub(super) parent: Option<Vec<u8>>,
    parent_root: Option<SignedRoot>,
    /// The parent, once its page is here.
    pub(super) base: Option<Base>,
    /// The draft, and its root as stored.
    pub(super) draft: Option<(SignedRoot, Vec<u8>)>,
    draft_page: Option<bytes::Bytes>,
    /// The entries above the parent.
    pub(super) entries: Vec<Entry>,
    /// Bytes of them.
    pub(super) bytes: usize,
}

/// What is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::home) enum Step {
    Root,
    Page,
    Draft,
    DraftPage,
    Entries,
}

impl Gathered {
    pub(super) fn draft_page(&self) -> Option<PageId> {
        self.draft.as_ref().and_then(|(draft, _)| draft.root.pages.first().copied())
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
            // Read again when the disk is better; nothing was lost.
            Err(_) => Err(Unread::Now),
        };
        match read {
            Ok(()) => {}
            Err(Unread::Now) => self.give_up(now),
            Err(Unread::Damaged) => {
                let Some(stream) = self.compaction.as_ref().map(|compaction| compaction.stream) else {
                    return;
                };
                let spoilt = match step {
                    Step::Root | Step::Page | Step::Entries => Spoilt::Parent,
                    Step::Draft | Step::DraftPage => Spoilt::Draft,
                };
                self.set_apart(stream, &spoilt, now);
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
            Step::Root => match row {
                None => self.gather_draft(stream),
                Some(row) => {
                    let root = SignedRoot::decode(row).map_err(|_| Unread::Damaged)?;
                    let id = root.root.pages.first().copied().ok_or(Unread::Damaged)?;
                    gathered.parent = Some(row.to_vec());
                    gathered.parent_root = Some(root);
                    self.gather_row(stored::page_key(&stream, &id), Step::Page);
                }
            },
            Step::Page => {
                let root = gathered.parent_root.take().ok_or(Unread::Damaged)?;
                let id = root.root.pages.first().ok_or(Unread::Damaged)?;
                let page = row.and_then(|row| read_page(id, row)).ok_or(Unread::Damaged)?;
                gathered.base = Some(Base { root: shared(root), page });
                self.gather_draft(stream);
            }
            Step::Draft => {
                let row = row.ok_or(Unread::Damaged)?;
                let draft = SignedRoot::decode(row).map_err(|_| Unread::Damaged)?;
                gathered.draft = Some((draft, row.to_vec()));
                let id = gathered.draft_page().ok_or(Unread::Damaged)?;
                self.gather_row(stored::page_key(&stream, &id), Step::DraftPage);
            }
            Step::DraftPage => {
                let id = gathered.draft_page().ok_or(Unread::Damaged)?;
                gathered.draft_page = row.and_then(|row| read_page(&id, row));
                #[cfg(feature = "planted-bugs")]
                if self.planted == Some(crate::planted::Planted::UnverifiedDrop) {
                    gathered.draft_page.get_or_insert_default();
                }
                gathered.draft_page.as_ref().ok_or(Unread::Damaged)?;
                self.gather_entries(None);
            }
            Step::Entries => return self.gather_page(stream, page),
        }
        Ok(())
    }

    /// An entry that cannot be read is asked of its author; what else cannot be stays as it is.
    fn gather_damaged(&mut self, step: Step, damaged: &[Vec<u8>]) -> Result<(), Unread> {
        match step {
            Step::Root | Step::Page | Step::Draft | Step::DraftPage => Err(Unread::Damaged),
            Step::Entries => {
                for (stream, arrival) in damaged.iter().filter_map(|key| stored::parse_entry_key(key)) {
                    self.note_hole(stream, arrival);
                }
                Err(Unread::Now)
            }
        }
    }

    fn gather_draft(&mut self, stream: StreamId) {
        match self.compaction.as_ref().map(|compaction| compaction.purpose) {
            Some(Purpose::Verify) => self.gather_row(stored::draft_key(&stream), Step::Draft),
            Some(Purpose::Build) => self.gather_entries(None),
            Some(Purpose::Replace) | None => {}
        }
    }

    fn gather_entries(&mut self, from: Option<Vec<u8>>) {
        let Some(compaction) = &self.compaction else { return };
        let durable = self.streams.get(&compaction.stream).map_or(0, |state| state.durable_arrivals);
        let first = compaction.gathered.base.as_ref().map_or(0, |base| base.root.arrivals);
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
        let first = gathered.base.as_ref().map_or(0, |base| base.root.arrivals);
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
            None => self.hand_out(stream, first),
        }
        Ok(())
    }

    /// Everything is here: the shell has the next step.
    fn hand_out(&mut self, stream: StreamId, first: u64) {
        let Some(compaction) = &mut self.compaction else { return };
        let gathered = &compaction.gathered;
        let (base, entries) = (gathered.base.clone(), gathered.entries.clone());
        compaction.upto.get_or_insert(first + entries.len() as u64);
        let job = match compaction.purpose {
            Purpose::Build => Job::Build { stream, base, entries },
            Purpose::Verify => {
                let (Some((draft, _)), Some(page)) = (&gathered.draft, &gathered.draft_page) else { return };
                Job::Verify { base, entries, root: Box::new(draft.root.clone()), page: page.clone() }
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
