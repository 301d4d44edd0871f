//! The corpus as files for libFuzzer, and as lines of hexadecimal digits for the repository.

use std::fmt::Write;
use std::path::Path;

use crate::failure::{During, Failure, Outcome};

/// Bytes of one committed corpus: with ten targets all of them stay below 300 kB.
const MOST_BYTES: usize = 28_000;

/// Writes every line of the committed corpus as a file of its own; what lies in the folder stays.
pub(super) fn unpack(committed: &Path, folder: &Path) -> Outcome {
    let Ok(text) = std::fs::read_to_string(committed) else {
        println!("no corpus yet: libFuzzer begins with nothing");
        return Ok(());
    };
    for (at, line) in text.lines().enumerate() {
        let input =
            unhex(line).ok_or_else(|| Failure::new(format!("line {} of the corpus is no hex", at + 1)))?;
        std::fs::write(folder.join(format!("committed-{at}")), input).during("cannot write an input")?;
    }
    println!("{} inputs", text.lines().count());
    Ok(())
}

/// Writes the inputs of the folder as lines, the shortest first. Where not all have room, every second, third … is kept,
/// so that long ones, which come furthest, are among them.
pub(super) fn pack(folder: &Path, committed: &Path) -> Outcome {
    let mut inputs = Vec::new();
    for entry in std::fs::read_dir(folder).during("cannot read the inputs")? {
        let path = entry.during("cannot read the inputs")?.path();
        inputs.push(std::fs::read(path).during("cannot read an input")?);
    }
    inputs.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    let text = lines(&inputs);
    std::fs::write(committed, &text).during("cannot write the corpus")?;
    println!("{} of {} inputs, {} bytes", text.lines().count(), inputs.len(), text.len());
    Ok(())
}

fn lines(inputs: &[Vec<u8>]) -> String {
    let room =
        |inputs: &[&Vec<u8>]| inputs.iter().map(|input| input.len() * 2 + 1).sum::<usize>() <= MOST_BYTES;
    let mut step = 1;
    let mut kept: Vec<&Vec<u8>> = inputs.iter().filter(|input| !input.is_empty()).collect();
    let all = kept.clone();
    while !room(&kept) {
        step += 1;
        kept = all.iter().skip(step - 1).step_by(step).copied().collect();
    }
    let mut text = String::new();
    for input in kept {
        for byte in input {
            write!(text, "{byte:02x}").expect("a string takes all that is written");
        }
        text.push('\n');
    }
    text
}

fn unhex(line: &str) -> Option<Vec<u8>> {
    let pair = |at: usize| u8::from_str_radix(line.get(at..at + 2)?, 16).ok();
    (0..line.len()).step_by(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_read_as_they_were() {
        assert_eq!(lines(&[vec![], vec![0, 255]]), "00ff\n");
        assert_eq!(unhex("00ff"), Some(vec![0, 255]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("zz"), None);
    }

    #[test]
    fn of_too_many_inputs_those_are_kept_that_fit_and_long_ones_among_them() {
        let inputs: Vec<Vec<u8>> = (1..=400).map(|length| vec![7; length]).collect();
        let text = lines(&inputs);
        assert!(text.len() <= MOST_BYTES && text.len() > MOST_BYTES / 2);
        assert!(text.lines().any(|line| line.len() > 600) && text.lines().any(|line| line.len() < 60));
        assert_eq!(lines(&[vec![7; MOST_BYTES]]), "");
    }
}
