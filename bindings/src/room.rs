//! The room: construction, inputs, and what is pulled.

use std::cell::{Ref, RefCell, RefMut};

use causeway_core::device::{Config, Input, PageInput, Role, Room};
use causeway_core::ids::SiblingId;
use causeway_core::write_queue::OpId;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::refusal::{argument, refused};
use crate::{from_js, to_js};

/// One room of this page. Times are `performance.now()` and `Date.now()`.
///
/// After every call: `pollOutput` until it answers `undefined`, then `pollEvent` likewise, then `pollTimeout`.
#[wasm_bindgen]
pub struct WasmRoom {
    inner: RefCell<Room>,
}

#[wasm_bindgen]
impl WasmRoom {
    /// A room that follows whichever page of this browser leads, until it is told to lead itself.
    ///
    /// `seed` is 32 random bytes, used for this one object and never again.
    #[wasm_bindgen(constructor)]
    pub fn new(room: &str, seed: &[u8], agent: &str) -> Result<WasmRoom, JsValue> {
        let room = room.parse().map_err(refused)?;
        let seed = seed.try_into().map_err(|_| argument("a seed has 32 bytes"))?;
        let config = Config { room, seed, agent: agent.into() };
        Ok(Self { inner: RefCell::new(Room::following(config)) })
    }

    /// The link asked for by `connect` or `join` is open.
    pub fn opened(&self, monotonic: f64, wall: f64) {
        self.handle(Input::Opened, monotonic, wall);
    }

    /// One message of the socket.
    pub fn received(&self, bytes: Vec<u8>, monotonic: f64, wall: f64) {
        self.handle(Input::Received(from_js::received(bytes)), monotonic, wall);
    }

    /// The link has ended or could not be opened.
    pub fn closed(&self, code: Option<u16>, monotonic: f64, wall: f64) {
        self.handle(Input::Closed(code), monotonic, wall);
    }

    /// Something says that a new try is worth while.
    pub fn reconnect(&self, monotonic: f64, wall: f64) {
        self.handle(Input::Reconnect, monotonic, wall);
    }

    /// The disk's answer to a commit.
    pub fn stored(
        &self,
        op: f64,
        #[wasm_bindgen(unchecked_param_type = "WasmStored")] outcome: &JsValue,
        monotonic: f64,
        wall: f64,
    ) -> Result<(), JsValue> {
        let outcome = from_js::stored(outcome)?;
        self.handle(Input::Stored(OpId(op as u64), outcome), monotonic, wall);
        Ok(())
    }

    /// The disk's answer to a scan.
    pub fn scanned(
        &self,
        op: f64,
        #[wasm_bindgen(unchecked_param_type = "WasmScanned")] outcome: &JsValue,
        monotonic: f64,
        wall: f64,
    ) -> Result<(), JsValue> {
        let outcome = from_js::scanned(outcome)?;
        self.handle(Input::Scanned(OpId(op as u64), outcome), monotonic, wall);
        Ok(())
    }

    /// This page is to lead from now on.
    pub fn lead(&self, monotonic: f64, wall: f64) {
        self.handle(Input::Page(PageInput::Lead), monotonic, wall);
    }

    /// Another page leads.
    pub fn follow(&self, monotonic: f64, wall: f64) {
        self.handle(Input::Page(PageInput::Follow), monotonic, wall);
    }

    /// Another page has opened a link to this one.
    #[wasm_bindgen(js_name = siblingOpened)]
    pub fn sibling_opened(&self, sibling: f64, monotonic: f64, wall: f64) {
        self.handle(Input::Page(PageInput::Opened(SiblingId(sibling as u64))), monotonic, wall);
    }

    /// One message of another page.
    #[wasm_bindgen(js_name = siblingReceived)]
    pub fn sibling_received(&self, sibling: f64, bytes: Vec<u8>, monotonic: f64, wall: f64) {
        let input = PageInput::Received(SiblingId(sibling as u64), from_js::received(bytes));
        self.handle(Input::Page(input), monotonic, wall);
    }

    /// The link of another page has ended.
    #[wasm_bindgen(js_name = siblingClosed)]
    pub fn sibling_closed(&self, sibling: f64, monotonic: f64, wall: f64) {
        self.handle(Input::Page(PageInput::Closed(SiblingId(sibling as u64))), monotonic, wall);
    }

    /// Whether this page leads.
    pub fn leads(&self) -> bool {
        self.room().role() == Role::Leading
    }

    /// The moment named by `pollTimeout` has come.
    pub fn tick(&self, monotonic: f64, wall: f64) {
        self.handle(Input::Tick, monotonic, wall);
    }

    /// What to do next.
    #[wasm_bindgen(js_name = pollOutput, unchecked_return_type = "WasmOutput | undefined")]
    pub fn poll_output(&self) -> JsValue {
        let output = self.room_mut().poll_output();
        output.map_or(JsValue::UNDEFINED, |output| to_js::output(&output))
    }

    /// What has changed for the app.
    #[wasm_bindgen(js_name = pollEvent, unchecked_return_type = "WasmEvent | undefined")]
    pub fn poll_event(&self) -> JsValue {
        let event = self.room_mut().poll_event();
        event.map_or(JsValue::UNDEFINED, |event| to_js::event(&event))
    }

    /// When to call `tick`, on the monotonic clock.
    #[wasm_bindgen(js_name = pollTimeout)]
    pub fn poll_timeout(&self) -> Option<f64> {
        self.room().poll_timeout().map(|(at, _)| at.0 as f64)
    }

    /// The link, as people see it.
    #[wasm_bindgen(unchecked_return_type = "WasmConnection")]
    pub fn connection(&self) -> JsValue {
        to_js::connection(&self.room().connection())
    }

    /// The disk of this device, as people see it.
    #[wasm_bindgen(unchecked_return_type = "WasmStorage")]
    pub fn storage(&self) -> JsValue {
        to_js::storage(self.room().storage())
    }

    fn handle(&self, input: Input, monotonic: f64, wall: f64) {
        self.room_mut().handle(input, from_js::now(monotonic, wall));
    }
}

/// Not inlined: each of fifty calls would carry its own check and its own panic.
impl WasmRoom {
    #[inline(never)]
    pub(crate) fn room(&self) -> Ref<'_, Room> {
        self.inner.borrow()
    }

    #[inline(never)]
    pub(crate) fn room_mut(&self) -> RefMut<'_, Room> {
        self.inner.borrow_mut()
    }
}

impl std::fmt::Debug for WasmRoom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WasmRoom")
    }
}
