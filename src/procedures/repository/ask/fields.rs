//! The fields of the page: each says while somebody types what it is understood as, or what is wrong with it.
use super::{ids, role, spelling};
use crate::{
    failure::Failure,
    operator::{Field, Values},
    procedures::{
        Workplace,
        repository::{NOTHING, key_files::public_keys},
    },
    tuf::name::{BaseRole, Gun, KeyId},
    views::staged::{StagedRow, staged_rows},
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The names of the fields.
pub mod field {
    /// The repository.
    pub const GUN: &str = "gun";
    /// Others in which the same is wanted.
    pub const OTHERS: &str = "others";
    /// The tag.
    pub const TAG: &str = "tag";
    /// The manifest's digest.
    pub const DIGEST: &str = "digest";
    /// The manifest's size.
    pub const SIZE: &str = "size";
    /// Whose role signs.
    pub const SIGNER: &str = "as";
    /// A signer who comes or goes.
    pub const NAME: &str = "name";
    /// A role, or several.
    pub const ROLE: &str = "role";
    /// A key: a file, or an ID.
    pub const KEY: &str = "key";
    /// A second file.
    pub const ANOTHER_KEY: &str = "another-key";
    /// How much is meant.
    pub const WHAT: &str = "what";
    /// Beginnings of names.
    pub const PATHS: &str = "paths";
    /// How many keys must sign.
    pub const THRESHOLD: &str = "threshold";
    /// An end.
    pub const UNTIL: &str = "until";
    /// Numbers of staged changes.
    pub const NUMBER: &str = "number";
}

/// What can be chosen. What comes first takes the least.
pub mod choice {
    use crate::operator::Choice;

    /// One tag.
    pub const ONE: &str = "one-tag";
    /// Names that begin so.
    pub const THESE: &str = "these";
    /// Any name.
    pub const ANY: &str = "any";
    /// No other names than so far.
    pub const AS_IT_IS: &str = "as-it-is";
    /// The whole role.
    pub const ROLE: &str = "role";
    /// Some of its keys and names.
    pub const PART: &str = "part";
    /// All its names.
    pub const ALL_PATHS: &str = "all-paths";

    /// All that is staged.
    pub const ALL: &str = "all";
    /// At the server too; in every repository.
    pub const EVERYWHERE: &str = "everywhere";

    /// Where a repository is deleted.
    pub fn deleted() -> Vec<Choice> {
        all(&[("here", "what this machine remembers of it"), (EVERYWHERE, "here and at its server, for everybody")])
    }

    /// Where somebody leaves.
    pub fn left() -> Vec<Choice> {
        all(&[
            (THESE, "in this repository, and in those that are named below"),
            (EVERYWHERE, "in every repository whose root this machine remembers"),
        ])
    }

    /// Which staged changes are thrown away.
    pub fn reset() -> Vec<Choice> {
        all(&[(THESE, "those with the numbers below"), (ALL, "all that is staged for the repository")])
    }

    /// How much is revoked.
    pub fn revoked() -> Vec<Choice> {
        all(&[(ONE, "the tag below"), ("every-tag", "all that is signed in the repository")])
    }

    /// What a role may sign more.
    pub fn granted() -> Vec<Choice> {
        all(&[
            (THESE, "names that begin as said below"),
            (ANY, "every name"),
            (AS_IT_IS, "what it may sign now; a new role may sign nothing"),
        ])
    }

    /// What a role loses.
    pub fn taken() -> Vec<Choice> {
        all(&[
            (PART, "the keys and names below"),
            (ALL_PATHS, "every name; the role stays, and may sign nothing"),
            (ROLE, "the whole role, with all that it signs"),
        ])
    }

    fn all(of: &[(&'static str, &'static str)]) -> Vec<Choice> {
        of.iter().map(|(value, meaning)| Choice { value, meaning }).collect()
    }
}

pub fn usage(why: String) -> Failure {
    Failure::new("usage", why, NOTHING, "").exit(2)
}

/// The repository, where no row says it.
pub fn repository(place: &Workplace) -> Field {
    let place = place.clone();
    Field::text(field::GUN, "Repository", "such as registry.example/team/app").checked(move |typed, _| {
        if typed.is_empty() {
            return Err("a repository is needed".to_owned());
        }
        let gun = place.repository(typed)?.gun;
        Ok((gun.as_str() != typed).then(|| format!("understood as {gun}")))
    })
}

/// More repositories.
pub fn other_repositories(place: &Workplace) -> Field {
    let place = place.clone();
    let help = "other repositories, with spaces between; may stay empty";
    Field::text(field::OTHERS, "Also in", help).checked(move |typed, _| {
        let all = guns(&place, typed)?;
        let names: Vec<String> = all.iter().map(ToString::to_string).collect();
        Ok((!names.is_empty() && names.join(" ") != typed.trim()).then(|| format!("understood as {}", names.join(" "))))
    })
}

fn guns(place: &Workplace, typed: &str) -> Result<Vec<Gun>, String> {
    typed.split_whitespace().map(|one| place.repository(one).map(|r| r.gun)).collect()
}

/// The repository, and the others that were named.
pub fn with_others(place: &Workplace, named: &str, typed: &str) -> Result<Vec<String>, String> {
    Ok([named.to_owned()].into_iter().chain(guns(place, typed)?.iter().map(ToString::to_string)).collect())
}

/// A tag. It is left empty where something else is chosen than `only_if`.
pub fn tag(help: &'static str, only_if: Option<&'static str>) -> Field {
    Field::text(field::TAG, "Tag", help).checked(move |tag, values| {
        let is_meant = only_if.is_none_or(|it| it == values.get(field::WHAT));
        match (is_meant, tag) {
            (true, "") => Err("a tag is needed".to_owned()),
            (false, "") => Ok(None),
            (false, _) => Err("every tag is meant; leave this empty".to_owned()),
            (true, t) if t.contains(char::is_whitespace) => Err("a tag has no spaces".to_owned()),
            (true, _) => Ok(None),
        }
    })
}

/// The digest of an image, where it is not the registry's.
pub fn digest() -> Field {
    let help = "of the manifest, sha256:…; empty: what the registry has";
    Field::text(field::DIGEST, "Digest", help).checked(|digest, _| match digest {
        "" => Ok(None),
        digest => spelling::manifest(digest, 1).map(|_| None).map_err(|_| "it is sha256: and 64 hexadecimal digits".to_owned()),
    })
}

/// The size that belongs to the digest.
pub fn size() -> Field {
    let help = "of the manifest in bytes, if the digest is given";
    Field::text(field::SIZE, "Size", help).checked(|size, values| match (size, values.get(field::DIGEST)) {
        ("", "") => Ok(None),
        ("", _) => Err("a digest needs the size too".to_owned()),
        (_, "") => Err("the registry says the size too; leave this empty".to_owned()),
        (size, _) if size.parse::<i64>().is_ok_and(|n| n >= 1) => Ok(None),
        _ => Err("it is a number of bytes, at least 1".to_owned()),
    })
}

/// A signer who comes or goes.
pub fn signer(help: &'static str) -> Field {
    Field::text(field::NAME, "Signer", help).checked(|name, _| match name {
        "" => Err("a name is needed".to_owned()),
        name => spelling::signer_name(name).map(|()| None),
    })
}

/// A file with a public key.
pub fn key_file(name: &'static str, label: &'static str, help: &'static str, may_be_empty: bool) -> Field {
    Field::path(name, label, help).checked_by_looking(move |file, _| match file {
        "" if may_be_empty => Ok(None),
        "" => Err("a file is needed".to_owned()),
        file => match public_keys(&[file.to_owned()]) {
            Ok(keys) => {
                let known: Vec<String> =
                    keys.iter().map(|k| format!("{} key {}", k.algorithm(), k.canonical_id().short())).collect();
                Ok(Some(known.join(", ")))
            }
            Err(failure) => Err(failure.message),
        },
    })
}

/// Whole IDs of keys.
pub fn key_ids(typed: &str, may_be_empty: bool) -> Result<Option<String>, String> {
    let words: Vec<String> = typed.split_whitespace().map(str::to_owned).collect();
    if words.is_empty() && !may_be_empty {
        return Err("an ID is needed".to_owned());
    }
    ids(&words).map(|_| None)
}

/// Keys of which a role is relieved.
pub fn part_of_keys() -> Field {
    Field::text(field::KEY, "Keys", "whole IDs, with spaces between; may stay empty").checked(|typed, values| {
        match (values.get(field::WHAT), typed) {
            (choice::PART, "") if values.get(field::PATHS).is_empty() => Err("keys or names are needed".to_owned()),
            (choice::PART, typed) => key_ids(typed, true),
            (_, "") => Ok(None),
            _ => Err(format!("choose \"{}\", or leave this empty", choice::PART)),
        }
    })
}

/// A role to which `targets` or another role delegates.
pub fn delegated_role() -> Field {
    Field::text(field::ROLE, "Role", "such as targets/qa").checked(|name, _| match role(name) {
        Ok(found) if found.is_delegation() => Ok(None),
        Ok(_) => Err("only roles below targets are delegated, such as targets/qa".to_owned()),
        Err(_) if matches!(name, "" | "targets/") => Err("a role is needed, such as targets/qa".to_owned()),
        Err(why) => Err(why),
    })
}

/// A role that gets another key.
pub fn rotated_role() -> Field {
    Field::text(field::ROLE, "Role", "root, targets, snapshot, timestamp, or one such as targets/qa").checked(|name, _| {
        if name.is_empty() {
            return Err("a role is needed".to_owned());
        }
        role(name).map(|_| None)
    })
}

/// A signer, or a key.
pub fn whoever_leaves() -> Field {
    Field::text(field::NAME, "Who", "a signer's name, or the whole ID of a key").checked(|who, _| match who {
        "" => Err("a name or an ID is needed".to_owned()),
        who if KeyId::new(who).is_ok() => Ok(None),
        who => spelling::signer_name(who).map(|()| None),
    })
}

/// Roles that are signed again.
pub fn roles(help: &'static str, may_be_empty: bool) -> Field {
    Field::text(field::ROLE, "Roles", help).checked(move |typed, _| {
        if typed.trim().is_empty() {
            return if may_be_empty { Ok(None) } else { Err("a role is needed".to_owned()) };
        }
        for name in typed.split_whitespace() {
            if let Some(BaseRole::Snapshot | BaseRole::Timestamp) = role(name)?.base() {
                return Err(format!("the {name} is made anew with every publication; name another role"));
            }
        }
        Ok(None)
    })
}

/// Beginnings of names, where `only_if` is chosen.
pub fn paths(help: &'static str, only_if: &'static str) -> Field {
    let check = move |typed: &str, values: &Values| match (values.get(field::WHAT) == only_if, typed.is_empty()) {
        (true, true) if only_if == choice::THESE => Err("say how the names begin".to_owned()),
        (false, false) => Err(format!("choose \"{only_if}\", or leave this empty")),
        _ if !typed.is_empty() && prefixes(typed).len() != typed.split(',').count() => {
            Err("something is missing beside a comma".to_owned())
        }
        _ => Ok(None),
    };
    Field::text(field::PATHS, "Names", help).checked(check)
}

/// Beginnings of names, as they were typed: spaces may stand beside a comma, and belong to no name.
pub fn prefixes(typed: &str) -> Vec<String> {
    typed.split(',').map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned).collect()
}

/// How many keys must sign.
pub fn threshold() -> Field {
    let help = "how many of its keys must sign; empty: as now, 1 if it is new";
    Field::text(field::THRESHOLD, "Threshold", help).checked(|typed, _| match typed.parse::<u64>() {
        Ok(1..) => Ok(None),
        _ if typed.is_empty() => Ok(None),
        _ => Err("it is a number, at least 1".to_owned()),
    })
}

/// Which of what is staged is meant: by their numbers, or all. Fails where nothing is.
pub fn chosen(place: &Workplace, gun: &Gun, values: &Values) -> Result<Vec<StagedRow>, String> {
    let all = staged_rows(&place.trust_dir, gun)?;
    if all.is_empty() {
        return Err(format!("nothing is staged for {gun}"));
    }
    let typed = values.get(field::NUMBER);
    match (values.get(field::WHAT), typed) {
        (choice::ALL, "") => return Ok(all),
        (choice::ALL, _) => return Err("all is meant; leave this empty".to_owned()),
        _ => {}
    }
    let mut found = BTreeMap::new();
    for word in typed.split([' ', ',']).filter(|word| !word.is_empty()) {
        let row = word.parse::<usize>().ok().and_then(|n| Some((n, all.get(n)?)));
        let last = all.len() - 1;
        let (number, row) = row.ok_or_else(|| match last {
            0 => "one change is staged, and its number is 0".to_owned(),
            last => format!("the numbers are 0 to {last}"),
        })?;
        found.insert(number, row.clone());
    }
    if found.is_empty() { Err("a number is needed".to_owned()) } else { Ok(found.into_values().collect()) }
}

/// Numbers of staged changes; what they mean is said at once.
pub fn numbers(place: &Workplace, gun: Option<Gun>) -> Field {
    let place = place.clone();
    let help = "as they are listed, from 0, with spaces between";
    Field::text(field::NUMBER, "Numbers", help).checked_by_looking(move |_, values| {
        let gun = match &gun {
            Some(gun) => gun.clone(),
            None => place.repository(values.get(field::GUN))?.gun,
        };
        let rows = chosen(&place, &gun, values)?;
        let texts: Vec<String> = rows.iter().map(|row| row.sentence()).collect();
        Ok(Some(texts.join("; ")))
    })
}

/// An end.
pub fn until() -> Field {
    let help = "a date such as 2030-12-31; empty: 3 years, for the root 10";
    Field::text(field::UNTIL, "Until", help).checked(|typed, _| match typed {
        "" => Ok(None),
        typed => match spelling::moment(typed)? {
            end if end <= Timestamp::now() => Err("that is over already; give a date to come".to_owned()),
            end => Ok(Some(format!("until {}", end.strftime("%Y-%m-%d %H:%M UTC")))),
        },
    })
}
