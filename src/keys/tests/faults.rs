//! What is wrong with a file is said, and the others are listed all the same.
use super::*;

#[test]
fn weak_keys_are_shown_and_never_sign_and_are_never_stored() {
    let p224 = PrivateKey::new(private::Numbers::P224(p224::SecretKey::from_slice(&[1; 28]).unwrap())).unwrap();
    let rsa = open(&pem("rsa1024-pkcs8.key"), None).unwrap();
    let tmp = tempfile::tempdir().unwrap();
    for key in [p224, rsa] {
        assert!(matches!(key.sign(b"x"), Err(KeyError::TooWeak(_))));
        assert!(matches!(prove(&key), Err(KeyError::TooWeak(_))));
        let text = pem_file::write("PRIVATE KEY", &[("role", "jeff")], &key.to_pkcs8().unwrap());
        let said = inspect(text.as_bytes());
        assert_eq!(said.id, Some(key.id()));
        assert!(said.problems.iter().any(|p| p.code == code::WEAK_KEY && p.severity == Severity::Error), "{said:?}");
        let stored =
            store(&TrustDir::new(tmp.path().join("t")), &signer("jeff"), None, &key, &pass("gold"), Iterations::worthless());
        assert!(matches!(stored, Err(KeyError::TooWeak(_))));
    }
    assert!(!tmp.path().join("t").exists());
}

#[test]
fn what_is_wrong_with_a_file_is_said_and_the_others_are_still_listed() {
    let d = Desk::new();
    let good = fs::read(d.dir.key_path(d.id)).unwrap();
    let name = |n: u8| format!("{}.key", hex(n));
    let has = |path: PathBuf, codes: &[&'static str]| assert_eq!(d.codes(&path), codes.iter().copied().collect(), "{path:?}");

    has(d.put(&name(1), b""), &[code::EMPTY]);
    has(d.put(&name(2), b"garbage"), &[code::DAMAGED]);
    has(d.put(&name(3), &good[..good.len() / 2]), &[code::DAMAGED]);
    has(d.put(&name(4), &vec![b'x'; 2 << 20]), &[code::OVERSIZED]);
    let edge = d.put(&name(4), &vec![b'x'; 1 << 20]);
    has(edge, &[code::DAMAGED]);
    has(d.put(&name(4), &vec![b'x'; (1 << 20) + 1]), &[code::OVERSIZED]);
    has(d.put("not an id.key", &good), &[code::NAME, code::WEAK_DERIVATION]);
    has(d.put(&format!("{}.key", hex(0xab).to_uppercase()), &good), &[code::NAME, code::WEAK_DERIVATION]);
    let raw = d.dir.private().join(std::ffi::OsStr::from_bytes(b"\xff\x1b[2J.key"));
    fs::copy(d.dir.key_path(d.id), &raw).unwrap();
    has(raw, &[code::NAME, code::WEAK_DERIVATION]);

    // Things that are no files.
    let fifo = d.dir.private().join(name(5));
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR, 0)
        .unwrap();
    has(fifo, &[code::NOT_A_FILE]);
    let directory = d.dir.private().join(name(6));
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
    has(directory, &[code::NOT_A_FILE]);
    let socket = d.dir.private().join(name(7));
    // A socket's path must be short; bind it in place by a relative name.
    let _listener = std::os::unix::net::UnixListener::bind(d.dir.path().join("s")).unwrap();
    fs::rename(d.dir.path().join("s"), &socket).unwrap();
    has(socket, &[code::NOT_A_FILE]);
    for (n, target) in [(8, d.dir.key_path(d.id)), (9, "/nowhere".into()), (10, "/dev/zero".into()), (11, "/".into())] {
        let link = d.dir.private().join(name(n));
        symlink(target, &link).unwrap();
        has(link, &[code::SYMLINK]);
    }
    let link = d.dir.private().join("elsewhere");
    symlink("/tmp", &link).unwrap();
    has(link, &[code::NAME, code::SYMLINK]);

    // Places.
    has(d.put(&format!("sub/{}", name(12)), &good), &[code::SUBDIRECTORY, code::WEAK_DERIVATION]);
    has(d.put(&format!("tuf_keys/a/b/{}_targets.key", hex(13)), &good), &[code::LEGACY_LAYOUT, code::WEAK_DERIVATION]);
    let twice = d.put(&format!("sub/{}.key", d.id), &good);
    has(twice, &[code::SUBDIRECTORY, code::DUPLICATE, code::WEAK_DERIVATION]);
}

#[test]
fn what_is_wrong_with_a_keys_labels_is_said() {
    let d = Desk::new();
    let der = generate(NewKey::EcdsaP256).unwrap().to_pkcs8().unwrap();
    let sealed = envelope::encrypt(&der, &pass("gold"), ITERATIONS, &|| false).unwrap();
    let check = |n: u8, headers: &[(&str, &str)], codes: &[&'static str]| {
        let path = d.put(&format!("{}.key", hex(n)), pem_file::write("ENCRYPTED PRIVATE KEY", headers, &sealed).as_bytes());
        assert_eq!(d.codes(&path), codes.iter().copied().collect(), "{headers:?}");
    };
    for role in ["root", "jeff", "delegation", "targets/jeff", "targets/a/b", "bogus"] {
        check(1, &[("role", role)], &[]);
    }
    for role in ["targets", "snapshot", "timestamp"] {
        check(2, &[("role", role), ("gun", "a/b")], &[]);
        check(2, &[("role", role)], &[code::GUN_MISSING]);
    }
    check(3, &[], &[code::ROLE_MISSING]);
    for role in ["Root", "a b", "targets/", "\u{1b}[2Jroot", "roo\u{202e}t", "../x"] {
        check(4, &[("role", role)], &[code::ROLE_UNKNOWN]);
    }
    for gun in ["../../etc", "a//b", "a\u{202e}b", "/x", "\u{1b}]0;x"] {
        check(5, &[("role", "targets"), ("gun", gun)], &[code::GUN_INVALID]);
    }
    let entry = list(&d.dir).entries.into_iter().find(|e| e.id == Some(KeyId::from_digest([5; 32]))).unwrap();
    assert_eq!(entry.gun(), None);
    assert_eq!(entry.gun_claimed, Some(Untrusted::new("\u{1b}]0;x")));
}

#[test]
fn an_unencrypted_key_that_is_not_the_one_it_is_named_is_an_error() {
    let d = Desk::new();
    for kind in ["ec-p256-pkcs8.key", "ec-p384-sec1.key", "rsa2048-pkcs1.key", "ed25519-pkcs8.key"] {
        let key = open(&pem(kind), None).unwrap();
        let right = d.put(&format!("{}.key", key.id()), &pem(kind));
        assert!(d.codes(&right).contains(code::UNENCRYPTED) && !d.codes(&right).contains(code::WRONG_CONTENT), "{kind}");
        let wrong = d.put(&format!("{}.key", hex(1)), &pem(kind));
        let codes = d.codes(&wrong);
        assert!(codes.contains(code::WRONG_CONTENT) && codes.contains(code::UNENCRYPTED), "{kind}: {codes:?}");
        let entry = list(&d.dir).entries.into_iter().find(|e| e.path == wrong).unwrap();
        assert_eq!(entry.severity(), Some(Severity::Error));
        assert!(matches!(unlock(&entry, None), Err(KeyError::NotItsName { .. })));
    }
}

#[test]
fn an_encrypted_key_that_is_not_the_one_it_is_named_is_refused_at_every_unlock() {
    let d = Desk::new();
    let path = d.put(&format!("{}.key", hex(1)), &fs::read(d.dir.key_path(d.id)).unwrap());
    let entries = list(&d.dir).entries;
    let entry = |p: &Path| entries.iter().find(|e| e.path == p).unwrap();
    for _ in 0..2 {
        let error = unlock(entry(&path), Some(&pass("gold"))).err().unwrap();
        assert!(
            matches!(error, KeyError::NotItsName { name, content } if name == KeyId::from_digest([1; 32]) && content == d.id)
        );
    }
    let fine = entry(&d.dir.key_path(d.id)).clone();
    assert_eq!(prove(&unlock(&fine, Some(&pass("gold"))).unwrap()).unwrap().id, d.id);
    assert!(matches!(unlock(&fine, Some(&pass("no"))), Err(KeyError::WrongPassphrase)));
    // Swapped after the listing: the check is made on what is opened.
    fs::write(
        &fine.path,
        encode(&signer("jeff"), None, &generate(NewKey::EcdsaP256).unwrap(), &pass("gold"), Iterations::worthless(), &|| false)
            .unwrap(),
    )
    .unwrap();
    assert!(matches!(unlock(&fine, Some(&pass("gold"))), Err(KeyError::NotItsName { .. })));
    fs::remove_file(&fine.path).unwrap();
    symlink(&path, &fine.path).unwrap();
    assert!(matches!(unlock(&fine, Some(&pass("gold"))), Err(KeyError::File { .. })));
}

#[test]
fn hostile_encryption_parameters_are_named() {
    let d = Desk::new();
    let key = generate(NewKey::EcdsaP256).unwrap();
    let sealed = envelope::encrypt(&key.to_pkcs8().unwrap(), &pass("gold"), ITERATIONS, &|| false).unwrap();
    let check = |n: u8, der: &[u8], codes: &[&'static str]| {
        let path =
            d.put(&format!("{}.key", hex(n)), pem_file::write("ENCRYPTED PRIVATE KEY", &[("role", "jeff")], der).as_bytes());
        assert_eq!(d.codes(&path), codes.iter().copied().collect());
        let entry = list(&d.dir).entries.into_iter().find(|e| e.path == path).unwrap();
        assert_eq!(entry.encrypted(), Some(true));
        unlock(&entry, Some(&pass("gold"))).err()
    };
    let replace = |from: &[u8], to: &[u8]| {
        let at = sealed.windows(from.len()).position(|w| w == from).unwrap();
        let mut v = sealed.clone();
        v[at..at + from.len()].copy_from_slice(to);
        v
    };
    assert!(matches!(check(1, &sealed, &[]), Some(KeyError::NotItsName { .. })));
    let aes256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];
    let aes = |last: u8| [&aes256[..8], &[last]].concat();
    assert!(
        matches!(check(3, &replace(aes256, &aes(0x2e)), &[code::UNSUPPORTED]), Some(KeyError::Unsupported(_))),
        "AES-256-GCM"
    );
    let cut = {
        // Two bytes off the ciphertext, and off every length around it.
        let mut v = sealed.clone();
        v.truncate(v.len() - 2);
        let data = envelope::Envelope::parse(&sealed).unwrap().data.len();
        let at = sealed.len() - data;
        v[at - 1] -= 2;
        v[2] -= 2;
        v
    };
    assert!(matches!(check(4, &cut, &[code::CRASHES_NOTARY]), Some(KeyError::Damaged(_))));
    assert!(matches!(check(5, &[0x30, 0], &[code::DAMAGED]), Some(KeyError::Damaged(_))));
}

#[test]
fn an_absurd_number_of_rounds_is_named_and_never_begun() {
    let d = Desk::new();
    let block = pem_file::parse(&pem("ec-p256-pkcs8-enc.key")).unwrap();
    // 2048 as an INTEGER of two bytes becomes one of four: the lengths around it grow by two.
    let der = &block.der;
    let at = der.windows(4).position(|w| w == [2, 2, 8, 0]).unwrap();
    let mut v = [&der[..at], &[2, 4, 0x7f, 0xff, 0xff, 0xff], &der[at + 4..]].concat();
    let mut fixed = 0;
    for i in 0..at {
        if v[i] == 0x30 && v[i + 1] < 0x80 && i + 2 + usize::from(v[i + 1]) >= at && i + 2 + usize::from(v[i + 1]) < v.len() {
            v[i + 1] += 2;
            fixed += 1;
        }
    }
    assert_eq!((v[0], v[1], fixed), (0x30, 0x81, 4));
    v[2] += 2;
    let path = d.put(&format!("{}.key", hex(1)), pem_file::write("ENCRYPTED PRIVATE KEY", &[("role", "jeff")], &v).as_bytes());
    assert_eq!(d.codes(&path), BTreeSet::from([code::NOT_FOR_NOTARY, code::ITERATIONS]));
    let entry = list(&d.dir).entries.into_iter().find(|e| e.path == path).unwrap();
    assert!(matches!(unlock(&entry, Some(&pass("gold"))), Err(KeyError::TooManyIterations(0x7fff_ffff))));
}

#[test]
fn a_file_or_directory_that_is_open_to_others_is_said() {
    let d = Desk::new();
    let path = d.put(&format!("{}.key", hex(1)), &pem("ec-p256-pkcs8-enc-sha1prf.key"));
    let plain = d.put(&format!("{}.key", hex(2)), &pem("ec-p256-pkcs8.key"));
    for mode in [0o640, 0o604, 0o620, 0o666] {
        for p in [&path, &plain] {
            fs::set_permissions(p, fs::Permissions::from_mode(mode)).unwrap();
            assert!(d.codes(p).contains(code::OPEN_TO_OTHERS), "{mode:o}");
        }
        let entry = list(&d.dir).entries.into_iter().find(|e| e.path == path).unwrap();
        let worst = entry.problems.iter().find(|p| p.code == code::OPEN_TO_OTHERS).unwrap();
        assert_eq!(worst.severity, if mode & 0o022 != 0 { Severity::Error } else { Severity::Warn });
        assert!(worst.text.contains("chmod 600"));
    }
    assert_eq!(list(&d.dir).problems, []);
    fs::set_permissions(d.dir.private(), fs::Permissions::from_mode(0o750)).unwrap();
    let listing = list(&d.dir);
    assert_eq!((listing.problems[0].code, listing.problems[0].severity), (code::DIRECTORY_OPEN_TO_OTHERS, Severity::Warn));
    fs::set_permissions(d.dir.private(), fs::Permissions::from_mode(0o770)).unwrap();
    assert_eq!(list(&d.dir).problems[0].severity, Severity::Error);
}

#[test]
fn a_private_directory_that_is_a_link_or_no_directory_is_said() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = TrustDir::new(tmp.path());
    symlink(FIXTURES, dir.private()).unwrap();
    let l = list(&dir);
    assert_eq!((l.entries.len(), l.problems[0].code), (0, code::SYMLINK));
    fs::remove_file(dir.private()).unwrap();
    fs::write(dir.private(), b"").unwrap();
    assert_eq!(list(&dir).problems[0].code, code::DIRECTORY_UNREADABLE);
}

#[test]
fn a_file_that_the_system_will_not_give_is_said() {
    // Permissions do not stop a superuser who runs the tests; a file that goes between listing and reading takes the
    // same road.
    let d = Desk::new();
    let path = d.put(&format!("{}.key", hex(1)), b"x");
    let walk = d.dir.walk_private();
    fs::remove_file(&path).unwrap();
    let found = walk.found.into_iter().find(|f| f.path == path).unwrap();
    let entry = KeyEntry::examine(found);
    assert_eq!(entry.problems[0].code, code::UNREADABLE);
    assert!(matches!(unlock(&entry, None), Err(KeyError::File { .. })));
}

#[test]
fn many_files_are_listed_in_the_order_of_their_names() {
    let d = Desk::new();
    let bytes = fs::read(d.dir.key_path(d.id)).unwrap();
    for n in 0..300u32 {
        let mut digest = [0; 32];
        digest[..4].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
        d.put(&format!("{}.key", KeyId::from_digest(digest)), &bytes);
    }
    let listing = list(&d.dir);
    assert_eq!(listing.entries.len(), 301);
    assert!(listing.entries.is_sorted_by_key(|e| e.path.clone()));
    assert_eq!(list(&d.dir), listing);
}
