//! Spaces, keys and values on top of the one ordered map of bytes that an embedded database offers.
//!
//! * `layout` is how a row lies in the map, with a sum that makes damage show.
//! * `draft` turns a group of commits, or of rows, into one batch of writes.
//! * `ledger` is what a store knows of all its rows together, so that none is missed in silence.
//! * Here is the reading: a value, a page of a space, the list of spaces.

pub(crate) mod draft;
pub(crate) mod known;
pub(crate) mod layout;
pub(crate) mod ledger;

use causeway_core::storage::{FailureKind, Page, Scan, StoreFailure};

use crate::{Space, watch};

/// An ordered map of bytes, at one moment.
pub(crate) trait Tree {
    /// Bytes of the map, for as long as it is borrowed.
    type Bytes<'a>: AsRef<[u8]>
    where
        Self: 'a;

    fn get(&self, key: &[u8]) -> Result<Option<Self::Bytes<'_>>, TreeError>;

    /// Ascending, from `start` to before `end`, which lies behind `start`.
    fn range(
        &self,
        start: &[u8],
        end: &[u8],
    ) -> Result<impl Iterator<Item = Pair<Self::Bytes<'_>>>, TreeError>;
}

/// A key and its value, or why they cannot be read.
pub(crate) type Pair<B> = Result<(B, B), TreeError>;

/// Why the map did not answer.
#[derive(Debug)]
pub(crate) enum TreeError {
    /// What lies there is not what was written.
    Damaged,
    /// Anything else.
    Failed(StoreFailure),
}

impl TreeError {
    /// A failure while reading at or right behind a key: damage there concerns this range only.
    pub(crate) fn near(self, key: &[u8]) -> StoreFailure {
        match self {
            Self::Damaged => StoreFailure::damaged(key),
            Self::Failed(failure) => failure,
        }
    }

    /// A failure that cannot be said to lie near a key.
    pub(crate) fn anywhere(self) -> StoreFailure {
        match self {
            Self::Damaged => {
                let sentence = "The store is damaged; restore it from a backup or from another device.";
                StoreFailure::new(FailureKind::Damaged, sentence)
            }
            Self::Failed(failure) => failure,
        }
    }
}

/// Reads one page of a space.
pub(crate) fn scan(tree: &impl Tree, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
    let mut page = Page::default();
    if scan.start >= scan.end {
        return Ok(page);
    }
    let (start, end) = (layout::key(space, &scan.start), layout::key(space, &scan.end));
    let mut bytes = 0;
    for found in tree.range(&start, &end).map_err(|e| e.near(&scan.start))? {
        watch::step();
        let (tree_key, raw) = match found {
            Ok(pair) => pair,
            Err(e) => return Err(e.near(last_of(&page).unwrap_or(&scan.start))),
        };
        let (tree_key, raw) = (tree_key.as_ref(), raw.as_ref());
        let key = layout::key_in_space(space, tree_key);
        let stored = layout::Stored::decode(tree_key, raw);
        bytes += key.len() + stored.as_ref().map_or(0, layout::Stored::len);
        let found = page.rows.len() + page.damaged.len();
        let full = bytes > scan.max_bytes || found >= scan.max_rows;
        let value = if full && found > 0 { None } else { Some(read_value(tree, stored)) };
        match value {
            Some(Ok(Some(value))) => page.rows.push((key.to_vec(), value)),
            Some(Ok(None)) => page.damaged.push(key.to_vec()),
            Some(Err(failure)) if found == 0 => return Err(failure),
            // Also where the store fails: what stands before is sound, and the next page begins by failing.
            Some(Err(_)) | None => {
                page.more = Some(key.to_vec());
                break;
            }
        }
    }
    Ok(page)
}

/// One value; nothing where there is no row.
pub(crate) fn get(tree: &impl Tree, space: &Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFailure> {
    let tree_key = layout::key(space, key);
    let Some(raw) = tree.get(&tree_key).map_err(|e| e.near(key))? else { return Ok(None) };
    let value = read_value(tree, layout::Stored::decode(&tree_key, raw.as_ref()))?;
    value.map(Some).ok_or_else(|| StoreFailure::damaged(key))
}

/// Reads the place of a row, be it there or not, and those of its pieces: all that whoever writes over it has to read.
pub(crate) fn reach(tree: &impl Tree, tree_key: &[u8]) -> Result<(), StoreFailure> {
    watch::step();
    let near = |e: TreeError| e.near(layout::key_of(tree_key));
    let Some(raw) = tree.get(tree_key).map_err(near)? else { return Ok(()) };
    match layout::Stored::decode(tree_key, raw.as_ref()) {
        Some(layout::Stored::Long(long)) => {
            long.piece_keys().try_for_each(|piece| tree.get(&piece).map(drop).map_err(near))
        }
        Some(layout::Stored::Inline(_)) | None => Ok(()),
    }
}

/// The keys of a space that begin with a prefix, whatever their values are worth.
pub(crate) fn keys(tree: &impl Tree, space: &Space, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreFailure> {
    let start = layout::key(space, prefix);
    let end = layout::behind(start.clone());
    let mut keys = Vec::new();
    for found in tree.range(&start, &end).map_err(|e| e.near(prefix))? {
        watch::step();
        let (tree_key, _) = found.map_err(|e| e.near(prefix))?;
        keys.push(layout::key_in_space(space, tree_key.as_ref()).to_vec());
    }
    Ok(keys)
}

/// The spaces that hold a row, from behind `after`, at most `max` of them.
pub(crate) fn spaces(
    tree: &impl Tree,
    after: Option<&Space>,
    max: usize,
) -> Result<Vec<Space>, StoreFailure> {
    let end = layout::end_of_rows();
    let mut spaces: Vec<Space> = Vec::new();
    while spaces.len() < max {
        watch::step();
        let start = spaces.last().or(after).map_or_else(layout::first_key, layout::key_behind);
        let mut behind = tree.range(&start, &end).map_err(TreeError::anywhere)?;
        let Some(found) = behind.next() else { break };
        let (tree_key, _) = found.map_err(TreeError::anywhere)?;
        let tree_key = tree_key.as_ref();
        spaces.push(layout::space_of(tree_key).ok_or_else(|| StoreFailure::damaged(tree_key))?);
    }
    Ok(spaces)
}

fn last_of(page: &Page) -> Option<&Vec<u8>> {
    page.rows.last().map(|row| &row.0).max(page.damaged.last())
}

/// A value, or `None` where it is not what was written.
fn read_value(tree: &impl Tree, stored: Option<layout::Stored<'_>>) -> Result<Option<Vec<u8>>, StoreFailure> {
    let Some(stored) = stored else { return Ok(None) };
    match stored.assemble(|piece| tree.get(piece)) {
        Ok(value) => Ok(value),
        Err(TreeError::Damaged) => Ok(None),
        Err(TreeError::Failed(failure)) => Err(failure),
    }
}
