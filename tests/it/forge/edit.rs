//! Changing files: what they sign, their signatures, or neither.
use super::key::Key;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use claviger::tuf::{
    envelope::Signature,
    json::{self, Value},
};

/// The text of `signed` in a file of ours.
pub fn signed_text(file: &[u8]) -> String {
    let text = std::str::from_utf8(file).unwrap();
    let start = text.find("{\"signed\":").unwrap() + "{\"signed\":".len();
    let end = text.rfind(",\"signatures\":").unwrap();
    text[start..end].to_owned()
}

/// An envelope around any text, with any signatures.
pub fn envelope(signed: &str, signatures: &[Signature]) -> Vec<u8> {
    let list: Vec<String> = signatures
        .iter()
        .map(|s| {
            let (id, method) = (json::ordinary_string(&s.key_id), json::ordinary_string(s.method.as_str()));
            format!("{{\"keyid\":{id},\"method\":{method},\"sig\":\"{}\"}}", STANDARD.encode(&s.bytes))
        })
        .collect();
    format!("{{\"signed\":{signed},\"signatures\":[{}]}}", list.join(",")).into_bytes()
}

/// What verifiers take for the signed bytes of a text; the text itself where it has no canonical form.
pub fn message(signed: &str) -> Vec<u8> {
    Value::parse(signed.as_bytes()).ok().and_then(|v| json::canonical(&v).ok()).unwrap_or_else(|| signed.as_bytes().to_vec())
}

/// An envelope around a text, signed by these keys.
pub fn seal(signed: &[u8], signers: &[Key]) -> Vec<u8> {
    let text = std::str::from_utf8(signed).unwrap();
    let message = message(text);
    let signatures: Vec<Signature> = signers.iter().map(|k| k.sign(&message)).collect();
    envelope(text, &signatures)
}

/// Changes the text that a file signs, and signs the outcome.
pub fn reseal(file: &[u8], signers: &[Key], change: impl FnOnce(String) -> String) -> Vec<u8> {
    seal(change(signed_text(file)).as_bytes(), signers)
}

/// Replaces a text that must be there.
pub fn replace(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "nothing to replace: {from} in {text}");
    text.replacen(from, to, 1)
}

/// Changes a text that signers wrote as JSON, member by member.
pub fn json(text: &str, change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
    change(&mut value);
    value.to_string()
}

/// Replaces the signatures of a file, and leaves what it signs.
pub fn with_signatures(file: &[u8], make: impl FnOnce(&[u8]) -> Vec<Signature>) -> Vec<u8> {
    let text = signed_text(file);
    envelope(&text, &make(&message(&text)))
}
