//! The commands that bring new keys in: `init`, `key rotate` and `root-key`.
use super::carry_out_with;
use crate::{
    cli::{
        args::{
            change::{Init, Keeper},
            key::Rotate,
            root_key::RootKeyCommand,
        },
        context::Context,
        key::Line,
        output::{self, Failure},
    },
    operator::{Cancel, as_text},
    procedures::{
        Work, key_failure, key_import,
        repository::{Beginning, NOTHING, RootAct, RootKeys, Rotation, Wanted, field},
    },
    trust_dir::shown,
    tuf::name::{Gun, KeyId, RoleName},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// `init`
pub async fn init(context: &Context, typed: Init, cancel: Cancel) -> Result<(), Failure> {
    let gun = context.gun(&typed.gun)?;
    let keeper = match typed.snapshot {
        Keeper::Server => field::SERVER,
        Keeper::Local => field::LOCAL,
    };
    let mut fields =
        root_fields(context, typed.root_key.as_deref(), typed.create_root, &gun, typed.accept.dry_run, &cancel).await?;
    fields.insert(field::SNAPSHOT, keeper.to_owned());
    fields.extend(typed.cert.as_deref().map(|c| (field::CERT, whole(c))));
    let wanted = Wanted::Begin(Beginning { gun: gun.to_string(), signer: None });
    carry_out_with(context, wanted, fields, typed.accept.into(), cancel).await
}

/// Which root key a repository begins with, as far as that was said.
pub(super) async fn root_fields(
    context: &Context,
    root_key: Option<&str>,
    create_root: bool,
    gun: &Gun,
    only_look: bool,
    cancel: &Cancel,
) -> Result<BTreeMap<&'static str, String>, Failure> {
    Ok(match root_key {
        Some(field::NEW) => BTreeMap::from([(field::ROOT_KEY, field::NEW.to_owned())]),
        Some(key) => BTreeMap::from([(field::ROOT_KEY, key_here(context, key, "root", gun, only_look, cancel).await?)]),
        None if create_root && !has_root_key(context) => BTreeMap::from([(field::ROOT_KEY, field::NEW.to_owned())]),
        None => BTreeMap::new(),
    })
}

fn has_root_key(context: &Context) -> bool {
    let all = crate::keys::list(context.trust_dir()).entries;
    all.iter().any(|e| e.role.as_ref().is_some_and(|r| r.raw() == "root"))
}

/// `key rotate`
pub async fn rotate(context: &Context, typed: Rotate, cancel: Cancel) -> Result<(), Failure> {
    let gun = context.gun(&typed.gun)?;
    let usage = |why: &str| Failure::new("usage", why, NOTHING, "").exit(2);
    if typed.server_managed && !matches!(typed.role.as_str(), "snapshot" | "timestamp") {
        return Err(usage("only snapshot and timestamp keys can be the server's"));
    }
    if typed.role == "timestamp" && (typed.key.is_some() || typed.old.is_some()) {
        return Err(usage("the timestamp key is always the server's, which makes it"));
    }
    if typed.cert.is_some() && typed.role != "root" {
        return Err(usage("only root keys stand in certificates of their own"));
    }
    let mut fields = BTreeMap::new();
    match typed.key {
        Some(key) if RoleName::new(&typed.role).is_ok_and(|r| r.is_delegation()) => {
            let key = if KeyId::new(&key).is_ok() { key } else { whole(Path::new(&key)) };
            fields.insert(field::KEY, key);
        }
        Some(key) => {
            let id = key_here(context, &key, &typed.role, &gun, typed.accept.dry_run, &cancel).await?;
            fields.insert(field::KEY, id);
        }
        None => {}
    }
    if typed.role == "snapshot" {
        // As the old tool has it: without -r the key is kept here.
        let keeper = if typed.server_managed { field::SERVER } else { field::LOCAL };
        fields.insert(field::KEEPER, keeper.to_owned());
    }
    fields.extend(typed.old.map(|id| (field::OLD, id)));
    fields.extend(typed.cert.as_deref().map(|c| (field::CERT, whole(c))));
    let wanted = Wanted::Rotate(Rotation { gun: gun.to_string(), role: typed.role });
    carry_out_with(context, wanted, fields, typed.accept.into(), cancel).await
}

/// `root-key add`, `remove` and `threshold`
pub async fn root_key(context: &Context, command: RootKeyCommand, cancel: Cancel) -> Result<(), Failure> {
    let mut fields = BTreeMap::new();
    let (typed, act, threshold, accept) = match command {
        RootKeyCommand::Add { gun, key, cert, threshold, accept } => {
            let key = match key {
                Some(key) if key == field::NEW => Some(key),
                Some(key) => Some(key_here(context, &key, "root", &context.gun(&gun)?, accept.dry_run, &cancel).await?),
                None => None,
            };
            fields.extend(key.map(|key| (field::KEY, key)));
            fields.extend(cert.as_deref().map(|c| (field::CERT, whole(c))));
            (gun, RootAct::Add, threshold, accept)
        }
        RootKeyCommand::Remove { gun, key, threshold, accept } => {
            fields.insert(field::OLD, key.clone());
            (gun, RootAct::Remove { key }, threshold, accept)
        }
        RootKeyCommand::Threshold { gun, threshold, accept } => (gun, RootAct::Threshold, Some(threshold), accept),
    };
    fields.extend(threshold.map(|n| (field::THRESHOLD, n.to_string())));
    let wanted = Wanted::RootKeys(RootKeys { gun: context.gun(&typed)?.to_string(), act });
    carry_out_with(context, wanted, fields, accept.into(), cancel).await
}

fn whole(path: &Path) -> String {
    as_text::of(&std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path)))
}

/// The ID of a key that is here; what is a file is taken in first, as work of its own.
async fn key_here(
    context: &Context,
    typed: &str,
    role: &str,
    gun: &Gun,
    only_look: bool,
    cancel: &Cancel,
) -> Result<String, Failure> {
    if KeyId::new(typed).is_ok() {
        return Ok(typed.to_owned());
    }
    let file = whole(Path::new(typed));
    if !Path::new(typed).exists() {
        let message = format!("{} is neither a file nor the ID of a key", crate::text::Untrusted::new(typed).shown());
        let hint = "A key is named by its whole ID, which `claviger key list` prints.";
        return Err(Failure::new("no-such-key", message, NOTHING, hint));
    }
    if only_look {
        // What cannot be taken in is said at once.
        crate::keys::read_blocks(Path::new(typed)).map_err(|e| key_failure(&e, &shown(Path::new(typed))).instead(NOTHING))?;
        let hint = format!("`claviger key load {typed} --role {role}` takes it in; then name its ID.");
        return Err(Failure::new("not-loaded", "the key of a file is taken in before there is a plan", NOTHING, hint));
    }
    let mut line = Line::new(context, Work::LoadKeys, cancel.clone())?;
    let of = if role == "root" { String::new() } else { gun.to_string() };
    line.operator.fields = BTreeMap::from([
        (key_import::field::FILE, file),
        (key_import::field::NAME, String::new()),
        (key_import::field::ROLE, role.to_owned()),
        (key_import::field::GUN, of),
    ]);
    let place = context.workplace();
    let all = line.run(|s| key_import::run(place.clone(), s)).await?;
    match all.0.as_slice() {
        [one] => {
            output::note(&one.to_string());
            Ok(one.id.hex())
        }
        several => {
            let ids: Vec<String> = several.iter().map(|k| k.id.hex()).collect();
            let message = format!("the file holds {} keys, and they are stored now: {}", several.len(), ids.join(", "));
            Err(Failure::new("several-keys", message, NOTHING, "Repeat it with the ID of the one that is meant."))
        }
    }
}
