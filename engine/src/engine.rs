//! The engine: one store, one relay, many rooms.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use causeway_core::device::{Config, Room as CoreRoom};
use causeway_core::ids::{InvalidId, RoomId};
use causeway_core::person::PersonKey;
use causeway_core::presence::{InvalidState, State, Status};
use causeway_core::storage::StoreFailure;
use causeway_store::{Storage, StoreGate, StoreKind};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::address::RelayAddress;
use crate::clock::Clock;
use crate::driver::{Driver, Surroundings};
use crate::limits::ROOMS;
use crate::person_key;
use crate::room::Room;
use crate::shared::Shared;
use crate::tls;

/// What an engine starts from. The default keeps everything in memory and knows no relay.
#[derive(Clone, Debug, Default)]
pub struct EngineConfig {
    /// Where rooms are kept on this device.
    pub store: StoreChoice,
    /// The relay that rooms are synced through; `None` works offline.
    pub relay: Option<RelayAddress>,
    /// The name under which others see this person, at most 64 bytes; empty shows nobody.
    pub name: String,
    /// The colour of this person's cursor, `0xRRGGBB`.
    pub colour: u32,
    /// Certificates (DER) to trust beside the system's, for a relay that has one of its own making.
    pub trusted: Vec<Vec<u8>>,
}

/// Where an engine keeps its rooms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StoreChoice {
    /// In memory: what the relay has not saved is gone with the process.
    #[default]
    Memory,
    /// In a folder, which is made where there is none. One engine at a time has it. The database is the one that first wrote it,
    /// and redb in a new one.
    Folder(PathBuf),
    /// The same with redb as the database; a folder that sled keeps is refused.
    Redb(PathBuf),
    /// The same with sled as the database; a folder that redb keeps is refused.
    Sled(PathBuf),
}

/// Why an engine does not open. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The data folder.
    #[error(transparent)]
    Store(#[from] causeway_store::OpenError),
    /// The name or the colour.
    #[error(transparent)]
    Person(#[from] InvalidState),
    /// The key of the person who uses the engine, in the data folder.
    #[error("the key of the person in the data folder cannot be used: {0}")]
    PersonKey(String),
    /// The engine was opened outside of tokio, on whose tasks it runs.
    #[error("an engine opens inside a tokio runtime, and there is none here")]
    NoRuntime,
}

/// Why a room does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoomError {
    /// Its name.
    #[error(transparent)]
    Name(#[from] InvalidId),
    /// Too many are open.
    #[error("at most {ROOMS} rooms are open at once in one engine")]
    TooMany,
    /// The engine has been closed.
    #[error("the engine is closed")]
    Closed,
}

/// Why not everything is on this device's disk after the end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseError {
    /// The disk did not take the last edits of these rooms in time.
    #[error("the last edits in {} are not on this device's disk", list(.0))]
    Unsaved(Vec<RoomId>),
    /// The last sync failed.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

/// Documents on this device, synced through a relay. Cheap to clone; all clones are one engine.
///
/// When the last clone and the last room have been dropped the engine ends by itself and writes what waits; only
/// [`Engine::close`] says whether that came about.
#[derive(Clone, Debug)]
pub struct Engine {
    inner: Arc<Inner>,
}

/// Held by every handle, so that rooms outlive neither their engine's tasks nor its store.
pub(crate) struct Inner {
    around: Surroundings,
    runtime: Handle,
    person: Option<State>,
    key: PersonKey,
    name: String,
    colour: u32,
    open: Mutex<Open>,
    stop: watch::Sender<bool>,
}

#[derive(Default)]
struct Open {
    rooms: BTreeMap<RoomId, (Arc<Shared>, JoinHandle<bool>)>,
    closed: bool,
}

impl Engine {
    /// Opens an engine. Reads the data folder, and blocks for as long as that takes.
    ///
    /// # Errors
    /// See [`OpenError`]; each is one sentence for a person.
    pub fn open(config: EngineConfig) -> Result<Self, OpenError> {
        let runtime = Handle::try_current().map_err(|_| OpenError::NoRuntime)?;
        let person = person(&config)?;
        let (storage, key) = match config.store {
            StoreChoice::Memory => (Storage::memory(), Ok(person_key::fresh())),
            StoreChoice::Folder(folder) => (Storage::folder(folder.clone())?, person_key::in_folder(&folder)),
            StoreChoice::Redb(folder) => {
                (Storage::folder_of(StoreKind::Redb, folder.clone())?, person_key::in_folder(&folder))
            }
            StoreChoice::Sled(folder) => {
                (Storage::folder_of(StoreKind::Sled, folder.clone())?, person_key::in_folder(&folder))
            }
        };
        let key = key.map_err(|error| OpenError::PersonKey(error.to_string()))?;
        let (name, colour) = (config.name, config.colour);
        let around = Surroundings {
            clock: Clock::start(),
            store: StoreGate::open(storage),
            relay: config.relay,
            connector: tls::connector(config.trusted),
        };
        let (stop, _) = watch::channel(false);
        let open = Mutex::default();
        Ok(Self { inner: Arc::new(Inner { around, runtime, person, key, name, colour, open, stop }) })
    }

    /// The room of this name, opened if it is not open yet. It stays open until the engine ends.
    ///
    /// # Errors
    /// The name is none (1–64 letters, digits, `-`, `_`), or the engine takes no more rooms.
    pub fn room(&self, name: &str) -> Result<Room, RoomError> {
        let name: RoomId = name.parse()?;
        let mut open = self.inner.open();
        if open.closed {
            return Err(RoomError::Closed);
        }
        if let Some((room, _)) = open.rooms.get(&name) {
            return Ok(Room::new(Arc::clone(room), Arc::clone(&self.inner)));
        }
        if open.rooms.len() >= ROOMS {
            return Err(RoomError::TooMany);
        }
        let room = self.inner.start(name.clone());
        let stop = self.inner.stop.subscribe();
        let driver = Driver::new(Arc::clone(&room), self.inner.around.clone(), stop);
        let task = self.inner.runtime.spawn(driver.run());
        open.rooms.insert(name, (Arc::clone(&room), task));
        Ok(Room::new(room, Arc::clone(&self.inner)))
    }

    /// Ends the engine: nothing more can be written, what was written goes to this device's disk, links are closed and
    /// the data folder is free. What the relay has not saved is sent when the folder is opened again.
    ///
    /// # Errors
    /// See [`CloseError`]. A second call finds nothing to do.
    pub async fn close(&self) -> Result<(), CloseError> {
        let rooms = {
            let mut open = self.inner.open();
            open.closed = true;
            std::mem::take(&mut open.rooms)
        };
        self.inner.stop.send_replace(true);
        let mut unsaved = Vec::new();
        for (name, (_, task)) in rooms {
            if !task.await.unwrap_or(false) {
                unsaved.push(name);
            }
        }
        let store = self.inner.around.store.clone();
        let closed = spawn_blocking(move || store.close()).await;
        closed.expect("closing the store does not panic")?;
        if unsaved.is_empty() { Ok(()) } else { Err(CloseError::Unsaved(unsaved)) }
    }
}

impl Inner {
    pub(crate) fn relay(&self) -> Option<&RelayAddress> {
        self.around.relay.as_ref()
    }

    fn start(&self, name: RoomId) -> Arc<Shared> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).expect("the system has randomness");
        let mut core = CoreRoom::new(Config { room: name, seed, agent: AGENT.into() });
        core.set_person(self.key.clone(), self.name.clone(), self.colour)
            .expect("the name was checked when the engine was opened");
        if let Some(person) = &self.person {
            core.set_presence(person.clone(), self.around.clock.now())
                .expect("the name was checked when the engine was opened");
        }
        Arc::new(Shared::new(core, self.around.clock))
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Nothing panics while it is held.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("relay", &self.around.relay).finish_non_exhaustive()
    }
}

fn person(config: &EngineConfig) -> Result<Option<State>, InvalidState> {
    let (name, colour) = (config.name.clone(), config.colour);
    let person = State { name, colour, status: Status::Idle, cursor: None, typing: None };
    person.validate()?;
    Ok(Some(person).filter(|person| !person.name.is_empty()))
}

fn list(rooms: &[RoomId]) -> String {
    rooms.iter().map(RoomId::as_str).collect::<Vec<_>>().join(", ")
}

/// What the relay's log calls this program.
const AGENT: &str = concat!("causeway-native/", env!("CARGO_PKG_VERSION"));
