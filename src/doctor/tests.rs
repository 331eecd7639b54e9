use super::*;
use crate::{
    journal::{State, saying},
    settings::{Environment, Flags},
    trust_dir::TrustDir,
};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn checks(&self) -> Vec<Check> {
        let environment: Environment = [("HOME".to_owned(), self.0.path().into())].into();
        let flags = Flags { server: Some("https://me:secret@notary.example/x".into()), ..Flags::default() };
        let settings = Settings::resolve(&flags, &environment, &|_: &Path| Ok(None)).unwrap();
        let trust = self.path(".docker/trust");
        let place = Workplace {
            trust_dir: TrustDir::new(&trust),
            repositories: None,
            state: Some(State::of(&self.path("state"), &trust)),
            read_only: None,
            exact: false,
            public_dir: ".".into(),
            tour: None,
        };
        let mut all = place::trust_dir(&place, &settings, Some(self.0.path()));
        all.extend(place::keys(&place.trust_dir));
        all.extend(place::journal(&place));
        all.extend(set::settings(&settings));
        all
    }

    fn said(&self) -> String {
        self.checks()
            .iter()
            .map(|c| format!("{} {} {} {}\n", c.area.as_str(), c.word(), c.text, c.next.as_deref().unwrap_or("")))
            .collect()
    }
}

#[test]
fn where_nothing_is_there_nothing_is_wrong_and_nothing_is_made() {
    let bench = Bench::new();
    let said = bench.said();
    assert!(said.contains("it is not there yet") && !said.contains(" warn ") && !said.contains(" error "), "{said}");
    assert_eq!(fs::read_dir(bench.0.path()).unwrap().count(), 0);
}

#[test]
fn what_is_wrong_is_named_with_what_mends_it() {
    let bench = Bench::new();
    let private = bench.path(".docker/trust/private");
    fs::create_dir_all(&private).unwrap();
    fs::set_permissions(&private, PermissionsExt::from_mode(0o755)).unwrap();
    fs::write(private.join("garbage.key"), "no key").unwrap();
    fs::create_dir_all(bench.path(".notary/private")).unwrap();
    fs::write(bench.path(".notary/private/other.key"), "no key").unwrap();
    let said = bench.said();
    assert!(said.contains("directory-open-to-others") && said.contains("`claviger key mend` mends"), "{said}");
    assert!(said.contains("another has 1 key file and is not used") && said.contains(".notary` opens it"), "{said}");
    assert!(said.contains("keys error ") && said.contains("1 key file"), "{said}");
}

#[test]
fn a_journal_that_was_changed_is_an_error() {
    let bench = Bench::new();
    let state = State::of(&bench.path("state"), &bench.path(".docker/trust"));
    for work in ["a", "b"] {
        state.note(saying("begun", [("work", work.into())])).unwrap();
    }
    assert!(bench.said().contains("journal ok ") && bench.said().contains("the chain holds"), "{}", bench.said());
    let text = fs::read_to_string(state.journal()).unwrap().replace("\"work\":\"a\"", "\"work\":\"z\"");
    fs::write(state.journal(), text).unwrap();
    assert!(bench.said().contains("journal error ") && bench.said().contains("does not hold at line"), "{}", bench.said());
}

#[test]
fn an_account_in_an_address_is_not_shown() {
    let said = Bench::new().said();
    assert!(said.contains("server: https://notary.example/x (--server)") && !said.contains("secret"), "{said}");
    for (address, shown) in [
        ("https://me:se/cret@n.example/", "https://n.example/"),
        ("me:secret@n.example", "n.example"),
        ("https://n.example/x?token=secret#secret", "https://n.example/x"),
        ("a:secret://b@n.example", "a:secret://n.example"),
        ("https://n.example", "https://n.example"),
    ] {
        assert_eq!(without_account(address), shown);
    }
}
