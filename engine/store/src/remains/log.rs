//! Rows in the log of sled, whatever of it hangs together. The layout is that of sled 0.34: segments of 512 KiB, each with a
//! head of 20 bytes that names its place in the log, then messages: sum (4), kind (1), length, number of the segment, page
//! (numbers of 1 to 9 bytes), and what the page became. That is a whole node (where it begins and ends, what all its keys
//! begin with, keys, values), or a change of one row. Keys are written without what all keys of their node begin with.
//!
//! Sums of messages are not looked at, as rows have their own: a message of which one byte is wrong still has others. Behind a
//! message without rows, or one that is not whole, the next is looked for byte by byte.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};

use super::carved::Carved;
use crate::pieces::Pieces;

/// Looks at every message of every segment: twice, as only at the end is known what the keys of nodes begin with.
pub(super) fn carve(file: &File, carved: &mut Carved<'_>) -> io::Result<()> {
    let mut prefixes = Prefixes::default();
    each_segment(file, |segment| {
        segment.messages(&mut Nodes { carved, prefixes: &mut prefixes });
        !carved.has_enough()
    })?;
    if carved.has_enough() {
        return Ok(());
    }
    each_segment(file, |segment| {
        segment.messages(&mut Changes { carved, prefixes: &prefixes });
        !carved.has_enough()
    })
}

/// Looks at one segment after the other, for as long as that answers that it goes on.
fn each_segment(file: &File, mut look: impl FnMut(&Segment<'_>) -> bool) -> io::Result<()> {
    let mut file = io::BufReader::new(Pieces::of(file)?);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        (&mut file).take(SEGMENT_BYTES).read_to_end(&mut bytes)?;
        if bytes.is_empty() || !look(&Segment { bytes: &bytes }) {
            return Ok(());
        }
    }
}

/// What is done with the rows of messages.
trait Take {
    /// A node, all keys of which begin with a prefix; its right neighbour is a page that begins with the key `end`.
    fn node(&mut self, page: u64, prefix: &[u8], neighbour: u64, end: &[u8]);
    /// A row of a node, with its whole key.
    fn row(&mut self, key: &[u8], raw: &[u8], age: u64);
    /// A row that was written to a page by itself, without what the keys of that begin with.
    fn change(&mut self, page: u64, key: &[u8], raw: &[u8], age: u64);
}

/// Takes the rows of nodes, and notes what keys begin with.
struct Nodes<'a, 'b> {
    carved: &'a mut Carved<'b>,
    prefixes: &'a mut Prefixes,
}

impl Take for Nodes<'_, '_> {
    fn node(&mut self, page: u64, prefix: &[u8], neighbour: u64, end: &[u8]) {
        self.prefixes.note(page, prefix, neighbour, end);
    }

    fn row(&mut self, key: &[u8], raw: &[u8], age: u64) {
        self.carved.offer(key, raw, age);
    }

    fn change(&mut self, _: u64, _: &[u8], _: &[u8], _: u64) {}
}

/// Takes the rows that were written by themselves.
struct Changes<'a, 'b> {
    carved: &'a mut Carved<'b>,
    prefixes: &'a Prefixes,
}

impl Take for Changes<'_, '_> {
    fn node(&mut self, _: u64, _: &[u8], _: u64, _: &[u8]) {}

    fn row(&mut self, _: &[u8], _: &[u8], _: u64) {}

    /// The whole key of a change is the one with which its row is whole.
    fn change(&mut self, page: u64, key: &[u8], raw: &[u8], age: u64) {
        for prefix in self.prefixes.of(page) {
            if self.carved.offer(&[prefix, key].concat(), raw, age) {
                return;
            }
        }
    }
}

/// Only whether a message is whole.
struct Nobody;

impl Take for Nobody {
    fn node(&mut self, _: u64, _: &[u8], _: u64, _: &[u8]) {}

    fn row(&mut self, _: &[u8], _: &[u8], _: u64) {}

    fn change(&mut self, _: u64, _: &[u8], _: &[u8], _: u64) {}
}

/// What the keys of pages have begun with, as far as there is room to note it.
#[derive(Default)]
struct Prefixes {
    of_page: BTreeMap<u64, Page>,
    bytes: usize,
}

/// What is known of the keys of one page.
#[derive(Default)]
struct Page {
    /// What all of them began with, at one time or another.
    prefixes: Vec<Vec<u8>>,
    /// With which key it began, as its left neighbour has it: what all begin with is a piece of that.
    firsts: Vec<Vec<u8>>,
}

impl Prefixes {
    fn note(&mut self, page: u64, prefix: &[u8], neighbour: u64, end: &[u8]) {
        if self.bytes >= PREFIX_BYTES {
            return;
        }
        self.bytes += note(&mut self.of_page.entry(page).or_default().prefixes, prefix);
        if neighbour != NO_PAGE {
            self.bytes += note(&mut self.of_page.entry(neighbour).or_default().firsts, end);
        }
    }

    /// What the keys of a page may begin with, the likeliest first.
    fn of(&self, page: u64) -> impl Iterator<Item = &[u8]> {
        let known = self.of_page.get(&page);
        let prefixes = known.into_iter().flat_map(|page| &page.prefixes).map(Vec::as_slice);
        let pieces = |first: &'_ Vec<u8>| (1..=first.len().min(LONGEST_PREFIX)).rev();
        let firsts = known.into_iter().flat_map(|page| &page.firsts);
        let of_firsts = firsts.flat_map(move |first| pieces(first).map(|length| &first[..length]));
        prefixes.chain([&[][..]]).chain(of_firsts)
    }
}

/// Adds one more version; answers the bytes that this takes.
fn note(versions: &mut Vec<Vec<u8>>, version: &[u8]) -> usize {
    if versions.len() >= VERSIONS || versions.iter().any(|known| known == version) {
        return 0;
    }
    versions.push(version.to_vec());
    version.len() + VERSION_BYTES
}

struct Segment<'a> {
    bytes: &'a [u8],
}

impl Segment<'_> {
    fn messages(&self, taking: &mut dyn Take) {
        let Some(lsn) = self.bytes.get(4..12).and_then(|lsn| lsn.try_into().ok()) else { return };
        // Written so that one that is all zero does not pass for the first.
        let lsn = (i64::from_le_bytes(lsn) ^ 0x7FFF_FFFF_FFFF_FFFF).unsigned_abs();
        let number = self.number(lsn / SEGMENT_BYTES);
        let mut at = SEGMENT_HEAD_BYTES;
        while at < self.bytes.len() {
            let message = self.message(at, number);
            let age = lsn.saturating_add(at as u64);
            // What is not whole may lie about its length, and what has no rows cannot be told from chance.
            let whole = message.filter(|message| message.take(age, taking).is_some());
            at = whole.map_or(at + 1, |message| message.end);
        }
    }

    /// The number that most of its messages name: the head may be what is damaged.
    fn number(&self, told: u64) -> u64 {
        let mut counted: BTreeMap<u64, usize> = BTreeMap::from([(told, 1)]);
        let (mut at, mut looked_at) = (SEGMENT_HEAD_BYTES, 0);
        while at < self.bytes.len() && looked_at < HEADS_LOOKED_AT {
            let head = Head::read(self.bytes, at);
            let message = head.as_ref().and_then(|head| self.body(head));
            match (head, message) {
                (Some(head), Some(message)) if message.is_whole() => {
                    *counted.entry(head.segment).or_default() += 1;
                    looked_at += 1;
                    at = message.end;
                }
                (Some(_), Some(_) | None) | (None, _) => at += 1,
            }
        }
        counted.into_iter().max_by_key(|(_, count)| *count).map_or(told, |(number, _)| number)
    }

    fn message(&self, at: usize, number: u64) -> Option<Message<'_>> {
        let head = Head::read(self.bytes, at).filter(|head| head.segment == number)?;
        self.body(&head)
    }

    fn body(&self, head: &Head) -> Option<Message<'_>> {
        let end = head.body.checked_add(head.length)?;
        let body = self.bytes.get(head.body..end)?;
        Some(Message { kind: head.kind, page: head.page, body, end })
    }
}

struct Head {
    kind: u8,
    segment: u64,
    page: u64,
    /// Where what it says begins, and how long that is.
    body: usize,
    length: usize,
}

impl Head {
    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let kind = *bytes.get(at + 4)?;
        let mut rest = bytes.get(at + 5..)?;
        let (length, segment, page) = (number(&mut rest)?, number(&mut rest)?, number(&mut rest)?);
        let body = bytes.len() - rest.len();
        let length = usize::try_from(length).ok()?;
        let fits = KINDS.contains(&kind) && length <= rest.len();
        fits.then_some(Self { kind, segment, page, body, length })
    }
}

struct Message<'a> {
    kind: u8,
    page: u64,
    body: &'a [u8],
    end: usize,
}

impl Message<'_> {
    /// Whether there are rows in it and nothing else.
    fn is_whole(&self) -> bool {
        self.take(0, &mut Nobody).is_some()
    }

    /// Takes the rows out of it; nothing where it is not whole, or has none.
    fn take(&self, age: u64, taking: &mut dyn Take) -> Option<()> {
        match self.kind {
            NODE => self.node(age, taking),
            LINK => self.link(age, taking),
            _ => None,
        }
    }

    fn link(&self, age: u64, taking: &mut dyn Take) -> Option<()> {
        let (&what, mut rest) = self.body.split_first()?;
        match what {
            SET => {
                let key = string(&mut rest)?;
                let raw = string(&mut rest)?;
                taking.change(self.page, key, raw, age);
            }
            DELETED => drop(string(&mut rest)?),
            _ => return None,
        }
        rest.is_empty().then_some(())
    }

    fn node(&self, age: u64, taking: &mut dyn Take) -> Option<()> {
        let mut rest = self.body;
        let neighbour = number(&mut rest)?;
        number(&mut rest)?;
        let (&[_, prefix_length], mut rest) = rest.split_first_chunk::<2>()?;
        let low = string(&mut rest)?;
        let high = string(&mut rest)?;
        let prefix = low.get(..usize::from(prefix_length))?;
        let (&what, mut rest) = rest.split_first()?;
        if what != LEAF {
            return None;
        }
        taking.node(self.page, prefix, neighbour, high);
        let count = number(&mut rest)?;
        let mut keys = Vec::new();
        for _ in 0..count {
            keys.push([prefix, string(&mut rest)?].concat());
        }
        for key in keys {
            taking.row(&key, string(&mut rest)?, age);
        }
        rest.is_empty().then_some(())
    }
}

/// A number as sled writes one.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    let (number, length) = match first {
        0..=240 => (u64::from(first), 0),
        241..=248 => (240 + 256 * (u64::from(first) - 241) + u64::from(*rest.first()?), 1),
        249 => (2288 + 256 * u64::from(*rest.first()?) + u64::from(*rest.get(1)?), 2),
        250..=255 => {
            let length = usize::from(first) - 247;
            let mut whole = [0; 8];
            whole[..length].copy_from_slice(rest.get(..length)?);
            (u64::from_le_bytes(whole), length)
        }
    };
    *bytes = rest.get(length..)?;
    Some(number)
}

fn string<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(bytes)?).ok()?;
    let (string, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(string)
}

const SEGMENT_BYTES: u64 = 512 * 1024;
const SEGMENT_HEAD_BYTES: usize = 20;
/// Messages after which the number of a segment is known.
const HEADS_LOOKED_AT: usize = 64;
/// A message with a whole node, which is a leaf or leads to others.
const NODE: u8 = 8;
const LEAF: u8 = 0;
/// A message with a change of one row.
const LINK: u8 = 10;
const SET: u8 = 0;
const DELETED: u8 = 1;
/// All that sled writes.
const KINDS: std::ops::RangeInclusive<u8> = 1..=11;
/// There is no neighbour.
const NO_PAGE: u64 = 0;
/// sled notes the length of what the keys of a node begin with in one byte.
const LONGEST_PREFIX: usize = 255;
/// Of one page so many versions are noted, so a change is tried under so many beginnings, and pieces of so many keys.
const VERSIONS: usize = 8;
/// What a version takes beside its bytes, about.
const VERSION_BYTES: usize = 64;
/// Bytes of all of them: enough for the pages of a log of gigabytes.
const PREFIX_BYTES: usize = 64 << 20;
