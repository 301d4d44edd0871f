//! What a block holds.

use super::{Summary, any, json};
use crate::cursor::Cursor;
use crate::fault::{Fault, Unsupported};
use crate::limits::Limits;

/// What an item holds, as far as it matters where the item may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing any more.
    Deleted,
    /// Strings, embeds and formats: what a text is made of.
    Text,
    /// An embed or a format with a value that yrs writes otherwise than it was: see `json::Shape`.
    Unsteady,
    /// Values and shared types: what maps, arrays and XML hold.
    Value,
}

/// Reads the content of an item and returns its length in clocks with it. `at` is where the block begins.
pub(super) fn read(
    cursor: &mut Cursor<'_>,
    limits: &Limits,
    summary: &mut Summary,
    (kind, at): (u8, usize),
) -> Result<(Content, u32), Fault> {
    let unsupported = |what| Err(Fault::Unsupported { what, at });
    match kind {
        DELETED => Ok((Content::Deleted, cursor.u32()?)),
        LEGACY_JSON => unsupported(Unsupported::LegacyJson),
        BINARY => cursor.buffer().map(|_| (Content::Value, 1)),
        STRING => Ok((Content::Text, utf16_len(cursor.string()?))),
        EMBED => embedded_json(cursor, limits, summary).map(|content| (content, 1)),
        FORMAT => {
            cursor.string()?;
            embedded_json(cursor, limits, summary).map(|content| (content, 1))
        }
        TYPE => shared_type(cursor, summary, at).map(|()| (Content::Value, 1)),
        ANY => {
            let count = cursor.count(1)?;
            for _ in 0..count {
                summary.max_depth = summary.max_depth.max(any::skip(cursor, limits.depth)?);
            }
            Ok((Content::Value, count))
        }
        SUBDOCUMENT => unsupported(Unsupported::Subdocument),
        MOVE => unsupported(Unsupported::Move),
        _ => Err(Fault::Malformed { at }),
    }
}

fn embedded_json(cursor: &mut Cursor<'_>, limits: &Limits, summary: &mut Summary) -> Result<Content, Fault> {
    let text = cursor.string()?;
    let shape = json::validate(text, cursor.at() - text.len(), limits.depth)?;
    summary.max_depth = summary.max_depth.max(shape.depth);
    Ok(if shape.steady { Content::Text } else { Content::Unsteady })
}

fn shared_type(cursor: &mut Cursor<'_>, summary: &mut Summary, at: usize) -> Result<(), Fault> {
    summary.types += 1;
    match cursor.byte()? {
        ARRAY | MAP | TEXT | XML_FRAGMENT | XML_TEXT => Ok(()),
        XML_ELEMENT => cursor.string().map(|_| ()),
        XML_HOOK => Err(Fault::Unsupported { what: Unsupported::XmlHook, at }),
        WEAK_LINK => Err(Fault::Unsupported { what: Unsupported::WeakLink, at }),
        _ => Err(Fault::Unsupported { what: Unsupported::UnknownType, at }),
    }
}

/// UTF-16 code units of a string: one for each character, and one more for each that takes four bytes in UTF-8.
pub(super) fn utf16_len(text: &str) -> u32 {
    let units: usize =
        text.bytes().map(|byte| usize::from(!is_continuation(byte)) + usize::from(byte >= FOUR_BYTES)).sum();
    u32::try_from(units).unwrap_or(u32::MAX)
}

fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

const FOUR_BYTES: u8 = 0b1111_0000;

const DELETED: u8 = 1;
const LEGACY_JSON: u8 = 2;
const BINARY: u8 = 3;
pub(super) const STRING: u8 = 4;
const EMBED: u8 = 5;
const FORMAT: u8 = 6;
const TYPE: u8 = 7;
const ANY: u8 = 8;
const SUBDOCUMENT: u8 = 9;
const MOVE: u8 = 11;

const ARRAY: u8 = 0;
const MAP: u8 = 1;
const TEXT: u8 = 2;
const XML_ELEMENT: u8 = 3;
const XML_FRAGMENT: u8 = 4;
const XML_HOOK: u8 = 5;
const XML_TEXT: u8 = 6;
const WEAK_LINK: u8 = 7;
