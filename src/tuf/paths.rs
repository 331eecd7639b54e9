//! Which names a delegation may sign: literal string prefixes (protocol 5.5).

/// Prefixes. None at all means that nothing may be signed; the empty prefix means everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paths(Vec<String>);

impl Paths {
    /// Prefixes, in the file's order. They come from outside.
    pub fn new(prefixes: Vec<String>) -> Self {
        Self(prefixes)
    }

    /// What top-level `targets` has: everything.
    pub fn everything() -> Self {
        Self(vec![String::new()])
    }

    /// The prefixes, in the file's order.
    pub fn prefixes(&self) -> &[String] {
        &self.0
    }

    /// Whether a name may be signed.
    pub fn allow(&self, name: &str) -> bool {
        self.0.iter().any(|p| name.starts_with(p.as_str()))
    }

    /// What of a child's prefixes holds below these: a prefix that does not start with one of the parent's is dropped,
    /// not narrowed.
    pub fn restrict(&self, child: &Paths) -> Paths {
        Paths(child.0.iter().filter(|c| self.allow(c)).cloned().collect())
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

    #[test]
    fn a_child_cannot_sign_what_its_parent_may_not() {
        assert_eq!(p(&["a/"]).restrict(&p(&["a/b", "b", ""])), p(&["a/b"]));
        assert_eq!(Paths::everything().restrict(&p(&["x", ""])), p(&["x", ""]));
        assert_eq!(p(&[]).restrict(&p(&[""])), p(&[]));
    }
}
