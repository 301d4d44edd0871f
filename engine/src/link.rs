//! One WebSocket to the relay. It carries messages and decides nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream};
use tracing::debug;

use crate::limits::{
    CLOSE_PATIENCE, CONNECT_PATIENCE, MESSAGE_BYTES, OUTGOING_BYTES, SLOWEST_BYTES_PER_SECOND, STUCK_AFTER,
    WRITE_BUFFER_BYTES,
};
use crate::tls;

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The way to one socket. Dropped, it writes what waits, says goodbye and ends.
#[derive(Debug)]
pub(crate) struct Link {
    number: u64,
    frames: mpsc::UnboundedSender<Bytes>,
    waiting: Arc<AtomicUsize>,
}

/// What a link tells; the number tells late words of an earlier link apart.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) link: u64,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    Opened,
    Received(Bytes),
    /// With the close code of the other side, if it gave one.
    Closed(Option<u16>),
}

impl Link {
    /// Begins to open a link; `arrivals` hears how it went.
    pub(crate) fn open(
        number: u64,
        url: String,
        connector: Option<Connector>,
        arrivals: mpsc::Sender<Arrival>,
    ) -> Self {
        let (frames, outgoing) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let outgoing = Outgoing { frames: outgoing, waiting: Arc::clone(&waiting) };
        tokio::spawn(async move {
            let ended = carry(number, &url, connector, outgoing, &arrivals).await;
            let code = ended.unwrap_or_else(|error| {
                debug!(%error, "the link has ended");
                None
            });
            // A room that has gone no longer listens.
            let _ = arrivals.send(Arrival { link: number, what: What::Closed(code) }).await;
        });
        Self { number, frames, waiting }
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Queues a frame; false when too much waits already.
    pub(crate) fn send(&self, frame: Bytes) -> bool {
        let before = self.waiting.fetch_add(frame.len(), Ordering::Relaxed);
        if before > OUTGOING_BYTES {
            return false;
        }
        // A link that has ended says so by itself.
        let _ = self.frames.send(frame);
        true
    }
}

/// Frames on their way to the socket.
struct Outgoing {
    frames: mpsc::UnboundedReceiver<Bytes>,
    waiting: Arc<AtomicUsize>,
}

async fn carry(
    number: u64,
    url: &str,
    connector: Option<Connector>,
    outgoing: Outgoing,
    arrivals: &mpsc::Sender<Arrival>,
) -> Result<Option<u16>, LinkError> {
    let opening = tls::connect(url, config(), connector);
    let socket = timeout(CONNECT_PATIENCE, opening).await.map_err(|_| LinkError::Late)??;
    let _ = arrivals.send(Arrival { link: number, what: What::Opened }).await;
    let (sink, mut stream) = socket.split();
    let writing = write(sink, outgoing);
    tokio::pin!(writing);
    tokio::select! {
        read = read(&mut stream, number, arrivals) => read,
        written = &mut writing => {
            written?;
            // Until the other side has answered the goodbye, so that it reads our last words.
            let _ = timeout(CLOSE_PATIENCE, read(&mut stream, number, arrivals)).await;
            Ok(None)
        }
    }
}

async fn read(
    stream: &mut SplitStream<Socket>,
    number: u64,
    arrivals: &mpsc::Sender<Arrival>,
) -> Result<Option<u16>, LinkError> {
    while let Some(message) = stream.next().await {
        match message? {
            Message::Binary(bytes) => {
                let _ = arrivals.send(Arrival { link: number, what: What::Received(bytes) }).await;
            }
            Message::Close(frame) => return Ok(frame.map(|frame| frame.code.into())),
            // A relay speaks in binary messages; pings are answered by the socket itself.
            Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
    Ok(None)
}

async fn write(mut sink: SplitSink<Socket, Message>, mut outgoing: Outgoing) -> Result<(), LinkError> {
    while let Some(frame) = outgoing.frames.recv().await {
        let bytes = frame.len();
        let slowest = Duration::from_secs((bytes / SLOWEST_BYTES_PER_SECOND) as u64);
        let sending = async {
            // What waits together is flushed together.
            match outgoing.frames.is_empty() {
                true => sink.send(Message::Binary(frame)).await,
                false => sink.feed(Message::Binary(frame)).await,
            }
        };
        timeout(STUCK_AFTER + slowest, sending).await.map_err(|_| LinkError::Stuck)??;
        outgoing.waiting.fetch_sub(bytes, Ordering::Relaxed);
    }
    timeout(CLOSE_PATIENCE, sink.close()).await.map_err(|_| LinkError::Stuck)??;
    Ok(())
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES))
        .max_frame_size(Some(MESSAGE_BYTES))
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_BYTES)
}

/// Why a link ended; the log has it, and the room only needs that it did.
#[derive(Debug, thiserror::Error)]
enum LinkError {
    #[error("the relay did not answer in time")]
    Late,
    #[error("the relay takes nothing")]
    Stuck,
    #[error(transparent)]
    Socket(#[from] Error),
}
