//! Who wrote what, and what must be there in the end: nothing lost, nothing doubled.
//!
//! Every insertion carries one character that nobody else ever writes, so a text can be read as a set of edits.

use std::collections::{BTreeMap, BTreeSet};

use causeway_core::ids::StreamId;

/// Names an edit of the run.
pub(crate) type EditNo = usize;

/// The life of one device between two starts.
pub(crate) type Life = (usize, u32);

#[derive(Clone, Debug)]
struct Edit {
    life: Life,
    stream: StreamId,
    number: u64,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its author lives.
    Open,
    /// Its author was told that it is on the home's disk: it must be there in the end, whatever happens.
    Saved,
    /// Its author's disk has it behind the frontier: it must be there as long as that disk is.
    Held,
    /// Its author's disk has it, and the power may take it.
    Kept,
    /// It was refused, and its author's disk has answered for the fork.
    Forked,
    /// It was in memory only, or beyond what the disk answered for.
    Unsure,
}

impl Fate {
    /// Whether the text may be with it or without it.
    fn is_doubtful(self) -> bool {
        matches!(self, Self::Forked | Self::Unsure)
    }
}

#[derive(Clone, Debug)]
struct Marker {
    stream: StreamId,
    written: EditNo,
    taken: Vec<EditNo>,
}

/// What copied devices have of a stream beside its text (rule 12).
#[derive(Debug)]
pub(crate) struct Aside<'a> {
    /// The pieces of all forks on a page's device, of those whose disk was copied.
    pub(crate) forks: BTreeMap<usize, Vec<u8>>,
    /// Pages of which something was set aside. Of a text in which nothing stands that leaves no piece.
    pub(crate) forked: BTreeSet<usize>,
    /// What stood on copied disks, and a page of the device that began with each.
    pub(crate) holdings: Vec<(usize, &'a BTreeSet<EditNo>)>,
    /// Whether what was called saved is in the text for certain: nobody else can have been first at another home.
    pub(crate) saved_stays: bool,
}

impl Aside<'_> {
    /// Whether an edit may be in a fork of its author's device, without a word of it to the page that wrote it.
    fn may_have(&self, edit: &Edit) -> bool {
        let may = match edit.fate {
            Fate::Saved => !self.saved_stays,
            Fate::Held | Fate::Kept => true,
            // Who lives was told.
            Fate::Open | Fate::Forked | Fate::Unsure => false,
        };
        let has_pieces = |page| self.forks.get(page).is_some_and(|forks| !forks.is_empty());
        may && (has_pieces(&edit.life.0) || self.forked.contains(&edit.life.0))
    }

    fn keeps(&self, page: usize, mark: char) -> bool {
        let mark = mark.to_string();
        let has = |forks: &Vec<u8>| forks.windows(mark.len()).any(|part| part == mark.as_bytes());
        self.forks.get(&page).is_some_and(has)
    }
}

/// The book of edits.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    edits: Vec<Edit>,
    markers: BTreeMap<char, Marker>,
}

/// First of the characters that mark an edit: a plane of private use, two UTF-16 units each.
const FIRST_MARK: u32 = 0xf_0000;

pub(crate) fn is_mark(c: char) -> bool {
    u32::from(c) >= FIRST_MARK
}

pub(crate) fn marks(text: &str) -> BTreeSet<char> {
    text.chars().filter(|c| is_mark(*c)).collect()
}

impl Ledger {
    /// The character the next insertion is to carry.
    pub(crate) fn next_mark(&self) -> char {
        char::from_u32(FIRST_MARK + self.markers.len() as u32)
            .expect("fewer edits than a plane of private use")
    }

    /// Writes down an edit by what it did to the marks of a text.
    pub(crate) fn note(
        &mut self,
        life: Life,
        stream: StreamId,
        number: u64,
        before: &BTreeSet<char>,
        after: &BTreeSet<char>,
    ) {
        let edit = self.edits.len();
        self.edits.push(Edit { life, stream, number, fate: Fate::Open });
        for mark in after.difference(before) {
            self.markers.insert(*mark, Marker { stream, written: edit, taken: Vec::new() });
        }
        for mark in before.difference(after) {
            if let Some(marker) = self.markers.get_mut(mark) {
                marker.taken.push(edit);
            }
        }
    }

    /// A device's life ends: `fate` says what becomes of each of its edits.
    pub(crate) fn end_of_life(&mut self, life: Life, fate: impl Fn(StreamId, u64) -> Fate) {
        for edit in self.edits.iter_mut().filter(|edit| edit.life == life && edit.fate == Fate::Open) {
            edit.fate = fate(edit.stream, edit.number);
        }
    }

    /// Work of a life that goes on became a fork.
    pub(crate) fn fork(&mut self, life: Life, stream: StreamId, forked: impl Fn(u64) -> bool) {
        for edit in self.edits.iter_mut().filter(|edit| edit.life == life && edit.stream == stream) {
            if edit.fate == Fate::Open && forked(edit.number) {
                edit.fate = Fate::Forked;
            }
        }
    }

    /// What was refused and is not in the text must be in a fork: `kept` says whether a page's device has one with this mark.
    pub(crate) fn audit_forks(
        &self,
        stream: StreamId,
        text: &str,
        kept: impl Fn(usize, char) -> bool,
    ) -> Result<(), String> {
        let shown = marks(text);
        let refused = self.markers.iter().filter(|(mark, marker)| {
            let author = &self.edits[marker.written];
            marker.stream == stream
                && author.fate == Fate::Forked
                && marker.taken.is_empty()
                && !shown.contains(mark)
        });
        for (mark, marker) in refused {
            let Edit { life, number, .. } = &self.edits[marker.written];
            if !kept(life.0, *mark) {
                let mark = u32::from(*mark) - FIRST_MARK;
                return Err(format!(
                    "mark {mark} of {life:?} (edit {number}) was refused in {stream} and is in no fork"
                ));
            }
        }
        Ok(())
    }

    /// A disk is gone: what only it had is no longer certain.
    pub(crate) fn wipe(&mut self, page: usize) {
        self.change(page, Fate::Held, Fate::Unsure);
        self.change(page, Fate::Kept, Fate::Unsure);
        self.change(page, Fate::Forked, Fate::Unsure);
    }

    /// What dead pages left on a disk is behind its frontier now.
    pub(crate) fn sync(&mut self, page: usize) {
        self.change(page, Fate::Kept, Fate::Held);
    }

    /// The power went, and what was above the frontier may have gone with it.
    pub(crate) fn cut_power(&mut self, page: usize) {
        self.change(page, Fate::Kept, Fate::Unsure);
        self.change(page, Fate::Forked, Fate::Unsure);
    }

    fn change(&mut self, page: usize, from: Fate, to: Fate) {
        for edit in self.edits.iter_mut().filter(|edit| edit.life.0 == page && edit.fate == from) {
            edit.fate = to;
        }
    }

    /// The edits of a life that still goes on.
    pub(crate) fn open_edits(&self, life: Life) -> impl Iterator<Item = (StreamId, u64)> {
        let of_life = self.edits.iter().filter(move |edit| edit.life == life && edit.fate == Fate::Open);
        of_life.map(|edit| (edit.stream, edit.number))
    }

    /// The newest edit of each stream in a life that still goes on.
    pub(crate) fn newest_edits(&self, life: Life) -> BTreeMap<StreamId, u64> {
        self.open_edits(life).collect()
    }

    /// Edits of a page that its disk would still have after a power cut now, in this life up to `durable`.
    pub(crate) fn on_disk<'a>(
        &'a self,
        life: Life,
        durable: &'a BTreeMap<StreamId, u64>,
    ) -> impl Iterator<Item = EditNo> + 'a {
        let of_page = self.edits.iter().enumerate().filter(move |(_, edit)| edit.life.0 == life.0);
        let held = move |edit: &Edit| match edit.fate {
            Fate::Saved | Fate::Held => true,
            Fate::Open => {
                edit.life == life && durable.get(&edit.stream).is_some_and(|upto| edit.number <= *upto)
            }
            Fate::Kept | Fate::Forked | Fate::Unsure => false,
        };
        of_page.filter(move |(_, edit)| held(edit)).map(|(number, _)| number)
    }

    /// A page's disk is an older one again, which has the edits in `kept`. What the home has called saved is there still.
    pub(crate) fn put_back(&mut self, page: usize, kept: &BTreeSet<EditNo>) {
        for (number, edit) in self.edits.iter_mut().enumerate().filter(|(_, edit)| edit.life.0 == page) {
            edit.fate = match (edit.fate, kept.contains(&number)) {
                (Fate::Saved, _) => Fate::Saved,
                (_, true) => Fate::Held,
                (_, false) => Fate::Unsure,
            };
        }
    }

    /// Compares the final text of a stream with the book.
    pub(crate) fn audit(&self, stream: StreamId, text: &str, copies: &Aside) -> Result<(), String> {
        let mut counts: BTreeMap<char, u32> = BTreeMap::new();
        for mark in text.chars().filter(|c| is_mark(*c)) {
            *counts.entry(mark).or_default() += 1;
        }
        for (mark, marker) in self.markers.iter().filter(|(_, marker)| marker.stream == stream) {
            let count = counts.remove(mark).unwrap_or(0);
            let number = u32::from(*mark) - FIRST_MARK;
            let author = &self.edits[marker.written];
            if count > 1 {
                return Err(format!("mark {number} of {:?} stands {count} times in {stream}", author.life));
            }
            let fate = |edit: &EditNo| self.edits[*edit].fate;
            let is_certain =
                |edit: &EditNo| !fate(edit).is_doubtful() && !copies.may_have(&self.edits[*edit]);
            let taken = marker.taken.iter().any(is_certain);
            if taken && count == 1 {
                return Err(format!(
                    "mark {number} of {:?} was deleted and is back in {stream}",
                    author.life
                ));
            }
            if count > 0 || !marker.taken.is_empty() {
                continue;
            }
            let is_aside = copies.may_have(author) && copies.keeps(author.life.0, *mark);
            if !author.fate.is_doubtful() && !is_aside {
                let (life, edit) = (author.life, author.number);
                return Err(format!("mark {number} of {life:?} (edit {edit}) is lost in {stream}"));
            }
            let on_copies = copies.holdings.iter().filter(|(_, edits)| edits.contains(&marker.written));
            let mut lost = on_copies
                .filter(|(page, _)| ![*page, author.life.0].iter().any(|page| copies.keeps(*page, *mark)));
            if let Some((page, _)) = lost.next() {
                return Err(format!(
                    "mark {number} of {:?} was on the copied disk that page {page} began with, and is in no fork of {stream}",
                    author.life
                ));
            }
        }
        match counts.keys().next() {
            Some(mark) => Err(format!("{stream} holds a mark nobody wrote: {:x}", u32::from(*mark))),
            None => Ok(()),
        }
    }

    pub(crate) fn edits(&self) -> usize {
        self.edits.len()
    }
}
