//! A group of commits on its way to becoming one batch.

use std::collections::BTreeMap;
use std::ops::Bound;

use causeway_core::storage::{Commit, CommitError, Expect, StoreFailure};
use sled::IVec;

use super::{near, row};
use crate::Space;

/// Tree keys and what becomes of them: a value, or nothing.
type Writes = BTreeMap<Vec<u8>, Option<IVec>>;

/// Commits staged on top of a database, not yet applied. Each sees those staged before it.
pub(super) struct Draft<'a> {
    db: &'a sled::Db,
    writes: Writes,
    next_long: u64,
}

impl<'a> Draft<'a> {
    /// An empty draft; long values are numbered from `next_long`.
    pub(super) fn new(db: &'a sled::Db, next_long: u64) -> Self {
        Self { db, writes: Writes::new(), next_long }
    }

    /// The first number that no staged value uses.
    pub(super) fn next_long(&self) -> u64 {
        self.next_long
    }

    /// Adds a commit, or tells why not; a commit that is refused leaves the draft as it was.
    pub(super) fn stage(&mut self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        for expect in &commit.expect {
            self.check(space, expect)?;
        }
        let mut values: BTreeMap<Vec<u8>, Option<&[u8]>> = BTreeMap::new();
        values.extend(commit.delete.iter().map(|key| (row::key(space, key), None)));
        for prefix in &commit.delete_prefix {
            let gone = self.keys_under(space, prefix)?;
            values.extend(gone.into_iter().map(|tree_key| (tree_key, None)));
        }
        values.extend(commit.put.iter().map(|(key, value)| (row::key(space, key), Some(&value[..]))));

        let mut writes = Writes::new();
        let mut next_long = self.next_long;
        for (tree_key, value) in values {
            let old = self.read(&tree_key).map_err(|e| near(&e, row::key_in_space(space, &tree_key)))?;
            // The pieces of a row that is itself damaged stay behind as garbage: better than another value's pieces lost.
            if let Some(row::Stored::Long(long)) =
                old.as_ref().and_then(|raw| row::Stored::decode(&tree_key, raw))
            {
                writes.extend(long.piece_keys().map(|piece| (piece, None)));
            }
            let Some(value) = value else {
                if old.is_some() {
                    writes.insert(tree_key, None);
                }
                continue;
            };
            let written = row::encode(&tree_key, value, || {
                next_long += 1;
                next_long - 1
            });
            writes.extend(written.pieces.into_iter().map(|(key, piece)| (key, Some(piece.into()))));
            writes.insert(tree_key, Some(written.row.into()));
        }
        self.next_long = next_long;
        self.writes.extend(writes);
        Ok(())
    }

    /// Whether there is nothing to apply.
    pub(super) fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Applies what was staged, atomically, as the batch of this number.
    pub(super) fn apply(self, number: u64) -> sled::Result<()> {
        let mut batch = sled::Batch::default();
        batch.insert(row::NUMBER_KEY, row::encode_number(row::NUMBER_KEY, number));
        for (key, value) in self.writes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.db.apply_batch(batch)
    }

    fn check(&self, space: &Space, expect: &Expect) -> Result<(), CommitError> {
        let key = &expect.key;
        let tree_key = row::key(space, key);
        let found = match self.read(&tree_key).map_err(|e| near(&e, key))? {
            None => None,
            Some(raw) => {
                let stored =
                    row::Stored::decode(&tree_key, &raw).ok_or_else(|| StoreFailure::damaged(key))?;
                let value = stored.assemble(|piece| self.read(piece)).map_err(|e| near(&e, key))?;
                Some(value.ok_or_else(|| StoreFailure::damaged(key))?)
            }
        };
        if found == expect.value { Ok(()) } else { Err(CommitError::Conflict { key: key.clone() }) }
    }

    fn read(&self, tree_key: &[u8]) -> sled::Result<Option<IVec>> {
        match self.writes.get(tree_key) {
            Some(staged) => Ok(staged.clone()),
            None => self.db.get(tree_key),
        }
    }

    /// The tree keys under a prefix, on disk or staged; some may be staged to go already.
    fn keys_under(&self, space: &Space, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreFailure> {
        let start = row::key(space, prefix);
        let end = row::behind(start.clone());
        let staged = self.writes.range::<[u8], _>((Bound::Included(&start[..]), Bound::Excluded(&end[..])));
        let mut keys: Vec<Vec<u8>> = staged.map(|(key, _)| key.clone()).collect();
        for key in self.db.range(start..end).keys() {
            keys.push(key.map_err(|e| near(&e, prefix))?.to_vec());
        }
        Ok(keys)
    }
}
