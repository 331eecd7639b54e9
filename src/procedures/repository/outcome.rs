//! Why a repository was not loaded, planned, signed or published, in three sentences each.
use super::NOTHING;
use crate::{
    failure::Failure,
    repository::{
        LoadError, Repositories, ServerError, Situation,
        change::{NotPublished, SignError, Unproven},
    },
    trust_dir::shown,
    tuf::{
        Refusal,
        collection::TrustedCollection,
        draft::DraftError,
        name::{Gun, RoleName},
    },
    views::repositories,
};

/// What is not known where a server has not said whether it took something.
const UNKNOWN: &str = "whether it was published is not known";
const NOT_VERIFIED: &str = "nothing was verified, and the cache is as it was before";

/// Whether a server may have taken what did not come to its end: of all these failures that is possible, and of no other.
pub fn may_be_published(failure: &Failure) -> bool {
    // The last one: it was published, and what was staged is staged still.
    matches!(failure.code, "not-published" | "unknown" | "unproven" | "staged-still")
}

/// For a repository that could not be loaded.
pub fn load_failure(all: &Repositories, gun: &Gun, error: LoadError) -> Failure {
    let message = format!("{gun}: {error}");
    let nothing = NOT_VERIFIED;
    let situation = error.situation();
    match error {
        LoadError::NotThere(_) => {
            let server = all.servers().of(gun).map(|t| t.address().shown().to_string()).unwrap_or_default();
            let hint = format!("Check the name, and whether {server} is the right server (--server).");
            Failure::new("not-there", format!("{server} has no trust data for {gun}"), nothing, hint)
        }
        LoadError::Transport { error, fallback, .. } => {
            let code = match situation {
                Situation::NotAllowed => "not-allowed",
                _ if error.is_server_away() => "not-reachable",
                _ => "server-answer",
            };
            let nothing = match fallback {
                Some(why) => format!("{nothing}; what was last seen could not serve either: {why}"),
                None => nothing.to_owned(),
            };
            Failure::new(code, message, nothing, error.remedy())
        }
        LoadError::Refused(why) => Failure::new(
            why.code(),
            message,
            "nothing of it is trusted, and the cache is as it was before",
            repositories::after_refusal(&why),
        )
        .exit(3),
        LoadError::RememberedRoot { path, refusal } => {
            let directory = path.parent().unwrap_or(&path);
            let hint = format!(
                "Compare the root with the owner's; then move {} away (keys are not in it) and try again.",
                shown(directory)
            );
            Failure::new("remembered-root", message, format!("nothing was fetched or verified ({})", refusal.code()), hint)
                .exit(3)
        }
        LoadError::Cache(why) => Failure::new("cache", message, nothing, why.remedy()),
        LoadError::NoServer(e) => server_failure(&e),
    }
}

/// The same, with where to see what it claims.
pub fn reading_failure(all: &Repositories, gun: &Gun, error: LoadError) -> Failure {
    let shown = error.situation() == Situation::NotTrustworthy;
    let failure = load_failure(all, gun, error);
    let more = if shown { " `claviger repo show` shows what it says, unverified." } else { "" };
    Failure { hint: format!("{}{more}", failure.hint), ..failure }
}

/// For a repository of which not every role is trusted, if one is not.
pub fn refused_roles(collection: &TrustedCollection) -> Option<Failure> {
    let refused: Vec<String> = collection.refused().map(|(role, why)| format!("{role}: {why}")).collect();
    if refused.is_empty() {
        return None;
    }
    let message = format!("{} is trusted in part only; not trusted: {}", collection.gun(), refused.join("; "));
    let none = "nothing that these roles sign is shown or trusted";
    let hint = "Their signers must sign again, or the owner must change the delegation.";
    Some(Failure::new("roles-refused", message, none, hint).exit(3))
}

fn server_failure(error: &ServerError) -> Failure {
    let exit = match error {
        ServerError::Settings(_) => 2,
        #[cfg(feature = "network")]
        ServerError::Http(_) => 2,
        #[cfg(not(feature = "network"))]
        ServerError::NoNetwork => 1,
    };
    Failure::new("no-server", error.to_string(), "nothing was fetched or verified", error.remedy()).exit(exit)
}

/// For changes that cannot be made.
pub fn draft_failure(gun: &Gun, error: &DraftError) -> Failure {
    let word = gun.word();
    let (code, hint) = match error {
        DraftError::NoSuchKey { .. } => {
            ("no-such-key", format!("`claviger delegation list {word}` lists the keys of each role."))
        }
        DraftError::NoSuchPath { .. } => {
            ("no-such-path", format!("`claviger delegation list {word}` lists the paths of each role."))
        }
        DraftError::NoSuchRole(_) => ("no-such-role", format!("`claviger delegation list {word}` lists the roles.")),
        DraftError::Refused { role, why } if *why == (Refusal::NotListed { role: role.clone() }).to_string() => (
            "role-refused",
            format!(
                "The server may hide it. If the role was taken away and has come back, `claviger delete {word}` forgets what is \
                 remembered here, after a copy."
            ),
        ),
        DraftError::Refused { role, .. } => (
            "role-refused",
            format!(
                "`claviger witness {word} {role}` signs it again as it is, if you trust what it says; or its own signer signs it."
            ),
        ),
        DraftError::NoFile(_) => (
            "role-refused",
            format!("`claviger status {word}` lists what is staged; `claviger reset {word} -n I` throws a change away."),
        ),
        DraftError::NotAdmitted { .. } | DraftError::NotTheParents { .. } => {
            ("not-admitted", format!("`claviger delegation list {word}` says who may sign what."))
        }
        DraftError::TooFewKeys { role, .. } if role.base().is_some() => (
            "too-few-keys",
            format!("Add another key first; or say how many must sign (`claviger root-key threshold {word} N`)."),
        ),
        DraftError::TooFewKeys { role, .. } => (
            "too-few-keys",
            format!(
                "Give as many keys as must sign, or let fewer sign (`claviger delegation add {word} {role} --threshold N`); or take \
                 the whole role away (`claviger delegation remove {word} {role}`)."
            ),
        ),
        DraftError::Unusable { .. } => ("unusable-key", "Use another key, or a certificate that is valid.".to_owned()),
        DraftError::TooMany(..) | DraftError::NoVersion(_) | DraftError::Unwritable { .. } | DraftError::Malformed { .. } => {
            ("not-metadata", String::new())
        }
    };
    Failure::new(code, format!("{gun}: {error}"), NOTHING, hint)
}

/// For a plan that was not signed.
pub fn sign_failure(gun: &Gun, error: &SignError) -> Failure {
    let word = gun.word();
    let (code, hint) = match error {
        SignError::NotEnough { role, ids, .. } if ids.is_empty() => (
            "no-signing-key",
            format!(
                "`claviger delegation add {word} {role} FILE` gives it one; `claviger delegation remove {word} {role}` takes it away."
            ),
        ),
        SignError::NotEnough { .. } => {
            ("no-signing-key", "Load one of these keys (`claviger key load`), or ask who holds it.".to_owned())
        }
        SignError::ToCome(_) => ("internal", String::new()),
        SignError::Key { .. } => ("key", "Test the key with `claviger key test`.".to_owned()),
        SignError::Unwritable { .. } | SignError::Objection(_) => {
            ("not-metadata", "Read the repository again, then repeat it.".to_owned())
        }
    };
    Failure::new(code, format!("{gun}: {error}"), "nothing was published", hint)
}

/// For files that were not published, or may not have been.
pub fn publish_failure(gun: &Gun, error: &NotPublished) -> Failure {
    let word = gun.word();
    let (code, nothing, hint) = match error {
        NotPublished::Conflict => (
            "conflict",
            "nothing was published".to_owned(),
            "Repeat it: the plan is then made from what they have published.".to_owned(),
        ),
        NotPublished::Refused(e) => ("not-published", "nothing was published".to_owned(), e.remedy().into_owned()),
        NotPublished::NotThere(e) => (
            "not-published",
            "the server does not have it now; if it is slow it may still take it".to_owned(),
            e.remedy().into_owned(),
        ),
        NotPublished::Since(_) => (
            "unknown",
            UNKNOWN.to_owned(),
            format!("`claviger repo show {word}` says what is there now; then repeat the command."),
        ),
        NotPublished::Unknown(e) => (
            "unknown",
            UNKNOWN.to_owned(),
            format!("`claviger repo verify {word}` says it when the server answers again. {}", e.remedy()),
        ),
    };
    Failure::new(code, format!("{gun}: {error}"), nothing, hint)
}

/// For what went wrong after something was sent that the server may have taken.
pub fn after_sending(gun: &Gun, since: &RoleName, failure: Failure) -> Failure {
    let error = NotPublished::Since(since.clone());
    let message = format!("{gun}: {error}; {}", failure.message.trim_start_matches(&format!("{gun}: ")));
    let unknown = publish_failure(gun, &error);
    Failure::new("unknown", message, unknown.did_not_happen, unknown.hint).exit(failure.exit)
}

/// For what the server took and does not give back so.
pub fn unproven(gun: &Gun, error: &Unproven) -> Failure {
    let word = gun.word();
    let hint = match error {
        Unproven::Load(LoadError::Refused(why)) => repositories::after_refusal(why).to_owned(),
        Unproven::Load(_) => format!("`claviger repo verify {word}` looks again."),
        Unproven::Since(_) => format!("Look at what is there now with `claviger repo show {word}`, then repeat the command."),
        Unproven::Broken(role, _) => format!(
            "`claviger repo show {word}` says what is there; `claviger witness {word} {role}` signs it again, if you trust what it says."
        ),
        Unproven::Other(_) => {
            "Do not rely on this server: it said that it took the files. Compare with another machine.".to_owned()
        }
    };
    let message = format!("{gun}: the server took it, and with an empty cache it does not verify: {error}");
    Failure::new("unproven", message, "that clients see what was wanted is not certain", hint).exit(3)
}
