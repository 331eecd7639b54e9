//! Files that hold a private key in a form that is not read here: recognised by what is in them, whatever they are called,
//! and answered with the line that converts them.
//!
//! PKCS#12 is left to OpenSSL on purpose: the reader that there is stands on unfinished crates, has no limit on what it derives
//! and erases nothing.
use super::{
    KeyError,
    envelope::Envelope,
    inner::{self, Form},
    pem_file::PemFile,
};
use crate::trust_dir::typed;
use std::path::Path;

/// A sequence, and its version 3.
const SEQUENCE: u8 = 0x30;
const VERSION_3: &[u8] = &[2, 1, 3];
/// The types that the content of a PKCS#12 file may have: data, for a passphrase, and signed data.
const CONTENTS: [&[u8]; 2] = [b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"];
/// What the old encryption schemes of PKCS#12 begin with, and those that OpenSSL 3 knows only as legacy: RC4 and RC2.
const OLD_SCHEMES: &[u8] = b"\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01";
const LEGACY: [u8; 4] = [1, 2, 5, 6];
/// What is converted first, if nothing has the name yet.
const CONVERTED: &str = "key";

/// A form that is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// PKCS#12: `.p12`, `.pfx`.
    Pkcs12 {
        /// Whether it is wrapped in PEM, which `openssl` does not expect of it.
        in_pem: bool,
        /// Whether OpenSSL 3 opens it only with `-legacy`.
        is_legacy: bool,
    },
    /// A private key in DER: what PEM would wrap.
    Der,
}

impl Foreign {
    /// What a file without PEM is, if it is one of these.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        pkcs12(bytes, false).or_else(|| is_key(bytes).then_some(Self::Der))
    }

    /// What a PEM block is that is no private key.
    pub(super) fn of_block(pem: &PemFile) -> Option<Self> {
        pkcs12(&pem.der, true)
    }

    /// The line for a shell that makes PEM of it: encrypted, with a passphrase that `openssl` asks for, in a file that nobody
    /// else can read.
    pub fn conversion(self, file: &Path, to: &Path) -> String {
        let (from, to) = (typed(file), typed(to));
        // The cipher is named: with `-legacy`, and before OpenSSL 3, the result would have one that nothing should have today.
        let line = match self {
            Self::Pkcs12 { in_pem, is_legacy } => {
                let legacy = if is_legacy { " -legacy" } else { "" };
                match in_pem {
                    true => {
                        format!("sed /^-----/d {from} | openssl base64 -d | openssl pkcs12{legacy} -nocerts -aes256 -out {to}")
                    }
                    false => format!("openssl pkcs12{legacy} -in {from} -nocerts -aes256 -out {to}"),
                }
            }
            Self::Der => format!("openssl pkey -inform DER -in {from} -aes256 -out {to}"),
        };
        format!("(umask 077; {line})")
    }

    /// A name for the result that nothing has: `openssl` overwrites without asking.
    pub fn converted() -> String {
        let name = |n: u32| if n == 1 { format!("{CONVERTED}.pem") } else { format!("{CONVERTED}-{n}.pem") };
        let free = |name: &String| Path::new(name).symlink_metadata().is_err();
        (1..100).map(name).find(free).unwrap_or_else(|| name(100))
    }
}

impl std::fmt::Display for Foreign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pkcs12 { .. } => "it is PKCS#12, which claviger does not read",
            Self::Der => "it holds a private key in DER, and only PEM is read",
        })
    }
}

fn pkcs12(bytes: &[u8], in_pem: bool) -> Option<Foreign> {
    let content = inside(inside(bytes)?.strip_prefix(VERSION_3)?)?;
    CONTENTS.iter().any(|of| content.starts_with(of)).then(|| Foreign::Pkcs12 { in_pem, is_legacy: is_legacy(bytes) })
}

/// What follows the head of a sequence. Its length is not looked at: many programs write PKCS#12 with lengths that are left
/// open, which is no DER and which no reader of DER takes, and a file that is cut off is still none for us.
fn inside(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.strip_prefix(&[SEQUENCE])?.split_first()?;
    match length {
        0..=0x80 => Some(rest),
        more => rest.get(usize::from(more & 0x7f)..),
    }
}

/// Whether one of the schemes that OpenSSL 3 sets aside is named. A name that only looks so costs nothing: with `-legacy`
/// everything else is opened as well.
fn is_legacy(bytes: &[u8]) -> bool {
    let named = |at: usize| bytes.get(at + OLD_SCHEMES.len()).is_some_and(|scheme| LEGACY.contains(scheme));
    memchr::memmem::find_iter(bytes, OLD_SCHEMES).any(named)
}

fn is_key(der: &[u8]) -> bool {
    let known = |read: Result<(), KeyError>| matches!(read, Ok(()) | Err(KeyError::Unsupported(_)));
    let forms = [Form::Pkcs8, Form::Sec1, Form::Pkcs1];
    forms.into_iter().any(|form| known(inner::glance(form, der).map(drop))) || known(Envelope::parse(der).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{NewKey, generate};

    /// The head of a PKCS#12 file, with lengths written in three ways.
    fn heads() -> Vec<Vec<u8>> {
        let kinds = [[0x30, 0x80].as_slice(), &[0x30, 0x82, 4, 0xd2], &[0x30, 0x7f]];
        kinds.iter().flat_map(|k| CONTENTS.map(|c| [k, VERSION_3, k, c].concat())).collect()
    }

    #[test]
    fn pkcs12_is_recognised_however_its_lengths_are_written_and_nothing_shorter_is() {
        for head in heads() {
            assert_eq!(Foreign::of(&head), Some(Foreign::Pkcs12 { in_pem: false, is_legacy: false }), "{head:02x?}");
            for n in 0..head.len() {
                assert_eq!(Foreign::of(&head[..n]), None, "{n} of {head:02x?}");
            }
            for at in 0..head.len() {
                let mut other = head.clone();
                other[at] ^= 0x40;
                // A length may be anything; what else differs is something else.
                let read = std::panic::catch_unwind(|| Foreign::of(&other)).expect("no panic");
                assert!(
                    read.is_none() || head[at] != 0x30 && ![2, 1, 3, 6, 9].contains(&head[at]) || at == 3,
                    "{at}: {other:02x?}"
                );
            }
            for (scheme, legacy) in [(1, true), (3, false), (4, false), (5, true), (6, true), (7, false)] {
                let file = [&head[..], b"anything", OLD_SCHEMES, &[scheme]].concat();
                assert_eq!(Foreign::of(&file), Some(Foreign::Pkcs12 { in_pem: false, is_legacy: legacy }), "{scheme}");
            }
        }
    }

    #[test]
    fn a_bare_key_is_recognised_and_other_der_is_not() {
        let key = generate(NewKey::EcdsaP256).unwrap();
        assert_eq!(Foreign::of(&key.to_pkcs8().unwrap()), Some(Foreign::Der));
        assert_eq!(Foreign::of(key.public().public_bytes()), None);
        for other in [&b""[..], b"no key", &[0x30, 3, 2, 1, 3], &[0x30, 0xff, 0xff], &[0x30, 0x80]] {
            assert_eq!(Foreign::of(other), None, "{other:02x?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_harm_it(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = Foreign::of(&bytes);
            let _ = Foreign::of(&[&[0x30, 0x82, 0, 200], VERSION_3, &bytes].concat());
        }
    }
}
