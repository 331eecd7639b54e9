//! `key generate`.
use super::{failure::key_failure, passphrases};
use crate::{
    cli::{
        Stop,
        args::{KeyAlgorithm, KeyRole as RoleArgument},
        context::Context,
        output::{self, Failure},
    },
    keys::{self, Iterations, KeyError, KeyRole, NewKey, Stored},
    secret::{TerminalPrompt, Wanted},
    text::Printable,
    trust_dir::shown,
    tuf::name::{BaseRole, Gun},
};
use rustix::fs::Access;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Nothing happened yet.
const NOTHING: &str = "no key was made";

/// What key is wanted.
pub struct Wish<'a> {
    /// The signer's name, or the key's.
    pub name: &'a str,
    /// What it is for.
    pub role: RoleArgument,
    /// Its repository, as it was typed.
    pub gun: Option<&'a str>,
    /// What it computes with.
    pub algorithm: KeyAlgorithm,
    /// Where its public half goes.
    pub dir: &'a Path,
}

/// Makes a key, stores it, reads it back, and writes its public half. Whatever can be wrong is found before anything is
/// made; the public half is written before the private key, so that no key is left whose making has failed.
pub fn generate(context: &Context, wish: Wish<'_>, stop: &Stop) -> Result<(), Failure> {
    if context.settings.read_only.value {
        return Err(Failure::new("read-only", "this is a read-only session", NOTHING, "Leave out --read-only."));
    }
    let signer = signer(wish.name)?;
    let header = match wish.role {
        RoleArgument::Delegation => signer.clone(),
        RoleArgument::Root => KeyRole::Base(BaseRole::Root),
        RoleArgument::Targets => KeyRole::Base(BaseRole::Targets),
        RoleArgument::Snapshot => KeyRole::Base(BaseRole::Snapshot),
    };
    let gun = gun(context, &header, wish.gun)?;
    let public_path = public_path(wish.dir, wish.name)?;
    let passphrases = passphrases(context)?;
    let kind = match wish.algorithm {
        KeyAlgorithm::Ecdsa => NewKey::EcdsaP256,
        KeyAlgorithm::Rsa2048 => NewKey::Rsa2048,
        KeyAlgorithm::Rsa3072 => NewKey::Rsa3072,
        KeyAlgorithm::Rsa4096 => NewKey::Rsa4096,
    };
    let name = wish.name;
    let failed = |e: &KeyError| match key_failure(e, name) {
        f if f.did_not_happen == "nothing was changed" => Failure { did_not_happen: NOTHING.into(), ..f },
        f => f,
    };
    let label = match &header {
        KeyRole::Signer(name) => format!("the new key of {name}"),
        base => format!("the new {} key", base.as_str()),
    };
    let wanted = Wanted { role: header.as_str(), key_id: None, label: &label };
    let given = passphrases.fresh(&wanted, &mut TerminalPrompt).map_err(|e| failed(&e.into()))?;
    let key = keys::generate(kind).map_err(|e| failed(&e))?;
    let stopped = || stop.is_set();
    let rounds = Iterations::for_role(&header);
    let sealed = keys::seal(&header, gun.as_ref(), &key, &given.passphrase, rounds, &stopped).map_err(|e| failed(&e))?;
    let public = keys::Signer::public(&key);
    let mut written = None;
    let stored = sealed.store(context.trust_dir(), &mut || {
        if stopped() {
            return Err(KeyError::Stopped);
        }
        written = Some(keys::write_public(wish.dir, &signer, public)?);
        Ok(())
    });
    let (Stored::New(path) | Stored::AlreadyThere(path)) = stored.map_err(|e| {
        // Ours, and without a private key of no use.
        let left = written.as_ref().filter(|p| std::fs::remove_file(p).is_err()).map(|p| format!("; {} was left", shown(p)));
        let f = failed(&e);
        Failure { did_not_happen: f.did_not_happen.clone() + &left.unwrap_or_default(), ..f }
    })?;
    if context.options.json {
        return Ok(output::say_json(&json!({
            "schema": "claviger/key-generate/1",
            "id": public.id().hex(),
            "role": header.as_str(),
            "gun": gun.as_ref().map(Gun::as_str),
            "algorithm": public.algorithm().to_string(),
            "path": path.to_string_lossy(),
            "public": public_path.to_string_lossy(),
        }))?);
    }
    Ok(output::say(&format!(
        "The key {} was made, stored and read back.\n  private  {}\n  public   {}\n\
         Whoever loses the file or forgets the passphrase loses the key: neither can be recovered. Back it up now.\n",
        public.id(),
        shown(&path),
        shown(&public_path),
    ))?)
}

/// The name of a signer or a key, which is also the name of the public file: docker's rule, and none that is a role.
fn signer(name: &str) -> Result<KeyRole, Failure> {
    let hint = "Use lower-case letters, digits, - and _, starting with a letter or digit; the names of base roles and releases are taken.";
    let signer = KeyRole::parse(name).ok().filter(|r| matches!(r, KeyRole::Signer(n) if n == name && n != "releases"));
    let message = || format!("{} is no name for a signer or a key", Printable::from_untrusted(name));
    signer.ok_or_else(|| Failure::new("name", message(), NOTHING, hint).exit(2))
}

/// The repository that the key belongs to: there must be one for targets and snapshot, and none for others.
fn gun(context: &Context, role: &KeyRole, typed: Option<&str>) -> Result<Option<Gun>, Failure> {
    let usage = |message: String, hint: &str| Err(Failure::new("usage", message, NOTHING, hint).exit(2));
    match (typed, role) {
        (None, role) if role.has_gun() => {
            usage(format!("a {} key belongs to a repository", role.as_str()), "Name it with --gun.")
        }
        (Some(_), KeyRole::Signer(_)) => usage(
            "a delegation key belongs to a person, not to a repository".to_owned(),
            "Leave out --gun, or say what else the key is for with --role.",
        ),
        (Some(_), role) if !role.has_gun() => {
            usage(format!("a {} key may serve many repositories, and its file names none", role.as_str()), "Leave out --gun.")
        }
        (typed, _) => typed.map(|g| context.reference(g).map(|r| r.gun)).transpose(),
    }
}

/// Where the public half goes, if it can go there.
fn public_path(dir: &Path, name: &str) -> Result<PathBuf, Failure> {
    let hint = "Name a directory that can be written with --dir.";
    let refused = |why: &str| Failure::new("directory", format!("{} {why}", shown(dir)), NOTHING, hint);
    match dir.metadata() {
        Ok(m) if m.is_dir() => {}
        Ok(_) => return Err(refused("is no directory")),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(refused("does not exist")),
        Err(e) => return Err(refused(&format!("cannot be used: {e}"))),
    }
    if let Err(e) = rustix::fs::access(dir, Access::WRITE_OK | Access::EXEC_OK) {
        return Err(refused(&format!("cannot be written: {}", std::io::Error::from(e))));
    }
    let path = dir.join(format!("{name}.pub"));
    match path.symlink_metadata() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(path),
        Err(e) => Err(refused(&format!("cannot be used: {e}"))),
        Ok(_) => {
            let message = format!("{} is there already", shown(&path));
            Err(Failure::new("file-exists", message, NOTHING, "Choose another --dir or name."))
        }
    }
}
