//! The reducer of `ydoc` streams: a text on yrs.
//!
//! Positions and lengths are UTF-16 code units at every border. What arrives here has passed the guard and has all it
//! builds on, so yrs never has to hold anything back; [`Document::apply`] says so if it does (rule 16).

mod caret;
mod document;
mod edit;
mod state;
mod undo;

pub use document::{ApplyError, Document, Edited, documents_built};
pub(crate) use document::{Step, together};
pub use edit::{EditError, TextEdit};
pub use state::states_built;
pub(crate) use state::{check_page, state_of};

/// Name of the shared text inside the yrs document; Yjs editors bind to the same one, and the guard lets no other in.
pub const ROOT: &str = "text";

/// One step of a change to a text, in the manner of the Quill delta, in UTF-16 code units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeltaOp {
    /// Passes over so many units.
    Retain(u32),
    /// Puts text in here.
    Insert(String),
    /// Takes so many units out.
    Delete(u32),
}

/// A change to a text: steps from its beginning.
pub type Delta = Vec<DeltaOp>;

/// Joins journal updates of one author into one, as if they had been one transaction.
///
/// yrs looks at every update again for each block it takes, so thousands at once would stall the hand that types for a
/// tenth of a second: they are joined in groups, and the groups again, which gives the same bytes.
///
/// # Errors
/// One of them is no update.
pub fn merge(updates: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, ApplyError> {
    let mut joined = merge_groups(updates)?;
    while joined.len() > 1 {
        joined = merge_groups(&joined)?;
    }
    joined.pop().ok_or_else(|| ApplyError::Decode("there is nothing to join".into()))
}

fn merge_groups(updates: &[impl AsRef<[u8]>]) -> Result<Vec<Vec<u8>>, ApplyError> {
    updates.chunks(MERGE_GROUP).map(merge_group).collect()
}

fn merge_group(updates: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, ApplyError> {
    match updates {
        [one] => Ok(one.as_ref().to_vec()),
        many => yrs::merge_updates_v1(many.iter()).map_err(|error| ApplyError::Decode(error.to_string())),
    }
}

/// Updates joined at once. Of 4, 8, 16 and 32 the fastest for thousands of keystrokes.
const MERGE_GROUP: usize = 16;
