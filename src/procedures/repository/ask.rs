//! A change that is begun where only a part of it is known: a repository, and the row that was selected. What is missing is
//! asked on one page, and then it is the change that the command makes.
pub(super) mod fields;

use self::fields::{choice, field, usage};
use super::{
    Beginning, Deletion, NOTHING, NewSigner, Report, RootKeys, Rotation, Wanted, image, road, spelling,
    wanted::{ids, role},
};
use crate::{
    failure::Failure,
    operator::{Field, Form, Fut, Session, Step, Stop, Values, as_text},
    procedures::Workplace,
    text::Untrusted,
    tuf::name::Gun,
};

/// What is missing.
pub const WISH: Step = Step { name: "wanted", says: "Say what is wanted. A plan comes first; nothing is done yet." };
/// What a tag stands for.
pub const IMAGE: Step = Step { name: "image", says: "The registry is asked what the tag stands for." };

/// Does what is wanted, and asks first for what `begun` leaves open: what is empty in it.
pub fn ask<'s>(place: Workplace, begun: Wanted, session: &'s mut Session<'_>) -> Fut<'s, Result<Report, Stop>> {
    Box::pin(async move {
        place.may_write(NOTHING)?;
        let mut wanted = match form(&place, &begun) {
            Some(form) => {
                let values = session.form(WISH, form).await?;
                if let (true, Wanted::Reset { .. }) = (session.is_resumed(), &begun) {
                    return Err(counted_anew(&begun.guns(), &values).into());
                }
                filled(&place, begun, &values)?
            }
            None => begun,
        };
        let meant = match &mut wanted {
            Wanted::Stage(inner) => inner.as_mut(),
            other => other,
        };
        if let Wanted::Sign { gun, tag, sha256, size, .. } = meant
            && let (true, Some(all), Ok(gun)) = (sha256.is_empty(), &place.repositories, Gun::new(gun))
        {
            let what = format!("asking the registry what {} stands for", Untrusted::new(tag.as_str()).shown());
            (*sha256, *size) = session.wait(IMAGE, what, image::at_registry(all, &gun, tag)).await?;
        }
        road::run_by_hand(place, wanted, session).await
    })
}

/// Numbers that were typed before an interruption may mean other changes by now.
fn counted_anew(guns: &[Gun], values: &Values) -> Failure {
    let gun = guns.first().map_or_else(|| values.get(field::GUN).to_owned(), ToString::to_string);
    let gun = Untrusted::new(gun).shown();
    let message = format!("{gun}: what was staged may have other numbers than before it was interrupted");
    let hint = "`claviger status` says what is staged; begin it again, and close this work.";
    Failure::new("staged", message, "nothing more was thrown away", hint)
}

/// The page that asks for the rest; none where nothing is left to ask.
fn form(place: &Workplace, begun: &Wanted) -> Option<Form> {
    if let Wanted::Stage(inner) = begun {
        return form(place, inner).map(|form| Form { title: format!("{}, staged for later", form.title), ..form });
    }
    let guns = begun.guns();
    let rest = rest(place, begun);
    let unnamed = guns.is_empty().then(|| fields::repository(place));
    if unnamed.is_none() && !is_open(begun) {
        return None;
    }
    let title = match (guns.first(), begun) {
        (None, _) => begun.title().to_owned(),
        (Some(gun), Wanted::RemoveSigner { name, .. }) if !name.is_empty() => format!("{name} in {gun}"),
        (Some(gun), Wanted::RemoveDelegation { role, .. }) if !role.is_empty() => format!("{role} in {gun}"),
        (Some(gun), _) => gun.to_string(),
    };
    Some(Form { title, fields: unnamed.into_iter().chain(rest).collect() })
}

/// Whether there is something that could be said beside what the row says.
fn is_open(begun: &Wanted) -> bool {
    match begun {
        Wanted::Revoke { tag, .. } => tag.is_none(),
        Wanted::Purge { keys, .. } => keys.is_empty(),
        Wanted::Witness { roles, .. } => roles.is_empty(),
        Wanted::Rotate(rotation) => rotation.role.is_empty(),
        Wanted::Begin(Beginning { signer: Some(signer), .. }) => signer.name.is_empty(),
        // What else they need they ask for themselves.
        Wanted::RootKeys(_) | Wanted::Begin(_) | Wanted::Publish { .. } => false,
        Wanted::Reset { names, .. } => names.is_empty(),
        _ => true,
    }
}

/// The fields besides the repository, with what is known in them.
fn rest(place: &Workplace, begun: &Wanted) -> Vec<Field> {
    match begun {
        Wanted::Sign { tag, signer, .. } => vec![
            fields::tag("that will stand for an image, such as 1.4", None).with(tag),
            Field::text(field::SIGNER, "Signer", "whose role signs; empty: everybody whose key is here")
                .with(signer.clone().unwrap_or_default())
                .checked(|name, _| if name.is_empty() { Ok(None) } else { spelling::signer_name(name).map(|()| None) }),
            fields::digest(),
            fields::size(),
        ],
        Wanted::Revoke { .. } => vec![
            Field::choice(field::WHAT, "Revoke", "what nobody is to find any more", choice::revoked()),
            fields::tag("that will stand for nothing", Some(choice::ONE)),
        ],
        Wanted::AddSigner { name, .. } => vec![
            fields::signer("of the signer, such as dave").with(name),
            fields::key_file(field::KEY, "Public key", "the file that the signer has handed over", false),
            fields::key_file(field::ANOTHER_KEY, "Another", "a second key of theirs; may stay empty", true),
            fields::other_repositories(place),
        ],
        Wanted::RemoveSigner { name, key, .. } => unless_known(name, || fields::signer("who may not sign any more"))
            .chain([
                Field::text(field::KEY, "Only key", "the whole ID of one key; empty: all of theirs")
                    .with(key.clone().unwrap_or_default())
                    .checked(|id, _| fields::key_ids(id, true)),
                fields::other_repositories(place),
            ])
            .collect(),
        Wanted::AddDelegation { role, .. } => {
            // Whoever gives a role that there is another key does not want to give it other names too.
            let (role, names) = if role.is_empty() { ("targets/", choice::THESE) } else { (role.as_str(), choice::AS_IT_IS) };
            vec![
                fields::delegated_role().with(role),
                fields::key_file(field::KEY, "Public key", "of who may sign; empty for a role that has keys", true),
                fields::key_file(field::ANOTHER_KEY, "Another", "a second key; may stay empty", true),
                Field::choice(field::WHAT, "May sign", "which names", choice::granted()).with(names),
                fields::paths("beginnings, with commas between, such as test/", choice::THESE),
                fields::threshold(),
            ]
        }
        Wanted::RemoveDelegation { role, keys, .. } => {
            let what = if keys.is_empty() { choice::ROLE } else { choice::PART };
            unless_known(role, fields::delegated_role)
                .chain([
                    Field::choice(field::WHAT, "Take back", "what it loses", choice::taken()).with(what),
                    fields::part_of_keys().with(keys.join(" ")),
                    fields::paths("beginnings of names, with commas between; may stay empty", choice::PART),
                ])
                .collect()
        }
        Wanted::Purge { .. } => {
            vec![Field::text(field::KEY, "Keys", "whole IDs, with spaces between").checked(|ids, _| fields::key_ids(ids, false))]
        }
        Wanted::Witness { .. } => vec![fields::roles("such as targets/releases, with spaces between", false)],
        Wanted::Renew { roles, .. } => vec![
            fields::roles("with spaces between; empty: those that end within half a year", true).with(roles.join(" ")),
            fields::until(),
        ],
        Wanted::Rotate(rotation) => unless_known(&rotation.role, fields::rotated_role).collect(),
        Wanted::Delete(_) => vec![Field::choice(field::WHAT, "Delete", "where", choice::deleted())],
        Wanted::Leave { who, .. } => vec![
            fields::whoever_leaves().with(who),
            Field::choice(field::WHAT, "Leaves", "which repositories", choice::left()),
            fields::other_repositories(place),
        ],
        Wanted::Begin(Beginning { signer: Some(signer), .. }) => vec![
            fields::signer("who may sign from the beginning, such as dave").with(&signer.name),
            fields::key_file(field::KEY, "Public key", "the file that the signer has handed over", false),
            fields::key_file(field::ANOTHER_KEY, "Another", "a second key of theirs; may stay empty", true),
        ],
        Wanted::Reset { gun, .. } => vec![
            Field::choice(field::WHAT, "Throw away", "which of what is staged", choice::reset()),
            fields::numbers(place, Gun::new(gun).ok()),
        ],
        Wanted::RootKeys(_) | Wanted::Begin(_) | Wanted::Publish { .. } | Wanted::Only(_) | Wanted::Stage(_) => Vec::new(),
    }
}

/// A field, unless the row has said it.
fn unless_known(it: &str, field: impl FnOnce() -> Field) -> impl Iterator<Item = Field> {
    it.is_empty().then(field).into_iter()
}

/// What was begun, with what was filled in.
fn filled(place: &Workplace, begun: Wanted, values: &Values) -> Result<Wanted, Failure> {
    if let Wanted::Stage(inner) = begun {
        return Ok(Wanted::Stage(Box::new(filled(place, *inner, values)?)));
    }
    let named = match begun.guns().into_iter().next() {
        Some(gun) => gun.to_string(),
        None => place.repository(values.get(field::GUN)).map_err(usage)?.gun.to_string(),
    };
    let guns = || fields::with_others(place, &named, values.get(field::OTHERS)).map_err(usage);
    let text = |name: &str| values.get(name).to_owned();
    let or = |it: String, name: &str| if it.is_empty() { text(name) } else { it };
    let some = |name: &str| Some(text(name)).filter(|t| !t.is_empty());
    let words = |name: &str| -> Vec<String> { values.get(name).split_whitespace().map(str::to_owned).collect() };
    let files = || {
        let typed = [field::KEY, field::ANOTHER_KEY].map(|name| values.get(name));
        typed.into_iter().filter(|f| !f.is_empty()).map(|f| spelling::file(&as_text::path(f))).collect::<Vec<_>>()
    };
    let is = |value: &str| values.get(field::WHAT) == value;
    let gun = named.clone();
    Ok(match begun {
        Wanted::Sign { .. } => {
            let (sha256, size) = match values.get(field::DIGEST) {
                "" => Default::default(),
                digest => spelling::manifest(digest, values.get(field::SIZE).parse().unwrap_or_default()).map_err(usage)?,
            };
            Wanted::Sign { gun, tag: text(field::TAG), sha256, size, signer: some(field::SIGNER) }
        }
        // Only from a page that asks which can every tag be meant.
        Wanted::Revoke { tag: Some(tag), .. } => Wanted::Revoke { gun, tag: Some(tag) },
        Wanted::Revoke { .. } => Wanted::Revoke { gun, tag: is(choice::ONE).then(|| text(field::TAG)) },
        Wanted::AddSigner { .. } => Wanted::AddSigner { guns: guns()?, name: text(field::NAME), keys: files() },
        Wanted::RemoveSigner { name, .. } => {
            Wanted::RemoveSigner { guns: guns()?, name: or(name, field::NAME), key: some(field::KEY) }
        }
        Wanted::AddDelegation { .. } => {
            let paths = match values.get(field::WHAT) {
                choice::ANY => vec![String::new()],
                choice::THESE => fields::prefixes(values.get(field::PATHS)),
                _ => Vec::new(),
            };
            let threshold = values.get(field::THRESHOLD).parse().ok();
            Wanted::AddDelegation { gun, role: text(field::ROLE), keys: files(), paths, threshold }
        }
        Wanted::RemoveDelegation { role, .. } => {
            let part = is(choice::PART);
            Wanted::RemoveDelegation {
                gun,
                role: or(role, field::ROLE),
                keys: if part { words(field::KEY) } else { Vec::new() },
                paths: if part { fields::prefixes(values.get(field::PATHS)) } else { Vec::new() },
                all_paths: is(choice::ALL_PATHS),
            }
        }
        Wanted::Purge { keys, .. } if !keys.is_empty() => Wanted::Purge { gun, keys },
        Wanted::Purge { .. } => Wanted::Purge { gun, keys: words(field::KEY) },
        Wanted::Witness { roles, .. } if !roles.is_empty() => Wanted::Witness { gun, roles },
        Wanted::Witness { .. } => Wanted::Witness { gun, roles: words(field::ROLE) },
        Wanted::Renew { .. } => {
            let until = some(field::UNTIL).map(|typed| spelling::moment(&typed)).transpose().map_err(usage)?;
            Wanted::Renew { gun, roles: words(field::ROLE), until }
        }
        Wanted::Rotate(rotation) => Wanted::Rotate(Rotation { gun, role: or(rotation.role, field::ROLE) }),
        Wanted::RootKeys(wanted) => Wanted::RootKeys(RootKeys { gun, ..wanted }),
        Wanted::Begin(Beginning { signer, .. }) => {
            Wanted::Begin(Beginning { gun, signer: signer.map(|_| NewSigner { name: text(field::NAME), keys: files() }) })
        }
        Wanted::Delete(_) => Wanted::Delete(Deletion { gun, remote: is(choice::EVERYWHERE) }),
        Wanted::Leave { .. } => {
            let mut all = guns()?;
            if is(choice::EVERYWHERE) {
                all.extend(place.remembered().into_iter().filter(|known| !all.contains(known)).collect::<Vec<_>>());
            }
            Wanted::Leave { guns: all, who: text(field::NAME) }
        }
        Wanted::Publish { .. } => Wanted::Publish { gun },
        Wanted::Reset { names, .. } if !names.is_empty() => Wanted::Reset { gun, names },
        Wanted::Reset { .. } => {
            let named = Gun::new(&gun).map_err(|e| usage(e.to_string()))?;
            let chosen = fields::chosen(place, &named, values).map_err(usage)?;
            Wanted::Reset { gun, names: chosen.into_iter().map(|row| row.file.raw().to_owned()).collect() }
        }
        all @ (Wanted::Only(_) | Wanted::Stage(_)) => all,
    })
}
