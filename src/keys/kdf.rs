//! PBKDF2 that can be stopped: with many iterations it takes seconds.
use super::KeyError;
use pbkdf2::hmac::{EagerHash, Hmac, KeyInit, Mac};
use zeroize::{Zeroize, Zeroizing};

/// After how many iterations `stop` is asked again: some milliseconds.
const STRIDE: u32 = 8192;

/// Fills `out` with the key that PBKDF2 derives with HMAC over `D`. Fails with [`KeyError::Stopped`] soon after `stop`
/// says yes.
pub fn pbkdf2<D: EagerHash>(
    passphrase: &[u8],
    salt: &[u8],
    iterations: u32,
    out: &mut [u8],
    stop: &dyn Fn() -> bool,
) -> Result<(), KeyError>
where
    Hmac<D>: Mac + KeyInit + Clone,
{
    let keyed = <Hmac<D> as KeyInit>::new_from_slice(passphrase).map_err(|_| KeyError::Internal("key derivation"))?;
    let width = <Hmac<D> as pbkdf2::hmac::digest::OutputSizeUser>::output_size();
    for (index, chunk) in (1u32..).zip(out.chunks_mut(width)) {
        let mut first = keyed.clone();
        first.update(salt);
        first.update(&index.to_be_bytes());
        let mut last = first.finalize().into_bytes();
        let mut sum = Zeroizing::new(last.to_vec());
        for round in 1..iterations {
            if round % STRIDE == 0 && stop() {
                return Err(KeyError::Stopped);
            }
            let mut next = keyed.clone();
            next.update(&last);
            last = next.finalize().into_bytes();
            sum.iter_mut().zip(last.iter()).for_each(|(a, b)| *a ^= b);
        }
        chunk.iter_mut().zip(sum.iter()).for_each(|(to, from)| *to = *from);
        last.as_mut_slice().zeroize();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_library_for_every_hash() {
        fn both<D: EagerHash>()
        where
            Hmac<D>: Mac + KeyInit + Clone,
        {
            let (mut ours, mut theirs) = ([0; 70], [0; 70]);
            pbkdf2::<D>(b"gold", b"12345678", 77, &mut ours, &|| false).unwrap();
            ::pbkdf2::pbkdf2_hmac::<D>(b"gold", b"12345678", 77, &mut theirs);
            assert_eq!(ours, theirs);
        }
        both::<sha1::Sha1>();
        both::<sha2::Sha256>();
        both::<sha2::Sha384>();
        both::<sha2::Sha512>();
    }

    #[test]
    fn it_can_be_stopped() {
        let mut out = [0; 32];
        let error = pbkdf2::<sha1::Sha1>(b"p", b"s", u32::MAX, &mut out, &|| true);
        assert!(matches!(error, Err(KeyError::Stopped)));
    }
}
