//! Keys that come in with a plan and are not there before it is accepted: made here, made by the server, or put into a new
//! certificate. What is made here is on the disk before anything names it.
use super::{
    NOTHING,
    desk::{Desk, Ring, keys_here},
    outcome::may_be_published,
};
use crate::{
    failure::Failure,
    keys::{self, Iterations, KeyError, KeyRole, NewKey, PrivateKey, Sealed, certificate::root_certificate},
    notary::ServerRole,
    operator::{Deed, SecretKind, SecretWanted, Session, Step, Stop},
    procedures::key_failure,
    tuf::{
        key::{KeyType, PublicKey, ToCome},
        name::{Gun, KeyId},
    },
};
use jiff::{Timestamp, ToSpan as _};
use std::{fmt, sync::Arc};

/// The passphrase of a key that is made.
pub const PASSPHRASE: Step = Step { name: "passphrase", says: "Choose the passphrase that will protect the new key." };
/// Making it.
pub const MAKE: Step = Step { name: "make", says: "The new key is made in memory and encrypted." };
/// Storing it.
pub const STORE: Step = Step { name: "store", says: "The new key is stored and read back, before anything names it." };
/// Asking the server for one.
pub const ASK: Step = Step { name: "ask", says: "The server is asked for its key." };

/// How long the certificate of a root key holds (protocol 7.1), in days.
const CERTIFICATE_LIFE: i64 = 10 * 365;

/// Where a key comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// One whose private half is here, then.
    Ours {
        /// Which.
        key: Private,
        /// Whether it stands in a certificate for the repository, as root keys do.
        certified: bool,
    },
    /// The server signs with it.
    Server {
        /// For which role.
        role: ServerRole,
        /// Whether it makes another one.
        new: bool,
    },
    /// It is there already.
    There(PublicKey),
}

/// A private key that is here, or will be.
#[derive(Debug, Clone, PartialEq)]
pub enum Private {
    /// It is made for this.
    Made(KeyRole),
    /// It is here.
    Held(KeyId),
}

impl Source {
    /// The key that is here and has to be opened for it.
    pub fn around(&self) -> Option<KeyId> {
        match self {
            Self::Ours { key: Private::Held(id), .. } => Some(*id),
            _ => None,
        }
    }

    /// What stands for it in a plan.
    pub fn stand_in(&self) -> PublicKey {
        let also = |certified: &bool| if *certified { ", in a new certificate" } else { "" };
        match self {
            Self::Ours { key: Private::Held(id), certified } => {
                PublicKey::to_come(&format!("{}{}", id.hex(), also(certified)), ToCome::Here)
            }
            Self::Ours { key: Private::Made(_), certified } => {
                PublicKey::to_come(&format!("(new, made here{})", also(certified)), ToCome::Here)
            }
            Self::Server { new: true, .. } => PublicKey::to_come("(new, made by the server)", ToCome::AtServer),
            Self::Server { role, new: false } => {
                PublicKey::to_come(&format!("(the server's for {})", role.as_str()), ToCome::AtServer)
            }
            Self::There(key) => key.clone(),
        }
    }
}

/// A key that was made here.
#[derive(Debug, Clone)]
pub struct MadeKey {
    /// What for.
    pub role: KeyRole,
    /// Its ID.
    pub id: KeyId,
}

impl fmt::Display for MadeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the new {} key {} was stored and read back", self.role.as_str(), self.id)
    }
}

/// What the server answered.
struct Answered(ServerRole, PublicKey);

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server will sign {} with the key {}", self.0.as_str(), self.1.id())
    }
}

/// Makes and fetches the keys that are to come. From here on the desk has them, and its plans are real.
///
/// # Errors
/// With the keys named that are stored by then.
pub async fn bring(desk: &mut Desk, gun: &Gun, ring: &mut Ring, session: &mut Session<'_>) -> Result<Vec<MadeKey>, Stop> {
    let mut made = Vec::new();
    match all(desk, gun, ring, &mut made, session).await {
        Ok(keys) => {
            desk.keys = keys;
            desk.coming = Vec::new();
            desk.here = keys_here(&desk.trust_dir);
            Ok(made)
        }
        Err(stop) => Err(stopped_with_made(stop, &made)),
    }
}

/// The same for whatever ended it: whoever stops it is told of these keys too.
pub fn stopped_with_made(stop: Stop, made: &[MadeKey]) -> Stop {
    match stop {
        Stop::Failed(failure) => with_made(failure, made).into(),
        Stop::Back | Stop::Cancelled if !made.is_empty() => with_made(Failure::interrupted(NOTHING), made).into(),
        stop => stop,
    }
}

/// The same failure, which says that these keys are there all the same, and whether published metadata may name them.
pub fn with_made(mut failure: Failure, made: &[MadeKey]) -> Failure {
    if !made.is_empty() {
        let ids: Vec<String> = made.iter().map(|m| format!("{} ({})", m.id, m.role.as_str())).collect();
        let ids = ids.join(", ");
        let says = match may_be_published(&failure) {
            true => {
                format!("What was made for it is stored, and published metadata may name it: keep it, and back it up: {ids}.")
            }
            false => format!("What was made for it is stored, and nothing names it yet: {ids}."),
        };
        failure.hint = format!("{} {says}", failure.hint).trim_start().to_owned();
    }
    failure
}

async fn all(
    desk: &Desk,
    gun: &Gun,
    ring: &mut Ring,
    made: &mut Vec<MadeKey>,
    session: &mut Session<'_>,
) -> Result<Vec<PublicKey>, Stop> {
    // All passphrases come before anything is stored: until then there is a way back.
    let mut sealed = Vec::new();
    for source in &desk.coming {
        if let Source::Ours { key: Private::Made(role), .. } = source {
            sealed.push(sealed_key(role, gun, session).await?);
        }
    }
    let mut sealed = sealed.into_iter();
    let mut keys = Vec::new();
    for source in &desk.coming {
        let public = match source {
            Source::There(key) => key.clone(),
            Source::Server { role, new } => from_server(desk, gun, *role, *new, ring, session).await?,
            Source::Ours { key, certified } => {
                let private = match key {
                    Private::Held(id) => ring.get(id).cloned().ok_or_else(|| missing(*id))?,
                    Private::Made(role) => {
                        let Some((private, file)) = sealed.next() else { return Err(Stop::Cancelled) };
                        made.push(stored(desk, role, file, session).await?);
                        let private = Arc::new(private);
                        ring.insert(private.id(), private.clone());
                        private
                    }
                };
                if *certified { in_certificate(gun, private, session).await? } else { private.public().clone() }
            }
        };
        keys.push(public);
    }
    Ok(keys)
}

fn missing(id: KeyId) -> Failure {
    Failure::new("no-signing-key", format!("the key {id} was not opened"), super::NOTHING, "")
}

/// A new key, and the file that it will be.
async fn sealed_key(role: &KeyRole, gun: &Gun, session: &mut Session<'_>) -> Result<(PrivateKey, Sealed), Stop> {
    let label = match role {
        KeyRole::Base(base) => format!("the new {} key of {gun}", base.as_str()),
        KeyRole::Signer(name) => format!("the new key of {name}"),
    };
    let wanted = SecretWanted { label, role: role.as_str().to_owned(), key_id: None, kind: SecretKind::New, again: None };
    let passphrase = session.secret(PASSPHRASE, wanted).await?.passphrase;
    let (role, gun) = (role.clone(), gun.clone());
    session
        .work(MAKE, format!("making the {} key", role.as_str()), move |stop| {
            let failed = |e: KeyError| key_failure(&e, role.as_str()).instead(super::NOTHING);
            let key = keys::generate(NewKey::EcdsaP256).map_err(failed)?;
            let sealed = keys::seal(&role, Some(&gun), &key, &passphrase, Iterations::for_role(&role), stop).map_err(failed)?;
            Ok((key, sealed))
        })
        .await
}

async fn stored(desk: &Desk, role: &KeyRole, file: Sealed, session: &mut Session<'_>) -> Result<MadeKey, Stop> {
    let made = MadeKey { role: role.clone(), id: file.id() };
    let deed = Deed::default().creates(&desk.trust_dir.key_path(file.id()), file.bytes());
    let trust_dir = desk.trust_dir.clone();
    session
        .act(STORE, format!("storing the {} key {}", role.as_str(), file.id()), deed, move || {
            let failed = |e: KeyError| key_failure(&e, made.role.as_str());
            file.store(&trust_dir, &mut || Ok(())).map_err(failed)?;
            Ok(made)
        })
        .await
}

async fn in_certificate(gun: &Gun, key: Arc<PrivateKey>, session: &mut Session<'_>) -> Result<PublicKey, Stop> {
    let gun = gun.clone();
    session
        .work(MAKE, "making the certificate of the root key", move |_| {
            let now = Timestamp::now();
            let end = now.checked_add((CERTIFICATE_LIFE * 24).hours()).unwrap_or(Timestamp::MAX);
            let pem = root_certificate(&gun, &key, &mut |b| getrandom::fill(b), now, end)
                .map_err(|e| key_failure(&e, &key.id().short()).instead(super::NOTHING))?;
            let kind = if key.public().key_type() == &KeyType::Rsa { KeyType::RsaX509 } else { KeyType::EcdsaX509 };
            Ok(PublicKey::new(kind, pem.into_bytes()))
        })
        .await
}

async fn from_server(
    desk: &Desk,
    gun: &Gun,
    role: ServerRole,
    new: bool,
    ring: &Ring,
    session: &mut Session<'_>,
) -> Result<PublicKey, Stop> {
    let all = &desk.repositories;
    let transport = all.servers().of(gun).map_err(|e| Failure::new("no-server", e.to_string(), super::NOTHING, e.remedy()))?;
    let failed = |e: crate::notary::TransportError| {
        let message = format!("{gun}: the server gave no {} key: {e}", role.as_str());
        Failure::new("server-key", message, super::NOTHING, e.remedy())
    };
    let what = format!("asking {} for its {} key", transport.address().shown(), role.as_str());
    let key = if new {
        let answer = async { transport.new_server_key(gun, role).await.map(|k| Answered(role, k)).map_err(failed) };
        session.act_waiting(ASK, what, answer).await?.1
    } else {
        session.wait(ASK, what, async { transport.server_key(gun, role).await.map_err(failed) }).await?
    };
    // Whoever publishes would sign with it what the server was to sign.
    if desk.here.contains_key(&key.canonical_id()) || ring.contains_key(&key.canonical_id()) {
        let message =
            format!("{gun}: as its {} key the server gave {}, which is a key of this machine", role.as_str(), key.canonical_id());
        let hint = "Do not rely on this server: it does not have that key. Ask whoever runs it.";
        return Err(Failure::new("server-key", message, super::NOTHING, hint).into());
    }
    Ok(key)
}
