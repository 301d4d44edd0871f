//! Stories of devices and a relay, over real sockets.
#![allow(clippy::unwrap_used)]

mod device;
mod disk;
mod process;
mod server;

mod backup;
mod bad_input;
mod damage;
mod doctor;
mod failing_store;
mod history;
mod hostile_links;
mod http;
mod killed;
mod many_rooms;
mod operating;
mod quarantine;
mod rooms;
mod slow_reader;
mod stalled;
mod start;
