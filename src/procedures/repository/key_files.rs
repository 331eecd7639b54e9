//! Public keys in files, as people hand them over: only keys with which somebody can sign are taken (protocol 7.3).
use crate::{
    failure::Failure,
    operator::as_text,
    trust_dir::{read_regular, shown},
    tuf::{
        draft::usable,
        key::{KeyType, PublicKey},
        name::Gun,
        x509::{Bundle, Leaf},
    },
};
use jiff::Timestamp;
use std::path::Path;

/// Largest file of a public key.
const LARGEST: u64 = 1 << 20;

/// The keys in these files, one in each.
///
/// # Errors
/// With the reason, if one of them would make a signer who cannot sign.
pub fn public_keys(files: &[String]) -> Result<Vec<PublicKey>, Failure> {
    files.iter().map(|f| public_key(&as_text::path(f))).collect()
}

fn public_key(path: &Path) -> Result<PublicKey, Failure> {
    let refused = |code, why: String, hint: &str| Failure::new(code, format!("{}: {why}", shown(path)), super::NOTHING, hint);
    let hint = "Ask its owner for the public key, as `claviger key generate` or `docker trust key generate` writes it.";
    let read = read_regular(path, LARGEST)
        .map_err(|e| refused("unreadable", e.to_string(), "Check the path, then repeat the command."))?;
    let blocks = pem::parse_many(&*read.bytes).map_err(|_| refused("no-public-key", "it is not PEM".to_owned(), hint))?;
    if blocks.iter().any(|b| b.tag().ends_with("PRIVATE KEY")) {
        let why = "it holds a private key, which nobody should hand over; it was not used".to_owned();
        return Err(refused("private-key", why, hint));
    }
    let [block] = blocks.as_slice() else {
        let why = match blocks.len() {
            0 => "there is no PEM block in it".to_owned(),
            n => format!("it holds {n} PEM blocks, and only one key can be meant"),
        };
        return Err(refused("no-public-key", why, hint));
    };
    let key = match block.tag() {
        "PUBLIC KEY" => of_spki(block.contents()),
        "CERTIFICATE" => {
            Leaf::from_der(block.contents()).and_then(|leaf| Some(PublicKey::new(leaf.key_type()?, leaf.to_pem().into_bytes())))
        }
        other => {
            let why = format!("a PEM block \"{}\" is no public key", crate::text::Untrusted::new(other).shown());
            return Err(refused("no-public-key", why, hint));
        }
    };
    let key = key.ok_or_else(|| {
        refused("unusable-key", "it is neither an ECDSA nor an RSA key, and Notary takes no other".to_owned(), hint)
    })?;
    usable(&key, Some(Timestamp::now())).map_err(|e| refused("unusable-key", e.to_string(), hint))?;
    Ok(key)
}

/// A root key's certificate, as Notary takes it (protocol 7.2): one leaf, no authority, that names the repository and holds now.
///
/// # Errors
/// With the reason, if clients would not take it.
pub fn certificate(path: &Path, gun: &Gun) -> Result<PublicKey, Failure> {
    let hint = "It must be a certificate of the root key itself, for signing, with the repository as its common name.";
    let refused = |why: String| Failure::new("unusable-certificate", format!("{}: {why}", shown(path)), super::NOTHING, hint);
    let read = read_regular(path, LARGEST).map_err(|e| refused(e.to_string()))?;
    let bundle = Bundle::parse(&read.bytes).ok_or_else(|| {
        refused("it is not a certificate in PEM that is no authority, alone or before its authorities".to_owned())
    })?;
    if !bundle.leaf.names(gun) {
        return Err(refused(format!("its common name is not {gun}")));
    }
    let key = bundle.rebuilt_key().ok_or_else(|| refused("it holds neither an ECDSA nor an RSA key".to_owned()))?;
    usable(&key, Some(Timestamp::now())).map_err(|e| refused(e.to_string()))?;
    Ok(key)
}

fn of_spki(der: &[u8]) -> Option<PublicKey> {
    [KeyType::Ecdsa, KeyType::Rsa]
        .into_iter()
        .map(|kind| PublicKey::new(kind, der.to_vec()))
        .find(|k| k.algorithm() != crate::tuf::key::Algorithm::Unknown)
}
