//! PBKDF2 that can be stopped: with many rounds it takes seconds.
use super::KeyError;
use pbkdf2::hmac::{EagerHash, Hmac, KeyInit, Mac, digest::OutputSizeUser};
use sha1::{Digest, Sha1, block_api::compress};
use zeroize::{Zeroize, Zeroizing};

/// After how many rounds `stop` is asked again: some milliseconds.
const STRIDE: u32 = 8192;

/// Fills `out` with the key that PBKDF2 derives with HMAC over `D`. Fails with [`KeyError::Stopped`] soon after `stop`
/// says yes.
pub fn pbkdf2<D: EagerHash>(
    passphrase: &[u8],
    salt: &[u8],
    rounds: u32,
    out: &mut [u8],
    stop: &dyn Fn() -> bool,
) -> Result<(), KeyError>
where
    Hmac<D>: Mac + KeyInit + Clone,
{
    let keyed = keyed::<D>(passphrase)?;
    for (index, chunk) in (1u32..).zip(out.chunks_mut(<Hmac<D> as OutputSizeUser>::output_size())) {
        let mut last = first(&keyed, salt, index);
        let mut sum = Zeroizing::new(last.to_vec());
        for round in 1..rounds {
            if round % STRIDE == 0 && stop() {
                return Err(KeyError::Stopped);
            }
            let mut next = keyed.clone();
            next.update(&last);
            let mut bytes = next.finalize().into_bytes();
            last.copy_from_slice(&bytes);
            bytes.as_mut_slice().zeroize();
            sum.iter_mut().zip(last.iter()).for_each(|(a, b)| *a ^= b);
        }
        chunk.iter_mut().zip(sum.iter()).for_each(|(to, from)| *to = *from);
    }
    Ok(())
}

/// [`pbkdf2`] over SHA-1, on which everything depends that Notary reads: each round after the first hashes two blocks
/// of fixed layout, so that it needs nothing but the compression function.
pub fn pbkdf2_sha1(passphrase: &[u8], salt: &[u8], rounds: u32, out: &mut [u8], stop: &dyn Fn() -> bool) -> Result<(), KeyError> {
    const START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    // A key block and a digest, in bits.
    const LENGTH: u64 = (64 + 20) * 8;
    let mut key = Zeroizing::new([0u8; 64]);
    if passphrase.len() > key.len() {
        let mut digest = Sha1::digest(passphrase);
        key.iter_mut().zip(&digest).for_each(|(to, from)| *to = *from);
        digest.as_mut_slice().zeroize();
    } else {
        key.iter_mut().zip(passphrase).for_each(|(to, from)| *to = *from);
    }
    let pad = |with: u8| {
        let mut state = Zeroizing::new(START);
        let block = Zeroizing::new(key.map(|b| b ^ with));
        compress(&mut state, std::slice::from_ref(&*block));
        state
    };
    let (inner, outer) = (pad(0x36), pad(0x5c));
    let keyed = keyed::<Sha1>(passphrase)?;
    let mut block = Zeroizing::new([0u8; 64]);
    let layout = |digest: &[u32; 5], block: &mut [u8; 64]| {
        for (to, word) in block.chunks_exact_mut(4).zip(digest) {
            to.copy_from_slice(&word.to_be_bytes());
        }
    };
    // The end of the message, and its length in the last eight bytes.
    block.iter_mut().skip(20).zip([0x80]).for_each(|(to, from)| *to = from);
    block.iter_mut().skip(56).zip(LENGTH.to_be_bytes()).for_each(|(to, from)| *to = from);
    for (index, chunk) in (1u32..).zip(out.chunks_mut(20)) {
        let mut last = Zeroizing::new([0u32; 5]);
        for (word, bytes) in last.iter_mut().zip(first(&keyed, salt, index).chunks_exact(4)) {
            *word = bytes.iter().fold(0, |w, b| w << 8 | u32::from(*b));
        }
        let mut sum = last.clone();
        for round in 1..rounds {
            if round % STRIDE == 0 && stop() {
                return Err(KeyError::Stopped);
            }
            for start in [&inner, &outer] {
                layout(&last, &mut block);
                last.copy_from_slice(&**start);
                compress(&mut last, std::slice::from_ref(&*block));
            }
            sum.iter_mut().zip(last.iter()).for_each(|(a, b)| *a ^= b);
        }
        for (to, word) in chunk.chunks_mut(4).zip(sum.iter()) {
            to.iter_mut().zip(word.to_be_bytes()).for_each(|(to, from)| *to = from);
        }
    }
    Ok(())
}

fn keyed<D: EagerHash>(passphrase: &[u8]) -> Result<Hmac<D>, KeyError>
where
    Hmac<D>: Mac + KeyInit,
{
    <Hmac<D> as KeyInit>::new_from_slice(passphrase).map_err(|_| KeyError::Internal("key derivation"))
}

/// The first round: the salt and the number of the part of the key.
fn first<M: Mac + Clone>(keyed: &M, salt: &[u8], index: u32) -> Zeroizing<Vec<u8>> {
    let mut mac = keyed.clone();
    mac.update(salt);
    mac.update(&index.to_be_bytes());
    let mut bytes = mac.finalize().into_bytes();
    let out = Zeroizing::new(bytes.to_vec());
    bytes.as_mut_slice().zeroize();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library<D: EagerHash>(passphrase: &[u8], salt: &[u8], rounds: u32, len: usize) -> Vec<u8> {
        let mut out = vec![0; len];
        ::pbkdf2::pbkdf2_hmac::<D>(passphrase, salt, rounds, &mut out);
        out
    }

    #[test]
    fn agrees_with_the_library_for_every_hash() {
        fn both<D: EagerHash>()
        where
            Hmac<D>: Mac + KeyInit + Clone,
        {
            let mut ours = vec![0; 70];
            pbkdf2::<D>(b"gold", b"12345678", 77, &mut ours, &|| false).unwrap();
            assert_eq!(ours, library::<D>(b"gold", b"12345678", 77, 70));
        }
        both::<sha2::Sha256>();
        both::<sha2::Sha384>();
        both::<sha2::Sha512>();
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(64))]
        #[test]
        fn sha_1_agrees_with_the_library(
            passphrase in proptest::collection::vec(proptest::num::u8::ANY, 0..150),
            salt in proptest::collection::vec(proptest::num::u8::ANY, 0..100), rounds in 1u32..40, len in 0usize..70,
        ) {
            let mut ours = vec![0; len];
            pbkdf2_sha1(&passphrase, &salt, rounds, &mut ours, &|| false).unwrap();
            proptest::prop_assert_eq!(ours, library::<Sha1>(&passphrase, &salt, rounds, len));
        }
    }

    #[test]
    fn states_of_hashes_and_expanded_keys_are_erased_when_dropped() {
        fn erased<T: zeroize::ZeroizeOnDrop>() {}
        erased::<Sha1>();
        erased::<sha2::Sha256>();
        erased::<sha2::Sha512>();
        erased::<md5::Md5>();
        erased::<aes::Aes128>();
        erased::<aes::Aes192>();
        erased::<aes::Aes256>();
        erased::<des::Des>();
        erased::<des::TdesEde3>();
        erased::<cbc::Decryptor<aes::Aes256>>();
        erased::<cbc::Encryptor<aes::Aes256>>();
        erased::<cbc::Decryptor<des::TdesEde3>>();
    }

    #[test]
    fn it_can_be_stopped() {
        let mut out = [0; 32];
        assert!(matches!(pbkdf2_sha1(b"p", b"s", u32::MAX, &mut out, &|| true), Err(KeyError::Stopped)));
        assert!(matches!(pbkdf2::<sha2::Sha256>(b"p", b"s", u32::MAX, &mut out, &|| true), Err(KeyError::Stopped)));
    }
}
