//! The trust directory of the sandbox: the operator's keys, what is wrong with some of them, and what is remembered of
//! repositories. Passphrases are derived with as few rounds as Notary uses, because these keys protect nothing.
use super::{
    PASSPHRASE, SandboxError,
    people::{self, People},
    repositories::{Remembered, Story},
};
use crate::{
    keys::{self, Iterations, KeyRole, PrivateKey, pem_file},
    secret::Passphrase,
    trust_dir::{TrustDir, Writer},
    tuf::name::{BaseRole, Gun, KeyId, RoleName},
};
use std::{fs::Permissions, os::unix::fs::PermissionsExt};

/// Writes everything.
pub fn fill(dir: &TrustDir, people: &People, stories: &[Story]) -> Result<(), SandboxError> {
    let mut writer = dir.write()?.without_waiting_for_the_disk();
    store(&mut writer, KeyRole::Base(BaseRole::Root), None, &people.root)?;
    for story in stories {
        let gun = story.repository.gun();
        for (role, key) in &story.keys {
            store(&mut writer, KeyRole::Base(*role), Some(gun), key)?;
        }
        remember(&mut writer, story)?;
    }
    store(&mut writer, signer("alice"), None, &people.alice.key)?;
    store(&mut writer, signer("ci"), None, &people.ci.key)?;
    problems(dir, &mut writer, people)
}

/// Key files with something wrong: too weak, without a passphrase, named after another key, cut off, empty, readable
/// by others.
fn problems(dir: &TrustDir, writer: &mut Writer<'_>, people: &People) -> Result<(), SandboxError> {
    // In an encrypted file nobody would see its size.
    writer.create_key(people.weak.id(), plain(&people.weak, "old-build")?.as_bytes())?;

    let open = people::fresh()?;
    writer.create_key(open.id(), plain(&open, "laptop")?.as_bytes())?;

    let (name, content) = (people::fresh()?, people::fresh()?);
    writer.create_key(name.id(), plain(&content, "mixed-up")?.as_bytes())?;

    let damaged = people::fresh()?;
    let whole = encoded(&signer("damaged"), None, &damaged)?;
    writer.create_key(damaged.id(), whole.get(..whole.len() / 2).unwrap_or_default())?;

    writer.create_key(people::fresh()?.id(), b"")?;

    let shared = people::fresh()?;
    let id = store(writer, signer("shared"), None, &shared)?;
    let path = dir.key_path(id);
    std::fs::set_permissions(&path, Permissions::from_mode(0o640)).map_err(|e| SandboxError::files(&path, e))
}

fn signer(name: &str) -> KeyRole {
    KeyRole::Signer(name.to_owned())
}

fn encoded(role: &KeyRole, gun: Option<&Gun>, key: &PrivateKey) -> Result<Vec<u8>, SandboxError> {
    let passphrase = Passphrase::from(PASSPHRASE.to_owned());
    Ok(keys::encode(role, gun, key, &passphrase, Iterations::worthless(), &|| false)?)
}

fn store(writer: &mut Writer<'_>, role: KeyRole, gun: Option<&Gun>, key: &PrivateKey) -> Result<KeyId, SandboxError> {
    writer.create_key(key.id(), &encoded(&role, gun, key)?)?;
    Ok(key.id())
}

/// A key file without a passphrase.
fn plain(key: &PrivateKey, role: &str) -> Result<zeroize::Zeroizing<String>, SandboxError> {
    Ok(pem_file::write("PRIVATE KEY", &[("role", role)], &key.to_pkcs8()?))
}

fn remember(writer: &mut Writer<'_>, story: &Story) -> Result<(), SandboxError> {
    let (gun, root) = (story.repository.gun(), RoleName::from(BaseRole::Root));
    match story.remembered {
        Remembered::Nothing => {}
        Remembered::FirstRoot => {
            if let Some(first) = story.repository.files(&root).first() {
                writer.put_metadata(gun, &root, &first.bytes)?;
            }
        }
        Remembered::Everything => {
            for role in story.repository.roles() {
                if let Some(file) = story.repository.current(&role) {
                    writer.put_metadata(gun, &role, &file.bytes)?;
                }
            }
        }
    }
    Ok(())
}
