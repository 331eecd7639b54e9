//! What is remembered of a repository, and remembering what was verified.
use crate::{
    trust_dir::{TrustDir, TrustDirError},
    tuf::{
        collection::TrustedCollection,
        limits,
        name::{BaseRole, Gun, RoleName},
    },
};
use std::{collections::BTreeMap, sync::Arc};

/// What is remembered of a repository.
pub(in crate::repository) type Remembered = Arc<BTreeMap<RoleName, Vec<u8>>>;

/// What became of remembering.
pub(super) enum Kept {
    /// Everything that was to be kept is.
    Done,
    /// Not what was verified over is remembered now.
    Elsewise,
    /// It could not be written.
    Failed(TrustDirError),
}

/// Roles that are remembered and to which nobody delegates any more: should one come back, it begins anew.
pub(super) fn ended(collection: &TrustedCollection, remembered: &Remembered) -> Vec<RoleName> {
    remembered.keys().filter(|role| collection.has_ended(role)).cloned().collect()
}

/// Stores what was fetched, and forgets roles that have ended, if the cache still holds what it was verified over.
pub(super) fn keep(
    trust_dir: &TrustDir,
    gun: &Gun,
    before: &BTreeMap<RoleName, Vec<u8>>,
    fetched: Vec<(RoleName, Vec<u8>)>,
    ended: &[RoleName],
) -> Result<Kept, TrustDirError> {
    // What is there already need not be written again: a timestamp is fetched every time and seldom new.
    let news = fetched.into_iter().filter(|(role, bytes)| before.get(role) != Some(bytes));
    let (roots, others): (Vec<_>, Vec<_>) = news.partition(|(role, _)| role.base() == Some(BaseRole::Root));
    let unchanged = || trust_dir.remembered(gun, limits::METADATA).map(|now| now == *before);
    if roots.is_empty() && others.is_empty() && ended.is_empty() {
        return Ok(if unchanged()? { Kept::Done } else { Kept::Elsewise });
    }
    let mut writer = match trust_dir.write() {
        Ok(writer) => writer,
        // Nobody can write here, or somebody else is writing.
        Err(why) => return Ok(if unchanged()? { Kept::Failed(why) } else { Kept::Elsewise }),
    };
    if !unchanged()? {
        return Ok(Kept::Elsewise);
    }
    let written = roots.iter().try_for_each(|(role, bytes)| writer.put_metadata(gun, role, bytes)).and_then(|()| {
        // The root is the anchor and waits for the disk. The rest is verified each time it is read, and fetched again
        // if a power cut took it.
        let mut writer = writer.without_waiting_for_the_disk();
        others.iter().try_for_each(|(role, bytes)| writer.put_metadata(gun, role, bytes))?;
        ended.iter().try_for_each(|role| writer.forget_role(gun, role))
    });
    Ok(written.map_or_else(Kept::Failed, |()| Kept::Done))
}
