//! `cargo xtask web`: the WebAssembly artefact, its JavaScript side, and the pages that use them.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::cargo;
use crate::failure::{During, Failure, Outcome};
use crate::report::Report;
use crate::{compress, npm, process, toolchain, workspace};

/// What a page may cost on a phone before it shows text (DESIGN §7).
const GZIP_BUDGET: usize = 250_000;
/// What it may be more where only the compiler's own standard library is to be had: nobody ships that.
const LARGER_LIBRARY: usize = 12_500;

pub(crate) fn run() -> Outcome {
    let mut report = Report::new("web");
    let outcome = build(&mut report);
    report.print();
    outcome
}

/// All steps, for the commands that need the pages.
pub(crate) fn build(report: &mut Report) -> Outcome {
    report.step("tool chain", toolchain::ensure_rust)?;
    report.step("node", toolchain::ensure_node)?;
    report.step("npm packages", npm::install)?;
    report.step("WebAssembly artefact", compile)?;
    report.step("JavaScript side", bind)?;
    report.step("size of the artefact", measure)?;
    report.step("pages", pages)?;
    report.step("pages, compressed", || compress::folder(&workspace::web_package().join("ide/dist")))
}

fn compile() -> Outcome {
    let mut command =
        cargo(["build", "--profile", "web", "--target", WASM_TARGET, "--package", "causeway-wasm"]);
    if toolchain::can_build_library()? {
        command.args(SMALL_STANDARD_LIBRARY);
    }
    let flags = format!("{} {LITTLE_INLINING} {NO_LOCATIONS}", without_machine_paths());
    process::run(command.env("RUSTFLAGS", flags).env("RUSTC_BOOTSTRAP", "1"))
}

/// What the linker's optimiser may put in place of a call, in its own cost units: the hints that the standard library
/// gives it for speed cost a download 1 kB.
const LITTLE_INLINING: &str = "-C llvm-args=-inline-threshold=8";

/// The standard library that comes with the compiler is built for speed, and is 11 kB of the download more than the same built as
/// this workspace is: docs/adr/0014-a-small-standard-library-in-browsers.md.
const SMALL_STANDARD_LIBRARY: [&str; 2] =
    ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];

/// Where in the source each possible panic stands is 5 kB of the download, and is read by nobody there. The flag is not stable yet,
/// the compiler is pinned: docs/adr/0013-no-source-locations-in-browsers.md.
const NO_LOCATIONS: &str = "-Zlocation-detail=none";

/// Panic messages of the standard library carry source paths: shipped ones name the crate, not somebody's home folder.
fn without_machine_paths() -> String {
    let mut flags = format!("--remap-path-prefix={}=causeway", workspace::root().display());
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let registry = std::env::var_os("CARGO_HOME").map(PathBuf::from).or(home.map(|home| home.join(".cargo")));
    if let Some(registry) = registry {
        flags.push_str(&format!(" --remap-path-prefix={}=cargo", registry.display()));
    }
    flags
}

fn bind() -> Outcome {
    let artefact = workspace::target().join(WASM_TARGET).join("web/causeway_wasm.wasm");
    let fresh = workspace::target().join("web-bindgen");
    let module = fresh.join("causeway_bg.wasm");
    web_bindgen(&["bind", &artefact.display().to_string(), &fresh.display().to_string()])?;
    shrink(&module)?;
    web_bindgen(&["order", &module.display().to_string()])?;
    copy_what_changed(&fresh, &workspace::web_artefact())
}

fn web_bindgen(arguments: &[&str]) -> Outcome {
    let run = ["run", "--quiet", "--config", UNOPTIMISED, "--package", "web-bindgen", "--"];
    process::run(cargo(run).args(arguments))
}

/// Passes of binaryen's optimiser, each because it makes the download smaller (3 kB together). `-Oz` makes it larger:
/// its code is shorter, and less alike.
fn shrink(module: &Path) -> Outcome {
    let mut optimiser = Command::new("node");
    optimiser.arg(workspace::web_package().join("node_modules/binaryen/bin/wasm-opt"));
    // The features that rustc's target has: told `--all-features`, it writes types that no browser knows.
    let features = FEATURES.map(|feature| format!("--enable-{feature}"));
    let passes = PASSES.map(|pass| format!("--{pass}"));
    // Names are needed once more, by what puts the functions in order.
    process::run(
        optimiser.args(features).arg("--debuginfo").args(passes).arg(module).arg("--output").arg(module),
    )
}

/// The tests of `web-bindgen`, with its dependencies as `bind` builds them.
pub(crate) fn test_bindgen() -> Command {
    cargo(["test", "--config", UNOPTIMISED, "--package", "web-bindgen"])
}

/// Keeps the times of unchanged files, so that nothing behind them is built again.
fn copy_what_changed(from: &Path, to: &Path) -> Outcome {
    fs::create_dir_all(to).during("cannot make the folder of the artefact")?;
    for entry in fs::read_dir(from).during("cannot read what web-bindgen wrote")? {
        let source = entry.during("cannot read what web-bindgen wrote")?.path();
        let target = to.join(source.file_name().expect("an entry of a folder has a name"));
        let bytes = fs::read(&source).during("cannot read what web-bindgen wrote")?;
        if fs::read(&target).is_ok_and(|old| old == bytes) {
            continue;
        }
        fs::write(&target, bytes).during(&format!("cannot write {}", target.display()))?;
        println!("wrote {}", workspace::shown(&target));
    }
    Ok(())
}

fn measure() -> Outcome {
    let bytes =
        fs::read(workspace::web_artefact().join("causeway_bg.wasm")).during("cannot read the artefact")?;
    let gzip = compress::gzip(&bytes)?.len();
    let budget = if toolchain::can_build_library()? { GZIP_BUDGET } else { GZIP_BUDGET + LARGER_LIBRARY };
    println!("causeway_bg.wasm: {} bytes raw, {gzip} bytes gzip, budget {budget}", bytes.len());
    within_budget(gzip, budget)
}

fn within_budget(gzip: usize, budget: usize) -> Outcome {
    if gzip <= budget {
        return Ok(());
    }
    let over = gzip - budget;
    Err(Failure::new(format!("the artefact is {over} bytes over its budget of {budget} bytes gzip")))
}

fn pages() -> Outcome {
    let inputs = fingerprint_of_inputs()?;
    let stamp = workspace::target().join("web-bindgen.pages");
    let page = workspace::web_package().join("ide/dist/index.html");
    if page.is_file() && fs::read_to_string(&stamp).is_ok_and(|built| built == inputs) {
        println!("the pages are built from exactly these sources");
        return Ok(());
    }
    process::run(npm::npm().args(["run", "build"]))?;
    fs::write(&stamp, inputs).during("cannot write the stamp of the pages")
}

/// A hash over the content of everything in the package that is not itself built, and of the artefact.
fn fingerprint_of_inputs() -> Outcome<String> {
    let package = workspace::web_package();
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = process::read(Command::new("git").args(list).current_dir(&package))?;
    let mut paths: Vec<PathBuf> =
        listed.split('\0').filter(|path| !path.is_empty()).map(|p| package.join(p)).collect();
    for entry in fs::read_dir(workspace::web_artefact()).during("cannot read the folder of the artefact")? {
        paths.push(entry.during("cannot read the folder of the artefact")?.path());
    }
    paths.sort();
    let mut hasher = DefaultHasher::new();
    for path in paths {
        path.hash(&mut hasher);
        // A file deleted but still listed counts as empty: its absence changes the hash as well.
        fs::read(&path).unwrap_or_default().hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// `web-bindgen` works for a few seconds; optimising what it stands on takes a minute.
const UNOPTIMISED: &str = "profile.dev.package.'*'.opt-level=0";

const FEATURES: [&str; 8] = [
    "bulk-memory",
    "bulk-memory-opt",
    "call-indirect-overlong",
    "multivalue",
    "mutable-globals",
    "nontrapping-float-to-int",
    "reference-types",
    "sign-ext",
];

/// What is added to an address moves into the instruction that uses it. That rests on nothing being kept in the first KiB of
/// memory, which is where a stack of 1 MiB would end. Which features the module asks for is a note for linkers.
const PASSES: [&str; 16] = [
    "duplicate-function-elimination",
    "remove-unused-module-elements",
    "dce",
    "remove-unused-names",
    "remove-unused-brs",
    "rse",
    "vacuum",
    "optimize-instructions",
    "vacuum",
    "precompute",
    "code-folding",
    "merge-blocks",
    "vacuum",
    "low-memory-unused",
    "optimize-added-constants",
    "strip-target-features",
];

const WASM_TARGET: &str = "wasm32-unknown-unknown";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artefact_over_the_budget_is_refused_with_the_excess() {
        assert!(within_budget(GZIP_BUDGET, GZIP_BUDGET).is_ok());
        let failure = within_budget(GZIP_BUDGET + 7, GZIP_BUDGET).expect_err("seven bytes too many");
        assert!(failure.to_string().contains("7 bytes over"), "{failure}");
    }
}
