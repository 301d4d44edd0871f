//! The first half of an update: blocks, by client.

use std::ops::Range;

use super::Summary;
use super::content::{self, Content};
use crate::cursor::{Cursor, advance};
use crate::fault::{Counted, Fault};
use crate::limits::Limits;

/// One position in a document: the element that `client` wrote at `clock`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) client: u64,
    pub(super) clock: u32,
}

/// A block as far as its place among others is concerned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    /// Offset of the block in the update, and of what follows it.
    pub(super) at: usize,
    pub(super) until: usize,
    pub(super) id: Id,
    /// First clock behind the block.
    pub(super) end: u32,
    pub(super) kind: Kind<'a>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind<'a> {
    Gc,
    Skip,
    Item(Place<'a>, Content),
}

/// Where an item belongs: its neighbours when it was written, or its parent if it had none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place<'a> {
    pub(super) origin: Option<Id>,
    pub(super) right_origin: Option<Id>,
    /// The shared type that holds the item, if that is an item itself.
    pub(super) parent: Option<Id>,
    /// The name of the root that holds the item.
    pub(super) root: Option<&'a str>,
    /// Whether the item is a map's entry.
    pub(super) keyed: bool,
}

/// Sees every block and then every delete range, and may refuse.
pub(super) trait Visitor {
    fn block(&mut self, _block: &Block<'_>) -> Result<(), Fault> {
        Ok(())
    }

    /// A range of `client`'s clocks.
    fn delete(&mut self, _client: u64, _range: Range<u32>) -> Result<(), Fault> {
        Ok(())
    }
}

pub(super) fn sections(
    cursor: &mut Cursor<'_>,
    limits: &Limits,
    summary: &mut Summary,
    visitor: &mut dyn Visitor,
) -> Result<(), Fault> {
    // A section has a count, a client, a clock, and a block of at least two bytes.
    let clients = cursor.count(5)?;
    if clients > limits.clients {
        return Err(Fault::TooMany { what: Counted::Clients, limit: limits.clients });
    }
    summary.clients = clients;
    let mut previous = None;
    for _ in 0..clients {
        let at = cursor.at();
        let blocks = cursor.count(2)?;
        if blocks == 0 {
            // yrs steps over empty sections by recursion.
            return Err(Fault::Empty { at });
        }
        summary.blocks = summary.blocks.saturating_add(blocks);
        if summary.blocks > limits.blocks {
            return Err(Fault::TooMany { what: Counted::Blocks, limit: limits.blocks });
        }
        let client = cursor.client()?;
        // yrs glues the blocks of a repeated client together, in whatever order they come.
        if previous.is_some_and(|previous| previous <= client) {
            return Err(Fault::Unordered { at });
        }
        previous = Some(client);
        section(cursor, limits, summary, visitor, (client, blocks))?;
    }
    Ok(())
}

fn section(
    cursor: &mut Cursor<'_>,
    limits: &Limits,
    summary: &mut Summary,
    visitor: &mut dyn Visitor,
    (client, blocks): (u64, u32),
) -> Result<(), Fault> {
    let mut clock = cursor.clock()?;
    let mut after_skip = None;
    for _ in 0..blocks {
        let block = block(cursor, limits, summary, Id { client, clock })?;
        after_skip = match block.kind {
            // No encoder writes two in a row, and yrs steps over them by recursion.
            Kind::Skip if after_skip.is_some() => return Err(Fault::Unordered { at: block.at }),
            Kind::Skip => {
                summary.skips += 1;
                Some(block.at)
            }
            Kind::Gc | Kind::Item(..) => None,
        };
        visitor.block(&block)?;
        clock = block.end;
    }
    // A hole at the end says nothing.
    after_skip.map_or(Ok(()), |at| Err(Fault::Unordered { at }))
}

fn block<'a>(
    cursor: &mut Cursor<'a>,
    limits: &Limits,
    summary: &mut Summary,
    id: Id,
) -> Result<Block<'a>, Fault> {
    let at = cursor.at();
    let info = cursor.byte()?;
    let (kind, len) = match info {
        GC => (Kind::Gc, cursor.u32()?),
        SKIP => (Kind::Skip, cursor.u32()?),
        _ => {
            let place = place(cursor, info, at)?;
            let (content, len) = content::read(cursor, limits, summary, (info & KIND, at))?;
            (Kind::Item(place, content), len)
        }
    };
    if len == 0 {
        // yrs drops an empty item without a word, so the blocks behind it would take other clocks than were meant.
        return Err(Fault::Empty { at });
    }
    Ok(Block { at, until: cursor.at(), id, end: advance(id.clock, len, at)?, kind })
}

pub(super) fn place<'a>(cursor: &mut Cursor<'a>, info: u8, at: usize) -> Result<Place<'a>, Fault> {
    if info & RESERVED != 0 || (info & HAS_KEY != 0 && info & HAS_RIGHT_ORIGIN != 0) {
        // An entry of a map is written behind the one it replaces and in front of nothing.
        return Err(Fault::Malformed { at });
    }
    let mut place = Place { keyed: info & HAS_KEY != 0, ..Place::default() };
    if info & HAS_ORIGIN != 0 {
        place.origin = Some(id(cursor)?);
    }
    if info & HAS_RIGHT_ORIGIN != 0 {
        place.right_origin = Some(id(cursor)?);
    }
    if place.origin.is_some() && place.origin == place.right_origin {
        // Nothing stands both before and behind an item.
        return Err(Fault::Malformed { at });
    }
    // An item with a neighbour has the neighbour's parent and key, so they are not written.
    if info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN) == 0 {
        let parent_at = cursor.at();
        match cursor.byte()? {
            PARENT_IS_ROOT => place.root = Some(cursor.string()?),
            PARENT_IS_ITEM => place.parent = Some(id(cursor)?),
            _ => return Err(Fault::Malformed { at: parent_at }),
        }
        if place.keyed {
            cursor.string()?;
        }
    }
    Ok(place)
}

fn id(cursor: &mut Cursor<'_>) -> Result<Id, Fault> {
    Ok(Id { client: cursor.client()?, clock: cursor.clock()? })
}

const GC: u8 = 0;
const SKIP: u8 = 10;

pub(super) const HAS_ORIGIN: u8 = 0b1000_0000;
pub(super) const HAS_RIGHT_ORIGIN: u8 = 0b0100_0000;
const HAS_KEY: u8 = 0b0010_0000;
const RESERVED: u8 = 0b0001_0000;
pub(super) const KIND: u8 = 0b0000_1111;

const PARENT_IS_ITEM: u8 = 0;
const PARENT_IS_ROOT: u8 = 1;
