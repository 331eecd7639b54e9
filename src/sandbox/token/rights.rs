//! Who may do what, and how that is asked for.
use crate::secret::Passphrase;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Actions on one thing: what a server wants to see allowed, what a client asks for, and what a token allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// `repository`, or `registry` for the server as a whole.
    #[serde(rename = "type")]
    pub kind: String,
    /// The repository's name; `catalog` for the server as a whole.
    pub name: String,
    /// `pull`, `push`, `delete`; `*` is everything.
    pub actions: Vec<String>,
}

impl Access {
    /// Actions on a repository.
    pub fn repository(name: &str, actions: &[&str]) -> Self {
        Self { kind: "repository".into(), name: name.into(), actions: actions.iter().map(|a| (*a).into()).collect() }
    }

    /// Everything that concerns all repositories, as their list does.
    pub fn catalogue() -> Self {
        Self { kind: "registry".into(), name: "catalog".into(), actions: vec!["*".into()] }
    }

    /// Reads `kind:name:action,action`. A name may have colons, as one with a port has.
    pub(super) fn parse(scope: &str) -> Option<Self> {
        let (kind, rest) = scope.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        // `repository(plugin)` is a repository too.
        let kind = kind.split_once('(').map_or(kind, |(kind, _)| kind);
        let actions = actions.split(',').filter(|a| !a.is_empty()).map(str::to_owned).collect();
        (!kind.is_empty() && !name.is_empty()).then(|| Self { kind: kind.into(), name: name.into(), actions })
    }

    /// The form in which it stands in an address or a header.
    pub(in crate::sandbox) fn scope(&self) -> String {
        format!("{}:{}:{}", self.kind, self.name, self.actions.join(","))
    }

    /// Whether this allows `action` on what `wanted` names.
    pub(super) fn covers(&self, wanted: &Self, action: &str) -> bool {
        self.kind == wanted.kind && self.name == wanted.name && self.actions.iter().any(|a| a == "*" || a == action)
    }
}

/// What somebody may do.
#[derive(Debug, Clone, Default)]
pub struct Rights {
    everywhere: BTreeSet<String>,
    on: Vec<(String, BTreeSet<String>)>,
    catalogue: bool,
}

impl Rights {
    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// These actions on every repository, too. `*` is everything.
    pub fn everywhere(mut self, actions: &[&str]) -> Self {
        self.everywhere.extend(actions.iter().map(|a| (*a).to_owned()));
        self
    }

    /// These actions on one repository, too.
    pub fn on(mut self, repository: &str, actions: &[&str]) -> Self {
        self.on.push((repository.to_owned(), actions.iter().map(|a| (*a).to_owned()).collect()));
        self
    }

    /// The list of all repositories, too.
    pub fn with_catalogue(self) -> Self {
        Self { catalogue: true, ..self }
    }

    /// The part of what is asked for that is allowed; none if no action is.
    pub(super) fn granted(&self, asked: &Access) -> Option<Access> {
        let actions: Vec<_> = asked.actions.iter().filter(|a| self.allows(asked, a)).cloned().collect();
        (!actions.is_empty()).then(|| Access { actions, ..asked.clone() })
    }

    fn allows(&self, asked: &Access, action: &str) -> bool {
        let has = |set: &BTreeSet<String>| set.contains(action) || set.contains("*");
        match asked.kind.as_str() {
            "repository" => has(&self.everywhere) || self.on.iter().any(|(name, set)| *name == asked.name && has(set)),
            "registry" => self.catalogue && asked.name == "catalog",
            _ => false,
        }
    }
}

/// Somebody whom an issuer knows.
pub struct Person {
    /// The name of the account.
    pub name: String,
    /// Its password.
    pub password: Passphrase,
    /// What the account may do.
    pub may: Rights,
}

impl Person {
    /// Somebody with a password, who may do this.
    pub fn new(name: &str, password: &str, may: Rights) -> Self {
        Self { name: name.to_owned(), password: Passphrase::from(password.to_owned()), may }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_may_name_a_host_with_a_port() {
        let read = Access::parse("repository:localhost:5000/app:push,pull").unwrap();
        assert_eq!(read, Access::repository("localhost:5000/app", &["push", "pull"]));
        assert_eq!(read.scope(), "repository:localhost:5000/app:push,pull");
        assert_eq!(Access::parse("repository(plugin):a:pull").unwrap(), Access::repository("a", &["pull"]));
        for junk in ["", "repository", "repository:", "repository:a", ":a:pull", "repository::pull"] {
            assert_eq!(Access::parse(junk), None, "{junk}");
        }
    }

    #[test]
    fn nobody_is_granted_more_than_was_given() {
        let may = Rights::none().everywhere(&["pull"]).on("a", &["push"]).on("b", &["*"]);
        let granted = |name: &str, actions: &[&str]| may.granted(&Access::repository(name, actions)).map(|a| a.actions);
        assert_eq!(granted("a", &["push", "pull", "*"]), Some(vec!["push".into(), "pull".into()]));
        assert_eq!(granted("b", &["delete", "*"]), Some(vec!["delete".into(), "*".into()]));
        assert_eq!(granted("c", &["push", "*"]), None);
        assert_eq!(may.granted(&Access::catalogue()), None);
        assert!(may.clone().with_catalogue().granted(&Access::catalogue()).is_some());
        assert_eq!(may.granted(&Access { kind: "other".into(), ..Access::repository("a", &["pull"]) }), None);
    }
}
