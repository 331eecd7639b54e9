//! Key files for elsewhere: Notary's bundles (protocol 1.5) and public halves.
use super::{
    KeyEntry, KeyError,
    entry::{Kind, inspect_block},
    pem_file,
};
use crate::{
    trust_dir::{MAX_KEY_FILE, read_regular, shown},
    tuf::key::{KeyType, PublicKey},
};
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// A key's block as `notary key export` writes it: as it is encrypted, with its name in the store beside its labels.
pub fn bundled(entry: &KeyEntry) -> Result<Zeroizing<String>, KeyError> {
    let read = read_regular(&entry.path, MAX_KEY_FILE).map_err(|source| KeyError::File { path: shown(&entry.path), source })?;
    let pem = pem_file::parse(&read.bytes).map_err(|_| KeyError::Damaged("there is no whole PEM block in it"))?;
    let id = entry.id.ok_or(KeyError::NameIsNoId)?.hex();
    if Kind::of(&pem).is_none() {
        return Err(KeyError::Damaged("its PEM block is no private key"));
    }
    if pem.more {
        return Err(KeyError::MoreThanOne);
    }
    if let (Some(name), Some(content)) = (entry.id, inspect_block(&pem).id)
        && name != content
    {
        return Err(KeyError::NotItsName { name, content });
    }
    // What only an old layout's name says goes along as a label.
    let role = entry.role.as_ref().map(|r| r.raw().to_owned()).filter(|_| pem.header("role").is_none());
    let gun = entry.gun_claimed.as_ref().map(|g| g.raw().to_owned()).filter(|_| pem.header("gun").is_none());
    // Of a label that is there twice the last one counts.
    let names: BTreeSet<&str> = pem.headers.iter().map(|(n, _)| n.as_str()).filter(|n| *n != "path").collect();
    let mut headers: Vec<(&str, &str)> = names.into_iter().filter_map(|n| Some((n, pem.header(n)?))).collect();
    headers.extend(role.as_deref().map(|r| ("role", r)));
    headers.extend(gun.as_deref().map(|g| ("gun", g)));
    headers.push(("path", &id));
    if headers.iter().any(|(_, value)| !pem_file::header_fits(value)) {
        return Err(KeyError::Damaged("a label in it cannot be written again"));
    }
    Ok(pem_file::write(&pem.label, &headers, &pem.der))
}

/// A public half as `docker trust key generate` writes it: `PUBLIC KEY` with the role as a label.
pub fn public_text(role: Option<&str>, key: &PublicKey) -> Result<Zeroizing<String>, KeyError> {
    if !matches!(key.key_type(), KeyType::Ecdsa | KeyType::Rsa) {
        return Err(KeyError::Unsupported("a key that has no PUBLIC KEY form".to_owned()));
    }
    let headers: Vec<(&str, &str)> = role.filter(|r| pem_file::header_fits(r)).map(|r| ("role", r)).into_iter().collect();
    Ok(pem_file::write("PUBLIC KEY", &headers, key.public_bytes()))
}
