//! Is this foreign payload safe to hand to a CRDT library?
//!
//! Bytes that arrive from another device, from a relay or from a disk are somebody's claim. yrs was written for honest
//! peers: a few bytes can overflow its stack, reserve memory by the gigabyte, or be accepted and make every later save
//! of the document panic; automerge inflates a megabyte to gigabytes and has asserts that one wrong index reaches. The
//! guard reads such bytes first, on its own, and says yes or names the fault. It has no I/O and no `unsafe`, knows no CRDT
//! library, never recurses, and takes one pass over the bytes.
//!
//! # A tour
//!
//! * [`ydoc`]: updates of Yjs-compatible documents in the lib0 v1 encoding. [`ydoc::scan`] judges the structure alone,
//!   [`ydoc::check`] also judges what the update claims about a stream whose clocks are known, and
//!   [`ydoc::check_text`] does so for documents that are one text.
//! * [`amdoc`]: changes of automerge documents. [`amdoc::Ledger`] keeps what a stream's changes have made, as far as the
//!   next one may refer to it, and lets that one in or not.
//! * [`Limits`] and [`amdoc::Limits`]: how much of everything is let through, each number with its reason.
//! * [`Fault`]: what is wrong, where, with a machine code and a sentence.
//!
//! # What it does not do
//!
//! It does not look into the state of texts, because a relay holds none. What is left to whoever applies an update is
//! listed at [`ydoc::check`].

#![warn(missing_docs)]

pub mod amdoc;
pub mod ydoc;

mod cursor;
mod fault;
mod limits;

pub use fault::{Counted, Fault, Referred, Unsupported};
pub use limits::Limits;
