//! What one author wrote, in updates that each keep the bounds of one.

use std::ops::Range;

use super::blocks::{self, Block, HAS_ORIGIN, HAS_RIGHT_ORIGIN, Id, KIND, Kind, Place, Visitor};
use super::content::{STRING, utf16_len};
use super::jumps::Thread;
use super::walk;
use crate::cursor::Cursor;
use crate::fault::{Fault, Unsupported};
use crate::limits::{Limits, UNBOUNDED};

/// Cuts an update into several that make of a document what it makes, applied one after the other, and that each keep
/// `limits`. What is put in comes before what is taken out, so whoever has taken some of them lacks nothing of the text.
///
/// An update that needs no cutting comes as it is. So does one that [`check`](super::check) refuses for another reason, and
/// what of it cannot be cut: a single value in an embed or a format.
pub fn parts(update: Vec<u8>, limits: &Limits) -> Vec<Vec<u8>> {
    let counts = [limits.blocks, limits.jumps, limits.delete_ranges].map(|most| most as usize);
    // A block takes two bytes at least, and so does a range.
    if counts.iter().all(|most| update.len() <= 2 * most) && update.len() <= limits.bytes {
        return vec![update];
    }
    let mut cutter = Cutter::new(&update, limits);
    let parts = walk(&update, &UNBOUNDED, &mut cutter).map(|_| cutter.finish());
    match parts {
        Ok(parts) if parts.len() > 1 => parts,
        _ => vec![update],
    }
}

struct Cutter<'a> {
    update: &'a [u8],
    limits: &'a Limits,
    /// Bytes of blocks, and of ranges, in one part: together with what stands before them they fit.
    room: usize,
    thread: Thread,
    client: Option<u64>,
    done: Vec<Vec<u8>>,
    /// The part at hand: its first block, how many it has, how many of them begin anew, and their bytes.
    first: Option<Id>,
    blocks: u32,
    jumps: u32,
    body: Vec<u8>,
    ranges: Vec<(u64, Range<u32>)>,
}

impl<'a> Cutter<'a> {
    fn new(update: &'a [u8], limits: &'a Limits) -> Self {
        Self {
            update,
            limits,
            room: (limits.bytes / 4).max(RANGE_BYTES),
            thread: Thread::default(),
            client: None,
            done: Vec::new(),
            first: None,
            blocks: 0,
            jumps: 0,
            body: Vec::new(),
            ranges: Vec::new(),
        }
    }

    /// Counts a block into the part at hand.
    fn count(&mut self, id: Id, is_jump: bool) {
        // The first of an update is one wherever it stands.
        self.jumps += u32::from(is_jump || self.blocks == 0);
        self.blocks += 1;
        self.first.get_or_insert(id);
    }

    /// A string of any length: each piece stands behind the one before it, as if yrs had split it there.
    fn string(&mut self, mut id: Id, head: &[u8], place: &Place<'_>, mut rest: &str) {
        self.body.extend_from_slice(head);
        loop {
            let (piece, more) = rest.split_at(rest.floor_char_boundary(self.room));
            put(&mut self.body, piece.len() as u64);
            self.body.extend_from_slice(piece.as_bytes());
            if more.is_empty() {
                return;
            }
            self.end_part(&[]);
            id.clock += utf16_len(piece);
            self.count(id, true);
            let right = place.right_origin.map(|right| (HAS_RIGHT_ORIGIN, right));
            self.body.push(STRING | HAS_ORIGIN | right.map_or(0, |(flag, _)| flag));
            for named in [Id { clock: id.clock - 1, ..id }].into_iter().chain(right.map(|(_, id)| id)) {
                put(&mut self.body, named.client);
                put(&mut self.body, u64::from(named.clock));
            }
            rest = more;
        }
    }

    fn end_part(&mut self, ranges: &[(u64, Range<u32>)]) {
        let mut part = Vec::with_capacity(self.body.len() + 32);
        match self.first.take() {
            None => part.push(0),
            Some(Id { client, clock }) => {
                for number in [1, u64::from(self.blocks), client, u64::from(clock)] {
                    put(&mut part, number);
                }
            }
        }
        part.append(&mut self.body);
        put(&mut part, ranges.chunk_by(|one, next| one.0 == next.0).count() as u64);
        for of_client in ranges.chunk_by(|one, next| one.0 == next.0) {
            put(&mut part, of_client[0].0);
            put(&mut part, of_client.len() as u64);
            for (_, range) in of_client {
                put(&mut part, u64::from(range.start));
                put(&mut part, u64::from(range.end - range.start));
            }
        }
        (self.blocks, self.jumps) = (0, 0);
        self.done.push(part);
    }

    fn finish(mut self) -> Vec<Vec<u8>> {
        let ranges = std::mem::take(&mut self.ranges);
        // A value of any length has a part to itself.
        if self.body.len() > self.room {
            self.end_part(&[]);
        }
        let most = self.limits.delete_ranges.min(self.limits.clients) as usize;
        for ranges in ranges.chunks(most.min(self.room / RANGE_BYTES).max(1)) {
            self.end_part(ranges);
        }
        if self.first.is_some() {
            self.end_part(&[]);
        }
        self.done
    }
}

impl Visitor for Cutter<'_> {
    fn block(&mut self, block: &Block<'_>) -> Result<(), Fault> {
        let is_jump = self.thread.breaks_at(block);
        let Block { at, until, id, .. } = *block;
        if *self.client.get_or_insert(id.client) != id.client {
            return Err(Fault::ForeignClient { client: id.client });
        }
        let size = until - at;
        let full = self.blocks >= self.limits.blocks
            || self.jumps + u32::from(is_jump) > self.limits.jumps
            || self.body.len() + size > self.room;
        if full && self.blocks > 0 {
            self.end_part(&[]);
        }
        self.count(id, is_jump);
        match &block.kind {
            Kind::Skip => return Err(Fault::Unsupported { what: Unsupported::Skip, at }),
            Kind::Item(place, _) if size > self.room && self.update[at] & KIND == STRING => {
                let mut cursor = Cursor::part(self.update, at, until);
                let info = cursor.byte()?;
                blocks::place(&mut cursor, info, at)?;
                let head = &self.update[at..cursor.at()];
                self.string(id, head, place, cursor.string()?);
            }
            Kind::Gc | Kind::Item(..) => self.body.extend_from_slice(&self.update[at..until]),
        }
        Ok(())
    }

    fn delete(&mut self, client: u64, range: Range<u32>) -> Result<(), Fault> {
        self.ranges.push((client, range));
        Ok(())
    }
}

fn put(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

/// The most that a range takes which is its client's only one: eight bytes for the client, two for the count, five for either
/// number. A character takes less.
const RANGE_BYTES: usize = 20;
