//! What is stored can be found, opened and trusted; who opens it may be asked.
use super::*;

#[test]
fn the_same_key_is_stored_once_and_never_under_another_role() {
    let d = Desk::new();
    let key = generate(NewKey::EcdsaP256).unwrap();
    let few = Iterations::worthless();
    let put = |role: &str, gun: Option<&Gun>| store(&d.dir, &KeyRole::parse(role).unwrap(), gun, &key, &pass("gold"), few);
    assert!(matches!(put("targets", None), Err(KeyError::GunNeeded("targets"))));
    let Stored::New(path) = put("targets", Some(&gun())).unwrap() else { panic!() };
    let first = fs::read(&path).unwrap();
    assert_eq!(put("targets", Some(&gun())).unwrap(), Stored::AlreadyThere(path.clone()));
    assert!(matches!(put("jeff", None), Err(KeyError::OtherRole { .. })));
    assert!(matches!(put("targets", Some(&Gun::new("other").unwrap())), Err(KeyError::OtherRole { .. })));
    assert_eq!(fs::read(&path).unwrap(), first);
    // A second copy elsewhere changes nothing.
    let copy = d.put(&format!("a/{}.key", key.id()), &first);
    assert_eq!(put("targets", Some(&gun())).unwrap(), Stored::AlreadyThere(path.clone()));
    fs::remove_file(copy).unwrap();
    // A key in another place is in the way too, and so is a file that is no key.
    fs::create_dir_all(d.dir.private().join("sub")).unwrap();
    fs::rename(&path, d.dir.private().join("sub").join(path.file_name().unwrap())).unwrap();
    assert!(matches!(put("targets", Some(&gun())), Err(KeyError::InTheWay { .. })));
    fs::remove_dir_all(d.dir.private().join("sub")).unwrap();
    fs::write(&path, b"").unwrap();
    assert!(matches!(put("targets", Some(&gun())), Err(KeyError::InTheWay { .. })));
    assert!(matches!(store(&d.dir, &signer("x"), None, &key, &pass(""), few), Err(KeyError::EmptyPassphrase)));
}

#[test]
fn a_stored_key_has_the_headers_of_its_role() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = TrustDir::new(tmp.path());
    for (role, expected) in [
        ("root", "role: root\n\n"),
        ("targets", "gun: lab.example/gold/app\nrole: targets\n\n"),
        ("snapshot", "gun: lab.example/gold/app\nrole: snapshot\n\n"),
        ("jeff", "role: jeff\n\n"),
        ("targets/jeff", "role: jeff\n\n"),
    ] {
        let key = generate(NewKey::EcdsaP256).unwrap();
        let gun = gun();
        let Stored::New(path) =
            store(&dir, &KeyRole::parse(role).unwrap(), Some(&gun), &key, &pass("gold"), Iterations::worthless()).unwrap()
        else {
            panic!()
        };
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(&format!("-----BEGIN ENCRYPTED PRIVATE KEY-----\n{expected}")), "{text}");
        assert!(text.ends_with("-----END ENCRYPTED PRIVATE KEY-----\n") && !text.contains('\r'));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(path, dir.key_path(key.id()));
    }
    for bad in ["", "Root", "a b", "-x", "a/b", "targets/a/b", "é", "../x", "targets/"] {
        assert!(KeyRole::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn rounds_are_never_fewer_than_decided() {
    let root = KeyRole::Base(BaseRole::Root);
    assert_eq!(format!("{:?}", Iterations::for_role(&root)), "Iterations(1300000)");
    assert_eq!(format!("{:?}", Iterations::for_role(&signer("jeff"))), "Iterations(600000)");
}

#[test]
fn the_public_half_is_written_once_with_its_name() {
    let tmp = tempfile::tempdir().unwrap();
    let key = generate(NewKey::EcdsaP256).unwrap();
    let path = write_public(tmp.path(), &signer("dave"), key.public()).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("-----BEGIN PUBLIC KEY-----\nrole: dave\n\n"));
    assert_eq!(&*pem_file::parse(text.as_bytes()).unwrap().der, key.public().public_bytes());
    assert!(matches!(write_public(tmp.path(), &signer("dave"), key.public()), Err(KeyError::Write { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    // The same shape as docker's own.
    let docker = fs::read_to_string(format!("{FIXTURES}/trustdirs/dave.pub")).unwrap();
    assert_eq!(docker.lines().count(), text.lines().count());
    assert_eq!(docker.len(), text.len());
    assert!(write_public(tmp.path(), &KeyRole::Base(BaseRole::Root), key.public()).is_err());
}

#[test]
fn a_long_derivation_can_be_stopped() {
    let d = Desk::new();
    let key = generate(NewKey::EcdsaP256).unwrap();
    let der = envelope::encrypt(&key.to_pkcs8().unwrap(), &pass("gold"), 20_000, &|| false).unwrap();
    d.put(&format!("{}.key", key.id()), pem_file::write("ENCRYPTED PRIVATE KEY", &[("role", "jeff")], &der).as_bytes());
    let entry = list(&d.dir).entries.into_iter().find(|e| e.id == Some(key.id())).unwrap();
    assert!(matches!(unlock_until(&entry, Some(&pass("gold")), &|| true), Err(KeyError::Stopped)));
    assert!(unlock_until(&entry, Some(&pass("gold")), &|| false).is_ok());
}

#[test]
fn generated_rsa_keys_have_the_size_that_was_asked() {
    assert_eq!(generate(NewKey::Rsa2048).unwrap().algorithm(), Algorithm::Rsa(2048));
    assert_eq!(NewKey::parse("rsa4096"), Some(NewKey::Rsa4096));
    assert_eq!(NewKey::parse("rsa1024"), None);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]
    #[test]
    fn what_is_stored_is_listed_and_unlocks_and_only_with_its_passphrase(
        role in "root|targets|snapshot|[a-z0-9][a-z0-9_-]{0,20}",
        phrase in "\\PC{1,40}", other in "\\PC{1,40}", name in "[a-z]{1,8}(\\.[a-z]{1,5})?(:[0-9]{1,4})?/[a-zé]{1,10}",
    ) {
        let tmp = tempfile::tempdir().unwrap();
        let dir = TrustDir::new(tmp.path());
        let role = KeyRole::parse(&role).unwrap();
        let gun = Gun::new(&name).unwrap();
        let key = generate(NewKey::EcdsaP256).unwrap();
        store(&dir, &role, Some(&gun), &key, &pass(&phrase), Iterations::worthless()).unwrap();
        let listing = list(&dir);
        proptest::prop_assert_eq!(listing.entries.len(), 1);
        let e = &listing.entries[0];
        proptest::prop_assert_eq!(e.role.as_ref().map(Untrusted::raw), Some(role.as_str()));
        proptest::prop_assert_eq!(e.gun(), role.has_gun().then_some(gun));
        proptest::prop_assert_eq!(e.severity(), Some(Severity::Info));
        proptest::prop_assert_eq!(unlock(e, Some(&pass(&phrase))).unwrap().id(), key.id());
        if other != phrase {
            proptest::prop_assert!(matches!(unlock(e, Some(&pass(&other))), Err(KeyError::WrongPassphrase)));
        }
    }

    #[test]
    fn a_damaged_file_is_an_error_and_never_another_key(at in 0usize..420, to: u8) {
        let bytes = fs::read(format!("{FIXTURES}/trustdirs/docker-trust/private/29fe684c5c3c3658d57f08f6a7d782a12f7a678256856aaa77c41e94bbe42274.key")).unwrap();
        let mut v = bytes.clone();
        let at = at % v.len();
        v[at] = to;
        let _ = inspect(&v);
        if let Ok(d) = decode(&v, Some(&pass("gold-drepo")), &|| false) {
            proptest::prop_assert_eq!(d.key.id().hex(), "29fe684c5c3c3658d57f08f6a7d782a12f7a678256856aaa77c41e94bbe42274");
        }
    }
}
