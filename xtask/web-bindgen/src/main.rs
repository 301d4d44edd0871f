//! `web-bindgen bind INPUT.wasm FOLDER` writes the WebAssembly artefact and its JavaScript side; `web-bindgen order
//! MODULE.wasm` puts the functions of a module in the order that packs best and drops their names.
//!
//! A crate of its own because what it stands on takes minutes to compile, and `cargo xtask` must answer in seconds.

mod likeness;
mod order;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let done = match arguments.iter().map(OsString::as_os_str).collect::<Vec<_>>().as_slice() {
        [word, input, folder] if *word == "bind" => bind(Path::new(input), Path::new(folder)),
        [word, module] if *word == "order" => put_in_order(Path::new(module)),
        _ => {
            eprintln!("usage: web-bindgen bind INPUT.wasm FOLDER\n       web-bindgen order MODULE.wasm");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("web-bindgen: {why}");
            ExitCode::FAILURE
        }
    }
}

fn bind(input: &Path, folder: &Path) -> Result<(), String> {
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
