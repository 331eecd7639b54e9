//! The encryption around a PKCS#8 key: PBES2 with PBKDF2 (protocol 2.1, 2.2).
use super::{KeyError, kdf};
use crate::secret::Passphrase;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use der::{
    Decode, Encode, Reader, Sequence, SliceReader, Tag, Tagged,
    asn1::{AnyRef, ObjectIdentifier, OctetStringRef},
};
use zeroize::Zeroizing;

/// PBKDF2 iterations of what claviger writes, for every role but root. Never lower.
pub const ITERATIONS: u32 = 600_000;
/// PBKDF2 iterations of root keys that claviger writes (OWASP's figure for HMAC-SHA-1).
pub const ROOT_ITERATIONS: u32 = 1_300_000;
/// Most PBKDF2 iterations of a file that is read: more would be a way to hang the program.
pub const MAX_ITERATIONS: u64 = 10_000_000;
/// Bytes of salt in what is written, as Notary's.
const SALT: usize = 8;
/// Bytes in a block of AES, and in its initialisation vector.
const BLOCK: usize = 16;

const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");
const PBKDF2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.12");
const SCRYPT: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11591.4.11");
const HMAC_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.7");
const HMAC_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.9");
const HMAC_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.10");
const HMAC_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.11");
const AES128: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.2");
const AES192: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.22");
const AES256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.42");

/// The keyed hash inside PBKDF2. Notary ignores what the file says and always takes SHA-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prf {
    /// HMAC-SHA-1: Notary's, and the default.
    Sha1,
    /// HMAC-SHA-256: OpenSSL's default.
    Sha256,
    /// HMAC-SHA-384.
    Sha384,
    /// HMAC-SHA-512.
    Sha512,
}

/// The cipher. Notary reads AES-256 only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    /// AES-128-CBC.
    Aes128,
    /// AES-192-CBC.
    Aes192,
    /// AES-256-CBC: Notary's, and OpenSSL's default.
    Aes256,
}

impl std::fmt::Display for Prf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Sha1 => "HMAC-SHA-1",
            Self::Sha256 => "HMAC-SHA-256",
            Self::Sha384 => "HMAC-SHA-384",
            Self::Sha512 => "HMAC-SHA-512",
        })
    }
}

impl std::fmt::Display for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Aes128 => "AES-128-CBC",
            Self::Aes192 => "AES-192-CBC",
            Self::Aes256 => "AES-256-CBC",
        })
    }
}

impl Cipher {
    fn key_len(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }

    fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Aes128 => AES128,
            Self::Aes192 => AES192,
            Self::Aes256 => AES256,
        }
    }
}

/// An EncryptedPrivateKeyInfo whose structure was read; nothing has been decrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// PBKDF2 salt.
    pub salt: &'a [u8],
    /// PBKDF2 iterations, as the file says; not yet held against [`MAX_ITERATIONS`].
    pub iterations: u64,
    /// PBKDF2's keyed hash.
    pub prf: Prf,
    /// The cipher.
    pub cipher: Cipher,
    /// Initialisation vector; not yet checked for its length.
    pub iv: &'a [u8],
    /// What is encrypted; not yet checked for its length.
    pub data: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Reads the structure (protocol 2.1). Further elements at the end of a sequence are ignored, as Go ignores them.
    /// Fails with [`KeyError::Damaged`] or [`KeyError::Unsupported`].
    pub fn parse(der: &'a [u8]) -> Result<Self, KeyError> {
        let damaged = |_| KeyError::Damaged("its encryption header cannot be read");
        let mut outer = sequence(&mut SliceReader::new(der).map_err(damaged)?).map_err(damaged)?;
        let (scheme, params) = algorithm(&mut outer).map_err(damaged)?;
        let data = octets(&mut outer).map_err(damaged)?;
        if scheme != PBES2 {
            return Err(KeyError::Unsupported(format!("the encryption scheme {scheme}")));
        }
        let mut params = inside(params).map_err(damaged)?;
        let (kdf, kdf_params) = algorithm(&mut params).map_err(damaged)?;
        let (cipher, cipher_params) = algorithm(&mut params).map_err(damaged)?;
        match kdf {
            PBKDF2 => {}
            SCRYPT => return Err(KeyError::Unsupported("the key derivation scrypt".to_owned())),
            other => return Err(KeyError::Unsupported(format!("the key derivation {other}"))),
        }
        let cipher = match cipher {
            AES128 => Cipher::Aes128,
            AES192 => Cipher::Aes192,
            AES256 => Cipher::Aes256,
            other => return Err(KeyError::Unsupported(format!("the cipher {other}"))),
        };
        let iv = cipher_params.and_then(|p| p.decode_as::<&OctetStringRef>().ok()).map(OctetStringRef::as_bytes);
        let iv = iv.ok_or(KeyError::Damaged("its encryption header has no initialisation vector"))?;
        let mut kdf = inside(kdf_params).map_err(damaged)?;
        let salt = octets(&mut kdf).map_err(damaged)?;
        let iterations = integer(&mut kdf).map_err(damaged)?;
        if !kdf.is_finished() && Tag::peek(&kdf).map_err(damaged)? == Tag::Integer {
            let length = integer(&mut kdf).map_err(damaged)?;
            if length != cipher.key_len() as u64 {
                return Err(KeyError::Damaged("its key length does not fit its cipher"));
            }
        }
        let mut prf = Prf::Sha1;
        if !kdf.is_finished() && Tag::peek(&kdf).map_err(damaged)? == Tag::Sequence {
            prf = match algorithm(&mut kdf).map_err(damaged)?.0 {
                HMAC_SHA1 => Prf::Sha1,
                HMAC_SHA256 => Prf::Sha256,
                HMAC_SHA384 => Prf::Sha384,
                HMAC_SHA512 => Prf::Sha512,
                other => return Err(KeyError::Unsupported(format!("the key derivation hash {other}"))),
            };
        }
        Ok(Self { salt, iterations, prf, cipher, iv, data })
    }

    /// Whether the lengths are such that Notary's decoder would crash, and ours refuses.
    pub fn has_broken_lengths(&self) -> bool {
        self.iv.len() != BLOCK || self.data.is_empty() || !self.data.len().is_multiple_of(BLOCK)
    }

    /// Decrypts. A wrong passphrase shows as wrong padding, which one in some 250 passes by chance; the caller sees then
    /// that the content is no key. `stop` is asked every few milliseconds.
    pub fn decrypt(&self, passphrase: &Passphrase, stop: &dyn Fn() -> bool) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        if self.has_broken_lengths() {
            return Err(KeyError::Damaged("its encrypted part has an impossible length"));
        }
        if self.iterations == 0 {
            return Err(KeyError::Damaged("its key derivation has no iterations"));
        }
        let iterations = match u32::try_from(self.iterations) {
            Ok(n) if self.iterations <= MAX_ITERATIONS => n,
            _ => return Err(KeyError::TooManyIterations(self.iterations)),
        };
        let mut key = Zeroizing::new(vec![0; self.cipher.key_len()]);
        let p = passphrase.expose();
        match self.prf {
            Prf::Sha1 => kdf::pbkdf2_sha1(p, self.salt, iterations, &mut key, stop),
            Prf::Sha256 => kdf::pbkdf2::<sha2::Sha256>(p, self.salt, iterations, &mut key, stop),
            Prf::Sha384 => kdf::pbkdf2::<sha2::Sha384>(p, self.salt, iterations, &mut key, stop),
            Prf::Sha512 => kdf::pbkdf2::<sha2::Sha512>(p, self.salt, iterations, &mut key, stop),
        }?;
        let mut buffer = Zeroizing::new(self.data.to_vec());
        let length = match self.cipher {
            Cipher::Aes128 => cbc_decrypt::<cbc::Decryptor<aes::Aes128>>(&key, self.iv, &mut buffer),
            Cipher::Aes192 => cbc_decrypt::<cbc::Decryptor<aes::Aes192>>(&key, self.iv, &mut buffer),
            Cipher::Aes256 => cbc_decrypt::<cbc::Decryptor<aes::Aes256>>(&key, self.iv, &mut buffer),
        }?;
        buffer.truncate(length);
        Ok(buffer)
    }
}

/// Decrypts in place and removes the padding; the length of what is left. A padding that does not fit means a wrong
/// passphrase.
pub(super) fn cbc_decrypt<D: KeyIvInit + BlockModeDecrypt>(key: &[u8], iv: &[u8], buffer: &mut [u8]) -> Result<usize, KeyError> {
    let decryptor =
        D::new_from_slices(key, iv).map_err(|_| KeyError::Damaged("its encryption header has an impossible length"))?;
    decryptor.decrypt_padded::<Pkcs7>(buffer).map(<[u8]>::len).map_err(|_| KeyError::WrongPassphrase)
}

/// Encrypts a PrivateKeyInfo exactly as Notary does, but with a number of iterations that costs an attacker:
/// PBKDF2-HMAC-SHA-1, salt of eight bytes, AES-256-CBC. The DER of an EncryptedPrivateKeyInfo. `stop` is asked every few
/// milliseconds.
pub(super) fn encrypt(
    plain: &[u8],
    passphrase: &Passphrase,
    iterations: u32,
    stop: &dyn Fn() -> bool,
) -> Result<Vec<u8>, KeyError> {
    let (mut salt, mut iv) = ([0u8; SALT], [0u8; BLOCK]);
    getrandom::fill(&mut salt).and_then(|()| getrandom::fill(&mut iv)).map_err(|_| KeyError::Internal("the random generator"))?;
    let mut key = Zeroizing::new([0; 32]);
    kdf::pbkdf2_sha1(passphrase.expose(), &salt, iterations, &mut *key, stop)?;
    let failed = KeyError::Internal("encrypting the key");
    let mut buffer = Zeroizing::new(plain.to_vec());
    buffer.resize(plain.len() + BLOCK, 0);
    let encryptor =
        cbc::Encryptor::<aes::Aes256>::new_from_slices(&*key, &iv).map_err(|_| KeyError::Internal("encrypting the key"))?;
    let data = encryptor.encrypt_padded::<Pkcs7>(&mut buffer, plain.len()).map_err(|_| failed)?.to_vec();
    encode(&salt, iterations, &iv, &data).map_err(|_| KeyError::Internal("encoding the key"))
}

#[derive(Sequence)]
struct Algorithm<'a> {
    oid: ObjectIdentifier,
    parameters: AnyRef<'a>,
}

#[derive(Sequence)]
struct Pbkdf2Parameters<'a> {
    salt: &'a OctetStringRef,
    iterations: u32,
}

#[derive(Sequence)]
struct Pbes2Parameters<'a> {
    kdf: Algorithm<'a>,
    encryption: Algorithm<'a>,
}

#[derive(Sequence)]
struct Encrypted<'a> {
    algorithm: Algorithm<'a>,
    data: &'a OctetStringRef,
}

fn encode(salt: &[u8], iterations: u32, iv: &[u8], data: &[u8]) -> der::Result<Vec<u8>> {
    let kdf = Pbkdf2Parameters { salt: OctetStringRef::new(salt)?, iterations }.to_der()?;
    let params = Pbes2Parameters {
        kdf: Algorithm { oid: PBKDF2, parameters: AnyRef::from_der(&kdf)? },
        encryption: Algorithm { oid: Cipher::Aes256.oid(), parameters: OctetStringRef::new(iv)?.into() },
    }
    .to_der()?;
    Encrypted { algorithm: Algorithm { oid: PBES2, parameters: AnyRef::from_der(&params)? }, data: OctetStringRef::new(data)? }
        .to_der()
}

/// Enters a SEQUENCE.
pub(super) fn sequence<'a>(reader: &mut SliceReader<'a>) -> der::Result<SliceReader<'a>> {
    inside(Some(AnyRef::decode(reader)?))
}

fn inside(any: Option<AnyRef<'_>>) -> der::Result<SliceReader<'_>> {
    match any {
        Some(any) if any.tag() == Tag::Sequence => SliceReader::new(any.value()),
        _ => Err(Tag::Sequence.value_error().into()),
    }
}

/// Reads an AlgorithmIdentifier; what follows the parameters is ignored.
pub(super) fn algorithm<'a>(reader: &mut SliceReader<'a>) -> der::Result<(ObjectIdentifier, Option<AnyRef<'a>>)> {
    let mut inner = sequence(reader)?;
    let oid = ObjectIdentifier::decode(&mut inner)?;
    let params = if inner.is_finished() { None } else { Some(AnyRef::decode(&mut inner)?) };
    Ok((oid, params))
}

/// Reads an OCTET STRING.
pub(super) fn octets<'a>(reader: &mut SliceReader<'a>) -> der::Result<&'a [u8]> {
    <&OctetStringRef>::decode(reader).map(OctetStringRef::as_bytes)
}

/// Reads an INTEGER that is not negative; one too large for 64 bits becomes the largest.
pub(super) fn integer(reader: &mut SliceReader<'_>) -> der::Result<u64> {
    let any = AnyRef::decode(reader)?;
    if any.tag() != Tag::Integer || any.value().first().is_none_or(|b| b & 0x80 != 0) {
        return Err(Tag::Integer.value_error().into());
    }
    let digits = any.value();
    let digits = digits.get(digits.iter().take_while(|b| **b == 0).count()..).unwrap_or_default();
    if digits.len() > 8 {
        return Ok(u64::MAX);
    }
    Ok(digits.iter().fold(0, |n, b| n << 8 | u64::from(*b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA1: &[u8] = include_bytes!("../../tests/fixtures/pem/ec-p256-pkcs8-enc-sha1prf.key");
    const SHA256: &[u8] = include_bytes!("../../tests/fixtures/pem/ec-p256-pkcs8-enc.key");

    fn gold() -> Passphrase {
        Passphrase::new(b"gold-delegation".to_vec())
    }

    #[test]
    fn notarys_and_openssls_envelopes_are_read() {
        for (file, prf) in [(SHA1, Prf::Sha1), (SHA256, Prf::Sha256)] {
            let pem = super::super::pem_file::parse(file).unwrap();
            let e = Envelope::parse(&pem.der).unwrap();
            assert_eq!((e.prf, e.cipher, e.iterations, e.salt.len()), (prf, Cipher::Aes256, 2048, 8));
            assert!(e.decrypt(&gold(), &|| false).unwrap().starts_with(&[0x30]));
            assert!(matches!(e.decrypt(&Passphrase::new(b"no".to_vec()), &|| false), Err(KeyError::WrongPassphrase)));
        }
    }

    #[test]
    fn what_is_written_has_notarys_form_and_is_read() {
        let pem = super::super::pem_file::parse(SHA1).unwrap();
        let plain = Envelope::parse(&pem.der).unwrap().decrypt(&gold(), &|| false).unwrap();
        let ours = encrypt(&plain, &gold(), 2048, &|| false).unwrap();
        let (a, b) = (Envelope::parse(&pem.der).unwrap(), Envelope::parse(&ours).unwrap());
        assert_eq!(b.decrypt(&gold(), &|| false).unwrap(), plain);
        // But for salt, vector and content the bytes are OpenSSL's with Notary's parameters.
        let blank = |der: &[u8], e: &Envelope<'_>| {
            let mut v = der.to_vec();
            for part in [e.salt, e.iv, e.data] {
                let at = v.windows(part.len()).position(|w| w == part).unwrap();
                v[at..at + part.len()].fill(0);
            }
            v
        };
        assert_eq!(blank(&ours, &b), blank(&pem.der, &a));
        // An explicit SHA-1, key length and a long salt are read too.
        assert!(encrypt(&plain, &gold(), 2048, &|| false).unwrap() != ours, "salt and vector are fresh each time");
    }

    #[test]
    fn an_absurd_iteration_count_is_refused_before_any_work() {
        for (n, ok) in [(MAX_ITERATIONS, true), (MAX_ITERATIONS + 1, false), (u64::from(u32::MAX), false), (u64::MAX, false)] {
            let e = Envelope {
                salt: b"12345678",
                iterations: n,
                prf: Prf::Sha1,
                cipher: Cipher::Aes256,
                iv: &[0; 16],
                data: &[0; 16],
            };
            match e.decrypt(&gold(), &|| true) {
                Err(KeyError::Stopped) => assert!(ok),
                Err(KeyError::TooManyIterations(m)) => assert!(!ok && m == n),
                other => panic!("{n}: {:?}", other.err()),
            }
        }
    }

    #[test]
    fn impossible_lengths_are_refused() {
        let e = |iv: &'static [u8], data: &'static [u8]| Envelope {
            salt: b"s",
            iterations: 1,
            prf: Prf::Sha1,
            cipher: Cipher::Aes256,
            iv,
            data,
        };
        for bad in [e(&[0; 15], &[0; 16]), e(&[0; 17], &[0; 16]), e(&[], &[0; 16]), e(&[0; 16], &[0; 15]), e(&[0; 16], &[])] {
            assert!(matches!(bad.decrypt(&gold(), &|| false), Err(KeyError::Damaged(_))));
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_harm_the_reader(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), at in 0usize..230, to: u8) {
            let _ = Envelope::parse(&bytes);
            let mut real = super::super::pem_file::parse(SHA256).unwrap().der.to_vec();
            if let Some(b) = real.get_mut(at) { *b = to }
            if let Ok(e) = Envelope::parse(&real) {
                let _ = e.decrypt(&gold(), &|| true);
            }
            bytes.insert(0, 0x30);
            let _ = Envelope::parse(&bytes);
        }
    }
}
