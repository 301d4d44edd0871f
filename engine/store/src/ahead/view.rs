//! Reading the rows of the log and of the database as one.

use std::collections::VecDeque;

use causeway_core::storage::{Page, Scan, StoreFailure};

use super::table::Layers;
use crate::Space;
use crate::database::Database;
use crate::limits::{COPY_PAGE_BYTES, COPY_PAGE_ROWS, MAX_KEY_BYTES};
use crate::rows::layout;

/// The rows of a store at one moment: for as long as it is held, what is in the layers stays there.
pub(super) struct View<'a> {
    pub(super) layers: &'a Layers,
    pub(super) database: &'a dyn Database,
}

impl View<'_> {
    /// One value; nothing where there is no row.
    pub(super) fn get(&self, space: &Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFailure> {
        match self.layers.get(&layout::key(space, key)) {
            Some(value) => Ok(value.map(<[u8]>::to_vec)),
            None => self.database.get(space, key),
        }
    }

    /// The keys that begin with a prefix; some of them may be gone.
    pub(super) fn keys(&self, space: &Space, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreFailure> {
        let mut keys = self.database.keys(space, prefix)?;
        let start = layout::key(space, prefix);
        let rows = self.layers.range(&start, &layout::behind(start.clone()));
        let there = rows.filter(|(_, value)| value.is_some());
        keys.extend(there.map(|(tree_key, _)| layout::key_in_space(space, tree_key).to_vec()));
        Ok(keys)
    }

    /// One page of a range.
    pub(super) fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
        if let Some(page) = self.one(space, scan) {
            return Ok(page);
        }
        let mut filling = Filling { scan, page: Page::default(), bytes: 0 };
        let mut start = scan.start.clone();
        while start < scan.end {
            let left = filling.left(&start);
            let below = match self.database.scan(space, &left) {
                Ok(below) => below,
                Err(failure) if filling.found() == 0 => return Err(failure),
                // What stands before is sound, and the next page begins by failing.
                Err(_) => {
                    filling.page.more = Some(start);
                    break;
                }
            };
            let next = below.more.clone();
            let end = next.as_ref().unwrap_or(&scan.end);
            if !self.merge(space, (&start, end), below, &mut filling) {
                break;
            }
            match next {
                Some(next) => start = next,
                None => break,
            }
        }
        Ok(filling.page)
    }

    /// The page of a range of one key of which the database need not be asked: it may be one that it cannot read.
    fn one(&self, space: &Space, scan: &Scan) -> Option<Page> {
        let is_one = scan.end.split_last().is_some_and(|(last, key)| *last == 0 && *key == scan.start[..]);
        let row = self.layers.get(&layout::key(space, &scan.start)).filter(|_| is_one)?;
        let rows = row.map(|value| (scan.start.clone(), value.to_vec()));
        Some(Page { rows: rows.into_iter().collect(), ..Page::default() })
    }

    /// Adds what there is of a range to a page, given all that the database has of it. False when the page is full.
    fn merge(
        &self,
        space: &Space,
        (start, end): (&[u8], &[u8]),
        below: Page,
        filling: &mut Filling<'_>,
    ) -> bool {
        let mut rows: VecDeque<(Vec<u8>, Option<Vec<u8>>)> =
            below.rows.into_iter().map(|(key, value)| (key, Some(value))).collect();
        rows.extend(below.damaged.into_iter().map(|key| (key, None)));
        rows.make_contiguous().sort();
        for (tree_key, value) in self.layers.range(&layout::key(space, start), &layout::key(space, end)) {
            let key = layout::key_in_space(space, tree_key);
            while let Some((key, value)) = rows.pop_front_if(|(below, _)| &below[..] < key) {
                if !filling.add(key, value) {
                    return false;
                }
            }
            rows.pop_front_if(|(below, _)| below[..] == *key);
            if let Some(value) = value
                && !filling.add(key.to_vec(), Some(value.to_vec()))
            {
                return false;
            }
        }
        rows.into_iter().all(|(key, value)| filling.add(key, value))
    }

    /// The spaces that hold at least one row, from behind `after`, at most `max` of them.
    pub(super) fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
        let mut found = Vec::new();
        let mut below = VecDeque::from(self.database.spaces(after, max)?);
        let mut more = below.len() == max;
        let mut last = after.cloned();
        while found.len() < max {
            if below.is_empty() && more {
                below = VecDeque::from(self.database.spaces(last.as_ref(), max)?);
                more = below.len() == max;
            }
            let from = last.as_ref().map_or_else(layout::first_key, layout::key_behind);
            let next = match (below.front(), self.layers.space_from(&from)) {
                (None, None) => break,
                (Some(below), None) => below.clone(),
                (None, Some(above)) => above,
                (Some(below), Some(above)) => above.min(below.clone()),
            };
            below.pop_front_if(|space| *space == next);
            if self.holds_a_row(&next)? {
                found.push(next.clone());
            }
            last = Some(next);
        }
        Ok(found)
    }

    fn holds_a_row(&self, space: &Space) -> Result<bool, StoreFailure> {
        let (start, end) = (layout::key(space, &[]), layout::key_behind(space));
        let mut rows = self.layers.range(&start, &end).peekable();
        if rows.peek().is_none() || rows.any(|(_, value)| value.is_some()) {
            return Ok(true);
        }
        // All that is known above the database is gone; whether that is all there was, only a look tells.
        let end = vec![u8::MAX; MAX_KEY_BYTES + 1];
        let few = Scan { start: Vec::new(), end, max_bytes: COPY_PAGE_BYTES, max_rows: COPY_PAGE_ROWS };
        let first = self.scan(space, &few)?;
        Ok(!first.rows.is_empty() || !first.damaged.is_empty())
    }
}

/// A page that is being filled.
struct Filling<'a> {
    scan: &'a Scan,
    page: Page,
    bytes: usize,
}

impl Filling<'_> {
    fn found(&self) -> usize {
        self.page.rows.len() + self.page.damaged.len()
    }

    /// What is asked of the database, from here on.
    fn left(&self, start: &[u8]) -> Scan {
        let max_rows = self.scan.max_rows.saturating_sub(self.found());
        let max_bytes = self.scan.max_bytes.saturating_sub(self.bytes);
        // A full page still looks for where the next begins, maybe behind many rows that are gone.
        let is_full = self.found() > 0 && (max_rows == 0 || max_bytes == 0);
        let (max_rows, max_bytes) = if is_full { (FEW_ROWS, FEW_BYTES) } else { (max_rows, max_bytes) };
        Scan { start: start.to_vec(), end: self.scan.end.clone(), max_bytes, max_rows }
    }

    /// Adds a row, or one that is damaged. False where the page is full; it then tells where the next one begins.
    fn add(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) -> bool {
        self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
        if self.found() > 0 && (self.bytes > self.scan.max_bytes || self.found() >= self.scan.max_rows) {
            self.page.more = Some(key);
            return false;
        }
        match value {
            Some(value) => self.page.rows.push((key, value)),
            None => self.page.damaged.push(key),
        }
        true
    }
}

/// What is asked of the database at once, however little of it is wanted.
const FEW_ROWS: usize = 64;
const FEW_BYTES: usize = 16 * 1024;
