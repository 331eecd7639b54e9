use super::*;
use std::os::unix::fs::PermissionsExt;

const ID: &str = "29fe684c5c3c3658d57f08f6a7d782a12f7a678256856aaa77c41e94bbe42274";

fn env(pairs: &[(&str, &str)]) -> BTreeMap<OsString, OsString> {
    pairs.iter().map(|(k, v)| (k.into(), v.into())).collect()
}

fn wanted(role: &str) -> Wanted<'_> {
    Wanted { role, key_id: Some(ID), label: "a key" }
}

/// Answers in order, and remembers what it was told.
struct Script(Vec<&'static str>, Vec<String>);

impl Prompt for Script {
    fn ask(&mut self, _: &str) -> Result<Passphrase, PassphraseError> {
        if self.0.is_empty() { Err(PassphraseError::NoTerminal) } else { Ok(Passphrase::from(self.0.remove(0).to_owned())) }
    }
    fn note(&mut self, text: &str) {
        self.1.push(text.to_owned());
    }
}

fn script(answers: &[&'static str]) -> Script {
    Script(answers.to_vec(), Vec::new())
}

fn found(p: &Passphrases, role: &str) -> Option<(String, Source)> {
    p.lookup(&wanted(role)).unwrap().map(|g| (String::from_utf8(g.passphrase.expose().to_vec()).unwrap(), g.source))
}

fn private_file(content: &str) -> tempfile::NamedTempFile {
    let f = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(f.path(), content).unwrap();
    f
}

#[test]
fn the_file_comes_before_notarys_variables_before_dockers_before_the_prompt() {
    let file = private_file("root=from-file\nsnapshot=s\n");
    let both = env(&[("NOTARY_TARGETS_PASSPHRASE", "n"), ("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", "d-root")]);
    let p = Passphrases::new(Some(file.path()), &both).unwrap();
    assert_eq!(found(&p, "root"), Some(("from-file".into(), Source::File)));
    assert_eq!(found(&p, "targets"), Some(("n".into(), Source::Variable("NOTARY_TARGETS_PASSPHRASE"))));
    assert_eq!(found(&p, "jeff"), None);
    let mut s = script(&["typed"]);
    let given = p.existing(&wanted("jeff"), &mut s).unwrap();
    assert_eq!((given.passphrase.expose(), given.source), (&b"typed"[..], Source::Typed));
}

#[test]
fn each_variable_means_what_it_means_in_its_own_tool() {
    let d = Passphrases::new(
        None,
        &env(&[("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", "r"), ("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "o")]),
    )
    .unwrap();
    for (role, value) in
        [("root", "r"), ("targets", "o"), ("snapshot", "o"), ("jeff", "o"), ("targets/jeff", "o"), ("timestamp", "o"), ("", "o")]
    {
        assert_eq!(found(&d, role).unwrap().0, value, "{role}");
    }
    let n = Passphrases::new(
        None,
        &env(&[
            ("NOTARY_ROOT_PASSPHRASE", "r"),
            ("NOTARY_TARGETS_PASSPHRASE", "t"),
            ("NOTARY_SNAPSHOT_PASSPHRASE", "s"),
            ("NOTARY_DELEGATION_PASSPHRASE", "d"),
        ]),
    )
    .unwrap();
    for (role, value) in
        [("root", "r"), ("targets", "t"), ("snapshot", "s"), ("delegation", "d"), ("targets/a", "d"), ("jeff", "d")]
    {
        assert_eq!(found(&n, role).unwrap().0, value, "{role}");
    }
    assert_eq!(found(&n, "timestamp"), None);
}

#[test]
fn variables_that_differ_are_an_error_that_names_both_and_neither_value() {
    let e = env(&[("NOTARY_ROOT_PASSPHRASE", "one-value"), ("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", "other-value")]);
    let p = Passphrases::new(None, &e).unwrap();
    let error = p.lookup(&wanted("root")).err().unwrap();
    assert_eq!(error, PassphraseError::Conflict("NOTARY_ROOT_PASSPHRASE", "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE"));
    let text = error.to_string();
    assert!(
        text.contains("NOTARY_ROOT_PASSPHRASE")
            && text.contains("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE")
            && !text.contains("value")
    );
    // Another role is not concerned, nor is a role for which the file speaks.
    assert_eq!(found(&p, "targets"), None);
    let file = private_file("root=f\n");
    let p = Passphrases::new(Some(file.path()), &e).unwrap();
    assert_eq!(found(&p, "root").unwrap().0, "f");
    // The same value twice is no conflict, and an empty variable is not set.
    let same =
        env(&[("NOTARY_ROOT_PASSPHRASE", "x"), ("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", "x"), ("NOTARY_TARGETS_PASSPHRASE", "")]);
    let p = Passphrases::new(None, &same).unwrap();
    assert_eq!(found(&p, "root").unwrap().0, "x");
    assert_eq!(found(&p, "targets"), None);
}

#[test]
fn a_passphrase_file_that_others_can_read_is_refused_with_the_chmod() {
    let file = private_file("root=secret-value\n");
    for mode in [0o644, 0o640, 0o604, 0o620] {
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        let error = Passphrases::new(Some(file.path()), &env(&[])).err().unwrap();
        let text = format!("{error} {}", error.remedy());
        assert!(text.contains("chmod 600") && !text.contains("secret-value"), "{text}");
    }
    for mode in [0o600, 0o400] {
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        assert!(Passphrases::new(Some(file.path()), &env(&[])).is_ok());
    }
}

#[test]
fn a_passphrase_file_names_keys_by_id_then_by_role_then_delegation_then_all() {
    let text = format!("{ID}=by-id\nroot=r=with=equals \r\njeff=j\ndelegation=d\n");
    let f = PassphraseFile::parse(text.as_bytes()).unwrap();
    let get = |role, id| f.get(&Wanted { role, key_id: id, label: "" }).map(|p| p.expose().to_vec());
    assert_eq!(get("root", Some(ID)).unwrap(), b"by-id");
    assert_eq!(get("root", None).unwrap(), b"r=with=equals ");
    assert_eq!(get("jeff", None).unwrap(), b"j");
    assert_eq!(get("ana", None).unwrap(), b"d");
    assert_eq!(get("targets", None), None);
    let f = PassphraseFile::parse(b"Correct Horse = battery\n").unwrap();
    assert_eq!(f.get(&wanted("root")).unwrap().expose(), b"Correct Horse = battery");
}

#[test]
fn a_passphrase_file_that_says_two_things_is_refused_without_showing_them() {
    for text in ["", "\n\n", "root=a\nroot=b\n", "root=\n", "a b c\nd e f\n", "jeff=secret\n", "hunter2\nroot=x\n"] {
        let error = PassphraseFile::parse(text.as_bytes()).err().unwrap_or_else(|| panic!("{text:?}"));
        assert!(!error.contains("secret") && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_new_passphrase_is_typed_twice_and_is_long_enough() {
    let p = Passphrases::default();
    let mut s = script(&["short", "long enough", "long enough"]);
    assert_eq!(p.fresh(&wanted("targets"), &mut s).unwrap().passphrase.expose(), b"long enough");
    assert_eq!(s.1.len(), 1);
    let mut s = script(&["long enough", "another one", "long enough", "long enough"]);
    assert!(p.fresh(&wanted("targets"), &mut s).is_ok());
    // A root key needs twelve, and white space at the ends does not count.
    let mut s = script(&["elevenchars", "  elevenchars  ", "elevenchars "]);
    assert_eq!(p.fresh(&wanted("root"), &mut s).err(), Some(PassphraseError::GivenUp));
    let mut s = script(&["twelve chars", "twelve chars"]);
    assert!(p.fresh(&wanted("root"), &mut s).is_ok());
}

#[test]
fn without_a_terminal_the_error_says_what_to_use() {
    let error = Passphrases::default().existing(&wanted("root"), &mut script(&[])).err().unwrap();
    assert!(error.remedy().contains("--passphrase-file"));
    let file = private_file("snapshot=s\nroot=r\n");
    let p = Passphrases::new(Some(file.path()), &env(&[])).unwrap();
    let error = p.existing(&wanted("targets"), &mut script(&[])).err().unwrap();
    assert!(error.remedy().contains(&format!("{ID}= or targets=")), "{}", error.remedy());
    let error = p.existing(&Wanted { key_id: None, ..wanted("jeff") }, &mut script(&[])).err().unwrap();
    assert!(error.remedy().contains("with delegation=,"), "{}", error.remedy());
}

#[test]
fn a_new_passphrase_is_long_enough_wherever_it_comes_from() {
    for (file, role, ok) in [
        ("root=elevenchars\n", "root", false),
        ("root=twelve chars\n", "root", true),
        ("delegation=seven77\n", "alice", false),
        ("delegation=       7\n", "alice", false),
        ("delegation=eight888\n", "alice", true),
    ] {
        let file = private_file(file);
        let p = Passphrases::new(Some(file.path()), &env(&[])).unwrap();
        assert_eq!(p.fresh(&wanted(role), &mut script(&[])).is_ok(), ok, "{role}");
        assert!(p.existing(&wanted(role), &mut script(&[])).is_ok(), "an old key keeps the passphrase that it has");
    }
    let p = Passphrases::new(None, &env(&[("NOTARY_ROOT_PASSPHRASE", "short")])).unwrap();
    let source = Source::Variable("NOTARY_ROOT_PASSPHRASE");
    assert_eq!(p.fresh(&wanted("root"), &mut script(&[])).err(), Some(PassphraseError::TooShort { from: source, least: 12 }));
}

#[test]
fn each_fault_of_a_passphrase_file_has_its_own_words() {
    let dir = tempfile::tempdir().unwrap();
    let missing = Passphrases::new(Some(&dir.path().join("none")), &env(&[])).err().unwrap();
    assert!(matches!(missing, PassphraseError::NoFile(_)) && missing.is_usage());
    let empty = private_file("\n");
    let empty = Passphrases::new(Some(empty.path()), &env(&[])).err().unwrap();
    assert!(empty.to_string().ends_with("it is empty") && empty.remedy().contains("ROLE="), "{empty}");
}

#[test]
fn the_document_names_every_variable_of_a_passphrase() {
    let document = include_str!("../../docs/configuration.md");
    for name in VARIABLES {
        assert!(document.contains(&format!("`{name}`")), "{name}");
    }
    assert!(document.contains(&format!("at least {MIN_CHARS} characters, for a root key {MIN_CHARS_ROOT}")));
}
