//! The sans-IO core of Causeway.
//!
//! A room is a set of logs; this crate holds everything that decides anything about them and does no I/O. A shell feeds
//! it [`device::Input`] or [`home::Input`] with the time, carries out the outputs it polls, and calls again when the
//! timer it names has run out. The same inputs give the same outputs, byte for byte.
//!
//! # A tour
//!
//! * [`presence`]: who is here. The smallest complete slice; the others are built like it.
//! * [`log`]: entries, chains and the judgement on what may join a stream.
//! * [`home`]: a room as the relay (or a hub) keeps it: checks, stores, forwards, answers.
//! * [`device`]: a room as a device keeps it: documents, journal, outbox, forks, receipts, one link to a home.
//! * [`snapshot`]: what a stream amounts to, so that old entries need not be sent; made on threads of a shell.
//! * [`ydoc`], [`chat`] and [`directory`]: the reducers; [`person`]: who posts.
//! * [`wire`] and [`stored`]: the only modules that know a serialised layout of ours.
//! * [`storage`] and [`write_queue`]: what is asked of a disk, and how writes are gathered.
//! * [`salvage`]: a room put together again from what a damaged disk still has of it.
//! * [`limits`]: every bound, with its reason.
#![warn(missing_docs)]

pub mod anchor;
pub mod chat;
pub mod device;
pub mod directory;
mod entropy;
pub mod home;
pub mod ids;
pub mod limits;
pub mod log;
pub mod person;
#[cfg(feature = "planted-bugs")]
pub mod planted;
pub mod presence;
pub mod replica;
pub mod salvage;
pub mod snapshot;
mod sorted;
pub mod storage;
pub mod stored;
pub mod time;
pub mod wire;
pub mod write_queue;
pub mod ydoc;
