//! What is staged for a repository, in the order in which it would be published: as `status` prints it, and as the screen lists it.
use crate::{
    text::Untrusted,
    trust_dir::TrustDir,
    tuf::{
        change::{Change, Delegate},
        name::{Gun, RoleName},
        staged::Staged,
    },
};

/// A staged change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedRow {
    /// The name of its file.
    pub file: Untrusted,
    /// What it does, in one word.
    pub change: &'static str,
    /// The role whose file it changes, or to which it delegates.
    pub role: Option<RoleName>,
    /// The tag, or the paths.
    pub paths: Vec<Untrusted>,
    /// All of it as a sentence, or why nobody knows. Printable.
    pub text: String,
    /// Whether it is understood: if not, nothing is published until it is thrown away.
    pub is_understood: bool,
}

impl StagedRow {
    /// What a file says.
    pub fn new(file: &str, staged: &Result<Staged, String>) -> Self {
        let file = Untrusted::new(file);
        match staged {
            Ok(staged) => {
                let (change, role, paths) = of(staged);
                let paths = paths.into_iter().map(Untrusted::new).collect();
                Self { file, change, role, paths, text: staged.to_string(), is_understood: true }
            }
            Err(why) => {
                let text = Untrusted::new(why.as_str()).shown().into();
                Self { file, change: "not-understood", role: None, paths: Vec::new(), text, is_understood: false }
            }
        }
    }

    /// What it does, or that nobody knows.
    pub fn sentence(&self) -> String {
        if self.is_understood { self.text.clone() } else { format!("not understood: {}", self.text) }
    }
}

/// All that is staged for a repository, or why that cannot be read.
pub fn staged_rows(trust_dir: &TrustDir, gun: &Gun) -> Result<Vec<StagedRow>, String> {
    let files = trust_dir.staged(gun).map_err(|e| format!("{e}. {}", e.remedy()))?;
    let row = |(name, read): (String, Result<Vec<u8>, String>)| {
        StagedRow::new(&name, &read.and_then(|bytes| Staged::read(&bytes).map_err(|e| e.to_string())))
    };
    Ok(files.into_iter().map(row).collect())
}

fn of(staged: &Staged) -> (&'static str, Option<RoleName>, Vec<String>) {
    let change = match staged {
        Staged::Purge(_) => return ("purge", None, Vec::new()),
        Staged::Change(change) => change,
    };
    match change {
        Change::Sign { role, name, .. } => ("sign", Some(role.clone()), vec![name.clone()]),
        Change::Unsign { role, name } => ("revoke", Some(role.clone()), vec![name.clone()]),
        Change::Delegate(Delegate { role, add_paths, remove_paths, .. }) => {
            ("delegate", Some(role.clone()), [add_paths.as_slice(), remove_paths].concat())
        }
        Change::Undelegate(role) => ("undelegate", Some(role.clone()), Vec::new()),
        Change::Witness(role) => ("witness", Some(role.clone()), Vec::new()),
        Change::Keys { .. } => ("keys", Some(change.file()), Vec::new()),
        Change::Renew { .. } => ("renew", Some(change.file()), Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_hostile_file_says_is_shown_in_visible_characters() {
        let bytes = br#"{"action":"delete","role":"targets","type":"target","path":"v1\u001b[2J\u202e","data":null}"#;
        let row = StagedRow::new("1_x.change", &Staged::read(bytes).map_err(|e| e.to_string()));
        assert_eq!((row.change, row.paths[0].raw()), ("revoke", "v1\u{1b}[2J\u{202e}"));
        assert_eq!(row.text, "targets does not sign v1<1b>[2J<202e> any more");
        let bad = StagedRow::new("\u{1b}", &Err("it is no \u{1b} JSON".to_owned()));
        assert_eq!((bad.change, bad.text.as_str(), bad.is_understood), ("not-understood", "it is no <1b> JSON", false));
    }
}
