//! Names of files that are typed where no shell understands them: `~/`, and the rest of a name that has been begun.
use std::{ffi::OsStr, fs, path::Path};

/// Entries of a directory that are looked at. Whoever has more types the name.
const LOOKED_AT: usize = 10_000;

/// What a file's name that was begun can become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What was typed, as far as everything that begins so agrees. A directory that stands alone ends with a slash.
    pub typed: String,
    /// The names that begin so, in order, if there are several.
    pub several: Vec<String>,
}

/// A name with the home directory in the place of its `~`.
pub fn expand(typed: &str) -> String {
    expand_in(typed, std::env::var_os("HOME").as_deref())
}

fn expand_in(typed: &str, home: Option<&OsStr>) -> String {
    match (typed.strip_prefix('~'), home.and_then(OsStr::to_str)) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => format!("{}{rest}", home.trim_end_matches('/')),
        _ => typed.to_owned(),
    }
}

/// Completes a name. Names that cannot be typed are left out, and hidden ones unless their dot was typed.
pub fn complete(typed: &str) -> Completion {
    let expanded = expand(typed);
    let (above, begun) = expanded.rsplit_once('/').map_or(("", expanded.as_str()), |(a, b)| (a, b));
    let directory = match (above, expanded.starts_with('/')) {
        ("", true) => Path::new("/"),
        ("", false) => Path::new("."),
        (above, _) => Path::new(above),
    };
    let mut names: Vec<String> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .take(LOOKED_AT)
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(begun) && (begun.starts_with('.') || !name.starts_with('.')))
        .filter(|name| !name.chars().any(char::is_control))
        .collect();
    names.sort_unstable();
    // As it was typed: a `~` stays.
    let before = typed.strip_suffix(begun).unwrap_or_default();
    match names.as_slice() {
        [] => Completion { typed: typed.to_owned(), several: Vec::new() },
        [one] => {
            let slash = if directory.join(one).is_dir() { "/" } else { "" };
            Completion { typed: format!("{before}{one}{slash}"), several: Vec::new() }
        }
        [first, .., last] => {
            // In order, what the first and the last agree on all agree on.
            let common: String = first.chars().zip(last.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
            Completion { typed: format!("{before}{common}"), several: names }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_put_where_a_shell_would_put_it() {
        let home = Some(OsStr::new("/home/ana/"));
        for (typed, means) in
            [("~/k.pem", "/home/ana/k.pem"), ("~", "/home/ana"), ("~ben/k", "~ben/k"), ("a~/b", "a~/b"), ("", "")]
        {
            assert_eq!(expand_in(typed, home), means);
        }
        assert_eq!(expand_in("~/k.pem", None), "~/k.pem");
    }

    #[test]
    fn a_name_is_completed_as_far_as_it_is_certain() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["alice.pem", "alice.pub", "bob.pem", ".hidden", "bad\u{1b}name"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        fs::create_dir(dir.path().join("sub")).unwrap();
        let at = |rest: &str| format!("{}/{rest}", dir.path().display());
        let done = |typed: String| Completion { typed, several: vec![] };
        assert_eq!(complete(&at("b")).typed, at("bob.pem"), "what cannot be typed is left out");
        assert_eq!(complete(&at("s")), done(at("sub/")));
        assert_eq!(complete(&at("x")), done(at("x")));
        assert_eq!(complete(&at(".h")), done(at(".hidden")));
        let Completion { typed, several } = complete(&at("a"));
        assert_eq!((typed, several), (at("alice.p"), vec!["alice.pem".to_owned(), "alice.pub".to_owned()]));
        assert_eq!(complete(&at("")).several, ["alice.pem", "alice.pub", "bob.pem", "sub"]);
        assert_eq!(complete("/nowhere/at/all/x"), done("/nowhere/at/all/x".into()));
    }
}
