//! The built pages, compressed once instead of at each request: a relay sends `<file>.gz` to browsers that take gzip.

use std::fs;
use std::path::Path;

use crate::failure::{During, Outcome};

/// Below this a packet is sent either way.
const WORTH_IT: usize = 1_000;

/// Puts a `.gz` beside every file in a folder that it makes smaller by a tenth or more; fonts and pictures stay alone.
pub(crate) fn folder(folder: &Path) -> Outcome {
    for entry in fs::read_dir(folder).during("cannot read the built pages")? {
        let path = entry.during("cannot read the built pages")?.path();
        if path.is_dir() {
            self::folder(&path)?;
        } else if path.extension().is_none_or(|ending| ending != "gz") {
            file(&path)?;
        }
    }
    Ok(())
}

fn file(path: &Path) -> Outcome {
    let bytes = fs::read(path).during("cannot read a built file")?;
    let packed = gzip(&bytes)?;
    if bytes.len() < WORTH_IT || packed.len() * 10 > bytes.len() * 9 {
        return Ok(());
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".gz");
    fs::write(beside, packed).during("cannot write a compressed file")
}

/// As small as gzip gets, in seconds for a megabyte: it is done once and downloaded often.
pub(crate) fn gzip(bytes: &[u8]) -> Outcome<Vec<u8>> {
    let mut packed = Vec::new();
    zopfli::compress(zopfli::Options::default(), zopfli::Format::Gzip, bytes, &mut packed)
        .during("cannot compress")?;
    Ok(packed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_compresses() {
        let size = gzip(&[7; 100_000]).expect("memory can be written").len();
        assert!(size < 1_000, "{size}");
    }

    #[test]
    fn only_what_gets_smaller_is_put_beside() {
        let here = std::env::temp_dir().join(format!("causeway-compress-{}", std::process::id()));
        fs::create_dir_all(here.join("assets")).expect("a folder for the test");
        // Knuth's generator: its upper bits look random enough to gzip.
        let step = |state: &mut u64| {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Some((*state >> 56) as u8)
        };
        let noise: Vec<u8> = (0..4_000).scan(1, |state, _| step(state)).collect();
        fs::write(here.join("assets/page.js"), "let a = 1;".repeat(500)).expect("it can be written");
        fs::write(here.join("assets/small.js"), "let a = 1;").expect("it can be written");
        fs::write(here.join("font.woff2"), &noise).expect("it can be written");
        folder(&here).expect("it can be compressed");
        folder(&here).expect("and again");
        let has = |path: &str| here.join(path).is_file();
        assert!(has("assets/page.js.gz") && !has("assets/page.js.gz.gz"));
        assert!(!has("assets/small.js.gz"));
        let kept = has("font.woff2.gz");
        fs::remove_dir_all(&here).expect("it was made above");
        assert!(!kept, "noise does not get smaller");
    }
}
