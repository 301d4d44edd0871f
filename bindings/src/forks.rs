//! Work the relay did not take. A fork is named by its stream, and `/` and a replica where a text was kept whole.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::refusal::refused;
use crate::room::WasmRoom;
use crate::{from_js, to_js};

#[wasm_bindgen]
impl WasmRoom {
    /// What is kept, of documents and of their list.
    #[wasm_bindgen(unchecked_return_type = "WasmFork[]")]
    pub fn forks(&self) -> JsValue {
        to_js::array(self.room().forks().iter().map(to_js::fork)).into()
    }

    /// What a fork says. Its document must be open, unless it was kept whole.
    #[wasm_bindgen(js_name = forkText, unchecked_return_type = "WasmForkText")]
    pub fn fork_text(&self, fork: &str) -> Result<JsValue, JsValue> {
        let id = from_js::fork(fork)?;
        Ok(to_js::fork_text(&self.room().fork_text(id).map_err(refused)?))
    }

    /// Does again what a fork says; the answer is the document. `path` is for one that goes into a new document.
    #[wasm_bindgen(js_name = reapplyFork)]
    pub fn reapply_fork(&self, fork: &str, path: &str, monotonic: f64, wall: f64) -> Result<String, JsValue> {
        let now = from_js::now(monotonic, wall);
        let id = from_js::fork(fork)?;
        let target = self.room_mut().reapply_fork(id, path, now).map_err(refused)?;
        Ok(target.to_string())
    }

    /// Forgets a fork for good.
    #[wasm_bindgen(js_name = discardFork)]
    pub fn discard_fork(&self, fork: &str) -> Result<(), JsValue> {
        let id = from_js::fork(fork)?;
        self.room_mut().discard_fork(id);
        Ok(())
    }
}
