//! The change feed (protocol 10.6).
use super::{
    answer::Response,
    route::{go_quote, parameter},
};
use crate::tuf::json::ordinary_string;
use jiff::Timestamp;

/// How many records are sent if the request says 0.
const DEFAULT: usize = 100;

/// One change of one collection: a timestamp was stored, or everything was deleted.
#[derive(Debug, Clone)]
pub struct Record {
    /// Counts up from 1.
    pub id: i64,
    /// When it was stored.
    pub created: Timestamp,
    /// Whose it is.
    pub gun: String,
    /// Version and SHA-256 of the timestamp; none after a deletion.
    pub timestamp: Option<(u64, [u8; 32])>,
}

/// Answers a request for changes of one collection or of all. `all` is in the order of the IDs.
pub fn answer(all: &[Record], gun: Option<&str>, query: &str) -> Response {
    let wanted = parameter(query, "records");
    let wanted = match int32(&wanted) {
        Ok(n) => n,
        Err(why) => {
            let words = format!("invalid records parameter: strconv.ParseInt: parsing {}: {why}", go_quote(&wanted));
            return Response::bad_parameters(Some(&words));
        }
    };
    let from = parameter(query, "change_id");
    let Ok(from) = change_id(&from) else { return Response::bad_parameters(None) };
    let chosen = select(all, gun, from, wanted);
    let records: Vec<String> = chosen.iter().map(|r| r.json()).collect();
    // Nothing at the end of the whole feed is null, nothing of one collection an empty list.
    let list = if records.is_empty() && gun.is_none() { "null".to_owned() } else { format!("[{}]", records.join(",")) };
    Response::plain(format!(r#"{{"count":{},"records":{list}}}"#, records.len()))
}

/// The records after `from`, oldest first, of one collection or of all. A negative `from` is "from the newest"; that, and
/// a negative number of records, reads backwards. 0 records are 100.
pub fn select<'a>(all: &'a [Record], gun: Option<&str>, from: i64, wanted: i32) -> Vec<&'a Record> {
    let limit = if wanted == 0 { DEFAULT } else { usize::try_from(wanted.unsigned_abs()).unwrap_or(usize::MAX) };
    let of_gun = all.iter().filter(|r| gun.is_none_or(|g| r.gun == g));
    if from >= 0 && wanted >= 0 {
        return of_gun.filter(|r| r.id > from).take(limit).collect();
    }
    let mut newest_first: Vec<_> = of_gun.rev().filter(|r| from <= 0 || r.id < from).take(limit).collect();
    newest_first.reverse();
    newest_first
}

impl Record {
    fn json(&self) -> String {
        let (version, sha256) = self.timestamp.map_or((0, String::new()), |(v, s)| (v, base16ct::lower::encode_string(&s)));
        let category = if self.timestamp.is_some() { "update" } else { "deletion" };
        format!(
            r#"{{"ID":"{}","CreatedAt":"{}","GUN":{},"Version":{version},"SHA256":"{sha256}","Category":"{category}"}}"#,
            self.id,
            self.created,
            ordinary_string(&self.gun),
        )
    }
}

/// A change's ID; none is 0.
pub fn change_id(text: &[u8]) -> Result<i64, &'static str> {
    if text.is_empty() { Ok(0) } else { int32(text).map(i64::from) }
}

/// A whole number of 32 bits, or Go's words for why it is none.
fn int32(text: &[u8]) -> Result<i32, &'static str> {
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err("invalid syntax");
    }
    std::str::from_utf8(text).ok().and_then(|t| t.parse().ok()).ok_or("value out of range")
}
