//! Making keys.
use super::{
    KeyError,
    private::{Numbers, PrivateKey},
};
use crate::os::strongroom;
use p256::elliptic_curve::Generate;

/// The kinds of key that are made. Notary itself makes only the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NewKey {
    /// ECDSA on P-256.
    #[default]
    EcdsaP256,
    /// RSA with 2048 bits.
    Rsa2048,
    /// RSA with 3072 bits.
    Rsa3072,
    /// RSA with 4096 bits; takes some seconds.
    Rsa4096,
}

impl NewKey {
    /// Reads the name that the command line uses: `ecdsa` (or `ecdsa-p256`), `rsa2048`, `rsa3072`, `rsa4096`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "ecdsa" | "ecdsa-p256" => Some(Self::EcdsaP256),
            "rsa2048" => Some(Self::Rsa2048),
            "rsa3072" => Some(Self::Rsa3072),
            "rsa4096" => Some(Self::Rsa4096),
            _ => None,
        }
    }
}

/// Makes a key with the system's randomness. It exists in memory only.
pub fn generate(kind: NewKey) -> Result<PrivateKey, KeyError> {
    strongroom(|| generate_inside(kind))
}

fn generate_inside(kind: NewKey) -> Result<PrivateKey, KeyError> {
    let bits = match kind {
        NewKey::EcdsaP256 => {
            let key = p256::SecretKey::try_generate_from_rng(&mut getrandom::SysRng);
            return PrivateKey::new(Numbers::P256(key.map_err(|_| KeyError::Internal("the random generator"))?));
        }
        NewKey::Rsa2048 => 2048,
        NewKey::Rsa3072 => 3072,
        NewKey::Rsa4096 => 4096,
    };
    let key = rsa::RsaPrivateKey::new(&mut rand_core::UnwrapErr(getrandom::SysRng), bits);
    PrivateKey::new(Numbers::Rsa(Box::new(key.map_err(|_| KeyError::Internal("making the key"))?)))
}
