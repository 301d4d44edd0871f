//! Errors as JavaScript sees them: an `Error` with a machine code.

use causeway_core::device::{ChatError, DocumentError, ForkError};
use causeway_core::ids::InvalidId;
use causeway_core::presence::InvalidState;
use js_sys::{Error, Reflect};
use wasm_bindgen::JsValue;

/// Why a call was not carried out.
pub(crate) enum Refusal {
    /// An argument is not of the shape the declarations promise.
    Argument(&'static str),
    /// A name is none.
    Id(InvalidId),
    /// The document, the edit or the path.
    Document(DocumentError),
    /// The channel, the post or what was said.
    Chat(ChatError),
    /// The fork.
    Fork(ForkError),
    /// The presence state, or name and colour of the person.
    Presence(InvalidState),
}

impl Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Argument(_) => "argument",
            Self::Id(InvalidId::Room) => "room-name",
            Self::Id(InvalidId::Stream) => "stream-name",
            Self::Id(InvalidId::Entry) => "post-name",
            Self::Document(DocumentError::NotOpen) => "not-open",
            Self::Document(DocumentError::NotText) => "not-text",
            Self::Document(DocumentError::Gone) => "gone",
            Self::Document(DocumentError::Edit(_)) => "edit",
            Self::Document(DocumentError::Path(_)) => "path",
            Self::Chat(ChatError::NotOpen) => "not-open",
            Self::Chat(ChatError::NotChannel) => "not-channel",
            Self::Chat(ChatError::Gone) => "gone",
            Self::Chat(ChatError::Nobody) => "nobody",
            Self::Chat(ChatError::NoPost) => "no-post",
            Self::Chat(ChatError::NotYours) => "not-yours",
            Self::Chat(ChatError::Op(_)) => "post",
            Self::Fork(ForkError::Unknown) => "no-fork",
            Self::Fork(ForkError::Incomplete) => "incomplete",
            Self::Fork(ForkError::Document(error)) => Self::Document(error.clone()).code(),
            Self::Presence(_) => "presence",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Argument(sentence) => (*sentence).into(),
            Self::Id(error) => error.to_string(),
            Self::Document(error) => error.to_string(),
            Self::Chat(error) => error.to_string(),
            Self::Fork(error) => error.to_string(),
            Self::Presence(error) => error.to_string(),
        }
    }
}

impl From<InvalidId> for Refusal {
    fn from(error: InvalidId) -> Self {
        Self::Id(error)
    }
}

impl From<DocumentError> for Refusal {
    fn from(error: DocumentError) -> Self {
        Self::Document(error)
    }
}

impl From<ChatError> for Refusal {
    fn from(error: ChatError) -> Self {
        Self::Chat(error)
    }
}

impl From<ForkError> for Refusal {
    fn from(error: ForkError) -> Self {
        Self::Fork(error)
    }
}

impl From<InvalidState> for Refusal {
    fn from(error: InvalidState) -> Self {
        Self::Presence(error)
    }
}

/// What the caller throws. Not inlined: a hundred calls would each carry the way from the core's error to here.
#[inline(never)]
pub(crate) fn refused<E: Into<Refusal>>(error: E) -> JsValue {
    thrown(&error.into())
}

#[inline(never)]
fn thrown(refusal: &Refusal) -> JsValue {
    let error = Error::new(&refusal.sentence());
    // Setting a property of a fresh object cannot fail.
    let _ = Reflect::set(&error, &"code".into(), &refusal.code().into());
    error.into()
}

/// The same of an argument that is not of its shape.
pub(crate) fn argument(sentence: &'static str) -> JsValue {
    refused(Refusal::Argument(sentence))
}
