//! Uploads of blobs: begun, added to, finished under a digest or given up. What they bring is in memory until they end; a
//! restart forgets them, and clients begin again.
use super::{
    super::{answer::Response, call::Call},
    Registry,
    answer::{self, Fault},
    request::parameter,
};
use crate::registry::{Digest, Name};

/// The methods of an upload's address.
const METHODS: &str = "DELETE, GET, HEAD, PATCH, POST, PUT";

/// An upload's name: a random UUID, which only its client knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadId(String);

impl UploadId {
    fn random() -> Result<Self, Fault> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|_| Fault::unknown())?;
        // Version 4, variant 1: what says that it is random.
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex = base16ct::lower::encode_string(&bytes);
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or_default());
        Ok(Self(parts.join("-")))
    }
}

/// What was uploaded so far.
#[derive(Debug)]
pub struct Upload {
    name: Name,
    bytes: Vec<u8>,
}

impl Upload {
    /// How many bytes there are.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Adds to it.
    pub fn append(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }
}

impl Registry {
    /// What is asked where uploads begin.
    pub(super) fn uploads(&self, call: &Call<'_>, name: &Name) -> Result<Response, Fault> {
        match call.method {
            "POST" => self.start(call, name),
            "OPTIONS" => Ok(answer::options(METHODS)),
            "GET" | "HEAD" | "PUT" | "PATCH" | "DELETE" => Err(Fault::upload_unknown()),
            _ => Ok(answer::no_method(METHODS)),
        }
    }

    /// What is asked of one upload.
    pub(super) fn upload(&self, call: &Call<'_>, name: &Name, id: &str) -> Result<Response, Fault> {
        let id = UploadId(id.to_owned());
        // The real registry signs what it writes there, because it may be several. All that it stands for is how far the
        // upload was.
        let state = parameter(call, "_state").ok_or_else(Fault::upload_invalid)?;
        let offset: u64 = state.parse().map_err(|_| Fault::upload_invalid())?;
        let size = self.upload_size(name, &id)?;
        if size != offset {
            return Err(Fault::upload_elsewhere());
        }
        match call.method {
            "GET" | "HEAD" => Ok(state_of(204, name, &id, size)),
            "POST" => self.start(call, name),
            "PATCH" => self.patch(call, name, &id, size),
            "PUT" => self.finish(call, name, &id),
            "DELETE" => {
                self.store().end_upload(&id);
                Ok(answer::with(answer::empty(204), "Docker-Upload-UUID", id.0))
            }
            "OPTIONS" => Ok(answer::options(METHODS)),
            _ => Ok(answer::no_method(METHODS)),
        }
    }

    fn upload_size(&self, name: &Name, id: &UploadId) -> Result<u64, Fault> {
        let store = self.store();
        let upload = store.upload(id).ok_or_else(Fault::upload_over)?;
        if upload.name != *name { Err(Fault::upload_elsewhere()) } else { Ok(upload.size()) }
    }

    fn start(&self, call: &Call<'_>, name: &Name) -> Result<Response, Fault> {
        if let (Some(digest), Some(from)) = (parameter(call, "mount"), parameter(call, "from"))
            && let (Some(digest), Ok(from)) = (Digest::new(&digest), Name::new(&from))
            && self.store().mount(&from, name, &digest)?
        {
            return Ok(answer::placed(place_of(name, &digest), &digest));
        }
        let id = UploadId::random()?;
        self.store().start_upload(id.clone(), Upload { name: name.clone(), bytes: Vec::new() })?;
        Ok(state_of(202, name, &id, 0))
    }

    fn patch(&self, call: &Call<'_>, name: &Name, id: &UploadId, size: u64) -> Result<Response, Fault> {
        if call.header("content-type").is_some_and(|kind| !matches!(kind, "" | "application/octet-stream")) {
            return Err(Fault::unknown());
        }
        let end = size + call.body.len() as u64;
        // The real registry does not look at this header, and so puts parts together in an order that nobody wanted.
        if let Some(range) = call.header("content-range")
            && part(range) != Some((size, end))
        {
            let Response { headers, .. } = state_of(416, name, id, size);
            let mut refused = Response::from(Fault::range_invalid());
            refused.headers.extend(headers);
            return Ok(refused);
        }
        self.append(name, id, size, call.body)?;
        Ok(state_of(202, name, id, end))
    }

    fn append(&self, name: &Name, id: &UploadId, size: u64, bytes: &[u8]) -> Result<(), Fault> {
        let mut store = self.store();
        // Somebody may have added to it since it was looked at.
        let now = store.upload(id).filter(|u| u.name == *name).ok_or_else(Fault::upload_over)?.size();
        if now == size { store.append(id, bytes) } else { Err(Fault::upload_elsewhere()) }
    }

    fn finish(&self, call: &Call<'_>, name: &Name, id: &UploadId) -> Result<Response, Fault> {
        let digest = parameter(call, "digest").ok_or_else(|| Fault::digest_invalid().with("digest missing"))?;
        let digest = Digest::new(&digest).ok_or_else(|| Fault::digest_invalid().with("digest parsing failed"))?;
        // Nobody else finishes it from here on. Digests are reckoned while others go on.
        let upload = self.store().end_upload(id).ok_or_else(Fault::upload_over)?;
        let mut bytes = upload.bytes;
        bytes.extend_from_slice(call.body);
        if Digest::of(&bytes) != digest {
            return Err(Fault::other_digest(&digest));
        }
        self.store().put_blob(name, &digest, bytes)?;
        Ok(answer::placed(place_of(name, &digest), &digest))
    }
}

fn place_of(name: &Name, digest: &Digest) -> String {
    format!("/v2/{}/blobs/{digest}", name.as_str())
}

/// How far an upload is. There is no way to write that nothing is there; everybody writes this.
fn state_of(status: u16, name: &Name, id: &UploadId, size: u64) -> Response {
    let location = format!("/v2/{}/blobs/uploads/{}?_state={size}", name.as_str(), id.0);
    let range = format!("0-{}", size.saturating_sub(1));
    let answer = answer::with(answer::empty(status), "Location", location);
    answer::with(answer::with(answer, "Range", range), "Docker-Upload-UUID", id.0.clone())
}

/// Where a part of an upload begins and ends, the end excluded.
fn part(range: &str) -> Option<(u64, u64)> {
    let number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u64>().ok())?;
    let (first, last) = range.split_once('-')?;
    Some((number(first)?, number(last)?.checked_add(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_parts_are_two_numbers_and_nothing_else() {
        assert_eq!(part("0-4"), Some((0, 5)));
        assert_eq!(part("5-9"), Some((5, 10)));
        for bad in ["", "-", "5", "5-", "-9", "+5-9", "5-9/15", "bytes 5-9", "bytes=5-9", "0-18446744073709551615", "a-b"] {
            assert_eq!(part(bad), None, "{bad}");
        }
    }
}
