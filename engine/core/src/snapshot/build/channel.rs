//! The pages of a channel: only those that entries change are read and written.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::chat::page::{Contents, check_contents, check_posts};
use crate::chat::{Channel, Cut, Index, tells};
use crate::limits::SNAPSHOT_STEP_PAGES;
use crate::log::{Entry, EntryKind, EntryName};
use crate::snapshot::build::Base;
use crate::snapshot::{Done, JobError, PageId};

/// What has to be read before entries can be taken; `None` if it is all here.
pub(in crate::snapshot) fn wants(
    base: &Base,
    entries: &[Entry],
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Option<Done>, JobError> {
    let contents = contents(base)?;
    let index = Index::of(&contents);
    let (mut lines, mut taken) = (Vec::new(), 0);
    for entry in entries {
        if taken % STEP == 0 && !go_on() {
            return Err(JobError::Time);
        }
        if let Some(line) = index.touched(entry).filter(|line| !lines.contains(line)) {
            if lines.len() == SNAPSHOT_STEP_PAGES {
                break;
            }
            lines.push(line);
        }
        taken += 1;
    }
    let here: BTreeSet<PageId> = base.pages.iter().map(|page| PageId::of(page)).collect();
    let pages = lines.into_iter().map(|line| base.root.pages[line + 1]);
    let pages: Vec<PageId> = pages.filter(|page| !here.contains(page)).collect();
    let whole = pages.is_empty() && taken == entries.len();
    Ok((!whole).then_some(Done::Wants { pages, entries: taken }))
}

/// Takes the entries into the pages they change.
pub(super) fn build(
    base: Option<&Base>,
    entries: &[Entry],
    posts: usize,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Cut, JobError> {
    let (mut channel, before, names) = match base {
        Some(base) => {
            let pages = base.pages.iter().skip(1).map(|page| check_posts(page).ok_or(JobError::Page));
            let contents = contents(base)?;
            let channel = Channel::of_pages(&base.root, &contents, pages.collect::<Result<Vec<_>, _>>()?);
            (channel.ok_or(JobError::Page)?, contents, &base.root.pages[1..])
        }
        None => (Channel::new(None), Contents::default(), &[][..]),
    };
    for (number, entry) in entries.iter().enumerate() {
        if number % STEP == 0 && !go_on() {
            return Err(JobError::Time);
        }
        channel.apply(entry);
    }
    let cut = channel.cut(&before, names, posts);
    keeps_all(base, entries, &cut)?;
    Ok(cut)
}

/// Every post of the pages that were read, and every new one, stands on one page of those that come out.
fn keeps_all(base: Option<&Base>, entries: &[Entry], cut: &Cut) -> Result<(), JobError> {
    let (mut due, mut stand) = (Vec::new(), Vec::new());
    for page in base.into_iter().flat_map(|base| base.pages.iter().skip(1)) {
        let names = names_of(page)?;
        if cut.pages.contains(&PageId::of(page)) {
            stand.extend_from_slice(&names);
        }
        due.extend(names);
    }
    let posts = entries.iter().filter(|entry| entry.header().kind == EntryKind::Post);
    due.extend(posts.map(Entry::name));
    for page in cut.written.iter().filter(|page| cut.pages.first() != Some(&PageId::of(page))) {
        stand.extend(names_of(page)?);
    }
    due.sort_unstable();
    stand.sort_unstable();
    if due == stand { Ok(()) } else { Err(JobError::Differs) }
}

fn names_of(page: &[u8]) -> Result<Vec<EntryName>, JobError> {
    let posts = check_posts(page).ok_or(JobError::Page)?;
    Ok(posts.iter().map(|row| EntryName { replica: row.place.2, seq: row.place.3 }).collect())
}

/// Reads new pages as a device does, and holds them against the contents.
pub(super) fn look(names: &[PageId], contents: &Bytes, written: &[Bytes]) -> Result<(), JobError> {
    let told = check_contents(contents, names.len() - 1).ok_or(JobError::Differs)?;
    for page in written.iter().filter(|page| *page != contents) {
        let posts = check_posts(page).ok_or(JobError::Differs)?;
        let at = names.iter().skip(1).position(|name| *name == PageId::of(page));
        if !at.is_some_and(|at| tells(&told, at, &posts)) {
            return Err(JobError::Differs);
        }
    }
    Ok(())
}

/// What people see is what stands on the pages.
pub(super) fn content(pages: &[PageId]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for page in pages {
        hasher.update(page.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

fn contents(base: &Base) -> Result<Contents, JobError> {
    let page = base.pages.first().ok_or(JobError::Page)?;
    check_contents(page, base.root.pages.len().saturating_sub(1)).ok_or(JobError::Page)
}

/// Entries between two looks at the clock.
const STEP: usize = 256;
