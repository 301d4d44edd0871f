//! Stories of the guard for automerge.

mod authors;
mod hazards;
mod honest;
mod lies;
mod structure;
mod writer;
