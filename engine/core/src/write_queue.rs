//! Gathers writes while one commit is on its way to the disk: group commit, with one commit in flight per room.

use crate::storage::{Commit, CommitError, Durability, Expect};

/// Numbers a request to the disk; the answer repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(pub u64);

/// Writes in the order they were made, and for each commit the tags of what it makes durable.
#[derive(Debug)]
pub struct WriteQueue<Tag> {
    gathering: Commit,
    tags: Vec<Tag>,
    bytes: usize,
    flight: Option<Flight<Tag>>,
    fence: Option<Expect>,
    dirty: bool,
    /// Whether a commit is kept until the disk has answered, to carry it there again.
    keeps: bool,
}

#[derive(Debug)]
struct Flight<Tag> {
    op: OpId,
    commit: Option<Commit>,
    tags: Vec<Tag>,
    bytes: usize,
}

impl<Tag> Default for WriteQueue<Tag> {
    fn default() -> Self {
        Self {
            gathering: relaxed(),
            tags: Vec::new(),
            bytes: 0,
            flight: None,
            fence: None,
            dirty: false,
            keeps: true,
        }
    }
}

impl<Tag> WriteQueue<Tag> {
    /// A queue whose owner answers a failure with [`WriteQueue::abandon`]: commits are handed over, not copied.
    pub fn without_retry() -> Self {
        Self { keeps: false, ..Self::default() }
    }

    /// Every commit from now on is made only while this holds.
    pub fn set_fence(&mut self, fence: Expect) {
        self.fence = Some(fence);
    }

    /// The next commit is made only while this holds; what else it carries fails with it.
    pub fn expect(&mut self, expect: Expect) {
        self.gathering.expect.push(expect);
        self.dirty = true;
    }

    /// Writes a row.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.bytes += key.len() + value.len();
        self.gathering.put.push((key, value));
        self.dirty = true;
    }

    /// Removes every row that begins with `prefix`: those on the disk and those put before this call. Rows put after it
    /// stay.
    pub fn delete_prefix(&mut self, prefix: Vec<u8>) {
        self.gathering.put.retain(|(key, _)| !key.starts_with(&prefix));
        self.bytes += prefix.len();
        self.gathering.delete_prefix.push(prefix);
        self.dirty = true;
    }

    /// Removes a row.
    pub fn delete(&mut self, key: Vec<u8>) {
        self.gathering.put.retain(|(put, _)| *put != key);
        self.bytes += key.len();
        self.gathering.delete.push(key);
        self.dirty = true;
    }

    /// Removes rows, named in order.
    pub fn delete_all(&mut self, mut keys: Vec<Vec<u8>>) {
        if keys.is_empty() {
            return;
        }
        self.gathering.put.retain(|(put, _)| keys.binary_search(put).is_err());
        for key in &keys {
            self.bytes += key.len();
            self.dirty = true;
        }
        self.gathering.delete.append(&mut keys);
    }

    /// Asks the disk whether it is still ours, with nothing to write.
    pub fn touch(&mut self) {
        self.dirty = true;
    }

    /// Asks to be told when all that was written so far is on the disk; after fsync for [`Durability::Strict`].
    pub fn tag(&mut self, tag: Tag, durability: Durability) {
        self.tags.push(tag);
        if durability == Durability::Strict {
            self.gathering.durability = Durability::Strict;
        }
        self.dirty = true;
    }

    /// Bytes that are not on the disk yet.
    pub fn bytes(&self) -> usize {
        self.bytes + self.flight.as_ref().map_or(0, |flight| flight.bytes)
    }

    /// Whether everything is on the disk.
    pub fn is_idle(&self) -> bool {
        !self.dirty && self.flight.is_none()
    }

    /// The next commit to carry to the disk, if none is in flight.
    pub fn poll_commit(&mut self, op: impl FnOnce() -> OpId) -> Option<(OpId, Commit)> {
        if self.flight.is_some() || !self.dirty {
            return None;
        }
        self.dirty = false;
        let mut commit = std::mem::replace(&mut self.gathering, relaxed());
        commit.expect.extend(self.fence.clone());
        let op = op();
        self.flight = Some(Flight {
            op,
            commit: self.keeps.then(|| commit.clone()),
            tags: std::mem::take(&mut self.tags),
            bytes: std::mem::take(&mut self.bytes),
        });
        Some((op, commit))
    }

    /// Takes the disk's answer. `None`: the answer is to another request.
    pub fn handle_stored(&mut self, op: OpId, result: Result<(), CommitError>) -> Option<Stored<Tag>> {
        let flight = self.flight.take_if(|flight| flight.op == op)?;
        Some(match result {
            Ok(()) => Stored::Durable(flight.tags),
            Err(error) => {
                let failed = Stored::Failed(error);
                self.flight = Some(flight);
                failed
            }
        })
    }

    /// After a failure: carries the same commit to the disk again, if it was kept.
    pub fn retry(&mut self, op: OpId) -> Option<(OpId, Commit)> {
        let flight = self.flight.as_mut()?;
        let commit = flight.commit.clone()?;
        flight.op = op;
        Some((op, commit))
    }

    /// Everything that waits to become durable.
    pub fn waiting(&self) -> impl Iterator<Item = &Tag> {
        self.flight.iter().flat_map(|flight| &flight.tags).chain(&self.tags)
    }

    /// Rows that wait to be written.
    pub fn puts(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let flight =
            self.flight.iter().filter_map(|flight| flight.commit.as_ref()).flat_map(|commit| &commit.put);
        flight.chain(&self.gathering.put).map(|(key, value)| (key.as_slice(), value.as_slice()))
    }

    /// Forgets everything that is not on the disk, and answers the tags of it.
    pub fn abandon(&mut self) -> Vec<Tag> {
        let mut tags = self.flight.take().map(|flight| flight.tags).unwrap_or_default();
        tags.append(&mut self.tags);
        self.gathering = relaxed();
        self.bytes = 0;
        self.dirty = false;
        tags
    }
}

/// The disk's answer to a commit.
#[derive(Debug)]
pub enum Stored<Tag> {
    /// It is there; these tags were waiting for it.
    Durable(Vec<Tag>),
    /// It is not; [`WriteQueue::retry`] or [`WriteQueue::abandon`].
    Failed(CommitError),
}

fn relaxed() -> Commit {
    Commit { durability: Durability::Relaxed, ..Commit::default() }
}
