//! A store that keeps everything in memory and forgets it with the process.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use causeway_core::storage::{Commit, CommitError, Page, Scan, StoreFailure};

use crate::{Space, Store, limits};

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// A store in memory. Its durability is that of the process: `settle` and `sync` have nothing to do.
#[derive(Debug, Default)]
pub struct MemoryStore {
    spaces: RwLock<BTreeMap<Space, Rows>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<Space, Rows>> {
        // Nothing panics between two changes of a commit, so a poisoned lock still guards a whole state.
        self.spaces.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
        limits::check(commit)?;
        let mut spaces = self.spaces.write().unwrap_or_else(PoisonError::into_inner);
        let rows = spaces.entry(space.clone()).or_default();
        let answer = change(rows, commit);
        if rows.is_empty() {
            spaces.remove(space);
        }
        answer
    }

    fn settle(&self) -> Result<(), StoreFailure> {
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreFailure> {
        Ok(())
    }

    fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        let mut page = Page::default();
        let spaces = self.read();
        let Some(rows) = spaces.get(space).filter(|_| scan.start < scan.end) else {
            return Ok(page);
        };
        let mut bytes = 0;
        for (key, value) in
            rows.range::<[u8], _>((Bound::Included(&scan.start[..]), Bound::Excluded(&scan.end[..])))
        {
            bytes += key.len() + value.len();
            if !page.rows.is_empty() && (bytes > scan.max_bytes || page.rows.len() >= scan.max_rows) {
                page.more = Some(key.clone());
                break;
            }
            page.rows.push((key.clone(), value.clone()));
        }
        Ok(page)
    }

    fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let spaces = self.read();
        Ok(spaces.range((start, Bound::Unbounded)).map(|(space, _)| space.clone()).take(max).collect())
    }
}

fn change(rows: &mut Rows, commit: &Commit) -> Result<(), CommitError> {
    if let Some(expect) = commit.expect.iter().find(|e| rows.get(&e.key) != e.value.as_ref()) {
        return Err(CommitError::Conflict { key: expect.key.clone() });
    }
    for key in &commit.delete {
        rows.remove(key);
    }
    for prefix in &commit.delete_prefix {
        let under = rows.range::<[u8], _>((Bound::Included(&prefix[..]), Bound::Unbounded));
        let gone: Vec<_> =
            under.map(|(key, _)| key.clone()).take_while(|key| key.starts_with(prefix)).collect();
        for key in gone {
            rows.remove(&key);
        }
    }
    for (key, value) in &commit.put {
        rows.insert(key.clone(), value.clone());
    }
    Ok(())
}
