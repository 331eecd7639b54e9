//! The encryption of old PEM files, `Proc-Type: 4,ENCRYPTED` (protocol 2.2): read, never written.
use super::{KeyError, envelope::cbc_decrypt};
use crate::secret::Passphrase;
use md5::{Digest, Md5};
use zeroize::{Zeroize, Zeroizing};

/// A cipher of RFC 1423 and its successors in OpenSSL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DekCipher {
    /// DES-CBC.
    Des,
    /// DES-EDE3-CBC.
    TripleDes,
    /// AES-128-CBC.
    Aes128,
    /// AES-192-CBC.
    Aes192,
    /// AES-256-CBC, which old Notary wrote.
    Aes256,
}

impl DekCipher {
    fn key_len(self) -> usize {
        match self {
            Self::Des => 8,
            Self::TripleDes | Self::Aes192 => 24,
            Self::Aes128 => 16,
            Self::Aes256 => 32,
        }
    }

    fn block(self) -> usize {
        match self {
            Self::Des | Self::TripleDes => 8,
            _ => 16,
        }
    }
}

/// What a `DEK-Info` header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DekInfo {
    /// The cipher.
    pub cipher: DekCipher,
    /// Initialisation vector; its first eight bytes are the salt.
    pub iv: Vec<u8>,
}

impl DekInfo {
    /// Reads the header's value, `CIPHER,HEX`. Fails with [`KeyError::Damaged`] or [`KeyError::Unsupported`].
    pub fn parse(value: &str) -> Result<Self, KeyError> {
        let (name, hex) = value.split_once(',').ok_or(KeyError::Damaged("its DEK-Info header cannot be read"))?;
        let cipher = match name.trim() {
            "DES-CBC" => DekCipher::Des,
            "DES-EDE3-CBC" => DekCipher::TripleDes,
            "AES-128-CBC" => DekCipher::Aes128,
            "AES-192-CBC" => DekCipher::Aes192,
            "AES-256-CBC" => DekCipher::Aes256,
            other => return Err(KeyError::Unsupported(format!("the cipher {}", crate::text::escape(other)))),
        };
        let iv = base16ct::mixed::decode_vec(hex.trim()).ok().filter(|iv| iv.len() == cipher.block());
        Ok(Self { cipher, iv: iv.ok_or(KeyError::Damaged("its DEK-Info header has an impossible initialisation vector"))? })
    }

    /// Decrypts. The key is OpenSSL's `EVP_BytesToKey` with MD5 and one iteration, which is weak.
    pub fn decrypt(&self, data: &[u8], passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        if data.is_empty() || !data.len().is_multiple_of(self.cipher.block()) {
            return Err(KeyError::Damaged("its encrypted part has an impossible length"));
        }
        let salt = self.iv.get(..8).ok_or(KeyError::Damaged("its DEK-Info header has an impossible initialisation vector"))?;
        let length = self.cipher.key_len();
        // Room for whole digests, so that growing leaves no copy behind.
        let mut key = Zeroizing::new(Vec::with_capacity(length + 16));
        let mut last: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::new());
        while key.len() < length {
            let mut digest = Md5::new().chain_update(&*last).chain_update(passphrase.expose()).chain_update(salt).finalize();
            key.extend_from_slice(&digest);
            last = Zeroizing::new(digest.to_vec());
            digest.as_mut_slice().zeroize();
        }
        key.truncate(length);
        let mut buffer = Zeroizing::new(data.to_vec());
        let used = match self.cipher {
            DekCipher::Des => cbc_decrypt::<cbc::Decryptor<des::Des>>(&key, &self.iv, &mut buffer),
            DekCipher::TripleDes => cbc_decrypt::<cbc::Decryptor<des::TdesEde3>>(&key, &self.iv, &mut buffer),
            DekCipher::Aes128 => cbc_decrypt::<cbc::Decryptor<aes::Aes128>>(&key, &self.iv, &mut buffer),
            DekCipher::Aes192 => cbc_decrypt::<cbc::Decryptor<aes::Aes192>>(&key, &self.iv, &mut buffer),
            DekCipher::Aes256 => cbc_decrypt::<cbc::Decryptor<aes::Aes256>>(&key, &self.iv, &mut buffer),
        }?;
        buffer.truncate(used);
        Ok(buffer)
    }
}
