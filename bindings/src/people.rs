//! Presence.

use causeway_core::person::PersonKey;
use causeway_core::presence::State;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::refusal::{argument, refused};
use crate::room::WasmRoom;
use crate::{from_js, to_js};

#[wasm_bindgen]
impl WasmRoom {
    /// Says for whom this device speaks. `secret` has 32 bytes, which the app keeps.
    #[wasm_bindgen(js_name = setPerson)]
    pub fn set_person(&self, secret: &[u8], name: String, colour: u32) -> Result<(), JsValue> {
        let secret = secret.try_into().map_err(|_| argument("the key of a person has 32 bytes"))?;
        let key = PersonKey::from_secret(secret);
        self.room_mut().set_person(key, name, colour).map_err(refused)
    }

    /// For whom this device speaks: 64 hex digits.
    pub fn person(&self) -> Option<String> {
        self.room().person().map(|person| person.to_string())
    }

    /// Shows a state to the others.
    #[wasm_bindgen(js_name = setPresence)]
    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of a presence, one by one, cost less than an object"
    )]
    pub fn set_presence(
        &self,
        name: String,
        colour: u32,
        #[wasm_bindgen(unchecked_param_type = "WasmStatus")] status: &str,
        #[wasm_bindgen(unchecked_param_type = "WasmCursor | null")] cursor: &JsValue,
        typing: Option<String>,
        monotonic: f64,
        wall: f64,
    ) -> Result<(), JsValue> {
        let status = from_js::status(status)?;
        let cursor = from_js::cursor(cursor)?;
        let typing = typing.map(|name| from_js::stream(&name)).transpose()?;
        let state = State { name, colour, status, cursor, typing };
        let now = from_js::now(monotonic, wall);
        self.room_mut().set_presence(state, now).map_err(refused)
    }

    /// The other people in the room.
    #[wasm_bindgen(unchecked_return_type = "WasmPerson[]")]
    pub fn others(&self) -> JsValue {
        let room = self.room();
        to_js::array(room.others().map(|(lease, state)| to_js::person(lease, state, room.person_of(lease))))
            .into()
    }
}
