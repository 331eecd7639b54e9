//! Looking at a repository that was refused: what its files say, with no claim that any of it is true.
use super::{LoadError, Repositories};
use crate::{
    text::Untrusted,
    tuf::{
        envelope::{Document, Payload},
        limits,
        listing::{Snapshot, TimestampFile},
        name::{BaseRole, Gun, RoleName},
        request::{Request, Which},
        root::Root,
        targets::Targets,
    },
};
use jiff::Timestamp;

/// What a server says of a repository. Nothing of it was verified.
#[derive(Debug)]
pub struct Look {
    /// The files, in the order of the tree.
    pub files: Vec<Seen>,
}

/// One file, unverified.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Whose file it claims to be.
    pub role: RoleName,
    /// Version and end that it claims, and how many signatures stand under it; none if it could not be read.
    pub claims: Option<Claims>,
    /// Names that it claims to sign.
    pub names: Vec<Untrusted>,
    /// Why it could not be fetched or read, in printable words.
    pub problem: Option<String>,
}

/// What a file says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// Version.
    pub version: u64,
    /// End.
    pub expires: Timestamp,
    /// Signatures, good or bad.
    pub signatures: usize,
}

impl Repositories {
    /// Fetches the current files of a repository without verifying them.
    pub async fn look(&self, gun: &Gun) -> Result<Look, LoadError> {
        let mut look = Look { files: Vec::new() };
        self.see::<Root>(gun, BaseRole::Root.into(), &mut look).await?;
        self.see::<TimestampFile>(gun, BaseRole::Timestamp.into(), &mut look).await?;
        self.see::<Snapshot>(gun, BaseRole::Snapshot.into(), &mut look).await?;
        let mut waiting = vec![RoleName::from(BaseRole::Targets)];
        while let Some(role) = waiting.pop() {
            let Some(document) = self.see::<Targets>(gun, role.clone(), &mut look).await? else { continue };
            if let Some(seen) = look.files.last_mut() {
                seen.names = document.payload.targets().map(|(n, _)| Untrusted::new(n)).collect();
            }
            let below = document.payload.delegations().iter().map(|d| &d.name).filter(|d| d.is_child_of(&role));
            waiting.extend(below.rev().cloned());
            if look.files.len() > limits::ROLES {
                break;
            }
        }
        Ok(look)
    }

    async fn see<T: Payload>(&self, gun: &Gun, role: RoleName, look: &mut Look) -> Result<Option<Document<T>>, LoadError> {
        let transport = self.servers().of(gun)?;
        let request = Request { role: role.clone(), which: Which::Current, limit: limits::METADATA };
        let parsed = match transport.get(gun, &request).await {
            Ok(bytes) => Document::<T>::parse(&bytes).map_err(|e| e.to_string()),
            Err(e) => Err(e.to_string()),
        };
        let claims = parsed.as_ref().ok().map(|d| Claims {
            version: d.payload.common().version,
            expires: d.payload.common().expires.moment(),
            signatures: d.signatures.len(),
        });
        look.files.push(Seen { role, claims, names: Vec::new(), problem: parsed.as_ref().err().cloned() });
        Ok(parsed.ok())
    }
}
