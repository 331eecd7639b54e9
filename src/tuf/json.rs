//! JSON as Notary reads and writes it: one strict reader and the two encoders of protocol 4.
//!
//! The reader is stricter than Notary's in two places, both of which only hostile files reach: a member that appears
//! twice, or that differs from a known one only by case, is refused, because two readers could see two files.
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::{borrow::Cow, fmt};

/// Why JSON was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON, or nested too deeply, or with a member that appears twice.
    #[error("not acceptable JSON: {0}")]
    Syntax(String),
    /// A number that canonical JSON cannot carry.
    #[error("a number is not an integer of 64 bits")]
    Number,
}

/// A member of an object.
pub type Member<'a> = (Cow<'a, str>, Value<'a>);

/// A JSON value that borrows from its text where it can.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction or an exponent, or beyond 64 bits.
    Float(f64),
    /// A string.
    Str(Cow<'a, str>),
    /// A list.
    List(Vec<Value<'a>>),
    /// An object, in the order of the text; no name appears twice.
    Object(Vec<Member<'a>>),
}

impl<'a> Value<'a> {
    /// Reads strict JSON: UTF-8, one value, no member twice.
    pub fn parse(text: &'a [u8]) -> Result<Self, JsonError> {
        serde_json::from_slice(text).map_err(|e| JsonError::Syntax(e.to_string()))
    }

    /// The member of an object.
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        match self {
            Value::Object(m) => m.iter().find(|(k, _)| k == name).map(|(_, v)| v),
            _ => None,
        }
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, b: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(b))
    }
    fn visit_i64<E>(self, n: i64) -> Result<Value<'de>, E> {
        Ok(Value::Int(n))
    }
    fn visit_u64<E>(self, n: u64) -> Result<Value<'de>, E> {
        Ok(i64::try_from(n).map_or(Value::Float(n as f64), Value::Int))
    }
    fn visit_f64<E>(self, n: f64) -> Result<Value<'de>, E> {
        Ok(Value::Float(n))
    }
    fn visit_str<E>(self, s: &str) -> Result<Value<'de>, E> {
        Ok(Value::Str(Cow::Owned(s.to_owned())))
    }
    fn visit_borrowed_str<E>(self, s: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Str(Cow::Borrowed(s)))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(v) = seq.next_element()? {
            list.push(v);
        }
        Ok(Value::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        let mut members: Vec<(Cow<'de, str>, Value<'de>)> = Vec::new();
        let mut ascending = true;
        while let Some(k) = map.next_key::<Name<'de>>()? {
            ascending = ascending && members.last().is_none_or(|(last, _)| *last < k.0);
            members.push((k.0, map.next_value()?));
        }
        if !ascending {
            let mut names: Vec<&str> = members.iter().map(|(k, _)| k.as_ref()).collect();
            names.sort_unstable();
            if names.is_sorted_by(|a, b| a < b) {
                return Ok(Value::Object(members));
            }
            return Err(A::Error::custom("a member appears twice"));
        }
        Ok(Value::Object(members))
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(AnyValue)
    }
}

/// A member name, borrowed where the text needs no unescaping.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member name")
            }
            fn visit_borrowed_str<E>(self, s: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(s)))
            }
            fn visit_str<E>(self, s: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(s.to_owned())))
            }
        }
        d.deserialize_str(V)
    }
}

/// The canonical form (protocol 4.1): what is signed and what key IDs hash. Members sorted by bytes, strings raw but for
/// `"` and `\`, numbers through a 64-bit float as every Notary verifier does.
pub fn canonical(value: &Value<'_>) -> Result<Vec<u8>, JsonError> {
    let mut out = Vec::new();
    write_canonical(value, &mut out)?;
    Ok(out)
}

fn write_canonical(value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), JsonError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Value::Int(n) => write_number(*n as f64, out)?,
        Value::Float(f) => write_number(*f, out)?,
        Value::Str(s) => write_canonical_string(s, out),
        Value::List(list) => {
            out.push(b'[');
            for (i, v) in list.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_canonical(v, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            out.push(b'{');
            let sorted = members.is_sorted_by(|a, b| a.0 < b.0);
            let mut order: Vec<&(Cow<'_, str>, Value<'_>)> = Vec::new();
            if !sorted {
                order = members.iter().collect();
                order.sort_unstable_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            }
            let mut first = true;
            let mut member = |(k, v): &(Cow<'_, str>, Value<'_>)| {
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
                write_canonical_string(k, out);
                out.push(b':');
                write_canonical(v, out)
            };
            if sorted {
                members.iter().try_for_each(&mut member)?
            } else {
                order.into_iter().try_for_each(member)?
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_number(f: f64, out: &mut Vec<u8>) -> Result<(), JsonError> {
    // 2^63 itself is not an i64; below it the conversion is exact.
    if f.fract() != 0.0 || !f.is_finite() || f.abs() >= 9_223_372_036_854_775_808.0 {
        return Err(JsonError::Number);
    }
    out.extend_from_slice((f as i64).to_string().as_bytes());
    Ok(())
}

fn write_canonical_string(s: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = s.as_bytes();
    while let Some(i) = rest.iter().position(|b| matches!(b, b'"' | b'\\')) {
        let (plain, tail) = rest.split_at(i);
        out.extend_from_slice(plain);
        out.push(b'\\');
        let (special, tail) = tail.split_at(1);
        out.extend_from_slice(special);
        rest = tail;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Turns canonical text into the form that is stored (protocol 4.3): `<`, `>`, `&`, U+2028 and U+2029 escaped, nothing
/// else changed. None where a raw control character stands, which Go refuses to compact.
pub fn escape_html(text: &[u8]) -> Option<Vec<u8>> {
    if text.iter().any(|b| *b < 0x20) {
        return None;
    }
    if !text.iter().any(|b| matches!(b, b'<' | b'>' | b'&' | 0xe2)) {
        return Some(text.to_vec());
    }
    let mut out = Vec::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some((b, tail)) = rest.split_first() {
        rest = tail;
        match (b, tail) {
            (b'<' | b'>' | b'&', _) => out.extend_from_slice(format!("\\u00{b:02x}").as_bytes()),
            (0xe2, [0x80, c @ (0xa8 | 0xa9), ..]) => {
                out.extend_from_slice(if *c == 0xa8 { b"\\u2028" } else { b"\\u2029" });
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => out.push(*b),
        }
    }
    Some(out)
}

/// A JSON string in the ordinary form (protocol 4.1), with quotes.
pub fn ordinary_string(s: &str) -> String {
    let mut out = String::with_capacity(s.len() + 2);
    out.push('"');
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A value as Go's ordinary encoder writes it, which is for people's files and for answers, never for what is signed.
pub fn ordinary(value: &Value<'_>) -> Vec<u8> {
    fn write(out: &mut String, value: &Value<'_>) {
        match value {
            Value::Null => out.push_str("null"),
            Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Value::Int(n) => out.push_str(&n.to_string()),
            Value::Float(n) => out.push_str(&serde_json::Number::from_f64(*n).map_or("null".to_owned(), |n| n.to_string())),
            Value::Str(s) => out.push_str(&ordinary_string(s)),
            Value::List(all) => {
                out.push('[');
                for (n, v) in all.iter().enumerate() {
                    out.push_str(if n > 0 { "," } else { "" });
                    write(out, v);
                }
                out.push(']');
            }
            Value::Object(all) => {
                out.push('{');
                for (n, (name, v)) in all.iter().enumerate() {
                    out.push_str(if n > 0 { "," } else { "" });
                    out.push_str(&ordinary_string(name));
                    out.push(':');
                    write(out, v);
                }
                out.push('}');
            }
        }
    }
    let mut out = String::new();
    write(&mut out, value);
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canon(s: &str) -> Result<String, JsonError> {
        canonical(&Value::parse(s.as_bytes())?).map(|v| String::from_utf8(v).unwrap())
    }

    #[test]
    fn canonical_form_is_the_protocols() {
        assert_eq!(canon(r#"{"b<>&":"x","a":1.0,"Z":true,"é":null}"#).unwrap(), r#"{"Z":true,"a":1,"b<>&":"x","é":null}"#);
        assert_eq!(canon(r#"{"b":"x\ny"}"#).unwrap(), "{\"b\":\"x\ny\"}");
        assert_eq!(canon(r#"[ "\"\\\/", "\u00e9" ]"#).unwrap(), r#"["\"\\/","é"]"#);
    }

    #[test]
    fn numbers_pass_through_a_float_as_in_go() {
        assert_eq!(canon("1e3").unwrap(), "1000");
        assert_eq!(canon("-0.0").unwrap(), "0");
        assert_eq!(canon("9007199254740993").unwrap(), "9007199254740992");
        for s in ["1.5", "1e300", "9223372036854775808", "18446744073709551616"] {
            assert_eq!(canon(s), Err(JsonError::Number), "{s}");
        }
    }

    #[test]
    fn a_member_that_appears_twice_is_refused() {
        for s in [r#"{"a":1,"a":1}"#, r#"{"a":1,"b":2,"a":3}"#, r#"[{"x":{"y":1,"\u0079":2}}]"#] {
            assert!(matches!(canon(s), Err(JsonError::Syntax(_))), "{s}");
        }
        assert!(canon(r#"{"b":1,"a":1}"#).is_ok());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(canon(&nested(crate::tuf::limits::JSON_DEPTH)).is_ok());
        assert!(canon(&nested(crate::tuf::limits::JSON_DEPTH + 1)).is_err());
    }

    #[test]
    fn what_follows_the_value_is_refused() {
        assert!(canon("{} {}").is_err());
        assert!(Value::parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn stored_form_escapes_what_go_escapes() {
        assert_eq!(
            escape_html("<a>&\u{2028}\u{2029}\u{2027}é".as_bytes()).unwrap(),
            "\\u003ca\\u003e\\u0026\\u2028\\u2029\u{2027}é".as_bytes()
        );
        assert_eq!(escape_html(b"a\nb"), None);
        assert_eq!(ordinary_string("b<>&\n\u{1}\u{7f}"), "\"b\\u003c\\u003e\\u0026\\n\\u0001\u{7f}\"");
    }

    proptest::proptest! {
        #[test]
        fn canonical_text_without_controls_reads_back_the_same(k in "[ -~\\p{L}]{0,12}", v in "[ -~\\p{L}]{0,40}", n in -1_000_000i64..1_000_000) {
            let value = Value::Object(vec![(Cow::Owned(k), Value::List(vec![Value::Str(Cow::Owned(v)), Value::Int(n), Value::Null]))]);
            let text = canonical(&value).unwrap();
            proptest::prop_assert_eq!(Value::parse(&text).unwrap(), value.clone());
            let stored = escape_html(&text).unwrap();
            proptest::prop_assert_eq!(Value::parse(&stored).unwrap(), value);
        }
    }
}
