//! Stories of native devices and the real relay, over real sockets.
#![allow(clippy::unwrap_used)]

#[path = "../../../relay/tests/relay/disk.rs"]
mod disk;
mod editing;
mod ending;
mod following;
mod full_disk;
mod harness;
mod receipts;
mod syncing;
mod talking;
#[cfg(feature = "tls-ring")]
mod tls;
