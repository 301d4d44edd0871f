//! Load for a relay and for the floor beside it.

mod author;
mod floor;
mod link;
mod server;

pub(crate) use author::Author;
pub(crate) use link::Link;
pub(crate) use server::{Kind, SERVE, Server, serve};
