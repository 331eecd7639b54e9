//! What attackers try, one test each. `docs/attacks.md` has a line for every test in this folder.
mod afterwards;
mod clean_cache;
mod controls;
mod delegations;
mod endless;
mod freshness;
mod hidden;
mod matrix;
mod parsing;
mod pins;
mod remembered;
mod roots;
mod signatures;
mod unread;

use crate::forge::{Client, Served, role};
use claviger::tuf::{
    Refusal,
    collection::{RoleState, TrustedCollection},
    name::RoleName,
};

/// Updates a client from a server, in memory and with a trust directory on disk. Both must come to the same end, and the
/// directory must hold afterwards what it should.
#[track_caller]
pub fn update(client: &Client, served: &Served) -> Result<TrustedCollection, Refusal> {
    let in_memory = client.update(&mut served.clone()).map(|outcome| outcome.collection);
    let on_disk = client.load(served).map(|loaded| loaded.collection);
    let end = |r: &Result<TrustedCollection, Refusal>| match r {
        Ok(c) => Ok((c.signed().map(|(r, t, _)| (r.name.clone(), t.to_owned())).collect::<Vec<_>>(), c.refused().count())),
        Err(why) => Err(why.clone()),
    };
    assert_eq!(end(&in_memory), end(&on_disk), "in memory and on disk");
    in_memory
}

/// The role that a refusal names; that of a refused root or rotation is root.
pub fn blamed(refusal: &Refusal) -> RoleName {
    match refusal {
        Refusal::Malformed { role, .. }
        | Refusal::Missing { role }
        | Refusal::NotListed { role }
        | Refusal::TooLong { role, .. }
        | Refusal::Checksum { role, .. }
        | Refusal::NoSignatures { role }
        | Refusal::Threshold { role, .. }
        | Refusal::Expired { role, .. }
        | Refusal::Rollback { role, .. }
        | Refusal::Equivocation { role, .. } => role.clone(),
        _ => role("root"),
    }
}

/// The update must end with this refusal of this role.
#[track_caller]
pub fn assert_refused(client: &Client, served: &Served, name: &str, code: &str) -> Refusal {
    match update(client, served) {
        Ok(_) => panic!("accepted, but {name} should have been refused as {code}"),
        Err(why) => {
            assert_eq!((why.code(), blamed(&why).as_str()), (code, name), "{why}");
            why
        }
    }
}

/// The update must succeed without this delegation: it is refused, its tags and those of what is below it do not
/// appear, and all other roles are whole.
#[track_caller]
pub fn assert_delegation_refused(client: &Client, served: &Served, name: &str, code: &str) -> TrustedCollection {
    let collection = update(client, served).unwrap_or_else(|why| panic!("the repository was refused with its delegation: {why}"));
    let refused: Vec<_> = collection.refused().collect();
    let [(who, why)] = refused[..] else { panic!("not one role was refused but {refused:?}") };
    assert_eq!((who.as_str(), why.code(), blamed(why).as_str()), (name, code, name), "{why}");
    let below = format!("{name}/");
    for (r, tag, _) in collection.signed() {
        assert!(r.name.as_str() != name && !r.name.as_str().starts_with(&below), "{tag} of {} is shown as signed", r.name);
    }
    assert!(collection.roles().iter().all(|r| !r.name.as_str().starts_with(&below)));
    collection
}

/// The update must succeed, with every role.
#[track_caller]
pub fn assert_whole(client: &Client, served: &Served) -> TrustedCollection {
    let collection = update(client, served).unwrap_or_else(|why| panic!("refused: {why}"));
    for r in collection.roles() {
        assert!(!matches!(r.state, RoleState::Refused(_)), "{} was refused: {:?}", r.name, r.state);
    }
    collection
}
