//! Stories of native devices and the real relay, over real sockets.
#![allow(clippy::unwrap_used)]

mod editing;
mod ending;
mod following;
mod harness;
mod receipts;
mod syncing;
#[cfg(feature = "tls-ring")]
mod tls;
