//! Causeway for browsers: one room of [`causeway_core::device`] as a JavaScript class.
//!
//! Nothing is decided here. JavaScript values come in through `from_js`, plain JavaScript values go out through
//! `to_js`, and [`WasmRoom`] forwards. The TypeScript beside it (`web-pkg/src/client`) pulls outputs and events after
//! every call; nothing in this crate calls back into JavaScript, so a room can never be entered twice.
//!
//! * `room`: construction, inputs, and what is pulled.
//! * `documents`: what an app does with documents.
//! * `chat`: what an app does with channels.
//! * `people`: presence, and whom this device speaks for.
//! * `refusal`: errors as JavaScript sees them.
//! * `panic`: what happens to the last words of a bug.
#![warn(missing_docs)]

mod chat;
mod documents;
mod forks;
mod from_js;
mod panic;
mod people;
mod refusal;
mod room;
mod to_js;
mod types;

pub use room::WasmRoom;
