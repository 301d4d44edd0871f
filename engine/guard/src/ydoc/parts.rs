//! An update in pieces, so that whoever applies it can look at the clock in between.

use std::borrow::Cow;

use super::Summary;
use super::blocks::{self, Block, Id, Kind, Visitor};
use crate::cursor::Cursor;
use crate::fault::Fault;
use crate::limits::{DEPTH_MAX, Limits};

/// Updates of at most `most` blocks each that make of a document what `update` makes of it, applied one after the other: none
/// refers to what a later one brings. Ranges are deleted by the last.
///
/// An update that has not passed [`scan`](super::scan), or whose blocks wait for each other in a circle, comes whole.
pub fn parts(update: &[u8], most: u32) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let parts = Parts::of(update, most);
    let whole = parts.is_none().then_some(Cow::Borrowed(update));
    whole.into_iter().chain(parts.into_iter().flatten().map(Cow::Owned))
}

struct Parts<'a> {
    update: &'a [u8],
    most: u32,
    /// By client, descending.
    sections: Vec<Section>,
    /// Sections at work, and up to which clock; each waits for the one behind it.
    stack: Vec<(usize, u32)>,
    /// Where the delete set begins.
    deletes: usize,
    /// Blocks that wait for each other: all that is left goes together.
    is_tied: bool,
    ended: bool,
}

/// The blocks of one client.
struct Section {
    client: u64,
    /// Those that are left.
    left: u32,
    /// The next one, and its clock.
    next: (usize, u32),
    /// The first one of the part at hand, its clock, and how many there are in it.
    from: (usize, u32),
    taken: u32,
}

impl<'a> Parts<'a> {
    /// Nothing if it is one part.
    fn of(update: &'a [u8], most: u32) -> Option<Self> {
        let mut found = Found(Vec::new());
        let (mut cursor, mut summary) = (Cursor::new(update), Summary::default());
        blocks::sections(&mut cursor, &ANY, &mut summary, &mut found).ok()?;
        (summary.blocks > most).then(|| Parts {
            update,
            most: most.max(1),
            sections: found.0,
            stack: Vec::new(),
            deletes: cursor.at(),
            is_tied: false,
            ended: false,
        })
    }

    /// Takes blocks into the part at hand; how many.
    fn gather(&mut self) -> u32 {
        let mut count = 0;
        while count < self.most || self.is_tied {
            let Some((section, until)) = self.at_work() else { break };
            let Section { left, next: (at, clock), client, .. } = self.sections[section];
            if left == 0 || clock >= until {
                self.stack.pop();
                continue;
            }
            let mut cursor = Cursor::part(self.update, at, self.deletes);
            let block = blocks::block(&mut cursor, &ANY, &mut Summary::default(), Id { client, clock });
            let block = block.expect("it was read before");
            if let Some((other, until)) = self.lacks(section, &block) {
                self.is_tied = self.stack.iter().any(|(waiting, _)| *waiting == other);
                self.stack.push((other, until));
                continue;
            }
            let section = &mut self.sections[section];
            section.next = (cursor.at(), block.end);
            section.left -= 1;
            section.taken += 1;
            count += 1;
        }
        count
    }

    fn at_work(&mut self) -> Option<(usize, u32)> {
        if self.stack.is_empty() {
            let next = self.sections.iter().position(|section| section.left > 0)?;
            self.stack.push((next, u32::MAX));
        }
        self.stack.last().copied()
    }

    /// The section that has to come further before this block, and up to where.
    fn lacks(&self, own: usize, block: &Block<'_>) -> Option<(usize, u32)> {
        let Kind::Item(place, _) = &block.kind else { return None };
        let named = [place.origin, place.right_origin, place.parent].into_iter().flatten();
        named.filter(|_| !self.is_tied).find_map(|Id { client, clock }| {
            let other = self.sections.binary_search_by(|section| client.cmp(&section.client)).ok()?;
            let is_to_come = other != own && self.sections[other].left > 0;
            (is_to_come && self.sections[other].next.1 <= clock).then_some((other, clock + 1))
        })
    }

    /// What was gathered as an update.
    fn give(&mut self) -> Vec<u8> {
        let mut part = Vec::new();
        put(&mut part, self.sections.iter().filter(|section| section.taken > 0).count() as u64);
        for section in self.sections.iter_mut().filter(|section| section.taken > 0) {
            for number in [u64::from(section.taken), section.client, u64::from(section.from.1)] {
                put(&mut part, number);
            }
            part.extend_from_slice(&self.update[section.from.0..section.next.0]);
            section.from = section.next;
            section.taken = 0;
        }
        part
    }
}

impl Iterator for Parts<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        if self.ended {
            return None;
        }
        self.ended = self.gather() == 0;
        let mut part = self.give();
        if self.ended {
            part.extend_from_slice(&self.update[self.deletes..]);
        } else {
            put(&mut part, 0);
        }
        Some(part)
    }
}

/// Finds the sections.
struct Found(Vec<Section>);

impl Visitor for Found {
    fn block(&mut self, block: &Block<'_>) -> Result<(), Fault> {
        let Id { client, clock } = block.id;
        match self.0.last_mut() {
            Some(section) if section.client == client => section.left += 1,
            _ => {
                let start = (block.at, clock);
                self.0.push(Section { client, left: 1, next: start, from: start, taken: 0 });
            }
        }
        Ok(())
    }
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Whole documents have as many of everything as their streams.
const ANY: Limits = Limits {
    bytes: usize::MAX,
    blocks: u32::MAX,
    clients: u32::MAX,
    delete_ranges: u32::MAX,
    depth: DEPTH_MAX,
    nested: u32::MAX,
};
