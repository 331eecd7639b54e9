//! PEM with headers, read as leniently as Notary reads it and written exactly as Notary writes it (protocol 1.3).
use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use std::fmt::Write as _;
use zeroize::Zeroizing;

/// Base64 as Go reads it: padding is needed, unused bits may be anything.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);
const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
/// Base64 characters in a line.
const COLUMNS: usize = 64;
/// How many damaged blocks are passed over. Each costs a search through the rest of the file, so that without a limit a
/// file of nothing but beginnings would take minutes.
const MAX_DAMAGED: usize = 16;

/// The first PEM block of a file.
pub struct PemFile {
    /// The words after `BEGIN`, such as `ENCRYPTED PRIVATE KEY`; from outside.
    pub label: String,
    /// Headers in the order of the file, trimmed; from outside.
    pub headers: Vec<(String, String)>,
    /// The decoded content; erased when dropped.
    pub der: Zeroizing<Vec<u8>>,
    /// Whether another block begins after this one. Notary ignores it.
    pub more: bool,
}

/// Why there is no PEM block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// No line begins a block.
    #[error("there is no PEM block in it")]
    Missing,
    /// A block begins, and it is cut off, or its base64 is not valid.
    #[error("its PEM block is damaged or cut off")]
    Damaged,
    /// There are more blocks than are read.
    #[error("it has more than {0} PEM blocks")]
    TooMany(usize),
}

impl PemFile {
    /// The value of a header; the last one, if it is there more than once, as in Go's map.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// Reads the first valid block: text before it is passed over, header names and values are trimmed, the blank line after
/// headers may be missing, and a damaged block is passed over if a valid one follows.
pub fn parse(bytes: &[u8]) -> Result<PemFile, PemError> {
    next(bytes).map(|(block, _)| block)
}

/// Reads every block, and no more than `most`. A damaged one is an error: a key that is cut off must not be left out in
/// silence.
pub fn parse_all(bytes: &[u8], most: usize) -> Result<Vec<PemFile>, PemError> {
    let mut blocks = Vec::new();
    let mut rest = bytes;
    while let Some(start) = find_line(rest, BEGIN) {
        if blocks.len() == most {
            return Err(PemError::TooMany(most));
        }
        let (found, after) = block(rest.get(start + BEGIN.len()..).unwrap_or_default()).ok_or(PemError::Damaged)?;
        blocks.push(found);
        rest = after;
    }
    if blocks.is_empty() { Err(PemError::Missing) } else { Ok(blocks) }
}

/// The first valid block, and what follows it.
fn next(bytes: &[u8]) -> Result<(PemFile, &[u8]), PemError> {
    let mut rest = bytes;
    let mut error = PemError::Missing;
    for _ in 0..=MAX_DAMAGED {
        let Some(start) = find_line(rest, BEGIN) else { break };
        rest = rest.get(start + BEGIN.len()..).unwrap_or_default();
        if let Some(found) = block(rest) {
            return Ok(found);
        }
        error = PemError::Damaged;
    }
    Err(error)
}

/// The block whose `-----BEGIN ` has just been passed.
fn block(text: &[u8]) -> Option<(PemFile, &[u8])> {
    let (line, mut rest) = take_line(text);
    let label = line.strip_suffix(DASHES)?;
    let mut headers = Vec::new();
    loop {
        let (line, after) = take_line(rest);
        let Some(colon) = memchr::memchr(b':', line) else { break };
        let (name, value) = line.split_at_checked(colon)?;
        let text = |b: &[u8]| String::from_utf8_lossy(b.trim_ascii()).into_owned();
        headers.push((text(name), text(value.get(1..)?)));
        rest = after;
    }
    let end = find_line(rest, END)?;
    let (body, tail) = rest.split_at_checked(end)?;
    let (last, after) = take_line(tail.get(END.len()..)?);
    if last.strip_suffix(DASHES)? != label {
        return None;
    }
    let more = find_line(after, BEGIN).is_some();
    Some((PemFile { label: String::from_utf8_lossy(label).into_owned(), headers, der: decode(body)?, more }, after))
}

fn decode(body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    decode_lines(body).or_else(|| decode_whole(body))
}

/// Line by line, as long as each but the last holds whole groups of four and nothing else: how everything writes them. No
/// second copy of the text has to be made and erased.
fn decode_lines(body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut der = Zeroizing::new(vec![0; base64::decoded_len_estimate(body.len())]);
    let (mut used, mut padded) = (0, false);
    let mut rest = body;
    while !rest.is_empty() {
        let (line, after) = rest.split_at(memchr::memchr(b'\n', rest).unwrap_or(rest.len()));
        rest = after.get(1..).unwrap_or_default();
        if line.is_empty() {
            continue;
        }
        if padded || !line.len().is_multiple_of(4) {
            return None;
        }
        padded = line.ends_with(b"=");
        used += LENIENT.decode_slice(line, der.get_mut(used..)?).ok()?;
    }
    der.truncate(used);
    Some(der)
}

fn decode_whole(body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::with_capacity(body.len()));
    // Line by line, and byte by byte only where a line has white space in it.
    for line in body.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if memchr::memchr3(b' ', b'\t', b'\r', line).is_some() {
            text.extend(line.iter().copied().filter(|b| !matches!(b, b' ' | b'\t' | b'\r')));
        } else {
            text.extend_from_slice(line);
        }
    }
    // Sized beforehand, so that no copy is left behind by growing.
    let mut der = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    let used = LENIENT.decode_slice(&*text, &mut der).ok()?;
    der.truncate(used);
    Some(der)
}

/// One line without its end and without white space before it, and what follows.
fn take_line(text: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'\n', text) {
        Some(at) => (text.get(..at).unwrap_or_default().trim_ascii_end(), text.get(at + 1..).unwrap_or_default()),
        None => (text.trim_ascii_end(), &[]),
    }
}

/// Where `prefix` first stands at the beginning of a line.
fn find_line(text: &[u8], prefix: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        if rest.starts_with(prefix) {
            return Some(at);
        }
        at += memchr::memchr(b'\n', rest)? + 1;
    }
    None
}

/// Writes one block: headers in ascending order, a blank line only after headers, 64 columns, `\n` at the end of every
/// line. Headers must be single lines; [`header_fits`] says whether one is.
pub fn write(label: &str, headers: &[(&str, &str)], der: &[u8]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(der));
    let room = encoded.len() + encoded.len() / COLUMNS + headers.iter().map(|(n, v)| n.len() + v.len() + 4).sum::<usize>();
    let mut out = Zeroizing::new(String::with_capacity(room + 2 * label.len() + 64));
    let mut sorted = headers.to_vec();
    // As Go writes them: what OpenSSL looks for comes first.
    sorted.sort_unstable_by_key(|(name, value)| (*name != "Proc-Type", *name, *value));
    let _ = writeln!(out, "-----BEGIN {label}-----");
    for (name, value) in &sorted {
        let _ = writeln!(out, "{name}: {value}");
    }
    if !sorted.is_empty() {
        out.push('\n');
    }
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(COLUMNS).unwrap_or((rest, ""));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    let _ = writeln!(out, "-----END {label}-----");
    out
}

/// Whether a header value survives writing and reading: one line, no white space at its ends, not empty.
pub fn header_fits(value: &str) -> bool {
    !value.is_empty() && value.trim() == value && !value.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(text: &str) -> Vec<u8> {
        parse(text.as_bytes()).unwrap().der.to_vec()
    }

    #[test]
    fn what_go_reads_is_read() {
        assert_eq!(der("text before\n-----BEGIN A-----\nAQID\n-----END A-----\n"), [1, 2, 3]);
        assert_eq!(der("-----BEGIN A-----\r\nAQ\t ID\r\n-----END A-----"), [1, 2, 3]);
        // No blank line after the headers; white space around names and values.
        let f = parse(b"-----BEGIN A B-----  \n role :  root \ngun:a:5000/b\nAQID\n-----END A B-----\n").unwrap();
        assert_eq!((f.label.as_str(), f.header("role"), f.header("gun")), ("A B", Some("root"), Some("a:5000/b")));
        // A damaged block before a valid one, and an empty block.
        assert_eq!(der("-----BEGIN A-----\n!!!!\n-----END A-----\n-----BEGIN B-----\nAQID\n-----END B-----\n"), [1, 2, 3]);
        assert_eq!(der("-----BEGIN A-----\n-----END A-----\n"), Vec::<u8>::new());
        // Padding in the middle, lines of odd lengths.
        assert_eq!(der("-----BEGIN A-----\nAQI\nDBAUG\nBwgJ\n-----END A-----\n"), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        // Unused bits.
        assert_eq!(der("-----BEGIN A-----\nAQJ=\n-----END A-----\n"), [1, 2]);
    }

    #[test]
    fn what_go_refuses_is_refused() {
        assert_eq!(parse(b"").err(), Some(PemError::Missing));
        assert_eq!(parse(b"hello\n").err(), Some(PemError::Missing));
        for s in [
            "-----BEGIN A-----\nAQID\n",
            "-----BEGIN A-----\nAQID\n-----END B-----\n",
            "-----BEGIN A-----\nAQI\n-----END A-----\n",
            "-----BEGIN A\nAQID\n-----END A-----\n",
            "-----BEGIN A-----\nAQ==\nAQID\n-----END A-----\n",
            "-----BEGIN A-----\nAQID\n-----END A----- x\n",
        ] {
            assert_eq!(parse(s.as_bytes()).err(), Some(PemError::Damaged), "{s}");
        }
    }

    #[test]
    fn a_file_of_nothing_but_beginnings_is_given_up_soon() {
        let good = "-----BEGIN A-----\nAQID\n-----END A-----\n";
        let begin = "-----BEGIN A:-----\n";
        for filler in [begin, "-----BEGIN A-----\n"] {
            let text = filler.repeat((1 << 20) / filler.len()) + good;
            assert_eq!(parse(text.as_bytes()).err(), Some(PemError::Damaged));
        }
        assert_eq!(der(&("-----BEGIN A-----\n!\n-----END A-----\n".repeat(MAX_DAMAGED) + good)), [1, 2, 3]);
        assert!(parse(("-----BEGIN A-----\n!\n-----END A-----\n".repeat(MAX_DAMAGED + 1) + good).as_bytes()).is_err());
    }

    #[test]
    fn only_the_first_block_counts_and_the_rest_is_mentioned() {
        let f = parse(b"-----BEGIN A-----\nAQID\n-----END A-----\n-----BEGIN B-----\nBBBB\n-----END B-----\n").unwrap();
        assert_eq!((f.label.as_str(), f.more), ("A", true));
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read(
            content in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
            role in "[a-z/_-]{1,40}", with in proptest::bool::ANY,
        ) {
            let headers: Vec<(&str, &str)> = if with { vec![("role", &role), ("gun", "a/b")] } else { vec![] };
            let text = write("PRIVATE KEY", &headers, &content);
            let back = parse(text.as_bytes()).unwrap();
            proptest::prop_assert_eq!(&*back.der, &content);
            proptest::prop_assert_eq!(back.header("role"), with.then_some(role.as_str()));
            proptest::prop_assert!(text.lines().all(|l| l.len() <= 64 || l.contains(':')));
        }

        #[test]
        fn arbitrary_bytes_never_harm_the_reader(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let _ = parse(&bytes);
            let _ = parse(&[b"-----BEGIN A-----\n", &bytes[..], b"\n-----END A-----\n"].concat());
        }
    }
}
