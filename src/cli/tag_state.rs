//! `tags --registry-state`: what a repository signs, beside what its registry has.
use super::{
    context::Context,
    output::{self, Counter, Failure},
    tags::{HEADS, load, row_json, row_text},
};
use crate::{
    repository::TagsError,
    text::count,
    views::{
        columns::columns,
        tag_state::{StatedTags, tags_of},
        tags::tag_rows,
    },
};
use serde_json::{Value, json};

/// Lists what is signed and what the registry has, one line for each name and digest.
pub async fn tags(context: &Context, typed: &str) -> Result<(), Failure> {
    let loaded = load(context, typed).await?;
    let gun = loaded.collection.gun();
    let counter = Counter::of("tags were looked up");
    let rows = tag_rows(&loaded.collection);
    let registry = context.repositories().registry_tags(gun, tags_of(&rows), |done, of| counter.say(done, of)).await;
    drop(counter);
    let registry = registry.map_err(|e| failure(&e))?;
    if registry.refused > 0 {
        let n = count(registry.refused, "tag");
        output::complain(&format!("claviger: the registry names {n} that cannot be used; left out"));
    }
    if !registry.whole {
        output::complain("claviger: the registry's list of tags was cut; there may be more");
    }
    if let Some(why) = &registry.why {
        let n = count(registry.unknown.len(), "tag");
        output::complain(&format!(
            "claviger: the registry did not say what {n} {} to: {why}",
            if registry.unknown.len() == 1 { "leads" } else { "lead" }
        ));
    }
    let refused = loaded.collection.refused().next().is_some();
    let all = StatedTags::new(rows, refused, registry);
    if context.options.json {
        output::say_json(&as_json(&all))?;
    } else if all.signed.is_empty() && all.others.is_empty() {
        output::say(&format!("{gun} signs nothing, and the registry has no tags of it.\n"))?;
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
    context.refused_roles(&loaded)
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

fn failure(error: &TagsError) -> Failure {
    let nothing = "nothing is shown, because what the registry has is not known";
    Failure::new(
        "registry",
        error.to_string(),
        nothing,
        format!("{} Without --registry-state, what is signed is shown.", error.remedy()),
    )
}
