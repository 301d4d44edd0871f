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
    std::panic::set_hook(Box::new(|bug| console_error(&format!("Causeway has met a bug and stops: {bug}"))));
}
