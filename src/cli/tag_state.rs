//! `tags --registry-state`: what a repository signs, beside what its registry has.
use super::{
    context::Context,
    image,
    output::{self, Failure},
    tags::{HEADS, row_json, row_text},
};
use crate::{
    operator::Cancel,
    procedures::repository::{
        About, Inquiry,
        inquiry::{self, Stated},
    },
    views::{columns::columns, tag_state::StatedTags},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Lists what is signed and what the registry has, one line for each name and digest.
pub async fn tags(context: &Context, typed: &str, cancel: Cancel) -> Result<(), Failure> {
    let (place, gun) = (context.workplace(), context.gun(typed)?.to_string());
    let asked = Inquiry { about: About::Tags, gun, tag: String::new() };
    let stated: Stated =
        image::run(context, asked.clone(), BTreeMap::new(), cancel, |s| inquiry::tags(place.clone(), asked.clone(), s)).await?;
    stated.notes.iter().for_each(|note| output::note(note));
    let all = &stated.all;
    if context.options.json {
        output::say_json(&as_json(all))?;
    } else if stated.is_empty() {
        output::say(&format!("{stated}.\n"))?;
    } else {
        let [name, digest, size, roles, released] = HEADS.map(str::to_owned);
        let mut lines = vec![[name, "REGISTRY".to_owned(), digest, size, roles, released, "LEADS TO".to_owned()]];
        for (row, state) in &all.signed {
            let [name, digest, size, roles, released] = row_text(row);
            let elsewhere = state.elsewhere().map(|d| d.digits().to_owned()).unwrap_or_default();
            lines.push([name, state.word().to_owned(), digest, size, roles, released, elsewhere]);
        }
        lines.extend(all.others.iter().map(|(tag, digest)| {
            let word = all.word(digest.as_ref()).to_owned();
            let (none, digest) = (String::new(), digest.as_ref().map(|d| d.digits().to_owned()).unwrap_or_default());
            [tag.as_str().to_owned(), word, none.clone(), none.clone(), none, "no".to_owned(), digest]
        }));
        output::say(&columns(&lines, 0, 3))?;
    }
    stated.refused.map_or(Ok(()), Err)
}

fn as_json(all: &StatedTags) -> Value {
    let signed = all.signed.iter().map(|(row, state)| {
        let mut one = row_json(row);
        let digest = state.elsewhere().map(ToString::to_string).or_else(|| {
            let same = row.digest.filter(|_| state.word() == "signed");
            same.map(|d| format!("sha256:{d}"))
        });
        if let Value::Object(fields) = &mut one {
            fields.insert("registry".to_owned(), json!({ "state": state.word(), "digest": digest }));
        }
        one
    });
    let others = all.others.iter().map(|(tag, digest)| {
        let (word, digest) = (all.word(digest.as_ref()), digest.as_ref().map(ToString::to_string));
        json!({
            "name": tag.as_str(), "digest": null, "size": null, "roles": [], "signers": [], "released": false,
            "registry": { "state": word, "digest": digest },
        })
    });
    signed.chain(others).collect()
}
