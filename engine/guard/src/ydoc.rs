//! Updates of Yjs-compatible documents in the lib0 v1 encoding, as yrs 0.28.1 reads them.
//!
//! ```text
//! update   = count, section × count, deletes
//! section  = blocks: count, client, clock, block × blocks          clients descending
//! block    = 0 length                                              GC
//!          | 10 length                                             Skip
//!          | flags+kind [origin] [right origin] [parent] [key] content
//! deletes  = count, (client, count, (clock, length) × count) × count
//! ```
//!
//! A block's length is what it adds to its client's clock: UTF-16 code units of a string (whatever offsets the document
//! was opened with), elements of an `Any`, the number in a Deleted or GC, and 1 for all other kinds.

mod any;
mod blocks;
mod content;

mod deletes;
mod json;
mod jumps;
mod parts;
mod semantic;

use crate::cursor::Cursor;
use crate::fault::Fault;
use crate::limits::Limits;
use blocks::Visitor;
pub use parts::parts;
pub use semantic::{Extension, Known};

/// Client ids of our replicas are `CLIENT_BASE` | 52 bits of the replica id; ids of foreign Yjs clients stay below.
pub const CLIENT_BASE: u64 = 1 << 52;

/// What an update holds, counted while it was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Clients with blocks.
    pub clients: u32,
    /// Blocks over all clients, GC and Skip included.
    pub blocks: u32,
    /// Delete ranges over all clients.
    pub delete_ranges: u32,
    /// Levels of arrays and objects of the most deeply nested value; 0 if there are only plain values.
    pub max_depth: u32,
    /// Shared types (maps, arrays, texts, XML nodes) that the update creates inside others.
    pub types: u32,
    /// Holes in a client's clocks; an update that extends one replica has none.
    pub skips: u32,
}

/// Judges the structure of an update: whether reading it is bounded in time, memory and stack.
///
/// Lengths and counts fit into the bytes that are there, numbers into their types, values nest at most
/// [`Limits::depth`] deep, strings are UTF-8, JSON is JSON, no block and no range is empty, clients and ranges are in
/// order and distinct, and nothing follows the delete set. Refused as well is what yrs reads but cannot write again, or
/// does not know (see [`Unsupported`](crate::Unsupported)). Updates in the v2 encoding are refused. Of numbers in embeds and
/// formats this is not promised: yrs rounds them, so one just below 10³⁰⁰ is written as one that is refused; [`check_text`]
/// takes only those that it writes as they were.
///
/// # Errors
///
/// The first [`Fault`] in reading order.
pub fn scan(update: &[u8], limits: &Limits) -> Result<Summary, Fault> {
    struct Anything;
    impl Visitor for Anything {}
    walk(update, limits, &mut Anything)
}

/// Judges structure (as [`scan`]) and what the update claims: it extends the clocks of `own` and of nobody else,
/// without gap or overlap, and refers only to what exists.
///
/// `known` holds the stream's clocks after everything the update depends on. Origins and parents have to lie below
/// those clocks, or before the block that names them in this same update; delete ranges have to lie within the clocks
/// as they stand after the update. So yrs never parks any of it as pending, and nobody can delete what others have yet
/// to write.
///
/// ```
/// use causeway_guard::Limits;
/// use causeway_guard::ydoc::{Known, check};
///
/// struct Stream;
/// impl Known for Stream {
///     fn clock(&self, client: u64) -> Option<u32> {
///         (client == 7).then_some(4)
///     }
/// }
///
/// // Client 7 writes "hi" behind its own clock 3, and deletes nothing.
/// let update = [1, 1, 7, 4, 0x84, 7, 3, 2, b'h', b'i', 0];
/// let extension = check(&update, 7, &Stream, &Limits::default())?;
/// assert_eq!((extension.from, extension.to), (4, 6));
///
/// // Nobody writes for somebody else.
/// let fault = check(&update, 8, &Stream, &Limits::default()).unwrap_err();
/// assert_eq!(fault.code(), "guard.foreign-client");
/// # Ok::<(), causeway_guard::Fault>(())
/// ```
///
/// # What is left to the one who applies it
///
/// The guard knows clocks, not content. Three lies get past it:
///
/// * A parent named by id may be no shared type, but a word. yrs then stops half-way with `InvalidParent`.
/// * The two origins may lie in different sequences. yrs ties these together, and then either panics while it commits or
///   writes blocks that [`scan`] refuses.
/// * Shared types may be nested one level an update, until deleting the outermost overflows the stack.
///
/// [`check_text`] closes all three. Two stay with both:
///
/// * The right origin may stand elsewhere than directly behind the origin. Replicas that take such a block in another
///   order than a concurrent one may show it in another place, although they hold the same entries.
/// * A block may cost yrs a walk through all that stands in the document, wherever it begins anew: [`Limits::jumps`] times at
///   most for one update, and nothing bounds many updates.
///
/// Apply foreign updates where a panic is caught and time is accounted for, take an error from yrs as damage, and let a
/// digest of what is shown, not only of entries, tell whether two replicas agree.
///
/// # Errors
///
/// The first [`Fault`] in reading order.
pub fn check(update: &[u8], own: u64, known: &impl Known, limits: &Limits) -> Result<Extension, Fault> {
    let mut author = semantic::Author::new(own, known, limits);
    walk(update, limits, &mut author)?;
    Ok(author.extension())
}

/// Judges as [`check`] does, for a document that is a single text under the name `root`.
///
/// Only strings, embeds, formats and what is left of deleted ones pass, and only in that text. Where every update of a
/// stream has passed this, everything stands in one sequence: there are no parents to lie about, no two sequences to tie
/// together, nothing nested, and nothing that a text counts but cannot delete (yrs panics when such a text is emptied).
/// Objects in embeds and formats have at most one member each and numbers at most 15 digits, so that yrs writes them as they were.
///
/// # Errors
///
/// The first [`Fault`] in reading order.
pub fn check_text(
    update: &[u8],
    own: u64,
    root: &str,
    known: &impl Known,
    limits: &Limits,
) -> Result<Extension, Fault> {
    let mut author = semantic::Author::new(own, known, limits).of_text(root);
    walk(update, limits, &mut author)?;
    Ok(author.extension())
}

/// Judges a whole document that is a single text under the name `root`: it holds everything that `known` tells of its
/// `clients` writers, each from its first clock to its last, refers to nothing else, and is otherwise as
/// [`check_text`] wants it.
///
/// # Errors
///
/// The first [`Fault`] in reading order.
pub fn check_whole_text(
    update: &[u8],
    root: &str,
    clients: usize,
    known: &impl Known,
    limits: &Limits,
) -> Result<(), Fault> {
    // No client has this id, so the first block begins the first client.
    let mut author = semantic::Author::new(u64::MAX, known, limits).of_text(root).of_everybody();
    walk(update, limits, &mut author)?;
    author.finish(clients, update.len())
}

fn walk(update: &[u8], limits: &Limits, visitor: &mut dyn Visitor) -> Result<Summary, Fault> {
    if update.len() > limits.bytes {
        return Err(Fault::TooLarge { size: update.len(), limit: limits.bytes });
    }
    let mut cursor = Cursor::new(update);
    let mut summary = Summary::default();
    blocks::sections(&mut cursor, limits, &mut summary, visitor)?;
    deletes::sections(&mut cursor, limits, &mut summary, visitor)?;
    if cursor.remaining() > 0 {
        return Err(Fault::Trailing { at: cursor.at() });
    }
    Ok(summary)
}
