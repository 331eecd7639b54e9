//! A repository is begun: its root, which names all keys, and an empty list of targets.
use super::{
    NOTHING, Report,
    desk::{Desk, Ring, open},
    key_files::{certificate, public_keys},
    keyed::{filled, pins_allow},
    new_keys::{Private, Source, bring, stopped_with_made},
    outcome::{draft_failure, load_failure, publish_failure},
    page,
    report::Outcome,
    road::{Look, READ, Sent, accepted, reading, remembered, send},
    rotate::{LOCAL, SERVER},
    wanted::Beginning,
    wishes::signer_roles,
};
use crate::{
    failure::Failure,
    finding::{Finding, Severity},
    keys::{KeyEntry, KeyRole},
    notary::ServerRole,
    operator::{Choice, Field, Form, Session, Step, Stop, Values, as_text},
    repository::{
        Repositories,
        change::{FirstKeys, Ground, NotPublished, Plan},
    },
    tuf::{
        change::Delegate,
        key::PublicKey,
        name::{BaseRole, Gun, KeyId},
    },
};
use jiff::Timestamp;
use std::{collections::BTreeMap, sync::Arc};

/// Which root key, and who keeps the snapshot's.
pub const WISH: Step = Step { name: "wish", says: "Choose the root key, and who signs the snapshot." };

/// The names of the fields, which are those of the command line.
pub mod field {
    /// The root key.
    pub const ROOT_KEY: &str = "root-key";
    /// The certificate in which it stands.
    pub const CERT: &str = "cert";
    /// Who keeps the snapshot key.
    pub const SNAPSHOT: &str = "snapshot";
}

/// The code of a failure to begin what is there.
const ALREADY_THERE: &str = "already-there";
/// The value that has a root key made.
pub const NEW: &str = "new";

/// Does it.
pub async fn run(mut desk: Desk, beginning: Beginning, session: &mut Session<'_>) -> Result<Report, Stop> {
    let gun = beginning.gun()?;
    let signer = delegates(&beginning)?;
    let looked = session.wait(READ, reading(std::slice::from_ref(&gun)), async { Ok(ground(&desk, &gun).await) }).await?;
    let ground = match looked {
        Err(claimed) if session.is_resumed() && claimed.code == ALREADY_THERE => {
            return match session.wait(READ, reading(std::slice::from_ref(&gun)), ours(&desk, &gun, &signer)).await? {
                Some(report) => Ok(report),
                None => Err(claimed.into()),
            };
        }
        ground => ground?,
    };
    let values = session.form(WISH, form(&desk, &gun)).await?;
    choose(&mut desk, &gun, &values)?;
    let plan = plan(&desk, &ground, &signer)?;
    let keys = desk.needed_of(&plan, None)?;
    accepted(&desk, &[&plan], &keys, false, session).await?;
    let mut ring = Ring::default();
    open(&mut ring, &keys, session).await?;
    let made = bring(&mut desk, &gun, &mut ring, session).await?;
    let all = async {
        match send(&desk, self::plan(&desk, &ground, &signer)?, &ring, session).await? {
            Sent::Done(roles, not_kept) => Ok((Outcome::Published(roles), not_kept.map(|e| e.to_string()))),
            Sent::Since(_, roles) => Ok((Outcome::Published(roles), remembered(&desk, &gun).await)),
            Sent::Perhaps(role, _) => Err(Stop::from(publish_failure(&gun, &NotPublished::Since(role)))),
            Sent::TooLate => Err(Stop::from(publish_failure(&gun, &NotPublished::Conflict))),
        }
    };
    match all.await {
        Ok((outcome, not_kept)) => Ok(Report { made, ..Report::of(gun, outcome).unremembered(not_kept) }),
        Err(stop) => Err(stopped_with_made(stop, &made)),
    }
}

/// Makes the plan with what was given for the fields, and touches nothing.
pub async fn look(mut desk: Desk, beginning: &Beginning, fields: &BTreeMap<&'static str, String>) -> Result<Look, Failure> {
    let gun = beginning.gun()?;
    let ground = ground(&desk, &gun).await?;
    let values = filled(&desk.wanted, &form(&desk, &gun), fields)?;
    choose(&mut desk, &gun, &values)?;
    let plan = plan(&desk, &ground, &delegates(beginning)?)?;
    let keys = desk.needed_of(&plan, None)?;
    Ok(Look {
        review: page::review(&desk.wanted, &[&plan], &keys),
        plans: vec![plan],
        lacking: Vec::new(),
        others: Report::default(),
    })
}

/// What is said if what is there was begun with keys that are here, and with the signer: it was published before it could be
/// said. Its root is remembered then, which was made here.
async fn ours(desk: &Desk, gun: &Gun, signer: &[Delegate]) -> Result<Option<Report>, Failure> {
    let all = &desk.repositories;
    let basis = desk.basis(gun).await?;
    let root = basis.collection();
    let here = |role| root.base_keys(role).iter().all(|k| desk.here.contains_key(&k.canonical_id()));
    let keys = |d: &Delegate| root.role(&d.role).map(|r| r.keys.keys.as_slice()).unwrap_or_default();
    let may_sign = |d: &Delegate| d.add_keys.iter().all(|new| keys(d).iter().any(|k| k.canonical_id() == new.canonical_id()));
    if !(here(BaseRole::Root) && here(BaseRole::Targets) && signer.iter().all(may_sign)) {
        return Ok(None);
    }
    let kept = basis.remember(all).await;
    let not_kept = kept.map_err(|e| load_failure(all, gun, e).instead("what was published was not remembered"))?;
    Ok(Some(Report::of(gun.clone(), Outcome::AsWanted).unremembered(not_kept.map(|e| e.to_string()))))
}

/// Nothing must be there: neither at the server nor remembered here.
async fn ground(desk: &Desk, gun: &Gun) -> Result<Arc<Ground>, Failure> {
    let all = &desk.repositories;
    match all.unclaimed(gun, Timestamp::now()).await.map_err(|e| load_failure(all, gun, e).instead(NOTHING))? {
        Ok(ground) => Ok(Arc::new(ground)),
        Err(claimed) => {
            let word = gun.word();
            let hint = match claimed.by_server {
                true => format!("`claviger repo show {word}` says what is there."),
                false => format!(
                    "If it was deleted on purpose, `claviger delete {word}` forgets what is remembered; else find out who deleted it, or ask the right server (--server)."
                ),
            };
            Err(Failure::new(ALREADY_THERE, format!("{gun}: {claimed}"), NOTHING, hint))
        }
    }
}

fn roots(desk: &Desk) -> Vec<&KeyEntry> {
    desk.here.values().filter(|e| e.role.as_ref().is_some_and(|r| r.raw() == "root")).collect()
}

/// What is asked.
fn form(desk: &Desk, gun: &Gun) -> Form {
    let ids: Vec<KeyId> = roots(desk).iter().filter_map(|e| e.id).collect();
    let initial = match ids.as_slice() {
        [one] => one.hex(),
        _ => String::new(),
    };
    let known = ids.iter().map(KeyId::hex).collect::<Vec<_>>().join(", ");
    let none = match ids.is_empty() {
        true => format!("no root key is here: `{NEW}` makes one (--create-root), `claviger key load` takes one from a file"),
        false => format!("several root keys are here; name one: {known}"),
    };
    let root = Field::text(field::ROOT_KEY, "Root key", "the ID of a root key that is here; `new` makes one")
        .with(initial)
        .checked(move |typed, _| match (typed, KeyId::new(typed)) {
            ("", _) => Err(none.clone()),
            (NEW, _) => Ok(Some("a new root key is made here, for this and other repositories".to_owned())),
            (_, Ok(id)) if ids.contains(&id) => Ok(Some("it is here".to_owned())),
            _ if known.is_empty() => Err("no such root key is here".to_owned()),
            _ => Err(format!("no such root key is here; these are: {known}")),
        });
    let snapshot = vec![
        Choice { value: SERVER, meaning: "the server signs it, so that signers can publish by themselves" },
        Choice { value: LOCAL, meaning: "its key is kept here, and whoever publishes needs it" },
    ];
    let cert = "empty: one is made for ten years; else a PEM file around the root key, naming this repository";
    Form {
        title: format!("A new repository: {gun}"),
        fields: vec![
            root,
            Field::choice(field::SNAPSHOT, "Snapshot", "who signs which versions belong together", snapshot),
            Field::path(field::CERT, "Certificate", cert),
        ],
    }
}

/// Understands what was filled in.
fn choose(desk: &mut Desk, gun: &Gun, values: &Values) -> Result<(), Failure> {
    let ours = |base| Source::Ours { key: Private::Made(KeyRole::Base(base)), certified: base == BaseRole::Root };
    let server = |role| Source::Server { role, new: false };
    let root = match (values.get(field::CERT), KeyId::new(values.get(field::ROOT_KEY))) {
        ("", Ok(id)) => Source::Ours { key: Private::Held(id), certified: true },
        ("", Err(_)) => ours(BaseRole::Root),
        (file, id) => {
            let key = certificate(&as_text::path(file), gun)?;
            if id.is_ok_and(|id| id != key.canonical_id()) {
                let why = "the certificate is not one of this root key".to_owned();
                return super::wanted::usage(Err(why));
            }
            Source::There(key)
        }
    };
    pins_allow(desk, gun, (&[], 1), Some(&root))?;
    let snapshot = match values.get(field::SNAPSHOT) {
        LOCAL => ours(BaseRole::Snapshot),
        _ => server(ServerRole::Snapshot),
    };
    desk.comes(vec![root, ours(BaseRole::Targets), snapshot, server(ServerRole::Timestamp)]);
    Ok(())
}

/// What is delegated to the signer with whom it begins.
fn delegates(beginning: &Beginning) -> Result<Vec<Delegate>, Failure> {
    let Some(signer) = &beginning.signer else { return Ok(Vec::new()) };
    super::wanted::usage(super::spelling::signer_name(&signer.name))?;
    signer_roles(&signer.name, &public_keys(&signer.keys)?)
}

/// Whether its server says that there is no such repository. Whoever cannot be asked has not said so.
pub async fn is_absent(repositories: &Repositories, gun: &Gun) -> bool {
    let looked = repositories.unclaimed(gun, Timestamp::now()).await;
    matches!(looked, Ok(ground) if ground.as_ref().err().is_none_or(|claimed| !claimed.by_server))
}

fn plan(desk: &Desk, ground: &Arc<Ground>, delegates: &[Delegate]) -> Result<Plan, Failure> {
    let keys: Vec<PublicKey> = desk.keys.clone();
    let [root, targets, snapshot, timestamp] = keys.as_slice() else {
        return Err(Failure::new("internal", "a key is missing", NOTHING, ""));
    };
    let first = FirstKeys {
        root: root.clone(),
        targets: targets.clone(),
        snapshot: snapshot.clone(),
        timestamp: timestamp.clone(),
        delegates: delegates.to_vec(),
    };
    let mut plan = Plan::first(ground.clone(), &first).map_err(|e| draft_failure(&ground.gun, &e))?;
    if desk.coming.iter().any(|s| matches!(s, Source::Ours { key: Private::Made(KeyRole::Base(BaseRole::Root)), .. })) {
        let text =
            "A root key is made on this machine; it belongs on one without a network, and into a backup, as soon as it is there";
        plan.findings.push(Finding::new("root-made-here", Severity::Warn, text));
    }
    plan.findings.extend(desk.waiting(&ground.gun)?.finding(false));
    Ok(plan)
}
