//! What may be named: repositories, tags and digests, as the distribution specification spells them. Whatever becomes part
//! of a path on disk is one of these, and none of them can hold `/..`, a leading dot or anything that is not plain ASCII.
use super::Hasher;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use std::fmt;

/// Most characters of a repository's name.
pub const NAME: usize = 255;
/// Most characters of a tag.
pub const TAG: usize = 128;

/// A repository's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

/// Why something is no repository's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoName {
    /// It is spelt as none is.
    Spelling,
    /// It is spelt as one, and longer than any.
    Long,
}

impl Name {
    /// Reads a name: components of lower case letters and digits, with single separators between them.
    pub fn new(text: &str) -> Result<Self, NoName> {
        match text.split('/').all(is_component) {
            false => Err(NoName::Spelling),
            true if text.len() > NAME => Err(NoName::Long),
            true => Ok(Self(text.to_owned())),
        }
    }

    /// The name as it was read.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_component(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let between = |s: &str| matches!(s, "." | "_" | "__") || s.bytes().all(|b| b == b'-');
    // Nothing between two letters is no separator, and is left out here; at either end it is all that may be there.
    text.starts_with(is_letter) && text.ends_with(is_letter) && text.split(is_letter).filter(|s| !s.is_empty()).all(between)
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(String);

impl Tag {
    /// Reads a tag.
    pub fn new(text: &str) -> Option<Self> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let good = text.starts_with(word) && text.len() <= TAG && text.chars().all(|c| word(c) || c == '.' || c == '-');
        good.then(|| Self(text.to_owned()))
    }

    /// The tag as it was read.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The digest of content. Our registry keeps content under SHA-256 only; others may know it by another kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_hash("sha256", &Sha256::digest(bytes))
    }

    pub(super) fn of_hash(algorithm: &str, hash: &[u8]) -> Self {
        Self(format!("{algorithm}:{}", base16ct::lower::encode_string(hash)))
    }

    /// What makes digests of its kind.
    pub fn hasher(&self) -> Hasher {
        match self.0.split_once(':') {
            Some(("sha512", _)) => Hasher::Sha512(Sha512::new()),
            Some(("sha384", _)) => Hasher::Sha384(Sha384::new()),
            _ => Hasher::Sha256(Sha256::new()),
        }
    }

    /// Reads a digest of an algorithm that is known, with as many digits as it has.
    pub fn new(text: &str) -> Option<Self> {
        let (algorithm, digits) = text.split_once(':')?;
        let long = match algorithm {
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ => return None,
        };
        let good = digits.len() == long && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
        good.then(|| Self(text.to_owned()))
    }

    /// The digest whose digits are a file's name.
    pub fn from_digits(digits: &str) -> Option<Self> {
        Self::new(&format!("sha256:{digits}"))
    }

    /// Algorithm and digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is of the algorithm by which content is kept and signed.
    pub fn is_sha256(&self) -> bool {
        self.0.starts_with("sha256:")
    }

    /// The digits alone.
    pub fn digits(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, digits)| digits)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_specification() {
        for good in ["a", "0", "shop/docs", "a.b", "a_b", "a__b", "a-b", "a--b", "a---b", "a/b/c", "a1.b2-c3", &"a".repeat(NAME)]
        {
            assert_eq!(Name::new(good).map(|n| n.0), Ok(good.to_owned()));
        }
        for bad in [
            "", "/", "a/", "/a", "a//b", ".", "..", "a/..", "../a", ".a", "a.", "a..b", "a._b", "a___b", "-a", "a-", "a-.b", "A",
            "a/B", "a b", "a%2fb", "a\0", "a\n", "ä", "a+b", "a:b", "a@b", "_catalog",
        ] {
            assert_eq!(Name::new(bad), Err(NoName::Spelling), "{bad:?}");
        }
        assert_eq!(Name::new(&"a".repeat(NAME + 1)), Err(NoName::Long));
    }

    #[test]
    fn tags_are_those_of_the_specification() {
        for good in ["latest", "1.0", "_a", "A-b_c.d", "0", &"a".repeat(TAG)] {
            assert_eq!(Tag::new(good).map(|t| t.0), Some(good.to_owned()));
        }
        for bad in ["", ".", "..", ".a", "-a", "a/b", "a b", "a:b", "a\0", "ä", "a+b", &"a".repeat(TAG + 1)] {
            assert_eq!(Tag::new(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn digests_are_lower_case_and_as_long_as_their_algorithm_says() {
        let digits = "0123456789abcdef".repeat(8);
        for (algorithm, long) in [("sha256", 64), ("sha384", 96), ("sha512", 128)] {
            for (length, good) in [(long - 1, false), (long, true), (long + 1, false)] {
                let text = format!("{algorithm}:{}", digits.chars().cycle().take(length).collect::<String>());
                assert_eq!(Digest::new(&text).is_some(), good, "{text}");
            }
        }
        let upper = format!("sha256:{}", "A".repeat(64));
        for bad in ["", ":", "sha256", "sha256:", "md5:900150983cd24fb0d6963f7d28e17f72", &upper, "sha256:../../x"] {
            assert_eq!(Digest::new(bad), None, "{bad}");
        }
        assert_eq!(Digest::of(b"").as_str(), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
