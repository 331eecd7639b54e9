//! The table of `key list`. On a terminal it fits, with the start of each ID and problems below their key; elsewhere every
//! row is one line and nothing is cut.
use super::encrypted_word;
use crate::{
    finding::Severity,
    text::Untrusted,
    trust_dir::shown,
    views::{columns::columns, keys::KeyRow},
};
use rustix::termios::tcgetwinsize;
use std::{borrow::Cow, os::unix::ffi::OsStrExt as _, path::Path};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Digits of an ID on a terminal.
const DIGITS: usize = 12;
/// Most cells of a role on a terminal.
const ROLE: usize = 10;
/// What the columns other than the repository take at least, gaps included.
const OTHERS: usize = 59;
/// Fewest cells of a repository.
const LEAST: usize = 16;
/// Repositories that use a key which are named in a line of their own row.
const NAMED: usize = 3;

/// The width of standard output in cells, if it is a terminal.
pub fn width() -> Option<usize> {
    tcgetwinsize(std::io::stdout()).ok().map(|size| usize::from(size.ws_col)).filter(|w| *w > 0)
}

/// Lays out all rows, for a terminal of this width or for another program.
pub fn table(rows: &[KeyRow], private: &Path, width: Option<usize>) -> String {
    match width {
        Some(width) => fitting(rows, private, width),
        None => whole(rows, private),
    }
}

fn whole(rows: &[KeyRow], private: &Path) -> String {
    let head = ["ROLE", "REPOSITORY", "KEY ID", "ALGORITHM", "WHERE", "ENCRYPTED", "USED BY", "PROBLEMS"];
    let mut cells: Vec<[Cow<'_, str>; 8]> = Vec::with_capacity(rows.len() + 1);
    cells.push(head.map(Cow::Borrowed));
    cells.extend(rows.iter().map(|r| {
        [
            shown_text(&r.role),
            r.gun.as_ref().map(shown_text).unwrap_or_default(),
            r.id.map_or(Cow::Borrowed("-"), |id| id.hex().into()),
            algorithm(r),
            place(r, private),
            encrypted_word(r.encrypted).into(),
            used_by(r),
            codes(r).join(", ").into(),
        ]
    }));
    columns(&cells, 0, 2)
}

fn fitting(rows: &[KeyRow], private: &Path, width: usize) -> String {
    let room = width.saturating_sub(OTHERS).max(LEAST);
    let head = ["ROLE", "REPOSITORY", "KEY ID", "ALGORITHM", "ENC", "WHERE", "USED BY"];
    let mut cells = vec![head.map(str::to_owned)];
    cells.extend(rows.iter().map(|r| {
        [
            cut(r.role.shown().as_str(), ROLE),
            r.gun.as_ref().map(|g| cut_start(g.shown().as_str(), room)).unwrap_or_default(),
            r.id.map_or_else(|| "-".to_owned(), |id| id.hex().chars().take(DIGITS).collect()),
            algorithm(r).into_owned(),
            encrypted_word(r.encrypted).to_owned(),
            if is_in_place(r, private) { "file" } else { "below" }.to_owned(),
            if r.used_by.is_empty() { "-".to_owned() } else { r.used_by.len().to_string() },
        ]
    }));
    let lines = columns(&cells, 0, 2);
    let mut lines = lines.lines();
    let mut out = String::with_capacity(rows.len() * width);
    let mut push = |line: &str| {
        out.push_str(line.trim_end());
        out.push('\n');
    };
    push(lines.next().unwrap_or_default());
    for (line, row) in lines.zip(rows) {
        push(line);
        if !is_in_place(row, private) {
            push(&format!("    {}", place(row, private)));
        }
        let codes = codes(row);
        if !codes.is_empty() {
            push(&format!("    ! {}", codes.join(", ")));
        }
    }
    out
}

fn shown_text(text: &Untrusted) -> Cow<'static, str> {
    String::from(text.shown()).into()
}

fn algorithm(row: &KeyRow) -> Cow<'static, str> {
    row.algorithm.map_or("?".into(), |a| a.to_string().into())
}

/// Whether the key lies where its ID says.
fn is_in_place(row: &KeyRow, private: &Path) -> bool {
    // Byte by byte, which a path's own comparison is not: it takes both apart first. What is spelt in another way is shown.
    let below = row.path.as_os_str().as_bytes().strip_prefix(private.as_os_str().as_bytes());
    row.id.is_some() && below.and_then(|b| b.strip_prefix(b"/")).is_some_and(|name| !name.contains(&b'/'))
}

/// `file` for a key where its ID says; else the file, below `private/`.
fn place(row: &KeyRow, private: &Path) -> Cow<'static, str> {
    if is_in_place(row, private) {
        return "file".into();
    }
    shown(row.path.strip_prefix(private).unwrap_or(&row.path)).into()
}

fn used_by(row: &KeyRow) -> Cow<'static, str> {
    if row.used_by.is_empty() {
        return "-".into();
    }
    let mut named: Vec<String> = row.used_by.iter().take(NAMED).map(|(gun, role)| format!("{gun} ({role})")).collect();
    match row.used_by.len().saturating_sub(NAMED) {
        0 => {}
        more => named.push(format!("{more} more")),
    }
    named.join(", ").into()
}

fn codes(row: &KeyRow) -> Vec<&'static str> {
    row.problems.iter().filter(|p| p.severity >= Severity::Warn).map(|p| p.code).collect()
}

/// The start of a text that is too wide.
fn cut(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        if out.width() + c.width().unwrap_or(0) > room.saturating_sub(2) {
            break;
        }
        out.push(c);
    }
    out + ".."
}

/// The end of a text that is too wide: names of repositories differ there.
fn cut_start(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let reversed: String = text.chars().rev().collect();
    cut(&reversed, room).chars().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        finding::Finding,
        text::{Printable, Untrusted},
        tuf::{
            key::Algorithm,
            name::{Gun, KeyId, RoleName},
        },
    };

    fn rows() -> Vec<KeyRow> {
        let id = KeyId::from_digest([0xab; 32]);
        let gun = "registry.example:5000/a-department/of-this-company/frontend";
        let used =
            |n: usize| (0..n).map(|i| (Gun::new(&format!("{gun}{i}")).unwrap(), RoleName::new("targets").unwrap())).collect();
        let row = KeyRow {
            id: Some(id),
            role: Untrusted::new("targets"),
            gun: Some(Untrusted::new(gun)),
            algorithm: Some(Algorithm::EcdsaP256),
            encrypted: Some(true),
            modified: None,
            path: format!("/t/private/{id}.key").into(),
            legacy: false,
            used_by: used(5),
            problems: Vec::new(),
        };
        let odd = KeyRow {
            id: None,
            role: Untrusted::new("a-signer-with-a-long-name"),
            gun: None,
            algorithm: None,
            encrypted: Some(false),
            path: "/t/private/root_keys/mine.key".into(),
            used_by: Vec::new(),
            problems: vec![
                Finding::new("unencrypted", Severity::Warn, "x"),
                Finding::new("weak-key-derivation", Severity::Info, "x"),
            ],
            ..row.clone()
        };
        vec![row, odd]
    }

    #[test]
    fn the_list_of_keys_fits_a_terminal_of_eighty_columns() {
        let text = table(&rows(), Path::new("/t/private"), Some(80));
        assert!(text.lines().all(|l| l.width() <= 80), "{text}");
        assert!(text.contains("abababababab ") && text.contains("frontend"), "{text}");
        for said in ["WHERE", "USED BY", "root_keys/mine.key", "! unencrypted", "NO"] {
            assert!(text.contains(said), "{said}\n{text}");
        }
        assert!(table(&rows(), Path::new("/t/private"), Some(1)).contains("abababababab"));
    }

    #[test]
    fn for_another_program_every_key_is_one_line_and_nothing_is_cut() {
        let text = table(&rows(), Path::new("/t/private"), None);
        assert_eq!(text.lines().count(), 3);
        for said in [&*"ab".repeat(32), "a-signer-with-a-long-name", "frontend2 (targets), 2 more", "root_keys/mine.key"] {
            assert!(text.contains(said), "{said}\n{text}");
        }
        let printable = Printable::from_untrusted(&text.replace('\n', " "));
        assert_eq!(printable.as_str(), text.replace('\n', " "));
    }
}
