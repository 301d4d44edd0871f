//! What an app does with channels. A post is named by its replica's 64 hex digits, `/` and its number.

use causeway_core::ids::StreamId;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::refusal::refused;
use crate::room::WasmRoom;
use crate::{from_js, to_js};

#[wasm_bindgen]
impl WasmRoom {
    /// The channel all devices agree on before anybody has said anything.
    #[wasm_bindgen(js_name = mainChannel)]
    pub fn main_channel(&self) -> String {
        StreamId::main_channel(self.room().room()).to_string()
    }

    /// Opens a channel; its first event says that it can be read.
    #[wasm_bindgen(js_name = openChannel)]
    pub fn open_channel(&self, stream: &str) -> Result<(), JsValue> {
        let stream = from_js::stream(stream)?;
        self.room_mut().open_channel(stream).map_err(refused)
    }

    /// What has changed in the part of a channel that is shown; the first answer is a reset.
    #[wasm_bindgen(js_name = pollTimeline, unchecked_return_type = "WasmTimeline | undefined")]
    pub fn poll_timeline(&self, stream: &str) -> Result<JsValue, JsValue> {
        let change = self.room_mut().poll_timeline(from_js::stream(stream)?);
        Ok(change.as_ref().map_or(JsValue::UNDEFINED, to_js::timeline))
    }

    /// Shows one page of older posts.
    pub fn older(&self, stream: &str) -> Result<(), JsValue> {
        self.room_mut().older(from_js::stream(stream)?);
        Ok(())
    }

    /// Says something; the answer is the number of the edit, for `receipt`.
    pub fn post(
        &self,
        stream: &str,
        text: String,
        reply_to: Option<String>,
        monotonic: f64,
        wall: f64,
    ) -> Result<f64, JsValue> {
        let stream = from_js::stream(stream)?;
        let reply_to = reply_to.map(|post| from_js::post(&post)).transpose()?;
        let now = from_js::now(monotonic, wall);
        let receipt = self.room_mut().post(stream, text, reply_to, now).map_err(refused)?;
        Ok(to_js::receipt(&receipt))
    }

    /// Changes the text of one's own post.
    pub fn amend(
        &self,
        stream: &str,
        post: &str,
        text: String,
        monotonic: f64,
        wall: f64,
    ) -> Result<f64, JsValue> {
        let (stream, post) = (from_js::stream(stream)?, from_js::post(post)?);
        let now = from_js::now(monotonic, wall);
        let receipt = self.room_mut().amend(stream, post, text, now).map_err(refused)?;
        Ok(to_js::receipt(&receipt))
    }

    /// Removes one's own post.
    pub fn retract(&self, stream: &str, post: &str, monotonic: f64, wall: f64) -> Result<f64, JsValue> {
        let (stream, post) = (from_js::stream(stream)?, from_js::post(post)?);
        let now = from_js::now(monotonic, wall);
        let receipt = self.room_mut().retract(stream, post, now).map_err(refused)?;
        Ok(to_js::receipt(&receipt))
    }

    /// Puts a reaction to a post, or takes it away.
    pub fn react(
        &self,
        stream: &str,
        post: &str,
        emoji: String,
        on: bool,
        monotonic: f64,
        wall: f64,
    ) -> Result<f64, JsValue> {
        let (stream, post) = (from_js::stream(stream)?, from_js::post(post)?);
        let now = from_js::now(monotonic, wall);
        let receipt = self.room_mut().react(stream, post, emoji, on, now).map_err(refused)?;
        Ok(to_js::receipt(&receipt))
    }

    /// Everything up to a post has been read, also where it is not here; without one, all there is.
    #[wasm_bindgen(js_name = markRead)]
    pub fn mark_read(&self, stream: &str, upto: Option<String>) -> Result<(), JsValue> {
        let stream = from_js::stream(stream)?;
        let upto = upto.map(|post| from_js::post(&post)).transpose()?;
        self.room_mut().mark_read(stream, upto);
        Ok(())
    }

    /// What is left to read.
    #[wasm_bindgen(unchecked_return_type = "WasmUnread")]
    pub fn unread(&self, stream: &str) -> Result<JsValue, JsValue> {
        Ok(to_js::unread(&self.room().unread(from_js::stream(stream)?)))
    }

    /// What the relay refused of what was said here.
    #[wasm_bindgen(unchecked_return_type = "WasmDraft[]")]
    pub fn drafts(&self, stream: &str) -> Result<JsValue, JsValue> {
        let room = self.room();
        Ok(to_js::array(room.drafts(from_js::stream(stream)?).iter().map(to_js::draft)).into())
    }

    /// Forgets a draft.
    #[wasm_bindgen(js_name = discardDraft)]
    pub fn discard_draft(&self, stream: &str, key: &str) -> Result<(), JsValue> {
        let (stream, key) = (from_js::stream(stream)?, from_js::post(key)?);
        self.room_mut().discard_draft(stream, key);
        Ok(())
    }
}
