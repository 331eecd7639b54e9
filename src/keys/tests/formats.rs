//! Every form in which a key comes is read, and ours is the one that notary writes.
use super::*;

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
            let ours =
                encode(&signer(d.role.unwrap().raw()), None, &d.key, &pass(p), Iterations::worthless(), &|| false).unwrap();
            assert_eq!(ours.len(), bytes.len());
            assert!(ours.starts_with(&bytes[..bytes.iter().position(|b| *b == b'M').unwrap()]));
        }
    }
}
