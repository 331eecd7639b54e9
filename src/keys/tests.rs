use super::{problem::code, *};
use crate::{
    finding::Severity,
    secret::{Passphrase, Passphrases, Prompt},
    text::Untrusted,
    trust_dir::TrustDir,
    tuf::{
        key::Algorithm,
        material::{Message, Method},
        name::{BaseRole, Gun, KeyId},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
    path::{Path, PathBuf},
};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

fn pass(s: &str) -> Passphrase {
    Passphrase::new(s.as_bytes().to_vec())
}
fn signer(name: &str) -> KeyRole {
    KeyRole::parse(name).unwrap()
}
fn gun() -> Gun {
    Gun::new("lab.example/gold/app").unwrap()
}
fn pem(name: &str) -> Vec<u8> {
    fs::read(Path::new(FIXTURES).join("pem").join(name)).unwrap()
}
fn open(bytes: &[u8], p: Option<&str>) -> Result<PrivateKey, KeyError> {
    decode(bytes, p.map(pass).as_ref(), &|| false).map(|d| d.key)
}

/// A trust directory with one good key, and room for a bad file.
struct Desk {
    _tmp: tempfile::TempDir,
    dir: TrustDir,
    id: KeyId,
}

impl Desk {
    fn new() -> Self {
        let tmp = tempfile::tempdir().unwrap();
        let dir = TrustDir::new(tmp.path().join("trust"));
        let key = generate(NewKey::EcdsaP256).unwrap();
        store(&dir, &signer("jeff"), None, &key, &pass("gold"), Iterations::worthless()).unwrap();
        Self { _tmp: tmp, dir, id: key.id() }
    }
    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.private().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }
    /// The codes of the file's entry; the good key must still be listed, unharmed.
    fn codes(&self, path: &Path) -> BTreeSet<&'static str> {
        let listing = list(&self.dir);
        let good = listing.entries.iter().find(|e| e.path == self.dir.key_path(self.id)).expect("the good key is listed");
        assert!(good.problems.iter().all(|p| p.severity == Severity::Info || p.code == code::DUPLICATE), "{good:?}");
        let entry = listing.entries.iter().find(|e| e.path == path).unwrap_or_else(|| panic!("{path:?} was silently dropped"));
        for p in &entry.problems {
            assert!(p.text.chars().all(crate::text::is_plain), "{p:?}");
        }
        assert!(entry.problems.is_sorted_by_key(|p| std::cmp::Reverse(p.severity)));
        entry.problems.iter().map(|p| p.code).collect()
    }
}

fn hex(n: u8) -> String {
    KeyId::from_digest([n; 32]).hex()
}

/// What remains after the codes that every unencrypted openssl key without headers has.
fn of_pem(name: &str) -> BTreeSet<&'static str> {
    inspect(&pem(name)).problems.iter().map(|p| p.code).collect()
}

#[test]
fn every_openssl_variant_gives_the_key_of_its_public_half() {
    for (base, algorithm) in [
        ("ec-p256", Algorithm::EcdsaP256),
        ("ec-p384", Algorithm::EcdsaP384),
        ("rsa1024", Algorithm::Rsa(1024)),
        ("rsa2048", Algorithm::Rsa(2048)),
        ("rsa4096", Algorithm::Rsa(4096)),
    ] {
        let public = pem_file::parse(&pem(&format!("{base}.pub.pem"))).unwrap().der.to_vec();
        let old = if base.starts_with("ec") { "sec1" } else { "pkcs1" };
        let plain = [format!("{base}-pkcs8.key"), format!("{base}-{old}.key")];
        let locked =
            [format!("{base}-pkcs8-enc.key"), format!("{base}-pkcs8-enc-sha1prf.key"), format!("{base}-{old}-procenc.key")];
        for name in plain.iter().chain(&locked) {
            let key = open(&pem(name), Some("gold-delegation")).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!((key.public().public_bytes(), key.algorithm()), (&public[..], algorithm), "{name}");
        }
        for name in &plain {
            let said = inspect(&pem(name));
            assert_eq!((said.algorithm, said.id), (Some(algorithm), Some(open(&pem(name), None).unwrap().id())), "{name}");
        }
        for name in &locked {
            assert!(matches!(open(&pem(name), Some("wrong")), Err(KeyError::WrongPassphrase)), "{name}");
            assert!(matches!(open(&pem(name), None), Err(KeyError::PassphraseNeeded)), "{name}");
            let said = inspect(&pem(name));
            assert_eq!((said.algorithm, said.id), (None, None), "{name}");
        }
    }
}

#[test]
fn ed25519_of_rfc_8410_is_read_and_said_to_be_of_no_use_to_notary() {
    let public = pem_file::parse(&pem("ed25519.pub.pem")).unwrap().der.to_vec();
    for name in ["ed25519-pkcs8.key", "ed25519-pkcs8-enc.key", "ed25519-pkcs8-enc-sha1prf.key"] {
        let key = open(&pem(name), Some("gold-delegation")).unwrap();
        assert!(public.ends_with(key.public().public_bytes()), "{name}");
    }
    assert!(of_pem("ed25519-pkcs8.key").contains(code::NOT_FOR_NOTARY));
}

#[test]
fn files_that_are_no_key_are_said_to_be_none() {
    assert!(of_pem("empty.key").contains(code::EMPTY));
    assert!(of_pem("garbage.key").contains(code::DAMAGED));
    for name in ["ec-p256-sec1-withparams.key", "ec-p384-sec1-withparams.key", "ec-p256-selfsigned.crt", "rsa2048.pub.pem"] {
        let expected = [code::NOT_A_KEY].into_iter().chain(name.contains("with").then_some(code::MORE_BLOCKS)).collect();
        assert_eq!(of_pem(name), expected, "{name}");
        assert!(matches!(open(&pem(name), None), Err(KeyError::Unsupported(_))), "{name}");
    }
    assert!(of_pem("ec-p256-selfsigned.der").contains(code::DAMAGED));
    assert!(of_pem("ec-p256-key+cert.pem").contains(code::MORE_BLOCKS));
    assert!(open(&pem("ec-p256-key+cert.pem"), None).is_ok());
}

#[test]
fn what_openssl_encrypts_by_default_notary_cannot_read_and_that_is_said() {
    assert_eq!(of_pem("ec-p256-pkcs8-enc.key"), BTreeSet::from([code::NOT_FOR_NOTARY, code::WEAK_DERIVATION]));
    assert_eq!(of_pem("ec-p256-pkcs8-enc-sha1prf.key"), BTreeSet::from([code::WEAK_DERIVATION]));
    assert_eq!(of_pem("ec-p256-sec1-procenc.key"), BTreeSet::from([code::WEAK_DERIVATION]));
}

#[test]
fn every_old_pem_cipher_is_read() {
    use cbc::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
    use md5::{Digest, Md5};
    let plain = pem_file::parse(&pem("ec-p256-sec1.key")).unwrap().der.to_vec();
    let want = open(&pem("ec-p256-sec1.key"), None).unwrap().id();
    let iv: Vec<u8> = (1..=16).collect();
    let mut key = Vec::new();
    while key.len() < 32 {
        let last = key.len().checked_sub(16).map(|at| key[at..].to_vec()).unwrap_or_default();
        key.extend(Md5::digest([&last[..], b"gold", &iv[..8]].concat()));
    }
    macro_rules! enc {
        ($c:ty, $k:expr, $b:expr) => {
            cbc::Encryptor::<$c>::new_from_slices(&key[..$k], &iv[..$b]).unwrap().encrypt_padded_vec::<Pkcs7>(&plain)
        };
    }
    for (name, block, data) in [
        ("DES-CBC", 8, enc!(des::Des, 8, 8)),
        ("DES-EDE3-CBC", 8, enc!(des::TdesEde3, 24, 8)),
        ("AES-128-CBC", 16, enc!(aes::Aes128, 16, 16)),
        ("AES-192-CBC", 16, enc!(aes::Aes192, 24, 16)),
        ("AES-256-CBC", 16, enc!(aes::Aes256, 32, 16)),
    ] {
        let info = format!("{name},{}", base16ct::upper::encode_string(&iv[..block]));
        let text = pem_file::write("EC PRIVATE KEY", &[("Proc-Type", "4,ENCRYPTED"), ("DEK-Info", &info)], &data);
        assert_eq!(open(text.as_bytes(), Some("gold")).unwrap().id(), want, "{name}");
        assert!(open(text.as_bytes(), Some("wrong")).is_err(), "{name}");
    }
    for info in ["AES-256-CBC", "AES-256-CBC,00", "AES-256-CBC,zz", "RC2-CBC,0011223344556677", ""] {
        let text = pem_file::write("EC PRIVATE KEY", &[("DEK-Info", info)], &[0; 32]);
        assert!(matches!(open(text.as_bytes(), Some("gold")), Err(KeyError::Damaged(_) | KeyError::Unsupported(_))), "{info}");
    }
}

#[test]
fn every_kind_of_key_survives_notarys_form_signs_and_verifies() {
    let p521 = p521::SecretKey::from_slice(&[1; 66]).unwrap();
    let keys = [
        generate(NewKey::EcdsaP256).unwrap(),
        open(&pem("ec-p384-pkcs8.key"), None).unwrap(),
        PrivateKey::new(private::Numbers::P521(p521)).unwrap(),
        open(&pem("rsa2048-pkcs8.key"), None).unwrap(),
        open(&pem("ed25519-pkcs8.key"), None).unwrap(),
    ];
    for key in keys {
        let der = key.to_pkcs8().unwrap();
        let again = inner::decode(inner::Form::Pkcs8, &der, false).unwrap();
        assert_eq!(again.id(), key.id());
        assert_eq!(*again.to_pkcs8().unwrap(), *der);
        let s = again.sign(b"payload").unwrap();
        let method = match key.algorithm() {
            Algorithm::Rsa(_) => Method::RsaPss,
            Algorithm::Ed25519 => Method::EdDsa,
            _ => Method::Ecdsa,
        };
        assert_eq!(s.method, method);
        let verify = |m: &[u8]| key.public().material().verify(&s.method, &Message::new(m), &s.bytes);
        assert!(verify(b"payload") && !verify(b"Payload"), "{}", key.algorithm());
        let width = match key.algorithm() {
            Algorithm::EcdsaP384 => 96,
            Algorithm::EcdsaP521 => 132,
            Algorithm::Rsa(_) => 256,
            _ => 64,
        };
        assert_eq!(s.bytes.len(), width);
        let t = prove(&again).unwrap();
        assert!(t.line.starts_with("claviger-test-v1 sha256:") && t.line.len() == 24 + 64 && t.id == key.id());
    }
}

#[test]
fn the_inner_form_is_notarys_byte_for_byte() {
    for (dir, p) in [("docker-trust", "gold-drepo"), ("notary-full", "gold-delegation")] {
        let ana = "4d8255dfc972e6d2840d23dbc2db013c206881d24a0776cfd7dfde96a1aba5a0";
        let jeff = "29fe684c5c3c3658d57f08f6a7d782a12f7a678256856aaa77c41e94bbe42274";
        for id in [ana, jeff] {
            let bytes = fs::read(format!("{FIXTURES}/trustdirs/{dir}/private/{id}.key")).unwrap();
            let block = pem_file::parse(&bytes).unwrap();
            let plain = envelope::Envelope::parse(&block.der).unwrap().decrypt(&pass(p), &|| false).unwrap();
            assert_eq!(*open(&bytes, Some(p)).unwrap().to_pkcs8().unwrap(), *plain, "{dir} {id}");
            // And the file that we would write differs only in salt, vector and content: same headers, same length.
            let d = decode(&bytes, Some(&pass(p)), &|| false).unwrap();
            let ours = encode(&signer(d.role.unwrap().raw()), None, &d.key, &pass(p), Iterations::worthless()).unwrap();
            assert_eq!(ours.len(), bytes.len());
            assert!(ours.starts_with(&bytes[..bytes.iter().position(|b| *b == b'M').unwrap()]));
        }
    }
}

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
        encode(&signer("jeff"), None, &generate(NewKey::EcdsaP256).unwrap(), &pass("gold"), Iterations::worthless()).unwrap(),
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

struct Script(Vec<&'static str>, usize);
impl Prompt for Script {
    fn ask(&mut self, text: &str) -> Result<Passphrase, crate::secret::PassphraseError> {
        assert!(text.contains("jeff key"), "{text}");
        self.1 += 1;
        if self.0.is_empty() { Err(crate::secret::PassphraseError::NoTerminal) } else { Ok(pass(self.0.remove(0))) }
    }
    fn note(&mut self, _: &str) {}
}

#[test]
fn a_person_may_try_three_times_and_a_variable_once() {
    let d = Desk::new();
    let entry = list(&d.dir).entries.remove(0);
    let none = Passphrases::default();
    let mut s = Script(vec!["no", "nor this", "gold"], 0);
    assert_eq!(unlock_asking(&entry, &none, &mut s, &|| false).unwrap().id(), d.id);
    let mut s = Script(vec!["1", "2", "3", "gold"], 0);
    assert!(matches!(unlock_asking(&entry, &none, &mut s, &|| false), Err(KeyError::WrongPassphrase)));
    assert_eq!(s.1, 3);
    let environment = BTreeMap::from([("NOTARY_DELEGATION_PASSPHRASE".into(), "wrong".into())]);
    let wrong = Passphrases::new(None, &environment).unwrap();
    let mut s = Script(vec!["gold"], 0);
    assert!(matches!(unlock_asking(&entry, &wrong, &mut s, &|| false), Err(KeyError::WrongPassphrase)));
    assert_eq!(s.1, 0, "a person is not asked when a variable is wrong");
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
