//! Values in lib0's `Any` encoding, read without recursion.

use crate::cursor::Cursor;
use crate::fault::Fault;
use crate::limits::DEPTH_MAX;

/// Reads one value and returns how many levels of arrays and objects it has.
///
/// yrs reads such values by recursion without a bound, which is how twenty kilobytes kill a process; here each open
/// level is a counter in a fixed array.
pub(super) fn skip(cursor: &mut Cursor<'_>, limit: u32) -> Result<u32, Fault> {
    let limit = limit.min(DEPTH_MAX) as usize;
    let mut open = [Level { left: 0, keyed: false }; DEPTH_MAX as usize];
    let mut depth = 0;
    let mut deepest = 0;
    loop {
        let at = cursor.at();
        let entered = match cursor.byte()? {
            UNDEFINED | NULL | FALSE | TRUE => None,
            INTEGER => {
                cursor.skip_i64()?;
                None
            }
            FLOAT32 => cursor.take(4).map(|_| None)?,
            FLOAT64 | BIGINT => cursor.take(8).map(|_| None)?,
            STRING => cursor.string().map(|_| None)?,
            BUFFER => cursor.buffer().map(|_| None)?,
            // A key takes at least its length byte, a value at least its tag.
            OBJECT => Some(Level { left: cursor.count(2)?, keyed: true }),
            ARRAY => Some(Level { left: cursor.count(1)?, keyed: false }),
            _ => return Err(Fault::Malformed { at }),
        };
        if let Some(level) = entered {
            if depth == limit {
                return Err(Fault::TooDeep { at });
            }
            open[depth] = level;
            depth += 1;
            deepest = deepest.max(depth);
        }
        while depth > 0 && open[depth - 1].left == 0 {
            depth -= 1;
        }
        if depth == 0 {
            return Ok(deepest as u32);
        }
        let level = &mut open[depth - 1];
        level.left -= 1;
        if level.keyed {
            cursor.string()?;
        }
    }
}

/// An array or object that is not finished.
#[derive(Clone, Copy)]
struct Level {
    left: u32,
    keyed: bool,
}

const UNDEFINED: u8 = 127;
const NULL: u8 = 126;
const INTEGER: u8 = 125;
const FLOAT32: u8 = 124;
const FLOAT64: u8 = 123;
const BIGINT: u8 = 122;
const FALSE: u8 = 121;
const TRUE: u8 = 120;
const STRING: u8 = 119;
const OBJECT: u8 = 118;
const ARRAY: u8 = 117;
const BUFFER: u8 = 116;
