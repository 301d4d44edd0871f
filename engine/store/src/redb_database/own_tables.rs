//! redb's own tables, held against their checksums before redb relies on them.
//!
//! Beside our rows redb keeps which pages are in use, and which become free. It reads that as it opens, with each commit and
//! as it closes, and where it is bent redb panics again while it unwinds: that ends the process, whoever guards the call. These
//! tables are few pages, whatever the size of the file, so they are looked at each time before the file is handed to redb.
//!
//! The layout is that of redb 4: a page for the head, then all others. The head has two slots of 128 bytes at 64, of which a
//! bit at 9 names the one that counts; in it lies the root of a tree of tables, each with the root of its own tree. Pages of
//! trees are leaves (`leaves` beside the doctor tells of them) or lead to others, of which they have the checksums.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use twox_hash::XxHash3_128;

/// Whether redb can rely on them. Of a file that is none of redb's, or that redb looks at as a whole when it opens it, nothing
/// is said against it here.
pub(super) fn are_whole(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(true),
        file => file?,
    };
    let length = file.metadata()?.len();
    let mut pages = Pages { file, length, region: 0, region_head: 0, left: length / PAGE_BYTES as u64 + 1 };
    let Some(head) = pages.bytes(0, HEAD_BYTES)? else { return Ok(true) };
    let (flags, is_redb) = (head[FLAGS_AT], head.starts_with(b"redb"));
    if !is_redb || flags & (RECOVERS | TWO_PHASE) == RECOVERS {
        return Ok(true);
    }
    pages.region_head = u64::from(number(&head, 16).unwrap_or(0)) * PAGE_BYTES as u64;
    pages.region = u64::from(number(&head, 20).unwrap_or(0)) * PAGE_BYTES as u64 + pages.region_head;
    let slot = &head[if flags & SECOND == 0 { 64 } else { 192 }..][..SLOT_BYTES];
    let (fields, sum) = slot.split_at(SLOT_BYTES - SUM_BYTES);
    if sum != XxHash3_128::oneshot(fields).to_le_bytes() {
        return Ok(false);
    }
    // Of the tables of its user, that is ours, only what says where they lie.
    let user = root(&slot[1..2], &slot[8..]);
    let own = root(&slot[2..3], &slot[40..]);
    let mut tables = Vec::new();
    let mut note = |definition: &[u8]| table(definition).map(|table| tables.push(table));
    let mut whole = pages.tree(own, Widths::default(), &mut note)?;
    whole = whole && pages.tree(user, Widths::default(), &mut |_| Some(()))?;
    for (root, widths) in tables {
        whole = whole && pages.tree(root, widths, &mut |_| Some(()))?;
    }
    Ok(whole)
}

/// A page and its checksum.
type Root = ([u8; 8], [u8; SUM_BYTES]);

/// Bytes in each key and each value of a table in which all have the same.
#[derive(Clone, Copy, Default)]
struct Widths {
    key: Option<usize>,
    value: Option<usize>,
}

/// Where pages lie.
struct Pages {
    file: File,
    length: u64,
    /// Bytes of a region, and of what stands before its pages.
    region: u64,
    region_head: u64,
    /// Pages that may still be looked at: no more than there are.
    left: u64,
}

impl Pages {
    /// Whether all pages of a tree are what was written. Hands out the values of its leaves.
    fn tree(
        &mut self,
        root: Option<Root>,
        widths: Widths,
        take: &mut dyn FnMut(&[u8]) -> Option<()>,
    ) -> io::Result<bool> {
        let mut open = Vec::from_iter(root);
        while let Some((page, sum)) = open.pop() {
            let Some(bytes) = self.page(page)? else { return Ok(false) };
            let looked = match bytes[0] {
                LEAF => leaf(&bytes, sum, widths, take),
                BRANCH => branch(&bytes, sum, widths.key, &mut open),
                _ => None,
            };
            if looked.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn page(&mut self, name: [u8; 8]) -> io::Result<Option<Vec<u8>>> {
        let name = u64::from_le_bytes(name);
        let order = name >> 59;
        let (index, region) = (name & (0xF_FFFF >> order), name >> 20 & 0xF_FFFF);
        if order > MOST_DOUBLED || self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let bytes = (PAGE_BYTES as u64) << order;
        let within = self.region_head + index * bytes + PAGE_BYTES as u64;
        let Some(at) = region.checked_mul(self.region).and_then(|at| at.checked_add(within)) else {
            return Ok(None);
        };
        self.bytes(at, bytes as usize)
    }

    /// Nothing where the file has ended.
    fn bytes(&mut self, at: u64, count: usize) -> io::Result<Option<Vec<u8>>> {
        if at.checked_add(count as u64).is_none_or(|end| end > self.length) {
            return Ok(None);
        }
        let mut bytes = vec![0; count];
        self.file.seek(SeekFrom::Start(at))?;
        self.file.read_exact(&mut bytes)?;
        Ok(Some(bytes))
    }
}

fn leaf(
    bytes: &[u8],
    sum: [u8; SUM_BYTES],
    widths: Widths,
    take: &mut dyn FnMut(&[u8]) -> Option<()>,
) -> Option<()> {
    let count = count(bytes)?;
    let lists = usize::from(widths.key.is_none()) + usize::from(widths.value.is_none());
    let first_key = 4 + 4 * count * lists;
    let ends =
        |list: usize, pair: usize| number(bytes, 4 + 4 * (list * count + pair)).map(|end| end as usize);
    let keys_end = match widths.key {
        Some(width) => first_key + width * count,
        None => ends(0, count - 1)?,
    };
    let value_end = |pair: usize| match widths.value {
        Some(width) => Some(keys_end + width * (pair + 1)),
        None => ends(lists - 1, pair),
    };
    holds(bytes, value_end(count - 1)?, sum)?;
    let mut start = keys_end;
    for pair in 0..count {
        let end = value_end(pair)?;
        take(bytes.get(start..end)?)?;
        start = end;
    }
    Some(())
}

/// Notes the pages that it leads to.
fn branch(bytes: &[u8], sum: [u8; SUM_BYTES], key: Option<usize>, open: &mut Vec<Root>) -> Option<()> {
    let keys = count(bytes)?;
    let (sums, pages) = (8, 8 + SUM_BYTES * (keys + 1));
    let ends = pages + 8 * (keys + 1);
    let end = match key {
        Some(width) => ends + width * keys,
        None => number(bytes, ends + 4 * (keys - 1))? as usize,
    };
    holds(bytes, end, sum)?;
    for child in 0..=keys {
        let (page, _) = bytes.get(pages + 8 * child..)?.split_first_chunk()?;
        let (sum, _) = bytes.get(sums + SUM_BYTES * child..)?.split_first_chunk()?;
        open.push((*page, *sum));
    }
    Some(())
}

/// The tree of a table, if it has rows, and how wide these are.
fn table(definition: &[u8]) -> Option<(Option<Root>, Widths)> {
    if *definition.first()? != PLAIN_TABLE {
        return None;
    }
    let width = |at: usize| match definition.get(at)? {
        0 => Some(None),
        _ => Some(Some(number(definition, at + 1)? as usize)),
    };
    let widths = Widths { key: width(42)?, value: width(47)? };
    Some((root(definition.get(9..10)?, definition.get(10..42)?), widths))
}

/// What a table begins with, if its flag says that there is anything.
fn root(flag: &[u8], at: &[u8]) -> Option<Root> {
    let (page, rest) = at.split_first_chunk()?;
    let (sum, _) = rest.split_first_chunk()?;
    (flag != [0]).then_some((*page, *sum))
}

fn holds(bytes: &[u8], end: usize, sum: [u8; SUM_BYTES]) -> Option<()> {
    (XxHash3_128::oneshot(bytes.get(..end)?).to_le_bytes() == sum).then_some(())
}

/// Pairs of a leaf, or keys of a page that leads to others: at least one.
fn count(bytes: &[u8]) -> Option<usize> {
    let count = usize::from(u16::from_le_bytes(*bytes.get(2..)?.first_chunk()?));
    (count > 0).then_some(count)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

const PAGE_BYTES: usize = 4096;
/// A page may be doubled so often.
const MOST_DOUBLED: u64 = 20;
const HEAD_BYTES: usize = 320;
const SLOT_BYTES: usize = 128;
const SUM_BYTES: usize = 16;
const FLAGS_AT: usize = 9;
/// Flags: the second slot counts; redb was not closed; the slot that counts was on the disk before it counted.
const SECOND: u8 = 1;
const RECOVERS: u8 = 2;
const TWO_PHASE: u8 = 4;
const LEAF: u8 = 1;
const BRANCH: u8 = 2;
const PLAIN_TABLE: u8 = 3;
