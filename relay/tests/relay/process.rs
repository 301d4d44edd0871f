//! The real program. Only processes started here are ever ended.

use std::path::Path;
use std::process::{Output, Stdio};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::device::PATIENCE;

pub(crate) struct Process {
    pub(crate) address: String,
    child: Child,
}

impl Process {
    /// Starts a relay on this folder and waits until it has printed the link of a room.
    pub(crate) async fn start(data: &Path) -> Self {
        Self::start_with(&["--data", data.to_str().unwrap()]).await
    }

    /// Starts a relay with these arguments and waits until it has printed the link of a room.
    pub(crate) async fn start_with(args: &[&str]) -> Self {
        let mut command = program(&[&["serve", "--listen", "127.0.0.1:0"], args].concat());
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let printed = async {
            loop {
                let line = lines.next_line().await.unwrap().expect("a relay prints a link");
                if let Some(link) = line.strip_prefix("room  http://") {
                    return link.split_once("/r/").expect("a link names a room").0.to_owned();
                }
            }
        };
        let address = timeout(PATIENCE, printed).await.expect("a relay starts");
        Self { address, child }
    }

    /// SIGKILL.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM, and how it ended.
    pub(crate) async fn terminate(mut self) -> Option<i32> {
        let id = self.child.id().expect("it still runs").to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap().code()
    }
}

/// Presses Ctrl-C.
#[cfg(unix)]
pub(crate) fn interrupt(child: &Child) {
    let id = child.id().expect("it still runs").to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
}

/// The program with these arguments and nothing of our environment.
pub(crate) fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_causeway-relay"));
    command.env_clear().args(args);
    command
}

/// Runs the program with these arguments to its end.
pub(crate) async fn outcome(args: &[&str]) -> Output {
    ended(&mut program(args)).await
}

/// Runs a program to its end.
pub(crate) async fn ended(program: &mut Command) -> Output {
    let run = program.kill_on_drop(true).output();
    timeout(PATIENCE, run).await.expect("it ends by itself").unwrap()
}
