//! Why a publication was refused, in the real server's words (protocol 10.5). Where those come from the depths of Go, ours
//! stand in their place: clients show them and do not read them.
use super::answer::Response;
use crate::tuf::{Malformed, Refusal, json::ordinary_string, publication::Objection};
use jiff::Timestamp;

pub(super) fn malformed_upload() -> Response {
    Response::refused(400, "MALFORMED_UPLOAD", "The body of your request is malformed.", None)
}

pub(super) fn no_filename() -> Response {
    Response::refused(400, "NO_FILENAME", "No file/role name provided.", None)
}

pub(super) fn invalid_role(name: &str) -> Response {
    Response::refused(400, "INVALID_ROLE", "The role you are attempting to operate on is invalid.", Some(&ordinary_string(name)))
}

pub(super) fn malformed_json() -> Response {
    Response::refused(400, "MALFORMED_JSON", "JSON sent by the client could not be parsed by the server", None)
}

pub(super) fn old_version() -> Response {
    Response::refused(400, "VERSION", "A newer version of metadata is already available.", Some("{}"))
}

/// A collection that this server is not for.
pub(super) fn other_name(prefixes: &[String]) -> Response {
    let detail = ordinary_string(&format!("Require GUNs with prefix: [{}]", prefixes.join(" ")));
    Response::refused(400, "INVALID_GUN", "The server does not support actions on images of this name.", Some(&detail))
}

/// What only this server says: it keeps everything in memory. The code is one whose words clients show.
pub(super) fn full(what: &str, room: u64) -> Response {
    let words = format!("the sandbox's server holds at most {} MiB of {what}, and nothing was stored", room >> 20);
    named("ErrValidation", &format!("{words}; delete what is not needed, or start another sandbox"))
}

/// The server's own data does not hold, or does not let itself be signed.
pub(super) fn internal() -> Response {
    invalid_update(None)
}

pub(super) fn no_snapshot_key() -> Response {
    let words = "no snapshot was included in update and server does not hold current snapshot key for repository";
    invalid_update(Some(format!(
        r#"{{"Name":"ErrBadHierarchy","Error":{{"Missing":"snapshot","Msg":{}}}}}"#,
        ordinary_string(words)
    )))
}

pub(super) fn no_timestamp_key() -> Response {
    named("ErrBadRoot", "no  timestamp keys exist on the server")
}

pub(super) fn targets_first() -> Response {
    named("ErrValidation", "targets must be loaded first")
}

/// What was sent does not hold.
pub(super) fn objection(objection: &Objection) -> Response {
    match objection {
        Objection::Stored(_) => internal(),
        Objection::NoRoot => named("ErrValidation", "no pre-existing root and no root provided in update."),
        Objection::RootVersion { current, new } => {
            named("ErrBadRoot", &format!("Root modifications must increment the version. Current {current}, new {new}"))
        }
        Objection::Root(why) => named("ErrBadRoot", &of_root(why)),
        Objection::Targets(why) => named("ErrBadTargets", &words(why)),
        Objection::NotDelegated(role) => named("ErrBadTargets", &format!("tuf: invalid role {role}. delegation does not exist")),
        Objection::NoTargets => named("ErrBadTargets", "targets must be loaded first"),
        Objection::Snapshot(why) => named("ErrBadSnapshot", &words(why)),
        Objection::OtherFile { role, wanted } => {
            let wanted = base16ct::lower::encode_string(wanted);
            named("ErrBadSnapshot", &format!("sha256 checksum for {role} did not match: expected {wanted}"))
        }
        Objection::Unwritable(why) => named("ErrValidation", &why.to_string()),
    }
}

fn of_root(why: &Refusal) -> String {
    let path = "could not validate the path to a trusted root";
    match why {
        Refusal::RootRotation { .. } => {
            "could not rotate trust to a new trusted root: failed to validate data with current trusted certificates".into()
        }
        Refusal::RootCertificate(_) => format!("{path}: unable to retrieve valid leaf certificates"),
        Refusal::Threshold { .. } | Refusal::NoSignatures { .. } => format!("{path}: failed to validate integrity of roots"),
        why => words(why),
    }
}

fn words(why: &Refusal) -> String {
    match why {
        Refusal::NoSignatures { .. } => "tuf: data has no signatures".into(),
        Refusal::Threshold { role, .. } => format!("valid signatures did not meet threshold for {role}"),
        Refusal::Expired { role, at } => format!("{role} expired at {}", go_time(*at)),
        Refusal::Malformed { role, why: Malformed::Value("version", "it is below 1") } => {
            format!("{role} type metadata invalid: version cannot be less than one")
        }
        Refusal::NotListed { role } => format!("no checksums for supported algorithms were provided for {role}"),
        why => why.to_string(),
    }
}

/// A moment as Go writes it.
fn go_time(at: Timestamp) -> String {
    at.strftime("%a %b %-d %H:%M:%S UTC %Y").to_string()
}

fn named(name: &str, words: &str) -> Response {
    invalid_update(Some(format!(r#"{{"Name":"{name}","Error":{{"Msg":{}}}}}"#, ordinary_string(words))))
}

fn invalid_update(detail: Option<String>) -> Response {
    Response::refused(400, "INVALID_UPDATE", "Update sent by the client is invalid.", detail.as_deref())
}
