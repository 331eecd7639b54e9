//! Something large that is read while it is sent, and never held as a whole.
use std::io;

/// It, piece by piece. An error ends what is sent before its end.
pub type Reading = Box<dyn Iterator<Item = io::Result<Vec<u8>>> + Send>;

/// Something that can be read from its beginning as often as it is sent: a server that wants a login may say so only when it
/// has seen a request.
pub trait Pieces: Send + Sync {
    /// How many bytes it has.
    fn size(&self) -> u64;

    /// It, from its beginning.
    ///
    /// # Errors
    /// If it cannot be opened.
    fn begin(&self) -> io::Result<Reading>;
}
