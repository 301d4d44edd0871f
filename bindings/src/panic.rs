//! Last words. A panic leaves the instance unusable; JavaScript sees a `RuntimeError` and stops using it.

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(sentence: &str);
}

/// Runs once, when the module is instantiated.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|bug| {
        // Its place in the source is not in the artefact; the stack of the `RuntimeError` that follows tells the function.
        let word = bug.payload_as_str().unwrap_or("no word is known");
        console_error(&format!("Causeway has met a bug and stops: {word}"));
    }));
}
