//! What travels: frames of `type, length, body`, and the layout of an entry.
//!
//! A frame is a variable-length type, a variable-length byte count and a body. A reader skips types it does not know and
//! ignores bytes behind the fields it knows, so both can be added without a new version. `docs/protocol.md` describes
//! every frame; the golden vectors in `tests/wire.rs` hold the bytes still.

pub mod entry;
pub mod frame;
pub mod message;
pub mod pages;
pub mod payload;
pub mod proof;
pub mod snapshot;
pub mod version;

pub use frame::{FrameError, decode, encode, encode_entries};
pub use message::{
    Aside, Body, Chunk, ErrorCode, ErrorFrame, GoAway, Have, Hello, Introduce, Later, LaterWhy, Lost,
    Message, Need, Ping, Place, Pong, Prove, Refused, Saved, Secret, Seen, Uplink, Want, Welcome, Whole,
};
pub(crate) use message::{decode_head, encode_head};
pub use version::{Compare, Subscribe, Synced};

/// The one version of the protocol there is.
pub const VERSION: u16 = 1;
