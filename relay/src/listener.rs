//! Accepts sockets, a bounded number of them, and speaks HTTP on each until it becomes a link.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower_service::Service;
use tracing::{debug, warn};

use crate::bounds::Bounds;
use crate::limits::{
    ACCEPT_PAUSE, CLOSE_PATIENCE, HEAD_BYTES, SEND_BUFFER_BYTES, SPARE_SOCKETS, TURNED_AWAY,
};

/// A socket's place among those that may be open. A link takes it over from the request that began it.
pub(crate) type Slot = Arc<OwnedSemaphorePermit>;

/// Serves until it is dropped, and with it all conversations that have not become links.
pub(crate) async fn serve(listener: &TcpListener, router: &Router, bounds: Bounds) {
    let slots = Arc::new(Semaphore::new(bounds.links + SPARE_SOCKETS));
    let turned_away = Arc::new(Semaphore::new(TURNED_AWAY));
    let mut conversations = JoinSet::new();
    loop {
        // Those that have ended leave nothing to be told.
        while conversations.try_join_next().is_some() {}
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Mostly that no file is left; the next one is as likely to fail at once.
                warn!(%error, "no socket can be accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Frames are small and wait for nothing; a socket that refuses an option works all the same.
        let _ = stream.set_nodelay(true);
        let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES);
        if let Ok(slot) = Arc::clone(&slots).try_acquire_owned() {
            conversations.spawn(converse(stream, Arc::new(slot), router.clone(), bounds.head_patience));
        } else if let Ok(seat) = Arc::clone(&turned_away).try_acquire_owned() {
            conversations.spawn(turn_away(stream, seat));
        }
    }
}

/// Answers requests until the other side has no more, or takes too long to say what it wants.
async fn converse(stream: TcpStream, slot: Slot, router: Router, head_patience: Duration) {
    let answer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Arc::clone(&slot));
        router.clone().call(request.map(Body::new))
    });
    let conversation = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_patience)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), answer)
        .with_upgrades();
    if let Err(error) = conversation.await {
        debug!(%error, "a conversation ended early");
    }
}

/// Says that there is no place, and leaves a moment to read it.
async fn turn_away(mut stream: TcpStream, _seat: OwnedSemaphorePermit) {
    debug!("a socket was turned away: too many are open");
    // A fresh socket takes so little at once.
    let _ = stream.try_write(FULL);
    let mut ignored = [0; 1024];
    let read = async { while stream.read(&mut ignored).await.is_ok_and(|read| read > 0) {} };
    let _ = timeout(CLOSE_PATIENCE, read).await;
}

const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\n\
    Content-Type: text/plain\r\nContent-Length: 42\r\n\r\nThe relay is full; try again in a moment.\n";
