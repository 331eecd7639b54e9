//! Publishing (protocol 10.2, 10.3): what was sent becomes what is stored, all of it or nothing.
use super::{
    answer::Response,
    call::Call,
    keys::{KeyRing, ServerKeys},
    multipart, refused,
    store::{self, Published, Repository},
};
use crate::tuf::{
    envelope::{Common, Document, Expiry},
    file_meta::FileMeta,
    listing::{Snapshot, TimestampFile},
    name::{BaseRole, Gun, RoleName},
    publication::{Accepted, Publication},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What was sent, by role. Of two files for one role the last counts.
pub(super) type Sent<'b> = BTreeMap<RoleName, &'b [u8]>;

/// What is stored in one go.
pub(super) struct Transaction {
    /// All but the timestamp.
    pub files: Vec<(RoleName, Published)>,
    pub timestamp: Published,
    /// What the server signs with from then on.
    pub keys: ServerKeys,
}

impl Transaction {
    /// How many bytes it brings.
    pub fn size(&self) -> u64 {
        let files = self.files.iter().map(|(_, file)| file).chain([&self.timestamp]);
        files.map(|file| file.bytes.len() as u64).sum()
    }
}

/// Takes a request's body apart into files.
pub(super) fn read<'b>(call: &Call<'b>) -> Result<Sent<'b>, Response> {
    let kind = call.header("content-type").unwrap_or_default();
    let parts = multipart::parts(kind, call.body).map_err(|_| refused::malformed_upload())?;
    let mut sent = Sent::new();
    for part in parts {
        let name = part.filename.strip_suffix(".json").unwrap_or(&part.filename);
        if name.is_empty() {
            return Err(refused::no_filename());
        }
        let role = RoleName::new(name).map_err(|_| refused::invalid_role(name))?;
        if !is_metadata(part.bytes) {
            return Err(refused::malformed_json());
        }
        sent.insert(role, part.bytes);
    }
    Ok(sent)
}

/// Whether there is JSON whose known members have the types that they must have. More is looked at later.
fn is_metadata(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct File {
        signed: Option<Signed>,
        signatures: Option<Vec<Option<Signature>>>,
    }
    #[derive(Deserialize)]
    struct Signed {
        #[serde(rename = "_type")]
        _type: Option<String>,
        expires: Option<String>,
        #[serde(rename = "version")]
        _version: Option<i64>,
    }
    #[derive(Deserialize)]
    struct Signature {
        #[serde(rename = "keyid")]
        _key_id: Option<String>,
        #[serde(rename = "method")]
        _method: Option<String>,
        sig: Option<String>,
    }
    let first = serde_json::Deserializer::from_slice(bytes).into_iter::<File>().next();
    let Some(Ok(file)) = first else { return false };
    let expires = file.signed.and_then(|s| s.expires);
    let mut signatures = file.signatures.into_iter().flatten().flatten().filter_map(|s| s.sig);
    expires.is_none_or(|e| Expiry::parse(&e).is_ok()) && signatures.all(|s| STANDARD.decode(s.replace(['\r', '\n'], "")).is_ok())
}

/// Checks what was sent, and adds what the server signs itself. Nothing is stored yet.
pub(super) fn plan(
    gun: &Gun,
    sent: &Sent<'_>,
    there: Option<&Repository>,
    keys: &KeyRing,
    now: Timestamp,
) -> Result<Transaction, Response> {
    let current = |role: &RoleName| there.and_then(|r| r.current(role)).map(|f| f.bytes.as_slice());
    let accepted = Publication { gun, now, stored: &current, sent }.check().map_err(|o| refused::objection(&o))?;
    let key = |role| keys.for_role(gun.as_str(), accepted.root(), role);
    let (timestamp, snapshot) = (key(BaseRole::Timestamp), key(BaseRole::Snapshot));
    let mut files: Vec<(RoleName, Published)> = Vec::new();
    for (role, bytes) in sent.iter().filter(|(r, _)| r.base() != Some(BaseRole::Timestamp)) {
        let version = version_of(bytes).ok_or_else(refused::malformed_json)?;
        files.push((role.clone(), Published { version, bytes: bytes.to_vec(), stored: now }));
    }
    let listing = match sent.get(&BaseRole::Snapshot.into()) {
        // As everything the server vouches for, this is what Notary would write again.
        Some(bytes) => Document::<Snapshot>::parse(bytes).ok().and_then(|d| d.encode().ok()).ok_or_else(refused::internal)?,
        None => {
            let listing = listing(&accepted, current(&BaseRole::Snapshot.into()), now)?;
            let key = snapshot.as_ref().ok_or_else(refused::no_snapshot_key)?;
            let bytes = store::sign(&listing, &**key).map_err(|_| refused::internal())?;
            let version = listing.common.version;
            files.push((BaseRole::Snapshot.into(), Published { version, bytes: bytes.clone(), stored: now }));
            bytes
        }
    };
    let key = timestamp.ok_or_else(refused::no_timestamp_key)?;
    let before = current(&BaseRole::Timestamp.into()).map(Document::<TimestampFile>::parse);
    let before = before.transpose().map_err(|_| refused::internal())?.map_or(0, |d| d.payload.common.version);
    let common = store::common(before + 1, now, store::TIMESTAMP_LIFE).map_err(|_| refused::internal())?;
    let file = TimestampFile::new(common, FileMeta::of(&listing));
    let bytes = store::sign(&file, &*key).map_err(|_| refused::internal())?;
    let timestamp = Published { version: before + 1, bytes, stored: now };
    let newest = |role: &RoleName| there.and_then(|r| r.files(role).iter().map(|f| f.version).max()).unwrap_or(0);
    if files.iter().any(|(role, file)| file.version <= newest(role)) {
        return Err(refused::old_version());
    }
    Ok(Transaction { files, timestamp, keys: ServerKeys { timestamp: key, snapshot } })
}

/// The snapshot that follows the current one: what was looked at is new in it, everything else stays.
fn listing(accepted: &Accepted, before: Option<&[u8]>, now: Timestamp) -> Result<Snapshot, Response> {
    let before = before.map(Document::<Snapshot>::parse).transpose().map_err(|_| refused::internal())?.map(|d| d.payload);
    let mut meta: BTreeMap<RoleName, FileMeta> = match &before {
        Some(s) => s.roles().filter_map(|r| s.meta(&r).cloned().map(|m| (r, m))).collect(),
        None if !accepted.meta().contains_key(&BaseRole::Targets.into()) => return Err(refused::targets_first()),
        None => BTreeMap::new(),
    };
    meta.extend(accepted.meta().iter().map(|(r, m)| (r.clone(), m.clone())));
    let version = before.map_or(0, |s| s.common.version) + 1;
    let common: Common = store::common(version, now, store::SNAPSHOT_LIFE).map_err(|_| refused::internal())?;
    Ok(Snapshot::new(common, meta))
}

fn version_of(bytes: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct File {
        signed: Signed,
    }
    #[derive(Deserialize)]
    struct Signed {
        version: u64,
    }
    let first = serde_json::Deserializer::from_slice(bytes).into_iter::<File>().next();
    first.and_then(Result::ok).map(|f| f.signed.version)
}
