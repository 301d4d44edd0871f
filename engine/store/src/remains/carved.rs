//! Rows found in the bytes of a file, in the order in which they were met.

use std::collections::BTreeMap;

use causeway_core::salvage::Found;

use crate::Space;
use crate::rows::layout::{self, Stored};

/// Rows and pieces by their keys in the tree. Of each all that were ever found, and none twice; the newest stands first where
/// that is known.
#[derive(Debug, Default)]
pub(super) struct Carved {
    rows: BTreeMap<Vec<u8>, Vec<Candidate>>,
    pieces: BTreeMap<Vec<u8>, Vec<Candidate>>,
}

#[derive(Debug)]
struct Candidate {
    /// Greater is newer; all alike where a file does not tell.
    age: u64,
    raw: Vec<u8>,
}

impl Carved {
    /// Takes what may be a row: it is one if its sum is that of key and value. Says whether it was anything of ours.
    pub(super) fn offer(&mut self, tree_key: &[u8], raw: &[u8], age: u64) -> bool {
        if layout::is_row(tree_key) {
            let whole = Stored::decode(tree_key, raw).is_some() && layout::space_of(tree_key).is_some();
            if whole {
                note(&mut self.rows, tree_key, raw, age);
            }
            whole
        } else if layout::is_piece(tree_key) {
            note(&mut self.pieces, tree_key, raw, age);
            true
        } else {
            false
        }
    }

    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.rows.keys().map(Vec::as_slice)
    }

    /// Adds what was found of a space.
    pub(super) fn rows(&self, space: &Space, found: &mut Found) {
        let start = layout::key(space, &[]);
        let end = layout::key_behind(space);
        for (tree_key, candidates) in self.rows.range(start..end) {
            let values = found.entry(layout::key_in_space(space, tree_key).to_vec()).or_default();
            for candidate in candidates {
                let value = self.value(tree_key, &candidate.raw);
                values.extend(value.filter(|value| !values.contains(value)));
            }
        }
    }

    fn value(&self, tree_key: &[u8], raw: &[u8]) -> Option<Vec<u8>> {
        let stored = Stored::decode(tree_key, raw)?;
        // Numbers of long values are used again after a while, so there may be several pieces of one name.
        (0..GENERATIONS).find_map(|generation| {
            let read = |key: &[u8]| -> Result<Option<&[u8]>, ()> {
                let candidates = self.pieces.get(key);
                let candidate = candidates.and_then(|all| all.get(generation).or(all.last()));
                Ok(candidate.map(|candidate| candidate.raw.as_slice()))
            };
            stored.assemble(read).ok().flatten()
        })
    }
}

fn note(into: &mut BTreeMap<Vec<u8>, Vec<Candidate>>, tree_key: &[u8], raw: &[u8], age: u64) {
    let candidates = into.entry(tree_key.to_vec()).or_default();
    if let Some(known) = candidates.iter_mut().find(|candidate| candidate.raw == raw) {
        known.age = known.age.max(age);
    } else if candidates.len() < CANDIDATES {
        candidates.push(Candidate { age, raw: raw.to_vec() });
    }
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.age));
}

/// Versions of one row that are kept. Most rows are written once; those that are written over are made anew from the others.
const CANDIDATES: usize = 16;
/// Sets of pieces that are tried for a long value.
const GENERATIONS: usize = CANDIDATES;
