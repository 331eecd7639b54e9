//! Which names a delegation may sign: literal string prefixes (protocol 5.5).

/// Prefixes. None at all means that nothing may be signed; the empty prefix means everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paths {
    /// As the file has them.
    stated: Vec<String>,
    /// Indices of those that no other one covers, by their bytes. At most one of them can be a name's prefix, and it is
    /// the last that is not greater than the name: to look a name up takes the same short time whatever a signer wrote.
    widest: Vec<usize>,
}

impl Paths {
    /// Prefixes, in the file's order. They come from outside.
    pub fn new(stated: Vec<String>) -> Self {
        let text = |i: &usize| stated.get(*i).map(String::as_str).unwrap_or_default();
        let mut sorted: Vec<usize> = (0..stated.len()).collect();
        sorted.sort_by_key(text);
        let mut widest: Vec<usize> = Vec::new();
        for i in sorted {
            if !widest.last().is_some_and(|last| text(&i).starts_with(text(last))) {
                widest.push(i);
            }
        }
        Self { stated, widest }
    }

    /// What top-level `targets` has: everything.
    pub fn everything() -> Self {
        Self::new(vec![String::new()])
    }

    /// The prefixes, in the file's order.
    pub fn prefixes(&self) -> &[String] {
        &self.stated
    }

    /// Whether a name may be signed.
    pub fn allow(&self, name: &str) -> bool {
        let text = |i: usize| self.stated.get(i).map(String::as_str).unwrap_or_default();
        let after = self.widest.partition_point(|i| text(*i) <= name);
        after.checked_sub(1).and_then(|i| self.widest.get(i)).is_some_and(|i| name.starts_with(text(*i)))
    }

    /// What of a child's prefixes holds below these: a prefix that does not start with one of the parent's is dropped,
    /// not narrowed.
    pub fn restrict(&self, child: &Paths) -> Paths {
        Paths::new(child.stated.iter().filter(|c| self.allow(c)).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(list: &[&str]) -> Paths {
        Paths::new(list.iter().map(|s| s.to_string()).collect())
    }

    #[test]
    fn prefixes_are_literal() {
        assert!(p(&["a"]).allow("apple") && p(&[""]).allow("x") && !p(&["a/"]).allow("a"));
        assert!(!p(&[]).allow("") && !p(&["*"]).allow("x"));
    }

    proptest::proptest! {
        #[test]
        fn looking_a_name_up_gives_what_comparing_with_every_prefix_gives(
            prefixes in proptest::collection::vec("[ab/é]{0,4}", 0..12), name in "[ab/é]{0,6}",
        ) {
            let one_by_one = prefixes.iter().any(|x| name.starts_with(x.as_str()));
            proptest::prop_assert_eq!(Paths::new(prefixes).allow(&name), one_by_one);
        }
    }

    #[test]
    fn a_child_cannot_sign_what_its_parent_may_not() {
        assert_eq!(p(&["a/"]).restrict(&p(&["a/b", "b", ""])), p(&["a/b"]));
        assert_eq!(Paths::everything().restrict(&p(&["x", ""])), p(&["x", ""]));
        assert_eq!(p(&[]).restrict(&p(&[""])), p(&[]));
    }
}
