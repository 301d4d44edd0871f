//! What an app does with documents. Positions and lengths are UTF-16 units, as in JavaScript strings.

use causeway_core::device::Receipt;
use causeway_core::ids::{EditorId, StreamId};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::room::WasmRoom;
use crate::{from_js, refusal, to_js};

use refusal::refused;

#[wasm_bindgen]
impl WasmRoom {
    /// Opens a text; its first event says that it can be read.
    #[wasm_bindgen(js_name = openText)]
    pub fn open_text(&self, stream: &str) -> Result<(), JsValue> {
        let stream = from_js::stream(stream)?;
        self.room_mut().open_text(stream).map_err(refused)
    }

    /// Makes a text and lists it; the answer is its name.
    #[wasm_bindgen(js_name = createText)]
    pub fn create_text(&self, path: &str, monotonic: f64, wall: f64) -> Result<String, JsValue> {
        let now = from_js::now(monotonic, wall);
        let stream = self.room_mut().create_text(path, now).map_err(refused)?;
        Ok(stream.to_string())
    }

    /// Lists a document, or moves it.
    #[wasm_bindgen(js_name = listDocument)]
    pub fn list_document(&self, stream: &str, path: &str, monotonic: f64, wall: f64) -> Result<(), JsValue> {
        let stream = from_js::stream(stream)?;
        let now = from_js::now(monotonic, wall);
        self.room_mut().list_document(stream, path, now).map_err(refused)
    }

    /// Takes a document off the list.
    #[wasm_bindgen(js_name = unlistDocument)]
    pub fn unlist_document(&self, stream: &str, monotonic: f64, wall: f64) -> Result<(), JsValue> {
        let stream = from_js::stream(stream)?;
        let now = from_js::now(monotonic, wall);
        self.room_mut().unlist_document(stream, now).map_err(refused)
    }

    /// The documents of the room.
    #[wasm_bindgen(unchecked_return_type = "WasmListed[]")]
    pub fn directory(&self) -> JsValue {
        to_js::array(self.room().directory().iter().map(to_js::listed)).into()
    }

    /// The document all devices agree on before anybody has made one.
    #[wasm_bindgen(js_name = firstDocument)]
    pub fn first_document(&self) -> String {
        StreamId::first_document(self.room().room()).to_string()
    }

    /// Whether the relay has sent all it had of a document.
    #[wasm_bindgen(js_name = isSynced)]
    pub fn is_synced(&self, stream: &str) -> Result<bool, JsValue> {
        Ok(self.room().is_synced(from_js::stream(stream)?))
    }

    /// Whether a document can be read and written.
    #[wasm_bindgen(js_name = isOpen)]
    pub fn is_open(&self, stream: &str) -> Result<bool, JsValue> {
        Ok(self.room().is_open(from_js::stream(stream)?))
    }

    /// The whole text.
    pub fn text(&self, stream: &str) -> Result<String, JsValue> {
        let stream = from_js::stream(stream)?;
        self.room().text(stream).map_err(refused)
    }

    /// Its length.
    #[wasm_bindgen(js_name = textLength)]
    pub fn text_length(&self, stream: &str) -> Result<u32, JsValue> {
        let stream = from_js::stream(stream)?;
        self.room().text_len(stream).map_err(refused)
    }

    /// Changes a text; the answer is the number of the edit, for `receipt`.
    #[wasm_bindgen(js_name = applyDelta)]
    pub fn apply_delta(
        &self,
        stream: &str,
        editor: Option<f64>,
        #[wasm_bindgen(unchecked_param_type = "readonly WasmDeltaOp[]")] delta: &JsValue,
        monotonic: f64,
        wall: f64,
    ) -> Result<f64, JsValue> {
        let stream = from_js::stream(stream)?;
        let delta = from_js::delta(delta)?;
        let now = from_js::now(monotonic, wall);
        let receipt = self.room_mut().apply_delta(stream, editor.map(editor_id), &delta, now);
        Ok(to_js::receipt(&receipt.map_err(refused)?))
    }

    /// Opens an editor: the owner of an undo stack. The caller numbers editors.
    #[wasm_bindgen(js_name = openEditor)]
    pub fn open_editor(&self, stream: &str, editor: f64) -> Result<(), JsValue> {
        let stream = from_js::stream(stream)?;
        self.room_mut().open_editor(stream, editor_id(editor)).map_err(refused)
    }

    /// Closes an editor and forgets its undo stack.
    #[wasm_bindgen(js_name = closeEditor)]
    pub fn close_editor(&self, stream: &str, editor: f64) -> Result<(), JsValue> {
        self.room_mut().close_editor(from_js::stream(stream)?, editor_id(editor));
        Ok(())
    }

    /// Takes back the editor's last step; `undefined`: there is none.
    pub fn undo(&self, stream: &str, editor: f64, monotonic: f64, wall: f64) -> Result<Option<f64>, JsValue> {
        let stream = from_js::stream(stream)?;
        let now = from_js::now(monotonic, wall);
        let receipt = self.room_mut().undo(stream, editor_id(editor), now).map_err(refused)?;
        Ok(receipt.as_ref().map(to_js::receipt))
    }

    /// Makes the step last taken back again; `undefined`: there is none.
    pub fn redo(&self, stream: &str, editor: f64, monotonic: f64, wall: f64) -> Result<Option<f64>, JsValue> {
        let stream = from_js::stream(stream)?;
        let now = from_js::now(monotonic, wall);
        let receipt = self.room_mut().redo(stream, editor_id(editor), now).map_err(refused)?;
        Ok(receipt.as_ref().map(to_js::receipt))
    }

    /// Whether there is a step to take back.
    #[wasm_bindgen(js_name = canUndo)]
    pub fn can_undo(&self, stream: &str, editor: f64) -> Result<bool, JsValue> {
        Ok(self.room().can_undo_redo(from_js::stream(stream)?, editor_id(editor)).0)
    }

    /// Whether there is a step to make again.
    #[wasm_bindgen(js_name = canRedo)]
    pub fn can_redo(&self, stream: &str, editor: f64) -> Result<bool, JsValue> {
        Ok(self.room().can_undo_redo(from_js::stream(stream)?, editor_id(editor)).1)
    }

    /// Ends the editor's current undo step.
    #[wasm_bindgen(js_name = endUndoStep)]
    pub fn end_undo_step(&self, stream: &str, editor: f64) -> Result<(), JsValue> {
        self.room_mut().end_undo_step(from_js::stream(stream)?, editor_id(editor));
        Ok(())
    }

    /// A place that stays where it is while others write.
    #[wasm_bindgen(unchecked_return_type = "WasmAnchor")]
    pub fn anchor(
        &self,
        stream: &str,
        index: u32,
        #[wasm_bindgen(unchecked_param_type = "WasmSide")] side: &str,
    ) -> Result<JsValue, JsValue> {
        let stream = from_js::stream(stream)?;
        let side = from_js::side(side)?;
        let anchor = self.room().anchor(stream, index, side).map_err(refused)?;
        Ok(to_js::anchor(&anchor))
    }

    /// Where a place is now; `undefined` if the text it stands in is not here.
    pub fn resolve(
        &self,
        stream: &str,
        #[wasm_bindgen(unchecked_param_type = "WasmAnchor")] anchor: &JsValue,
    ) -> Result<Option<u32>, JsValue> {
        let stream = from_js::stream(stream)?;
        let anchor = from_js::anchor(anchor)?;
        Ok(self.room().resolve(stream, &anchor))
    }

    /// Where the work on a document is.
    #[wasm_bindgen(js_name = saveStatus, unchecked_return_type = "WasmSaveStatus")]
    pub fn save_status(&self, stream: &str) -> Result<JsValue, JsValue> {
        Ok(to_js::save_status(&self.room().save_status(from_js::stream(stream)?)))
    }

    /// Where one edit is.
    #[wasm_bindgen(unchecked_return_type = "WasmReceiptState")]
    pub fn receipt(&self, stream: &str, edit: f64) -> Result<JsValue, JsValue> {
        let receipt = Receipt { stream: from_js::stream(stream)?, edit: edit as u64 };
        Ok(to_js::receipt_state(&self.room().receipt(&receipt)))
    }
}

fn editor_id(number: f64) -> EditorId {
    EditorId(number as u64)
}
