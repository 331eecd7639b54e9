//! Reading what a person typed for a repository: `alpine`, `localhost:5000/app:v1`.
use crate::{
    text::Untrusted,
    tuf::name::{Gun, NameError},
};

/// A repository, perhaps with a tag, as it was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The repository.
    pub gun: Gun,
    /// The tag, if one was given.
    pub tag: Option<Untrusted>,
    /// What was typed.
    pub typed: Untrusted,
    /// Whether the GUN is another than was typed, by docker's rule.
    pub expanded: bool,
}

/// Why something typed names no repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The name cannot be a GUN.
    #[error("{} names no repository: {reason}", .typed.shown())]
    Name {
        /// What was typed.
        typed: Untrusted,
        /// What is wrong with it.
        reason: NameError,
    },
    /// A colon with nothing behind it.
    #[error("{} ends with a colon, but a tag should follow it", .typed.shown())]
    EmptyTag {
        /// What was typed.
        typed: Untrusted,
    },
    /// `NAME@sha256:…`.
    #[error("{} names a digest; trust is looked up by tag", .typed.shown())]
    Digest {
        /// What was typed.
        typed: Untrusted,
    },
}

/// Reads `GUN` or `GUN:TAG`: what docker takes for a repository must be the same one here, and what notary takes
/// verbatim must stay reachable.
///
/// A colon after the last `/` starts a tag. A first component without `.`, without `:` and not `localhost` is no
/// registry, so docker's is put before it, unless `exact` is set or the name is `cached` verbatim: then somebody
/// has used it as `notary` does. A whole text that is cached verbatim is a GUN even if it has such a colon.
///
/// # Errors
/// [`ReferenceError`] when the text names no repository.
pub fn read(typed: &str, exact: bool, cached: &dyn Fn(&Gun) -> bool) -> Result<Reference, ReferenceError> {
    let original = || Untrusted::new(typed);
    let gun = |name: &str| Gun::new(name).map_err(|reason| ReferenceError::Name { typed: original(), reason });
    if let Ok(whole) = Gun::new(typed)
        && cached(&whole)
    {
        return Ok(Reference { gun: whole, tag: None, typed: original(), expanded: false });
    }
    if !exact && typed.contains('@') {
        return Err(ReferenceError::Digest { typed: original() });
    }
    let (name, tag) = split_tag(typed);
    if tag == Some("") {
        return Err(ReferenceError::EmptyTag { typed: original() });
    }
    let verbatim = gun(name)?;
    let chosen = match expand(name) {
        Some(full) if !exact && !cached(&verbatim) => gun(&full)?,
        _ => verbatim,
    };
    let expanded = chosen.as_str() != name;
    Ok(Reference { gun: chosen, tag: tag.map(Untrusted::new), typed: original(), expanded })
}

/// Splits at the colon after the last `/`.
fn split_tag(typed: &str) -> (&str, Option<&str>) {
    match typed.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (typed, None),
    }
}

/// The name with docker's registry written out, where docker would do so.
fn expand(name: &str) -> Option<String> {
    let (first, rest) = name.split_once('/').unwrap_or((name, ""));
    let path = match first {
        "docker.io" | "index.docker.io" if !rest.is_empty() => rest,
        "localhost" => return None,
        _ if first.contains(['.', ':']) => return None,
        _ => name,
    };
    Some(if path.contains('/') { format!("docker.io/{path}") } else { format!("docker.io/library/{path}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(typed: &str) -> Reference {
        read(typed, false, &|_| false).unwrap()
    }

    #[test]
    fn a_name_is_understood_as_docker_understands_it() {
        for (typed, gun, tag) in [
            ("alpine", "docker.io/library/alpine", None),
            ("alpine:3.20", "docker.io/library/alpine", Some("3.20")),
            ("someone/app:v1", "docker.io/someone/app", Some("v1")),
            ("docker.io/alpine", "docker.io/library/alpine", None),
            ("index.docker.io/library/alpine:x", "docker.io/library/alpine", Some("x")),
            ("a/b/c", "docker.io/a/b/c", None),
            ("docker.io/library/alpine", "docker.io/library/alpine", None),
            ("localhost:5000/app", "localhost:5000/app", None),
            ("localhost:5000/lab/app:v1", "localhost:5000/lab/app", Some("v1")),
            ("localhost/app:v1", "localhost/app", Some("v1")),
            ("registry.lab.example/gold/app", "registry.lab.example/gold/app", None),
            ("docker.io", "docker.io", None),
        ] {
            let r = plain(typed);
            assert_eq!((r.gun.as_str(), r.tag.as_ref().map(Untrusted::raw)), (gun, tag), "{typed}");
            let name = tag.map_or(typed, |t| typed.strip_suffix(&format!(":{t}")).unwrap());
            assert_eq!((r.expanded, r.typed.raw()), (name != gun, typed), "{typed}");
        }
    }

    #[test]
    fn exact_takes_the_name_as_notary_does() {
        let r = read("alpine:1", true, &|_| false).unwrap();
        assert_eq!((r.gun.as_str(), r.tag.unwrap().raw(), r.expanded), ("alpine", "1", false));
    }

    #[test]
    fn a_name_in_the_cache_is_not_expanded() {
        let r = read("team/app:v1", false, &|g| g.as_str() == "team/app").unwrap();
        assert_eq!((r.gun.as_str(), r.tag.unwrap().raw(), r.expanded), ("team/app", "v1", false));
        let r = read("team:app", false, &|g| g.as_str() == "team:app").unwrap();
        assert_eq!((r.gun.as_str(), r.tag, r.expanded), ("team:app", None, false));
    }

    #[test]
    fn what_names_no_repository_is_refused_without_harm() {
        assert!(matches!(read("../../tmp/reverse", false, &|_| true), Err(ReferenceError::Name { .. })));
        assert!(matches!(read("alpine/../x", true, &|_| false), Err(ReferenceError::Name { .. })));
        assert!(matches!(read("", false, &|_| false), Err(ReferenceError::Name { .. })));
        assert!(matches!(read(":v1", false, &|_| false), Err(ReferenceError::Name { .. })));
        assert!(matches!(read("alpine:", false, &|_| false), Err(ReferenceError::EmptyTag { .. })));
        assert!(matches!(read("alpine@sha256:aa", false, &|_| false), Err(ReferenceError::Digest { .. })));
        let shown = read("a\u{1b}[2J", false, &|_| false).unwrap_err().to_string();
        assert!(!shown.contains('\u{1b}'), "{shown}");
    }
}
