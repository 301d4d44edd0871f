//! The guard against real yrs documents, the known hazards, and mutated updates.

mod authors;
mod costs;
mod craft;
mod hazards;
mod honest;
mod mutations;
mod structure;
mod writer;
