//! Packages of the operating system.

use std::process::{Command, Stdio};

use crate::failure::{Failure, Outcome};
use crate::process;

/// Installs those of the packages that are missing.
pub(crate) fn ensure(packages: &[&str]) -> Outcome {
    if !process::exists("dpkg") {
        println!("this is not a Debian system: make sure that these are installed: {}", packages.join(", "));
        return Ok(());
    }
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        println!("installed already: {}", packages.join(", "));
        return Ok(());
    }
    println!("to install: {}", missing.join(", "));
    process::run(as_root()?.args(["apt-get", WAIT_FOR_LOCK, "update", "-q"]))?;
    let install = ["apt-get", WAIT_FOR_LOCK, "install", "-y", "-q", "--no-install-recommends"];
    process::run(as_root()?.args(install).args(missing))
}

fn is_installed(package: &str) -> bool {
    let status =
        Command::new("dpkg-query").args(["--show", "--showformat=${db:Status-Status}", package]).output();
    status.is_ok_and(|said| said.stdout == b"installed")
}

/// `env`, or `sudo env` for somebody who may use it without a password: a question would hang a run without a person.
fn as_root() -> Outcome<Command> {
    let mut command = if is_root() {
        Command::new("env")
    } else if sudo_asks_nothing() {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "env"]);
        sudo
    } else {
        return Err(Failure::new(
            "packages are missing and this user may not install them: do so as root, then repeat",
        ));
    };
    command.arg("DEBIAN_FRONTEND=noninteractive");
    Ok(command)
}

fn is_root() -> bool {
    process::read(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn sudo_asks_nothing() -> bool {
    let quiet =
        Command::new("sudo").args(["-n", "true"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

/// Another apt-get may be at work; five minutes is longer than any single installation we ask for.
const WAIT_FOR_LOCK: &str = "-oDPkg::Lock::Timeout=300";
