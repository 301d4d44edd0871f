//! The second half of an update: which clocks it deletes.

use super::Summary;
use super::blocks::Visitor;
use crate::cursor::{Cursor, advance};
use crate::fault::{Counted, Fault};
use crate::limits::Limits;

/// Reads the delete set. yrs writes clients ascending, Yjs descending; either will do, but one order throughout, which
/// shows without memory that no client comes twice (yrs would forget the first).
pub(super) fn sections(
    cursor: &mut Cursor<'_>,
    limits: &Limits,
    summary: &mut Summary,
    visitor: &mut dyn Visitor,
) -> Result<(), Fault> {
    // A client takes its id, a count, and a range of at least two bytes.
    let clients = cursor.count(4)?;
    if clients > limits.clients {
        return Err(Fault::TooMany { what: Counted::Clients, limit: limits.clients });
    }
    let mut previous = None;
    let mut ascending = None;
    for _ in 0..clients {
        let at = cursor.at();
        let client = cursor.client()?;
        if let Some(previous) = previous {
            let up = client > previous;
            if client == previous || ascending.is_some_and(|ascending| ascending != up) {
                return Err(Fault::Unordered { at });
            }
            ascending = Some(up);
        }
        previous = Some(client);
        ranges(cursor, limits, summary, visitor, client)?;
    }
    Ok(())
}

fn ranges(
    cursor: &mut Cursor<'_>,
    limits: &Limits,
    summary: &mut Summary,
    visitor: &mut dyn Visitor,
    client: u64,
) -> Result<(), Fault> {
    let at = cursor.at();
    let ranges = cursor.count(2)?;
    if ranges == 0 {
        return Err(Fault::Empty { at });
    }
    summary.delete_ranges = summary.delete_ranges.saturating_add(ranges);
    if summary.delete_ranges > limits.delete_ranges {
        return Err(Fault::TooMany { what: Counted::DeleteRanges, limit: limits.delete_ranges });
    }
    let mut free_from = 0;
    for _ in 0..ranges {
        let at = cursor.at();
        let start = cursor.clock()?;
        let len = cursor.u32()?;
        if len == 0 {
            return Err(Fault::Empty { at });
        }
        if start < free_from {
            return Err(Fault::Unordered { at });
        }
        free_from = advance(start, len, at)?;
        visitor.delete(client, start..free_from)?;
    }
    Ok(())
}
