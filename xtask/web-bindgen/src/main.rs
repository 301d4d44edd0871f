//! Writes the JavaScript side of the WebAssembly artefact: `web-bindgen INPUT.wasm FOLDER`.
//!
//! A crate of its own because what it stands on takes minutes to compile, and `cargo xtask` must answer in seconds.

mod likeness;
mod order;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [input, folder] = arguments.as_slice() else {
        eprintln!("usage: web-bindgen INPUT.wasm FOLDER");
        return ExitCode::from(2);
    };
    match write(input, folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("web-bindgen: {why}");
            ExitCode::FAILURE
        }
    }
}

fn write(input: &Path, folder: &Path) -> Result<(), String> {
    if !input.is_file() {
        let input = input.display();
        return Err(format!("there is no {input}: does bindings/Cargo.toml ask for a `cdylib`?"));
    }
    let mut bindgen = Bindgen::new();
    bindgen.input_path(input).out_name("causeway").typescript(true);
    // Names of compilers are of no use to a page that has to load them; those of functions are, until these are in order.
    bindgen.demangle(false).remove_producers_section(true);
    // `web`: plain modules with an explicit asynchronous start, which every bundler and no bundler understands.
    let bindgen = bindgen.web(true).map_err(|error| format!("{error:#}"))?;
    bindgen.generate(folder).map_err(|error| format!("{error:#}"))?;
    put_in_order(&folder.join("causeway_bg.wasm"))?;
    forget_dispose(&folder.join("causeway.d.ts")).map_err(|error| format!("the declarations: {error}"))
}

fn put_in_order(artefact: &Path) -> Result<(), String> {
    let module = std::fs::read(artefact).map_err(|error| format!("cannot read the artefact: {error}"))?;
    std::fs::write(artefact, order::by_likeness(&module)?)
        .map_err(|error| format!("cannot write the artefact: {error}"))
}

/// `Symbol.dispose` is unknown to compilers that aim at ES2022, which then refuse the whole package. Nothing of ours uses
/// it.
fn forget_dispose(declarations: &Path) -> std::io::Result<()> {
    let text = std::fs::read_to_string(declarations)?;
    let kept: Vec<&str> = text.lines().filter(|line| !line.contains("[Symbol.dispose]")).collect();
    std::fs::write(declarations, kept.join("\n") + "\n")
}
