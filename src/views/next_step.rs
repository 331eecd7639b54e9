//! What to do about a finding that no procedure of this version mends, in a sentence.
use crate::{finding::Finding, keys::problem::code};

/// The next step, if there is one that the finding itself does not name.
pub fn next_step(finding: &Finding) -> Option<&'static str> {
    Some(match finding.code {
        "role-refused" => "Its signers must sign again, or the owner must change the delegation.",
        "role-keys-missing" | "role-key-unusable" => "The owner must give the role other keys.",
        "role-expires-soon" | "role-expires" => "Whoever holds a key of the role must sign it again before then.",
        "root-expires-soon" => "The owner must sign the root again before then, with the root key.",
        "role-without-paths" | "paths-beyond-parent" => "The owner must change the delegation.",
        "names-outside-paths" => "The signer must take these names back, or the owner must widen the paths.",
        "first-use" => {
            "Compare this ID with the owner's by another way. To hold it for good, pin the certificate ID (trust_pinning)."
        }
        "not-fresh" => "Check the network and the server, then read it again.",
        "not-remembered" => "Mend the trust directory, then read it again: until then each reading is a first one.",
        code::DIRECTORY_UNREADABLE => "Mend the permissions of that directory, then read the keys again.",
        _ => return None,
    })
}
