//! Which file of a repository is wanted: the question that an update asks of the world.
use super::name::RoleName;

/// One of the three shapes in which a server answers for a role (protocol 10.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Which {
    /// `<role>.json`: whatever is current.
    Current,
    /// `<role>.<sha256>.json`: exactly the bytes with this digest.
    Sha256([u8; 32]),
    /// `<n>.<role>.json`: the file with this version.
    Version(u64),
}

/// A file to fetch, and the most bytes it may have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Request {
    /// Whose metadata.
    pub role: RoleName,
    /// Which of its files.
    pub which: Which,
    /// Most bytes to read, inclusive.
    pub limit: u64,
}

impl Request {
    /// The last part of the URL, after `_trust/tuf/`. For a delegation the number stands before the whole role name
    /// (`2.targets/releases.json`), as servers expect.
    pub fn file_name(&self) -> String {
        match &self.which {
            Which::Current => format!("{}.json", self.role),
            Which::Sha256(d) => format!("{}.{}.json", self.role, base16ct::lower::encode_string(d)),
            Which::Version(n) => format!("{n}.{}.json", self.role),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_have_the_shapes_that_servers_answer() {
        let name = |role, which| Request { role: RoleName::new(role).unwrap(), which, limit: 1 }.file_name();
        assert_eq!(name("root", Which::Current), "root.json");
        assert_eq!(name("targets/releases", Which::Version(2)), "2.targets/releases.json");
        assert_eq!(name("targets/a", Which::Sha256([0xab; 32])), format!("targets/a.{}.json", "ab".repeat(32)));
    }
}
