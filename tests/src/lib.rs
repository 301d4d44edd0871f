//! Stories, simulation and harness of Causeway.
//!
//! Everything here drives the very types the binaries drive, [`causeway_core::device::Room`] and
//! [`causeway_core::home::Home`]; nothing is a stand-in for our own code.
//!
//! * [`network`]: a few devices and a home joined by links that a story moves by hand.
//! * [`sim`]: a seeded world with faults, people who type, and a ledger of all that must not be lost.
//! * [`disk`]: a disk in memory that knows what a power cut may take.
//! * [`mirror`]: a text as an editor keeps it, built from events alone.
#![warn(missing_docs)]

pub mod disk;
pub mod mirror;
pub mod network;
pub mod sim;
