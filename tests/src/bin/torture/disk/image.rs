//! What is on the disk, twice: as whoever uses it sees it, and as a power cut would leave it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::ops::Range;

use crate::rng::Rng;

/// The number of the outermost folder.
pub(super) const ROOT: u64 = 1;
/// What a disk writes whole or not at all.
const SECTOR: usize = 512;
/// What a file takes at once.
pub(super) const BLOCK: usize = 4096;
/// Room that is never all taken, in bytes.
const LARGE: u64 = 1 << 36;

/// What is wrong with the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The power is about to go: nothing more is taken.
    NoPower,
    /// No space, said to whoever writes.
    FullOnWrite,
    /// No space, said only to whoever syncs; what was written before is lost though it can still be read.
    FullOnSync,
    /// Writes fail.
    BrokenWrite,
    /// Syncs fail; what was written before is lost though it can still be read, as Linux does it.
    BrokenSync,
    /// The file system has turned itself read-only.
    ReadOnly,
    /// It answers nobody until all is well again.
    Hangs,
    /// There is room for so many bytes more, which it tells whoever asks, and then none.
    RoomFor(u64),
}

/// Why the disk did not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Full,
    Broken,
    ReadOnly,
    Missing,
    NotEmpty,
}

/// What is asked of the disk, as far as trouble makes a difference.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Bytes,
    Names,
    Sync,
}

/// All files and folders.
#[derive(Debug)]
pub(super) struct Image {
    nodes: BTreeMap<u64, Node>,
    next: u64,
    changes: u64,
    trouble: Option<(u64, Trouble)>,
    /// Bytes that fit on it, once there is little room.
    capacity: Option<u64>,
}

#[derive(Debug)]
enum Node {
    Folder(Folder),
    File(File),
    Socket,
}

#[derive(Debug, Default)]
struct Folder {
    now: BTreeMap<OsString, u64>,
    kept: BTreeMap<OsString, u64>,
}

#[derive(Debug, Default)]
struct File {
    now: Vec<u8>,
    kept: Vec<u8>,
    pending: Vec<Pending>,
    /// The blocks of it that take room: a file may have holes.
    blocks: BTreeSet<usize>,
}

/// What was asked of a file since it was last synced.
#[derive(Debug)]
enum Pending {
    Write(usize, Vec<u8>),
    Length(usize),
}

/// What a node is, for whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File {
        length: u64,
    },
    /// A name at which somebody listens.
    Socket,
}

impl Default for Image {
    fn default() -> Self {
        let root = Node::Folder(Folder::default());
        Self {
            nodes: BTreeMap::from([(ROOT, root)]),
            next: ROOT + 1,
            changes: 0,
            trouble: None,
            capacity: None,
        }
    }
}

impl Image {
    pub(super) fn trouble_after(&mut self, changes: u64, trouble: Trouble) {
        self.trouble = Some((self.changes + changes, trouble));
    }

    pub(super) fn mend(&mut self) {
        self.trouble = None;
        self.capacity = None;
    }

    /// Bytes of the disk, and how many of them are free.
    pub(super) fn room(&mut self) -> (u64, u64) {
        let used = self.used();
        let capacity = self.capacity(used).unwrap_or(used + LARGE);
        (capacity, capacity.saturating_sub(used))
    }

    /// How much fits on the disk, if that is little.
    fn capacity(&mut self, used: u64) -> Option<u64> {
        if let Some((from, Trouble::RoomFor(bytes))) = self.trouble
            && self.changes > from
        {
            self.capacity.get_or_insert(used + bytes);
        }
        self.capacity
    }

    /// Bytes of all files that have a name.
    fn used(&self) -> u64 {
        let blocks = self.reached().into_iter().map(|node| match self.nodes.get(&node) {
            Some(Node::File(file)) => file.blocks.len() as u64,
            Some(Node::Folder(_) | Node::Socket) | None => 0,
        });
        blocks.sum::<u64>() * BLOCK as u64
    }

    /// All nodes that have a name.
    fn reached(&self) -> Vec<u64> {
        let mut reached = vec![ROOT];
        let mut at = 0;
        while let Some(node) = reached.get(at).copied() {
            at += 1;
            reached.extend(self.names(node).into_iter().flat_map(BTreeMap::values).copied());
        }
        reached
    }

    pub(super) fn is_in_trouble(&self) -> bool {
        self.trouble.is_some_and(|(from, _)| self.changes > from)
    }

    /// Whether it answers nobody now.
    pub(super) fn hangs(&self) -> bool {
        self.is_in_trouble() && self.trouble.is_some_and(|(_, trouble)| trouble == Trouble::Hangs)
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// Counts a change, and refuses it if there is trouble.
    fn begin(&mut self, change: Change) -> Result<(), Refusal> {
        self.changes += 1;
        let Some((_, trouble)) = self.trouble.filter(|(from, _)| self.changes > *from) else { return Ok(()) };
        match (trouble, change) {
            (Trouble::NoPower, _)
            | (Trouble::BrokenWrite, Change::Bytes)
            | (Trouble::BrokenSync, Change::Sync) => Err(Refusal::Broken),
            (Trouble::FullOnWrite, Change::Bytes | Change::Names) | (Trouble::FullOnSync, Change::Sync) => {
                Err(Refusal::Full)
            }
            (Trouble::ReadOnly, Change::Bytes | Change::Names) => Err(Refusal::ReadOnly),
            (
                Trouble::BrokenWrite
                | Trouble::BrokenSync
                | Trouble::FullOnWrite
                | Trouble::FullOnSync
                | Trouble::Hangs
                | Trouble::RoomFor(_)
                | Trouble::ReadOnly,
                Change::Bytes | Change::Names | Change::Sync,
            ) => Ok(()),
        }
    }

    pub(super) fn kind(&self, node: u64) -> Result<Kind, Refusal> {
        match self.nodes.get(&node).ok_or(Refusal::Missing)? {
            Node::Folder(_) => Ok(Kind::Folder),
            Node::File(file) => Ok(Kind::File { length: file.now.len() as u64 }),
            Node::Socket => Ok(Kind::Socket),
        }
    }

    pub(super) fn look_up(&self, folder: u64, name: &OsStr) -> Result<u64, Refusal> {
        self.names(folder)?.get(name).copied().ok_or(Refusal::Missing)
    }

    pub(super) fn names(&self, folder: u64) -> Result<&BTreeMap<OsString, u64>, Refusal> {
        match self.nodes.get(&folder) {
            Some(Node::Folder(folder)) => Ok(&folder.now),
            Some(Node::File(_) | Node::Socket) | None => Err(Refusal::Missing),
        }
    }

    pub(super) fn make(&mut self, folder: u64, name: &OsStr, kind: Kind) -> Result<u64, Refusal> {
        self.begin(Change::Names)?;
        let number = self.next;
        self.folder(folder)?.now.insert(name.into(), number);
        self.next += 1;
        self.nodes.insert(
            number,
            match kind {
                Kind::Folder => Node::Folder(Folder::default()),
                Kind::File { .. } => Node::File(File::default()),
                Kind::Socket => Node::Socket,
            },
        );
        Ok(number)
    }

    /// The node itself stays for whoever has it open, and for a power cut that brings the name back.
    pub(super) fn remove(&mut self, folder: u64, name: &OsStr) -> Result<(), Refusal> {
        let node = self.look_up(folder, name)?;
        if self.names(node).is_ok_and(|names| !names.is_empty()) {
            return Err(Refusal::NotEmpty);
        }
        self.begin(Change::Names)?;
        self.folder(folder)?.now.remove(name);
        Ok(())
    }

    pub(super) fn rename(&mut self, from: (u64, &OsStr), to: (u64, &OsStr)) -> Result<(), Refusal> {
        let node = self.look_up(from.0, from.1)?;
        self.begin(Change::Names)?;
        self.folder(from.0)?.now.remove(from.1);
        self.folder(to.0)?.now.insert(to.1.into(), node);
        Ok(())
    }

    pub(super) fn read(&self, node: u64, at: u64, length: usize) -> Result<&[u8], Refusal> {
        let Some(Node::File(file)) = self.nodes.get(&node) else { return Err(Refusal::Missing) };
        let start = usize::try_from(at).unwrap_or(usize::MAX).min(file.now.len());
        Ok(&file.now[start..file.now.len().min(start.saturating_add(length))])
    }

    pub(super) fn write(&mut self, node: u64, at: u64, bytes: &[u8]) -> Result<(), Refusal> {
        self.begin(Change::Bytes)?;
        let at = usize::try_from(at).map_err(|_| Refusal::Full)?;
        let new = blocks_of(at, bytes.len()).filter(|block| !self.file_is_at(node, *block)).count();
        let used = self.used();
        if new > 0 && self.capacity(used).is_some_and(|capacity| used + (new * BLOCK) as u64 > capacity) {
            return Err(Refusal::Full);
        }
        self.file(node)?.change(Pending::Write(at, bytes.into()));
        Ok(())
    }

    pub(super) fn set_length(&mut self, node: u64, length: u64) -> Result<(), Refusal> {
        self.begin(Change::Bytes)?;
        let length = usize::try_from(length).map_err(|_| Refusal::Full)?;
        self.file(node)?.change(Pending::Length(length));
        Ok(())
    }

    pub(super) fn sync(&mut self, node: u64) -> Result<(), Refusal> {
        let allowed = self.begin(Change::Sync);
        match self.nodes.get_mut(&node).ok_or(Refusal::Missing)? {
            Node::Folder(folder) if allowed.is_ok() => folder.kept = folder.now.clone(),
            Node::Folder(_) | Node::Socket => {}
            Node::File(file) => {
                // Also after a failure: the system then counts as clean what it could not write.
                for pending in file.pending.drain(..) {
                    if allowed.is_ok() {
                        pending.apply(&mut file.kept);
                    }
                }
            }
        }
        allowed
    }

    /// Of what was not synced a random part is kept, of every file and folder another.
    pub(super) fn cut_power(&mut self, rng: &mut Rng) {
        self.mend();
        for node in self.nodes.values_mut() {
            match node {
                Node::Folder(folder) => {
                    if rng.chance(50) {
                        folder.kept = folder.now.clone();
                    }
                    folder.now = folder.kept.clone();
                }
                Node::File(file) => file.cut_power(rng),
                Node::Socket => {}
            }
        }
        let reached = self.reached();
        self.nodes.retain(|number, _| reached.contains(number));
    }

    fn file_is_at(&self, node: u64, block: usize) -> bool {
        matches!(self.nodes.get(&node), Some(Node::File(file)) if file.blocks.contains(&block))
    }

    fn folder(&mut self, number: u64) -> Result<&mut Folder, Refusal> {
        match self.nodes.get_mut(&number) {
            Some(Node::Folder(folder)) => Ok(folder),
            Some(Node::File(_) | Node::Socket) | None => Err(Refusal::Missing),
        }
    }

    fn file(&mut self, number: u64) -> Result<&mut File, Refusal> {
        match self.nodes.get_mut(&number) {
            Some(Node::File(file)) => Ok(file),
            Some(Node::Folder(_) | Node::Socket) | None => Err(Refusal::Missing),
        }
    }
}

impl File {
    fn change(&mut self, pending: Pending) {
        pending.apply(&mut self.now);
        match &pending {
            Pending::Write(at, bytes) => self.blocks.extend(blocks_of(*at, bytes.len())),
            Pending::Length(length) => drop(self.blocks.split_off(&length.div_ceil(BLOCK))),
        }
        self.pending.push(pending);
    }

    fn cut_power(&mut self, rng: &mut Rng) {
        // Nothing, everything, all up to a moment, or any sectors: disks do each of these.
        let (way, upto) = (rng.below(4), rng.index(self.pending.len() + 1));
        for (number, pending) in self.pending.drain(..).enumerate() {
            match way {
                0 => {}
                1 => pending.apply(&mut self.kept),
                2 if number < upto => pending.apply(&mut self.kept),
                2 => {}
                _ => pending.apply_in_part(&mut self.kept, rng),
            }
        }
        self.now = self.kept.clone();
        let has_bytes = |block: &[u8]| block.iter().any(|byte| *byte != 0);
        let blocks = self.now.chunks(BLOCK).enumerate().filter(|(_, block)| has_bytes(block));
        self.blocks = blocks.map(|(number, _)| number).collect();
    }
}

/// The blocks in which so many bytes lie.
fn blocks_of(at: usize, length: usize) -> Range<usize> {
    if length == 0 { 0..0 } else { at / BLOCK..(at + length).div_ceil(BLOCK) }
}

impl Pending {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, written) => put(bytes, *at, written),
            Self::Length(length) => bytes.resize(*length, 0),
        }
    }

    fn apply_in_part(&self, bytes: &mut Vec<u8>, rng: &mut Rng) {
        match self {
            Self::Write(at, written) => {
                let mut from = 0;
                while from < written.len() {
                    let end = written.len().min(from + SECTOR - (at + from) % SECTOR);
                    if rng.chance(50) {
                        put(bytes, at + from, &written[from..end]);
                    }
                    from = end;
                }
            }
            Self::Length(length) => {
                if rng.chance(50) {
                    bytes.resize(*length, 0);
                }
            }
        }
    }
}

fn put(bytes: &mut Vec<u8>, at: usize, written: &[u8]) {
    if bytes.len() < at + written.len() {
        bytes.resize(at + written.len(), 0);
    }
    bytes[at..at + written.len()].copy_from_slice(written);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file() -> (Image, u64) {
        let mut image = Image::default();
        let file = image.make(ROOT, OsStr::new("a"), Kind::File { length: 0 }).unwrap();
        image.sync(ROOT).unwrap();
        (image, file)
    }

    #[test]
    fn what_was_synced_survives_every_cut_and_the_rest_some() {
        let mut lost = 0;
        for seed in 0..200 {
            let (mut image, file) = with_file();
            image.write(file, 0, &[1; 4096]).unwrap();
            image.sync(file).unwrap();
            image.write(file, 4096, &[2; 4096]).unwrap();
            image.cut_power(&mut Rng::new(seed));
            assert_eq!(image.read(file, 0, 4096).unwrap(), [1; 4096]);
            lost += usize::from(image.read(file, 4096, 4096).unwrap() != [2; 4096]);
        }
        assert!((50..190).contains(&lost), "{lost}");
    }

    #[test]
    fn a_disk_with_little_room_says_so_and_takes_no_more_than_that() {
        let (mut image, file) = with_file();
        image.write(file, 10 * BLOCK as u64, b"behind a hole").unwrap();
        image.trouble_after(0, Trouble::RoomFor(2 * BLOCK as u64));
        assert!(image.room().1 > LARGE / 2, "the trouble has not begun");
        image.write(file, 10 * BLOCK as u64, b"where it was").unwrap();
        assert_eq!(image.room(), (3 * BLOCK as u64, 2 * BLOCK as u64));
        image.write(file, 3, b"in the hole").unwrap();
        assert_eq!(image.write(file, BLOCK as u64, &[1; 2 * BLOCK]), Err(Refusal::Full));
        image.write(file, BLOCK as u64, &[1; BLOCK]).unwrap();
        assert_eq!((image.room().1, image.write(file, 5 * BLOCK as u64, b"x")), (0, Err(Refusal::Full)));
        image.set_length(file, 0).unwrap();
        assert_eq!(image.room().1, 3 * BLOCK as u64);
        image.mend();
        assert!(image.room().1 > LARGE / 2);
    }

    #[test]
    fn a_name_that_was_not_synced_may_be_gone() {
        let gone = (0..100).filter(|seed| {
            let (mut image, _) = with_file();
            image.make(ROOT, OsStr::new("b"), Kind::File { length: 0 }).unwrap();
            image.cut_power(&mut Rng::new(*seed));
            assert!(image.look_up(ROOT, OsStr::new("a")).is_ok());
            image.look_up(ROOT, OsStr::new("b")).is_err()
        });
        assert!((20..80).contains(&gone.count()));
    }

    #[test]
    fn after_a_sync_that_failed_the_bytes_are_read_and_lost() {
        let (mut image, file) = with_file();
        image.write(file, 0, b"x").unwrap();
        image.trouble_after(0, Trouble::BrokenSync);
        assert_eq!(image.sync(file), Err(Refusal::Broken));
        image.mend();
        image.sync(file).unwrap();
        assert_eq!(image.read(file, 0, 1).unwrap(), b"x");
        image.cut_power(&mut Rng::new(1));
        assert_eq!(image.read(file, 0, 1).unwrap(), b"");
    }
}
