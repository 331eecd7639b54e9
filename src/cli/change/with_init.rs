//! `signer add --init`: repositories that are there get the signer, those that are not begin with one. Each that begins has a
//! plan of its own.
use super::{Came, come, keys::root_fields, say_came, usage};
use crate::{
    cli::{args::change::BesideStaged, context::Context, output::Failure},
    operator::Cancel,
    procedures::repository::{Beginning, Look, NewSigner, Outcome, Report, Wanted, is_absent},
    tuf::name::Gun,
};
use std::collections::BTreeMap;

/// What was typed.
pub struct Typed {
    /// The signer.
    pub signer: NewSigner,
    /// Repositories.
    pub guns: Vec<String>,
    /// The root key of those that begin.
    pub root_key: Option<String>,
    /// Whether one is made if none is here.
    pub create_root: bool,
    /// How plans are accepted.
    pub accept: BesideStaged,
}

/// Does it.
pub async fn add(context: &Context, typed: Typed, cancel: Cancel) -> Result<(), Failure> {
    let Typed { signer: NewSigner { name, keys }, guns, root_key, create_root, accept } = typed;
    let whole = Wanted::AddSigner { guns: guns.clone(), name: name.clone(), keys: keys.clone() };
    let (mut absent, mut there) = (Vec::new(), Vec::new());
    for gun in whole.guns() {
        let list = if is_absent(context.repositories(), &gun).await { &mut absent } else { &mut there };
        list.push(gun.to_string());
    }
    let mut parts = Vec::new();
    if !there.is_empty() {
        parts.push(Wanted::AddSigner { guns: there, name: name.clone(), keys: keys.clone() });
    }
    let begin = |gun| Wanted::Begin(Beginning { gun, signer: Some(NewSigner { name: name.clone(), keys: keys.clone() }) });
    parts.extend(absent.into_iter().map(begin));
    if let ([_, _, ..], Some(_)) = (parts.as_slice(), &accept.accepted.expect) {
        return Err(usage("each repository that begins has a plan of its own, and --expect is for one", "Name one at a time."));
    }
    let (alone, mut seen, mut report) = (parts.len() == 1, Vec::new(), Report::default());
    let mut parts = parts.into_iter();
    while let Some(part) = parts.next() {
        let fields = match (&part, part.guns().first()) {
            (Wanted::Begin(_), Some(gun)) => {
                root_fields(context, root_key.as_deref(), create_root, gun, accept.accepted.dry_run, &cancel).await
            }
            _ => Ok(BTreeMap::new()),
        };
        let came = match fields {
            Ok(fields) => come(context, &part, fields, accept.clone(), cancel.clone()).await,
            Err(failure) => Err(failure),
        };
        match came {
            Ok(Came::Seen(look)) => seen.push(*look),
            Ok(Came::Done(done)) => report = report.and(done),
            Err(failure) if alone || failure.is_interrupt() && report.all.is_empty() => return Err(failure),
            // What was done before stays done, and is said.
            Err(failure) if failure.is_interrupt() => {
                let rest = std::iter::once(part).chain(parts.by_ref()).flat_map(|p| p.guns());
                report.all.extend(rest.map(|gun| (gun, Outcome::Failed(failure.clone()))));
            }
            Err(failure) => {
                let failed = |gun: Gun| (gun, Outcome::Failed(failure.clone()));
                report.all.extend(part.guns().into_iter().map(failed));
            }
        }
    }
    report.all.sort_by_key(|(gun, _)| guns.iter().position(|g| g == gun.as_str()));
    let came = match accept.accepted.dry_run {
        true => Came::Seen(Box::new(Look::of_all(seen, report))),
        false => Came::Done(report),
    };
    say_came(context, &whole, &came)
}
