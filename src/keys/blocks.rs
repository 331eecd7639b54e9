//! A file that holds private keys, and perhaps more, from elsewhere: what others made, and Notary's bundles (protocol 1.5).
use super::{Content, Foreign, KeyError, PrivateKey, entry, pem_file, unlock::decode_block};
use crate::{
    secret::Passphrase,
    text::Untrusted,
    trust_dir::{MAX_KEY_FILE, read_regular, shown},
    tuf::name::KeyId,
};
use std::path::Path;

/// Most keys that are taken from one file.
pub const MAX_BLOCKS: usize = 1000;

/// One private key in a file.
pub struct Block {
    pem: pem_file::PemFile,
    content: Content,
}

impl Block {
    /// What it says of itself, without a passphrase.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The repository that its label, or the path in a bundle of an old layout, gives.
    pub fn gun(&self) -> Option<Untrusted> {
        let path = self.pem.header("path").and_then(|p| p.strip_prefix("tuf_keys/"));
        self.content.gun.clone().or_else(|| path.and_then(|p| p.rsplit_once('/')).map(|(gun, _)| Untrusted::new(gun)))
    }

    /// The role that its label, or the path in a bundle of an old layout, gives: a suffix after the ID, else `root` below
    /// `root_keys/`.
    pub fn role(&self) -> Option<Untrusted> {
        let of_path = || {
            let path = self.pem.header("path")?;
            let suffix = path.rsplit('/').next()?.split_once('_').map(|(_, role)| role);
            suffix.or_else(|| path.starts_with("root_keys/").then_some("root")).map(Untrusted::new)
        };
        self.content.role.clone().or_else(of_path)
    }

    /// The ID that a bundle gives it.
    pub fn claimed(&self) -> Option<KeyId> {
        let name = self.pem.header("path")?;
        KeyId::new(name.rsplit('/').next()?.split('_').next()?).ok()
    }

    /// Opens it. A key that is not the one that the bundle says is refused.
    pub fn open(&self, passphrase: Option<&Passphrase>, stop: &dyn Fn() -> bool) -> Result<PrivateKey, KeyError> {
        let key = decode_block(&self.pem, passphrase, stop)?;
        match self.claimed() {
            Some(name) if name != key.id() => Err(KeyError::NotItsName { name, content: key.id() }),
            _ => Ok(key),
        }
    }
}

/// What is in a file.
pub struct Blocks {
    /// The private keys, in the order of the file.
    pub keys: Vec<Block>,
    /// What else is in it, such as certificates: the words after `BEGIN`. Nothing is done with these.
    pub others: Vec<Untrusted>,
}

/// Reads a file that holds private keys. It must be a regular file, or a link to one, that nobody but its owner can read.
pub fn read_blocks(path: &Path) -> Result<Blocks, KeyError> {
    let failed = |source| KeyError::File { path: shown(path), source };
    let real = path.canonicalize().map_err(|e| failed(e.into()))?;
    let read = read_regular(&real, MAX_KEY_FILE).map_err(failed)?;
    if read.mode & 0o077 != 0 {
        return Err(KeyError::OpenToOthers { path: path.to_owned(), mode: read.mode });
    }
    if read.bytes.is_empty() {
        return Err(KeyError::NoKeyIn("it is empty".to_owned()));
    }
    let foreign = |what: Foreign| {
        let to = Foreign::converted();
        KeyError::Foreign { what, conversion: what.conversion(path, Path::new(&to)), to }
    };
    let pems = pem_file::parse_all(&read.bytes, MAX_BLOCKS).map_err(|e| match Foreign::of(&read.bytes) {
        Some(what) if e == pem_file::PemError::Missing => foreign(what),
        _ => KeyError::NoKeyIn(e.to_string()),
    })?;
    let mut blocks = Blocks { keys: Vec::new(), others: Vec::new() };
    for pem in pems {
        match (entry::Kind::of(&pem), Foreign::of_block(&pem)) {
            (Some(_), _) => blocks.keys.push(Block { content: entry::inspect_block(&pem), pem }),
            // Beside other keys too: those in it would be left out in silence.
            (None, Some(what)) => return Err(foreign(what)),
            (None, None) => blocks.others.push(Untrusted::new(pem.label)),
        }
    }
    if blocks.keys.is_empty() {
        let labels: Vec<String> = blocks.others.iter().map(|l| format!("\"{}\"", l.shown())).collect();
        return Err(KeyError::NoKeyIn(format!("it holds {} and no private key", labels.join(", "))));
    }
    Ok(blocks)
}
