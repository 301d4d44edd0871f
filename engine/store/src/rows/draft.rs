//! Rows on their way to becoming one batch of a database.

use causeway_core::storage::StoreFailure;

use super::known::{Before, Known, end_of_count};
use super::layout::{self, Sum};
use super::{Tree, TreeError};
use crate::database::Row;

/// Tree keys and what becomes of them: a value, or nothing.
pub(crate) type Writes = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// Rows staged on top of a database, not yet applied.
pub(crate) struct Draft<'a, T> {
    tree: &'a T,
    known: &'a mut Known,
    rows: Writes,
    pieces: Writes,
    /// The sum of each row of the database that is written over or deleted.
    replaced: Vec<Sum>,
    next_long: u64,
}

impl<'a, T: Tree> Draft<'a, T> {
    /// An empty draft; long values are numbered from `next_long`. What is staged is noted in `known`, so a batch that is
    /// not applied must be the last that this database is given.
    pub(crate) fn new(tree: &'a T, known: &'a mut Known, next_long: u64) -> Self {
        Self { tree, known, rows: Writes::new(), pieces: Writes::new(), replaced: Vec::new(), next_long }
    }

    /// The first number that no staged value uses.
    pub(crate) fn next_long(&self) -> u64 {
        self.next_long
    }

    /// Adds a row, behind all that were added before.
    pub(crate) fn stage(&mut self, (tree_key, value): Row<'_>) -> Result<(), StoreFailure> {
        let near = |e: TreeError| e.near(layout::key_of(tree_key));
        let before = if value.is_some() { self.known_before(tree_key).map_err(near)? } else { None };
        let old = match before {
            Some(Before::Absent) => None,
            Some(Before::Short(sum)) => {
                self.replaced.push(sum);
                None
            }
            None => self.tree.get(tree_key).map_err(near)?.map(|raw| raw.as_ref().to_vec()),
        };
        self.replaced.extend(old.as_deref().map(layout::sum_of_row));
        // The pieces of a row that is itself damaged stay behind as garbage: better than another value's pieces lost.
        if let Some(layout::Stored::Long(long)) =
            old.as_ref().and_then(|raw| layout::Stored::decode(tree_key, raw))
        {
            self.pieces.extend(long.piece_keys().map(|piece| (piece, None)));
        }
        match value {
            Some(value) => self.put(tree_key, value),
            None if old.is_some() => {
                self.known.note_written(tree_key, None);
                self.rows.push((tree_key.to_vec(), None));
            }
            None => {}
        }
        Ok(())
    }

    /// The sums of the rows that are no longer there once the batch is applied, or are written anew.
    pub(crate) fn replaced(&self) -> &[Sum] {
        &self.replaced
    }

    /// What was staged, to be applied as one batch: rows first, as their keys come first in the tree.
    pub(crate) fn into_writes(self) -> Writes {
        let Self { mut rows, pieces, .. } = self;
        rows.extend(pieces);
        rows
    }

    fn put(&mut self, tree_key: &[u8], value: &[u8]) {
        let next_long = &mut self.next_long;
        let written = layout::encode(tree_key, value, || {
            *next_long += 1;
            *next_long - 1
        });
        let is_short = written.pieces.is_empty();
        self.known.note_written(tree_key, is_short.then(|| layout::sum_of_row(&written.row)));
        self.pieces.extend(written.pieces.into_iter().map(|(key, piece)| (key, Some(piece))));
        self.rows.push((tree_key.to_vec(), Some(written.row)));
    }

    /// What the database holds of a row, as far as that is known or cheap to learn and nothing of it has to be taken away.
    fn known_before(&mut self, tree_key: &[u8]) -> Result<Option<Before>, TreeError> {
        if self.known.asks_for_end(tree_key) {
            // All that was staged so far lies before this key.
            let behind = self.tree.range(tree_key, &end_of_count(tree_key))?.next().transpose()?;
            if behind.is_none() {
                self.known.note_end(tree_key);
            }
        }
        Ok(self.known.before(tree_key))
    }
}
