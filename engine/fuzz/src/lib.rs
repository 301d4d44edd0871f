//! Machines that attack what reads foreign bytes.
//!
//! A [`Target`] takes any bytes, lets one part of the engine read them, and panics if a promise about that part breaks.
//! libFuzzer feeds it (`cargo xtask fuzz TARGET --minutes N`); what it found worth keeping lies in `corpus/`, one input
//! a line in hexadecimal, and `cargo test -p causeway-fuzz` feeds it all of that again.
//!
//! # A tour
//!
//! * [`Target`]: the list, with the promise of each.
//! * [`Pieces`]: how one input becomes several updates or entries.
//! * [`corpus`]: reads the committed inputs.
//!
//! Not attacked here: what needs a disk, a socket or a clock. The simulator and the relay's own tests do that.
#![warn(missing_docs)]

pub mod corpus;
mod pieces;
mod target;

pub use pieces::Pieces;
pub use target::Target;
