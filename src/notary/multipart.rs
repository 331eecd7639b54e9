//! The body of a publication (protocol 10.2): files in `multipart/form-data`, as Notary's own client sends them.
use crate::tuf::name::RoleName;
use std::hash::{BuildHasher as _, RandomState};

/// Writes files into one body. Returns the value of its `Content-Type`, and the body.
pub fn body(files: &[(RoleName, Vec<u8>)]) -> (String, Vec<u8>) {
    body_between(files, by_lot)
}

fn body_between(files: &[(RoleName, Vec<u8>)], mut draw: impl FnMut() -> String) -> (String, Vec<u8>) {
    let mut boundary = draw();
    // It must stand in none of the files.
    while files.iter().any(|(_, bytes)| memchr::memmem::find(bytes, boundary.as_bytes()).is_some()) {
        boundary = draw();
    }
    let mut body = Vec::with_capacity(files.iter().map(|(role, bytes)| role.as_str().len() + bytes.len() + 256).sum());
    for (role, bytes) in files {
        // A role's name holds nothing that could end the quotation; its slash stays as it is.
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{role}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

/// A boundary that nobody who writes into a file can know.
fn by_lot() -> String {
    let (one, other) = (RandomState::new(), RandomState::new());
    format!("claviger{:016x}{:016x}", one.hash_one(0), other.hash_one(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(role: &str, bytes: &[u8]) -> (RoleName, Vec<u8>) {
        (RoleName::new(role).unwrap(), bytes.to_vec())
    }

    #[test]
    fn every_file_is_sent_under_the_whole_name_of_its_role_and_byte_for_byte() {
        let files = [file("root", b"{}\r\n--"), file("targets/releases", b"")];
        let (kind, body) = body_between(&files, || "frontier".to_owned());
        assert_eq!(kind, "multipart/form-data; boundary=frontier");
        let part = |name: &str, bytes: &str| {
            format!(
                "--frontier\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n{bytes}\r\n"
            )
        };
        let wanted = format!("{}{}--frontier--\r\n", part("root", "{}\r\n--"), part("targets/releases", ""));
        assert_eq!(String::from_utf8(body).unwrap(), wanted);
        assert_eq!(body_between(&[], || "x".to_owned()).1, b"--x--\r\n");
    }

    #[test]
    fn a_boundary_that_stands_in_a_file_is_not_taken() {
        let files = [file("root", b"{}"), file("targets", b"an attacker knew the --first\r\n")];
        let mut drawn = ["first", "second"].into_iter();
        let (kind, _) = body_between(&files, || drawn.next().unwrap().to_owned());
        assert_eq!(kind, "multipart/form-data; boundary=second");
    }

    #[test]
    fn two_boundaries_differ_and_are_legal() {
        let (one, other) = (by_lot(), by_lot());
        assert_ne!(one, other);
        assert!(one.len() <= 70 && one.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
}
