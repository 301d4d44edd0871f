//! `cargo xtask up`: from a fresh machine to a running relay with its page.

use std::path::PathBuf;
use std::process::Command;

use crate::args::UpOptions;
use crate::cargo::cargo;
use crate::failure::{During, Failure, Outcome};
use crate::report::Report;
use crate::{process, toolchain, web, workspace};

pub(crate) fn run(options: &UpOptions) -> Outcome {
    let mut report = Report::new("up");
    let built = build(&mut report);
    report.print();
    built?;
    serve(options)
}

fn build(report: &mut Report) -> Outcome {
    report.step("C compiler", toolchain::ensure_compiler)?;
    web::build(report)?;
    report.step("relay", || process::run(&mut cargo(["build", "--release", "--package", "causeway-relay"])))
}

/// The relay takes this process's place, so that its output and Ctrl-C are its own.
fn serve(options: &UpOptions) -> Outcome {
    let binary = workspace::target().join("release/causeway-relay");
    if !binary.is_file() {
        return Err(Failure::new(format!("there is no {}", workspace::shown(&binary))));
    }
    let mut relay = Command::new(binary);
    let data = options.data.as_ref().map_or_else(|| workspace::root().join("data"), PathBuf::from);
    relay.args(["serve", "--listen", &options.listen, "--data"]).arg(data);
    if let Some(room) = &options.room {
        relay.args(["--room", room]);
    }
    println!();
    process::announce(&relay);
    replace_this_process(&mut relay)
}

#[cfg(unix)]
fn replace_this_process(command: &mut Command) -> Outcome {
    use std::os::unix::process::CommandExt;
    Err(command.exec()).during("cannot start the relay")
}

#[cfg(not(unix))]
fn replace_this_process(command: &mut Command) -> Outcome {
    let status = command.status().during("cannot start the relay")?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("the relay ended with {status}"))) }
}
