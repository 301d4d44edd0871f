//! A relay in this process, and what it says over HTTP.

use std::time::{Duration, Instant};

use causeway_relay::{Bounds, Options, RunError, Storage, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::device::PATIENCE;

pub(crate) struct Server {
    pub(crate) address: String,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), RunError>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(Storage::memory()).await
    }

    pub(crate) async fn with(storage: Storage) -> Self {
        Self::bounded(storage, Bounds::default()).await
    }

    pub(crate) async fn bounded(storage: Storage, bounds: Bounds) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move { drop(stopped.await) };
        let allow_origin = vec!["https://notes.example".into()];
        let options = Options { allow_origin, bounds, ..Options::default() };
        let running = tokio::spawn(run(listener, storage, options, shutdown));
        Self { address, stop, running }
    }

    /// Stops it and waits for the end.
    pub(crate) async fn stop(self) -> Result<(), RunError> {
        let _ = self.stop.send(());
        self.running.await.unwrap()
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(self) -> Result<(), RunError> {
        let ended = timeout(PATIENCE, self.running).await.expect("it ends by itself");
        drop(self.stop);
        ended.unwrap()
    }

    /// Waits until it is ready, or is not for this reason.
    pub(crate) async fn until_ready_says(&self, word: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = get(&self.address, "/readyz", &[]).await;
            if answer.ends_with(&format!("\r\n\r\n{word}\n")) {
                return;
            }
            assert!(Instant::now() < deadline, "{answer}");
            // pace: between two looks
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn health(&self) -> serde_json::Value {
        health(&self.address).await
    }

    /// Waits until the figures show what the story waits for.
    pub(crate) async fn until_health(&self, wanted: impl Fn(&serde_json::Value) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let health = self.health().await;
            if wanted(&health) {
                return;
            }
            assert!(Instant::now() < deadline, "{health}");
            // pace: between two looks at the figures
            sleep(Duration::from_millis(20)).await;
        }
    }
}

pub(crate) async fn health(address: &str) -> serde_json::Value {
    let answer = get(address, "/healthz", &[]).await;
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// The page for Prometheus.
pub(crate) async fn metrics(address: &str) -> String {
    let answer = get(address, "/metrics", &[]).await;
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// One figure of that page.
pub(crate) fn metric(page: &str, name: &str) -> Option<f64> {
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map(|value| value.parse().unwrap())
}

/// Head and body of an answer, as they came.
pub(crate) async fn get(address: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n");
    if !headers.iter().any(|(name, _)| *name == "Connection") {
        request.push_str("Connection: close\r\n");
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    timeout(PATIENCE, read).await.expect("the relay answers").unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
