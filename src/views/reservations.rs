//! What is to be said beside everything that is shown of a repository: how far it may be relied on.
use super::{notable, repositories};
use crate::{
    repository::Loaded,
    trust_dir::TrustDir,
    tuf::{
        collection::{Anchor, Freshness},
        name::KeyId,
    },
};

/// One sentence for each thing, without a capital letter or a full stop. `read_only` says why nothing is written, if nothing is;
/// `meets` whether a root that was seen now for the first time is trusted by this.
pub fn reservations(loaded: &Loaded, trust_dir: &TrustDir, read_only: Option<&str>, meets: bool) -> Vec<String> {
    let c = &loaded.collection;
    let (gun, mut all) = (c.gun(), Vec::new());
    if c.freshness() == Freshness::Cached {
        let until = c.timestamp().expires().strftime("%Y-%m-%d %H:%M UTC");
        let as_of = repositories::as_of(c, trust_dir);
        let as_of = as_of.map(|t| format!(" as of {}", t.strftime("%Y-%m-%d %H:%M UTC"))).unwrap_or_default();
        all.push(format!(
            "the server did not answer; {gun} is shown as it was last seen{as_of}, which may be out of date (valid until {until})"
        ));
    }
    if c.anchor() == Anchor::FirstUse && meets {
        let ids: Vec<String> = notable::root_keys(c).iter().map(KeyId::hex).collect();
        let trusted = match not_remembered(loaded, read_only) {
            None => "is trusted from now on".to_owned(),
            Some(why) => format!("is trusted for this command only; not remembered, because {why}"),
        };
        all.push(format!(
            "the root of {gun} was seen now for the first time and {trusted}; compare its root key with the owner's: {}",
            ids.join(", ")
        ));
    } else if let Some(why) = &loaded.not_kept {
        all.push(format!("{gun} was verified but could not be remembered: {why}"));
    }
    all
}

/// Why a root that was seen now is forgotten when this command ends, if it is.
fn not_remembered(loaded: &Loaded, read_only: Option<&str>) -> Option<String> {
    match &loaded.not_kept {
        _ if loaded.root_remembered => None,
        Some(why) => Some(why.to_string()),
        None => Some(read_only.map_or("it could not be written".to_owned(), |why| format!("nothing is written ({why})"))),
    }
}
