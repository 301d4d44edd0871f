//! The Causeway relay: keeps rooms on its disk and carries entries between devices.
//!
//! Everything that decides anything is `causeway_core::home::Home`; this crate is its shell on axum and tokio.
//!
//! # A tour
//!
//! * `main` reads the command line (`cli`, `config`), reports failures (`failure`) and starts (`start`) a server.
//! * [`run`] is the server as a library: a listener, a [`Storage`], a moment to stop. Tests start it in their own process.
//! * `routes` is what is answered over HTTP: the page (`assets`), `/healthz`, and the WebSocket of a room (`origin` says
//!   for which pages).
//! * `rooms` opens a room at its first link and lets it go after its last; `room` is the loop that feeds a `Home`.
//! * `link` is one WebSocket: a reader that waits for the room, a writer that the room never waits for.
//! * `limits` holds every bound, with its reason.
#![warn(missing_docs)]

mod assets;
pub mod cli;
mod clock;
mod config;
mod failure;
mod figures;
mod limits;
mod link;
mod listener;
mod origin;
mod room;
mod room_name;
mod rooms;
mod routes;
mod server;
mod start;

pub use causeway_store::Storage;
pub use server::{Options, RunError, run};
