//! A disk in memory with a durable frontier: what a power cut may take and what it may not.

use std::collections::BTreeMap;

use causeway_core::storage::{Commit, CommitError, Durability, Page, Scan, StoreFailure};

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// One space of keys. Commits apply whole; those answered as relaxed sit above the frontier until the next strict one.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    rows: Rows,
    durable: Rows,
    above: Vec<Commit>,
    /// From where to before where it cannot be read.
    unread: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Disk {
    /// Carries a commit out.
    ///
    /// # Errors
    /// A precondition does not hold; nothing has changed.
    pub fn commit(&mut self, commit: &Commit) -> Result<(), CommitError> {
        for expect in &commit.expect {
            if self.rows.get(&expect.key) != expect.value.as_ref() {
                return Err(CommitError::Conflict { key: expect.key.clone() });
            }
        }
        apply(&mut self.rows, commit);
        commit.put.iter().for_each(|(key, _)| self.write_elsewhere(key));
        self.above.push(commit.clone());
        if commit.durability == Durability::Strict {
            self.sync();
        }
        Ok(())
    }

    /// Reads a page.
    ///
    /// # Errors
    /// It meets a place that cannot be read, if only to see whether there is more: all of the page is damaged, as with the real
    /// stores.
    pub fn scan(&self, scan: &Scan) -> Result<Page, StoreFailure> {
        let mut page = Page::default();
        if scan.start >= scan.end {
            return Ok(page);
        }
        let unread = self.unread.iter().filter(|(from, to)| *to > scan.start && *from < scan.end);
        let unread = unread.map(|(from, _)| from.max(&scan.start)).min();
        let mut bytes = 0;
        for (key, value) in self.rows.range(scan.start.clone()..scan.end.clone()) {
            if unread.is_some_and(|from| from <= key) {
                break;
            }
            let size = key.len() + value.len();
            let full = page.rows.len() >= scan.max_rows.max(1) || bytes + size > scan.max_bytes;
            if full && !page.rows.is_empty() {
                page.more = Some(key.clone());
                return Ok(page);
            }
            bytes += size;
            page.rows.push((key.clone(), value.clone()));
        }
        unread.map_or(Ok(page), |from| Err(StoreFailure::damaged(from)))
    }

    /// From now on rows from one key to before another cannot be read, beside those of earlier calls. What is written there
    /// from now on lies elsewhere.
    pub fn make_unreadable(&mut self, from: Vec<u8>, to: Vec<u8>) {
        self.unread.push((from, to));
    }

    /// All of it can be read again.
    pub fn make_readable(&mut self) {
        self.unread.clear();
    }

    fn write_elsewhere(&mut self, key: &Vec<u8>) {
        while let Some(at) = self.unread.iter().position(|(from, to)| from <= key && key < to) {
            let (from, to) = self.unread.remove(at);
            let halves = [(from, key.clone()), ([key.as_slice(), &[0]].concat(), to)];
            self.unread.extend(halves.into_iter().filter(|(from, to)| from < to));
        }
    }

    /// What is stored under a key.
    pub fn row(&self, key: &[u8]) -> Option<&[u8]> {
        self.rows.get(key).map(Vec::as_slice)
    }

    /// What is stored under a key and survives a power cut.
    pub fn durable_row(&self, key: &[u8]) -> Option<&[u8]> {
        self.durable.get(key).map(Vec::as_slice)
    }

    /// All rows that begin with `first`, in order.
    pub fn rows_of(&self, first: u8) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.rows.range(vec![first]..vec![first + 1]).map(|(key, value)| (key.as_slice(), value.as_slice()))
    }

    /// Every row.
    pub fn rows(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.rows.iter().map(|(key, value)| (key.as_slice(), value.as_slice()))
    }

    /// How many commits a power cut may take.
    pub fn above_frontier(&self) -> usize {
        self.above.len()
    }

    /// The power goes: of the commits above the frontier the first `kept` survive.
    pub fn cut_power(&mut self, kept: usize) {
        self.above.truncate(kept);
        self.sync();
        self.rows.clone_from(&self.durable);
    }

    /// Puts one row in place, as a restore tool does.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        let put = Commit { put: vec![(key, value)], ..Commit::default() };
        self.commit(&put).expect("a put without preconditions");
    }

    /// Flips one bit of a value, as a dying disk does.
    pub fn damage(&mut self, key: &[u8]) {
        for rows in [&mut self.rows, &mut self.durable] {
            if let Some(byte) = rows.get_mut(key).and_then(|value| value.last_mut()) {
                *byte ^= 1;
            }
        }
    }

    /// Flips a bit of a value, counted from its first.
    pub fn flip(&mut self, key: &[u8], bit: u64) {
        for rows in [&mut self.rows, &mut self.durable] {
            if let Some(byte) = rows.get_mut(key).and_then(|value| value.get_mut(bit as usize / 8)) {
                *byte ^= 1 << (bit % 8);
            }
        }
    }

    fn sync(&mut self) {
        for commit in self.above.drain(..) {
            apply(&mut self.durable, &commit);
        }
    }
}

fn apply(rows: &mut Rows, commit: &Commit) {
    for key in &commit.delete {
        rows.remove(key);
    }
    for prefix in &commit.delete_prefix {
        rows.retain(|key, _| !key.starts_with(prefix));
    }
    for (key, value) in &commit.put {
        rows.insert(key.clone(), value.clone());
    }
}
