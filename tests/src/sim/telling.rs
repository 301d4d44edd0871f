//! Frames in words that a person can read down a page.

use bytes::Bytes;
use causeway_core::log::Entry;
use causeway_core::wire::{self, Message};

/// What a frame says, on one line.
pub(crate) fn tell(bytes: &Bytes) -> String {
    match wire::decode(bytes) {
        Ok(messages) => messages.iter().map(tell_message).collect::<Vec<_>>().join("; "),
        Err(error) => error.to_string(),
    }
}

fn tell_message(message: &Message) -> String {
    match message {
        Message::Entries(entries) => format!("entries {}", tell_entries(entries)),
        Message::Other(body) => brief(&format!("{body:?}")),
    }
}

/// Runs of one chain in one stream.
fn tell_entries(entries: &[Entry]) -> String {
    let mut runs: Vec<(String, u64, u64)> = Vec::new();
    for entry in entries {
        let name = entry.name();
        let chain = brief(&format!("{} {}", entry.header().stream, name.replica));
        match runs.last_mut() {
            Some((of, _, last)) if *of == chain && *last + 1 == name.seq => *last = name.seq,
            _ => runs.push((chain, name.seq, name.seq)),
        }
    }
    let told: Vec<String> = runs
        .into_iter()
        .map(
            |(chain, first, last)| {
                if first == last { format!("{chain}/{first}") } else { format!("{chain}/{first}–{last}") }
            },
        )
        .collect();
    told.join(", ")
}

/// Without lists of bytes and long hexadecimal names, and not without end.
fn brief(text: &str) -> String {
    let mut told = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let hex = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_hexdigit()).len();
        if c == '['
            && let Some(end) = rest.find(']')
            && end > 8
            && rest[1..end].chars().all(|c| c.is_ascii_digit() || ", ".contains(c))
        {
            told.push_str("[…]");
            rest = &rest[end + 1..];
        } else if hex >= LONG_HEX {
            told.push_str(&rest[..SHOWN_HEX]);
            rest = &rest[hex..];
        } else {
            let taken = hex.max(c.len_utf8());
            told.push_str(&rest[..taken]);
            rest = &rest[taken..];
        }
        if told.len() > LINE {
            return told + "…";
        }
    }
    told
}

/// Bytes of one message in a line.
const LINE: usize = 240;
/// Digits from which a name is shortened, and to how many.
const LONG_HEX: usize = 12;
const SHOWN_HEX: usize = 6;

#[cfg(test)]
mod tests {
    use super::brief;

    #[test]
    fn names_and_lists_of_bytes_are_shortened_and_words_are_not() {
        let told =
            brief("Saved { stream: ydoc:8210f888bed4ffd4afe62375d7a359ba, seq: 12, head: [1, 22, 3, 4] }");
        assert_eq!(told, "Saved { stream: ydoc:8210f8, seq: 12, head: […] }");
    }
}
