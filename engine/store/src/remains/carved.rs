//! Rows found in the bytes of a file, in the order in which they were met.

use std::collections::{BTreeMap, BTreeSet};

use causeway_core::salvage::Found;

use super::opened::{Given, Opened};
use crate::Space;
use crate::rows::layout::{self, Stored};

/// What is being found: of a database that opens only what it does not give itself, so that one fault costs little memory.
pub(super) struct Carved<'a> {
    keeping: Keeping<'a>,
    kept: Kept,
}

/// What is kept of what is met.
enum Keeping<'a> {
    All,
    Beside(&'a Opened, Given),
    Nothing,
}

/// Rows and pieces by their keys in the tree, none twice; the newest stands first where that is known.
#[derive(Debug, Default)]
pub(super) struct Kept {
    rows: BTreeMap<Vec<u8>, Vec<Candidate>>,
    pieces: BTreeMap<Vec<u8>, Vec<Candidate>>,
    /// Whole rows that were met, again and again where they lie in several places.
    met: u64,
}

#[derive(Debug)]
struct Candidate {
    /// Greater is newer; where a file does not tell, what stands behind counts as newer.
    age: u64,
    raw: Vec<u8>,
}

impl<'a> Carved<'a> {
    /// What a copy does not give of these spaces, or all where there is none.
    pub(super) fn beside(opened: Option<&'a Opened>, spaces: &BTreeSet<Space>) -> Self {
        let beside = |opened: &'a Opened| Keeping::Beside(opened, opened.given(spaces));
        Self { keeping: opened.map_or(Keeping::All, beside), kept: Kept::default() }
    }

    /// Only finds out whether there is any.
    pub(super) fn nothing() -> Self {
        Self { keeping: Keeping::Nothing, kept: Kept::default() }
    }

    /// Whether the rest of the file would change nothing.
    pub(super) fn has_enough(&self) -> bool {
        matches!(self.keeping, Keeping::Nothing) && self.kept.met > 0
    }

    /// Takes what may be a row: it is one if its sum is that of key and value. Says whether it was anything of ours.
    pub(super) fn offer(&mut self, tree_key: &[u8], raw: &[u8], age: u64) -> bool {
        if layout::is_row(tree_key) {
            let whole = Stored::decode(tree_key, raw).is_some() && layout::space_of(tree_key).is_some();
            if whole {
                self.kept.met += 1;
                if self.keeping.keeps(|_, given| !given.has(raw)) {
                    note(&mut self.kept.rows, tree_key, raw, age);
                }
            }
            whole
        } else if layout::is_piece(tree_key) {
            if self.keeping.keeps(|opened, _| opened.raw(tree_key).as_deref() != Some(raw)) {
                note(&mut self.kept.pieces, tree_key, raw, age);
            }
            true
        } else {
            false
        }
    }

    pub(super) fn into_kept(self) -> Kept {
        self.kept
    }
}

impl Keeping<'_> {
    fn keeps(&self, lacks: impl FnOnce(&Opened, &Given) -> bool) -> bool {
        match self {
            Self::All => true,
            Self::Beside(opened, given) => lacks(opened, given),
            Self::Nothing => false,
        }
    }
}

impl Kept {
    /// How many rows were kept.
    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }

    /// How many were met, those included that the database gives.
    pub(super) fn met(&self) -> u64 {
        self.met
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.rows.keys().map(Vec::as_slice)
    }

    /// Adds what was found of a space. Pieces of a long value may also be those that the database gives.
    pub(super) fn rows(&self, space: &Space, opened: Option<&Opened>, found: &mut Found) {
        let start = layout::key(space, &[]);
        let end = layout::key_behind(space);
        for (tree_key, candidates) in self.rows.range(start..end) {
            let values = found.entry(layout::key_in_space(space, tree_key).to_vec()).or_default();
            for candidate in candidates {
                let value = self.value(tree_key, &candidate.raw, opened);
                values.extend(value.filter(|value| !values.contains(value)));
            }
        }
    }

    fn value(&self, tree_key: &[u8], raw: &[u8], opened: Option<&Opened>) -> Option<Vec<u8>> {
        let stored = Stored::decode(tree_key, raw)?;
        // Numbers of long values are used again after a while, so there may be several pieces of one name; and the one that
        // is damaged may be the database's own.
        (0..GENERATIONS).find_map(|generation| {
            let read = |key: &[u8]| -> Result<Option<Vec<u8>>, ()> {
                let carved = self.pieces.get(key);
                let candidate = carved.and_then(|all| all.get(generation).or(all.last()));
                let own = || opened.and_then(|opened| opened.raw(key));
                Ok(candidate.map(|candidate| candidate.raw.clone()).or_else(own))
            };
            stored.assemble(read).ok().flatten()
        })
    }
}

fn note(into: &mut BTreeMap<Vec<u8>, Vec<Candidate>>, tree_key: &[u8], raw: &[u8], age: u64) {
    let candidates = into.entry(tree_key.to_vec()).or_default();
    let age = match candidates.iter().position(|candidate| candidate.raw == raw) {
        Some(known) => candidates.remove(known).age.max(age),
        None => age,
    };
    let before = candidates.partition_point(|candidate| candidate.age > age);
    candidates.insert(before, Candidate { age, raw: raw.to_vec() });
    candidates.truncate(CANDIDATES);
}

/// Versions of one row that are kept, the newest. Most rows are written once; those that are written over are made anew from
/// the others.
const CANDIDATES: usize = 16;
/// Sets of pieces that are tried for a long value.
const GENERATIONS: usize = CANDIDATES;
