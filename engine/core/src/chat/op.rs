//! What an entry of a channel says.

use serde::{Deserialize, Serialize};

use crate::chat::Place;
use crate::limits::{EMOJI_BYTES, LAST_MOMENT, POST_BYTES};
use crate::log::{EntryKind, EntryName, Header};
use crate::person::Introduction;
use crate::presence::InvalidState;
use crate::time::Millis;
use crate::wire;

/// The payload of an entry of a channel. Its kind stands in the header too, and so does what it is about, because a
/// home judges by headers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChatOp {
    /// Something said.
    Post {
        /// 1 byte to 16 KiB.
        text: String,
        /// The post it answers.
        reply_to: Option<EntryName>,
        /// Where the newest post stands that its author saw: it stands after that, whatever clocks say.
        after: Millis,
    },
    /// The target reads like this now.
    Amend {
        /// As in a post.
        text: String,
    },
    /// The target was never said.
    Retract,
    /// A reaction to the target is put there or taken away.
    React {
        /// 1 to 32 bytes: a character as people see it, such as a flag or a family.
        emoji: String,
        /// Whether it stands.
        on: bool,
    },
    /// Who writes here.
    Introduce(Introduction),
}

/// Why a payload says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOp {
    /// Not one this version can read, or another than its header says.
    #[error("it cannot be read")]
    Encoding,
    /// The text.
    #[error("a post has 1 to {POST_BYTES} bytes")]
    Text,
    /// The reaction.
    #[error("a reaction has 1 to {EMOJI_BYTES} bytes and no control characters")]
    Emoji,
    /// Name or colour of a person.
    #[error(transparent)]
    Look(#[from] InvalidState),
}

impl ChatOp {
    /// The kind its entry has.
    pub fn kind(&self) -> EntryKind {
        match self {
            Self::Post { .. } => EntryKind::Post,
            Self::Amend { .. } => EntryKind::Amend,
            Self::Retract => EntryKind::Retract,
            Self::React { .. } => EntryKind::React,
            Self::Introduce(_) => EntryKind::Introduce,
        }
    }

    /// Checks what types cannot say.
    ///
    /// # Errors
    /// See [`InvalidOp`].
    pub fn validate(&self) -> Result<(), InvalidOp> {
        match self {
            Self::Post { text, .. } | Self::Amend { text } if text.is_empty() || text.len() > POST_BYTES => {
                Err(InvalidOp::Text)
            }
            Self::React { emoji, .. }
                if emoji.is_empty() || emoji.len() > EMOJI_BYTES || emoji.chars().any(char::is_control) =>
            {
                Err(InvalidOp::Emoji)
            }
            Self::Introduce(introduction) => Ok(introduction.validate()?),
            Self::Post { .. } | Self::Amend { .. } | Self::Retract | Self::React { .. } => Ok(()),
        }
    }
}

/// Where a post stands: after the newest one its author saw, never beyond the last moment there is.
pub(super) fn place(header: &Header, after: Millis) -> Place {
    (header.time.max(after).min(LAST_MOMENT), header.logical, header.replica, header.seq)
}

/// Reads and checks what an entry says.
///
/// # Errors
/// See [`InvalidOp`].
pub fn check(header: &Header, payload: &[u8]) -> Result<ChatOp, InvalidOp> {
    let op = wire::payload::decode_chat(payload).ok_or(InvalidOp::Encoding)?;
    let about = matches!(op, ChatOp::Amend { .. } | ChatOp::Retract | ChatOp::React { .. });
    if op.kind() != header.kind || about != header.target.is_some() {
        return Err(InvalidOp::Encoding);
    }
    op.validate()?;
    Ok(op)
}
