//! Blobs, whole and in parts.
use super::{
    super::{answer::Response, call::Call},
    Registry,
    answer::{self, Fault},
    manifest::has_already,
};
use crate::registry::{Digest, Name};
use std::ops::Range;

/// The methods of a blob's address.
const METHODS: &str = "DELETE, GET, HEAD";

/// What of a blob is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Whole,
    Part(Range<u64>),
    /// Bytes beyond its end.
    Beyond,
    /// Nothing that can be understood.
    Unclear,
}

impl Registry {
    /// What is asked of a blob.
    pub(super) fn blob(&self, call: &Call<'_>, name: &Name, digest: &Digest) -> Result<Response, Fault> {
        match call.method {
            "GET" | "HEAD" => self.get_blob(call, name, digest),
            "DELETE" => match self.store().remove_blob(name, digest)? {
                true => Ok(answer::empty(202)),
                false => Err(Fault::blob_unknown()),
            },
            "OPTIONS" => Ok(answer::options(METHODS)),
            _ => Ok(answer::no_method(METHODS)),
        }
    }

    fn get_blob(&self, call: &Call<'_>, name: &Name, digest: &Digest) -> Result<Response, Fault> {
        let unknown = || Fault::blob_unknown().with(digest.as_str());
        let content = self.store().blob(name, digest).ok_or_else(unknown)?;
        let size = content.size();
        let known = |answer: Response| {
            let answer = answer::with(answer, "Cache-Control", "max-age=31536000");
            let answer = answer::with(answer, "Docker-Content-Digest", digest.to_string());
            answer::with(answer, "ETag", format!("\"{digest}\""))
        };
        if has_already(call, digest) {
            return Ok(known(answer::not_modified()));
        }
        let same = call.header("if-range").is_none_or(|tag| tag.trim_matches('"') == digest.as_str());
        let (status, range) = match call.header("range").filter(|_| same).map_or(Wanted::Whole, |r| wanted(r, size)) {
            Wanted::Whole => (200, 0..size),
            Wanted::Part(range) => (206, range),
            Wanted::Beyond => return Ok(known(answer::no_such_range(Some(size)))),
            Wanted::Unclear => return Ok(known(answer::no_such_range(None))),
        };
        // Whoever asks about a blob only gets no bytes, so none are read.
        let length = range.end.saturating_sub(range.start).to_string();
        let parts = (status == 206).then(|| format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1)));
        let head = call.method == "HEAD";
        // A blob that was deleted since is not there.
        let body = if head { Vec::new() } else { content.read(range).map_err(|_| unknown())? };
        let answer = known(answer::of_kind(status, "application/octet-stream", body));
        let answer = answer::with(answer, "Accept-Ranges", "bytes");
        let answer = if head { answer::with(answer, "Content-Length", length) } else { answer };
        Ok(match parts {
            Some(parts) => answer::with(answer, "Content-Range", parts),
            None => answer,
        })
    }
}

/// Reads a `Range`. Several ranges at once are answered with the whole, which the client must be able to take.
fn wanted(header: &str, size: u64) -> Wanted {
    let Some(ranges) = header.strip_prefix("bytes=") else { return Wanted::Unclear };
    let mut ranges = ranges.split(',').map(str::trim).filter(|r| !r.is_empty());
    let (Some(range), None) = (ranges.next(), ranges.next()) else { return Wanted::Whole };
    let Some((first, last)) = range.split_once('-') else { return Wanted::Unclear };
    let number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u64>().ok()).flatten();
    match (first.trim(), last.trim()) {
        ("", last) => match number(last) {
            Some(0) => Wanted::Beyond,
            Some(n) => Wanted::Part(size.saturating_sub(n)..size),
            None => Wanted::Unclear,
        },
        (first, last) => match (number(first), if last.is_empty() { Some(u64::MAX) } else { number(last) }) {
            (Some(first), Some(last)) if first > last => Wanted::Unclear,
            (Some(first), Some(_)) if first >= size => Wanted::Beyond,
            (Some(first), Some(last)) => Wanted::Part(first..last.saturating_add(1).min(size)),
            _ => Wanted::Unclear,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_at_the_end_and_never_go_beyond_it() {
        use Wanted::{Beyond, Part, Unclear, Whole};
        for (header, expected) in [
            ("bytes=0-3", Part(0..4)),
            ("bytes=5-", Part(5..10)),
            ("bytes=-3", Part(7..10)),
            ("bytes=-100", Part(0..10)),
            ("bytes=8-100", Part(8..10)),
            ("bytes=9-9", Part(9..10)),
            ("bytes=0-18446744073709551615", Part(0..10)),
            ("bytes= 1 - 2 ", Part(1..3)),
            ("bytes=", Whole),
            ("bytes=0-1,4-5", Whole),
            ("bytes=10-", Beyond),
            ("bytes=100-200", Beyond),
            ("bytes=-0", Beyond),
            ("bytes=3-1", Unclear),
            ("bytes=-", Unclear),
            ("bytes=x", Unclear),
            ("bytes=+1-2", Unclear),
            ("bytes=0-18446744073709551616", Unclear),
            ("x=0-1", Unclear),
            ("", Unclear),
        ] {
            assert_eq!(wanted(header, 10), expected, "{header}");
        }
        assert_eq!(wanted("bytes=0-", 0), Beyond);
        assert_eq!(wanted("bytes=-1", 0), Part(0..0));
    }
}
