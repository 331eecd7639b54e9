//! The body of a publication: files in `multipart/form-data` (protocol 10.2), read as Go reads it.
//!
//! A body is whole in memory, has a line of headers or two for each part, and must be taken apart exactly as the real
//! server does: what one of them takes for two files, the other must too.

/// Most parts of one body. A collection has a file for each of its roles.
pub const PARTS: usize = 4096;
/// Most bytes of one part's headers.
const HEADERS: usize = 16 << 10;

/// The body is none that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoMultipart;

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'b> {
    /// Its name as it was given, empty if it was not.
    pub filename: String,
    /// Its bytes.
    pub bytes: &'b [u8],
}

/// Takes a body apart. `content_type` is the header of the request.
///
/// # Errors
/// [`NoMultipart`]
pub fn parts<'b>(content_type: &str, body: &'b [u8]) -> Result<Vec<Part<'b>>, NoMultipart> {
    let boundary = boundary(content_type).ok_or(NoMultipart)?;
    let delimiter = [b"--".as_slice(), boundary.as_bytes()].concat();
    let mut rest = opened(body, &delimiter).ok_or(NoMultipart)?;
    let mut parts = Vec::new();
    // After the last part there may be anything.
    while let Some(part) = rest {
        if parts.len() == PARTS {
            return Err(NoMultipart);
        }
        let (headers, content) = headers(part)?;
        let (bytes, after) = until(content, &delimiter).ok_or(NoMultipart)?;
        parts.push(Part { filename: filename(&headers), bytes });
        rest = after;
    }
    Ok(parts)
}

/// What follows the first line with the delimiter: the first part, or nothing if it is the last line already.
fn opened<'b>(mut body: &'b [u8], delimiter: &[u8]) -> Option<Option<&'b [u8]>> {
    loop {
        let (line, rest) = line(body);
        match line.strip_prefix(delimiter) {
            Some(b"--") => return Some(None),
            Some(end) if end.trim_ascii().is_empty() && rest.is_some() => return Some(rest),
            _ => body = rest?,
        }
    }
}

/// What stands before the next line with the delimiter, and the part after it, if it is not the last.
fn until<'b>(content: &'b [u8], delimiter: &[u8]) -> Option<(&'b [u8], Option<&'b [u8]>)> {
    let mut from = 0;
    loop {
        let at = from + memchr::memmem::find(content.get(from..)?, delimiter)?;
        from = at + 1;
        let before = content.get(..at)?;
        let after = content.get(at + delimiter.len()..)?;
        // The end of the line before belongs to the delimiter. A part may be empty.
        let before = match before.strip_suffix(b"\n") {
            Some(before) => before.strip_suffix(b"\r").unwrap_or(before),
            None if before.is_empty() => before,
            None => continue,
        };
        if let Some(epilogue) = after.strip_prefix(b"--") {
            if epilogue.is_empty() || epilogue.starts_with(b"\r\n") || epilogue.starts_with(b"\n") {
                return Some((before, None));
            }
            continue;
        }
        let (end, rest) = line(after);
        if let (true, Some(rest)) = (end.trim_ascii().is_empty(), rest) {
            return Some((before, Some(rest)));
        }
    }
}

/// A line without its end, and what follows it; nothing if there is no end.
fn line(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'\n', text).and_then(|at| text.split_at_checked(at)) {
        Some((line, rest)) => (line.strip_suffix(b"\r").unwrap_or(line), rest.get(1..)),
        None => (text, None),
    }
}

/// A header's name in lower case, and its value.
type Header = (String, String);

fn headers(mut part: &[u8]) -> Result<(Vec<Header>, &[u8]), NoMultipart> {
    let mut found = Vec::new();
    let mut read = 0;
    loop {
        let (line, rest) = line(part);
        let rest = rest.ok_or(NoMultipart)?;
        if line.is_empty() {
            return Ok((found, rest));
        }
        read += line.len();
        if read > HEADERS {
            return Err(NoMultipart);
        }
        let text = String::from_utf8_lossy(line);
        let (name, value) = text.split_once(':').ok_or(NoMultipart)?;
        found.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        part = rest;
    }
}

fn filename(headers: &[Header]) -> String {
    let disposition = headers.iter().find(|(n, _)| n == "content-disposition");
    disposition.and_then(|(_, v)| parameter(v, "filename")).unwrap_or_default()
}

/// The boundary, if the header names one and is that of a body in parts.
fn boundary(content_type: &str) -> Option<String> {
    let kind = content_type.split(';').next()?.trim().to_ascii_lowercase();
    let fits = matches!(kind.as_str(), "multipart/form-data" | "multipart/mixed");
    // RFC 2046: at most 70 characters.
    let boundary = fits.then(|| parameter(content_type, "boundary")).flatten()?;
    let legal = |b: &u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(b);
    let fits = !boundary.is_empty() && boundary.len() <= 70 && boundary.bytes().all(|b| legal(&b)) && !boundary.ends_with(' ');
    fits.then_some(boundary)
}

/// The value of a parameter behind `;`, which may stand in quotation marks.
fn parameter(value: &str, name: &str) -> Option<String> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (key, after) = rest.split_once('=')?;
        let (text, after) = match after.trim_start().strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                let (text, after) = after.split_at_checked(end)?;
                (text.trim().to_owned(), after)
            }
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(text);
        }
        rest = after.split_once(';')?.1;
    }
}

/// Text up to the closing quotation mark, and what follows.
fn unquoted(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((text, quoted.get(at + 1..)?)),
            '\\' => text.push(chars.next()?.1),
            c => text.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "multipart/form-data; boundary=xyz";

    fn read(body: &str) -> Result<Vec<(String, String)>, NoMultipart> {
        let text = |p: Part<'_>| (p.filename, String::from_utf8_lossy(p.bytes).into_owned());
        parts(FORM, body.as_bytes()).map(|l| l.into_iter().map(text).collect())
    }

    fn part(name: &str, bytes: &str) -> String {
        format!(
            "--xyz\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n{bytes}\r\n"
        )
    }

    #[test]
    fn parts_are_taken_apart_with_their_bytes_as_they_are() {
        let body = format!("{}{}--xyz--\r\n", part("root", "{}\r\n--xy"), part("targets/a", ""));
        let wanted = [("root", "{}\r\n--xy"), ("targets/a", "")].map(|(n, b)| (n.to_owned(), b.to_owned()));
        assert_eq!(read(&body).unwrap(), wanted);
        // Lines before, lines after, and lines that end as on Unix.
        assert_eq!(read(&format!("hello\r\n{body}bye")).unwrap(), wanted);
        assert_eq!(read("--xyz\nContent-Disposition: x; filename=a\n\nb\n--xyz--").unwrap(), [("a".into(), "b".into())]);
        assert_eq!(read("--xyz--\r\n").unwrap(), []);
    }

    #[test]
    fn a_body_that_is_cut_off_is_none() {
        let body = format!("{}--xyz--", part("root", "{}"));
        assert!((0..body.len()).all(|end| read(&body[..end]).is_err()), "every part of a body is refused");
        assert_eq!(read(&body).unwrap().len(), 1);
    }

    #[test]
    fn a_delimiter_counts_only_on_a_line_of_its_own() {
        for inside in ["a--xyz", "--xyzz", "--xyz-", "--xyz--x"] {
            let body = format!("{}--xyz--", part("root", &format!("1\r\n{inside}\r\n2")));
            assert_eq!(read(&body).unwrap()[0].1, format!("1\r\n{inside}\r\n2"));
        }
    }

    #[test]
    fn without_a_boundary_there_are_no_parts() {
        let body = format!("{}--xyz--", part("root", "{}"));
        for kind in [
            "",
            "text/plain; boundary=xyz",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/related; boundary=xyz",
        ] {
            assert_eq!(parts(kind, body.as_bytes()), Err(NoMultipart), "{kind}");
        }
        for kind in ["multipart/mixed; boundary=xyz", "Multipart/Form-Data;charset=x; Boundary=\"xyz\""] {
            assert_eq!(parts(kind, body.as_bytes()).unwrap().len(), 1, "{kind}");
        }
    }

    #[test]
    fn there_are_only_so_many_parts_and_headers() {
        let many = |n: usize| format!("{}--xyz--", part("a", "b").repeat(n));
        assert_eq!(read(&many(PARTS)).unwrap().len(), PARTS);
        assert!(read(&many(PARTS + 1)).is_err());
        let long = |n: usize| format!("--xyz\r\nx:{}\r\n\r\n\r\n--xyz--", "y".repeat(n - 2));
        assert_eq!((read(&long(HEADERS)).is_ok(), read(&long(HEADERS + 1)).is_ok()), (true, false));
    }

    proptest::proptest! {
        #[test]
        fn any_body_is_read_to_its_end(
            kind in "multipart/form-data; boundary=\"?[a-z\\\\\"]{0,3}|\\PC*",
            body in proptest::collection::vec("--|a|x|\r\n|\n|:|Content-Disposition: x; filename=|\"|;|\\\\|\\PC", 0..40),
        ) {
            let _ = parts(&kind, body.concat().as_bytes());
            let _ = parts("multipart/mixed; boundary=a", body.concat().as_bytes());
        }
    }
}
