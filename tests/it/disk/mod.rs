//! A disk that is full, read-only or dying, while each piece of work on keys is done: it ends with a sentence that names the
//! cause, every key that was there is there and opens, nothing is half written, the next start says what happened or that
//! nothing had begun, and on a healthy disk the work is done.
mod full;
mod injected;
mod works;

pub use works::three_sentences;
