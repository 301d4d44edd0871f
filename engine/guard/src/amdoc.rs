//! Changes of automerge documents, as automerge 0.12.0 reads them.
//!
//! ```text
//! payload = change × n
//! change  = magic, checksum:4, 1, length, body
//! body    = hashes of what it builds on, actor, seq, first counter, time, message, other actors, columns, operations
//! ```
//!
//! Numbers are LEB128. Operations stand in columns, run-length encoded: which object, which key or element, whether it
//! inserts, what it does, its value, and which operations it replaces.
//!
//! Only such plain changes reach automerge. Whole documents, bundles and compressed changes are refused, because
//! automerge inflates them without a bound (a megabyte to two gigabytes) before it looks at a checksum; sync messages,
//! whose filters a sender can make cost minutes, are no payload at all: Causeway has a log of its own.
//!
//! A change has exactly one spelling here. automerge takes others, but writes a document its own way; then the change
//! has another hash when the document is opened, and the document is lost.

mod change;
mod column;
mod ledger;
mod limits;
mod operations;

pub use ledger::{Admitted, Ledger};
pub use limits::Limits;

use crate::fault::Fault;
use change::Change;

/// What a payload holds, counted while it was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Changes.
    pub changes: u32,
    /// Operations over all changes.
    pub operations: u32,
}

/// Judges the structure of a payload: whether automerge reads it in bounded time and memory.
///
/// Nothing is inflated and nothing reserved by a count; columns hold exactly as many values as there are operations; and
/// all is spelled the one way automerge spells it. What the operations refer to is left to [`Ledger::admit`].
///
/// # Errors
///
/// The first [`Fault`] in reading order.
pub fn scan(payload: &[u8], limits: &Limits) -> Result<Summary, Fault> {
    let mut summary = Summary::default();
    changes(payload, limits, |change| {
        summary.changes += 1;
        summary.operations += change.operations(limits, |_| Ok(()))?;
        Ok(())
    })?;
    Ok(summary)
}

/// Hands the changes of a payload to `visit`, one after the other.
fn changes<'a>(
    payload: &'a [u8],
    limits: &Limits,
    mut visit: impl FnMut(&Change<'a>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    if payload.len() > limits.bytes {
        return Err(Fault::TooLarge { size: payload.len(), limit: limits.bytes });
    }
    if payload.is_empty() {
        return Err(Fault::Empty { at: 0 });
    }
    let mut at = 0;
    while at < payload.len() {
        let change = Change::read(payload, at, limits)?;
        visit(&change)?;
        at = change.end;
    }
    Ok(())
}
