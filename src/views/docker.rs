//! What `docker trust inspect` prints, to the byte: JSON and pretty. In pretty output characters that a terminal must not
//! receive are shown escaped, which docker does not do.
use super::{
    columns::columns,
    natural,
    tags::{TagRow, releases, signer_name, tag_rows},
};
use crate::{
    text::Untrusted,
    tuf::{
        collection::TrustedCollection,
        json::ordinary_string,
        name::{BaseRole, KeyId, RoleName},
    },
};

const NOBODY: &str = "Repo Admin";

/// One inspected repository, or one tag of it.
pub struct Inspected {
    typed: Untrusted,
    tags: Vec<TagRow>,
    delegations: Vec<(RoleName, Vec<KeyId>)>,
    root: Vec<KeyId>,
    targets: Vec<KeyId>,
}

impl Inspected {
    /// Reads what is inspected out of a verified repository. `typed` is what the person typed, `tag` the tag in it.
    pub fn new(typed: Untrusted, collection: &TrustedCollection, tag: Option<&str>) -> Self {
        let mut tags = tag_rows(collection);
        tags.retain(|t| t.released && tag.is_none_or(|tag| t.name.raw() == tag));
        let mut delegations = Vec::new();
        // Docker reads delegations from the files that name them, so those of a role that was refused are missing.
        for file in collection.roles().iter().filter_map(|r| r.verified()) {
            for d in file.delegations() {
                let keys = file.keys_of(d).map(|k| k.keys).unwrap_or_default();
                delegations.push((d.name.clone(), keys.iter().map(|k| k.canonical_id()).collect()));
            }
        }
        delegations.retain(|(name, _)| !releases(name));
        let ids = |role| collection.root().role(role).map(|k| k.ids().to_vec()).unwrap_or_default();
        Self { typed, tags, delegations, root: ids(BaseRole::Root), targets: ids(BaseRole::Targets) }
    }

    fn json(&self) -> String {
        let list = |indent: &str, items: Vec<String>| match items.is_empty() {
            true => "[]".to_owned(),
            false => format!("[\n{indent}    {}\n{indent}]", items.join(&format!(",\n{indent}    "))),
        };
        let tags = self.tags.iter().map(|t| {
            let mut signers: Vec<String> = t.signers().map(ordinary_string).collect();
            if signers.is_empty() {
                signers.push(ordinary_string(NOBODY));
            }
            let at = " ".repeat(16);
            format!(
                "{{\n{at}\"SignedTag\": {},\n{at}\"Digest\": \"{}\",\n{at}\"Signers\": {}\n            }}",
                ordinary_string(t.name.raw()),
                t.digest_hex(),
                list(&at, signers)
            )
        });
        let person = |name: &str, keys: &[KeyId]| {
            let at = " ".repeat(16);
            let key = |k: &KeyId| format!("{{\n{at}        \"ID\": \"{k}\"\n{at}    }}");
            // Docker leaves an empty list of keys out.
            let keys = match keys.is_empty() {
                true => String::new(),
                false => format!(",\n{at}\"Keys\": {}", list(&at, keys.iter().map(key).collect())),
            };
            format!("{{\n{at}\"Name\": {}{keys}\n            }}", ordinary_string(name))
        };
        let mut signers: Vec<&(RoleName, Vec<KeyId>)> = self.delegations.iter().collect();
        signers.sort_by(|a, b| signer_name(&b.0).cmp(signer_name(&a.0)));
        let signers = signers.iter().map(|(name, keys)| person(signer_name(name), keys)).collect();
        let admins = vec![person("Root", &self.root), person("Repository", &self.targets)];
        let at = " ".repeat(8);
        format!(
            "    {{\n{at}\"Name\": {},\n{at}\"SignedTags\": {},\n{at}\"Signers\": {},\n{at}\"AdministrativeKeys\": {}\n    }}",
            ordinary_string(self.typed.raw()),
            list(&at, tags.collect()),
            list(&at, signers),
            list(&at, admins)
        )
    }

    fn pretty(&self) -> String {
        let name = self.typed.shown();
        let mut out = String::new();
        if self.tags.is_empty() {
            out.push_str(&format!("\nNo signatures for {name}\n\n"));
        } else {
            out.push_str(&format!("\nSignatures for {name}\n\n"));
            let mut rows = vec![["SIGNED TAG".to_owned(), "DIGEST".to_owned(), "SIGNERS".to_owned()]];
            for t in &self.tags {
                let mut signers: Vec<&str> = t.signers().collect();
                signers.sort_unstable();
                let signers = if signers.is_empty() { format!("({NOBODY})") } else { signers.join(", ") };
                rows.push([t.name.shown().into(), t.digest_hex(), signers]);
            }
            out.push_str(&columns(&rows, 10, 3));
        }
        if !self.delegations.is_empty() {
            out.push_str(&format!("\nList of signers and their keys for {name}\n\n"));
            let mut signers: Vec<&(RoleName, Vec<KeyId>)> = self.delegations.iter().collect();
            signers.sort_by(|a, b| natural::compare(signer_name(&a.0), signer_name(&b.0)));
            let mut rows = vec![["SIGNER".to_owned(), "KEYS".to_owned()]];
            rows.extend(signers.iter().map(|(name, keys)| {
                let mut keys: Vec<String> = keys.iter().map(KeyId::short).collect();
                keys.sort_unstable();
                [signer_name(name).to_owned(), keys.join(", ")]
            }));
            out.push_str(&columns(&rows, 10, 3));
        }
        let ids = |ids: &[KeyId]| {
            let mut ids: Vec<String> = ids.iter().map(KeyId::hex).collect();
            ids.sort_unstable();
            ids.join(", ")
        };
        out.push_str(&format!("\nAdministrative keys for {name}\n\n"));
        out.push_str(&format!("  Repository Key:\t{}\n  Root Key:\t{}\n", ids(&self.targets), ids(&self.root)));
        out
    }
}

/// The array that `docker trust inspect` prints for what could be inspected.
pub fn inspect_json(inspected: &[Inspected]) -> String {
    if inspected.is_empty() {
        return "[]\n".to_owned();
    }
    format!("[\n{}\n]\n", inspected.iter().map(Inspected::json).collect::<Vec<_>>().join(",\n"))
}

/// What `docker trust inspect --pretty` prints; two empty lines between repositories.
pub fn inspect_pretty(inspected: &[Inspected]) -> String {
    inspected.iter().map(Inspected::pretty).collect::<Vec<_>>().join("\n\n")
}
