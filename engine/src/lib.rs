//! A local-first sync engine: documents that people write together, on each device and through a relay.
//!
//! What is written applies at once, on this device. It is kept on its disk, sent to the relay when there is a way, and
//! arrives at everybody else who has the room open; each step can be followed with a [`Receipt`].
//!
//! ```no_run
//! use causeway::{Change, Engine, EngineConfig, Reach, StoreChoice};
//! use futures_util::StreamExt;
//!
//! # async fn story() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::open(EngineConfig {
//!     store: StoreChoice::Folder("notes".into()),
//!     relay: Some("ws://127.0.0.1:8787".parse()?),
//!     name: "Ada".into(),
//!     ..EngineConfig::default()
//! })?;
//!
//! // The text that everybody finds who opens this room.
//! let text = engine.room("class-3b")?.first_text();
//! text.ready().await?;
//! let receipt = text.edit(|text| text.insert(0, "Hello, "))?;
//! receipt.reached(Reach::Relay).await?;
//! println!("On the relay's disk: {}", text.read()?);
//!
//! // The whole text first, then what anybody writes.
//! let mut changes = text.changes();
//! while let Some(change) = changes.next().await {
//!     match change {
//!         Change::Reset(text) => println!("{text}"),
//!         Change::Delta { delta, .. } => println!("{delta:?}"),
//!     }
//! }
//! engine.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # A tour
//!
//! * [`Engine`] has one store and one relay, and opens [`Room`]s; [`EngineConfig`] says which.
//! * [`Room`] leads to [`Documents`] (names), [`Text`]s and [`Presence`], and tells [`Event`]s.
//! * [`Channel`] is where people talk: posts, changes to them, reactions, what is left to read.
//! * [`Text`] is read, edited and followed ([`Change`]); an [`Editor`] is a view of it with undo.
//! * [`Forks`] is work the relay did not take: shown, put back, discarded.
//! * [`Receipt`] and [`SaveStatus`] say where work is saved.
//!
//! Everything that decides anything is in `causeway_core::device`. Here, `driver` is the loop of one room, `link` its
//! WebSocket, `shared` what handles and driver share, `follow` the queues of followers, and `limits` holds every bound.
//!
//! # Features
//!
//! `tls-ring` (on by default): `wss://` relays, with rustls, the ring provider and the system's certificates.
#![warn(missing_docs)]

mod address;
mod channel;
mod clock;
mod documents;
mod driver;
mod editor;
mod engine;
mod follow;
mod forks;
mod limits;
mod link;
mod person_key;
mod presence;
mod receipt;
mod room;
mod shared;
mod text;
mod tls;

pub use address::{InvalidAddress, RelayAddress};
pub use causeway_core::anchor::{Anchor, Side};
pub use causeway_core::chat::{Author, Older, Post, Reaction, Saved, TimelineChange, Unread};
pub use causeway_core::device::{
    ChatError, Connection, DocumentError, Draft, Fork, ForkError, ForkId, ForkText, ReceiptState, SaveStatus,
    Storage,
};
pub use causeway_core::directory::Listed;
pub use causeway_core::ids::{EditorId, InvalidId, PersonId, RoomId, StreamId};
pub use causeway_core::log::EntryName;
pub use causeway_core::presence::{Cursor, InvalidState, Lease, State as Person, Status};
pub use causeway_core::ydoc::{Delta, DeltaOp, EditError, TextEdit};
pub use causeway_store::OpenError as StoreOpenError;
pub use channel::{Channel, ChatFailure};
pub use documents::Documents;
pub use editor::Editor;
pub use engine::{CloseError, Engine, EngineConfig, OpenError, RoomError, StoreChoice};
pub use follow::{Change, Changes, Event, Events, SaveStatuses, Timelines};
pub use forks::{ForkFailure, Forks};
pub use presence::Presence;
pub use receipt::{NotReached, Reach, Receipt};
pub use room::Room;
pub use text::{EditFailure, Text};

/// The guide's examples compile with the doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/native-app.md")]
struct Guide;
