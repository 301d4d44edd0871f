//! Chains of byte strings in which each stands near those it is most alike.

use std::collections::{HashMap, HashSet, VecDeque};

/// Bytes that count as one mark of a string. With four almost everything is alike, with eight hardly anything.
const MARK: usize = 5;

/// Marks that more strings than this share say nothing about any of them.
const COMMON: usize = 200;

/// Bytes at the end of the chain that the next string is compared with.
const NEAR: usize = 2_000;

/// Added to the number of a string's marks, or the shortest would always be the most alike.
const SHORT: usize = 20;

/// The places of all strings: first the first, then always the one most of whose marks stand near the end of the chain.
pub(crate) fn chain(strings: &[&[u8]]) -> Vec<usize> {
    let marks: Vec<Vec<usize>> = marks(strings);
    let mut holders = HashMap::<usize, Vec<usize>>::new();
    for (at, of_string) in marks.iter().enumerate() {
        for mark in of_string {
            holders.entry(*mark).or_default().push(at);
        }
    }
    holders.retain(|_, holders| (2..COMMON).contains(&holders.len()));

    let mut shared = vec![0_usize; strings.len()];
    let mut left: Vec<usize> = (0..strings.len()).collect();
    let (mut chain, mut near, mut near_bytes) = (Vec::new(), VecDeque::new(), 0);
    while let Some(place) = most_alike(&left, &shared, &marks) {
        let next = left.remove(place);
        chain.push(next);
        near.push_back(next);
        near_bytes += strings[next].len();
        for holder in marks[next].iter().filter_map(|mark| holders.get(mark)).flatten() {
            shared[*holder] += 1;
        }
        while near_bytes > NEAR && near.len() > 1 {
            let Some(gone) = near.pop_front() else { break };
            near_bytes -= strings[gone].len();
            for holder in marks[gone].iter().filter_map(|mark| holders.get(mark)).flatten() {
                shared[*holder] -= 1;
            }
        }
    }
    chain
}

/// Where the next one stands in `left`; of equals the first.
fn most_alike(left: &[usize], shared: &[usize], marks: &[Vec<usize>]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (place, string) in left.iter().enumerate() {
        // shared / marks, compared without a division
        let better = |other: &usize| {
            let of_other = left[*other];
            shared[*string] * (marks[of_other].len() + SHORT)
                > shared[of_other] * (marks[*string].len() + SHORT)
        };
        if best.as_ref().is_none_or(better) {
            best = Some(place);
        }
    }
    best
}

/// The different marks of each string, as numbers.
fn marks<'a>(strings: &[&'a [u8]]) -> Vec<Vec<usize>> {
    let mut numbers = HashMap::<&'a [u8], usize>::new();
    let mut all = Vec::new();
    for string in strings {
        let mut seen = HashSet::new();
        for mark in string.windows(MARK) {
            let fresh = numbers.len();
            seen.insert(*numbers.entry(mark).or_insert(fresh));
        }
        all.push(seen.into_iter().collect());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_stands_together_and_nothing_is_lost() {
        let (text, number) = (b"a text that is long enough".as_slice(), b"0123456789 0123456789".as_slice());
        let strings = [text, number, b"also a text that is long", b"123456789 012345678", b""];
        assert_eq!(chain(&strings), [0, 2, 1, 3, 4]);
    }
}
