//! Making a key: what it is for, its passphrase, a look at what will land where; then it is stored and read back.
use super::{Workplace, failure::not_done};
use crate::{
    failure::Failure,
    keys::{self, Iterations, KeyError, KeyRole, NewKey, Sealed, Stored},
    operator::{Choice, Deed, Field, Form, Fut, Review, SecretKind, SecretWanted, Session, Step, Stop, Values, as_text},
    text::Untrusted,
    trust_dir::shown,
    tuf::{
        key::PublicKey,
        name::{BaseRole, Gun, KeyId},
    },
};
use rustix::fs::Access;
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// What the key is for.
pub const WISH: Step = Step { name: "wish", says: "Say what the new key is for." };
/// The passphrase.
pub const PASSPHRASE: Step = Step { name: "passphrase", says: "Choose the passphrase that will protect the key." };
/// Making it.
pub const MAKE: Step = Step { name: "make", says: "The key is made in memory and encrypted." };
/// The look before it is stored.
pub const REVIEW: Step = Step { name: "review", says: "Look at what will be stored, and where." };
/// Storing it.
pub const STORE: Step = Step { name: "store", says: "The key is stored and read back." };

/// What has not happened as long as nothing has.
pub const NOTHING: &str = "no key was made";
/// What to do afterwards.
pub const NEXT: &str =
    "Back it up now: whoever loses the file or forgets the passphrase loses the key, and neither can be recovered.";

/// The names of the fields, which are those of the command line.
pub mod field {
    /// Name of the signer, or of the key.
    pub const NAME: &str = "name";
    /// What the key is for.
    pub const ROLE: &str = "role";
    /// Its repository.
    pub const GUN: &str = "gun";
    /// What it computes with.
    pub const ALGORITHM: &str = "algorithm";
    /// Where its public half goes.
    pub const DIR: &str = "dir";
}

/// A key that was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its public half.
    pub public: PublicKey,
    /// The role in its file.
    pub role: KeyRole,
    /// Its repository.
    pub gun: Option<Gun>,
    /// Where it is.
    pub path: PathBuf,
    /// Where its public half is.
    pub public_path: PathBuf,
}

impl Made {
    /// Its ID.
    pub fn id(&self) -> KeyId {
        self.public.id()
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} key {} was made, stored and read back", self.role.as_str(), self.id())
    }
}

/// Makes a key.
pub fn run<'s>(place: Workplace, session: &'s mut Session<'_>) -> Fut<'s, Result<Made, Stop>> {
    Box::pin(async move {
        place.may_write(NOTHING)?;
        let wish = Wish::read(&place, &session.form(WISH, form(&place)).await?)?;
        let wanted = SecretWanted {
            label: wish.label(),
            role: wish.role.as_str().to_owned(),
            key_id: None,
            kind: SecretKind::New,
            again: None,
        };
        let passphrase = session.secret(PASSPHRASE, wanted).await?.passphrase;
        let (role, gun, kind, name) = (wish.role.clone(), wish.gun.clone(), wish.kind, wish.name.clone());
        let (sealed, public) = session
            .work(MAKE, "making the key", move |stop| {
                let failed = |e: KeyError| not_made(&e, &name);
                let key = keys::generate(kind).map_err(failed)?;
                let rounds = Iterations::for_role(&role);
                let sealed = keys::seal(&role, gun.as_ref(), &key, &passphrase, rounds, stop).map_err(failed)?;
                Ok((sealed, key.public().clone()))
            })
            .await?;
        session.review(REVIEW, wish.review(&place, &public)).await?;
        let deed = wish.deed(&place, &sealed, &public)?;
        session.act(STORE, format!("storing the key {}", public.id()), deed, move || wish.store(&place, &sealed, public)).await
    })
}

/// What is asked on the first page.
fn form(place: &Workplace) -> Form {
    let (place, public_dir) = (place.clone(), as_text::of(&place.public_dir));
    let roles = [
        ("delegation", "signs for a person, in any repository that delegates to them"),
        ("root", "names all other keys of a repository; kept offline"),
        ("targets", "signs targets and names signers of one repository"),
        ("snapshot", "signs snapshots of one repository"),
    ];
    let algorithms = [
        ("ecdsa", "ECDSA on P-256, as Notary makes it"),
        ("rsa2048", "RSA, 2048 bits"),
        ("rsa3072", "RSA, 3072 bits"),
        ("rsa4096", "RSA, 4096 bits; takes some seconds"),
    ];
    let options = |all: &[(&'static str, &'static str)]| all.iter().map(|(value, meaning)| Choice { value, meaning }).collect();
    Form {
        title: "A new key".to_owned(),
        fields: vec![
            Field::text(field::NAME, "Name", "of the signer or the key; NAME.pub is written for others")
                .checked(|name, _| signer(name).map(|_| None)),
            Field::choice(field::ROLE, "For", "what the key may sign", options(&roles)),
            Field::text(field::GUN, "Repository", "only for targets and snapshot keys").checked(move |typed, values| {
                let gun = gun(&place, values.get(field::ROLE), typed)?;
                Ok(gun.filter(|g| g.as_str() != typed).map(|g| format!("understood as {g}")))
            }),
            Field::choice(field::ALGORITHM, "Algorithm", "what it computes with", options(&algorithms)),
            Field::path(field::DIR, "Public half", "the directory that NAME.pub goes to").with(public_dir).checked(
                |dir, values| match values.get(field::NAME) {
                    // Without a name there is nothing to be said of its file.
                    name if signer(name).is_err() => Ok(None),
                    name => public_path(&as_text::path(dir), name).map(|p| Some(format!("writes {}", shown(&p)))),
                },
            ),
        ],
    }
}

/// What was wished for, understood.
struct Wish {
    name: String,
    signer: KeyRole,
    role: KeyRole,
    gun: Option<Gun>,
    kind: NewKey,
    dir: PathBuf,
}

impl Wish {
    fn read(place: &Workplace, values: &Values) -> Result<Self, Failure> {
        let usage = |why: String| Failure::new("usage", why, NOTHING, "").exit(2);
        let name = values.get(field::NAME);
        let signer = signer(name).map_err(usage)?;
        let role = values.get(field::ROLE);
        Ok(Self {
            gun: gun(place, role, values.get(field::GUN)).map_err(usage)?,
            role: BaseRole::ALL.into_iter().find(|b| b.as_str() == role).map_or_else(|| signer.clone(), KeyRole::Base),
            kind: NewKey::parse(values.get(field::ALGORITHM)).unwrap_or_default(),
            dir: as_text::path(values.get(field::DIR)),
            name: name.to_owned(),
            signer,
        })
    }

    fn label(&self) -> String {
        match &self.role {
            KeyRole::Signer(name) => format!("the new key of {name}"),
            base => format!("the new {} key", base.as_str()),
        }
    }

    fn review(&self, place: &Workplace, public: &PublicKey) -> Review {
        let mut facts = vec![("Key", public.id().hex()), ("Role", self.role.as_str().to_owned())];
        facts.extend(self.gun.as_ref().map(|g| ("Repository", g.to_string())));
        facts.extend([
            ("Algorithm", public.algorithm().to_string()),
            ("File", shown(&place.trust_dir.key_path(public.id()))),
            ("Encryption", format!("your passphrase, {} rounds of key derivation", Iterations::for_role(&self.role))),
            ("Public half", shown(&self.dir.join(format!("{}.pub", self.name)))),
        ]);
        Review { title: "A new key".to_owned(), facts, findings: Vec::new(), verb: "Store the key", plan: None }
    }

    /// The files that will be there.
    fn deed(&self, place: &Workplace, sealed: &Sealed, public: &PublicKey) -> Result<Deed, Failure> {
        let text = keys::public_file(&self.signer, public).map_err(|e| not_made(&e, &self.name))?;
        let beside = self.dir.join(format!("{}.pub", self.name));
        Ok(Deed::default()
            .creates_beside(&beside, text.as_bytes())
            .creates(&place.trust_dir.key_path(public.id()), sealed.bytes()))
    }

    /// Writes the public half, then the key: no key is left whose making has failed.
    fn store(self, place: &Workplace, sealed: &Sealed, public: PublicKey) -> Result<Made, Failure> {
        let mut written = None;
        let stored = sealed.store(&place.trust_dir, &mut || {
            written = Some(keys::write_public(&self.dir, &self.signer, &public)?);
            Ok(())
        });
        match stored {
            Ok(Stored::New(path) | Stored::AlreadyThere(path)) => {
                let public_path = self.dir.join(format!("{}.pub", self.name));
                Ok(Made { public, role: self.role, gun: self.gun, path, public_path })
            }
            Err(e) => {
                // Ours, and without a private key of no use.
                let left = written.filter(|p| std::fs::remove_file(p).is_err()).map(|p| format!("; {} was left", shown(&p)));
                let f = not_made(&e, &self.name);
                let did_not_happen = f.did_not_happen.clone() + &left.unwrap_or_default();
                Err(f.instead(did_not_happen))
            }
        }
    }
}

fn not_made(error: &KeyError, name: &str) -> Failure {
    not_done(error, name, NOTHING)
}

/// The name of a signer or a key, which is also the name of the public file: docker's rule, and none that is a role.
fn signer(name: &str) -> Result<KeyRole, String> {
    let signer = KeyRole::parse(name).ok().filter(|r| matches!(r, KeyRole::Signer(n) if n == name && n != "releases"));
    signer.ok_or_else(|| match name {
        "" => "a name is needed".to_owned(),
        "root" | "targets" | "snapshot" | "timestamp" | "releases" => format!("{name} is the name of a role"),
        _ => format!(
            "{} is no name for a signer or a key: use lower-case letters, digits, - and _, starting with a letter or digit",
            Untrusted::new(name).shown()
        ),
    })
}

/// The repository that the key belongs to: there must be one for targets and snapshot, and none for others.
fn gun(place: &Workplace, role: &str, typed: &str) -> Result<Option<Gun>, String> {
    let belongs = matches!(role, "targets" | "snapshot");
    match (typed, role) {
        ("", _) if belongs => Err(format!("a {role} key belongs to a repository; name it")),
        ("", _) => Ok(None),
        (typed, _) if belongs => place.repository(typed).map(|r| Some(r.gun)),
        (_, "root") => Err("a root key may serve many repositories, and its file names none; leave this empty".to_owned()),
        _ => Err("a delegation key belongs to a person, not to a repository; leave this empty".to_owned()),
    }
}

/// Where the public half goes, if it can go there.
fn public_path(dir: &Path, name: &str) -> Result<PathBuf, String> {
    let refused = |why: &str| format!("{} {why}", shown(dir));
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
        Err(e) => Err(format!("{} cannot be used: {e}", shown(&path))),
        Ok(_) => Err(format!("{} is there already", shown(&path))),
    }
}
