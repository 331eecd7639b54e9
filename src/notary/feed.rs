//! The change feed (protocol 10.6).
use crate::{
    notary::{Change, ChangeRecord, TransportError},
    text::Untrusted,
};
use serde::Deserialize;

/// Most bytes of a page of a change feed that are read: of its thousand records each has some 300, and names of GUNs at
/// most 1024.
pub const CHANGE_FEED: u64 = 4 << 20;

#[derive(Deserialize)]
struct Feed {
    // Go writes null for an empty list.
    records: Option<Vec<Record>>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "CreatedAt", default)]
    created: String,
    #[serde(rename = "GUN")]
    gun: String,
    #[serde(rename = "Version", default)]
    version: i64,
    #[serde(rename = "SHA256", default)]
    sha256: String,
    #[serde(rename = "Category")]
    category: String,
}

/// Reads an answer.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<ChangeRecord>, TransportError> {
    let feed: Feed = serde_json::from_slice(bytes)
        .map_err(|e| TransportError::Malformed(Untrusted::new(format!("it is no change feed: {e}"))))?;
    let record = |r: Record| ChangeRecord {
        id: Untrusted::new(r.id),
        created: Untrusted::new(r.created),
        gun: Untrusted::new(r.gun),
        version: r.version,
        sha256: Untrusted::new(r.sha256),
        change: match r.category.as_str() {
            "update" => Change::Update,
            "deletion" => Change::Deletion,
            _ => Change::Other(Untrusted::new(r.category)),
        },
    };
    Ok(feed.records.unwrap_or_default().into_iter().map(record).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_of_the_real_server_is_read() {
        let text = br#"{"count":2,"records":[{"ID":"5","CreatedAt":"2026-11-21T02:02:45.18607792Z","GUN":"example.com/col",
            "Version":5,"SHA256":"ab","Category":"update"},{"ID":"6","CreatedAt":"2026-11-21T02:02:46Z","GUN":"x\u001b","Version":0,
            "SHA256":"","Category":"deletion"}]}"#;
        let records = read(text).unwrap();
        assert_eq!(
            records.iter().map(|r| (r.id.raw(), r.gun.raw(), r.version)).collect::<Vec<_>>(),
            [("5", "example.com/col", 5), ("6", "x\u{1b}", 0)]
        );
        assert_eq!(records[1].change, Change::Deletion);
        assert_eq!(read(br#"{"count":0,"records":null}"#), Ok(vec![]));
    }

    #[test]
    fn what_is_no_feed_is_refused() {
        for junk in ["", "[]x", "<html>", r#"{"records":[{"ID":5}]}"#, r#"{"records":"x"}"#] {
            assert!(matches!(read(junk.as_bytes()), Err(TransportError::Malformed(_))), "{junk}");
        }
    }
}
