//! A group of commits, or of rows, on its way to becoming one batch.

use std::collections::BTreeMap;
use std::ops::Bound;

use causeway_core::storage::{Commit, CommitError, Expect, StoreFailure};

use super::known::{Before, Known, end_of_count};
use super::layout::{self, Sum};
use super::{Tree, TreeError};
use crate::{Space, watch};

/// Tree keys and what becomes of them: a value, or nothing.
pub(crate) type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Commits staged on top of a database, not yet applied. Each sees those staged before it.
pub(crate) struct Draft<'a, T> {
    tree: &'a T,
    known: &'a mut Known,
    writes: Writes,
    /// The sum of each row of the database that is written over or deleted.
    replaced: Vec<Sum>,
    next_long: u64,
}

impl<'a, T: Tree> Draft<'a, T> {
    /// An empty draft; long values are numbered from `next_long`. What is staged is noted in `known`, so a batch that is
    /// not applied must be the last that this database is given.
    pub(crate) fn new(tree: &'a T, known: &'a mut Known, next_long: u64) -> Self {
        Self { tree, known, writes: Writes::new(), replaced: Vec::new(), next_long }
    }

    /// The first number that no staged value uses.
    pub(crate) fn next_long(&self) -> u64 {
        self.next_long
    }

    /// Adds a commit, or tells why not; a commit that is refused leaves the draft as it was.
    pub(crate) fn stage(&mut self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        for expect in &commit.expect {
            self.check(space, expect)?;
        }
        let mut values: BTreeMap<Vec<u8>, Option<&[u8]>> = BTreeMap::new();
        values.extend(commit.delete.iter().map(|key| (layout::key(space, key), None)));
        for prefix in &commit.delete_prefix {
            let gone = self.keys_under(space, prefix)?;
            values.extend(gone.into_iter().map(|tree_key| (tree_key, None)));
        }
        values.extend(commit.put.iter().map(|(key, value)| (layout::key(space, key), Some(&value[..]))));
        Ok(self.rows(values)?)
    }

    /// Adds rows, each with its value, or nothing where it goes; or none of them, and tells why.
    pub(crate) fn rows<'v, K: AsRef<[u8]>>(
        &mut self,
        values: impl IntoIterator<Item = (K, Option<&'v [u8]>)>,
    ) -> Result<(), StoreFailure> {
        let mut writes = Writes::new();
        let mut next_long = self.next_long;
        let (mut noted, mut replaced) = (Vec::new(), Vec::new());
        for (tree_key, value) in values {
            watch::step();
            let tree_key = tree_key.as_ref();
            let near = |e: TreeError| e.near(layout::key_of(tree_key));
            let before = if value.is_some() { self.known_before(tree_key).map_err(near)? } else { None };
            let old = if before.is_some() { None } else { self.read(tree_key).map_err(near)? };
            replaced.extend(match before {
                Some(Before::Absent) => None,
                Some(Before::Short(sum)) => Some(sum),
                None if self.writes.contains_key(tree_key) => None,
                None => old.as_deref().map(layout::sum_of_row),
            });
            // The pieces of a row that is itself damaged stay behind as garbage: better than another value's pieces lost.
            if let Some(layout::Stored::Long(long)) =
                old.as_ref().and_then(|raw| layout::Stored::decode(tree_key, raw))
            {
                writes.extend(long.piece_keys().map(|piece| (piece, None)));
            }
            let Some(value) = value else {
                if old.is_some() {
                    noted.push((tree_key.to_vec(), None));
                    writes.insert(tree_key.to_vec(), None);
                }
                continue;
            };
            let written = layout::encode(tree_key, value, || {
                next_long += 1;
                next_long - 1
            });
            let is_short = written.pieces.is_empty();
            noted.push((tree_key.to_vec(), is_short.then(|| layout::sum_of_row(&written.row))));
            writes.extend(written.pieces.into_iter().map(|(key, piece)| (key, Some(piece))));
            writes.insert(tree_key.to_vec(), Some(written.row));
        }
        self.next_long = next_long;
        noted.iter().for_each(|(tree_key, short)| self.known.note_written(tree_key, *short));
        self.replaced.extend(replaced);
        self.writes.extend(writes);
        Ok(())
    }

    /// Whether there is nothing to apply.
    pub(crate) fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// The sums of the rows that are no longer there once the batch is applied, or are written anew.
    pub(crate) fn replaced(&self) -> &[Sum] {
        &self.replaced
    }

    /// What was staged, to be applied as one batch.
    pub(crate) fn into_writes(self) -> Writes {
        self.writes
    }

    fn check(&self, space: &Space, expect: &Expect) -> Result<(), CommitError> {
        let key = &expect.key;
        let tree_key = layout::key(space, key);
        let found = match self.read(&tree_key).map_err(|e| e.near(key))? {
            None => None,
            Some(raw) => {
                let stored =
                    layout::Stored::decode(&tree_key, &raw).ok_or_else(|| StoreFailure::damaged(key))?;
                let value = stored.assemble(|piece| self.read(piece)).map_err(|e| e.near(key))?;
                Some(value.ok_or_else(|| StoreFailure::damaged(key))?)
            }
        };
        if found == expect.value { Ok(()) } else { Err(CommitError::Conflict { key: key.clone() }) }
    }

    /// What the database holds of a row, as far as that is known or cheap to learn and nothing of it has to be taken away.
    fn known_before(&mut self, tree_key: &[u8]) -> Result<Option<Before>, TreeError> {
        if self.writes.contains_key(tree_key) {
            return Ok(None);
        }
        if self.known.asks_for_end(tree_key) {
            let end = end_of_count(tree_key);
            let bounds = (Bound::Included(tree_key), Bound::Excluded(&end[..]));
            let staged = self.writes.range::<[u8], _>(bounds).next().is_some();
            let behind = self.tree.range(tree_key, &end)?.next().transpose()?;
            if !staged && behind.is_none() {
                self.known.note_end(tree_key);
            }
        }
        Ok(self.known.before(tree_key))
    }

    fn read(&self, tree_key: &[u8]) -> Result<Option<Vec<u8>>, TreeError> {
        match self.writes.get(tree_key) {
            Some(staged) => Ok(staged.clone()),
            None => Ok(self.tree.get(tree_key)?.map(|raw| raw.as_ref().to_vec())),
        }
    }

    /// The tree keys under a prefix, on disk or staged; some may be staged to go already.
    fn keys_under(&self, space: &Space, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreFailure> {
        let start = layout::key(space, prefix);
        let end = layout::behind(start.clone());
        let staged = self.writes.range::<[u8], _>((Bound::Included(&start[..]), Bound::Excluded(&end[..])));
        let mut keys: Vec<Vec<u8>> = staged.map(|(key, _)| key.clone()).collect();
        for found in self.tree.range(&start, &end).map_err(|e| e.near(prefix))? {
            watch::step();
            let (key, _) = found.map_err(|e| e.near(prefix))?;
            keys.push(key.as_ref().to_vec());
        }
        Ok(keys)
    }
}
