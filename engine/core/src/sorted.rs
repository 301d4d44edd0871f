//! Ordered maps and sets of moderate size, as sorted vectors.
//!
//! The standard library's B-trees cost every page some seven kilobytes of code for each pair of types, and pay off
//! from many thousand keys on. Here a key is found by bisection and inserted by shifting what stands behind it: use
//! them where keys are few, where they come in order, or where values are small. The interface is that of `BTreeMap`
//! and `BTreeSet`, as far as it is used, so that a collection that outgrows this changes its type and nothing else.

use std::ops::Index;

/// A map, ordered by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SortedMap<K, V> {
    pairs: Vec<(K, V)>,
}

/// A set, ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SortedSet<K> {
    keys: Vec<K>,
}

/// The place of one key.
pub(crate) struct Entry<'a, K, V> {
    pairs: &'a mut Vec<(K, V)>,
    place: Result<usize, usize>,
    key: K,
}

/// The places `0..length` in the order that `is_before` tells; those of which none is before the other stay as they were.
/// A merge sort of numbers, because every sort of the standard library for one more type costs a page three kilobytes.
pub(crate) fn order(length: usize, is_before: &dyn Fn(usize, usize) -> bool) -> Vec<usize> {
    let mut order = Vec::from_iter(0..length);
    let mut width = 1;
    while width < length {
        let runs = std::mem::take(&mut order);
        for start in (0..length).step_by(2 * width) {
            let (middle, end) = (length.min(start + width), length.min(start + 2 * width));
            let (mut left, mut right) = (start, middle);
            while left < middle || right < end {
                if left == middle || (right < end && is_before(runs[right], runs[left])) {
                    order.push(runs[right]);
                    right += 1;
                } else {
                    order.push(runs[left]);
                    left += 1;
                }
            }
        }
        width *= 2;
    }
    order
}

/// Values in the order of their numbers; those of one number stay as they came.
pub(crate) fn by_number<T>(numbered: Vec<(u64, T)>) -> Vec<T> {
    let order = order(numbered.len(), &|one, other| numbered[one].0 < numbered[other].0);
    let mut values: Vec<Option<T>> = numbered.into_iter().map(|(_, value)| Some(value)).collect();
    order.into_iter().filter_map(|at| values[at].take()).collect()
}

impl<K: Ord, V> SortedMap<K, V> {
    pub(crate) const fn new() -> Self {
        Self { pairs: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.pairs.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.place(key).is_ok()
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        Some(&self.pairs[self.place(key).ok()?].1)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let at = self.place(key).ok()?;
        Some(&mut self.pairs[at].1)
    }

    /// Puts a value in, and answers the one that was there.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place(&key) {
            Ok(at) => Some(std::mem::replace(&mut self.pairs[at].1, value)),
            Err(at) => {
                self.pairs.insert(at, (key, value));
                None
            }
        }
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.place(key).ok()?;
        Some(self.pairs.remove(at).1)
    }

    pub(crate) fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        let place = self.place(&key);
        Entry { pairs: &mut self.pairs, place, key }
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.pairs.retain_mut(|(key, value)| keep(key, value));
    }

    pub(crate) fn clear(&mut self) {
        self.pairs.clear();
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.pairs.iter().map(|(key, value)| (key, value))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.pairs.iter_mut().map(|(key, value)| (&*key, value))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.pairs.iter().map(|(key, _)| key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.pairs.iter().map(|(_, value)| value)
    }

    pub(crate) fn into_values(self) -> impl Iterator<Item = V> {
        self.pairs.into_iter().map(|(_, value)| value)
    }

    fn place(&self, key: &K) -> Result<usize, usize> {
        self.pairs.binary_search_by(|(other, _)| other.cmp(key))
    }
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self { pairs: Vec::new() }
    }
}

impl<K: Ord, V> Index<&K> for SortedMap<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        self.get(key).expect("the caller knows that the key is there")
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.pairs.into_iter()
    }
}

impl<K: Ord, V> Extend<(K, V)> for SortedMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        for (key, value) in pairs {
            self.insert(key, value);
        }
    }
}

impl<'a, K, V> Entry<'a, K, V> {
    pub(crate) fn or_default(self) -> &'a mut V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }

    pub(crate) fn or_insert(self, value: V) -> &'a mut V {
        self.or_insert_with(|| value)
    }

    pub(crate) fn or_insert_with(self, value: impl FnOnce() -> V) -> &'a mut V {
        let at = self.place.unwrap_or_else(|at| {
            self.pairs.insert(at, (self.key, value()));
            at
        });
        &mut self.pairs[at].1
    }
}

impl<K: Ord> SortedSet<K> {
    pub(crate) const fn new() -> Self {
        Self { keys: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn contains(&self, key: &K) -> bool {
        self.keys.binary_search(key).is_ok()
    }

    /// Puts a key in, and says whether it is new.
    pub(crate) fn insert(&mut self, key: K) -> bool {
        let place = self.keys.binary_search(&key);
        if let Err(at) = place {
            self.keys.insert(at, key);
        }
        place.is_err()
    }

    pub(crate) fn remove(&mut self, key: &K) -> bool {
        let place = self.keys.binary_search(key);
        if let Ok(at) = place {
            self.keys.remove(at);
        }
        place.is_ok()
    }

    pub(crate) fn clear(&mut self) {
        self.keys.clear();
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, K> {
        self.keys.iter()
    }
}

impl<K> Default for SortedSet<K> {
    fn default() -> Self {
        Self { keys: Vec::new() }
    }
}

impl<K: Ord> Extend<K> for SortedSet<K> {
    fn extend<I: IntoIterator<Item = K>>(&mut self, keys: I) {
        for key in keys {
            self.insert(key);
        }
    }
}

impl<K> IntoIterator for SortedSet<K> {
    type Item = K;
    type IntoIter = std::vec::IntoIter<K>;

    fn into_iter(self) -> Self::IntoIter {
        self.keys.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_sorted_map_does_what_a_tree_does(steps in prop::collection::vec((0u8..5, 0u8..20, any::<u16>()), 0..200)) {
            let mut map = SortedMap::new();
            let mut tree = BTreeMap::new();
            for (step, key, value) in steps {
                match step {
                    0 => prop_assert_eq!(map.insert(key, value), tree.insert(key, value)),
                    1 => prop_assert_eq!(map.remove(&key), tree.remove(&key)),
                    2 => *map.entry(key).or_insert(value) = *tree.entry(key).or_insert(value),
                    3 => {
                        map.retain(|_, held| *held % 3 != value % 3);
                        tree.retain(|_, held| *held % 3 != value % 3);
                    }
                    _ => prop_assert_eq!(map.get_mut(&key), tree.get_mut(&key)),
                }
                prop_assert_eq!(map.contains_key(&key), tree.contains_key(&key));
                prop_assert!(map.iter().eq(tree.iter()));
            }
            prop_assert!(map.into_iter().eq(tree));
        }

        #[test]
        fn values_come_in_the_order_of_their_numbers(numbered in prop::collection::vec((0u64..20, 0u8..), 0..100)) {
            let mut sorted = numbered.clone();
            sorted.sort_by_key(|(number, _)| *number);
            prop_assert!(by_number(numbered).into_iter().eq(sorted.into_iter().map(|(_, value)| value)));
        }

        #[test]
        fn a_sorted_set_does_what_a_tree_does(steps in prop::collection::vec((0u8..2, 0u8..20), 0..200)) {
            let mut set = SortedSet::new();
            let mut tree = BTreeSet::new();
            for (step, key) in steps {
                match step {
                    0 => prop_assert_eq!(set.insert(key), tree.insert(key)),
                    _ => prop_assert_eq!(set.remove(&key), tree.remove(&key)),
                }
                prop_assert_eq!(set.contains(&key), tree.contains(&key));
            }
            prop_assert!(set.into_iter().eq(tree));
        }
    }
}
