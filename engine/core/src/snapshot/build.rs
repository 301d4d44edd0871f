//! From a snapshot and the entries above it to the next one, and the check that it is right. Pure: the same entries give
//! the same page.

mod channel;

pub(super) use channel::wants;

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
    /// Its first page, and others of its pages as far as they were read.
    pub pages: Vec<Bytes>,
}

/// What a build gives: everything of a root but its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Where each chain stands.
    pub coverage: Vec<(ReplicaId, TipRecord)>,
    /// Chains whose newest entry nothing builds on.
    pub frontier: Vec<ReplicaId>,
    /// The names of all pages.
    pub pages: Vec<PageId>,
    /// Those that the snapshot before does not have.
    pub written: Vec<Bytes>,
    /// BLAKE3 of what people see.
    pub content: [u8; 32],
}

/// Pages and what people see of them.
struct Pages {
    names: Vec<PageId>,
    written: Vec<Bytes>,
    content: [u8; 32],
}

impl Pages {
    fn one(page: Vec<u8>, content: [u8; 32]) -> Self {
        Self { names: vec![PageId::of(&page)], written: vec![page.into()], content }
    }
}

/// Builds, and reads the result back to see whether it says the same.
pub(super) fn build(
    stream: StreamId,
    base: Option<&Base>,
    entries: &[Entry],
    posts: usize,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Built, JobError> {
    let log = replay(stream, base, entries)?;
    let edits = entries.iter().filter(|entry| entry.header().kind == EntryKind::Edit);
    let first = base.map(|base| base.pages.first().map(|page| (&**page, &*base.root)).ok_or(JobError::Page));
    let first = first.transpose()?;
    let pages = match stream.kind() {
        StreamKind::Ydoc => {
            if let Some((page, root)) = first {
                ydoc::check_page(page, &root.log())?;
            }
            let updates: Vec<&[u8]> = edits.map(Entry::payload).collect();
            let state = ydoc::state_of(first.map(|(page, _)| page), &updates, go_on)?;
            Pages::one(state.page, *blake3::hash(state.text.as_bytes()).as_bytes())
        }
        StreamKind::Directory => {
            let mut directory = Directory::default();
            for decision in first.map(|(page, _)| read_directory(page)).transpose()?.into_iter().flatten() {
                directory.restore(decision);
            }
            for entry in edits {
                let op = directory::check(entry.payload()).map_err(|_| JobError::Log)?;
                directory.apply(entry.header(), op);
            }
            let (page, content) = directory_page(&directory);
            Pages::one(page, content)
        }
        StreamKind::Chat => {
            let cut = channel::build(base, entries, posts, go_on)?;
            let written = cut.written.into_iter().map(Bytes::from).collect();
            Pages { content: channel::content(&cut.pages), names: cut.pages, written }
        }
        StreamKind::Amdoc | StreamKind::Comments => return Err(JobError::Kind),
    };
    let Pages { names, written, content } = pages;
    if look(stream, &log, &names, &written, go_on)? != content {
        return Err(JobError::Differs);
    }
    let coverage: Vec<_> = log.tips().map(|(replica, tip)| (replica, TipRecord::from(tip))).collect();
    Ok(Built { coverage, frontier: log.frontier().collect(), pages: names, written, content })
}

/// Whether a root and its new pages, read back from the disk, are what the entries give.
pub(super) fn verify(
    base: Option<&Base>,
    entries: &[Entry],
    root: &Root,
    pages: &[Bytes],
    posts: usize,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<(), JobError> {
    let built = build(root.stream, base, entries, posts, go_on)?;
    // A page that is as it was stands on the disk once, and was read as one of those before.
    let stays = |page: &&Bytes| root.pages.contains(&PageId::of(page));
    let before = base.into_iter().flat_map(|base| &base.pages).filter(stays);
    let read: Vec<Bytes> = pages.iter().chain(before).cloned().collect();
    let same = built.coverage == root.coverage
        && built.frontier == root.frontier
        && built.content == root.content
        && built.pages == root.pages
        && built.written.iter().all(|page| read.contains(page));
    if same && look(root.stream, &root.log(), &root.pages, &read, go_on)? == root.content {
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

/// Reads new pages as a device would, and answers the hash of what they show, with those that were there before.
fn look(
    stream: StreamId,
    log: &StreamLog,
    names: &[PageId],
    written: &[Bytes],
    go_on: &mut dyn FnMut() -> bool,
) -> Result<[u8; 32], JobError> {
    let page =
        written.iter().find(|page| names.first() == Some(&PageId::of(page))).ok_or(JobError::Differs)?;
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
        StreamKind::Chat => {
            channel::look(names, page, written)?;
            Ok(channel::content(names))
        }
        StreamKind::Amdoc | StreamKind::Comments => Err(JobError::Kind),
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
