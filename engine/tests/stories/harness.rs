//! A relay in this process, devices that use it, and waiting with a deadline.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use causeway::{Engine, EngineConfig, StoreChoice, Text};
use causeway_relay::{Options, RunError, Storage};
use futures_util::StreamExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A relay that ends with the test.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), RunError>>,
}

impl Relay {
    /// A relay that keeps rooms in memory.
    pub(crate) async fn start() -> Self {
        Self::on("127.0.0.1:0", Storage::memory()).await
    }

    /// A relay that keeps rooms in a folder.
    pub(crate) async fn in_folder(folder: &Path, address: &str) -> Self {
        Self::on(address, Storage::folder(folder.into()).unwrap()).await
    }

    async fn on(address: &str, storage: Storage) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move {
            let _ = stopped.await;
        };
        let task = tokio::spawn(causeway_relay::run(listener, storage, Options::default(), shutdown));
        Self { address, stop, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// A device that keeps everything in memory.
    pub(crate) fn device(&self) -> Engine {
        self.named("")
    }

    pub(crate) fn named(&self, name: &str) -> Engine {
        Engine::open(EngineConfig {
            relay: Some(self.url().parse().unwrap()),
            name: name.into(),
            ..EngineConfig::default()
        })
        .unwrap()
    }

    /// A device with a data folder.
    pub(crate) fn device_in(&self, folder: &Path) -> Engine {
        Engine::open(EngineConfig {
            store: StoreChoice::Folder(folder.into()),
            relay: Some(self.url().parse().unwrap()),
            ..EngineConfig::default()
        })
        .unwrap()
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

/// A device with a data folder and no relay.
pub(crate) fn offline_in(folder: &Path) -> Engine {
    let store = StoreChoice::Folder(folder.into());
    Engine::open(EngineConfig { store, ..EngineConfig::default() }).unwrap()
}

/// The first text of the room of these stories.
pub(crate) async fn text_of(engine: &Engine) -> Text {
    let text = engine.room("story").unwrap().first_text();
    within(text.ready()).await.unwrap();
    text
}

pub(crate) fn write(text: &Text, words: &str) -> causeway::Receipt {
    text.edit(|text| text.insert(text.len(), words)).unwrap()
}

/// Waits until a text reads so.
pub(crate) async fn reads(text: &Text, expected: &str) {
    until(text, expected, |now| now == expected).await;
}

/// Waits until a text passes a look at it.
pub(crate) async fn until(text: &Text, hope: &str, look: impl Fn(&str) -> bool) {
    let mut changes = text.changes();
    let mut last = String::new();
    let came = timeout(PATIENCE, async {
        while changes.next().await.is_some() {
            last = text.read().unwrap();
            if look(&last) {
                return true;
            }
        }
        false
    })
    .await;
    assert_eq!(came, Ok(true), "hoped for {hope:?}, and it reads {last:?}");
}

/// Waits for what must come soon.
pub(crate) async fn within<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("this comes within the deadline")
}

/// Longer than any step takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
