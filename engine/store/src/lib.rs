//! The storage port of Causeway: one trait, the stores behind it, and a writer that shares fsyncs among rooms.
//!
//! Core asks for commits and scans as plain values (`causeway_core::storage`); this crate carries them out.
//!
//! * [`Store`] is the port: apply a commit, make it survive, read a range. Keys live in a [`Space`], one per room.
//! * [`MemoryStore`] keeps everything in memory, for tests, simulations and devices that refuse a disk.
//! * [`StoreKind`] opens the store of relay and native engine, which keeps everything in a data folder: redb (`redb_database`)
//!   behind a write-ahead log (`ahead`), or [`SledStore`]. `folder` is the data folder and why it is refused, `rows` how spaces,
//!   keys and values lie in a database, with sums that make damage show.
//! * [`StoreHandle`] is what a shell holds: it queues commits for one writer thread, which applies whatever is waiting
//!   and then pays for a single fsync, and scans for a reader thread of its own.
//! * [`StoreGate`] stands before it in a program that goes on when a disk was full: it opens the store again ([`Storage`]
//!   says how) and lets requests through anew; `watch` tells it of calls that do not come back.
//! * [`backup`] carries the rows of any store into a file while others write, and from there into a new folder.
//! * [`remains`] is what can still be found in a folder that a store refuses.
//! * `contract` (feature `contract`) is the suite that every store passes.
//!
//! What a store promises and what it does not is written on [`Store`]; where a number comes from, in [`limits`].
#![warn(missing_docs)]

mod ahead;
pub mod backup;
mod condition;
#[cfg(feature = "contract")]
pub mod contract;
mod database;
mod folder;
mod gate;
mod kind;
pub mod limits;
mod memory;
mod pieces;
mod port;
mod redb_database;
pub mod remains;
mod rows;
mod sled_store;
mod space;
mod tap;
mod watch;
mod writer;

#[cfg(test)]
mod unreadable_places;

pub use ahead::WriteAheadLimits;
pub use condition::Condition;
pub use folder::OpenError;
pub use gate::{Storage, StoreGate};
pub use kind::{StoreKind, UnknownKind};
pub use memory::MemoryStore;
pub use port::Store;
pub use sled_store::SledStore;
pub use space::{Space, SpaceTooLong};
pub use writer::{StoreHandle, WriterLimits};
