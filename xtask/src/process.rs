//! Child processes: run one and show its output, keep its lines as well, or only read what it prints.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread;

use crate::failure::{During, Failure, Outcome};

/// Runs a command with its output on the screen; anything but success is a failure.
pub(crate) fn run(command: &mut Command) -> Outcome {
    announce(command);
    let status = command.stdin(Stdio::null()).status().during(&format!("cannot start {}", shown(command)))?;
    succeeded(command, status)
}

/// Runs a command with its output on the screen and keeps every line of it.
pub(crate) fn run_keeping_lines(command: &mut Command) -> Outcome<Transcript> {
    announce(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .during(&format!("cannot start {}", shown(command)))?;
    let stdout = child.stdout.take().expect("stdout was asked for as a pipe");
    let stderr = child.stderr.take().expect("stderr was asked for as a pipe");
    let lines = Mutex::new(Vec::new());
    thread::scope(|scope| {
        scope.spawn(|| copy_lines(stderr, &mut std::io::stderr(), &lines));
        copy_lines(stdout, &mut std::io::stdout(), &lines);
    });
    let status = child.wait().during("cannot wait for a child process")?;
    let lines = lines.into_inner().expect("no thread panics while it holds the lines");
    Ok(Transcript { lines, end: succeeded(command, status) })
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Transcript {
    pub(crate) lines: Vec<String>,
    pub(crate) end: Outcome,
}

/// Runs a command in silence and returns what it wrote to stdout.
pub(crate) fn read(command: &mut Command) -> Outcome<String> {
    let output = command.stdin(Stdio::null()).output().during(&format!("cannot start {}", shown(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!("{} failed: {}", shown(command), said.trim())));
    }
    String::from_utf8(output.stdout).during(&format!("{} did not print text", shown(command)))
}

/// Whether a program can be started at all.
pub(crate) fn exists(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Prints a command as a person would type it.
pub(crate) fn announce(command: &Command) {
    println!("$ {}", shown(command));
    // The child writes to the same terminal or file, so our line must be there first.
    std::io::stdout().flush().ok();
}

fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    if let Some(name) = std::path::Path::new(command.get_program()).file_name() {
        words[0] = name.to_string_lossy().into_owned();
    }
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

fn succeeded(command: &Command, status: ExitStatus) -> Outcome {
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("`{}` ended with {status}", shown(command))))
}

fn copy_lines(from: impl Read, to: &mut impl Write, lines: &Mutex<Vec<String>>) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A pipe that breaks has ended for us: the exit status tells the rest.
        match from.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        to.write_all(&line).and_then(|()| to.flush()).ok();
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        lines.lock().expect("no thread panics while it holds the lines").push(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_streams_are_kept_and_the_exit_is_told() {
        let script = "echo one; echo two >&2; exit 3";
        let told = run_keeping_lines(Command::new("sh").args(["-c", script])).expect("sh starts");
        let mut lines = told.lines;
        lines.sort();
        assert_eq!(lines, ["one", "two"]);
        assert!(told.end.expect_err("exit 3 is a failure").to_string().contains("exit status: 3"));
    }

    #[test]
    fn a_program_that_is_not_there_is_a_failure_with_its_name() {
        let failure = read(&mut Command::new("no-such-program-of-ours")).expect_err("it does not exist");
        assert!(failure.to_string().contains("no-such-program-of-ours"));
        assert!(!exists("no-such-program-of-ours"));
    }
}
