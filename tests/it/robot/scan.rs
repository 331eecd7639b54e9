//! Looks through the memory of a process for secrets, as root can.
use claviger::keys::{PrivateKey, envelope::Envelope, pem_file};
use der::Decode as _;
use memchr::memmem::Finder;
use std::{
    collections::BTreeSet,
    fmt,
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
};

/// Bytes that must not be there.
pub struct Needle {
    what: String,
    bytes: Vec<u8>,
}

/// Where some were.
pub struct Hit {
    what: String,
    address: u64,
    pub mapping: String,
    flags: String,
}

impl Hit {
    /// Whether the page is locked, and kept out of core dumps.
    pub fn is_locked(&self) -> bool {
        self.flags.split_whitespace().any(|f| f == "lo")
    }
}

impl fmt::Display for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {} at {:#x} in {} ({})", self.what, self.address, self.mapping, self.flags)
    }
}

/// So many bytes of a secret are enough to know it again, and too many to be there by chance.
const PIECE: usize = 8;

fn pieces(what: &str, bytes: &[u8], length: usize, step: usize) -> Vec<Needle> {
    let windows = bytes.windows(length.min(bytes.len())).step_by(step);
    windows.map(|w| Needle { what: what.to_owned(), bytes: w.to_vec() }).collect()
}

/// A passphrase as it was typed, as wide characters, as somebody might have shown it; and what is as good as the passphrase:
/// the beginnings of both keyed hashes and, with a key's file, the key that was derived for it.
pub fn of_passphrase(text: &str, file: Option<&[u8]>) -> Vec<Needle> {
    let mut all = pieces("a passphrase", text.as_bytes(), PIECE, 1);
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    all.extend(pieces("a passphrase in UTF-16", &utf16, 2 * PIECE, 2));
    let utf32: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    all.extend(pieces("a passphrase in UTF-32", &utf32, 4 * PIECE, 4));
    let spaced: String = text.chars().flat_map(|c| [c, ' ']).collect();
    all.extend(pieces("a passphrase with gaps", spaced.as_bytes(), 2 * PIECE, 2));
    for (what, pad) in [("the inner key of its hash", 0x36u8), ("the outer key of its hash", 0x5c)] {
        let mut block = [pad; 64];
        block.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to ^= from);
        all.extend(pieces(what, &block[..text.len()], PIECE, 4));
        let mut state = [0x6745_2301u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
        sha1::block_api::compress(&mut state, &[block]);
        let bytes: Vec<u8> = state.iter().flat_map(|w| w.to_ne_bytes()).collect();
        all.extend(pieces(&format!("{what}, hashed"), &bytes, 16, 4));
    }
    if let Some(file) = file {
        let pem = pem_file::parse(file).unwrap();
        let envelope = Envelope::parse(&pem.der).unwrap();
        let mut key = [0u8; 32];
        pbkdf2::pbkdf2_hmac::<sha1::Sha1>(text.as_bytes(), envelope.salt, u32::try_from(envelope.iterations).unwrap(), &mut key);
        all.extend(pieces("the derived key", &key, PIECE, 4));
    }
    all
}

/// The private numbers of a key: as bytes in either order, in hexadecimal digits, in DER and in PEM.
pub fn of_key(key: &PrivateKey) -> Vec<Needle> {
    let der = key.to_pkcs8().unwrap();
    let mut numbers: Vec<(&str, Vec<u8>)> = Vec::new();
    match pkcs8::PrivateKeyInfoRef::try_from(&der[..]).ok().and_then(|info| {
        let pkcs1 = info.private_key.as_bytes().to_vec();
        rsa::pkcs1::RsaPrivateKeyRef::from_der(&pkcs1).is_ok().then_some(pkcs1)
    }) {
        Some(pkcs1) => {
            let k = rsa::pkcs1::RsaPrivateKeyRef::from_der(&pkcs1).unwrap();
            for (what, n) in [
                ("the exponent", k.private_exponent),
                ("a prime", k.prime1),
                ("a prime", k.prime2),
                ("an exponent of a prime", k.exponent1),
                ("an exponent of a prime", k.exponent2),
                ("the coefficient", k.coefficient),
            ] {
                numbers.push((what, n.as_bytes().to_vec()));
            }
        }
        None => {
            let at = der.windows(2).rposition(|w| w == [0x04, 0x20]).unwrap() + 2;
            numbers.push(("the scalar", der[at..at + 32].to_vec()));
        }
    }
    let mut all = Vec::new();
    for (what, n) in &numbers {
        all.extend(pieces(what, n, PIECE, 8));
        let backwards: Vec<u8> = n.iter().rev().copied().collect();
        all.extend(pieces(&format!("{what}, least byte first"), &backwards, PIECE, 8));
        let hex: String = n.iter().map(|b| format!("{b:02x}")).collect();
        all.extend(pieces(&format!("{what} in digits"), hex.as_bytes(), 16, 16));
    }
    // Lines of the PEM that hold nothing else.
    let text = pem_file::write("PRIVATE KEY", &[], &der);
    let lines: Vec<&str> = text.lines().filter(|l| !l.starts_with('-')).collect();
    let secret = |line: &&&str| numbers.iter().any(|(_, n)| holds(line, n));
    for line in lines.iter().filter(secret) {
        all.extend(pieces("its PEM", line.as_bytes(), 16, 16));
    }
    all
}

/// Whether all that a line of base64 says is part of a number.
fn holds(line: &str, number: &[u8]) -> bool {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(line).unwrap_or_default();
    bytes.len() > 16 && number.windows(16).any(|w| memchr::memmem::find(&bytes, w).is_some()) && bytes.len() <= number.len() + 32
}

/// Every place in the memory of a process where any of them is.
pub fn search(pid: i32, needles: &[Needle]) -> Vec<Hit> {
    assert!(
        rustix::process::geteuid().is_root(),
        "only root may read the memory of a program that hides it: run this test as root"
    );
    let smaps = std::fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap();
    let mut memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let finders: Vec<(&Needle, Finder<'_>)> = needles.iter().map(|n| (n, Finder::new(&n.bytes))).collect();
    let mut hits = Vec::new();
    let mut seen = BTreeSet::new();
    let mut searched = 0;
    for (range, rights, name, flags) in mappings(&smaps) {
        // Pages of the kernel's own clock.
        if !rights.starts_with('r') || name.starts_with("[vv") {
            continue;
        }
        let mut bytes = vec![0; usize::try_from(range.1 - range.0).unwrap()];
        memory.seek(SeekFrom::Start(range.0)).unwrap();
        memory.read_exact(&mut bytes).unwrap_or_else(|e| panic!("{name} cannot be read: {e}"));
        searched += bytes.len();
        for (needle, finder) in &finders {
            for at in finder.find_iter(&bytes) {
                // Pieces of one thing are named once.
                if seen.insert((needle.what.clone(), (range.0 + at as u64) / 64)) {
                    let (what, address) = (needle.what.clone(), range.0 + at as u64);
                    hits.push(Hit { what, address, mapping: name.clone(), flags: flags.clone() });
                }
            }
        }
    }
    assert!(searched > 1 << 20, "hardly anything was searched");
    hits
}

type Mapping = ((u64, u64), String, String, String);

/// Range, rights, name and flags of each mapping.
fn mappings(smaps: &str) -> Vec<Mapping> {
    let mut all: Vec<Mapping> = Vec::new();
    for line in smaps.lines() {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        if let Some(flags) = line.strip_prefix("VmFlags:") {
            all.last_mut().unwrap().3 = flags.trim().to_owned();
        } else if let Some((from, to)) = first.split_once('-') {
            let hex = |s| u64::from_str_radix(s, 16).unwrap();
            let rights = words.next().unwrap().to_owned();
            let name = words.nth(3).unwrap_or("anonymous").to_owned();
            all.push(((hex(from), hex(to)), rights, name, String::new()));
        }
    }
    all
}

/// A passphrase of words from a list that the program holds: three of them in their order belong to it alone.
pub fn of_words(text: &str) -> Vec<Needle> {
    let words: Vec<&str> = text.split(' ').collect();
    words
        .windows(3)
        .flat_map(|three| {
            let piece = three.join(" ");
            let wide = piece.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
            [piece.into_bytes(), wide].map(|bytes| Needle { what: "words that were drawn".to_owned(), bytes })
        })
        .collect()
}
