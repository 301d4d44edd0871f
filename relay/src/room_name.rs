//! Names for new rooms: readable, and impossible to guess, since for now the link is the only key.

/// Three words that a person can tell from others, eighty random bits in two halves, and two digits that check them all:
/// `amber-otter-tide-01234567-89abcdef` and the check. A page tells by them that a link was cut off or mistyped
/// (`web-pkg/ide/src/shell/room-name.ts`, which makes the same names); the relay takes any name.
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
    let digits = base32(&key);
    let (one, other) = digits.split_at(digits.len() / 2);
    for part in [one, "-", other] {
        name.push_str(part);
    }
    name.push_str(&check_of(&name));
    name
}

/// Two digits over all before them. Below the prime no wrong character and no two that changed places go unseen; of all
/// else one in a thousand does.
fn check_of(name: &str) -> String {
    let (sum, _) = name.bytes().fold((0u32, 1u32), |(sum, weight), byte| {
        ((sum + u32::from(byte) * weight) % CHECK_PRIME, weight * CHECK_STEP % CHECK_PRIME)
    });
    [sum >> 5, sum & 31].map(|digit| char::from(DIGITS[digit as usize])).iter().collect()
}

fn base32(key: &[u8; KEY_BYTES]) -> String {
    let bits = key.iter().fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    let digits = KEY_BYTES * 8 / 5;
    (0..digits).rev().map(|at| char::from(DIGITS[(bits >> (at * 5)) as usize & 31])).collect()
}

/// Eighty bits, which make sixteen digits.
const KEY_BYTES: usize = 10;
/// The greatest prime that two digits hold.
const CHECK_PRIME: u32 = 1021;
/// Its powers stay apart for longer than a name is long.
const CHECK_STEP: u32 = 37;
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
            let key: Vec<usize> = name.split('-').skip(3).map(str::len).collect();
            assert_eq!(key, [8, 10], "{name}");
            let (whole, check) = name.split_at(name.len() - 2);
            assert_eq!(check_of(whole), check, "{name}");
        }
    }

    #[test]
    fn the_check_is_the_one_that_pages_make() {
        assert_eq!(check_of("amber-otter-tide-01234567-89abcdef"), "4d");
    }
}
