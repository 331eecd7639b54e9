//! What stands before a server and asks for a token. Its words are the real servers', byte for byte.
use super::{issuer::Issuer, jwt, rights::Access};
use crate::{
    sandbox::{
        answer::Response,
        call::{Call, Guard, Service},
        route::{self, Cleaned, Route},
    },
    tuf::json::ordinary_string,
};
use std::{borrow::Cow, sync::Arc};

/// Asks for a token.
#[derive(Clone)]
pub struct Gate {
    realm: String,
    service: String,
    issuer: Arc<Issuer>,
    registry: bool,
}

/// What is wrong with what was shown, in the word that clients read.
enum Wrong {
    /// No token was shown.
    Nothing,
    Token,
    Scope,
}

impl Gate {
    /// A gate that accepts this issuer's tokens for `service`, and sends everybody else to `realm`.
    pub fn new(realm: impl Into<String>, service: impl Into<String>, issuer: Arc<Issuer>) -> Self {
        Self { realm: realm.into(), service: service.into(), issuer, registry: false }
    }

    /// The same as docker's registry has it: it names itself in a header of every answer.
    pub fn of_registry(self) -> Self {
        Self { registry: true, ..self }
    }

    /// The gate as what stands before a server. `wanted` says what a request needs to be allowed; none where everybody may
    /// come, and an empty list where any token will do.
    pub fn guard(self, wanted: impl Fn(&Call<'_>) -> Option<Vec<Access>> + Send + Sync + 'static) -> Guard {
        Arc::new(move |call| match wanted(call) {
            None => Ok(()),
            Some(wanted) => self.admits(call.header("authorization"), &wanted),
        })
    }

    /// Lets a request with this `Authorization` header do what is `wanted`. If that is nothing, any token of the issuer will do.
    ///
    /// # Errors
    /// What to answer instead.
    pub fn admits(&self, authorization: Option<&str>, wanted: &[Access]) -> Result<(), Response> {
        self.check(authorization, wanted).map_err(|wrong| self.challenge(wanted, &wrong))
    }

    fn check(&self, authorization: Option<&str>, wanted: &[Access]) -> Result<(), Wrong> {
        // Split as the real servers do: a space within makes it no token at all. Those at its ends are no part of a header.
        let mut parts = authorization.unwrap_or_default().trim_matches([' ', '\t']).split(' ');
        let (Some(scheme), Some(token), None) = (parts.next(), parts.next(), parts.next()) else { return Err(Wrong::Nothing) };
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Wrong::Nothing);
        }
        let issuer = &self.issuer;
        let claims = jwt::read(token, issuer.public(), issuer.name(), &self.service, issuer.now()).ok_or(Wrong::Token)?;
        let covered = |wanted: &Access, action: &String| claims.access.iter().any(|has| has.covers(wanted, action));
        if wanted.iter().all(|w| w.actions.iter().all(|action| covered(w, action))) { Ok(()) } else { Err(Wrong::Scope) }
    }

    fn challenge(&self, wanted: &[Access], wrong: &Wrong) -> Response {
        let mut words = format!(
            "Bearer realm={},service={}",
            route::go_quote(self.realm.as_bytes()),
            route::go_quote(self.service.as_bytes())
        );
        if !wanted.is_empty() {
            let scopes: Vec<_> = wanted.iter().map(Access::scope).collect();
            words.push_str(&format!(",scope={}", route::go_quote(scopes.join(" ").as_bytes())));
        }
        words.push_str(match wrong {
            Wrong::Nothing => "",
            Wrong::Token => r#",error="invalid_token""#,
            Wrong::Scope => r#",error="insufficient_scope""#,
        });
        let mut headers = vec![("Content-Type", Cow::Borrowed("application/json; charset=utf-8"))];
        if self.registry {
            headers.push(("Docker-Distribution-Api-Version", Cow::Borrowed("registry/2.0")));
        }
        headers.push(("Www-Authenticate", Cow::Owned(words)));
        Response { status: 401, headers, body: body(wanted).into_bytes() }
    }
}

/// One entry for each action; without any the servers write `null`.
fn body(wanted: &[Access]) -> String {
    let one = |access: &Access, action: &String| {
        let [kind, name, action] = [&access.kind, &access.name, action].map(|s| ordinary_string(s));
        format!(r#"{{"Type":{kind},"Class":"","Name":{name},"Action":{action}}}"#)
    };
    let all: Vec<_> = wanted.iter().flat_map(|w| w.actions.iter().map(move |a| one(w, a))).collect();
    let detail = if all.is_empty() { "null".to_owned() } else { format!("[{}]", all.join(",")) };
    format!("{{\"errors\":[{{\"code\":\"UNAUTHORIZED\",\"message\":\"authentication required\",\"detail\":{detail}}}]}}\n")
}

/// A service behind a gate, as one. `wanted` is as for [`Gate::guard`].
pub fn guarded(
    service: Service,
    gate: Gate,
    wanted: impl Fn(&Call<'_>) -> Option<Vec<Access>> + Send + Sync + 'static,
) -> Service {
    let guard = gate.guard(wanted);
    Arc::new(move |call| guard(call).map_or_else(|refusal| refusal, |()| service(call)))
}

/// What the Notary server wants to see allowed, by address (protocol 10.1). Whatever is no repository's needs the catalogue,
/// addresses at which nothing is included.
pub fn notary_access(call: &Call<'_>) -> Option<Vec<Access>> {
    let Cleaned::Path(path) = route::clean(call.path) else { return None };
    if path == "/metrics" && call.method == "GET" {
        return None;
    }
    let on = |gun: &str, actions: &[&str]| vec![Access::repository(gun, actions)];
    Some(match (call.method, Route::of(&path)) {
        ("GET", Route::Health) => return None,
        ("GET", Route::Feed(Some(gun)) | Route::File { gun, .. }) => on(&gun, &["pull"]),
        ("GET", Route::Key { gun, .. }) | ("POST", Route::Collection(gun)) => on(&gun, &["push", "pull"]),
        ("POST", Route::Key { gun, .. }) | ("DELETE", Route::Collection(gun)) => on(&gun, &["*"]),
        ("GET" | "POST" | "PUT" | "HEAD" | "DELETE", _) => vec![Access::catalogue()],
        _ => return None,
    })
}
