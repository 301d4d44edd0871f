//! Load for a relay and for the floor beside it.

mod author;
mod floor;
mod link;
mod server;
pub(crate) mod y_sweet;

use std::error::Error;

use tokio::runtime::Builder;
use tokio::task::LocalSet;

pub(crate) use author::Author;
pub(crate) use floor::given;
pub(crate) use link::Link;
pub(crate) use server::{Kind, SERVE, Server, serve};

/// What a benchmark does to a server.
pub(crate) type Loading<'a, T> = std::pin::Pin<Box<dyn Future<Output = Result<T, Box<dyn Error>>> + 'a>>;

/// Puts load on a fresh server, from one thread.
pub(crate) fn alone<T>(
    kind: Kind,
    load: impl FnOnce(&Server) -> Loading<'_, T>,
) -> Result<T, Box<dyn Error>> {
    let server = Server::start(kind)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, load(&server))
}
