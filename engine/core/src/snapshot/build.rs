//! From a snapshot and the entries above it to the next one, and the check that it is right. Pure: the same entries give
//! the same page.

use std::sync::Arc;

use bytes::Bytes;

use crate::directory::{self, Directory};
use crate::ids::{ReplicaId, StreamId, StreamKind};
use crate::log::{Entry, EntryKind, StreamLog, Verdict};
use crate::snapshot::{JobError, PageId, Root};
use crate::stored::TipRecord;
use crate::wire::payload;
use crate::ydoc;

/// The snapshot to build on.
#[derive(Clone, Debug)]
pub struct Base {
    /// Its root.
    pub root: Arc<Root>,
    /// Its page.
    pub page: Bytes,
}

/// What a build gives: everything of a root but its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Where each chain stands.
    pub coverage: Vec<(ReplicaId, TipRecord)>,
    /// Chains whose newest entry nothing builds on.
    pub frontier: Vec<ReplicaId>,
    /// The page.
    pub page: Bytes,
    /// BLAKE3 of what people see.
    pub content: [u8; 32],
}

/// Builds, and reads the result back to see whether it says the same.
pub(super) fn build(
    stream: StreamId,
    base: Option<&Base>,
    entries: &[Entry],
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Built, JobError> {
    let log = replay(stream, base, entries)?;
    let edits = entries.iter().filter(|entry| entry.header().kind == EntryKind::Edit);
    let base = base.map(|base| (&*base.page, &*base.root));
    let (page, content) = match stream.kind() {
        StreamKind::Ydoc => {
            if let Some((page, root)) = base {
                ydoc::check_page(page, &root.log())?;
            }
            let updates: Vec<&[u8]> = edits.map(Entry::payload).collect();
            let state = ydoc::state_of(base.map(|(page, _)| page), &updates, go_on)?;
            (state.page, *blake3::hash(state.text.as_bytes()).as_bytes())
        }
        StreamKind::Directory => {
            let mut directory = Directory::default();
            for decision in base.map(|(page, _)| read_directory(page)).transpose()?.into_iter().flatten() {
                directory.restore(decision);
            }
            for entry in edits {
                let op = directory::check(entry.payload()).map_err(|_| JobError::Log)?;
                directory.apply(entry.header(), op);
            }
            directory_page(&directory)
        }
        StreamKind::Amdoc | StreamKind::Chat | StreamKind::Comments => return Err(JobError::Kind),
    };
    let coverage: Vec<_> = log.tips().map(|(replica, tip)| (replica, TipRecord::from(tip))).collect();
    let built = Built { coverage, frontier: log.frontier().collect(), page: page.into(), content };
    if look(stream, &log, &built.page, go_on)? != content {
        return Err(JobError::Differs);
    }
    Ok(built)
}

/// Whether a root and its page, read back from the disk, are what the entries give.
pub(super) fn verify(
    base: Option<&Base>,
    entries: &[Entry],
    root: &Root,
    page: &Bytes,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<(), JobError> {
    let built = build(root.stream, base, entries, go_on)?;
    let same = built.coverage == root.coverage
        && built.frontier == root.frontier
        && built.content == root.content
        && built.page == *page
        && root.pages == [PageId::of(page)];
    if same && look(root.stream, &root.log(), page, go_on)? == root.content {
        Ok(())
    } else {
        Err(JobError::Differs)
    }
}

/// The chains after these entries; each is judged as it was when it arrived.
fn replay(stream: StreamId, base: Option<&Base>, entries: &[Entry]) -> Result<StreamLog, JobError> {
    let mut log = base.map_or_else(|| StreamLog::new(stream), |base| base.root.log());
    for entry in entries {
        match log.judge(entry) {
            Verdict::Fresh(accepted) => log.extend(entry, accepted),
            Verdict::Known | Verdict::Waits(_) | Verdict::Refused(_) => return Err(JobError::Log),
        }
    }
    Ok(log)
}

/// Reads a page as a device would, and answers the hash of what it shows.
fn look(
    stream: StreamId,
    log: &StreamLog,
    page: &[u8],
    go_on: &mut dyn FnMut() -> bool,
) -> Result<[u8; 32], JobError> {
    match stream.kind() {
        StreamKind::Ydoc => {
            ydoc::check_page(page, log)?;
            let state = ydoc::state_of(Some(page), &[], go_on)?;
            Ok(*blake3::hash(state.text.as_bytes()).as_bytes())
        }
        StreamKind::Directory => {
            let mut directory = Directory::default();
            read_directory(page)?.into_iter().for_each(|decision| directory.restore(decision));
            Ok(directory_page(&directory).1)
        }
        StreamKind::Amdoc | StreamKind::Chat | StreamKind::Comments => Err(JobError::Kind),
    }
}

fn read_directory(page: &[u8]) -> Result<Vec<directory::Decision>, JobError> {
    directory::check_page(page).ok_or(JobError::Page)
}

/// What stands in a directory and what is seen of it are the same: removals count too, as they decide what comes later.
fn directory_page(directory: &Directory) -> (Vec<u8>, [u8; 32]) {
    let page = payload::encode_directory_page(&directory.decisions());
    let content = *blake3::hash(&page).as_bytes();
    (page, content)
}
