//! The Causeway relay: keeps rooms on its disk and carries entries between devices.
//!
//! Everything that decides anything is `causeway_core::home::Home`; this crate is its shell on axum and tokio.
//!
//! # A tour
//!
//! * `main` reads the command line (`cli`, `config`), reports failures (`failure`) and starts (`start`) a server.
//! * [`run`] is the server as a library: a listener, a [`Storage`], a moment to stop. Tests start it in their own process.
//! * `routes` is what is answered over HTTP: the page (`assets`), `/healthz`, `/readyz`, `/metrics`, and the WebSocket of
//!   a room (`origin` says for which pages).
//! * `rooms` opens a room at its first link and lets it go after its last; `room` is the loop that feeds a `Home`.
//! * `listener` accepts sockets and speaks HTTP on them; `link` is one that has become a WebSocket: a reader that waits for
//!   the room, four lanes that the room fills and writes and never waits for.
//! * `history` lets go of what is older than whoever runs the relay wants kept.
//! * `backup`, `restore`, `doctor` and `quarantine` are commands of their own; `reach` asks the
//!   relay that serves a folder at its `door`.
//! * `stops` are the signals that end it; `standstill` is a store for which it ends itself.
//! * `figures` are what `/healthz` and `/metrics` tell; `timed_store` times the store's syncs for them.
//! * `limits` holds every bound, with its reason; `bounds` are those that can be set.
#![warn(missing_docs)]

mod assets;
mod backup;
mod bounds;
pub mod cli;
mod clock;
mod config;
mod doctor;
mod door;
mod epoch;
mod failure;
mod figures;
#[cfg(test)]
mod guide;
mod history;
mod limits;
mod link;
mod listener;
mod materialiser;
mod origin;
mod pace;
mod progress;
mod quarantine;
mod reach;
mod restore;
mod room;
mod room_name;
mod rooms;
mod routes;
mod server;
mod standstill;
mod start;
mod stops;
mod timed_store;

pub use bounds::Bounds;
pub use causeway_store::Storage;
pub use server::{Options, RunError, run};
