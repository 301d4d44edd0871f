//! Names for new rooms: readable, and impossible to guess, since for now the link is the only key.

/// Three words that a person can tell from others, and eighty random bits.
pub(crate) fn random() -> String {
    let mut words = [0; 3];
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut words).expect("the system has randomness");
    getrandom::fill(&mut key).expect("the system has randomness");
    let mut name = String::new();
    for word in words {
        name.push_str(WORDS[usize::from(word) % WORDS.len()]);
        name.push('-');
    }
    name.push_str(&base32(&key));
    name
}

fn base32(key: &[u8; KEY_BYTES]) -> String {
    let bits = key.iter().fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    let digits = KEY_BYTES * 8 / 5;
    (0..digits).rev().map(|at| char::from(DIGITS[(bits >> (at * 5)) as usize & 31])).collect()
}

/// Eighty bits, which make sixteen digits.
const KEY_BYTES: usize = 10;
/// Without the letters that are taken for others.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const WORDS: [&str; 32] = [
    "amber", "bay", "beacon", "brook", "cedar", "cliff", "cloud", "coral", "cove", "crane", "dune", "fern",
    "ferry", "fjord", "gull", "harbour", "heron", "isle", "juniper", "kelp", "lagoon", "maple", "moss",
    "otter", "pebble", "pine", "reef", "river", "sail", "shell", "tide", "willow",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use causeway_core::ids::RoomId;

    use super::*;

    #[test]
    fn a_name_can_stand_in_a_link_and_never_comes_twice() {
        let names: BTreeSet<String> = (0..1000).map(|_| random()).collect();
        assert_eq!(names.len(), 1000);
        for name in names {
            assert!(name.parse::<RoomId>().is_ok(), "{name}");
            assert_eq!(name.rsplit('-').next().map(str::len), Some(16), "{name}");
        }
    }
}
